"""The detached process of a training: start, state, and the guard against a second one."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError, SaveError, UnreadableFileError
from liverseg_gui.system.crash_report import FATAL
from liverseg_gui.system.relaunch import own_command
from training.config.config_file import write_config_file
from training.runs.control import RunCommand, send_command
from training.runs.files import RECIPE, STDERR
from training.runs.folder import RunState, read_run
from training.runs.registry import known_runs, register_run
from training.runs.training_job import TrainingJob

_STARTED: list[RunProcess] = []
"""Kept until they end: a child that nobody waits for stays in the table of the system."""
Identity = tuple[int, str]
"""Which process wrote a record, and when it started."""


class RunProcess:
    """A process that was started here for `job`; `before` is whose record its folder had then."""

    def __init__(
        self, process: subprocess.Popen[bytes], job: TrainingJob, before: Identity | None
    ) -> None:
        self._process, self.job, self._before = process, job, before
        _STARTED.append(self)

    @property
    def out(self) -> Path:
        """The folder of its training."""
        return self.job.out

    @property
    def recorded(self) -> bool:
        """Whether it has written its own record by now: its number is no proof on Windows, where
        a launcher may stand between."""
        return _identity(self.out) != self._before

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Terminate it, as long as it does not read commands yet."""
        self._process.terminate()

    @property
    def exit_reason(self) -> str:
        """Why it ended, from its stderr or exit code."""
        code = self._process.poll()
        return stderr_tail(self.out) or f"It ended at once (code {code}), without saying why."


def start_process(
    job: TrainingJob, resume: bool = False, command: Sequence[str] | None = None
) -> RunProcess:
    """Write the configuration of `job`, register its folder, and start it detached.

    What it prints as an error goes to stderr.txt in its folder. `command` stands before the
    arguments; without it, it is this program.

    Raises:
        SaveError: the folder cannot be written.
        LiverSegError: the process cannot be started.
    """
    if not (resume and (job.out / RECIPE).exists()):
        write_config_file(job.config, job.out / RECIPE)
    register_run(job.out)
    argv = [*(command or own_command()), *job.arguments(), "--json"]
    argv += ["--resume"] if resume else []
    before = _identity(job.out)
    _STARTED[:] = [process for process in _STARTED if process.alive]
    return RunProcess(_spawn(argv, job.out), job, before)


def starting_processes() -> list[RunProcess]:
    """The processes that were started here and have not recorded anything yet."""
    return [run for run in _STARTED if run.alive and not run.recorded]


def starting(out: Path) -> RunProcess | None:
    """That of them that was started for `out`."""
    return next((run for run in starting_processes() if run.out == out), None)


def active_run_name(out: Path) -> str | None:
    """The name of the training in `out`, if a process works on it."""
    process = starting(out)
    try:
        run = read_run(out)
    except UnreadableFileError:
        return None if process is None else out.name
    return run.name if run.active or process is not None else None


def is_paused(out: Path) -> bool:
    """Whether the training in `out` waits until it is resumed."""
    try:
        return read_run(out).state is RunState.PAUSED
    except UnreadableFileError:
        return False


def cancel_training(out: Path) -> None:
    """Cancel the training in `out`; one that does not read commands yet is terminated.

    Raises:
        LiverSegError: the folder cannot be written.
    """
    process = starting(out)
    if process is not None:  # asked first: the record there is an earlier one's
        process.end()
        return
    with contextlib.suppress(UnreadableFileError):
        if read_run(out).active:
            send_command(out, RunCommand.CANCEL)


def _spawn(argv: Sequence[str], out: Path) -> subprocess.Popen[bytes]:
    try:
        stderr = (out / STDERR).open("wb")
    except OSError as error:
        raise SaveError(
            f"{out} could not be written: {error.strerror}. Choose another folder."
        ) from error
    with stderr:
        try:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # a pipe would be gone with the window
                stderr=stderr,
                start_new_session=True,  # a Ctrl+C or hang-up of the window does not reach it
                creationflags=_creation_flags(),
            )
        except OSError as error:
            raise LiverSegError(
                f"The training could not be started: {error.strerror}. Start the program again."
            ) from error


def _creation_flags() -> int:
    """Windows: no console of its own, and none that is closed with the window's."""
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


def _identity(out: Path) -> Identity | None:
    try:
        record = read_run(out)
    except UnreadableFileError:
        return None
    return record.pid, record.started


def stderr_tail(out: Path) -> str:
    """The last line that a training printed as an error, how it crashed, or nothing.

    Lines that are indented belong to a traceback or a warning above them.
    """
    try:
        text = (out / STDERR).read_bytes()[-65_536:].decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.rstrip() for line in text.splitlines() if line[:1].strip()]
    if crashes := [line for line in lines if line.startswith(FATAL)]:
        return crashes[-1]
    return lines[-1].removeprefix("liverseg: ") if lines else ""


class BusyError(LiverSegError):
    """Another training runs: the one in `out`."""

    def __init__(self, name: str, state: str, out: Path) -> None:
        super().__init__(
            f'The training "{name}" is {state} on this computer. Two at once would be slower than '
            "one after the other, and may run out of memory: wait for it, or end it first."
        )
        self.out = out


def require_no_other_run() -> None:
    """Refuse to start a training beside another one, whoever started that.

    Those that are only starting are asked first: they are known to run as soon as they are not.

    Raises:
        BusyError: one runs already, is paused, or was started here and is not known to run yet.
    """
    for process in starting_processes():
        raise BusyError(process.job.name, "starting", process.out)
    for run in known_runs():
        if run.active:
            raise BusyError(run.name, run.state, run.out)
