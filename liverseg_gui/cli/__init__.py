"""The `liverseg` command. Its subcommands need no window; each lives in a module of its own."""
