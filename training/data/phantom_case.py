"""Synthetic abdomens as training cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM, axial_slices
from training.data.case import Case


@dataclass(frozen=True)
class PhantomCase:
    """A phantom made anew from its `seed`: a `CaseSource`."""

    seed: int

    @property
    def name(self) -> str:
        """Name of the case."""
        return f"phantom-{self.seed}"

    @property
    def patient(self) -> str:
        """Each is a patient of its own."""
        return self.name

    def read(self) -> Case:
        """See `CaseSource.read`."""
        rng = np.random.default_rng(self.seed + 10_000)
        slice_mm = float(rng.uniform(2.0, 5.0))
        noise = float(rng.uniform(6, 20))
        spec = PhantomSpec(
            self.seed, (192, 192, int(200 / slice_mm)), (2.0, 2.0, slice_mm), None, noise
        )
        phantom = make_phantom(spec)
        slices = axial_slices(phantom.volume)
        labels = np.ascontiguousarray(phantom.truth.labels[::-1, ::-1].transpose(2, 1, 0))
        z = np.arange(len(slices), dtype=np.float64) * slice_mm
        return Case(self.name, slices, labels, z, CONTEXT_MM, (2.0, 2.0), self.name)

    def fingerprint(self) -> str:
        """See `CaseSource.fingerprint`."""
        return f"phantom {self.seed}"
