"""Labelled data sets, recognized by what their folder holds.

docs/training-data.md describes the layouts.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.io.dataset_names import image_stem, ircadb, lits_name, mask_beside, natural
from liverseg_gui.io.file_endings import IMAGES
from liverseg_gui.io.folders import walk
from liverseg_gui.state.corrected_studies import PREFIX, corrected_studies
from training.data.case import CaseSource
from training.data.case_list import beside_sources, listed_sources
from training.data.lits2d_case import MANIFEST, lits2d_sources
from training.data.merge_datasets import merge
from training.data.volume_case import PackedCase, VolumeCase

if TYPE_CHECKING:
    from training.data.volume_case import VolumeCase

_DATASET = "dataset.json"
_FIRST_CHANNEL = "_0000"
_OTHER_CHANNEL = re.compile(r".*_000[1-9]")
_IRCADB = ("PATIENT_DICOM", "MASKS_DICOM")
LAYOUTS = (
    "cases.json with scans and masks",
    "lits2d (manifest.json)",
    "Medical Segmentation Decathlon (dataset.json)",
    "nnU-Net (imagesTr, labelsTr)",
    "3D-IRCADb-01 (PATIENT_DICOM, MASKS_DICOM)",
    "LiTS (volume-N, segmentation-N)",
    "scans with the masks this program saved beside them (X.nii.gz, X_mask.nii.gz)",
    "phantoms (scan.nii.gz, truth.nii.gz)",
)
"""Texts of the layouts that are read, in the order in which they are tried."""


def find_sources(folder: Path) -> list[CaseSource]:
    """The labelled cases of a data set, sorted by name; scans and masks are not read yet.

    LiTS and masks beside their scans are looked for in all folders below; of the other layouts
    `folder` may also hold the one folder that is the data set.

    Raises:
        UnreadableFileError: no layout, or more than one, is recognized; a list of cases is
            damaged; two cases have one name.
    """
    if not folder.is_dir():
        raise UnreadableFileError(f"{folder} is no folder. Name the folder of a labelled data set.")
    found = _recognized(folder) or _below(folder)
    if not found:
        raise UnreadableFileError(
            f"{folder} holds no labelled cases. These layouts are read: {'; '.join(LAYOUTS)}."
        )
    cases = sorted(found, key=lambda case: (natural(case.name), case.name))
    for one, other in pairwise(cases):
        if one.name == other.name:
            raise UnreadableFileError(
                f"{folder} holds two cases that are called {one.name}. Take one of them away, or "
                "list the cases under names of their own in cases.json."
            )
    return cases


def find_all(
    folders: Sequence[Path], corrected: bool, excluded: Collection[str]
) -> list[CaseSource]:
    """The cases of all `folders`, and where `corrected` the studies corrected in this program.

    `training.data.merge_datasets` says what they are called. Without those `excluded` by name; a
    corrected study that is excluded may be gone by now.

    Raises:
        UnreadableFileError: as `find_sources`, or the list of corrected studies is damaged.
        LiverSegError: there is neither folder nor corrected study, or a name that is to be left
            out is no case's.
    """
    groups = {folder: find_sources(folder) for folder in unlike(folders)}
    cases = merge(groups, corrected_sources() if corrected else ())
    if not cases:
        raise LiverSegError(
            "There are no labelled cases. Name a folder of them, or save the mask of a study in "
            "this program first."
        )
    names = {case.name for case in cases}
    unknown = sorted(n for n in excluded if n not in names and not n.startswith(PREFIX))
    if unknown:
        near = difflib.get_close_matches(unknown[0], names, 3, 0.4)
        hint = f"Is {' or '.join(near)} meant?" if near else "Check the names."
        raise LiverSegError(
            f"{', '.join(unknown)} should be left out, but no case is called so. {hint}"
        )
    return [case for case in cases if case.name not in excluded]


def unlike(folders: Sequence[Path]) -> list[Path]:
    """`folders` without those that are one of the others under another path."""
    return list({folder.resolve(): folder for folder in reversed(folders)}.values())[::-1]


def _recognized(folder: Path) -> Sequence[CaseSource]:
    """The cases of the first layout that shows in `folder` itself, or nothing."""
    layouts: tuple[Callable[[Path], Sequence[CaseSource]], ...] = (
        *(listed_sources, _lits2d, _decathlon, _nnunet, _ircadb),
    )
    return next((found for layout in layouts if (found := layout(folder))), ())


def _below(folder: Path) -> Sequence[CaseSource]:
    """The cases of the one data set in `folder`: in a folder in it, or spread over its folders."""
    inner = [f for f in sorted(folder.iterdir()) if f.is_dir() and not f.name.startswith(".")]
    sets = {f.name: _recognized(f) for f in inner}
    sets |= {"LiTS": _lits(folder), "scans with masks beside them": beside_sources(folder)}
    sets = {name: found for name, found in sets.items() if found}
    if len(sets) > 1:
        raise UnreadableFileError(
            f"{folder} holds several data sets: {', '.join(sets)}. Name the folder of one of them, "
            "or list the cases of all in a cases.json."
        )
    return next(iter(sets.values()), ())


def _lits2d(folder: Path) -> Sequence[CaseSource]:
    path = folder / MANIFEST
    return lits2d_sources(folder) if path.is_file() else ()


def _decathlon(folder: Path) -> Sequence[CaseSource]:
    """The pairs that dataset.json lists under "training"."""
    path = folder / _DATASET
    if not path.is_file():
        return ()
    try:
        rows = parse_json(path.read_text("utf-8")).get("training", ())
        pairs = [(folder / row["image"], folder / row["label"]) for row in rows]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableFileError(
            f'{path} is damaged: it should list under "training" an image and a label for each '
            "case. Unpack the data set again."
        ) from error
    return [
        _pair(folder, image_stem(scan), _with_channel(scan), mask)
        for scan, mask in pairs
        if not scan.name.startswith(".")
    ]


def _with_channel(scan: Path) -> Path:
    """`scan`, or its first channel where nnU-Net lists scans without it."""
    stem = image_stem(scan)
    channel = scan.with_name(f"{stem}{_FIRST_CHANNEL}{scan.name[len(stem) :]}")
    return channel if stem and not scan.exists() and channel.exists() else scan


def _nnunet(folder: Path) -> Sequence[CaseSource]:
    """The images of imagesTr, first channel; without its mask an image is a case that fails."""
    images, labels = folder / "imagesTr", folder / "labelsTr"
    if not (images.is_dir() and labels.is_dir()):
        return ()
    cases = []
    for scan in _images(images):
        stem = image_stem(scan)
        if not _OTHER_CHANNEL.fullmatch(stem):
            name = stem.removesuffix(_FIRST_CHANNEL)
            missing = labels / f"{name}{scan.name[len(stem) :]}"
            cases.append(_pair(folder, name, scan, mask_beside(scan) or missing))
    return cases


def _ircadb(folder: Path) -> Sequence[CaseSource]:
    """`folder`, if it is a patient, or the patients in it."""
    inside = [f for f in sorted(folder.iterdir()) if f.is_dir()]
    return [case for f in (folder, *inside) if (case := _ircadb_patient(folder, f))]


def _ircadb_patient(root: Path, folder: Path) -> CaseSource | None:
    name = folder.absolute().name
    if name in _IRCADB:
        return None
    if ircadb(folder):
        return VolumeCase(root, name, name, folder, folder)
    parts = []
    for part in _IRCADB:
        places = (folder / part, folder / f"{part}.zip")
        parts += [place for place in places if place.exists()][:1]
    return PackedCase(root, name, *parts) if len(parts) == len(_IRCADB) else None


def _lits(folder: Path) -> Sequence[CaseSource]:
    """Every volume-N; without its segmentation-N it is a case that fails."""
    found: dict[str, dict[int, list[Path]]] = {"volume-": {}, "segmentation-": {}}
    for path in _images(folder, deep=True):
        kind, digits = lits_name(image_stem(path))
        if kind in found:
            found[kind].setdefault(int(digits), []).append(path)
    cases = []
    for number, scans in found["volume-"].items():
        masks = found["segmentation-"].get(number, [])
        for scan in scans:
            missing = scan.with_name(f"segmentation-{number}.nii")
            mask = mask_beside(scan) or (masks[0] if len(masks) == 1 else missing)
            cases.append(_pair(folder, f"volume-{number}", scan, mask))
    return cases if found["segmentation-"] else ()


def _pair(root: Path, name: str, scan: Path, mask: Path) -> VolumeCase:
    return VolumeCase(root, name, name, scan, mask)


def _images(folder: Path, deep: bool = False) -> list[Path]:
    """The image files in `folder`, or also below it; hidden ones are left out."""
    places = walk(folder) if deep else [(folder, sorted(f.name for f in folder.iterdir()))]
    return [
        place / name
        for place, names in places
        for name in names
        if name.lower().endswith(IMAGES) and not name.startswith(".")
    ]


def corrected_sources() -> list[VolumeCase]:
    """The studies corrected in this program. A patient is called after the first case of theirs.

    Raises:
        UnreadableFileError: the list is damaged.
    """
    studies = corrected_studies()
    first: dict[str, str] = {}
    for study in studies:
        first.setdefault(study.patient, study.name)
    return [
        VolumeCase(s.scan.parent, s.name, first[s.patient], s.scan, s.mask, volume=s.volume)
        for s in studies
    ]
