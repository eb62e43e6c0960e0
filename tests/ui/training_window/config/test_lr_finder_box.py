from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QProcess, Qt
from pytestqt.qtbot import QtBot

from liverseg_gui.system.privacy import HIDDEN, scrub
from liverseg_gui.ui.training_window.config import lr_finder_box
from liverseg_gui.ui.training_window.config.lr_finder_box import LRFinderBox
from liverseg_gui.ui.training_window.config.page import ConfigPage
from liverseg_gui.ui.widgets.theme import tone_of
from tests.conftest import WAIT_S
from tests.training.tiny import TINY, write_lits2d

FOUND = """
import json, pathlib, sys
assert sys.argv[-2:] == ["--lr-find", "--json"]
out = pathlib.Path(sys.argv[1])
print(json.dumps({"event": "progress", "fraction": 0.4, "phase": "Looking"}), flush=True)
print("what a library prints")
rates = [10 ** (n / 10 - 6) for n in range(60)]
losses = [1.0 - n / 80 for n in range(60)]
curve = {"rates": rates, "losses": losses, "valley": 0.00123, "slide": 0.01}
(out / "rates.json").write_text(json.dumps(curve))
"""
COMMAND = """
import sys
from liverseg_gui.cli.main import main
from tests.training.tiny import tiny_network
from training.learner import build
build.build_network = tiny_network
sys.exit(main())
"""
"""The program's own command with a network of two layers, which is quick to train."""
WAITS = "import time\nprint('{}', flush=True)\ntime.sleep(1500)"
FAILS = "import sys\nprint('liverseg: X holds no labelled cases.', file=sys.stderr)\nsys.exit(1)"


@pytest.fixture
def page(config_page: ConfigPage) -> ConfigPage:
    return config_page


@pytest.fixture
def finder(qtbot: QtBot) -> Iterator[LRFinderBox]:
    made = LRFinderBox(None, lambda out: [str(out)])
    qtbot.addWidget(made)
    yield made
    made.reject()


def run(finder: LRFinderBox, program: str) -> None:
    finder.program = (sys.executable, "-c", program)  # type: ignore[assignment]
    finder.start()
    finder.show()


def test_the_suggestion_is_marked_and_taken(finder: LRFinderBox, qtbot: QtBot) -> None:
    run(finder, FOUND)
    qtbot.waitUntil(finder.use.isEnabled)
    assert finder.bar.value() == 400
    assert finder.plot.rate == pytest.approx(0.00123)
    assert finder.plot.suggestion.value() == pytest.approx(math.log10(0.00123))
    with qtbot.waitSignal(finder.rate_accepted) as accepted:
        finder.use.click()
    assert accepted.args == [0.0012]


def test_a_click_on_the_curve_chooses_and_so_do_the_arrow_keys(
    finder: LRFinderBox, qtbot: QtBot
) -> None:
    run(finder, FOUND)
    qtbot.waitUntil(finder.use.isEnabled)
    plot = finder.plot
    box = plot.plot.plotItem.vb
    box.updateAutoRange()  # which is otherwise done when it is painted
    x, y = box.viewRange()[0], box.viewRange()[1]
    at = box.mapViewToScene(box.childGroup.mapToParent(0, 0))
    at.setX(box.sceneBoundingRect().center().x())
    at.setY(box.sceneBoundingRect().center().y())
    place: QPoint = plot.plot.mapFromScene(at)
    qtbot.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: plot.rate != pytest.approx(0.00123))
    assert math.log10(plot.rate) == pytest.approx(sum(x) / 2, abs=0.1)
    assert y[0] < y[1]
    clicked = plot.rate
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert plot.rate == pytest.approx(clicked * 10**0.05)
    assert finder.use.text() == f"Use {plot.rate:.2g}"


def test_what_goes_wrong_is_said(finder: LRFinderBox, qtbot: QtBot) -> None:
    run(finder, FAILS)
    qtbot.waitUntil(lambda: tone_of(finder.label) == "error")
    assert finder.label.text() == "X holds no labelled cases."
    assert not finder.use.isEnabled()


def test_the_case_that_is_read_is_not_named_while_patients_are_hidden(
    finder: LRFinderBox, qtbot: QtBot
) -> None:
    finder._shown = scrub
    told = {"event": "progress", "fraction": 0.1, "phase": "Reading Doe 1", "case": "Doe 1"}
    run(finder, WAITS.format(json.dumps(told)))
    qtbot.waitUntil(lambda: finder.bar.value() == 100)
    assert finder.label.text() == f"Reading {HIDDEN}"


def test_cancel_ends_the_process_and_leaves_nothing(
    finder: LRFinderBox, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = finder.process.waitForFinished
    monkeypatch.setattr(finder.process, "waitForFinished", lambda _: ended(int(WAIT_S * 1000)))
    run(finder, WAITS)
    qtbot.waitUntil(lambda: finder.process.state() is QProcess.ProcessState.Running)
    folder = finder._folder
    assert folder.is_dir()
    finder.reject()
    assert finder.process.state() is QProcess.ProcessState.NotRunning
    assert not folder.exists()


@pytest.mark.slow
def test_the_page_finds_a_rate_on_real_batches_and_takes_it(
    page: ConfigPage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lr_finder_box, "own_command", lambda: [sys.executable, "-c", COMMAND])
    config = replace(TINY, average=0.0)
    data = write_lits2d(tmp_path / "data")
    words = ["train", "--data", str(data), "--folds", "3", "--phantoms", "0"]
    page.set_command(
        lambda _, out: [*words, "--recipe", str(out / "recipe.toml"), "--out", str(out)]
    )
    page.set_config(config)
    page.form.find_rate.click()
    finder = page.finder
    assert finder is not None
    qtbot.waitUntil(lambda: finder.use.isEnabled() or finder.bar.isHidden())
    assert finder.use.isEnabled(), finder.label.text()
    taken = float(f"{finder.plot.rate:.2g}")
    finder.use.click()
    assert page.config() == replace(config, learning_rate=taken)
    assert page.finder is None
