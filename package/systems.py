"""What the packaged program tells Windows and macOS about itself; `pyinstaller.spec` hands it over.

Nothing here was run on either system yet.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PyInstaller.utils.win32.versioninfo import VSVersionInfo

HERE = Path(__file__).parent
NAME = "LiverSeg"
DESCRIPTION = "Liver and tumor segmentation in abdominal CT. Research use only."
BUNDLE_IDENTIFIER = "org.liverseg.LiverSeg"
OLDEST_MACOS = "13.0"
"""What the libraries inside are built for: PySide6 6.10 and newer."""

DOCUMENTS = {
    "DICOM image": ("dcm",),
    "NIfTI image": ("nii", "nii.gz"),
    "NRRD image": ("nrrd", "nhdr"),
    "MetaImage": ("mha", "mhd"),
}
"""The kinds of files that the program is offered for, and their endings."""

_US_ENGLISH, _UNICODE = 0x0409, 1200


def executable_options(name: str, version: str) -> dict[str, Any]:
    """What `EXE` is given on this system for the program `name`; nothing on Linux.

    `LIVERSEG_CODESIGN_IDENTITY` names the identity of macOS's keychain to sign with.
    """
    if sys.platform == "win32":
        icon = str(HERE / "windows" / "liverseg.ico")
        return {"icon": icon, "version": version_resource(name, version)}
    if sys.platform == "darwin":
        return {
            "icon": str(HERE / "macos" / "liverseg.icns"),
            "codesign_identity": os.environ.get("LIVERSEG_CODESIGN_IDENTITY") or None,
            "entitlements_file": str(HERE / "macos" / "entitlements.plist"),
        }
    return {}


def bundle_options(version: str) -> dict[str, Any]:
    """What `BUNDLE` is given for LiverSeg.app; it takes the signature from the executable."""
    return {
        "name": f"{NAME}.app",
        "icon": str(HERE / "macos" / "liverseg.icns"),
        "bundle_identifier": BUNDLE_IDENTIFIER,
        "version": version,
        "info_plist": info_plist(version),
    }


def info_plist(version: str) -> dict[str, Any]:
    """The keys of Info.plist that PyInstaller does not write by itself."""
    return {
        "CFBundleVersion": version,
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": kind,
                "CFBundleTypeExtensions": list(endings),
                "CFBundleTypeRole": "Viewer",
                "LSHandlerRank": "Alternate",
            }
            for kind, endings in DOCUMENTS.items()
        ],
        "LSApplicationCategoryType": "public.app-category.medical",
        "LSMinimumSystemVersion": OLDEST_MACOS,
        "NSHighResolutionCapable": True,
    }


def version_resource(name: str, version: str) -> VSVersionInfo:
    """What Windows shows as the details of `name`.exe."""
    from PyInstaller.utils.win32.versioninfo import (
        FixedFileInfo,
        StringFileInfo,
        StringStruct,
        StringTable,
        VarFileInfo,
        VarStruct,
        VSVersionInfo,
    )

    numbers = tuple(int(part) for part in [*re.findall(r"\d+", version), 0, 0, 0, 0][:4])
    texts = {
        "CompanyName": NAME,
        "FileDescription": NAME,  # Windows shows it as the program's name
        "FileVersion": version,
        "InternalName": name,
        "OriginalFilename": f"{name}.exe",
        "ProductName": NAME,
        "ProductVersion": version,
        "Comments": DESCRIPTION,
    }
    table = StringTable(
        f"{_US_ENGLISH:04x}{_UNICODE:04x}", [StringStruct(k, v) for k, v in texts.items()]
    )
    translation = VarFileInfo([VarStruct("Translation", [_US_ENGLISH, _UNICODE])])
    fixed = FixedFileInfo(filevers=numbers, prodvers=numbers)
    return VSVersionInfo(ffi=fixed, kids=[StringFileInfo([table]), translation])
