"""Findings about the values of a stack: what their unit is, and what decoding them showed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from liverseg_gui.core.scan_issues import Concern, ScanIssue, info, other_unit, warning
from liverseg_gui.core.slices import AIR_HU
from liverseg_gui.io.dicom.rescale import Rescale
from liverseg_gui.io.dicom.stacks import Stack
from liverseg_gui.io.formats.hu import Tally

_HU = re.compile(r"(hu|hounsfield|us$|unspecified).*|", re.IGNORECASE)
"""What a CT calls its unit that is one, or that says nothing."""
_MAPS = frozenset(
    (
        *("IODINE", "CALCIUM", "URIC_ACID", "MAT_SPECIFIC", "MAT_FRACTIONAL", "MAT_VALUE_BASED"),
        *("EFF_ATOMIC_NUM", "Z_EFF", "ZEFF", "ELECTRON_DENSITY"),
        *("TTP", "MTT", "TMAX", "CBF", "CBV", "BLOOD_FLOW", "BLOOD_VOLUME", "PERMEABILITY"),
    )
)
_MATERIAL = r"(iodine|water|calcium|hap|fat|uric acid)"
_MAP_NAME = re.compile(
    rf"^\s*{_MATERIAL}\s*\(\s*{_MATERIAL}|\bz[- ]?eff\b|\beffective[- ](z|atomic)"
    r"|\belectron density|\biodine (map|density|no water|overlay)",
    re.IGNORECASE,
)
_COMPUTED = frozenset(
    ("VMI", "MONO", "MONOENERGETIC", "MAT_REMOVED", "MAT_MODIFIED", "VNC", "VNI", "HU_MOD")
)
_LOSSY_SYNTAX = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.5[0-6]")


@dataclass
class Seen:
    """What frames held that their HU no longer show.

    `lowest_hu` is from before what lies below air was made air, `padding_hu` what lay above air and
    was made air; `out_of_range` of `voxels` were cut off. `syntax` is what a stream was that the
    file calls something else.
    """

    lowest_hu: float = 0.0
    padding_hu: float | None = None
    voxels: int = 0
    out_of_range: int = 0
    bits_cut: int = 0
    lossy: bool = False
    syntax: str = ""


def stated_issues(stack: Stack) -> list[ScanIssue]:
    """What the headers say of the values of `stack`."""
    issues = []
    if _states_loss(stack):
        issues.append(_lossy("The images were compressed with loss"))
    if stack.first.modality != "CT":
        return issues
    unit = next((s.header.unit for s in stack.slices if not _HU.fullmatch(s.header.unit)), "")
    types = set(stack.first.image_type.upper().split("\\"))
    if unit:
        issues.append(other_unit(f"are given in {unit[:20]} (by the files' rescale type)"))
    elif types & _MAPS:
        issues.append(other_unit(f"are a map, by the files' image type ({_first(types & _MAPS)})"))
    elif _MAP_NAME.search(stack.first.description):
        issues.append(other_unit("are a map, by the name of the series"))
    elif types & _COMPUTED:
        issues.append(
            warning(
                "spectral",
                f"The images were computed from several X-ray energies ({_first(types & _COMPUTED)}"
                "): the same tissue has other HU than in an ordinary CT.",
                "Prefer the ordinary series: the model has seen no others.",
                Concern.MODEL,
            )
        )
    return issues


def _first(words: set[str]) -> str:
    return min(words)


def _states_loss(stack: Stack) -> bool:
    return any(
        s.header.lossy in ("01", "1")
        or s.header.lossy_method
        or _LOSSY_SYNTAX.fullmatch(s.header.transfer_syntax)
        for s in stack.slices
    )


def _lossy(what: str) -> ScanIssue:
    return warning(
        "lossy", f"{what}: HU are not exact.", "Prefer the uncompressed series.", Concern.HU
    )


def seen_issues(seen: Seen, stack: Stack, rescale: Rescale) -> list[ScanIssue]:
    """What reading the pixels of `stack` showed; `rescale` is that of its first slice."""
    issues = []
    if seen.lossy and not _states_loss(stack):
        issues.append(
            _lossy("The images were compressed with loss, which their headers do not say")
        )
    if seen.syntax:
        issues.append(
            info(
                "transfer-syntax",
                f"The pixels are compressed by {seen.syntax}, as the files say. They were read as "
                "what they are.",
            )
        )
    if stack.first.modality != "CT":
        return issues
    issues += Tally(seen.voxels, 0, seen.out_of_range).issues()
    if seen.bits_cut:
        issues.append(
            info(
                "stored-bits",
                f"{seen.bits_cut:,} voxels have bits set above those the files say are used; these "
                "were cut off.",
            )
        )
    return [*issues, *_padding(seen, stack, rescale)]


def _padding(seen: Seen, stack: Stack, rescale: Rescale) -> list[ScanIssue]:
    if seen.lowest_hu >= AIR_HU and seen.padding_hu is None:
        return []
    held, padding, tag = seen.lowest_hu, stack.first.padding, ""
    if seen.padding_hu is not None and seen.lowest_hu >= AIR_HU:
        held = seen.padding_hu
    if padding is not None:
        stated = padding * rescale.slope + rescale.intercept
        if abs(stated - held) > 0.5:
            tag = f" (the files' padding tag says {stated:g})"
    return [
        info(
            "padding",
            f"Outside the scanner's field the files hold {held:g} HU{tag}; it is shown as air.",
        )
    ]
