"""A settings file written by an earlier version: `tests/state/before/settings.json`.

It holds every value, none of them the default, and was made with the `Settings` of version 0.1.0,
by a call for each of its fields.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import fields
from pathlib import Path

import pytest

from liverseg_gui.core.display import LabelStyle
from liverseg_gui.core.window_level import Window
from liverseg_gui.state.overlay_style import OverlayStyle
from liverseg_gui.state.preferences import MouseProfile, Theme
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.settings_values import LastStudy, SettingsValues

BEFORE = Path(__file__).parent / "before" / "settings.json"
HELD = SettingsValues(
    mouse_profile=MouseProfile.PACS,
    window_up=True,
    theme=Theme.LIGHT,
    preset="Liver unenhanced",
    device="cuda",
    quality="best",
    hide_patient=True,
    reopen_last=True,
    overlay=OverlayStyle(
        0.7,
        fill=False,
        contour=True,
        contour_px=3.0,
        voxel_edges=True,
        styles={1: LabelStyle((1, 2, 3), 0.5), 2: LabelStyle((4, 5, 6), 0.25)},
    ),
    model="mine",
    welcomed=True,
    user_presets={"Spleen": Window(200, 60.5), "HCC spät": Window(310, 75)},
    study_windows={
        "0123456789abcdef0123456789abcdef": Window(333.25, -12),
        "f" * 32: Window(150, 90),
    },
    recent=(Path("/scans/ä series"), Path("/scans/one.nii.gz")),
    last=LastStudy(Path("/scans/ä series"), 2),
    label_maps={"5,7": {5: 1, 7: 2, 0: 0}, "1,2,3": {1: 1, 2: 0, 3: 2}},
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(shutil.copy(BEFORE, tmp_path))


def test_every_value_arrives(file: Path) -> None:
    settings = Settings(file)
    assert settings.values == HELD
    assert settings.note == ""


def test_the_file_has_every_value_and_none_is_the_default() -> None:
    stored, default = json.loads(BEFORE.read_text("utf-8")), SettingsValues().stored()
    assert list(stored) == [field.name for field in fields(SettingsValues)]
    assert not [name for name in stored if stored[name] == default[name]]


def test_saved_again_the_file_holds_the_same(file: Path) -> None:
    before = json.loads(file.read_text("utf-8"))
    Settings(file).change(hide_patient=False)
    assert json.loads(file.read_text("utf-8")) == {**before, "hide_patient": False}
    Settings(file).change(hide_patient=True)
    assert json.loads(file.read_text("utf-8")) == before


def test_without_a_file_to_keep_the_same_is_written(file: Path) -> None:
    settings = Settings(file)
    before = json.loads(file.read_text("utf-8"))
    file.unlink()
    settings.change()
    assert json.loads(file.read_text("utf-8")) == before


def test_what_only_a_later_version_knows_stays_in_the_file(file: Path) -> None:
    later = {"theme": "Sepia", "new": {"a": [1]}, "overlay": {"opacity": 0.5, "glow": 2}}
    file.write_text(json.dumps(later))
    settings = Settings(file)
    settings.change(hide_patient=True)
    assert settings.values == SettingsValues(hide_patient=True, overlay=OverlayStyle(0.5))
    held = json.loads(file.read_text("utf-8"))
    assert {name: held[name] for name in later} == later
