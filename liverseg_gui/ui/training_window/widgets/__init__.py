"""Widgets that several pages of the training window use."""
