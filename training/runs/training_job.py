"""A training as it is asked for, and the command that carries it out. Free of Qt and torch."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from training.config.train_config import TrainConfig
from training.runs.files import RECIPE


@dataclass(frozen=True)
class TrainingJob:
    """What to train on and where to put the outcome: `out/model`, with checkpoint and log in `out`.

    `data` are folders of labelled cases; `corrected` adds the studies corrected in this program,
    and `excluded` names cases that are left out. `fold` of `folds` is held out, by patient, as
    `split_seed` deals them, or what the file `split` holds out; with one fold all are trained on.
    `phantoms` synthetic abdomens are mixed in. `notes` are (name, words) for the model's card.
    `improve` fine-tunes the model that the recipe starts from, and judges old against new.
    """

    out: Path
    data: tuple[Path, ...] = ()
    corrected: bool = False
    excluded: tuple[str, ...] = ()
    name: str = "trained"
    folds: int = 5
    fold: int = 0
    split_seed: int = 5
    phantoms: int = 2
    config: TrainConfig = field(default_factory=TrainConfig)
    split: Path | None = None
    notes: tuple[tuple[str, str], ...] = ()
    improve: bool = False

    def arguments(self) -> list[str]:
        """What follows `liverseg` on a command line; the recipe is read from `out/recipe.toml`.

        `write_config_file` writes it there before the command is started.
        """
        words = ["train", "--improve"] if self.improve else ["train"]
        for folder in self.data:
            words += ["--data", str(folder)]
        words += ["--corrected"] if self.corrected else []
        words += [f"--exclude={name}" for name in self.excluded]
        words += ["--recipe", str(self.out / RECIPE), "--out", str(self.out)]
        words += [f"--name={self.name}"]
        words += ["--folds", str(self.folds), "--fold", str(self.fold)]
        words += ["--split-seed", str(self.split_seed), "--phantoms", str(self.phantoms)]
        words += ["--split", str(self.split)] if self.split else []
        return words + [f"--note={name}={text}" for name, text in self.notes]

    def command_line(self) -> str:
        """The command in one line, as a shell takes it."""
        return shlex.join(["liverseg", *self.arguments()])

    def to_json(self) -> dict[str, Any]:
        """The job as plain values; `from_json` reads them back."""
        values = asdict(self)
        values |= {"out": str(self.out), "data": [str(folder) for folder in self.data]}
        values["recipe"] = values.pop("config")
        return values | {"split": str(self.split) if self.split else None}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainingJob:
        """The job of plain values.

        Raises:
            LiverSegError: the recipe has a setting that is unknown or out of its range.
            LookupError, TypeError, ValueError: they are no job.
        """
        job = dict(values)
        job["out"] = Path(job["out"])
        job["data"] = tuple(Path(folder) for folder in job["data"])
        job["excluded"] = tuple(str(name) for name in job["excluded"])
        job["split"] = Path(job["split"]) if job["split"] else None
        job["notes"] = tuple((str(name), str(text)) for name, text in job["notes"])
        job["config"] = TrainConfig.from_json(job.pop("recipe"))
        return cls(**job)
