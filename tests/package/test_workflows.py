"""The workflows of the repository's host: what they name is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FILE = re.compile(r"(?<![\w/.-])((?:tools|tests|\.ci)/[\w/.-]+|[\w-]+\.spec)")


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(path.read_text())["jobs"]


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job.get("steps", ())]


def test_there_is_one_for_the_tests_and_one_for_the_package() -> None:
    assert [path.name for path in WORKFLOWS] == ["package.yml", "test.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_waits_for_jobs_that_exist_and_runs_somewhere(path: Path) -> None:
    for name, job in jobs(path).items():
        needed = job.get("needs", name)
        assert set([needed] if isinstance(needed, str) else needed) <= set(jobs(path))
        assert ("runs-on" in job) != ("uses" in job)
        if "uses" in job:
            assert (ROOT / job["uses"]).is_file()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_step_is_an_action_of_a_major_version_or_runs_files_that_exist(path: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for step in steps(path):
        assert ("uses" in step) != ("run" in step)
        assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/none@v1"))
        for name in FILE.findall(step.get("run", "")):
            assert (ROOT / name).is_file(), name
        assert set(re.findall(r'"\.\[(\w+)\]"', step.get("run", ""))) <= set(extras)


def test_the_package_is_built_as_the_makefile_builds_it() -> None:
    (build,) = (step["run"] for step in steps(WORKFLOWS[0]) if step.get("name") == "Build")
    recipe = (ROOT / "Makefile").read_text().replace("\\\n", " ").splitlines()
    (made,) = (line.split() for line in recipe if "-m PyInstaller" in line)
    (built,) = (line.split() for line in build.splitlines() if "-m PyInstaller" in line)
    assert set(built) - {"python"} <= set(made)


def test_the_package_is_built_and_tests_itself_on_three_systems() -> None:
    (package,) = (job for job in jobs(WORKFLOWS[0]).values() if "strategy" in job)
    systems = [made["system"] for made in package["strategy"]["matrix"]["include"]]
    assert [name.split("-")[0] for name in systems] == ["ubuntu", "windows", "macos"]
    runs = [step.get("run", "") for step in package["steps"]]
    assert "${{ matrix.program }} self-test" in runs
