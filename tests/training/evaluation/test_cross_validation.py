from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.evaluation.evaluate import evaluate_case
from training.evaluation.cross_validation import main, markdown, means, pool_folds
from training.export.model_card import add_to_card
from training.runs.files import HELD_OUT


def masks(tumor_found: int, tumor_true: int) -> tuple[np.ndarray, np.ndarray]:
    """A liver found whole, with tumors as cubes of so many pixels in both masks."""
    found, true = np.ones((20, 40, 40), np.uint8), np.ones((20, 40, 40), np.uint8)
    for labels, size in ((found, tumor_found), (true, tumor_true)):
        labels[2 : 2 + size, 2 : 2 + size, 2 : 2 + size] = 2 if size else 1
    return found, true


def fold(
    folder: Path, trained_on: list[str], patients: dict[str, tuple[np.ndarray, np.ndarray]]
) -> Path:
    rows = [
        evaluate_case(name, found, true, None, axial_axis=0, pixel_is_mm=True).to_json()
        for name, (found, true) in patients.items()
    ]
    folder.mkdir()
    (folder / HELD_OUT).write_text(json.dumps({"trained_on": trained_on, "cases": rows}))
    return folder


def test_the_patients_of_all_folds_are_judged_together(tmp_path: Path) -> None:
    first = fold(tmp_path / "a", ["2", "3"], {"1": masks(12, 12), "4": masks(3, 3)})
    second = fold(tmp_path / "b", ["1", "4"], {"2": masks(0, 12), "3": masks(5, 0)})
    rows = pool_folds([second, first])
    assert [row["name"] for row in rows] == ["1", "2", "3", "4"]
    figures = means(rows)
    assert figures["liver_dice"] == figures["liver_dice_lowest"] == 1.0
    assert figures["tumor_dice"] == pytest.approx(0.5)  # patients 1 and 2: one found, one missed
    assert figures["tumor_dice_patients"] == 2
    assert figures["tumor_dice_any_size"] == pytest.approx(2 / 3)
    assert figures["lesion_f1_from_10_mm"] == pytest.approx(2 / 3)
    assert figures["false_tumor_percent"] == pytest.approx(100 * 125 / 32000)
    assert "| 3 | 1.000 | no tumor | 0 / 0 | 0.39 |" in markdown(rows)


def test_a_patient_is_not_judged_by_a_network_that_has_seen_it(tmp_path: Path) -> None:
    folder = fold(tmp_path / "a", ["1", "2"], {"1": masks(12, 12)})
    with pytest.raises(LiverSegError, match="trained on patient 1"):
        pool_folds([folder])


def test_a_patient_is_judged_once(tmp_path: Path) -> None:
    first = fold(tmp_path / "a", ["2"], {"1": masks(12, 12)})
    second = fold(tmp_path / "b", ["2"], {"1": masks(12, 12)})
    with pytest.raises(LiverSegError, match="Patient 1 is held out twice"):
        pool_folds([first, second])


def test_an_unfinished_fold_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="a training that is finished"):
        pool_folds([tmp_path])


def test_words_are_added_to_a_card_and_how_the_network_is_fed_is_not(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text('{"name": "mine", "size": [128, 192]}')
    add_to_card(tmp_path, {"known_failures": "cysts"})
    card = json.loads((tmp_path / "card.json").read_text())
    assert card == {"name": "mine", "size": [128, 192], "known_failures": "cysts"}
    with pytest.raises(LiverSegError, match="size belong"):
        add_to_card(tmp_path, {"size": [64, 96]})
    with pytest.raises(UnreadableFileError):
        add_to_card(tmp_path / "nowhere", {})


def test_figures_of_folds_stand_on_the_card_of_the_same_recipe_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = fold(tmp_path / "a", ["2"], {"1": masks(12, 12)})
    for model, epochs in ((one / "model", 3), (tmp_path / "all", 3), (tmp_path / "other", 4)):
        model.mkdir()
        (model / "card.json").write_text(json.dumps({"training": {"epochs": epochs}}))
    for model in ("all", "other"):
        words = ["cross_validation", str(one), "--card", str(tmp_path / model)]
        monkeypatch.setattr("sys.argv", words)
        assert main() == (0 if model == "all" else 1)
    assert "another recipe" in capsys.readouterr().err
    assert json.loads((tmp_path / "all" / "card.json").read_text())["cross_validation"]
    assert "cross_validation" not in (tmp_path / "other" / "card.json").read_text()
