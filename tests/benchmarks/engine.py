"""Segmenting: stage times, the ratio to the plain way, how cost grows with slices, and memory.

`python -m tests.benchmarks.engine`. The plain way is fastai's DynamicUnet on a ResNet-34,
untrained, float32, every slice at 256 x 256, one by one. Both get the opened volume and give a
finished mask, in the same process. The scan is the real hcc_006, resampled along k for the
scaling, else a phantom.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.scans import open_scan
from liverseg_gui.segmentation.inference import NetworkSegmenter
from liverseg_gui.segmentation.segmenter import Segmentation
from tests.conftest import REAL_DATA

SLICES = (50, 100, 200, 400, 800)
_MEMORY_SLICES = 800
_LENGTH_MM = 272.5


def main() -> None:
    """Print every figure."""
    volume = scan()
    print(f"segmenting {volume.origin.path.name}, {' x '.join(map(str, volume.shape))}")
    segmenter = NetworkSegmenter("default", "cpu")
    segmenter.segment(volume, Progress())  # loads the network
    seconds, stages = min((timed(segmenter, volume)[:2] for _ in range(3)), key=lambda run: run[0])
    for stage, took in stages.items():
        print(f"  {stage}: {took:.2f} s ({took / seconds:.0%})")
    plain = plain_way(volume)
    print(f"  in all {seconds:.2f} s; the plain way {plain:.1f} s, {plain / seconds:.1f} x")
    best = timed(NetworkSegmenter("default", "cpu", "best"), volume)[0]
    print(f"  --quality best: {best:.2f} s, {best / seconds:.1f} x")
    for count in SLICES:
        took = timed(segmenter, resampled(volume, count))[0]
        print(f"  {count} slices: {took:.2f} s, {took / count * 1000:.0f} ms a slice")
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.engine", "memory"]
    print(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout, end="")


def scan() -> Volume:
    """hcc_006, or a phantom of its size."""
    folder = REAL_DATA / "dicom" / "hcc_006"
    if folder.is_dir():
        return open_scan(folder)
    spec = PhantomSpec(1, (512, 512, 109), (0.78, 0.78, 2.5), (40.0, 30.0))
    return make_phantom(spec).volume


def resampled(volume: Volume, count: int) -> Volume:
    """The volume with `count` slices over the same length, each the nearest one."""
    chosen = np.linspace(0, volume.shape[2] - 1, count).round().astype(int)
    i_mm, j_mm, _ = volume.affine.spacing_mm
    shape = (*volume.shape[:2], count)
    grid = StoredGrid(shape, Affine.from_spacing((i_mm, j_mm, _LENGTH_MM / count)))
    hu = np.empty(shape, np.int16, order="F")
    for k, source in enumerate(chosen):
        hu[:, :, k] = volume.hu[:, :, source]
    return replace(volume, hu=hu, grid=grid)


def timed(
    segmenter: NetworkSegmenter, volume: Volume
) -> tuple[float, dict[str, float], Segmentation]:
    """Seconds in all and of each phase, and what was found."""
    stages: dict[str, float] = {}
    last = ["", time.perf_counter()]

    def note(_: float, phase: str) -> None:
        now = time.perf_counter()
        name = str(last[0]).split(":")[0]
        if name:
            stages[name] = stages.get(name, 0.0) + now - float(last[1])
        last[:] = [phase, now]

    began = time.perf_counter()
    found = segmenter.segment(volume, Progress(note))
    return time.perf_counter() - began, stages, found


def plain_way(volume: Volume) -> float:
    """Seconds of the plain way."""
    import torch
    import torch.nn.functional as F

    from liverseg_gui.segmentation.networks.unet import build_network
    from liverseg_gui.segmentation.preprocessing import axial_slices, from_axial

    network = build_network("unet-resnet34", 3, (256, 256)).eval()
    with torch.inference_mode():
        network(torch.rand(1, 3, 256, 256))  # buffers are there, as after loading ours
        began = time.perf_counter()
        slices = axial_slices(volume)
        labels: NDArray[np.uint8] = np.empty(slices.shape, np.uint8)
        for k, grey in enumerate(slices):
            image = torch.from_numpy(grey).float().div(255)[None, None]
            image = F.interpolate(image, (256, 256), mode="bilinear", antialias=True)
            scores = F.interpolate(
                network(image.expand(-1, 3, -1, -1)), grey.shape, mode="bilinear"
            )
            labels[k] = scores.argmax(1)[0].to(torch.uint8).numpy()
        from_axial(labels)
        return time.perf_counter() - began


def memory() -> None:
    """Print what segmenting holds beyond the opened scan, in a process of its own."""
    import resource
    from pathlib import Path

    volume = resampled(scan(), _MEMORY_SLICES)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    before = pages * resource.getpagesize()
    NetworkSegmenter("default", "cpu").segment(volume, Progress())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    shape = " x ".join(map(str, volume.shape))
    print(f"  memory beyond the opened scan of {shape}: {(peak - before) / 2**30:.2f} GiB at most")


if __name__ == "__main__":
    memory() if sys.argv[1:] == ["memory"] else main()
