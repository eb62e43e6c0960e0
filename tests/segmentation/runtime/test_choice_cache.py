"""What is remembered of a choice of runtime."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from liverseg_gui.segmentation.runtime import choice_cache
from liverseg_gui.segmentation.runtime.choice_cache import (
    FILE,
    RuntimeChoice,
    choice_text,
    recall_choice,
    remember_choice,
    remembered_choices,
)

MODEL = "ab" * 32
VINO = RuntimeChoice(
    "openvino-float32", "cpu", "OpenVINO float32: 16.7 ms", ("torch float32: 20.4 ms",)
)
HALF = RuntimeChoice("torch-float16", "cuda", "torch float16: 1.1 ms")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path))
    return tmp_path / "cache" / FILE


def test_a_choice_is_remembered_for_its_model_and_device(file: Path) -> None:
    remember_choice(MODEL, "cpu", "", VINO)
    remember_choice(MODEL, "cuda", "GPU 1", HALF)
    assert recall_choice(MODEL, "cpu", "") == VINO
    assert recall_choice(MODEL, "cuda", "GPU 1") == HALF
    assert recall_choice(MODEL, "cuda", "GPU 2") is None
    assert recall_choice("cd" * 32, "cpu", "") is None
    assert list(file.parent.iterdir()) == [file]


def test_a_later_choice_takes_the_place_of_an_earlier_one(file: Path) -> None:
    remember_choice(MODEL, "cpu", "", VINO)
    later = RuntimeChoice("torch-float32", "cpu", "measured anew")
    remember_choice(MODEL, "cpu", "", later)
    assert recall_choice(MODEL, "cpu", "") == later
    assert len(json.loads(file.read_text())["choices"]) == 1


@pytest.mark.parametrize("name", ["_machine", "_libraries"])
def test_another_computer_or_other_libraries_know_nothing_of_it(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    remember_choice(MODEL, "cpu", "", VINO)
    with monkeypatch.context() as patch:
        patch.setattr(choice_cache, name, lambda: "another")
        assert recall_choice(MODEL, "cpu", "") is None
        assert remembered_choices(MODEL) == ()
        remember_choice(MODEL, "cpu", "", HALF)
    assert recall_choice(MODEL, "cpu", "") == VINO


def test_all_devices_of_a_model_are_listed(file: Path) -> None:
    assert remembered_choices(MODEL) == ()
    remember_choice(MODEL, "cuda", "GPU", HALF)
    remember_choice(MODEL, "cpu", "", VINO)
    remember_choice("cd" * 32, "cpu", "", HALF)
    assert remembered_choices(MODEL) == (VINO, HALF)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "\x00\x01",
        "[]",
        "null",
        '{"format": 1}',
        '{"format": 2, "choices": []}',
        '{"format": 1, "choices": [1]}',
        '{"format": 1, "choices": [{"key": null}]}',
        '{"format": 1, "choices": [{"key": ["a"], "runtime": 1, "device": "", "reason": "", '
        '"tried": []}]}',
    ],
)
def test_a_damaged_or_foreign_file_is_ignored_and_rewritten(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    assert recall_choice(MODEL, "cpu", "") is None
    assert remembered_choices(MODEL) == ()
    remember_choice(MODEL, "cpu", "", VINO)
    assert recall_choice(MODEL, "cpu", "") == VINO


def test_a_cache_that_cannot_be_written_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path))
    remember_choice(MODEL, "cpu", "", VINO)
    assert recall_choice(MODEL, "cpu", "") is None


def test_the_file_does_not_grow_for_ever(file: Path) -> None:
    for count in range(70):
        remember_choice(f"{count:064d}", "cpu", "", VINO)
    assert recall_choice(f"{0:064d}", "cpu", "") is None
    assert recall_choice(f"{69:064d}", "cpu", "") == VINO
    assert len(json.loads(file.read_text())["choices"]) == 60


def test_what_is_remembered_is_read_without_torch(file: Path) -> None:
    remember_choice(MODEL, "cpu", "", VINO)
    code = (
        "import sys; "
        "from liverseg_gui.segmentation.runtime.choice_cache import remembered_choices; "
        f"print(remembered_choices({MODEL!r})[0].reason, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=dict(os.environ), capture_output=True, text=True
    )
    assert done.stdout.strip() == "OpenVINO float32: 16.7 ms False", done.stderr


def test_runtimes_have_names_for_people() -> None:
    assert choice_text("torch-float32") == "torch float32"
    assert choice_text("openvino-bfloat16") == "OpenVINO bfloat16"
