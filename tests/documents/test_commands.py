"""The commands of the documents, run as a reader would: page by page, in order, in one folder."""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from markdown_it import MarkdownIt

from liverseg_gui.cli.main import main
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.mask_marks import Mark
from liverseg_gui.ui.app import app
from tests.io.masks.test_dicom_seg import slices_of, stack, write_seg
from tests.training import layouts

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(
    r"(?:\w+=\S+ +|sudo +)*(?:\S*[\\/])?liverseg(?![^\s])(.*)|.* -m liverseg_gui\b(.*)"
)
GENERATED = re.compile("<!-- begin of .*?<!-- end of ", re.DOTALL)
"""What is made from the parser says how a command is called, and is none."""

NAMES = {"SCAN": "DICOM", "MASK": "mask.nii.gz", "NAME": "untrained"}
"""What cannot be called as documents call it, and what it is here; all else is there by name."""

MORE = {
    "segment": "--quality fast",
    "phantom": "--size 64 64 16 --spacing 6 6 12",
    "models remove": "--yes",
}
"""Options that a command gets here so that it takes seconds, and asks nothing."""

PARSED_ONLY = {
    "demo": "opens the window, or segments a large phantom: tests/cli/test_demo.py",
    "self-test": "takes minutes: tests/cli/self_test/test_command.py",
    "--scheduler": "needs a cluster: tests/cohort/test_run_cluster.py",
    "--device cuda": "needs a GPU",
    "train --data": "trains: tests/cli/test_train.py",
    "train --compare": "needs a training: tests/training/evaluation/test_model_comparison.py",
    "train --improve": "trains: tests/training/pipeline/test_fine_tune.py",
    "models roll-back": "needs an improved model: tests/cli/test_models_command.py",
}
"""Commands with these words are held to the parser alone, and why. No window is ever opened."""


def commands_of(text: str) -> Iterator[str]:
    """The words after `liverseg` of each command in the code blocks of a page."""
    for token in MarkdownIt().parse(GENERATED.sub("", text)):
        if token.type not in ("fence", "code_block"):
            continue
        for line in re.split(r"[\n;|>&]", token.content.replace("\\\n", " ")):
            found = COMMAND.fullmatch(line.strip())
            if found:
                words = (found[1] or found[2] or "").replace("[", "").replace("]", "")
                yield shlex.join(shlex.split(words, comments=True))


COMMANDS = {page: list(commands_of(page.read_text())) for page in PAGES}


def is_window(command: str) -> bool:
    return not command or command.split()[0] in NAMES


def parsed_only(command: str) -> bool:
    return any(words in command for words in PARSED_ONLY)


def more_for(command: str) -> list[str]:
    return " ".join(more for start, more in MORE.items() if command.startswith(start)).split()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, untrained_model: Path) -> Path:
    """A folder with all that the documents name."""
    folder = tmp_path_factory.mktemp("made")
    one, two = layouts.small(1), layouts.small(2)
    layouts.pair(one, folder / "scan.nii.gz", folder / "mask.nii.gz", Mark.SEGMENTATION)
    for name, phantom in (("one", one), ("two", two)):
        for place in ("MASKS", "TRUTH"):
            layouts.pair(
                phantom,
                folder / "STUDIES" / f"{name}.nii.gz",
                folder / place / f"{name}.nii.gz",
                Mark.SEGMENTATION,
            )
    for name in ("FOLDER", "SCANS"):
        shutil.copytree(folder / "STUDIES", folder / name)
    shutil.make_archive(str(folder / "disc"), "zip", folder / "STUDIES")
    shutil.make_archive(str(folder / "FILE"), "zip", untrained_model)
    write_dicom_series(one.volume, folder / "DICOM")
    labels = stack(one)
    several = np.stack([labels == 9] * 4 + [labels == 1, labels == 2], axis=-1).astype(np.uint8)
    write_seg(folder / "SEG.dcm", slices_of(folder / "DICOM"), several, [str(n) for n in range(6)])
    other = sitk.ReadImage(folder / "mask.nii.gz")
    sitk.WriteImage(other + 4 * sitk.Cast(other > 0, other.GetPixelID()), folder / "other.seg.nrrd")
    for name in ("DIR", "DATA"):
        layouts.decathlon(folder / name)
    shutil.copytree(untrained_model, folder / "OUT" / "model")
    return folder


@pytest.fixture
def there(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder to work in, with settings of its own, a user's and the site's."""
    folder = tmp_path / "there"
    shutil.copytree(made, folder)
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIVERSEG_SITE", str(tmp_path / "site"))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(app, "run_window", lambda *_: "a word that is no command opened the window")
    return folder


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], int]:
    """Goes through the program as far as its parser."""
    real = argparse.ArgumentParser.parse_args

    def parsed(*words: object) -> argparse.Namespace:
        arguments = real(*words)  # type: ignore[call-overload]
        arguments.run = lambda _: 0
        return arguments

    def parse(words: list[str]) -> int:
        with monkeypatch.context() as patch:
            patch.setattr(argparse.ArgumentParser, "parse_args", parsed)
            patch.setattr(app, "run_window", lambda *_: 0)
            return main(words)

    return parse


@pytest.mark.parametrize(
    "page", [page for page in PAGES if COMMANDS[page]], ids=lambda page: page.name
)
def test_the_commands_of_a_page_work(
    page: Path, there: Path, parse: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    for command in COMMANDS[page]:
        words = [NAMES.get(word, word) for word in command.split()]
        if is_window(command) or parsed_only(command):
            run = parse
        else:
            run = main
            words += more_for(command)
        try:
            code = run(words)
        except SystemExit as stopped:
            code = stopped.code
        assert code == 0, f"{page.name}: liverseg {command}\n{capsys.readouterr().err}"


def test_most_commands_are_run_and_nothing_is_spared_that_is_not_there() -> None:
    commands = [command for listed in COMMANDS.values() for command in listed]
    run = [command for command in commands if not (is_window(command) or parsed_only(command))]
    assert len(run) >= 10
    unused = [words for words in PARSED_ONLY if not any(words in c for c in commands)]
    assert unused == []
