"""The training window: data, configuration, run, results."""
