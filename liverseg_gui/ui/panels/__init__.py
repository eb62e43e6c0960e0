"""The panels of the main window's docks."""
