"""Widgets, icons, colors and texts that all of the window uses."""
