"""Errors whose message a clinician can act on: what went wrong, in which file, what to do next."""

import errno
from typing import Any

_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Free some space, or choose another place."),
    errno.EROFS: "Nothing can be written there: choose another place.",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Look to its permissions."),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR), "Check the path."),
    errno.EINVAL: "Name a file.",
    errno.EISDIR: "It is a folder: name a file.",
    errno.EEXIST: "Choose another name.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    **dict.fromkeys(
        (errno.EIO, errno.ESTALE, errno.ETIMEDOUT), "Look to the disk or the network drive."
    ),
}
"""What to do about an error of the system, by its number."""


class LiverSegError(Exception):
    """Base of every expected failure: its class says to a program what is wrong.

    `message` says what is wrong in a plain sentence, `remedy` what to do about it, which may be
    nothing; its text is both. `action` names what a program may offer in place of `remedy`.
    """

    def __init__(self, message: str, remedy: str = "", *, action: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message, self.remedy, self.action = message, remedy, action

    def __reduce__(self) -> tuple[Any, ...]:
        """Subclasses are made of other arguments: what is pickled is what they hold."""
        return type(self).__new__, (type(self), *self.args), self.__dict__


class UnreadableFileError(LiverSegError):
    """A file or folder is missing, damaged, or no image this program reads."""


class UnsupportedFileError(UnreadableFileError):
    """A file is whole, but keeps what it holds in a form this program does not read."""


class ChangedFileError(UnreadableFileError):
    """A file is no longer what it was when it was listed, or changed while it was read."""


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


def cannot_read(path: object, error: OSError) -> UnreadableFileError:
    """The error for a file or folder that the system does not let us read, with its reason."""
    reason = f"cannot be read: {(error.strerror or str(error)).rstrip('.')}"
    if error.errno == errno.ENOENT:
        reason = "does not exist"
    remedy = _REMEDIES.get(error.errno or 0, "Check the path and its permissions.")
    return UnreadableFileError(f"{path} {reason}.", remedy)


def system_error_text(error: OSError) -> str:
    """What the system says went wrong, with which file, and what to do about it."""
    text = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else None
    remedy = _REMEDIES.get(error.errno or 0, "Check the path and its permissions.")
    return f"{text or error.strerror or error}. {remedy}"
