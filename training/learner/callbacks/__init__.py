"""Callbacks of the learner."""
