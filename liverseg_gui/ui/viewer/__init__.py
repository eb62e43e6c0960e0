"""The slice views, their overlay and their layouts."""
