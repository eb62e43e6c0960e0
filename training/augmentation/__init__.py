"""Random changes of a batch of slices."""
