"""What this system installs the packaged program from: `python tools/installers.py dist/liverseg`.

On Linux an archive and a Debian package, on Windows a zip and an installer, on macOS a disk image.
"""

from __future__ import annotations

import sys
from pathlib import Path

import linux_package
import macos_package
import windows_package

ROOT = Path(__file__).parents[1]
WRITERS = {
    "linux": linux_package.write_all,
    "win32": windows_package.write_all,
    "darwin": macos_package.write_all,
}


def main() -> None:
    """Write them beside the program's folder, and print their names and sizes."""
    sys.path.insert(0, str(ROOT))
    from liverseg_gui import __version__

    for path in WRITERS[sys.platform](Path(sys.argv[1]).absolute(), __version__):
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {path.name}")


if __name__ == "__main__":
    main()
