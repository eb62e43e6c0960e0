"""A mask against a reference: overlap, surface distance, lesion detection, summaries."""
