from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from liverseg_gui.core.errors import ModelError
from liverseg_gui.segmentation.inference import load_predictor
from liverseg_gui.segmentation.models.registry import find_model, list_models, read_weights


@pytest.fixture
def model(untrained_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untrained_model, tmp_path / "model"))


def change(model: Path, **values: object) -> None:
    card = json.loads((model / "card.json").read_text())
    (model / "card.json").write_text(json.dumps(card | values))


def test_the_default_model_comes_with_the_program() -> None:
    assert "default" in [card.name for card in list_models()]
    about = find_model("default").about
    assert about["command"].startswith("liverseg train ")
    assert about["held_out"] == []  # it was trained on all: its figures are those of the folds
    judged = [row["name"] for row in about["cross_validation"]["cases"]]
    assert set(judged) <= set(about["trained_on"])
    assert len(set(judged)) == len(judged) == about["cross_validation"]["patients"]
    assert find_model("default").weights.stat().st_size < 60e6


def test_a_missing_model_is_named_with_those_there_are() -> None:
    with pytest.raises(ModelError, match=r"no model 'nothing' \(found: .*default"):
        find_model("nothing")


def test_missing_weights_are_named(model: Path) -> None:
    (model / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match=r"weights\.safetensors are missing"):
        load_predictor(find_model(str(model)), "cpu")


def test_damaged_weights_are_refused_by_their_checksum(model: Path) -> None:
    weights = model / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="checksum"):
        load_predictor(find_model(str(model)), "cpu")


def test_weights_of_another_architecture_are_refused(model: Path) -> None:
    change(model, architecture="slim-resnet34")
    with pytest.raises(ModelError, match="do not fit the architecture 'slim-resnet34'"):
        load_predictor(find_model(str(model)), "cpu")


def test_a_damaged_card_is_named(model: Path) -> None:
    (model / "card.json").write_text("{")
    with pytest.raises(ModelError, match=r"card\.json is missing or damaged"):
        find_model(str(model))


def test_a_folder_that_is_no_model_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is no model: there is no card\.json and no weights"):
        find_model(str(tmp_path))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "card.json").write_text("{}")
    with pytest.raises(ModelError, match="is the folder of a training"):
        find_model(str(tmp_path))


def test_a_broken_copy_is_to_be_copied_again_not_the_installed_model(model: Path) -> None:
    weights = model / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match="are damaged") as problem:
        read_weights(find_model(str(model)))
    assert problem.value.remedy == f"Copy {model} again from where it came."
