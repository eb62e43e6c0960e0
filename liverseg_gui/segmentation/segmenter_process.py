"""Segmenter in a process of its own (docs/adr/0002): the window never waits for torch.

The process is started before it is needed, kept between requests with the network in memory, and
ended when a request does not stop in time or the program closes.
"""

from __future__ import annotations

import logging
import threading
import traceback
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import Cancelled, LiverSegError, SegmentationError
from liverseg_gui.core.geometry import StoredGrid
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.segmentation.models.registry import find_model
from liverseg_gui.segmentation.segmenter import Segmentation
from liverseg_gui.system.child_process import POLL_S, Child, start_child
from liverseg_gui.system.crash_report import crash_file

if TYPE_CHECKING:
    from liverseg_gui.segmentation.segmenter import Segmenter

_PATIENCE_SECONDS = 0.7
_PIECE_BYTES = 2**20
_LOG = logging.getLogger("liverseg.process")


class ProcessSegmenter:
    """A `Segmenter` whose work is done by a child process. One request at a time.

    `model` (a name or folder of the registry), `device` (auto, cpu, cuda or mps) and `quality`
    (fast or best) can be changed: the next request is done so, and one that runs already goes on
    as it is. Only another device starts another process.
    """

    def __init__(self, model: str = "default", device: str = "auto", quality: str = "fast") -> None:
        self.model, self.device, self.quality = model, device, quality
        self._child: Child | None = None
        self._ready = False
        self._started_on = device
        self._lock = threading.RLock()

    def warm_up(self) -> None:
        """Start the process, if it does not run, without waiting for it; from any thread."""
        with self._lock:
            if self._child is not None and self._child.process.is_alive():
                return
            self.close()
            self._started_on = self.device
            self._child = start_child(_serve, self._started_on, name="liverseg-segmenter")

    def segment(self, volume: Volume, progress: Progress) -> Segmentation:
        """See `Segmenter.segment`. Cancelling acts within a second."""
        progress.update(0.0, "Starting the model")
        if self._started_on != self.device:
            self.close()
        self.warm_up()
        assert self._child is not None
        pipe = self._child.pipe
        try:
            if not self._ready:
                self._wait(pipe, progress)
                self._ready = True
            pipe.send((self.model, self.quality))
            pipe.send((volume.grid, volume.origin, volume.issues))
            send_array(pipe, volume.hu)
            result: Segmentation = self._wait(pipe, progress)
            return result
        except Cancelled:
            if self._ready:
                self._stop(pipe)
            raise
        except (EOFError, OSError) as error:
            if report := self._end():
                raise _crashed(report) from error
            raise SegmentationError(
                "The segmentation process ended unexpectedly, often for lack of memory. The scan "
                "is unharmed: close other programs and try again."
            ) from error

    def close(self) -> None:
        """End the process. If it crashed while nobody waited for it, the log has its last words."""
        if report := self._end():
            _LOG.error("The process of the model crashed while it was idle.\n%s", report)

    def _end(self) -> str:
        """End the process; what it wrote if it crashed, or nothing."""
        with self._lock:
            child, self._child, self._ready = self._child, None, False
            return child.end() if child is not None else ""

    def _wait(self, pipe: Connection, progress: Progress) -> Any:
        """Pass on progress until the process is ready, done or failed; what it sent last."""
        fraction, phase = 0.0, "Starting the model"
        while True:
            progress.update(fraction, phase)
            if not pipe.poll(POLL_S):
                continue
            kind, value = pipe.recv()
            if kind == "progress":
                fraction, phase = value
            elif kind == "failed":
                raise _rebuilt(*value)
            elif kind == "done":
                return _receive_result(pipe, *value)
            else:
                return value

    def _stop(self, pipe: Connection) -> None:
        """Ask the process to give up; end it if it does not soon."""
        try:
            pipe.send("cancel")
            while pipe.poll(_PATIENCE_SECONDS):
                kind, value = pipe.recv()
                if kind == "done":
                    _receive_result(pipe, *value)
                if kind != "progress":
                    return
        except (EOFError, OSError):
            self.close()
            return
        self.close()


def send_array(pipe: Connection, array: NDArray[Any]) -> None:
    """Send a 3D `array` piece by piece: pickled whole it would hold up every other thread."""
    pipe.send((array.shape, array.dtype.str))
    step = _piece(array.shape, array.itemsize)
    for k in range(0, array.shape[2], step):
        piece = np.asfortranarray(array[:, :, k : k + step])
        pipe.send_bytes(piece.T.data.cast("B"))


def receive_array(pipe: Connection) -> NDArray[Any]:
    """What `send_array` sent, in Fortran order."""
    shape, dtype = pipe.recv()
    array = np.empty(shape, dtype, order="F")
    step = _piece(shape, array.itemsize)
    for k in range(0, shape[2], step):
        piece = np.frombuffer(pipe.recv_bytes(), dtype)
        array[:, :, k : k + step] = piece.reshape((*shape[:2], -1), order="F")
    return array


def _piece(shape: tuple[int, ...], itemsize: int) -> int:
    """How many slices make about a megabyte."""
    return max(_PIECE_BYTES // max(shape[0] * shape[1] * itemsize, 1), 1)


def _rebuilt(expected: bool, message: str, details: str) -> Exception:
    if expected:
        return SegmentationError(message)
    return RuntimeError(f"{message}\n{details}")


def _crashed(report: str) -> Exception:
    """An error that nobody foresaw, with the last words of the process in its traceback."""
    error = RuntimeError("The process of the model crashed. Try again, or on another device.")
    error.add_note(report)
    return error


@crash_file()
def _serve(pipe: Connection, device: str) -> None:
    """The child: say "ready" once torch is loaded, then answer requests until the pipe closes."""
    segmenters = _Segmenters(device)
    pipe.send(("ready", None))
    while True:
        try:
            request = pipe.recv()
        except EOFError:
            return
        if request == "cancel":
            continue
        model, quality = request
        grid, origin, issues = pipe.recv()
        volume = Volume(receive_array(pipe), grid, origin, issues)
        progress = _piped_progress(pipe)
        try:
            segmenter = segmenters.get(model, quality)
            _send_result(pipe, segmenter.segment(volume, progress))
        except Cancelled:
            pipe.send(("cancelled", None))
        except BrokenPipeError:
            return
        except Exception as error:
            expected = isinstance(error, LiverSegError)
            pipe.send(("failed", (expected, str(error), traceback.format_exc())))


class _Segmenters:
    """Keeps the segmenter that was used last, with its network in memory.

    Another one takes its place when another model or quality is asked for, and when what lies
    under the model's name is not what it was.
    """

    def __init__(self, device: str) -> None:
        from liverseg_gui.segmentation.inference import NetworkSegmenter

        self._make, self._device = NetworkSegmenter, device
        self._kept: Segmenter | None = None
        self._made_of: tuple[object, str] | None = None

    def get(self, model: str, quality: str) -> Segmenter:
        """The segmenter for `model` and `quality`.

        Raises:
            ModelError: there is no such model.
        """
        made_of = (find_model(model), quality)
        if self._kept is None or made_of != self._made_of:
            self._kept = None  # before the next one takes memory
            self._kept = self._make(model, self._device, quality)
            self._made_of = made_of
        return self._kept


def _send_result(pipe: Connection, result: Segmentation) -> None:
    about = (result.model, result.device, result.seconds, result.warnings, result.why)
    pipe.send(("done", (result.labels.grid, about)))
    send_array(pipe, result.labels.labels)


def _receive_result(pipe: Connection, grid: StoredGrid, about: Any) -> Segmentation:
    return Segmentation(LabelMap(receive_array(pipe), grid), *about)


def _piped_progress(pipe: Connection) -> Progress:
    def report(fraction: float, phase: str) -> None:
        if pipe.poll() and pipe.recv() == "cancel":
            raise Cancelled
        pipe.send(("progress", (fraction, phase)))

    return Progress(report)
