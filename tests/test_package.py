"""What `pip install .` puts into another environment, and that it works there."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from liverseg_gui import __version__
from liverseg_gui.cli.self_test.checks import CHECKS
from tests.package.bare import bare

CHECKOUT = Path(__file__).parents[1]
_SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"
_SITE = Path(sysconfig.get_path("purelib", vars={"base": ""}).lstrip("/\\"))
"""Where an environment keeps its commands and its libraries."""
_PLACES = """
import liverseg_gui, training
from liverseg_gui.system import paths
from liverseg_gui.segmentation.models.registry import find_model, read_weights
card = find_model("default")
read_weights(card)
icon = paths.resource("icons/open.svg")
print(liverseg_gui.__file__, training.__file__, card.folder, icon, sep="\\n")
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; what it depends on is lent by this one.

    The path file lends the libraries, and not what lies in path files there: the checkout.
    """
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    wheel = ["wheel", str(CHECKOUT), "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*pip, *wheel], check=True)
    made = folder / "environment"
    venv.create(made, with_pip=False)
    python = made / _SCRIPTS / "python"
    (built,) = folder.glob("*.whl")
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(built)], check=True)
    (made / _SITE / "lent.pth").write_text(sysconfig.get_path("purelib"))
    return made


def test_the_installed_program_finds_model_icons_and_training(
    environment: Path, tmp_path: Path
) -> None:
    done = bare([str(environment / _SCRIPTS / "python"), "-c", _PLACES], tmp_path)
    assert done.returncode == 0, done.stdout
    assert len(done.stdout.splitlines()) == 4
    for place in done.stdout.splitlines():
        assert Path(place).is_relative_to(environment / _SITE)


@pytest.mark.slow
def test_the_installed_program_passes_its_self_test(environment: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    command = [str(environment / _SCRIPTS / "liverseg"), "self-test", "--keep", str(kept)]
    done = bare(command, tmp_path)
    assert done.returncode == 0, done.stdout
    assert ", from source\n" in done.stdout
    assert done.stdout.count("ok     ") == len(CHECKS)
    assert f"All {len(CHECKS)} checks passed." in done.stdout
    assert (kept / "training" / "model" / "weights.safetensors").is_file()


def test_the_wheel_declares_command_license_and_version(environment: Path) -> None:
    (info,) = (environment / _SITE).glob("*.dist-info")
    assert info.name == f"liverseg-{__version__}.dist-info"
    assert "liverseg = liverseg_gui.cli.main:main" in (info / "entry_points.txt").read_text()
    assert (info / "licenses" / "LICENSE").is_file()
