"""The folder of a run: its files, events, commands, and the list of all runs."""
