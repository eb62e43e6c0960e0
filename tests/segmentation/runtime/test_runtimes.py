"""The runtimes themselves, how a model gets one, and what a segmentation tells of it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from liverseg_gui.core.errors import SegmentationError
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation import inference
from liverseg_gui.segmentation.inference import (
    NetworkSegmenter,
    load_predictor,
    measure_runtimes,
)
from liverseg_gui.segmentation.models.registry import ModelCard, find_model
from liverseg_gui.segmentation.networks.unet import ARCHITECTURES, build_network
from liverseg_gui.segmentation.preprocessing import (
    CONTEXT_MM,
    axial_slices,
    context_indices,
    find_trunk,
)
from liverseg_gui.segmentation.runtime import (
    factory,
    openvino,
    selection,
)
from liverseg_gui.segmentation.runtime.base import EXACT, FOLDED, TorchRuntime, pick_device
from liverseg_gui.segmentation.runtime.choice_cache import FILE, RuntimeChoice, recall_choice
from liverseg_gui.segmentation.runtime.factory import RuntimeFactory, fold_batch_norms
from liverseg_gui.segmentation.runtime.openvino import OpenVinoRuntime, has_openvino
from liverseg_gui.system import paths

needs_openvino = pytest.mark.skipif(not has_openvino(), reason="OpenVINO is not installed")
VINO = "openvino-float32"
EVERY = [EXACT, FOLDED, "torch-bfloat16", pytest.param(VINO, marks=needs_openvino)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def card(untrained_model: Path) -> ModelCard:
    return find_model(str(untrained_model))


def images(rows: int = 64, columns: int = 96, count: int = 4, context: int = 3) -> Tensor:
    draw = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (count, context, rows, columns), generator=draw).to(torch.uint8)


class Watched(nn.Module):
    """A convolution that tells in how many bits it computed."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.seen: list[torch.dtype] = []

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        self.seen.append(out.dtype)
        return out


@pytest.mark.parametrize(
    ("name", "dtype"), [(EXACT, torch.float32), ("torch-bfloat16", torch.bfloat16)]
)
def test_a_torch_runtime_computes_in_its_bits_and_gives_float32(
    name: str, dtype: torch.dtype
) -> None:
    network = Watched()
    scores = TorchRuntime(network, "cpu", name).scores(images())
    assert network.seen == [dtype]
    assert scores.dtype == torch.float32
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("name", EVERY)
def test_the_same_slices_give_the_same_labels_twice(
    name: str, card: ModelCard, phantom: Phantom
) -> None:
    slices = axial_slices(phantom.volume)[20:26]
    box = find_trunk(slices, (3.0, 3.0), card.aspect)
    context = context_indices(np.arange(6) * 4.5, CONTEXT_MM, card.context)
    found = []
    for _ in range(2):
        predictor = load_predictor(card, "cpu", name)
        assert predictor.runtime.name == name
        for _ in range(2):
            result = predictor.predict(slices, context, box, Progress())
            assert result is not None
            found.append(result.labels)
        assert predictor.runtime.notices == ()
    assert len(np.unique(found[0])) > 1
    for labels in found[1:]:
        np.testing.assert_array_equal(labels, found[0])


def test_the_first_use_measures_and_the_next_one_remembers(
    home: Path, card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[str] = []

    def choose(runtimes: object, device: str, *_: object) -> RuntimeChoice:
        measured.append(device)
        return RuntimeChoice("torch-bfloat16", device, "it was measured")

    monkeypatch.setattr(selection, "fastest_runtime", choose)
    for _ in range(2):
        runtime = load_predictor(card, "cpu").runtime
        assert (runtime.name, runtime.device) == ("torch-bfloat16", "cpu")
        assert measured == ["cpu"]
    assert measure_runtimes(card, "cpu").reason == "it was measured"
    assert measured == ["cpu", "cpu"]


def test_a_damaged_memory_is_measured_anew_and_written_anew(home: Path, card: ModelCard) -> None:
    file = home / "cache" / FILE
    file.parent.mkdir()
    file.write_bytes(b"\xff{")
    load_predictor(card, "cpu")
    found = recall_choice(card.sha256, "cpu", "")
    assert found is not None
    assert found.tried[0].startswith("torch float32: ")
    assert any(line.startswith("torch bfloat16: ") for line in found.tried)


def test_a_remembered_runtime_that_is_gone_is_measured_anew(
    home: Path, card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection.remember_choice(card.sha256, "cpu", "", RuntimeChoice(VINO, "cpu", "was there"))
    monkeypatch.setattr(factory, "openvino_runtimes", lambda: ())
    runtime = load_predictor(card, "cpu").runtime
    assert runtime.name.startswith("torch-")


def test_a_runtime_that_is_asked_for_is_neither_measured_nor_remembered(
    home: Path, card: ModelCard
) -> None:
    assert load_predictor(card, "cpu", EXACT).runtime.name == EXACT
    assert not (home / "cache" / FILE).exists()


def test_an_unknown_runtime_is_refused_with_the_choices(card: ModelCard) -> None:
    with pytest.raises(SegmentationError, match=r"no runtime 'abacus' on cpu.*torch-float32"):
        load_predictor(card, "cpu", "abacus")


def test_openvino_that_is_missing_is_no_candidate_and_named_where_it_is_asked_for(
    card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr(factory, "has_openvino", lambda: False)
    monkeypatch.setattr(openvino, "has_openvino", lambda: False)
    runtimes = RuntimeFactory(nn.Identity(), 3, "")
    assert runtimes.names("cpu") == (EXACT, FOLDED, "torch-bfloat16")
    with pytest.raises(SegmentationError, match=r"pip install 'liverseg\[openvino\]'"):
        load_predictor(card, "cpu", VINO)


def test_invalid_numbers_are_recomputed_told_with_the_mask_and_not_risked_again(
    home: Path, card: ModelCard, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection.remember_choice(card.sha256, "cpu", "", RuntimeChoice(EXACT, "cpu", "what steps in"))
    exact = NetworkSegmenter(str(card.folder), "cpu").segment(phantom.volume, Progress())
    make = RuntimeFactory.make

    def overflowing(self: RuntimeFactory, name: str, device: str) -> object:
        if name == EXACT:
            return make(self, name, device)
        return TorchRuntime(Overflowing(), device, name)

    class Overflowing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.full((len(x), 3, *x.shape[2:]), float("inf"))

    monkeypatch.setattr(RuntimeFactory, "make", overflowing)
    selection.remember_choice(
        card.sha256, "cpu", "", RuntimeChoice("torch-bfloat16", "cpu", "fast")
    )
    found = NetworkSegmenter(str(card.folder), "cpu").segment(phantom.volume, Progress())
    np.testing.assert_array_equal(found.labels.labels, exact.labels.labels)
    assert any("torch bfloat16 gave invalid numbers" in text for text in found.warnings)
    kept = recall_choice(card.sha256, "cpu", "")
    assert kept == RuntimeChoice(EXACT, "cpu", "torch bfloat16 gave invalid numbers on a scan")


def test_a_lost_gpu_is_told_with_the_mask_and_the_device_is_the_true_one(
    home: Path, card: ModelCard, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = RuntimeFactory.make

    def lost(self: RuntimeFactory, name: str, device: str) -> object:
        if device == "cuda":
            raise RuntimeError("CUDA error: the device is gone")
        return make(self, name, device)

    monkeypatch.setattr(RuntimeFactory, "make", lost)
    monkeypatch.setattr(inference, "pick_device", lambda _: "cuda")
    monkeypatch.setattr(selection, "_hardware", lambda _: "a GPU")
    found = NetworkSegmenter(str(card.folder)).segment(phantom.volume, Progress())
    assert found.device == "cpu"
    assert any("cuda stopped working (CUDA error: the device is" in t for t in found.warnings)
    assert recall_choice(card.sha256, "cuda", "a GPU") is None


def test_a_gpu_with_other_labels_is_left_and_that_is_told(
    home: Path, card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = RuntimeChoice(EXACT, "cpu", "mps gives other labels than the CPU: it is not used")
    monkeypatch.setattr(selection, "fastest_runtime", lambda *_: choice)
    runtime = load_predictor(card, "mps").runtime
    assert runtime.device == "cpu"
    assert runtime.notices == ("mps gives other labels than the CPU: it is not used.",)


@pytest.mark.parametrize("there", ["cuda", "mps", "xpu", "cpu"])
def test_auto_is_the_gpu_that_is_there(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, name in ((torch.cuda, "cuda"), (torch.backends.mps, "mps"), (torch.xpu, "xpu")):
        monkeypatch.setattr(place, "is_available", lambda name=name: name == there)
    assert pick_device("auto") == there
    assert pick_device(there) == there


@pytest.mark.parametrize(
    "architecture", ["slim-resnet18", "slim-resnet50", "slim-resnet18-ppm", "unet-resnet18"]
)
def test_a_folded_network_scores_as_before_and_leaves_the_first_as_it_was(
    architecture: str,
) -> None:
    torch.manual_seed(1)
    network = build_network(architecture, 3, (64, 96)).eval()
    for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.running_mean, -0.1, 0.1)
        nn.init.uniform_(norm.running_var, 0.5, 2.0)
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.1, 0.1)
    before = TorchRuntime(network, "cpu").scores(images(count=1))
    fewer = fold_batch_norms(network)
    after = TorchRuntime(fewer, "cpu", FOLDED).scores(images(count=1))
    torch.testing.assert_close(after, before, atol=1e-3 * before.abs().max().item(), rtol=1e-3)
    assert torch.equal(TorchRuntime(network, "cpu").scores(images(count=1)), before)
    norms = [sum(isinstance(m, nn.BatchNorm2d) for m in n.modules()) for n in (fewer, network)]
    assert norms[0] < norms[1] / 2


@needs_openvino
@pytest.mark.parametrize("architecture", [a for a in ARCHITECTURES if "resnet18" in a])
def test_openvino_scores_as_torch_does_whatever_the_size(home: Path, architecture: str) -> None:
    torch.manual_seed(1)
    network = build_network(architecture, 5, (64, 96))
    exact = TorchRuntime(network, "cpu")
    vino = OpenVinoRuntime(network, 5, architecture, VINO)
    for rows, columns, count in ((64, 96, 4), (96, 160, 2), (128, 64, 1)):
        batch = images(rows, columns, count, context=5)
        torch.testing.assert_close(vino.scores(batch), exact.scores(batch), atol=1e-3, rtol=1e-3)


@needs_openvino
def test_what_openvino_converted_is_kept_and_a_damaged_one_is_converted_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    network = build_network("slim-resnet18", 3)
    first = OpenVinoRuntime(network, 3, "ab" * 32, VINO).scores(images())
    convert, converted = openvino._convert, []

    def counted(*args: object) -> object:
        converted.append(1)
        return convert(*args)

    monkeypatch.setattr(openvino, "_convert", counted)
    assert torch.equal(OpenVinoRuntime(network, 3, "ab" * 32, VINO).scores(images()), first)
    assert converted == []
    weights = next((paths.cache_folder() / "openvino").glob("*/model.bin"))
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 64
    weights.write_bytes(bytes(data))
    assert torch.equal(OpenVinoRuntime(network, 3, "ab" * 32, VINO).scores(images()), first)
    assert converted == [1]
    assert torch.equal(OpenVinoRuntime(network, 3, "ab" * 32, VINO).scores(images()), first)
    assert converted == [1]


@needs_openvino
def test_openvino_gives_the_default_models_labels(home: Path) -> None:
    card = find_model("default")
    exact, vino = (load_predictor(card, "cpu", name).runtime for name in (EXACT, VINO))
    batch = selection.reference_slices(card.size, card.context, card.window_hu)[0]
    labels = [runtime.scores(batch).argmax(1) for runtime in (exact, vino)]
    assert (labels[0] > 0).any()
    assert (labels[0] == labels[1]).float().mean() > 0.9999
