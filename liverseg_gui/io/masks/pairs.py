"""Pairs of masks to evaluate: two files, or two folders whose files are matched by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.io.changes import require_readable
from liverseg_gui.io.dataset_names import lits_name
from liverseg_gui.io.file_endings import IMAGES, without_ending
from liverseg_gui.io.masks.dicom_seg import is_seg

_ENDINGS = (*IMAGES, ".seg.nrrd", ".dcm")
_SECOND_HALF = (".img", ".img.gz")
_PLACE_IN_SET = re.compile(r"^(.+__)?(images|labels)(Tr|Ts|Val)__(?=.)")
_FIRST_CHANNEL = "_0000"


@dataclass(frozen=True)
class MaskPair:
    """A mask, the truth it is judged by, and their scan where one was given."""

    name: str
    found: Path
    truth: Path
    scan: Path | None = None


@dataclass(frozen=True)
class MaskPairs:
    """The pairs, sorted by name, and the files of either folder that have no partner."""

    pairs: tuple[MaskPair, ...]
    only_found: tuple[Path, ...] = ()
    only_truth: tuple[Path, ...] = ()


def pair_masks(found: Path, truth: Path, scan: Path | None = None) -> MaskPairs:
    """Pair the masks at `found` with those at `truth`: one each, or those of two folders.

    Names match without their endings and without the _0000 of nnU-Net and the Medical Segmentation
    Decathlon; volume-N is segmentation-N (LiTS). `scan` is one scan, or for folders a folder of
    scans whose names match likewise.

    Raises:
        UnreadableFileError: a path is missing, a name occurs twice, or nothing matches.
    """
    for path in (found, truth, *((scan,) if scan else ())):
        require_readable(path)
    if not (found.is_dir() and truth.is_dir()):
        return MaskPairs((MaskPair(case_name(truth), found, truth, scan),))
    ours, theirs = _by_key(found), _by_key(truth)
    common = sorted(ours.keys() & theirs.keys())
    if not common:
        raise UnreadableFileError(
            f"No mask in {found} has the name of one in {truth} ({_some(ours)} and "
            f"{_some(theirs)}). Give both the same names, or name two files."
        )
    scan_of = _scans(scan, common)
    pairs = [
        MaskPair(case_name(theirs[key]), ours[key], theirs[key], scan_of.get(key)) for key in common
    ]
    return MaskPairs(
        tuple(pairs),
        tuple(ours[key] for key in sorted(ours.keys() - theirs.keys())),
        tuple(theirs[key] for key in sorted(theirs.keys() - ours.keys())),
    )


def case_name(path: Path) -> str:
    """The name of a mask's case: the file's without its ending and without _0000.

    A cohort calls the case of SET/imagesTr/liver_1 "imagesTr__liver_1": it is liver_1.
    """
    name = without_ending(path.name, _ENDINGS).removesuffix(_FIRST_CHANNEL) or path.name
    return _PLACE_IN_SET.sub("", name)


def _key(path: Path) -> str:
    """What two files of one case have in common."""
    name = case_name(path)
    kind, number = lits_name(name.lower().removeprefix("test-"))
    return f"LiTS {int(number)}" if kind in ("volume-", "segmentation-") else name


def _by_key(folder: Path) -> dict[str, Path]:
    """The masks right in `folder` by what their names have in common with others."""
    by_key: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file() or not _is_mask(path):
            continue
        other = by_key.setdefault(_key(path), path)
        if other is not path:
            raise UnreadableFileError(
                f"{folder} holds {other.name} and {path.name}, which are both masks of "
                f"{case_name(path)}. Keep one of them there."
            )
    return by_key


def _is_mask(path: Path) -> bool:
    name = path.name.lower()
    if name.endswith(IMAGES):
        return not name.endswith(_SECOND_HALF)
    return name.endswith(".dcm") and is_seg(path)


def _scans(scan: Path | None, keys: list[str]) -> dict[str, Path]:
    """The scan of each case, where `scan` is a folder of them; a single one is every case's."""
    if scan is None:
        return {}
    if not scan.is_dir():
        return dict.fromkeys(keys, scan)
    there = {_key(path): path for path in sorted(scan.iterdir()) if not path.name.startswith(".")}
    missing = [key for key in keys if key not in there]
    if missing:
        raise UnreadableFileError(
            f"{scan} holds no scan of {missing[0]} ({_some(there)}). Name a folder whose scans "
            "have the names of the masks."
        )
    return there


def _some(names: dict[str, Path]) -> str:
    shown = [path.name for path in list(names.values())[:3]]
    return ", ".join(shown) + (" ..." if len(names) > 3 else "") if shown else "no masks"
