"""Models that are added, listed, chosen, removed and exported; and what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from liverseg_gui.core.errors import Cancelled, ModelError, NameTakenError, SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import ModelCard
from liverseg_gui.segmentation.models.description import card_facts, model_figures
from liverseg_gui.segmentation.models.registry import (
    choose_model,
    chosen_model,
    find_model,
    list_models,
    read_weights,
    user_models,
)
from liverseg_gui.segmentation.models.store import add_model, export_as_zip, remove_model
from liverseg_gui.segmentation.models.weights_check import expected_shapes, expected_shapes_apart
from liverseg_gui.segmentation.models.weights_file import Shapes
from liverseg_gui.segmentation.networks.architectures import ARCHITECTURES
from liverseg_gui.state.settings import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def model(untrained_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untrained_model, tmp_path / "model"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.json")


def change(model: Path, **values: object) -> None:
    card = json.loads((model / "card.json").read_text())
    (model / "card.json").write_text(json.dumps(card | values))


def zipped(folder: Path, path: Path, **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"m/{file.name}")
        for name, data in more.items():
            archive.writestr(name, data)
    return path


def left_over() -> list[str]:
    return sorted(p.name for p in user_models().iterdir()) if user_models().is_dir() else []


def test_an_added_folder_is_listed_after_the_programs_own_and_gives_the_same_weights(
    model: Path,
) -> None:
    added = add_model(model)
    assert [(m.name, m.origin) for m in list_models()] == [
        ("default", "built-in"),
        ("untrained", "yours"),
    ]
    assert added.folder == user_models() / "untrained"
    assert read_weights(find_model("untrained")) == (model / "weights.safetensors").read_bytes()
    assert left_over() == ["untrained"]


def test_a_model_is_carried_to_another_workstation_in_one_zip(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_model(model, "mine")
    export_as_zip("mine", tmp_path / "carried.zip")
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "other"))
    assert add_model(tmp_path / "carried.zip").name == "mine"
    assert find_model("mine").folder == tmp_path / "other" / "data" / "models" / "mine"
    assert read_weights(find_model("mine")) == (model / "weights.safetensors").read_bytes()


def test_a_zip_made_by_hand_on_a_mac_is_taken(model: Path, tmp_path: Path) -> None:
    junk = {"__MACOSX/m/._card.json": b"x", "m/.DS_Store": b"x"}
    assert add_model(zipped(model, tmp_path / "m.zip", **junk)).name == "untrained"
    assert sorted(p.name for p in (user_models() / "untrained").iterdir()) == [
        "card.json",
        "weights.safetensors",
    ]


def test_a_damaged_model_is_listed_with_its_problem_and_hinders_no_other(model: Path) -> None:
    for name in ("a card", "b weights", "c gone", "default"):
        shutil.copytree(model, user_models() / name)
    (user_models() / "a card" / "card.json").write_text("{")
    weights = user_models() / "b weights" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    (user_models() / "c gone" / "weights.safetensors").unlink()
    problems = {m.folder.name: m.problem for m in list_models() if not m.built_in}
    assert "card.json is missing or damaged" in problems["a card"]
    assert "damaged or no safetensors file" in problems["b weights"]
    assert "weights.safetensors are missing" in problems["c gone"]
    assert "has the name of a model that comes with the program" in problems["default"]
    assert find_model("default").folder.parent != user_models()
    with pytest.raises(ModelError, match=r"card\.json is missing or damaged"):
        find_model("a card")


def test_a_folder_of_the_same_name_does_not_stand_in_for_an_installed_model(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.rename(tmp_path / "default")
    monkeypatch.chdir(tmp_path)
    assert find_model("default").architecture == "slim-resnet18"
    assert find_model("default").size == (128, 192)
    assert find_model("./default").size == (64, 96)


@pytest.mark.parametrize("name", ["default", "Default", "untrained", "UNTRAINED"])
def test_a_name_that_is_taken_is_refused_with_what_to_do(model: Path, name: str) -> None:
    add_model(model)
    with pytest.raises(NameTakenError, match="Add this one under another name"):
        add_model(model, name)
    assert left_over() == ["untrained"]


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a\\b", ".half-1", "con", "x" * 65, "a\nb"])
def test_a_name_that_cannot_be_a_folder_everywhere_is_refused(model: Path, name: str) -> None:
    with pytest.raises(ModelError, match="cannot be called"):
        add_model(model, name)
    assert left_over() == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": [100, 96]}, "size must be two multiples of 32"),
        ({"size": [64, 96.0]}, "size must be two multiples of 32"),
        ({"size": 64}, "size must be two multiples of 32"),
        ({"context": 4}, "context must be an odd number"),
        ({"context": True}, "context must be an odd number"),
        ({"closer": [64, 128]}, r"closer \[64, 128\] must be larger than size \[64, 96\]"),
        ({"window_hu": [160, -40]}, "window_hu must be two HU, the lower one first"),
        ({"window_hu": [float("nan"), 160]}, "window_hu must be two HU"),
        ({"architecture": "resnet9000"}, "no architecture 'resnet9000'"),
        ({"architecture": ["slim"]}, "no architecture"),
        ({"sha256": "abc"}, "64 hexadecimal digits"),
        ({"name": 7}, "cannot be called '7'"),
        ({"card_version": 2}, "made by a newer LiverSeg. Update this program"),
        ({"card_version": "monai-1"}, "it is the card of another program"),
    ],
)
def test_a_card_with_a_field_out_of_its_range_is_refused(
    model: Path, values: dict[str, object], message: str
) -> None:
    change(model, **values)
    with pytest.raises(ModelError, match=message):
        add_model(model)
    assert left_over() == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "no model card of this program"),
        ('{"name": "x", "license": "mit"}', "it lacks architecture, size, window_hu, sha256"),
        ("[" * 100_000, "missing or damaged"),
        ("\udcff", "missing or damaged"),
    ],
)
def test_a_foreign_card_is_refused(model: Path, text: str, message: str) -> None:
    (model / "card.json").write_text(text, errors="surrogateescape")
    with pytest.raises(ModelError, match=message):
        add_model(model)


class Harmful:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("zip_", [False, True])
def test_a_pickle_that_is_called_safetensors_is_refused_and_not_run(
    model: Path, tmp_path: Path, zip_: bool
) -> None:
    run = tmp_path / "it ran"
    data = pickle.dumps(Harmful(run))
    if zip_:  # as torch.save writes it
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("archive/data.pkl", data)
        data = buffer.getvalue()
    (model / "weights.safetensors").write_bytes(data)
    change(model, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(ModelError, match="it is a pickle"):
        add_model(model)
    assert not run.exists()
    assert left_over() == []


@pytest.mark.parametrize("ending", ["pth", "pt", "pkl", "ckpt", "onnx", "bin"])
def test_weights_of_another_kind_are_refused_with_the_reason(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "folder" / f"best.{ending}"
    file.parent.mkdir()
    file.write_bytes(b"x")
    for path in (file, file.parent):
        with pytest.raises(ModelError, match="can carry programs that run"):
            add_model(path)
    with pytest.raises(ModelError, match="can carry programs that run"):
        find_model(str(file))


def test_the_folder_of_a_training_leads_to_its_model(model: Path) -> None:
    with pytest.raises(ModelError, match=r"The model is .*model\."):
        add_model(model.parent)


def test_weights_that_are_not_those_of_the_card_are_refused(model: Path) -> None:
    weights = model / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="their checksum is not the one on the card"):
        add_model(model)
    assert left_over() == []


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"context": 5}, r"has shape \[64, 3, 7, 7\] and should have \[64, 5, 7, 7\]"),
        ({"architecture": "slim-resnet34"}, r"is missing \(\d+ tensors differ\)"),
    ],
)
def test_weights_of_another_network_are_refused(
    model: Path, card: dict[str, object], message: str
) -> None:
    change(model, **card)
    with pytest.raises(ModelError, match=message):
        add_model(model)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_tells_its_tensors_without_their_values(architecture: str) -> None:
    from liverseg_gui.segmentation.networks.unet import build_network

    card = ModelCard("x", Path("x"), architecture, (64, 96), (0, 1), "", {}, 5)
    built = build_network(architecture, 5, (64, 96)).state_dict()
    assert expected_shapes(card, Progress()) == {n: tuple(v.shape) for n, v in built.items()}


def test_a_process_of_its_own_tells_the_same_tensors(model: Path) -> None:
    card = find_model(str(model))
    assert expected_shapes_apart(card, Progress()) == expected_shapes(card, Progress())


def test_checking_apart_can_be_cancelled(model: Path) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        add_model(model, None, progress, expected_shapes_apart)
    assert left_over() == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../evil.json", "leads to a place outside"),
        ("/etc/evil", "leads to a place outside"),
        ("m\\evil", "leads to a place outside"),
        ("C:/evil", "leads to a place outside"),
        ("m/run.sh", "it holds 'm/run.sh'"),
        ("m/deeper/card.json", "it holds 'm/deeper/card.json'"),
        ("other/card.json", "it holds 'other/card.json'"),
        ("m/best.pth", "can carry programs"),
    ],
)
def test_a_zip_with_anything_else_in_it_is_refused(
    model: Path, tmp_path: Path, name: str, message: str
) -> None:
    before = {p for p in tmp_path.rglob("*") if "home" not in p.parts}
    path = zipped(model, tmp_path / "m.zip", **{name: b"evil"})
    with pytest.raises(ModelError, match=message):
        add_model(path)
    assert {p for p in tmp_path.rglob("*") if "home" not in p.parts} == before | {path}
    assert left_over() == []


def test_a_link_in_a_zip_is_refused(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(model / "card.json", "card.json")
        link = zipfile.ZipInfo("weights.safetensors")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelError, match="leads to a place outside"):
        add_model(path)


def test_a_zip_that_would_fill_the_disk_is_refused_before_it_is_unpacked(
    model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(model / "card.json", "m/card.json")
        with archive.open("m/weights.safetensors", "w", force_zip64=True) as file:
            for _ in range(150):
                file.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ModelError, match="more than any weights of 'slim-resnet18'"):
        add_model(path)
    assert left_over() == []


def test_a_zip_that_is_damaged_or_none_is_refused(model: Path, tmp_path: Path) -> None:
    path = zipped(model, tmp_path / "m.zip")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    (tmp_path / "text.zip").write_text("no zip")
    for file in (path, tmp_path / "text.zip"):
        with pytest.raises(ModelError, match="is no zip archive, is damaged or is encrypted"):
            add_model(file)
    assert left_over() == []


def test_cancelling_leaves_nothing(model: Path) -> None:
    progress = Progress(lambda _, phase: progress.cancel() if phase.startswith("Copy") else None)
    with pytest.raises(Cancelled):
        add_model(model, None, progress)
    assert left_over() == []


def test_a_model_that_is_half_there_is_not_listed_and_is_swept_away_later(model: Path) -> None:
    half = user_models() / ".half-7-mine"
    shutil.copytree(model, half)
    os.utime(half, (0, 0))
    assert [m.name for m in list_models()] == ["default"]
    add_model(model)
    assert left_over() == ["untrained"]


def test_what_another_computer_is_adding_with_the_same_process_id_stays(model: Path) -> None:
    theirs = user_models() / f".half-{os.getpid()}-untrained"
    theirs.mkdir(parents=True)
    add_model(model)
    assert left_over() == [theirs.name, "untrained"]


def test_what_is_put_in_its_place_meanwhile_disturbs_no_other(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "glob", lambda folder, _: iter([folder / ".half-1-gone"]))
    assert add_model(model).name == "untrained"


def test_a_killed_add_leaves_no_model(model: Path, home: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from liverseg_gui.segmentation.models import store as s;"
        "s.checksum = lambda *_: os._exit(9);"
        "s.add_model(Path(sys.argv[1]), None, None)"
    )
    command = [sys.executable, "-c", code, str(model)]
    assert subprocess.run(command, check=False).returncode == 9
    assert len(left_over()) == 1  # what it was at
    assert [m.name for m in list_models()] == ["default"]


def test_a_removed_model_is_gone_and_the_default_is_chosen_again(
    model: Path, settings: Settings, tmp_path: Path
) -> None:
    add_model(model, "mine")
    choose_model("mine", settings)
    assert chosen_model(Settings(tmp_path / "settings.json")) == "mine"
    remove_model("mine", settings)
    assert left_over() == []
    assert chosen_model(settings) == "default"
    assert chosen_model(Settings(tmp_path / "settings.json")) == "default"


def test_removing_another_model_leaves_the_choice(model: Path, settings: Settings) -> None:
    add_model(model, "mine")
    add_model(model, "other")
    choose_model("mine", settings)
    remove_model("other", settings)
    assert chosen_model(settings) == "mine"


def test_what_comes_with_the_program_is_not_removed(settings: Settings) -> None:
    with pytest.raises(ModelError, match="comes with the program and stays"):
        remove_model("default", settings)
    assert find_model("default").weights.is_file()


def test_a_folder_is_neither_chosen_nor_removed(model: Path, settings: Settings) -> None:
    with pytest.raises(ModelError, match="Add it with"):
        choose_model(str(model), settings)
    with pytest.raises(ModelError, match="no installed model"):
        remove_model(str(model), settings)
    assert (model / "card.json").is_file()


def test_a_model_for_now_is_not_kept_and_the_next_choice_ends_it(
    model: Path, settings: Settings, tmp_path: Path
) -> None:
    settings.use_model_for_now(str(model))
    settings.change(hide_patient=True)
    assert chosen_model(settings) == str(model)
    assert chosen_model(Settings(tmp_path / "settings.json")) == "default"
    choose_model("default", settings)
    assert chosen_model(settings) == "default"
    assert chosen_model(settings, "wished") == "wished"


def test_a_damaged_model_is_not_exported(model: Path, tmp_path: Path) -> None:
    add_model(model, "mine")
    weights = user_models() / "mine" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="checksum"):
        export_as_zip("mine", tmp_path / "m.zip")
    with pytest.raises(SaveError, match=r"is exported as \.zip"):
        export_as_zip("default", tmp_path / "m.tar")
    with pytest.raises(SaveError, match="there is no folder"):
        export_as_zip("default", tmp_path / "gone" / "m.zip")
    assert not list(tmp_path.glob("*.zip"))


def test_the_figures_of_the_default_are_those_of_its_card() -> None:
    figures = model_figures(find_model("default"))
    assert (figures.patients, figures.held_out) == (28, 28)
    assert figures.liver_dice == pytest.approx(0.955, abs=5e-4)
    assert figures.tumor_dice == pytest.approx(0.458, abs=5e-4)


def test_figures_of_a_cross_validation_are_told_as_such(model: Path) -> None:
    rows = [{"liver_dice": 0.9, "tumor_dice": 0.5}, {"liver_dice": 0.8, "tumor_dice": None}]
    change(model, held_out=[], cross_validation={"cases": rows})
    told = dict(card_facts(find_model(str(model))))["Held-out patients"]
    assert told == (
        "2 patients in a cross-validation, each judged by a network that had never seen them: "
        "mean Dice of the liver 0.850, of tumors 0.500."
    )


def test_an_odd_card_is_told_as_far_as_it_goes(model: Path) -> None:
    change(
        model,
        trained_on="all",
        held_out=[7, {"liver_dice": "good", "tumor_dice": 3}, {"liver_dice": 0.9}],
        known_failures=["x"],
        intended_use="a\x1b[31m  b",
    )
    card = find_model(str(model))
    figures = model_figures(card)
    assert (figures.patients, figures.liver_dice, figures.tumor_dice) == (None, 0.9, None)
    assert dict(card_facts(card))["What it is for"] == "a[31m b"


def test_no_patient_is_named_in_what_is_told_of_a_card(model: Path) -> None:
    change(model, trained_on=["Doe^John", "x"], held_out=[{"name": "Roe^Jane", "liver_dice": 0.9}])
    told = str(card_facts(find_model(str(model))))
    assert "2 patients" in told
    assert "Doe" not in told
    assert "Roe" not in told


def test_weights_of_values_of_any_precision_fit(model: Path) -> None:
    """The check is of names and shapes: training may keep float32."""
    tensors = {n: np.zeros(s, np.float32) for n, s in shapes(model).items()}
    data = save(tensors)
    (model / "weights.safetensors").write_bytes(data)
    change(model, sha256=hashlib.sha256(data).hexdigest())
    assert add_model(model).card is not None


def shapes(model: Path) -> Shapes:
    return expected_shapes(find_model(str(model)), Progress())


def test_the_registry_loads_no_torch() -> None:
    code = (
        "import sys; import liverseg_gui.segmentation.models.store;"
        "from liverseg_gui.segmentation.models.registry import list_models; list_models();"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_card_tells_what_its_model_was_improved_from(model: Path) -> None:
    entry = {
        "name": "default",
        "liver_dice": {"other": 0.95, "ours": 0.961},
        "tumor_dice": None,
        "patients": [{"name": "Doe"}],
    }
    change(model, improved_from=entry)
    told = dict(card_facts(find_model(str(model))))["Improved from"]
    assert told == "default; mean Dice of the liver 0.950 before, 0.961 after."
    for foreign in ("default", {"name": 3}, {"liver_dice": {"other": "x"}}, None):
        change(model, improved_from=foreign)
        assert "Improved from" not in dict(card_facts(find_model(str(model))))
