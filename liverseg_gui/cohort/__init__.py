"""Many scans with one model: which there are, what was done already, here or on a Dask cluster."""
