"""The page of the training configuration."""
