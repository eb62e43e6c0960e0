"""Evaluation of trained models on held-out patients, their comparison and acceptance."""
