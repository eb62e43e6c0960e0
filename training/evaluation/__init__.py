"""Trained models judged on patients they have not seen, and compared."""
