"""Precision of the computation, and how it is chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from tests.training.tiny import TINY, tiny_network, tiny_slices
from training.learner import build, precision
from training.learner.fit import fit
from training.learner.losses import make_loss
from training.learner.precision import choose_precision, step_seconds
from training.runs.files import CHECKPOINT

CPU = torch.device("cpu")
SHAPE = (2, 3, 32, 32)


@pytest.mark.parametrize(
    ("full", "half", "chosen"), [(1.0, 0.2, "bf16"), (1.0, 0.9, "float32"), (1.0, 15.0, "float32")]
)
def test_the_faster_one_is_chosen_on_the_cpu_and_told(
    monkeypatch: pytest.MonkeyPatch, full: float, half: float, chosen: str
) -> None:
    monkeypatch.setattr(precision, "step_seconds", lambda *_: (full, half))
    said: list[str] = []
    assert choose_precision("auto", CPU, nn.Identity(), SHAPE, said.append) == chosen
    assert said == [
        f"Trains in {chosen}: a step takes {full:.2f} s in float32, {half:.2f} s in bfloat16."
    ]


def test_what_is_asked_for_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "step_seconds", lambda *_: pytest.fail("it was measured"))
    for requested in ("float32", "bf16"):
        assert choose_precision(requested, CPU, nn.Identity(), SHAPE) == requested


@pytest.mark.parametrize(
    ("requested", "device"), [("fp16", "cpu"), ("bf16", "mps"), ("fp16", "mps")]
)
def test_what_a_device_does_not_offer_is_refused(requested: str, device: str) -> None:
    with pytest.raises(LiverSegError, match=f"{requested} is not offered on {device}"):
        choose_precision(requested, torch.device(device), nn.Identity(), SHAPE)


def test_measuring_leaves_network_and_random_numbers_as_they_were() -> None:
    network = tiny_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    drawn = np.random.get_state()[1].copy()
    full, half = step_seconds(network, SHAPE)
    assert full > 0
    assert half > 0
    assert torch.equal(torch.rand(3), expected)
    assert (np.random.get_state()[1] == drawn).all()
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())


class Noting(nn.Module):
    """A loss that notes the kinds of number it is given."""

    def __init__(self, seen: set[torch.dtype]) -> None:
        super().__init__()
        self._loss, self._seen = make_loss("dice+ce"), seen

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        assert not torch.is_autocast_enabled("cpu")
        self._seen.add(scores.dtype)
        return self._loss(scores, labels)


@pytest.mark.parametrize("requested", ["float32", "bf16"])
def test_only_the_network_computes_in_bfloat16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requested: str
) -> None:
    inside: set[torch.dtype] = set()
    outside: set[torch.dtype] = set()
    network = tiny_network()
    network[1].register_forward_hook(lambda _, __, out: inside.add(out.dtype))  # type: ignore[index]
    monkeypatch.setattr(build, "build_network", lambda *_: network)
    monkeypatch.setattr(build, "make_loss", lambda *_: Noting(outside))
    slices = tiny_slices(8)
    config = replace(TINY, precision=requested, epochs=1)
    trained = fit(config, slices, slices, tmp_path, Progress())
    assert inside == {torch.bfloat16 if requested == "bf16" else torch.float32}
    assert outside == {torch.float32}
    assert {value.dtype for value in trained.parameters()} == {torch.float32}
    assert "forward" not in vars(trained)
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert state["recipe"]["precision"] == requested


def test_a_resumed_training_keeps_the_precision_that_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "build_network", tiny_network)
    monkeypatch.setattr(precision, "step_seconds", lambda *_: (1.0, 0.1))
    slices = tiny_slices(8)
    config = replace(TINY, precision="auto", epochs=1, fine_tune_epochs=0)
    fit(config, slices, slices, tmp_path, Progress())
    monkeypatch.setattr(precision, "step_seconds", lambda *_: pytest.fail("it was measured anew"))
    fit(config, slices, slices, tmp_path, Progress(), resume=True)
