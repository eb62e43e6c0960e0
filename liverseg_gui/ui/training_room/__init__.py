"""The training room: train or fine-tune a model without code."""
