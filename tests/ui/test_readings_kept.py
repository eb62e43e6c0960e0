"""Readings are not lost without a question."""

from __future__ import annotations

from pathlib import Path

import pytest

from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.planes import Plane
from tests.ui.conftest import Desk

ASKED = "no saved report"


def ruler(k: int = 24) -> Annotation:
    return Annotation(AnnotationKind.RULER, Plane.AXIAL, k, ((40.0, 40.0, k), (60.0, 50.0, k)))


@pytest.fixture
def measured(desk: Desk, files: Path) -> Desk:
    desk.open(files / "scan.nii.gz")
    desk.window.context.annotations.add(ruler())
    return desk


def test_another_scan_is_opened_only_when_the_readings_may_go(measured: Desk, files: Path) -> None:
    before = measured.window.study.volume
    measured.open(files / "scan.nii.gz")
    assert ASKED in measured.dialogs.questions[-1]
    assert measured.window.study.volume is before
    assert len(measured.window.context.annotations.items) == 1
    measured.dialogs.yes = True
    measured.open(files / "scan.nii.gz")
    assert measured.window.study.volume is not before
    assert not measured.window.context.annotations.items


def test_the_window_closes_only_when_the_readings_may_go(measured: Desk) -> None:
    measured.window.close()
    assert measured.window.isVisible()
    assert ASKED in measured.dialogs.questions[-1]


def test_readings_in_a_saved_report_go_without_a_question(
    measured: Desk, files: Path, tmp_path: Path
) -> None:
    measured.dialogs.path = tmp_path / "r.json"
    measured.trigger("save_report")
    measured.open(files / "scan.nii.gz")
    assert not measured.dialogs.questions


def test_a_reading_changed_since_the_report_is_asked_about(
    measured: Desk, files: Path, tmp_path: Path
) -> None:
    measured.dialogs.path = tmp_path / "r.json"
    measured.trigger("save_report")
    annotations = measured.window.context.annotations
    (id_,) = annotations.items
    annotations.replace(id_, ruler().with_text("Lesion 1"))
    measured.open(files / "scan.nii.gz")
    assert ASKED in measured.dialogs.questions[-1]
    measured.trigger("undo")
    measured.dialogs.questions.clear()
    measured.open(files / "scan.nii.gz")
    assert not measured.dialogs.questions


def test_opening_a_mask_takes_no_readings_and_asks_nothing(measured: Desk, files: Path) -> None:
    measured.window.controller.open_mask(files / "truth.nii.gz")
    measured.idle()
    assert measured.window.study.mask is not None
    assert not measured.dialogs.questions
    assert len(measured.window.context.annotations.items) == 1
