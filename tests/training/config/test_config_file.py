"""The configuration of a training as plain values and as a file."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from liverseg_gui.cli.main import command_parser
from liverseg_gui.cli.train import _config
from liverseg_gui.core.errors import LiverSegError
from training.config.augmentation_config import Augmentation, SyntheticTumors
from training.config.config_file import read_config_file, write_config_file
from training.config.field_of_view import FieldOfView
from training.config.train_config import LOSSES, PRECISIONS, TrainConfig
from training.runs.epoch_log import EpochResult

RECIPES = [
    TrainConfig(),
    TrainConfig(liver=None, synthetic=None, encoder_weights="some/resnet18.pth", patience=4),
    TrainConfig(
        architecture="slim-resnet34-ppm",
        trunk=FieldOfView((160, 224), (160, 224)),
        loss="focal-tversky+ce",
        augmentation=Augmentation(scale=0.1),
        synthetic=SyntheticTumors(radius_mm=(3.0, 9.5)),
    ),
]


@pytest.mark.parametrize("config", RECIPES)
def test_a_recipe_survives_json(config: TrainConfig) -> None:
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize("name", ["recipe.toml", "recipe.json"])
@pytest.mark.parametrize("config", RECIPES)
def test_a_recipe_survives_its_file(config: TrainConfig, name: str, tmp_path: Path) -> None:
    write_config_file(config, tmp_path / name)
    assert read_config_file(tmp_path / name) == config


def test_a_recipe_of_a_few_lines_leaves_the_rest_as_usual(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("epochs = 2\nliver = false\n[trunk]\nsize = [64, 96]\nof_trunk = [64, 96]\n")
    assert read_config_file(path) == TrainConfig(
        epochs=2, liver=None, trunk=FieldOfView((64, 96), (64, 96))
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("r.toml", "epochs = = 2", "is no recipe"),
        ("r.json", "{", "is no recipe"),
        ("r.json", "[]", "must be a table"),
        ("r.toml", "epoch = 2", "Did you mean 'epochs'"),
        ("r.toml", "context = 4", "odd"),
        ("r.yaml", "epochs: 2", "ends in .toml or .json"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_said_with_its_name(
    name: str, text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(LiverSegError, match=re.escape(str(path))) as raised:
        read_config_file(path)
    assert said in str(raised.value)


def test_options_go_before_the_recipe_in_the_file(tmp_path: Path) -> None:
    write_config_file(TrainConfig(epochs=2, device="cpu", context=3), tmp_path / "r.toml")
    command = ["train", "--recipe", str(tmp_path / "r.toml"), "--epochs", "4"]
    assert _config(command_parser().parse_args(command)) == TrainConfig(
        epochs=4, device="cpu", context=3
    )


def test_what_a_recipe_leaves_out_is_default() -> None:
    values = {"epochs": 3, "liver": False, "augmentation": {"noise": 0}}
    expected = TrainConfig(epochs=3, liver=None, augmentation=Augmentation(noise=0.0))
    assert TrainConfig.from_json(values) == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epoch": 3}, "no setting 'epoch'. Did you mean 'epochs'"),
        ({"augmentation": {"nose": 1}}, "augmentation has no setting 'nose'"),
        ({"epochs": 2.5}, "epochs must be a whole number, not 2.5"),
        ({"epochs": True}, "epochs must be a whole number"),
        ({"learning_rate": "fast"}, "learning_rate must be a number"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number"),
        ({"trunk": {"size": [128], "of_trunk": [128, 192]}}, "trunk: size must be 2 values"),
        ({"augmentation": 3}, "must be a table"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"context": 4}, "odd"),
        ({"average": 1.0}, "average is 1"),
        ({"epochs": 0, "fine_tune_epochs": 0}, "no epochs"),
        ({"loss": "hinge"}, "loss is 'hinge'"),
        ({"precision": "int8"}, "precision is 'int8'"),
        ({"architecture": "slim-resnet7"}, "architecture is 'slim-resnet7'"),
        ({"trunk": {"size": [100, 150], "of_trunk": [100, 150]}}, "multiples of 32"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(LiverSegError, match=message):
        TrainConfig.from_json(values)


def config_of(words: str) -> TrainConfig:
    return _config(
        command_parser().parse_args(["train", "--data", "d", "--out", "o", *words.split()])
    )


def test_the_bare_command_has_the_default_recipe() -> None:
    assert config_of("") == TrainConfig()


def test_the_command_line_reaches_every_setting_of_the_steps() -> None:
    words = (
        "--loss tversky+ce --tversky-beta 0.6 --focal-gamma 1.5 --weight-decay 0.1 --accumulate 4 "
        "--clip 0.5 --average 0.9 --patience 3 --precision bf16 --fine-tune-rate 0.0005 "
        "--multi-scale ppm --architecture slim-resnet34 --encoder-weights imagenet --no-synthetic"
    )
    assert config_of(words) == TrainConfig(
        architecture="slim-resnet34-ppm",
        fine_tune_rate=0.0005,
        accumulate=4,
        loss="tversky+ce",
        focal_gamma=1.5,
        tversky_beta=0.6,
        weight_decay=0.1,
        clip=0.5,
        average=0.9,
        patience=3,
        precision="bf16",
        encoder_weights="imagenet",
        synthetic=None,
    )


def test_pyramid_pooling_is_refused_where_the_network_has_no_place_for_it() -> None:
    with pytest.raises(LiverSegError, match="'unet-resnet34-ppm'"):
        config_of("--architecture unet-resnet34 --multi-scale ppm")


def test_a_pretrained_encoder_is_frozen_for_the_first_epoch_of_fine_tuning() -> None:
    assert TrainConfig(encoder_weights="resnet18.pth").freeze_epochs == 1
    assert TrainConfig(encoder_weights="resnet18.pth", fine_tune_epochs=0).freeze_epochs == 0
    assert TrainConfig().freeze_epochs == 0


def test_the_guide_names_every_setting_and_every_choice() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
    words = set(re.findall(r"`([^`]+)`", guide))
    names = {field.name for field in fields(TrainConfig)}
    assert names | set(LOSSES) | set(PRECISIONS) - {"auto"} <= words
    columns = {field.name for field in fields(EpochResult)}
    assert columns - {"stage", "epoch"} <= words
