"""What is asked before a training: devices, batch size, time, previews."""
