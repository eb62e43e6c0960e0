from __future__ import annotations

import json
from pathlib import Path

import pytest

from liverseg_gui.cli.main import main


@pytest.mark.slow
def test_the_demo_writes_mask_report_and_pictures_and_says_how_near_it_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--no-window", "-o", str(tmp_path / "demo")]) == 0
    printed = capsys.readouterr().out
    assert "True liver" in printed
    assert "True tumor" in printed
    report = json.loads((tmp_path / "demo" / "report.json").read_text())
    truth = json.loads((tmp_path / "demo" / "truth.json").read_text())
    assert report["liver_ml"] == pytest.approx(truth["liver_ml"], rel=0.1)
    assert (tmp_path / "demo" / "mask.nii.gz").is_file()
    assert list((tmp_path / "demo").glob("*.png"))
