"""The cases of several folders, and those corrected in this program, as one data set."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from liverseg_gui.core.errors import UnreadableFileError
from training.data.case import Case, CaseSource
from training.data.volume_case import VolumeCase


@dataclass(frozen=True)
class RenamedCase:
    """A case under another name than its own data set gives it: a `CaseSource`."""

    source: CaseSource
    name: str
    patient: str

    def read(self) -> Case:
        """See `CaseSource.read`."""
        return replace(self.source.read(), name=self.name, patient=self.patient)

    def fingerprint(self) -> str:
        """See `CaseSource.fingerprint`."""
        return self.source.fingerprint()


def merge(
    groups: Mapping[Path, Sequence[CaseSource]], corrected: Sequence[VolumeCase] = ()
) -> list[CaseSource]:
    """The cases of all folders and the `corrected` ones.

    A name that occurs in several folders gets its folder's name before it, "siteA-007". A patient
    who is called like a case of the folder goes with that case; one that a cases.json names, "p1",
    is one person in all folders, so at worst two people share a side of the split. Where a scan of
    a folder was corrected, the case stays that of the folder and has the corrected mask.

    Raises:
        UnreadableFileError: two cases have one name even so.
    """
    counts = Counter(case.name for cases in groups.values() for case in cases)
    labels = folder_labels(list(groups))
    masks = {_scan(case): case.mask for case in corrected}
    out: list[CaseSource] = []
    for folder, cases in groups.items():
        out += _renamed([_with_mask(case, masks) for case in cases], labels[folder], counts)
    met = {_scan(c) for cases in groups.values() for c in cases if isinstance(c, VolumeCase)}
    out += [case for case in corrected if _scan(case) not in met]
    _require_names(out)
    return out


def folder_labels(folders: Sequence[Path]) -> dict[Path, str]:
    """A name for each folder: its own, with as many of those above as tell it from the others."""
    parts = {folder: _parts(folder) for folder in folders}
    names = dict.fromkeys(folders, "")
    for depth in range(1, max(map(len, parts.values()), default=0) + 1):
        names = {folder: "-".join(parts[folder][-depth:]) for folder in folders}
        if len(set(names.values())) == len(folders):
            break
    return names


def _parts(folder: Path) -> list[str]:
    absolute = folder.absolute()
    return [part for part in absolute.parts if part != absolute.anchor] or ["folder"]


def _renamed(cases: Sequence[CaseSource], label: str, counts: Counter[str]) -> list[CaseSource]:
    new = {c.name: f"{label}-{c.name}" if counts[c.name] > 1 else c.name for c in cases}
    out: list[CaseSource] = []
    for case in cases:
        name, patient = new[case.name], new.get(case.patient, case.patient)
        same = (name, patient) == (case.name, case.patient)
        out.append(case if same else RenamedCase(case, name, patient))
    return out


def _scan(case: VolumeCase) -> tuple[str, int]:
    """What tells scans apart, by whichever way they are reached."""
    return os.path.realpath(case.scan), case.volume or 1


def _with_mask(case: CaseSource, masks: Mapping[tuple[str, int], Path]) -> CaseSource:
    """`case` with the mask that was corrected in this program, if there is one."""
    if not isinstance(case, VolumeCase):
        return case
    mask = masks.get(_scan(case))
    if mask is None:
        return case
    if os.path.realpath(mask) == os.path.realpath(case.mask):
        return replace(case, reviewed=True)
    return replace(case, mask=mask, labels=(), reviewed=True)


def _require_names(cases: Sequence[CaseSource]) -> None:
    twice = [name for name, n in Counter(case.name for case in cases).items() if n > 1]
    if twice:
        raise UnreadableFileError(
            f"Two cases of different folders are called {twice[0]}. Take one of the folders away, "
            "or list its cases under other names in cases.json."
        )
