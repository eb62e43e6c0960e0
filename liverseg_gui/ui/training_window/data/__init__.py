"""The page of the training data."""
