"""CPU, GPU and memory usage of a training."""

from __future__ import annotations

import os

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from liverseg_gui.ui.training_window.process.run_progress import Usage
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import set_tone

_BAR_PX = 110


class UsageRow(QWidget):
    """A value that the computer does not report is not shown; without a process none is."""

    def __init__(self) -> None:
        super().__init__()
        self._cores = os.cpu_count() or 1
        self.cpu, self.gpu = _bar("Processor"), _bar("GPU")
        self.memory, self.gpu_memory, self.none = PlainLabel(), PlainLabel(), PlainLabel()
        set_tone(self.none, "muted")
        self.cpu.setToolTip("Processor time of the training, of all cores")
        self.memory.setToolTip("Memory that the training holds")
        self.gpu_memory.setToolTip("Memory taken on the GPU, by all programs")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.none, self.cpu, self.memory, self.gpu, self.gpu_memory):
            layout.addWidget(widget)
        layout.addStretch(1)
        self.show_usage(Usage())

    def show_usage(self, usage: Usage) -> None:
        """Show the last values that were reported."""
        share = None if usage.cpu_percent is None else usage.cpu_percent / self._cores
        _fill(self.cpu, "CPU", share)
        _fill(self.gpu, "GPU", usage.gpu_percent)
        _write(self.memory, "Memory", usage.memory_mb)
        _write(self.gpu_memory, "GPU memory", usage.gpu_memory_mb)
        self.none.setText("No process works on it." if usage == Usage() else "")
        self.none.setVisible(usage == Usage())

    def show_nothing(self) -> None:
        """No process works on it."""
        self.show_usage(Usage())


def _bar(name: str) -> QProgressBar:
    bar = QProgressBar()
    bar.setRange(0, 100)
    bar.setFixedWidth(_BAR_PX)
    bar.setAccessibleName(name)
    return bar


def _fill(bar: QProgressBar, name: str, percent: float | None) -> None:
    bar.setVisible(percent is not None)
    if percent is not None:
        bar.setValue(min(round(percent), 100))
        bar.setFormat(f"{name} {percent:.0f} %")


def _write(label: QLabel, name: str, megabytes: float | None) -> None:
    label.setVisible(megabytes is not None)
    if megabytes is not None:
        label.setText(f"{name} {megabytes / 1000:.1f} GB")
