"""Segmentation of many scans with one model, on this computer or on a Dask cluster."""
