"""A card says how a model was trained, and not on whose computer."""

from __future__ import annotations

import json
import shlex

import pytest

from training.config.train_config import TrainConfig
from training.export.model_card import make_card, without_folders


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("--data '/home/doe/Dr Doe/LiTS'", ["--data", "LiTS"]),
        ("--data=/home/doe/LiTS/", ["--data=LiTS"]),
        (r"--recipe 'C:\Users\doe\r.toml'", ["--recipe", "r.toml"]),
        (r"--out '\\server\doe\out'", ["--out", "out"]),
        ("--data ../doe/x --data y", ["--data", "x", "--data", "y"]),
        ("--data /", ["--data", "."]),
        ("--note=license='CC BY/SA' --lr 1e-3 --exclude=a", None),
    ],
)
def test_of_a_path_in_the_command_the_last_name_is_kept(
    command: str, kept: list[str] | None
) -> None:
    words = shlex.split(without_folders(f"liverseg train {command}"))
    assert words == ["liverseg", "train", *(kept or shlex.split(command))]


def test_a_card_holds_no_folder_of_a_person() -> None:
    config = TrainConfig(encoder_weights="/home/doe/resnet18.pth", start_from="/home/doe/mine")
    card = make_card("m", config, "liverseg train --data /home/doe/LiTS", [], [], {})
    assert "doe" not in json.dumps(card)
    assert card["command"] == "liverseg train --data LiTS"
    assert TrainConfig.from_json(card["training"]).encoder_weights == "resnet18.pth"
