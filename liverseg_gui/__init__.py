"""LiverSeg: liver and tumor segmentation in abdominal CT. Research use only."""

import logging

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())  # the window adds a log file
