"""Stand-in for the process of a training: locks, records and events, and no work.

It tells an epoch, then waits for what is asked of it, or for a file "act" with a word: "epoch" for
another epoch, "finish", "finish, and stay" (its process takes long to go), "fail", "fail, of CASE".
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from training.config.config_file import read_config_file
from training.runs.control import RunCommand, clear_commands, last_command, read_command
from training.runs.events import EventFile, NextStep, end_event
from training.runs.files import CHECKPOINT, EVENTS
from training.runs.folder import RunState, held
from training.runs.state_file import RunStateFile
from training.runs.training_job import TrainingJob
from training.runs.validation_image_file import ValidationImages, write_validation_images

ACT = "act"
_LOOK_S = 0.01


class Player:
    """A training of two stages with three epochs each."""

    def __init__(self, out: Path, record: RunStateFile, tell: EventFile, done: int) -> None:
        self.out, self.record, self.tell, self.done = out, record, tell, done
        self.stays = False

    def epoch(self) -> None:
        self.done += 1
        stage, epoch = ("one cycle", self.done) if self.done <= 3 else ("fine-tune", self.done - 3)
        row = {"train_loss": 1 / self.done, "valid_loss": 2 / self.done, "seconds": 1.0}
        row |= {"liver_dice": 0.9, "tumor_dice": self.done / 10, "accuracy": 0.99}
        (self.out / CHECKPOINT).write_text(str(self.done))
        self.tell({"event": "epoch", "stage": stage, "epoch": epoch, **row, "learning_rate": 1e-3})
        place = f"pictures/{self.done:03d}.npz"
        write_validation_images(self.out / place, slices(self.done))
        self.tell({"event": "pictures", "stage": stage, "epoch": epoch, "path": place})
        self.progress()

    def progress(self) -> None:
        usage = {"cpu_percent": 50.0, "memory_mb": 1500.0, "gpu_percent": None}
        phase = f"Training: epoch {self.done + 1}"
        event = {"event": "progress", "fraction": self.done / 6, "phase": phase, "eta_s": 300.0}
        self.tell(event | usage | {"gpu_memory_mb": None})

    def end(
        self,
        state: RunState,
        reason: str = "",
        remedy: str = "",
        action: str = "",
        case: str | None = None,
        model: str | None = None,
    ) -> None:
        event = end_event(state.value, reason, remedy, action, case, model)
        self.record.enter(state, event["message"], model)
        self.tell(event)

    def play(self) -> None:
        while True:
            wish, act = read_command(self.out), self.act()
            if wish is RunCommand.CANCEL:
                return self.end(RunState.CANCELLED, "Cancelled.")
            if wish is RunCommand.PAUSE:
                self.pause()
            elif act == "epoch":
                self.epoch()
                if read_command(self.out) is RunCommand.STOP:
                    return self.end(RunState.STOPPED, "Stopped as asked.")
            elif act.startswith("finish"):
                self.stays = act.endswith("stay")
                return self.end(RunState.FINISHED, model="model")
            elif act == "fail":
                return self.end(
                    RunState.FAILED, "The disk is full.", "Try --resume.", NextStep.MAKE_ROOM
                )
            elif act.startswith("fail, of "):
                reason = f"Case {act[9:]} could not be read."
                return self.end(RunState.FAILED, reason, case=act[9:])
            time.sleep(_LOOK_S)

    def act(self) -> str:
        try:
            word = (self.out / ACT).read_text()
            (self.out / ACT).unlink()
        except OSError:
            return ""
        return word

    def pause(self) -> None:
        self.record.enter(RunState.PAUSED)
        self.tell({"event": "paused"})
        while read_command(self.out) is RunCommand.PAUSE:
            time.sleep(_LOOK_S)
        self.record.enter(RunState.RUNNING)
        self.tell({"event": "resumed"})


def slices(epoch: int) -> ValidationImages:
    """Six slices, in which as many pixels of tumor are found as epochs are done."""
    shape = (6, 20, 30)
    truth, found = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    truth[:, 5:15, 5:20] = 1
    found[:, 5, 5 : 5 + epoch] = 2
    names = tuple(f"007 {k}" for k in range(6))
    return ValidationImages(np.full(shape, 90, np.uint8), truth, found, names)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--name")
    parser.add_argument("--resume", action="store_true")
    known, _ = parser.parse_known_args()
    out: Path = known.out
    job = TrainingJob(out=out, name=known.name, config=read_config_file(out / "recipe.toml"))
    earlier = last_command(out)
    with held(out):
        clear_commands(out, earlier)
        record = RunStateFile(job, "liverseg train")
        tell = EventFile(out / EVENTS, append=known.resume)
        done = int((out / CHECKPOINT).read_text()) if (out / CHECKPOINT).exists() else 0
        if known.resume:
            tell({"event": "resumed"})
        stages = [["one cycle", 3], ["fine-tune", 3]]
        cases = {"training": ["1", "2"], "held_out": ["3"]}
        fitted = {"device": "cpu", "precision": "float32", "batch_size": 8}
        tell({"event": "start", "stages": stages, **cases, **fitted})
        player = Player(out, record, tell, done)
        player.epoch()
        player.play()
    if player.stays:
        time.sleep(1500)


if __name__ == "__main__":
    sys.exit(main())
