"""The process of a training, started and followed."""
