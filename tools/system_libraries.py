"""Find, and on Debian and Ubuntu as root install, what Python and Qt need from the system.

`system_libraries.py venv` looks for Python >= 3.11 with the venv module, `... qt` for the
libraries Qt's window needs. Exits with 1 and says what is missing where it cannot install it.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys

QT_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}


def main(what: str) -> int:
    """Check `what` ("venv" or "qt"); returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 (it may be started by an older Python)
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    return _check_venv() if what == "venv" else _check_qt()


def _check_venv() -> int:
    if importlib.util.find_spec("ensurepip") is not None:
        return 0
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    return _install([package], "Python's venv module is missing")


def _check_qt() -> int:
    if not sys.platform.startswith("linux"):
        return 0
    missing = sorted(name for name in QT_LIBRARIES if not _loads(name))
    if not missing:
        return 0
    packages = [QT_LIBRARIES[name] for name in missing]
    failed = _install(packages, f"Qt's window needs {', '.join(missing)}")
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return failed if has_display else 0  # without a display the program works without a window


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _install(packages: list[str], why: str) -> int:
    """Install Debian packages if this is root on such a system, else say what to do."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        command = f"apt-get install {' '.join(packages)}"
        print(f"{why}. On Debian or Ubuntu: sudo {command}", file=sys.stderr)
        return 1
    print(f"{why}: installing {' '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        [apt, "update", "-qq"],
        [apt, "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        if subprocess.run(command, env=environment, check=False).returncode:
            print(f"{' '.join(command)} failed.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
