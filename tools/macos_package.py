"""The packaged program for macOS, as a disk image beside its folder.

LiverSeg.app is signed by the build (package/systems.py). With `LIVERSEG_NOTARY_PROFILE`, the name
of what `xcrun notarytool store-credentials` keeps in the keychain, Apple notarizes the image, too.
Not run on macOS yet.
"""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from pathlib import Path

from flavors import flavor


def write_all(package: Path, version: str) -> list[Path]:
    """Write liverseg-VERSION-macos-ARCH.dmg with LiverSeg.app, which is beside `package`."""
    target = package.parent / f"{flavor().name}-{version}-macos-{platform.machine()}.dmg"
    with tempfile.TemporaryDirectory(dir=package.parent, prefix=".liverseg-") as place:
        _run("ditto", str(package.parent / "LiverSeg.app"), f"{place}/LiverSeg.app")
        Path(place, "Applications").symlink_to("/Applications")
        create = ("hdiutil", "create", "-volname", "LiverSeg", "-srcfolder", place)
        _run(*create, "-format", "UDZO", "-ov", str(target))
    identity = os.environ.get("LIVERSEG_CODESIGN_IDENTITY")
    if identity:
        _run("codesign", "--sign", identity, "--timestamp", str(target))
    profile = os.environ.get("LIVERSEG_NOTARY_PROFILE")
    if profile:
        submit = ("xcrun", "notarytool", "submit", str(target))
        _run(*submit, "--keychain-profile", profile, "--wait")
        _run("xcrun", "stapler", "staple", str(target))
    return [target]


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
