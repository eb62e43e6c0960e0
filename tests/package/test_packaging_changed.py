"""When CI builds the package: only where it may have changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "packaging-changed"
WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org")

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="there is no git here")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository on main with one commit, made a day before the others."""
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, "pyproject.toml", hour=0)
    return tmp_path


def git(folder: Path, *words: str, hour: int = 24) -> None:
    date = f"{1_800_000_000 + hour * 3600} +0000"
    environment = os.environ | {"GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date}
    command = ["git", *WHO, *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)


def commit(folder: Path, name: str, hour: int = 24) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write("more\n")
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", name, hour=hour)


def changed(folder: Path) -> bool:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "CI_BASE"))}
    done = subprocess.run(
        [str(SCRIPT)], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert not done.stderr
    return done.returncode == 0


def test_without_history_it_counts_as_changed(checkout: Path) -> None:
    assert changed(checkout)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pyinstaller.spec", True),
        ("pyproject.toml", True),
        ("resources/card.json", True),
        ("README.md", False),
    ],
)
def test_on_main_all_commits_that_came_together_tell(
    checkout: Path, name: str, expected: bool
) -> None:
    commit(checkout, name, hour=22)
    commit(checkout, "CHANGELOG.md")
    assert changed(checkout) is expected


def test_what_it_looks_at_is_there() -> None:
    words = SCRIPT.read_text().partition(" HEAD -- ")[2].replace("\\\n", " ").split()
    root = SCRIPT.parents[1]
    assert len(words) > 10
    assert [word for word in words if not list(root.glob(word.strip("'")))] == []


def test_on_main_what_came_the_day_before_does_not_tell(checkout: Path) -> None:
    commit(checkout, "pyinstaller.spec", hour=2)
    commit(checkout, "README.md", hour=26)
    assert not changed(checkout)


def test_on_a_branch_all_of_its_commits_tell(checkout: Path) -> None:
    git(checkout, "checkout", "-q", "-b", "topic")
    commit(checkout, "pyproject.toml")
    commit(checkout, "README.md")
    assert changed(checkout)


def test_what_main_did_before_the_branch_does_not_tell(checkout: Path) -> None:
    commit(checkout, "pyproject.toml")
    git(checkout, "checkout", "-q", "-b", "topic")
    commit(checkout, "README.md")
    assert not changed(checkout)
