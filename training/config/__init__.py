"""Configuration of a training: settings, augmentation, fields of view, schedule."""
