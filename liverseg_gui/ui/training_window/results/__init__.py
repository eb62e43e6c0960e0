"""The page of a training's results."""
