"""Fine-tuning of the model in use: its dialog and its plan."""
