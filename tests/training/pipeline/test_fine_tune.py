"""Fine-tuning of the model in use on a site's own cases."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from liverseg_gui.cli.main import main
from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.registry import find_installed, find_model
from liverseg_gui.segmentation.models.store import add_model, export_as_zip
from liverseg_gui.state.settings import Settings
from tests.training.tiny import TINY, Calls, a_job, tiny_network, write_lits2d
from tests.training.verdicts import BETTER, OLD_SHA, WORSE, put
from training.config.config_file import write_config_file
from training.config.train_config import TrainConfig
from training.data.dataset_layouts import find_sources
from training.data.phantom_case import PhantomCase
from training.evaluation.acceptance import AcceptanceDecision, accept, read_decision
from training.evaluation.comparison_text import comparison_table
from training.evaluation.model_comparison import Comparison, compare_models, read_comparison
from training.export.model_card import add_to_card
from training.export.weights import export_model
from training.pipeline.fine_tune import fine_tune
from training.pipeline.train import train
from training.planning.fine_tune_plan import fine_tune_config, fine_tune_split
from training.runs.files import DECISION, HELD_OUT, NOTES, RECIPE, SPLIT
from training.runs.folder import read_run
from training.runs.training_job import TrainingJob


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small patients."""
    return write_lits2d(tmp_path_factory.mktemp("lits2d"))


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model in a folder, which was trained on the patient 003."""
    for place in (
        "training.learner.build",
        "training.evaluation.evaluate_model",
        "liverseg_gui.segmentation.inference",
    ):
        monkeypatch.setattr(f"{place}.build_network", tiny_network)
    config = replace(TINY, epochs=9, loss="tversky+ce", seed=4)
    card = {
        "name": "old",
        "architecture": config.architecture,
        "size": config.trunk.size,
        "context": config.context,
        "closer": (64, 96),
        "window_hu": (-40.0, 160.0),
        "training": config.to_json(),
        "trained_on": ["003", "phantom-0"],
    }
    return export_model(tiny_network(), tmp_path / "old", card)


def job(data: Path, out: Path, old: Path, **changes: Any) -> TrainingJob:
    config = fine_tune_config(find_model(str(old)), str(old))
    small = replace(config, fine_tune_epochs=1, precision="float32", device="cpu")
    values = {"name": "new", "config": small, "fine_tune": True}
    return a_job(data, out, **(values | changes))


def test_the_recipe_goes_on_from_the_old_model_as_it_was_trained(old: Path) -> None:
    config = fine_tune_config(find_model(str(old)), str(old))
    assert config.start_from == str(old)
    assert (config.trunk, config.liver, config.context) == (TINY.trunk, TINY.liver, 3)
    assert (config.loss, config.seed) == ("tversky+ce", 4)
    assert (config.epochs, config.patience, config.encoder_weights) == (0, 0, None)
    assert 1 <= config.fine_tune_epochs < 8
    assert config.fine_tune_rate < TrainConfig().fine_tune_rate


def test_a_card_without_a_recipe_is_gone_on_from_too(old: Path) -> None:
    add_to_card(old, {"training": {"from": "elsewhere"}})
    config = fine_tune_config(find_model(str(old)), str(old))
    assert config.trunk.size == (32, 64)
    assert config.liver is not None
    assert config.liver.of_trunk == (64, 96)


def test_a_patient_whom_the_old_model_saw_is_not_held_out(data: Path) -> None:
    sources = find_sources(data)
    held_out = {
        fine_tune_split(sources, ["003", "007"], 5, fold, seed).validation
        for fold in range(5)
        for seed in range(5)
    }
    assert held_out == {("012",)}


def test_the_first_folds_hold_out_different_patients(data: Path) -> None:
    sources = [PhantomCase(n) for n in range(6)]
    splits = [fine_tune_split(sources, [], 3, fold, 1) for fold in range(3)]
    assert sorted(sum((split.validation for split in splits), ())) == [s.name for s in sources]
    assert all(len(split.training) == 4 for split in splits)


def test_a_fifth_of_the_patients_and_at_least_one_is_held_out() -> None:
    for patients, held_out in ((2, 1), (4, 1), (10, 2), (20, 4)):
        sources = [PhantomCase(n) for n in range(patients)]
        assert len(fine_tune_split(sources, [], 5, 0, 5).validation) == held_out


def test_fewer_than_two_patients_are_refused(old: Path, tmp_path: Path) -> None:
    one = write_lits2d(tmp_path / "one", (3,))
    with pytest.raises(LiverSegError, match="one patient, too few to improve a model"):
        fine_tune(job(one, tmp_path / "out", old), Progress())
    assert not (tmp_path / "out").exists()


def test_where_the_old_model_saw_everybody_nobody_can_judge(data: Path) -> None:
    with pytest.raises(LiverSegError, match="nobody is left whom it can be judged on"):
        fine_tune_split(find_sources(data), ["003", "007", "012"], 5, 0, 5)


def test_another_network_than_the_old_one_is_refused(data: Path, tmp_path: Path, old: Path) -> None:
    other = replace(fine_tune_config(find_model(str(old)), str(old)), context=5)
    with pytest.raises(LiverSegError, match="with 3 slices at once, and goes on as such"):
        fine_tune(job(data, tmp_path / "out", old, config=other), Progress())


def test_improving_judges_both_models_and_writes_the_decision(
    data: Path, tmp_path: Path, old: Path
) -> None:
    out = tmp_path / "out"
    decision = fine_tune(job(data, out, old), Progress())
    split = json.loads((out / SPLIT).read_text())
    assert len(split["validation"]) == 1
    assert "003" in split["training"]
    assert [pair.name for pair in decision.comparison.pairs] == split["validation"]
    assert read_decision(out) == decision
    new = find_model(str(out / "model")).about
    assert new["improved_from"]["sha256"] == find_model(str(old)).sha256
    assert new["improved_from"]["accepted"] == decision.accepted
    assert new["trained_on"][:2] == ["003", "phantom-0"]
    assert set(split["training"]) <= set(new["trained_on"])
    held_out = json.loads((out / HELD_OUT).read_text())["cases"]
    ours = [pair.candidate.liver for pair in decision.comparison.pairs]
    assert ours == [row["liver"]["dice"] for row in held_out]


def test_a_plain_training_holds_nobody_out_whom_the_model_it_starts_from_saw(
    data: Path, tmp_path: Path, old: Path
) -> None:
    config = job(data, tmp_path, old).config
    add_to_card(old, {"trained_on": ["liver_3", "volume-7"]})
    for fold in range(3):
        out, said = tmp_path / str(fold), list[str]()
        run = a_job(data, out, folds=3, fold=fold, config=config)
        (judged,) = train(run, Progress(), observer=Calls(note=said.append))
        assert judged.name == "012"
        (note,) = [note for note in said if "from which this training starts" in note]
        assert note in (out / NOTES).read_text()
    shutil.rmtree(old)
    assert [r.name for r in train(run, Progress(), resume=True)] == ["012"]


def test_the_new_card_keeps_the_old_ones_words_about_data_and_license(
    data: Path, tmp_path: Path, old: Path
) -> None:
    add_to_card(old, {"data": "LiTS.", "license": "CC BY-SA 4.0", "known_failures": "Small ones."})
    fine_tune(job(data, tmp_path / "out", old, notes={"known_failures": "Few."}), Progress())
    card = find_model(str(tmp_path / "out" / "model")).about
    assert card["data"] == "LiTS. Then fine-tuned on 2 cases of a site's own."
    assert (card["license"], card["known_failures"]) == ("CC BY-SA 4.0", "Few.")


def test_what_was_trained_already_is_resumed_and_never_overwritten(
    data: Path, tmp_path: Path, old: Path
) -> None:
    data, out = Path(shutil.copytree(data, tmp_path / "data")), tmp_path / "out"
    decision = fine_tune(job(data, out, old), Progress())
    (out / DECISION).unlink()
    with pytest.raises(LiverSegError, match="holds a training already"):
        fine_tune(job(data, out, old), Progress())
    write_lits2d(tmp_path / "more", (20,)).joinpath("020").rename(data / "020")
    rows = [{"case": case, "stored_z_step": 2} for case in (3, 7, 12, 20)]
    (data / "manifest.json").write_text(json.dumps({"cases": rows}))
    epochs: list[object] = []
    assert (
        fine_tune(job(data, out, old), Progress(), resume=True, observer=Calls(epochs.append))
        == decision
    )
    assert not epochs, "no epoch is trained again"
    assert read_decision(out) == decision


def test_a_model_compared_with_itself_differs_in_nothing(
    data: Path, tmp_path: Path, old: Path
) -> None:
    out = tmp_path / "out"
    fine_tune(job(data, out, old), Progress())
    own = str(out / "model")
    compared = compare_models(out, own, find_sources(data), Progress(), "cpu")
    assert compared.liver is not None
    assert compared.liver.difference == pytest.approx(0.0, abs=0.01)  # float16 on disk
    assert read_comparison(out) == compared


def test_a_patient_the_other_model_saw_is_left_out_of_the_means(
    data: Path, tmp_path: Path, old: Path
) -> None:
    out = tmp_path / "out"
    fine_tune(job(data, out, old), Progress())
    (name,) = json.loads((out / SPLIT).read_text())["validation"]
    add_to_card(old, {"trained_on": [f"volume-{int(name)}"]})
    compared = compare_models(out, str(old), find_sources(data), Progress(), "cpu")
    (pair,) = compared.pairs
    assert pair.seen_by == ("old",)
    assert (compared.liver, compared.tumor) == (None, None)
    assert compared.to_json()["left_out"] == [name]


def test_both_models_are_judged_on_a_mask_that_was_saved_again(
    data: Path, tmp_path: Path, old: Path
) -> None:
    data, out = Path(shutil.copytree(data, tmp_path / "data")), tmp_path / "out"
    fine_tune(job(data, out, old), Progress())
    before = compare_models(out, str(old), find_sources(data), Progress(), "cpu")
    assert before.changed == ()
    (name,) = json.loads((out / SPLIT).read_text())["validation"]
    for mask in (data / name).glob("*.png"):
        Image.new("L", (96, 96)).save(mask)  # no liver any more
    after = compare_models(out, str(old), find_sources(data), Progress(), "cpu")
    assert after.changed == (name,)
    own = compare_models(out, str(out / "model"), find_sources(data), Progress(), "cpu")
    assert [pair.candidate for pair in after.pairs] == [pair.baseline for pair in own.pairs]
    assert after.pairs[0].candidate != before.pairs[0].candidate
    assert read_comparison(out) == own
    assert any(f"{name}: scan or mask has changed" in line for line in comparison_table(after))


def test_a_comparison_needs_the_held_out_patients(data: Path, tmp_path: Path, old: Path) -> None:
    with pytest.raises(LiverSegError, match="holds no figures of held-out patients"):
        compare_models(tmp_path, str(old), find_sources(data), Progress())
    out = tmp_path / "out"
    fine_tune(job(data, out, old), Progress())
    with pytest.raises(LiverSegError, match="are not in the data any more"):
        compare_models(out, str(old), [], Progress())


def test_a_comparison_has_paired_differences_and_reads_back() -> None:
    compared = BETTER.comparison
    assert Comparison.from_json(json.loads(json.dumps(compared.to_json()))) == compared
    assert compared.liver is not None
    assert compared.liver.difference == pytest.approx(0.015)
    assert compared.liver.interval == pytest.approx((0.0, 0.03))
    assert compared.tumor is not None
    assert compared.tumor.interval is None


def an_outcome(out: Path, model: Path, verdict: AcceptanceDecision) -> Path:
    """What `improve` leaves, with the weights of `model`."""
    shutil.copytree(model, out / "model")
    put(out, replace(verdict, new_sha256=find_model(str(model)).sha256))
    add_to_card(out / "model", {"name": "better", "improved_from": verdict.on_card()})
    return out


def test_an_accepted_model_is_used_and_one_can_go_back(
    untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = an_outcome(tmp_path / "out", untrained_model, BETTER)
    assert accept(out, Settings()).name == "better"
    assert Settings().model == "better"
    assert accept(out, Settings()).name == "better", "a second time adds no second one"
    assert main(["models", "roll-back"]) == 0
    assert capsys.readouterr().out == "default is used from now on, in place of better.\n"
    assert Settings().model == "default"
    assert find_installed("better") is not None


def test_another_model_of_the_name_gets_a_number(untrained_model: Path, tmp_path: Path) -> None:
    other = tmp_path / "home" / "data" / "models" / "better"
    shutil.copytree(untrained_model, other)
    card = json.loads((other / "card.json").read_text())
    (other / "card.json").write_text(json.dumps(card | {"sha256": OLD_SHA}))
    out = an_outcome(tmp_path / "out", untrained_model, BETTER)
    assert accept(out, Settings()).name == "better-2"


def test_a_model_that_was_not_accepted_is_not_used(
    untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = an_outcome(tmp_path / "out", untrained_model, WORSE)
    assert main(["train", "--accept", "--out", str(out)]) == 1
    assert "was not accepted. Liver does not fall" in capsys.readouterr().err
    assert Settings().model == "default"
    assert find_installed("better") is None


def test_a_model_that_was_not_judged_is_not_accepted(untrained_model: Path, tmp_path: Path) -> None:
    out = an_outcome(tmp_path / "out", untrained_model, BETTER)
    put(out, BETTER)
    with pytest.raises(LiverSegError, match="is not the one that was judged there"):
        accept(out, Settings())
    assert Settings().model == "default"


def test_a_folder_without_a_decision_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--accept", "--out", str(tmp_path)]) == 1
    assert "`liverseg train --improve` writes it" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--improve"], ["--compare", "default"], ["--accept"]])
def test_the_command_says_what_it_needs(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["train", *words])
    assert exit_.value.code == 2
    assert "name the folder of the training with --out" in capsys.readouterr().err


def test_the_zip_of_a_model_carries_what_it_was_improved_from(
    untrained_model: Path, tmp_path: Path
) -> None:
    out = an_outcome(tmp_path / "out", untrained_model, BETTER)
    accept(out, Settings())
    export_as_zip("better", tmp_path / "better.zip")
    carried = add_model(tmp_path / "better.zip", "carried").card
    assert carried is not None
    assert carried.about["improved_from"] == json.loads(json.dumps(BETTER.on_card()))


def test_the_command_prints_both_models_and_the_decision(
    data: Path, tmp_path: Path, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    where = ["--data", str(data), "--out", str(out), "--start-from", str(old)]
    words = "--phantoms 0 --fine-tune-epochs 1 --precision float32 --device cpu --batch-size 4"
    assert main(["train", "--improve", *where, *words.split()]) == 0
    printed = capsys.readouterr().out
    decision = read_decision(out)
    assert "old -> improved" in printed
    assert all(reason in printed for reason in decision.reasons)
    word = "accepted" if decision.accepted else "not accepted"
    assert f"The new model is {word}: a mean Dice may fall by 0.0005." in printed
    assert find_model(str(out / "model")).about["training"]["start_from"] == "old"
    compare = ["train", "--compare", str(old), "--json", "--device", "cpu"]
    assert main([*compare, "--out", str(out)]) == 0
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line["event"] == "comparison"
    assert line["pairs"] == json.loads((out / DECISION).read_text())["comparison"]["pairs"]


def test_the_words_of_a_job_are_the_command_that_a_window_starts(
    data: Path, tmp_path: Path, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    config = job(data, out, old).config
    asked = a_job(data, out, name="new", config=config, fine_tune=True)
    out.mkdir()
    write_config_file(config, out / RECIPE)
    assert main([*asked.arguments(), "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in told][-2:] == ["decision", "end"]
    assert told[-1]["state"] == "finished"
    assert read_run(out).job == asked
    assert find_model(str(out / "model")).name == "new"
