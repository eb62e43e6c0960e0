"""DICOM: headers, an index of folders, stacks of slices, their geometry and their pixels."""

import logging
import warnings

import pydicom.config

# Odd values in files are our findings to make, not lines on stderr.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.filterwarnings("ignore", module=r"pydicom\.")
logging.getLogger("pydicom").addHandler(logging.NullHandler())
