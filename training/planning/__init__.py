"""Plans of a training: devices, batch size, time, previews, fine-tuning."""
