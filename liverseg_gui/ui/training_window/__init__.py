"""The training window: pages for data, configuration, run and results."""
