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
    """A repository on main with one commit."""
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, "pyproject.toml")
    return tmp_path


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *WHO, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write("more\n")
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", name)


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
def test_on_main_the_last_commit_tells(checkout: Path, name: str, expected: bool) -> None:
    commit(checkout, name)
    assert changed(checkout) is expected


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
