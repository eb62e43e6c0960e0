"""The `liverseg` command, a module for each subcommand; none of them needs a window."""
