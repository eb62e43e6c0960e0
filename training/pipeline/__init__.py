"""The pipeline of a training, from the request to the exported model."""
