"""Fitting: steps, averages, and the reasons to end or to change something."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fastai.callback.schedule import Learner
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from torch import Tensor, nn
from torchvision.models import resnet18

from liverseg_gui.core.errors import Cancelled, LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.networks.unet import encoder_and_decoder
from tests.training.tiny import TINY, Calls, tiny_network, tiny_slices
from training.data.slice_dataset import SliceDataset
from training.learner import build
from training.learner.build import make_learner
from training.learner.callbacks import early_stopping
from training.learner.callbacks.gradient_accumulation import GradientAccumulation
from training.learner.fit import fit
from training.learner.losses import make_loss
from training.learner.lr_finder import LRCurve, find_learning_rate
from training.runs.epoch_log import EpochResult
from training.runs.files import CHECKPOINT, LOG, NOTES

ONE = replace(TINY, epochs=1, fine_tune_epochs=0, liver=None)


@pytest.fixture(scope="module")
def slices() -> SliceDataset:
    return tiny_slices(12)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop is the same with a network of two layers."""
    monkeypatch.setattr(build, "build_network", tiny_network)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_a_step_has_the_mean_gradient_of_its_batches_the_last_one_too(count: int) -> None:
    torch.manual_seed(0)
    items = [(torch.rand(3, 4, 4), torch.randint(0, 3, (4, 4))) for _ in range(5)]
    network = nn.Conv2d(3, 3, 1)
    loss = make_loss("ce")
    by_hand: list[Tensor] = []
    for first in range(0, 5, count):
        group = items[first : first + count]
        images, labels = (torch.stack(part) for part in zip(*group, strict=True))
        (slope,) = torch.autograd.grad(loss(network(images), labels), network.weight)
        by_hand.append(slope)
    loaders = DataLoaders(DataLoader(items, bs=1), DataLoader(items, bs=1), device="cpu")
    learner = Learner(loaders, network, loss_func=loss, cbs=[GradientAccumulation(count)])
    stepped: list[Tensor] = []
    learner._step = lambda: stepped.append(network.weight.grad.clone())  # type: ignore[union-attr]
    with learner.no_bar(), learner.no_logging():
        learner.fit(2)
    assert len(stepped) == 2 * len(by_hand)
    assert all(torch.allclose(a, b, atol=1e-7) for a, b in zip(stepped, by_hand * 2, strict=True))
    plain = sum(float(loss(network(x[None]), y[None]).detach()) for x, y in items) / 5
    assert float(learner.recorder.final_record[1]) == pytest.approx(plain, rel=1e-5)


def test_every_group_of_batches_makes_one_step(slices: SliceDataset) -> None:
    learner = make_learner(replace(ONE, accumulate=2), slices, slices)
    with learner.no_bar(), learner.no_logging():
        learner.fit(2)
    assert len(learner.dls.train) == 3
    assert learner.ema.steps == 2 * 2


def test_validation_sees_the_averaged_weights_and_training_goes_on_with_its_own(
    slices: SliceDataset,
) -> None:
    learner = make_learner(ONE, slices, slices)
    first = next(learner.model.parameters())
    seen: dict[str, Tensor] = {}
    recorder = learner.recorder
    after_train, after_epoch = recorder.after_train, recorder.after_epoch
    recorder.after_train = lambda: (after_train(), seen.update(trained=first.detach().clone()))
    learner.loss_func = Watched(learner.loss_func, first, seen)
    recorder.after_epoch = lambda: (after_epoch(), seen.update(kept=first.detach().clone()))
    with learner.no_bar(), learner.no_logging():
        learner.fit(1)
    average = learner.ema.average["0.0.weight"]
    assert torch.equal(seen["validated"], average)
    assert torch.equal(seen["kept"], seen["trained"])
    assert not torch.equal(average, seen["trained"])


class Watched(nn.Module):
    """A loss that notes the weights it is called with; the last call is a validation's."""

    def __init__(self, loss: nn.Module, weights: Tensor, seen: dict[str, Tensor]) -> None:
        super().__init__()
        self._loss, self._weights, self._seen = loss, [weights], seen

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        self._seen["validated"] = self._weights[0].detach().clone()
        return self._loss(scores, labels)


def test_the_average_follows_the_weights_slowly(slices: SliceDataset) -> None:
    learner = make_learner(replace(ONE, average=0.998), slices, slices)
    average = learner.ema
    average.average = {"w": torch.tensor(0.0)}
    learner.model.state_dict = lambda: {"w": torch.tensor(1.0)}
    average.after_step()
    assert float(average.average["w"]) == pytest.approx(1 - 2 / 11)
    average.steps = 10_000
    average.average["w"].zero_()
    average.after_step()
    assert float(average.average["w"]) == pytest.approx(0.002)


def test_the_frozen_epoch_leaves_the_encoder_as_it_was(
    slices: SliceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(resnet18(weights=None).state_dict(), tmp_path / "encoder.pth")
    config = replace(TINY, encoder_weights=str(tmp_path / "encoder.pth"), epochs=1, average=0.0)
    before: dict[str, list[Tensor]] = {}
    learners = []

    def made(*words: object) -> object:
        learners.append(make_learner(*words))  # type: ignore[arg-type]
        return learners[-1]

    def weights(epoch: EpochResult) -> None:
        encoder, decoder = encoder_and_decoder(learners[0].model)
        before[epoch.stage] = [p.detach().clone() for p in (*encoder, *decoder) if p.dim() == 4]

    monkeypatch.setattr("training.learner.fit.make_learner", made)
    fit(config, slices, slices, tmp_path, Progress(), observer=Calls(weights))
    assert list(before) == ["one cycle", "fine-tune, frozen", "fine-tune"]
    count = sum(p.dim() == 4 for p in encoder_and_decoder(learners[0].model)[0])
    same = [torch.equal(a, b) for a, b in zip(*list(before.values())[:2], strict=True)]
    assert all(same[:count])
    assert not any(same[count:])
    later = [torch.equal(a, b) for a, b in zip(*list(before.values())[1:], strict=True)]
    assert not any(later)


def test_stages_end_when_the_dice_no_longer_rises_and_the_best_is_kept(
    slices: SliceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.5, 0.9, 0.8, 0.7, 0.3, 0.2, 0.1])
    weights: list[dict[str, Tensor]] = []

    class EarlyStopping(early_stopping.EarlyStopping):
        def after_epoch(self) -> None:
            self.recorder.log.items[3:5] = [next(scores), 0.0]
            average = self.learn.ema.average
            weights.append({name: value.clone() for name, value in average.items()})
            super().after_epoch()

    monkeypatch.setattr(build, "EarlyStopping", EarlyStopping)
    seen: list[EpochResult] = []
    config = replace(ONE, epochs=9, fine_tune_epochs=9, patience=2)
    network = fit(config, slices, slices, tmp_path, Progress(), observer=Calls(seen.append))
    expected = [("one cycle", n) for n in (1, 2, 3, 4)] + [("fine-tune", n) for n in (1, 2, 3)]
    assert [(row.stage, row.epoch) for row in seen] == expected
    assert all(torch.equal(v, weights[4][k]) for k, v in network.state_dict().items())
    again: list[EpochResult] = []
    fit(config, slices, slices, tmp_path, Progress(), observer=Calls(again.append), resume=True)
    assert again == []


class Failing(nn.Module):
    """A loss that works until `calls` are left over."""

    def __init__(self, after: int, fail: object) -> None:
        super().__init__()
        self._loss, self._left, self._fail = make_loss("ce"), after, fail

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        self._left -= 1
        value: Tensor = self._loss(scores, labels)
        return value if self._left >= 0 else self._fail(value, scores)  # type: ignore[operator]


def test_a_loss_that_is_no_number_stops_the_training_and_keeps_the_checkpoint(
    slices: SliceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = Failing(3 + 3 + 1, lambda value, _: value * float("nan"))  # of the second epoch
    monkeypatch.setattr(build, "make_loss", lambda *_: loss)
    with pytest.raises(LiverSegError) as caught:
        fit(replace(ONE, epochs=3), slices, slices, tmp_path, Progress())
    words = str(caught.value)
    assert words.startswith("The loss is no number any more in epoch 2 of one cycle")
    assert "one cycle, epoch 1, is kept" in words
    assert "0.0002" in words
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert all(torch.isfinite(v).all() for v in state["average"].values())


def test_weights_that_are_no_numbers_reach_no_checkpoint(
    slices: SliceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = Failing(3, lambda value, _: value * float("inf"))  # of the validation
    monkeypatch.setattr(build, "make_loss", lambda *_: loss)
    with pytest.raises(LiverSegError, match="No checkpoint was written"):
        fit(ONE, slices, slices, tmp_path, Progress())
    assert not (tmp_path / CHECKPOINT).exists()


def test_where_memory_runs_out_the_batch_is_halved_and_two_make_a_step(
    slices: SliceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    largest = []

    def limited(value: Tensor, scores: Tensor) -> Tensor:
        if len(scores) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        largest.append(len(scores))
        return value

    monkeypatch.setattr(build, "make_loss", lambda *_: Failing(0, limited))
    seen: list[EpochResult] = []
    said: list[str] = []
    config = replace(ONE, batch_size=8)
    fit(config, slices, slices, tmp_path, Progress(), observer=Calls(seen.append, said.append))
    assert [row.batch_size for row in seen] == [2]
    assert max(largest) == 2
    assert "batches of 4 slices, 2 to a step" in said[0]
    assert "batches of 2 slices, 4 to a step" in said[1]
    assert (tmp_path / NOTES).read_text().splitlines() == said
    fitted = torch.load(tmp_path / CHECKPOINT, weights_only=True)["recipe"]
    assert fitted == {"batch_size": 2, "accumulate": 4, "precision": "float32"}


def test_memory_that_does_not_hold_a_single_slice_is_an_error_with_advice(
    slices: SliceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(value: Tensor, scores: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(build, "make_loss", lambda *_: Failing(0, never))
    with pytest.raises(LiverSegError, match=r"single slice.*--device cpu"):
        fit(replace(ONE, batch_size=2), slices, slices, tmp_path, Progress())


def test_an_error_that_is_none_of_memory_is_not_taken_for_one(
    slices: SliceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(value: Tensor, scores: Tensor) -> Tensor:
        raise RuntimeError("something else")

    monkeypatch.setattr(build, "make_loss", lambda *_: Failing(0, broken))
    with pytest.raises(RuntimeError, match="something else"):
        fit(ONE, slices, slices, tmp_path, Progress())


def test_fewer_slices_than_a_batch_are_refused(slices: SliceDataset) -> None:
    with pytest.raises(LiverSegError, match="12 slices to train on"):
        make_learner(replace(ONE, batch_size=13), slices, slices)


def test_slices_are_drawn_by_their_chances(slices: SliceDataset) -> None:
    loader = make_learner(ONE, slices, slices).dls.train
    np.random.seed(0)
    drawn = np.concatenate([loader.get_idxs() for _ in range(300)])
    share = np.bincount(drawn, minlength=len(slices)) / len(drawn)
    assert np.abs(share - slices.weights).max() < 0.02


def test_a_cancelled_training_says_how_far_it_is(slices: SliceDataset, tmp_path: Path) -> None:
    seen: list[tuple[float, str]] = []
    progress = Progress(lambda fraction, phase: seen.append((fraction, phase)))
    config = replace(ONE, epochs=2)
    with pytest.raises(Cancelled):
        fit(config, slices, slices, tmp_path, progress, observer=Calls(lambda _: progress.cancel()))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert seen[0][1] == "Training: one cycle, epoch 1"


def test_a_rate_is_found_between_the_ends_of_the_curve_and_nothing_else_is_touched(
    slices: SliceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / CHECKPOINT).write_bytes(b"a checkpoint")
    curve = find_learning_rate(ONE, slices, steps=60)
    assert list(curve.rates) == sorted(curve.rates)
    assert len(curve.rates) == len(curve.losses)
    assert curve.rates[0] < curve.valley < curve.rates[-1]
    assert curve.rates[0] < curve.slide <= curve.rates[-1]
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]
    curve.write(tmp_path)
    values = json.loads((tmp_path / "rates.json").read_text())
    values |= {name: tuple(values[name]) for name in ("rates", "losses")}
    assert LRCurve(**values) == curve
    head, first, *_ = (tmp_path / "rates.csv").read_text().splitlines()
    assert head == "learning_rate,loss"
    assert first == f"{curve.rates[0]},{curve.losses[0]}"
    assert not (tmp_path / LOG).exists()
