"""LiverSeg: liver and tumor segmentation in abdominal CT. Research use only."""

__version__ = "0.1.0"
