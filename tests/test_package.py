"""What `pip install .` puts into another environment."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from liverseg_gui import __version__

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, away from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", str(CHECKOUT), "--no-deps", "--quiet"]
    subprocess.run([*command, "--no-build-isolation", "-w", str(folder)], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_installed_program_finds_model_icons_and_training(
    unpacked: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import liverseg_gui, training;"
        "from liverseg_gui.core import resources;"
        "from liverseg_gui.segmentation.registry import find_model, read_weights;"
        "card = find_model('default'); read_weights(card);"
        "print(liverseg_gui.__file__, training.__file__, card.folder, sep='\\n');"
        "assert resources.path('icons/open.svg').is_file()"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(unpacked)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    for place in done.stdout.splitlines():
        assert Path(place).is_relative_to(unpacked)


def test_the_wheel_declares_command_license_and_version(unpacked: Path) -> None:
    (info,) = unpacked.glob("*.dist-info")
    assert info.name == f"liverseg-{__version__}.dist-info"
    assert "liverseg = liverseg_gui.cli.main:main" in (info / "entry_points.txt").read_text()
    assert (info / "licenses" / "LICENSE").is_file()
