"""Models for all users of a computer: an administrator's, read-only for everybody else."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from liverseg_gui.segmentation.models.registry import (
    ModelSource,
    find_installed,
    find_model,
    models_folder,
)
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.site_model import SiteModel
from liverseg_gui.system.paths import site_folder
from tests.cli.test_models_command import refused, said

NOBODY = 65534


@pytest.fixture
def computer(untrained_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that every user can enter, with a model in it; pytest's own are one user's alone."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    shutil.copytree(untrained_model, folder / "model")
    for path in (folder / "model", *(folder / "model").iterdir()):
        path.chmod(0o755)
    monkeypatch.setenv("LIVERSEG_SITE", str(folder / "share" / "liverseg"))
    monkeypatch.setenv("LIVERSEG_HOME", str(folder / "administrator"))
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def log_in(computer: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and own models are those of another user from now on."""
    (computer / name).mkdir(exist_ok=True)
    (computer / name).chmod(0o777)
    monkeypatch.setenv("LIVERSEG_HOME", str(computer / name))


@contextmanager
def unprivileged() -> Iterator[None]:
    """Without the rights of root, where the tests have them; elsewhere permissions must do."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_what_an_administrator_adds_is_there_for_every_user(
    computer: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(computer / "model"), "--name", "site", "--all-users")
    log_in(computer, "reader", monkeypatch)
    rows = {row["name"]: row for row in json.loads(said(capsys, "--json"))}
    assert rows["site"]["origin"] == "all users"
    assert rows["site"]["folder"] == str(computer / "share" / "liverseg" / "models" / "site")
    assert not rows["site"]["problem"]
    assert f"those for all users in {computer / 'share' / 'liverseg' / 'models'}." in said(capsys)
    said(capsys, "choose", "site")
    assert Settings().model == "site"
    assert find_model("site").architecture == "slim-resnet18"


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_it_can_be_read_by_all_whatever_the_umask_of_the_administrator(
    computer: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = os.umask(0o077)
    try:
        said(capsys, "add", str(computer / "model"), "--name", "site", "--all-users")
        said(capsys, "choose", "site", "--all-users")
    finally:
        os.umask(before)
    place = computer / "share"
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (place, *place.rglob("*"))}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o755}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o644}
    assert len(modes) == 7  # share, liverseg, settings, models, site, card, weights
    log_in(computer, "reader", monkeypatch)
    with unprivileged():
        assert Settings().model == "site"
        assert find_model("site").weights.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_user_without_the_right_is_told_so_in_one_line_and_nothing_changes(
    computer: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(computer / "model"), "--name", "site", "--all-users")
    for place in (site_folder(), models_folder(ModelSource.SITE)):
        place.chmod(0o555)  # whoever runs the tests is the administrator, too
    log_in(computer, "reader", monkeypatch)
    for words in (
        ("add", str(computer / "model"), "--name", "mine", "--all-users"),
        ("choose", "site", "--all-users"),
        ("remove", "site", "--all-users", "--yes"),
    ):
        with unprivileged():
            error = refused(capsys, *words)
        assert "Permission denied" in error
        assert "changed by an administrator" in error
        assert error.count("\n") == 1
    assert [path.name for path in models_folder(ModelSource.SITE).iterdir()] == ["site"]
    assert SiteModel().model == "default"


def test_a_user_cannot_take_a_name_of_the_site_and_keeps_one_that_came_first(
    computer: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log_in(computer, "reader", monkeypatch)
    said(capsys, "add", str(computer / "model"), "--name", "liver")
    log_in(computer, "administrator", monkeypatch)
    said(capsys, "add", str(computer / "model"), "--name", "Liver", "--all-users")
    assert "'Liver' for all users already" in refused(
        capsys, "add", str(computer / "model"), "--name", "Liver"
    )
    log_in(computer, "reader", monkeypatch)
    found = find_installed("Liver")
    assert found is not None
    assert (found.place, found.problem) == (ModelSource.USER, "")
    assert "name of a model of yours, which is used in its place" in said(capsys)
    said(capsys, "remove", "liver", "--yes")
    found = find_installed("Liver")
    assert found is not None
    assert (found.place, found.problem) == (ModelSource.SITE, "")


def test_a_model_of_the_site_is_removed_only_when_that_is_said(
    computer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(computer / "model"), "--name", "site", "--all-users")
    said(capsys, "choose", "site", "--all-users")
    assert "is for all users" in refused(capsys, "remove", "site", "--yes")
    told = said(capsys, "remove", "site", "--yes", "--all-users")
    assert "default is used from now on" in told
    assert find_installed("site") is None
    assert Settings().model == SiteModel().model == "default"


def test_a_model_that_an_administrator_has_too_can_be_chosen_for_all(
    computer: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(computer / "model"), "--name", "liver")
    told = said(capsys, "add", str(computer / "model"), "--name", "liver", "--all-users")
    assert "`liverseg models choose liver --all-users`" in told
    said(capsys, "choose", "liver", "--all-users")
    log_in(computer, "reader", monkeypatch)
    assert Settings().model == "liver"


def test_who_removes_their_chosen_model_has_the_choice_for_all_again(
    computer: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(computer / "model"), "--name", "site", "--all-users")
    said(capsys, "choose", "site", "--all-users")
    log_in(computer, "reader", monkeypatch)
    said(capsys, "add", str(computer / "model"), "--name", "mine")
    said(capsys, "choose", "mine")
    assert "site is used from now on" in said(capsys, "remove", "mine", "--yes")
    assert Settings().model == "site"


def test_the_choice_for_all_holds_until_a_user_chooses(
    computer: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(computer / "model"), "--name", "site", "--all-users")
    said(capsys, "choose", "site", "--all-users")
    log_in(computer, "reader", monkeypatch)
    Settings().change(hide_patient=True)  # other settings are kept, and leave the model as it is
    assert Settings().model == "site"
    assert "* site" in " ".join(said(capsys).split())
    said(capsys, "choose", "default")
    assert Settings().model == "default"


def test_a_model_of_one_user_cannot_be_the_choice_for_all(
    computer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(computer / "model"), "--name", "mine")
    assert "yours alone" in refused(capsys, "choose", "mine", "--all-users")
    assert not site_folder().exists()


@pytest.mark.parametrize("text", ["{", "[1]", '{"model": 7}', '{"model": ""}', "\x00"])
def test_a_choice_for_all_that_cannot_be_read_is_none(computer: Path, text: str) -> None:
    site_folder().mkdir(parents=True)
    (site_folder() / "settings.json").write_text(text)
    assert Settings().model == "default"


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_place_that_cannot_be_read_is_told_and_harms_nothing(
    computer: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "add", str(computer / "model"), "--name", "site", "--all-users")
    models_folder(ModelSource.SITE).chmod(0)
    log_in(computer, "reader", monkeypatch)
    with unprivileged():
        assert "which cannot be read (Permission denied)" in said(capsys)


def test_without_the_variable_it_is_the_usual_place_of_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LIVERSEG_SITE")
    monkeypatch.setenv("XDG_DATA_DIRS", "/usr/share/desktop:/usr/share")
    assert site_folder().is_absolute()
    if os.name == "posix":
        assert site_folder() in (
            Path("/usr/local/share/liverseg"),
            Path("/Library/Application Support/liverseg"),
        )
