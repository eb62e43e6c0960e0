"""The curves read their values, and show where fine-tuning begins."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from liverseg_gui.ui.training_window.process.run_progress import RunProgress
from liverseg_gui.ui.training_window.run.curves_box import CurvesBox
from tests.ui.training_window.process.test_run_progress import START, epoch, progress_after


@pytest.fixture
def progress() -> RunProgress:
    return progress_after(START, epoch("one cycle", 1, 0.8), epoch("one cycle", 2, 0.7))


@pytest.fixture
def curves(qtbot: QtBot, progress: RunProgress) -> CurvesBox:
    curves = CurvesBox()
    qtbot.addWidget(curves)
    curves.resize(700, 500)
    curves.show()
    curves.show_steps(progress.steps, progress.stage_starts, progress.epochs)
    return curves


def test_the_last_epoch_is_read_until_the_mouse_points_at_another(curves: CurvesBox) -> None:
    heading = curves.loss
    assert heading.accessibleDescription() == "Loss, training 0.700, validation 0.600, epoch 2"
    box = curves.dice.plot.plotItem.vb
    curves.dice.plot.scene().sigMouseMoved.emit(box.mapViewToScene(QPointF(1.2, 0.5)))
    assert heading.accessibleDescription() == "Loss, training 0.800, validation 0.600, epoch 1"
    assert curves.rate.pointer.isVisible()
    assert curves.rate.pointer.value() == 1
    curves.dice.plot.scene().sigMouseMoved.emit(QPointF(-5, -5))
    assert "epoch 2" in heading.accessibleDescription()
    assert not curves.rate.pointer.isVisible()


def test_what_is_read_stays_where_the_mouse_is_while_epochs_come(curves: CurvesBox) -> None:
    curves.loss.pointed.emit(1)
    progress = progress_after(START, *(epoch("one cycle", n, 1 / n) for n in (1, 2, 3)))
    curves.show_steps(progress.steps, progress.stage_starts, progress.epochs)
    assert "training 1.000" in curves.loss.accessibleDescription()


def test_an_epoch_that_is_not_done_yet_reads_as_the_last(curves: CurvesBox) -> None:
    curves.loss.read(4)
    assert "epoch 2" in curves.loss.accessibleDescription()


def test_all_planned_epochs_are_on_the_axis_and_a_line_stands_between_stages(
    curves: CurvesBox,
) -> None:
    for plot in curves.plots:
        assert plot.plot.viewRange()[0] == pytest.approx([0.5, 5.5])
        assert [mark.value() for mark in plot._marks] == [3.5]
        assert plot._marks[0].label.format == "fine-tune"


def test_nothing_is_read_before_the_first_epoch(curves: CurvesBox) -> None:
    curves.show_steps((), (), 0)
    assert curves.dice.accessibleDescription() == "Dice, liver, tumor"


def test_accuracy_says_what_it_is_worth(curves: CurvesBox) -> None:
    assert "no tumor found: .995" in curves.accuracy.heading.text()
    assert "without any tumor" in curves.accuracy.toolTip()


def test_the_learning_rate_is_seen_from_zero_and_the_loss_closely(curves: CurvesBox) -> None:
    assert curves.rate.plot.viewRange()[1][0] == 0
    assert curves.loss.plot.viewRange()[1][0] > 0.5
