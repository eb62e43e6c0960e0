from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot
from safetensors.torch import save_file

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.segmentation.models.registry import find_model
from liverseg_gui.ui.training_window.config import form_rows as config_rows
from liverseg_gui.ui.training_window.config.augmentation_box import CHANGES, PAINTED
from liverseg_gui.ui.training_window.config.form_rows import ConfigRow
from liverseg_gui.ui.training_window.config.image_size_box import (
    COARSE,
    FINE,
    TRUNK_ALONE,
    USUAL,
    ImageSizeBox,
)
from liverseg_gui.ui.training_window.config.linked_setting import LinkedSetting
from liverseg_gui.ui.training_window.config.page import ConfigPage
from liverseg_gui.ui.widgets.theme import tone_of
from tests.training.tiny import write_lits2d
from tests.ui.training_window.conftest import Answers
from training.config.augmentation_config import Augmentation, SyntheticTumors
from training.config.config_file import read_config_file
from training.config.field_of_view import FieldOfView
from training.config.schedule import planned_rates
from training.config.train_config import TrainConfig
from training.data.slice_dataset import GRID
from training.planning.time_estimate import Estimate

UNUSUAL = TrainConfig(
    architecture="slim-resnet34-ppm",
    context=7,
    trunk=FieldOfView((64, 128), (64, 128)),
    liver=None,
    liver_share=1 / 3,
    epochs=3,
    fine_tune_epochs=0,
    learning_rate=1.2345678901234567e-4,
    fine_tune_rate=7e-7,
    batch_size=31,
    accumulate=5,
    loss="tversky",
    focal_gamma=1.23,
    tversky_beta=0.61,
    weight_decay=0.0,
    clip=0.3,
    average=0.0,
    patience=4,
    precision="float32",
    seed=2**32 - 1,
    device="cpu",
    encoder_weights="/somewhere/weights.pth",
    start_from="/somewhere/model",
    augmentation=Augmentation(rotation_degrees=90.0, tone=(-0.123, 0.987)),
    synthetic=None,
)
ROWS = [row for row in vars(config_rows).values() if isinstance(row, ConfigRow)]
NUMBERS = [row for row in (*ROWS, *config_rows.DETAILS) if not row.choices]


@pytest.fixture
def page(config_page: ConfigPage) -> ConfigPage:
    return config_page


def setting(page: ConfigPage, key: str) -> LinkedSetting:
    return page.form.settings[key]


def shown(page: ConfigPage, key: str) -> bool:
    """Whether a setting would be seen with its section open."""
    return setting(page, key).box.isVisibleTo(setting(page, key).box.parentWidget())


def item_enabled(box: QComboBox, data: str) -> bool:
    return bool(box.model().item(box.findData(data)).isEnabled())  # type: ignore[attr-defined]


def test_a_new_page_is_the_default_recipe_and_valid(page: ConfigPage) -> None:
    assert page.config() == TrainConfig()
    assert page.problem() == ""


def test_every_setting_is_taken_and_given_back_to_the_last_digit(page: ConfigPage) -> None:
    default = TrainConfig()
    assert all(getattr(UNUSUAL, f.name) != getattr(default, f.name) for f in fields(default))
    page.set_config(UNUSUAL)
    assert page.config() == UNUSUAL
    page.buttons.reset.click()
    assert page.config() == default


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: row.key)
def test_a_changed_number_reaches_the_recipe_and_is_told(
    page: ConfigPage, qtbot: QtBot, row: ConfigRow
) -> None:
    value = 9 if row.whole else row.high / 2
    with qtbot.waitSignal(page.changed):
        setting(page, row.key).box.setValue(value)  # type: ignore[union-attr]
    assert page.config() == replace(TrainConfig(), **{row.key: value})


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: row.key)
def test_boxes_end_where_the_recipe_does(row: ConfigRow) -> None:
    kind = int if row.whole else float
    for end in (row.low, row.high):
        replace(TrainConfig(), **{row.key: kind(end)})
    with pytest.raises(LiverSegError, match=row.key):
        replace(TrainConfig(), **{row.key: kind(row.high * 2 + 1)})


@pytest.mark.parametrize("row", [*CHANGES, *PAINTED], ids=lambda row: row.label)
def test_every_slider_moves_its_own_setting_alone(page: ConfigPage, row: object) -> None:
    slider = page.form.augmentation.sliders[row]  # type: ignore[index]
    slider.setValue(slider.value() + 1)
    now, before = page.config(), TrainConfig()
    moved = [
        (name, key)
        for name in ("augmentation", "synthetic")
        for key, value in asdict(getattr(now, name)).items()
        if value != asdict(getattr(before, name))[key]
    ]
    assert moved == [("synthetic" if row.painted else "augmentation", row.key)]  # type: ignore[attr-defined]
    assert replace(now, augmentation=before.augmentation, synthetic=before.synthetic) == before


def test_all_fields_of_the_random_changes_have_a_slider() -> None:
    assert {row.key for row in CHANGES} == {f.name for f in fields(Augmentation)}
    assert {row.key for row in PAINTED} == {f.name for f in fields(SyntheticTumors)}


def test_painting_is_switched_off_and_on(page: ConfigPage) -> None:
    page.form.augmentation.paint.click()
    assert page.config().synthetic is None
    page.form.augmentation.paint.click()
    assert page.config().synthetic == SyntheticTumors()


def test_what_is_invalid_is_said_and_leaves_nothing_to_save(page: ConfigPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.changed):
        setting(page, "context").box.setValue(4)  # type: ignore[union-attr]
    assert page.problem() == "The recipe's context is 4. Choose an odd number."
    assert page.message.text() == page.problem()
    assert tone_of(page.message) == "error"
    assert not page.buttons.save.isEnabled()
    with pytest.raises(LiverSegError, match="odd number"):
        page.config()
    setting(page, "context").choose(3)
    assert (page.problem(), page.message.text()) == ("", "")
    assert page.buttons.save.isEnabled()


def test_no_epochs_at_all_are_a_problem(page: ConfigPage) -> None:
    setting(page, "epochs").choose(0)
    setting(page, "fine_tune_epochs").choose(0)
    assert "no epochs" in page.problem()


def test_fewer_slices_than_a_batch_are_a_problem(page: ConfigPage) -> None:
    page.set_cases((), slices=7, validation_slices=1)
    assert "7 slices to train on, fewer than a batch of 8" in page.problem()


def test_a_model_to_start_from_decides_network_context_and_looks(page: ConfigPage) -> None:
    page.form.network.show_value("unet-resnet50")
    setting(page, "context").choose(9)
    start = page.form.start
    start.activated.emit(start.findData("model default"))
    card, config = find_model("default"), page.config()
    assert (config.start_from, config.encoder_weights) == ("default", None)
    assert (config.architecture, config.context) == (card.architecture, card.context)
    assert config.trunk == FieldOfView(card.size, card.size)
    assert config.liver is not None
    assert config.liver.of_trunk == card.liver_view_size
    locked = (page.form.network.network, page.form.image_size, setting(page, "context").box)
    assert not any(box.isEnabled() for box in locked)
    assert all("starts from" in box.toolTip() for box in locked)
    start.activated.emit(start.findData(""))
    assert page.config().start_from is None
    assert all(box.isEnabled() for box in locked)


def test_imagenet_is_greyed_out_with_the_reason_where_it_is_not_to_be_had(
    page: ConfigPage,
) -> None:
    start = page.form.start
    assert item_enabled(start, "imagenet")
    start.show_imagenet_problem("There is no network.")
    assert not item_enabled(start, "imagenet")
    start.show_start(("imagenet", None))
    assert not item_enabled(start, "imagenet")


def test_a_file_of_weights_is_taken_and_one_that_holds_none_is_given_up_and_said(
    page: ConfigPage, qtbot: QtBot, answers: Answers, tmp_path: Path
) -> None:
    start = page.form.start
    good, bad = tmp_path / "resnet.safetensors", tmp_path / "other.safetensors"
    save_file({"net.layer1.0.conv1.weight": torch.zeros(1)}, good)
    save_file({"something": torch.zeros(1)}, bad)
    for answers.weights in (good, bad):
        start.activated.emit(start.findData("file"))
        assert page.config().encoder_weights == str(answers.weights)
        qtbot.waitUntil(lambda: not page._quick.busy)
        if answers.weights == good:
            assert page.config().encoder_weights == str(good)
            assert page.config().freeze_epochs == 1
    assert page.config() == TrainConfig()
    assert "other.safetensors holds no weights of a ResNet" in page.message.text()
    answers.weights = None
    start.activated.emit(start.findData("file"))
    assert page.config() == TrainConfig()


def test_a_frozen_epoch_is_said_where_there_is_one(page: ConfigPage) -> None:
    assert "All of the network learns" in page.form.freezing.text()
    page.set_config(TrainConfig(encoder_weights="imagenet"))
    assert page.config().freeze_epochs == 1
    assert "frozen" in page.form.freezing.text()


def test_pyramid_pooling_is_offered_for_slim_networks_alone(page: ConfigPage) -> None:
    network = page.form.network
    network.multi_scale.click()
    assert page.config().architecture == "slim-resnet18-ppm"
    network.network.setCurrentIndex(network.network.findData("unet-resnet34"))
    assert page.config().architecture == "unet-resnet34"
    assert not network.multi_scale.isEnabled()
    assert "slim" in network.multi_scale.toolTip()


@pytest.mark.parametrize(
    ("loss", "gamma", "beta"),
    [
        ("dice+ce", False, False),
        ("dice+focal", True, False),
        ("tversky", False, True),
        ("focal-tversky+ce", False, True),
    ],
)
def test_only_what_the_loss_depends_on_is_shown(
    page: ConfigPage, loss: str, gamma: bool, beta: bool
) -> None:
    setting(page, "loss").choose(loss)
    assert (shown(page, "focal_gamma"), shown(page, "tversky_beta")) == (gamma, beta)


def test_early_stopping_warns_that_figures_are_not_honest(page: ConfigPage) -> None:
    early = page.form.early
    assert early.isHidden()
    setting(page, "patience").choose(3)
    assert not early.isHidden()
    assert "no longer honest" in early.text()


def test_float16_is_refused_on_the_cpu_and_greyed_out(page: ConfigPage) -> None:
    box = setting(page, "precision").box
    assert isinstance(box, QComboBox)
    assert not item_enabled(box, "fp16")
    page.set_config(TrainConfig(precision="fp16", device="cpu"))
    assert "float16 is for NVIDIA GPUs" in page.problem()


def test_devices_that_are_not_there_are_greyed_out_with_the_reason(
    page: ConfigPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page._take_offers(("cpu", {"cuda": "There is no GPU.", "mps": "", "cpu": "", "auto": ""}))
    box = setting(page, "device").box
    assert isinstance(box, QComboBox)
    assert [item_enabled(box, d) for d in ("auto", "cpu", "cuda", "mps")] == [
        True,
        True,
        False,
        True,
    ]
    qtbot.waitUntil(lambda: not page._quick.busy)


def test_a_recipe_is_saved_and_loaded(page: ConfigPage, answers: Answers, tmp_path: Path) -> None:
    answers.save = answers.open = tmp_path / "recipe.toml"
    page.set_config(UNUSUAL)
    page.buttons.save.click()
    assert read_config_file(tmp_path / "recipe.toml") == UNUSUAL
    page.set_config(TrainConfig())
    page.buttons.load.click()
    assert page.config() == UNUSUAL


def test_a_bad_recipe_is_said_and_nothing_changes(
    page: ConfigPage, answers: Answers, tmp_path: Path
) -> None:
    page.set_config(UNUSUAL)
    answers.open = tmp_path / "bad.toml"
    answers.open.write_text('epochs = "many"\n')
    page.buttons.load.click()
    assert "bad.toml" in page.message.text()
    assert "epochs must be a whole number" in page.message.text()
    assert page.config() == UNUSUAL


def test_the_command_line_is_copied_and_its_recipe_is_where_it_says(page: ConfigPage) -> None:
    assert not page.buttons.copy.isEnabled()
    assert page.buttons.copy.toolTip() == "Choose labelled cases first."
    page.set_command(lambda _, out: ["train", "--recipe", str(out / "recipe.toml")])
    page.set_config(UNUSUAL)
    copied = []
    for _ in range(2):
        page.buttons.copy.click()
        copied.append(shlex.split(QGuiApplication.clipboard().text()))
    assert [words[:3] for words in copied] == [["liverseg", "train", "--recipe"]] * 2
    assert copied[0] != copied[1]
    assert all(read_config_file(Path(words[3])) == UNUSUAL for words in copied)


def test_the_schedule_is_drawn_as_the_recipe_plans_it(page: ConfigPage) -> None:
    setting(page, "learning_rate").choose(0.01)
    _, rates = page.schedule.curve.getData()
    np.testing.assert_allclose(rates, planned_rates(page.config(), 60))
    assert rates.max() == pytest.approx(0.01, rel=1e-3)


def test_a_batch_that_fits_is_found(
    page: ConfigPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 4 * 10**9
    monkeypatch.setattr("training.planning.batch_size.memory_left", lambda _: free)
    page.set_config(TrainConfig(device="cpu", precision="float32"))
    page.form.find_batch.click()
    qtbot.waitUntil(page.form.find_batch.isEnabled)
    assert page.config().batch_size > 8
    assert f"Batches of {page.config().batch_size} slices fit" in page.message.text()


def test_an_estimate_is_shown_and_marked_once_the_recipe_is_another(
    page: ConfigPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Estimate(4230, 3210, "cpu", "float32", 1.0, 2.0, 0.5)
    asked: list[tuple[object, ...]] = []

    def measured(*args: object) -> Estimate:
        asked.append(args[:3])
        return found

    monkeypatch.setattr(
        "liverseg_gui.ui.training_window.widgets.time_estimate_bar.estimate_time", measured
    )
    bar = page.estimate
    assert not bar.button.isEnabled()
    page.set_cases((), slices=900, validation_slices=100)
    bar.button.click()
    qtbot.waitUntil(lambda: bar.line.text() == "About 1 h 10 min on this CPU, 3.2 GB")
    assert asked == [(TrainConfig(), 900, 100)]
    setting(page, "epochs").choose(50)
    assert "for an earlier recipe" in bar.line.text()
    assert tone_of(bar.line) == "warning"


@pytest.mark.parametrize("looks", [COARSE, USUAL, FINE, TRUNK_ALONE])
def test_named_sizes_keep_the_proportions_of_prepared_cases(
    looks: tuple[FieldOfView, FieldOfView | None],
) -> None:
    trunk, liver = looks
    assert trunk.size == trunk.of_trunk
    for size in (trunk.of_trunk, *([liver.of_trunk] if liver else [])):
        assert size[0] * GRID[1] == size[1] * GRID[0]
        assert size <= GRID
    replace(TrainConfig(), trunk=trunk, liver=liver)


def test_looks_that_have_no_name_are_listed_as_given(qtbot: QtBot) -> None:
    box = ImageSizeBox()
    qtbot.addWidget(box)
    own = (FieldOfView((64, 128), (64, 128)), None)
    box.show_value(own)
    assert box.value() == own
    assert box.currentText().startswith("As given")
    box.show_value(FINE)
    assert box.value() == FINE


_FRESH = """
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.training_window.config.page import ConfigPage
from training.data.dataset_layouts import find_sources


def main():
    data, weights, settings = map(Path, sys.argv[1:])
    app = QApplication([])
    page = ConfigPage(Settings(settings), ask_weights=lambda _: weights)
    page.set_cases(find_sources(data))
    page.show()
    page.form.find_batch.click()
    page.form.start.activated.emit(page.form.start.findData("file"))
    while page._quick.busy or page.preview._timer.isActive() or not page.preview.pictures._images:
        app.processEvents()
    print(page.form.find_batch.isEnabled(), page.message.text())
    page.shutdown()
    print("torch" in sys.modules)


if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
def test_the_windows_process_never_loads_torch(tmp_path: Path) -> None:
    data, weights = write_lits2d(tmp_path / "data", (3, 7)), tmp_path / "other.safetensors"
    save_file({"something": torch.zeros(1)}, weights)
    script = tmp_path / "fresh.py"
    script.write_text(_FRESH)
    words = [str(path) for path in (script, data, weights, tmp_path / "settings.json")]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    page, loaded = done.stdout.splitlines()[-2:]
    assert page.startswith(f"True {weights} holds no weights of a ResNet.")
    assert loaded == "False"
