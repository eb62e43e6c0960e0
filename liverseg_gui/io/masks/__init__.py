"""Masks in every form they come in, and the grids they lie on."""
