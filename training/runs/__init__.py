"""The folder of a training: its files, events, commands; the registry of all trainings."""
