"""Measurements as files: JSON, CSV and pictures."""
