"""A trained network as a model: card and weights."""
