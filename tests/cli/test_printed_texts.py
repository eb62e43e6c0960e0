"""What commands print of data: nothing acts on the terminal, and no line looks like another."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import pytest

from liverseg_gui.cli.console import print_beside_bar, say, say_json
from liverseg_gui.cli.main import main
from liverseg_gui.cli.phantom import write_phantom
from liverseg_gui.cli.train_output import print_line, print_text
from liverseg_gui.core.phantom import Phantom
from tests.io import dicom_files

CLI = Path(__file__).parents[2] / "liverseg_gui" / "cli"
HOSTILE = "A\x1b]0;x\x07\x1b[2J\u202eB\x9b31m"
SIGNS = "\x1b\x07\x9b\u202e\0\r"


def assert_harmless(text: str) -> None:
    assert [sign for sign in SIGNS if sign in text] == []


def test_commands_print_through_the_console_alone() -> None:
    direct = {
        f"{path.relative_to(CLI)}:{node.lineno}"
        for path in CLI.rglob("*.py")
        if path.name != "console.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    }
    assert direct == set()


def test_each_line_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    forged = f"{HOSTILE}\nliverseg: forged"
    say(forged, "  second")
    print_beside_bar(forged)
    print_line(forged)
    print_text({"event": "note", "text": forged})
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    assert "\n  second\n" in out
    assert len(err.splitlines()) == 1
    assert_harmless(out + err)


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"name": HOSTILE})
    out = capsys.readouterr().out
    assert json.loads(out) == {"name": HOSTILE}
    assert_harmless(out)


@pytest.mark.parametrize(
    "words",
    [
        ["info", "{}"],
        ["segment", "{}", "-o", "x.nii.gz"],
        ["measure", "{}", "{}"],
        ["evaluate", "{}", "{}"],
        ["models", "add", "{}"],
        ["models", "choose", "{}"],
        ["models", "show", "{}"],
        ["train", "--check", "{}"],
        ["train", "--{}"],
    ],
)
def test_errors_name_odd_paths_harmlessly(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = str(tmp_path / f"no{HOSTILE.replace(chr(0), '')}\nliverseg: forged")
    try:
        code = main([word.replace("{}", odd) for word in words])
    except SystemExit as left:  # argparse
        code = int(left.code or 0)
    out, err = capsys.readouterr()
    assert code in (1, 2)
    assert not any(line == "liverseg: forged" for line in err.splitlines())
    assert_harmless(out + err)


def test_what_a_scan_says_of_itself_is_printed_harmlessly(
    phantom: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_phantom(phantom, tmp_path, dicom=True)
    for file in (tmp_path / "dicom").iterdir():
        dicom_files.change(
            file,
            PatientName="Doe\x1b[31m^Jo\u202ehn",
            PatientID="1\x07",
            StudyDescription="Abd\x9b31mo",
            SeriesDescription="CT\x1b]0;x\x07 portal\nforged: line",
            ProtocolName="\x1b[2J",
            SpecificCharacterSet="ISO_IR 192",
        )
    named = tmp_path / "sc\x1b[2Jan\nforged: line.nii.gz"
    shutil.copy(tmp_path / "truth.nii.gz", named)
    for path in (tmp_path / "dicom", named):
        assert main(["info", str(path)]) == 0
    mask = tmp_path / "truth.nii.gz"
    assert main(["measure", str(tmp_path / "dicom"), str(mask)]) == 0
    out, err = capsys.readouterr()
    assert not any(line.startswith("forged") for line in (out + err).splitlines())
    assert_harmless(out + err)
