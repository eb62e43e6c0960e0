"""The request for a training, and the command that carries it out. Free of Qt and torch."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from training.config.train_config import TrainConfig
from training.data.selection import DataSelection
from training.runs.files import RECIPE


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What to train on and with, and where to put it: the model called `name`, checkpoint and log.

    All of it lies in the folder `out`. `phantoms` synthetic abdomens are mixed in. `notes` go on
    the model's card: data and licenses, known failures. `fine_tune` means that the model which
    `config` starts from is fine-tuned, and compared with the new one.
    """

    out: Path
    data: DataSelection = field(default_factory=DataSelection)
    config: TrainConfig = field(default_factory=TrainConfig)
    name: str = "trained"
    phantoms: int = 2
    notes: Mapping[str, str] = field(default_factory=dict)
    fine_tune: bool = False

    def arguments(self) -> list[str]:
        """What follows `liverseg` on a command line; the configuration is read from `out`.

        `write_config_file` writes it there before the command is started.
        """
        data = self.data
        arguments = ["train", "--improve"] if self.fine_tune else ["train"]
        for folder in data.folders:
            arguments += ["--data", str(folder)]
        arguments += ["--corrected"] if data.corrected else []
        arguments += [f"--exclude={name}" for name in data.excluded]
        arguments += ["--allow-errors"] if data.allow_errors else []
        arguments += ["--recipe", str(self.out / RECIPE), "--out", str(self.out)]
        arguments += [f"--name={self.name}"]
        arguments += ["--folds", str(data.folds), "--fold", str(data.fold)]
        arguments += ["--split-seed", str(data.seed), "--phantoms", str(self.phantoms)]
        arguments += ["--split", str(data.split_file)] if data.split_file else []
        return arguments + [f"--note={name}={text}" for name, text in self.notes.items()]

    def command_line(self) -> str:
        """The command in one line, as a shell takes it."""
        return shlex.join(["liverseg", *self.arguments()])

    def to_json(self) -> dict[str, Any]:
        """The job as plain values, in one level; `from_json` reads them back."""
        data = self.data
        return {
            "out": str(self.out),
            "data": [str(folder) for folder in data.folders],
            "corrected": data.corrected,
            "excluded": data.excluded,
            "allow_errors": data.allow_errors,
            "name": self.name,
            "folds": data.folds,
            "fold": data.fold,
            "split_seed": data.seed,
            "phantoms": self.phantoms,
            "recipe": asdict(self.config),
            "split": str(data.split_file) if data.split_file else None,
            "notes": list(self.notes.items()),
            "improve": self.fine_tune,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainingJob:
        """The job of plain values.

        Raises:
            LiverSegError: the configuration has a setting that is unknown or out of its range.
            LookupError, TypeError, ValueError: they are no job.
        """
        data = DataSelection(
            folders=tuple(Path(folder) for folder in values["data"]),
            corrected=bool(values["corrected"]),
            excluded=tuple(str(name) for name in values["excluded"]),
            folds=int(values["folds"]),
            fold=int(values["fold"]),
            seed=int(values["split_seed"]),
            split_file=Path(values["split"]) if values["split"] else None,
            allow_errors=bool(values.get("allow_errors", False)),
        )
        return cls(
            out=Path(values["out"]),
            data=data,
            config=TrainConfig.from_json(values["recipe"]),
            name=str(values["name"]),
            phantoms=int(values["phantoms"]),
            notes={str(name): str(text) for name, text in values["notes"]},
            fine_tune=bool(values["improve"]),
        )
