from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.training_window.config.page import ConfigPage
from liverseg_gui.ui.training_window.widgets.image_grid import ImageGrid
from tests.training.tiny import write_lits2d
from training.config.train_config import TrainConfig
from training.data.dataset_layouts import find_sources


@pytest.fixture
def page(config_page: ConfigPage) -> ConfigPage:
    return config_page


def drawn(page: ConfigPage, qtbot: QtBot) -> list[bytes]:
    """The pictures once there is nothing left to draw."""
    preview = page.preview
    qtbot.waitUntil(
        lambda: (
            bool(preview.pictures._images) and not preview._timer.isActive() and not preview._busy
        ),
    )
    return [image.bits().tobytes() for image in preview.pictures._images]


@pytest.fixture
def previewing(page: ConfigPage, tmp_path: Path) -> ConfigPage:
    page.set_cases(find_sources(write_lits2d(tmp_path / "data", (3, 7))))
    page.show()
    return page


def test_pictures_follow_the_sliders_the_look_and_the_case(
    previewing: ConfigPage, qtbot: QtBot
) -> None:
    page, seen = previewing, []
    seen.append(drawn(page, qtbot))
    rotation = next(iter(page.form.augmentation.sliders.values()))
    rotation.setValue(45)
    seen.append(drawn(page, qtbot))
    page.preview.another.click()
    seen.append(drawn(page, qtbot))
    page.preview.case.setCurrentIndex(1)
    seen.append(drawn(page, qtbot))
    page.preview.field_of_view.setCurrentIndex(1)
    seen.append(drawn(page, qtbot))
    for before, after in pairwise(seen):
        assert before != after
    liver = TrainConfig().liver
    assert liver is not None
    size = page.preview.pictures._images[0].size()
    assert (size.height(), size.width()) == liver.size


def test_outlines_are_drawn_of_liver_and_tumor(previewing: ConfigPage, qtbot: QtBot) -> None:
    drawn(previewing, qtbot)
    labels = {label for each in previewing.preview.pictures._outlines for label, _ in each}
    assert labels == {1, 2}


def test_a_case_that_cannot_be_read_is_said_and_another_is_shown(
    page: ConfigPage, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = write_lits2d(tmp_path / "data", (3, 7))
    sources = find_sources(folder)
    for picture in (folder / "003").glob("*.jpg"):
        picture.write_bytes(b"no picture")
    page.set_cases(sources)
    page.show()
    qtbot.waitUntil(lambda: "003" in page.preview.status.text() and not page.preview._busy)
    qtbot.waitUntil(lambda: not page.preview._timer.isActive() and not page.preview._busy)
    page.preview.case.setCurrentIndex(1)
    assert drawn(page, qtbot)


def test_cases_are_numbered_while_patients_are_hidden(
    previewing: ConfigPage, settings: Settings, qtbot: QtBot
) -> None:
    box = previewing.preview.case
    drawn(previewing, qtbot)
    assert [box.itemText(n) for n in range(2)] == ["003", "007"]
    settings.change(hide_patient=True)
    assert [box.itemText(n) for n in range(2)] == ["Case 1", "Case 2"]
    box.setCurrentIndex(1)
    previewing.preview._draw()
    assert "007" not in previewing.preview.status.text()
    settings.change(hide_patient=False)
    assert box.itemText(1) == "007"
    drawn(previewing, qtbot)


def test_pictures_are_never_distorted(qtbot: QtBot) -> None:
    pictures = ImageGrid(6)
    qtbot.addWidget(pictures)
    pictures.show_images(np.zeros((6, 64, 128), np.uint8), np.zeros((6, 64, 128), np.uint8))
    for size in ((300, 300), (900, 120), (480, pictures.heightForWidth(480))):
        pictures.resize(*size)
        for box in pictures.boxes():
            assert box.width() / box.height() == pytest.approx(2)
            assert pictures.rect().toRectF().adjusted(-1, -1, 1, 1).contains(box)
