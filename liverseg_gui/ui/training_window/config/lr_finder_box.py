"""Learning rate finder: `liverseg train --lr-find` as a process, and its curve."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QProcess, QProcessEnvironment, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui.core.parsing import parse_json
from liverseg_gui.system.relaunch import own_command
from liverseg_gui.ui.training_window.process.run_progress import hide_case
from liverseg_gui.ui.training_window.widgets.schedule_plot import bare_plot, color_plot
from liverseg_gui.ui.widgets.theme import set_tone, tone_color
from training.runs.events import parse_event

_STEP = {Qt.Key.Key_Left: -0.05, Qt.Key.Key_Right: 0.05}
"""In decades."""
Arguments = Callable[[Path], Sequence[str]]
"""Arguments of `liverseg` for a training into a folder, with its configuration written there."""
_CURVE = "rates.json"
_STEPS = 1000
_EXPLAINED = (
    "The recipe is tried for 100 batches with a rising learning rate. Where the loss falls "
    "steadily the model learns; where it rises again the rate is too high. Nothing is kept."
)


class LRPlot(QWidget):
    """Loss over the learning rate. `rate` is the chosen one, at first the suggestion; `chosen` is
    emitted with another."""

    chosen = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.rate = 0.0
        self.plot = bare_plot("Learning rate", "Loss")
        self.plot.setLogMode(x=True, y=False)
        self.curve = self.plot.plot(antialias=True)
        self.suggestion = pg.InfiniteLine(label="suggested", labelOpts={"position": 0.92})
        self.line = pg.InfiniteLine(label="chosen", labelOpts={"position": 0.08})
        self._lines = (self.suggestion, self.line)
        self.suggestion.setZValue(self.line.zValue() + 1)  # its word lies over the other line
        for line in self._lines:
            line.hide()
            self.plot.addItem(line)
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.plot.plotItem.layout.setContentsMargins(4, 10, 12, 2)
        layout.addWidget(self.plot)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Loss at each learning rate")
        self.setToolTip("Click where the loss falls steadily; the arrow keys move the choice")

    def show_curve(self, rates: Sequence[float], losses: Sequence[float], suggested: float) -> None:
        """Draw the curve and choose what is suggested."""
        self.curve.setData(np.asarray(rates), np.asarray(losses))
        self._paint()
        self.suggestion.setPos(math.log10(suggested))
        self.suggestion.show()
        self.choose(suggested)

    def choose(self, rate: float) -> None:
        """Mark `rate`, within the curve, as the one that is chosen."""
        rates = self.curve.getOriginalDataset()[0]
        self.rate = float(np.clip(rate, rates.min(), rates.max()))
        self.line.setPos(math.log10(self.rate))
        self.line.setVisible(not math.isclose(self.line.value(), self.suggestion.value()))
        self.setAccessibleDescription(f"Chosen: {self.rate:.2g}")
        self.chosen.emit(self.rate)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right move the choice by a twentieth of a decade."""
        step = _STEP.get(Qt.Key(event.key()))
        if step is None or not self.rate:
            super().keyPressEvent(event)
        else:
            self.choose(self.rate * 10**step)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(
            self, "line"
        ):  # may come from within __init__
            color_plot(self.plot)
            self._paint()

    def _paint(self) -> None:
        self.curve.setPen(pg.mkPen(tone_color("accent"), width=2))
        colors = (tone_color("good"), tone_color("warning"))
        for line, color in zip(self._lines, colors, strict=True):
            line.setPen(pg.mkPen(color, width=2))
            line.label.setColor(color)
            line.label.fill = pg.mkBrush(self.palette().base().color())

    def _clicked(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.suggestion.isVisible():
            self.choose(10 ** self.plot.plotItem.vb.mapSceneToView(event.scenePos()).x())


class LRFinderBox(QDialog):
    """Starts at once; `rate_accepted` carries the rate that the reader takes. `shown` hides names
    of patients in a text where they must not be seen."""

    rate_accepted = Signal(float)

    def __init__(
        self, parent: QWidget | None, arguments: Arguments, shown: Callable[[str], str] = str
    ) -> None:
        super().__init__(parent)
        self._shown = shown
        self.setWindowTitle("Find a learning rate")
        self.resize(620, 440)
        self._folder = tempfile.TemporaryDirectory(prefix="liverseg-rates-")
        self._arguments = arguments
        self.program = tuple(own_command())
        self._partial_line, self._stderr = b"", ""
        self.plot = LRPlot()
        self.bar, self.label = QProgressBar(), QLabel("Starting")
        self.label.setWordWrap(True)
        self.bar.setRange(0, _STEPS)
        explained = QLabel(_EXPLAINED)
        explained.setWordWrap(True)
        set_tone(explained, "muted")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.use = buttons.addButton("Use", QDialogButtonBox.ButtonRole.AcceptRole)
        self.use.setEnabled(False)
        buttons.accepted.connect(self._take)
        buttons.rejected.connect(self.reject)
        self.plot.chosen.connect(lambda rate: self.use.setText(f"Use {rate:.2g}"))
        layout = QVBoxLayout(self)
        for widget in (explained, self.plot, self.bar, self.label, buttons):
            layout.addWidget(widget, 1 if widget is self.plot else 0)
        self.process = QProcess(self)
        self.process.readyReadStandardOutput.connect(self._read_stdout)
        self.process.readyReadStandardError.connect(self._read_stderr)
        self.process.finished.connect(self._ended)
        self.process.errorOccurred.connect(self._start_failed)

    def start(self) -> None:
        """Start the search."""
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        self.process.setProcessEnvironment(environment)
        argv = [*self._arguments(Path(self._folder.name)), "--lr-find"]
        argv += [] if "--json" in argv else ["--json"]
        program, *prefix = self.program
        self.process.start(program, [*prefix, *argv])

    def done(self, result: int) -> None:
        """Stop the search, and delete its folder."""
        self._stop()
        super().done(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        """As Cancel."""
        self._stop()
        super().closeEvent(event)

    def _stop(self) -> None:
        self.process.blockSignals(True)  # else a killed process would be shown as a failure
        if self.process.state() is not QProcess.ProcessState.NotRunning:
            self.process.kill()
            self.process.waitForFinished(3000)
        self._folder.cleanup()

    def _take(self) -> None:
        self.rate_accepted.emit(float(f"{self.plot.rate:.2g}"))
        self.accept()

    def _read_stdout(self) -> None:
        """Every whole line is a JSON object; those of progress have a fraction and a phase."""
        *lines, self._partial_line = (
            self._partial_line + bytes(self.process.readAll().data())
        ).split(b"\n")
        for line in lines:
            event = parse_event(line) or {}
            hide_case(event)
            try:
                self.bar.setValue(round(float(event["fraction"]) * _STEPS))
                self._show_text(str(event["phase"]))
            except (ValueError, LookupError, TypeError):
                continue  # another event, or what a library prints

    def _show_text(self, text: str) -> None:
        self.label.setText(self._shown(text))

    def _read_stderr(self) -> None:
        self._stderr += bytes(self.process.readAllStandardError().data()).decode("utf-8", "replace")

    def _ended(self, code: int, _status: QProcess.ExitStatus) -> None:
        try:
            curve = parse_json((Path(self._folder.name) / _CURVE).read_text("utf-8"))
            self.plot.show_curve(curve["rates"], curve["losses"], curve["valley"])
        except (OSError, ValueError, LookupError):
            self._fail(_last_line(self._stderr) or f"It ended unexpectedly (code {code}).")
            return
        self.bar.hide()
        self.label.setText(
            f"Suggested: {curve['valley']:.2g}. A click on the curve chooses another rate."
        )
        self.use.setEnabled(True)
        self.use.setDefault(True)
        self.plot.setFocus()

    def _start_failed(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._fail(f"It could not be started: {self.process.errorString()}.")

    def _fail(self, message: str) -> None:
        self.bar.hide()
        set_tone(self.label, "error")
        self._show_text(message)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("liverseg: ") if lines else ""
