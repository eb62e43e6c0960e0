"""A training from the request to the exported model."""
