"""Rulers, angles, regions and texts on a slice."""
