"""From measurements to files: JSON, CSV and pictures."""
