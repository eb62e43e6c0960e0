"""The main window: docks, actions, their handlers, help."""
