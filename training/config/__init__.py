"""What a training is told: its configuration, augmentation, fields of view, schedule."""
