"""The same slice steps in napari, to compare with: run it in an environment that has napari.

    python -m venv /tmp/napari && /tmp/napari/bin/pip install "napari[pyside6]"
    xvfb-run -a -s "-screen 0 1600x1000x24 +extension GLX" /tmp/napari/bin/python \
        tests/benchmarks/napari_step.py
    xvfb-run -a -s "-screen 0 1600x1000x24 +extension GLX" .venv/bin/python \
        -m tests.benchmarks.display 384 109

One axial plane of 384 x 384 x 109 with labels in napari; three planes with fill and contours here.
"""

from __future__ import annotations

import statistics
import time

BEGAN = time.perf_counter()

import napari  # noqa: E402
import numpy as np  # noqa: E402
from qtpy.QtWidgets import QApplication  # noqa: E402


def main() -> None:
    """Print the time to the window and that of a slice step."""
    rng = np.random.default_rng(0)
    hu = rng.integers(-200, 300, (109, 384, 384), np.int16)
    labels = np.zeros(hu.shape, np.uint8)
    labels[:, 100:300, 100:260] = 1
    labels[:, 150:200, 150:200] = 2
    viewer = napari.Viewer()
    viewer.add_image(hu, contrast_limits=(-160, 240))
    viewer.add_labels(labels)
    app = QApplication.instance()
    for _ in range(20):
        app.processEvents()
    print(f"napari {napari.__version__}: window after {time.perf_counter() - BEGAN:.1f} s")
    times = []
    for n in range(160):
        began = time.perf_counter()
        viewer.dims.set_current_step(0, n % 100)
        app.processEvents()
        app.processEvents()
        times.append((time.perf_counter() - began) * 1000)
    times = times[10:]
    p99 = statistics.quantiles(times, n=100)[98]
    print(f"slice step: median {statistics.median(times):.1f} ms, p99 {p99:.1f} ms")


if __name__ == "__main__":
    main()
