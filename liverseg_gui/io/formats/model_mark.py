"""Mark in the header of a mask that is as a model drew it, and that nobody has reviewed.

It holds a checksum of the labels: other programs keep the header of a mask that is corrected in
them, and what was corrected is not the model's any more.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.io.file_endings import NIFTI_FILES
from liverseg_gui.io.formats.nifti import open_header


def model_mark(mask: LabelMap) -> bytes:
    """What stands in the field `descrip` (80 bytes) of the mask's file."""
    labels = zlib.crc32(np.ascontiguousarray(mask.labels).data)
    return f"LiverSeg: labels {labels:08x} of a model, not reviewed".encode()


def is_marked(path: Path, mask: LabelMap) -> bool:
    """Whether `mask`, which was read from `path`, is still as a model drew it."""
    if not path.name.lower().endswith(NIFTI_FILES) or not path.is_file():
        return False
    try:
        text = bytes(open_header(path).header["descrip"])
    except (LiverSegError, OSError):
        return False
    return text.rstrip(b"\0") == model_mark(mask)
