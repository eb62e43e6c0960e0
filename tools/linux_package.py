"""The packaged program for Linux, as an archive and as a Debian package, beside its folder.

`liverseg-VERSION-linux-ARCH.tar.zst` and, where dpkg-deb is there, `liverseg_VERSION_ARCH.deb`.
Both bring a desktop entry, an icon and the types of the files that the program opens.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from flavors import flavor
from system_libraries import QT_LIBRARIES

ROOT = Path(__file__).parents[1]
_LEVEL = 6
_RUNTIME = {"libgcc-s1", "libstdc++6"}
"""Left to the system by pyinstaller.spec."""
_DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}
_CONTROL = """\
Package: {name}
Version: {version}
Architecture: {architecture}
Maintainer: LiverSeg
Section: science
Priority: optional
Installed-Size: {kilobytes}
Depends: {depends}
Conflicts: {other}
Description: Liver and tumor segmentation in abdominal CT. Research use only.
 {inside} in one folder, with the default model.
 It needs no Python and no network. Not a medical device.
"""


def write_all(package: Path, version: str) -> list[Path]:
    """Write what can be written here: the paths."""
    written = [write_archive(package, version)]
    if shutil.which("dpkg-deb"):
        written.append(write_debian(package, version))
    return written


def write_archive(package: Path, version: str) -> Path:
    """Pack the program with its `share` folder as .tar.zst: the path of the archive."""
    name = f"{flavor().name}-{version}"
    target = package.parent / f"{name}-linux-{platform.machine()}.tar.zst"
    with _beside(package) as place:
        _link_tree(package, place / name)
        _add_share(place / name / "share")
        _let_all_read(place)
        tar = ("tar", "--owner=0", "--group=0", "--sort=name", "-C", str(place))
        subprocess.run([*tar, "-I", f"zstd -T0 -{_LEVEL}", "-cf", str(target), name], check=True)
    return target


def write_debian(package: Path, version: str) -> Path:
    """Pack the program as .deb, in /opt/liverseg with its command in /usr/bin: the path of it."""
    architecture = _DEBIAN.get(platform.machine(), platform.machine())
    made = flavor()
    target = package.parent / f"{made.name}_{version}_{architecture}.deb"
    with _beside(package) as place:
        _link_tree(package, place / "opt" / "liverseg")
        _add_share(place / "usr" / "share")
        (place / "usr" / "bin").mkdir()
        (place / "usr" / "bin" / "liverseg").symlink_to("/opt/liverseg/liverseg")
        (place / "DEBIAN").mkdir()
        control = _CONTROL.format(
            **asdict(made),
            version=version,
            architecture=architecture,
            kilobytes=sum(f.lstat().st_size for f in package.rglob("*")) // 1024,
            depends=", ".join(needed(package)),
        )
        (place / "DEBIAN" / "control").write_text(control)
        _let_all_read(place)
        pack = ("dpkg-deb", "--root-owner-group", "-Zzstd", f"-z{_LEVEL}", "--build")
        subprocess.run([*pack, str(place), str(target)], check=True, stdout=subprocess.DEVNULL)
    return target


def needed(package: Path) -> list[str]:
    """The Debian packages that the program does not bring: libc, and what Qt needs of the system.

    Programs that were built against one libc run with that one and with newer ones.
    """
    brought = {path.name for path in (package / "_internal").rglob("*.so*")}
    libraries = {deb for library, deb in QT_LIBRARIES.items() if library not in brought}
    return [f"libc6 (>= {platform.libc_ver()[1]})", *sorted(libraries | _RUNTIME)]


@contextmanager
def _beside(package: Path) -> Iterator[Path]:
    """A folder on the same disk, for links instead of copies."""
    with tempfile.TemporaryDirectory(dir=package.parent, prefix=".liverseg-") as folder:
        yield Path(folder)


def _link_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, copy_function=os.link)


def _let_all_read(place: Path) -> None:
    """Whatever the umask was of those who built it: their users are not they."""
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", str(place)], check=True)


def _add_share(share: Path) -> None:
    for source, place in (
        (ROOT / "package" / "linux" / "liverseg.desktop", "applications"),
        (ROOT / "package" / "linux" / "liverseg.xml", "mime/packages"),
        (ROOT / "resources" / "icons" / "liverseg.svg", "icons/hicolor/scalable/apps"),
    ):
        (share / place).mkdir(parents=True)
        shutil.copy(source, share / place)
