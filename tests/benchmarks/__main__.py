"""`make bench`: figures of speed and memory, ratios measured side by side. Nothing here fails.

Start-up is measured in fresh processes from before the interpreter starts, the best of three.
With LIVERSEG_TEST_DATA (or ../shared/data) the real scan chaos_ct3 is segmented, else a phantom.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import display, engine, opening, watchdog
from tests.conftest import REAL_DATA

_FLOOR = """
from PySide6.QtWidgets import QApplication, QWidget
import pyqtgraph
app = QApplication([]); w = QWidget(); w.show(); app.processEvents()
"""
_WINDOW = """
from PySide6.QtWidgets import QApplication
from liverseg_gui.segmentation.segmenter_process import ProcessSegmenter
from liverseg_gui.ui.main_window.window import MainWindow
from liverseg_gui.ui.widgets.theme import apply_theme
app = QApplication([])
w = MainWindow(ProcessSegmenter()); apply_theme(app); w.show(); app.processEvents()
"""
_TIMED = """
import os, sys, time
print(time.time() - float(os.environ["STARTED"]))
heavy = ("torch", "fastai", "SimpleITK", "scipy", "nibabel", "pydicom", "pandas", "matplotlib")
print(", ".join(m for m in heavy if m in sys.modules) or "none")
os._exit(0)
"""
_TRAINING_STEP = """
import sys, time, torch
from liverseg_gui.segmentation.networks.unet import build_network
from training.learner.gpu_memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
net = build_network("slim-resnet18").to(memory_format=torch.channels_last)
best = 1e9
for _ in range(6):
    x = torch.rand(8, 3, 192, 288).contiguous(memory_format=torch.channels_last)
    began = time.perf_counter()
    net(x).square().mean().backward()
    best = min(best, time.perf_counter() - began)
print(best / 8)
"""


def main() -> None:
    """Print every figure."""
    for package in ("liverseg_gui", "training"):  # as an installed program is
        compileall.compile_dir(package, quiet=1)
    floor, _ = _start(_FLOOR)
    window, modules = _start(_WINDOW)
    print(f"start to first window: {window:.2f} s ({window / floor:.2f} x bare Qt and pyqtgraph)")
    print(f"  imported by then: {modules}")
    plain, kept = (float(_python(_TRAINING_STEP, how).split()[0]) for how in ("plain", "keep"))
    print(f"training step a slice: {kept:.3f} s ({plain / kept:.2f} x faster for keeping memory)")
    _segment()
    engine.main()
    opening.main()
    display.main()
    watchdog.main()


def _python(code: str, *words: str) -> str:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "STARTED": str(time.time())}
    command = [sys.executable, "-W", "ignore", "-c", code, *words]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _start(code: str) -> tuple[float, str]:
    runs = [_python(code + _TIMED).splitlines() for _ in range(3)]
    return min(float(seconds) for seconds, _ in runs), runs[0][1]


def _segment() -> None:
    scan = REAL_DATA / "dicom" / "chaos_ct3"
    with tempfile.TemporaryDirectory() as folder:
        if not scan.is_dir():
            subprocess.run(
                [sys.executable, "-m", "liverseg_gui", "phantom", "-o", folder], check=True
            )
            scan = Path(folder) / "scan.nii.gz"
        mask = Path(folder) / "mask.nii.gz"
        began = time.perf_counter()
        command = [sys.executable, "-W", "ignore", "-m", "liverseg_gui", "segment", str(scan)]
        subprocess.run([*command, "-o", str(mask)], check=True)
        print(f"liverseg segment {scan.name}: {time.perf_counter() - began:.1f} s wall time")


main()
