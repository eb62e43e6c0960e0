"""The page of the training's configuration."""
