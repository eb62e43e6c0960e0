"""The packaged program for Windows, as a zip and as an installer, beside its folder.

The installer is made by Inno Setup 6 from package/windows/liverseg.iss; without it, there is only
the zip. `LIVERSEG_SIGN` is the command that signs the file whose name is put behind it, for example
`signtool sign /fd SHA256 /a`; without it, nothing is signed. Not run on Windows yet.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from flavors import flavor

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "package" / "windows" / "liverseg.iss"
PROGRAMS = ("liverseg.exe", "liverseg-window.exe")


def write_all(package: Path, version: str) -> list[Path]:
    """Sign the programs in `package`, and write what can be written: the paths."""
    for name in PROGRAMS:
        _sign(package / name)
    written = [write_zip(package, version)]
    compiler = _compiler()
    if compiler:
        written.append(write_setup(compiler, package, version))
    return written


def write_zip(package: Path, version: str) -> Path:
    """Pack the folder: the path of liverseg-VERSION-windows-x64.zip."""
    target = package.parent / f"{flavor().name}-{version}-windows-x64"
    return Path(shutil.make_archive(str(target), "zip", package.parent, package.name))


def write_setup(compiler: str, package: Path, version: str) -> Path:
    """Compile the installer, which signs itself and its uninstaller: its path."""
    target = package.parent / f"{flavor().name}-{version}-windows-x64-setup.exe"
    command = [compiler, "/Q", f"/DVersion={version}", f"/DPackage={package}"]
    command += [f"/O{target.parent}", f"/F{target.stem}"]
    signing = os.environ.get("LIVERSEG_SIGN")
    if signing:
        quoted = signing.replace('"', "$q")
        command += ["/DSign=liverseg", f"/Sliverseg={quoted} $f"]
    subprocess.run([*command, str(SCRIPT)], check=True)
    return target


def _sign(program: Path) -> None:
    signing = os.environ.get("LIVERSEG_SIGN")
    if signing:
        subprocess.run(f'{signing} "{program}"', check=True)  # Windows takes it as one line


def _compiler() -> str | None:
    """Inno Setup's, where its installer puts it or on the PATH."""
    usual = Path(os.environ.get("PROGRAMFILES(X86)", ""), "Inno Setup 6", "ISCC.exe")
    return shutil.which("iscc") or (str(usual) if usual.is_file() else None)
