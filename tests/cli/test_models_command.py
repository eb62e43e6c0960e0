from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from liverseg_gui.cli.main import main
from liverseg_gui.segmentation.models.registry import user_models
from liverseg_gui.state.settings import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command prints; it succeeds."""
    assert main(["models", *words]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["models", *words]) == 1
    return capsys.readouterr().err


def test_the_table_has_the_default_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    head, row, *_ = said(capsys).splitlines()
    assert head.split() == ["name", "origin", "architecture", "MB", "patients", "liver", "tumor"]
    assert row.split() == [
        *("*", "default", "built-in", "slim-resnet18"),
        *("26", "28", "0.955", "0.458"),
    ]


def test_a_model_is_added_chosen_exported_and_removed(
    untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(untrained_model), "--name", "mine")
    assert Settings().model == "default"
    said(capsys, "choose", "Mine")
    assert Settings().model == "mine"
    rows = json.loads(said(capsys, "--json"))
    assert [(row["name"], row["chosen"], row["origin"]) for row in rows] == [
        ("default", False, "built-in"),
        ("mine", True, "yours"),
    ]
    assert rows[0]["patients"] == 28
    assert rows[1]["patients"] is None
    said(capsys, "export", "mine", "-o", str(tmp_path / "m.zip"))
    assert "default is used from now on" in said(capsys, "remove", "mine", "--yes")
    assert Settings().model == "default"
    said(capsys, "add", str(tmp_path / "m.zip"))
    assert (user_models() / "mine" / "card.json").is_file()


def test_the_card_is_shown_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "show", "default")
    assert "Known failures: Small tumors are mostly missed" in shown
    assert "mean Dice of the liver 0.955, of tumors 0.458" in shown
    assert "The weights are whole." in shown


def test_what_is_wrong_is_one_line_that_says_what_to_do(
    untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(untrained_model))
    (tmp_path / "net.pth").write_bytes(b"x")
    for words, message in (
        (["add", str(untrained_model)], "a model 'untrained' already"),
        (["add", str(untrained_model)], "--name gives it one"),
        (["add", str(tmp_path / "net.pth")], "can carry programs"),
        (["add", str(tmp_path / "gone")], "does not exist"),
        (["choose", "gone"], "no model 'gone' (found: default, untrained)"),
        (["remove", "default", "--yes"], "comes with the program and stays"),
    ):
        error = refused(capsys, *words)
        assert message in error
        assert error.count("\n") == 1


def test_a_damaged_model_is_told_below_the_table(
    untrained_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(untrained_model))
    (user_models() / "untrained" / "card.json").write_text("{")
    told = said(capsys)
    assert "untrained  yours     cannot be used" in told
    assert "untrained: The model card" in told


def test_a_chosen_model_that_is_gone_is_told(
    untrained_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(untrained_model))
    said(capsys, "choose", "untrained")
    (user_models() / "untrained").rename(user_models() / "elsewhere")
    assert "'untrained' is not there any more: choose another" in said(capsys)


class Terminal:
    """A person who answers."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self.answer


def test_removing_asks_first(
    untrained_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said(capsys, "add", str(untrained_model))
    place = user_models() / "untrained"
    for answer in ("n\n", "\n", ""):  # the last is Ctrl+D
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        assert main(["models", "remove", "untrained"]) == 130
        assert place.is_dir()
    monkeypatch.setattr(sys, "stdin", None)
    assert "say --yes" in refused(capsys, "remove", "untrained")
    assert place.is_dir()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    said(capsys, "remove", "untrained")
    assert not place.is_dir()


def test_a_choice_that_cannot_be_kept_is_no_success(
    untrained_model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said(capsys, "add", str(untrained_model))
    (tmp_path / "home" / "config").write_text("in the way")
    assert "could not be kept" in refused(capsys, "choose", "untrained")
