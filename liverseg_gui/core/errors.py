"""Errors whose message a clinician can act on: what went wrong, in which file, what to do next."""


class LiverSegError(Exception):
    """Base of every expected failure. The message is one or two plain sentences."""


class UnreadableFileError(LiverSegError):
    """A file or folder is missing, damaged, or no image this program reads."""


class AmbiguousInputError(LiverSegError):
    """An input holds several volumes and none was chosen."""


class GridMismatchError(LiverSegError):
    """A mask does not lie on the scan's grid."""


class SaveError(LiverSegError):
    """A file could not be written, or did not read back as it was written."""


class ModelError(LiverSegError):
    """A model is missing, damaged or foreign."""


class NameTakenError(ModelError):
    """A model cannot be added under this name; under another one it can."""


class SegmentationError(LiverSegError):
    """The segmentation could not be carried out."""


class Cancelled(Exception):  # noqa: N818
    """The user cancelled. Not a failure, so not a LiverSegError."""

    def __init__(self, message: str = "cancelled") -> None:
        super().__init__(message)  # fastai reads args[0] of what passes through its callbacks
