"""Endings of the names of files that hold scans and masks, in lower case."""

from __future__ import annotations

from collections.abc import Iterable

NIFTI_FILES = (".nii.gz", ".nii")
NIFTI_PAIRS = (".hdr", ".img", ".hdr.gz", ".img.gz")
NIFTI = (*NIFTI_FILES, *NIFTI_PAIRS)
ITK = (".nrrd", ".nhdr", ".mha", ".mhd")
IMAGES = (*NIFTI, *ITK)
DICOM = (".dcm", ".ima")
ARCHIVES = (".zip",)
PACKED = (".gz", ".tar", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".zst")
"""Packed files that are not unpacked. .nii.gz and its like are read as they are."""

PACKED_DICOM = tuple(f"{ending}{packed}" for ending in DICOM for packed in PACKED)

NO_SCANS = (
    *(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".svg", ".pdf", ".txt", ".csv", ".json", ".xml"),
    *(".html", ".htm", ".md", ".py", ".js", ".css", ".exe", ".dll", ".ini", ".inf", ".vtk"),
    *(".stl", ".obj", ".safetensors", ".pth", ".log", ".doc", ".docx", ".xls", ".xlsx", ".mp4"),
    *(".avi", ".lock"),
)
"""Files that are not looked into for scans."""


def without_ending(name: str, endings: Iterable[str]) -> str:
    """`name` without the longest of `endings` that it has, whatever its case."""
    matching = [ending for ending in endings if name.lower().endswith(ending)]
    return name[: len(name) - max(map(len, matching), default=0)]
