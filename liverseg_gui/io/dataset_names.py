"""Names in labelled data sets: of scans, of the masks that lie apart from them, and of cases."""

from __future__ import annotations

import os
import re
from pathlib import Path

from liverseg_gui.io.file_endings import ITK, NIFTI_FILES, without_ending

_ENDINGS = (*NIFTI_FILES, *ITK)
_LITS = re.compile(r"(volume-|segmentation-|liver_|)([0-9]+)", re.IGNORECASE)
_MASK_FOLDERS = re.compile(r"seg|mask|label", re.IGNORECASE)
_IMAGES = re.compile(r"images(Tr|Ts|Val)")
_LABELS = re.compile(r"labels(Tr|Ts|Val)")
_FIRST_CHANNEL = "_0000"
_SCANS_OF_IRCADB, _MASKS_OF_IRCADB = "PATIENT_DICOM", "MASKS_DICOM"
_PATIENT_OF_IRCADB = re.compile(r"3d[-_ ]?ircadb[-_ ]?\d", re.IGNORECASE)
_LABELS_OF_IRCADB = (_MASKS_OF_IRCADB, "LABELLED_DICOM")


def mask_beside(scan: Path) -> Path | None:
    """The mask that `scan`'s data set keeps for it, where there is one.

    LiTS: volume-N and segmentation-N, in one folder or in two side by side. Medical Segmentation
    Decathlon and nnU-Net: imagesTr/X (or X_0000) and labelsTr/X.
    """
    stem = image_stem(scan)
    kind, number = lits_name(stem)
    if kind == "volume-":
        return _lits(scan, f"segmentation-{number}")
    if folder := _IMAGES.fullmatch(scan.parent.name):
        labels = scan.parent.with_name(f"labels{folder[1]}")
        return _file(labels, stem.removesuffix(_FIRST_CHANNEL)) or _file(labels, stem)
    return None


def is_mask_of_pair(path: Path) -> bool:
    """Whether `path` has the name or the place of a data set's mask, so that it is no scan."""
    stem = image_stem(path)
    if not stem:
        return False
    return lits_name(stem)[0] == "segmentation-" or bool(_LABELS.fullmatch(path.parent.name))


def lits_name(name: str) -> tuple[str, str]:
    """What stands before the number of a patient of LiTS, and the digits: ("volume-", "07").

    Before it stand "volume-" or "segmentation-", in the Decathlon "liver_", or nothing. Two empty
    texts for any other name.
    """
    match = _LITS.fullmatch(name)
    return (match[1].lower(), match[2]) if match else ("", "")


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts "case 10" behind "case 2", and numbers before letters."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p.lower()) for p in parts)


def ircadb(folder: Path) -> tuple[Path, Path] | None:
    """The folders of slices and of masks, where `folder` is a 3D-IRCADb-01 patient's.

    It may also be the patient's PATIENT_DICOM or MASKS_DICOM.
    """
    folder = folder.absolute()
    places = [folder]
    if folder.name in (_SCANS_OF_IRCADB, _MASKS_OF_IRCADB):
        outer = folder.parent.name in (_SCANS_OF_IRCADB, _MASKS_OF_IRCADB)
        places = [folder.parent.parent if outer else folder.parent]
    scans, masks = (_unpacked(places[0] / name) for name in (_SCANS_OF_IRCADB, _MASKS_OF_IRCADB))
    return (scans, masks) if scans.is_dir() and masks.is_dir() else None


def masks_of_ircadb(place: Path, root: Path) -> Path | None:
    """The folder or archive below `root` of a 3D-IRCADb-01 patient's masks that holds `place`."""
    for part in (place, *place.parents):
        if part == root:
            return None
        scans = part.with_name(_SCANS_OF_IRCADB)
        is_labels = part.name.removesuffix(".zip") in _LABELS_OF_IRCADB
        if is_labels and (scans.is_dir() or scans.with_suffix(".zip").is_file()):
            return part
    return None


def public_patient(scan: Path) -> str:
    """The name that 3D-IRCADb-01 gives the patient of `scan`, which names nobody; or nothing."""
    for part in (scan, *scan.parents):
        name = part.parent.name
        if part.name.removesuffix(".zip") == _SCANS_OF_IRCADB and _PATIENT_OF_IRCADB.match(name):
            return name
    return ""


def _unpacked(folder: Path) -> Path:
    """`folder`, or the one of its name inside, as some programs unpack an archive."""
    inner = folder / folder.name
    return inner if inner.is_dir() else folder


def image_stem(path: Path) -> str:
    """The name without an image's ending; nothing for what is no image."""
    stem = without_ending(path.name, _ENDINGS)
    return "" if stem == path.name or path.name.startswith(".") else stem


def _lits(path: Path, stem: str) -> Path | None:
    """The file `stem` in `path`'s folder, or the only one in folders of masks beside it.

    The numbers of other data sets are the same: a folder of another name is not looked into.
    """
    if mask := _file(path.parent, stem):
        return mask
    try:
        siblings = [
            f for f in path.absolute().parent.parent.iterdir() if _MASK_FOLDERS.search(f.name)
        ]
    except OSError:  # a folder that may not be listed offers nothing
        return None
    masks = [mask for folder in siblings if (mask := _file(folder, stem))]
    return masks[0] if len(masks) == 1 else None


def _file(folder: Path, stem: str) -> Path | None:
    candidates = (folder / f"{stem}{ending}" for ending in _ENDINGS)
    # os.path, for which a folder that may not be entered is no error
    return next((file for file in candidates if os.path.isfile(file)), None)
