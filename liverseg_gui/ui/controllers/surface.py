"""Surfaces of the present mask, built in the background for as long as they are seen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.ui.controllers.app_context import AppContext
from liverseg_gui.ui.jobs.job_runner import Job, JobRunner
from liverseg_gui.ui.viewer.surface3d.view import NO_MASK, SurfaceView

if TYPE_CHECKING:
    from liverseg_gui.core.surface.mesh import Surface

BUILDING = "Building the surfaces ..."
UPDATING = "Updating the surfaces ..."
EMPTY = "The mask is empty: there is nothing to show in 3D"
READING = "Reading another scan ..."
_FAILED = "The surfaces could not be built:\n{}"


class SurfaceController(QObject):
    """Keeps the 3D pane in step with the mask.

    Its jobs run in a runner of their own: nobody asked for them, so they keep nobody waiting.
    """

    def __init__(self, context: AppContext, pane: SurfaceView) -> None:
        super().__init__()
        self._context, self._pane = context, pane
        self.runner = JobRunner()
        self._job: Job | None = None
        self._built: LabelMap | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._build)
        study = context.study
        study.volume_changed.connect(self._clear)
        study.mask_changed.connect(self._mask_changed)
        study.preview_changed.connect(self._preview_changed)
        study.measured.connect(self._build_soon)
        context.runner.became_idle.connect(self._build_soon)
        pane.shown_changed.connect(self._build_soon)

    def shutdown(self) -> bool:
        """End what runs, and take no more; whether the worker has ended."""
        self._soon.stop()
        ended = self.runner.shutdown()
        self._pane.drawing.close_renderer()
        return ended

    def _clear(self) -> None:
        """Nothing of a scan that is gone stays."""
        self._cancel()
        self._built = None
        self._pane.say(NO_MASK)

    def _preview_changed(self) -> None:
        if self._context.study.preview is not None:
            self._clear()
            self._pane.say(READING)
        else:
            self._mask_changed()

    def _mask_changed(self) -> None:
        if self._context.study.mask is self._built:
            return
        self._cancel()
        if self._context.study.mask is None:
            self._clear()
        else:
            self._pane.mark_stale(UPDATING if self._pane.drawing.surfaces else BUILDING)
            self._build_soon()

    def _build_soon(self, *_: object) -> None:
        """Build once whoever told has done what it was about to do."""
        self._soon.start(0)

    def _build(self) -> None:
        """Build what is missing: only where it is seen, and after the figures."""
        study, pane = self._context.study, self._pane
        mask = study.mask
        if mask is None or mask is self._built or self._job is not None:
            return
        if not pane.isVisible() or study.preview is not None:
            return
        if study.measurements is None and self._context.runner.busy:
            return
        if not pane.prepare():
            pane.say(pane.unavailable)
            return
        self._job = self.runner.submit(BUILDING, partial(_work, mask), partial(self._show, mask))
        self._job.failed.connect(partial(self._fail, mask))

    def _show(self, mask: LabelMap, surfaces: tuple[Surface, ...]) -> None:
        if mask is not self._context.study.mask or self._context.study.preview is not None:
            return
        self._job, self._built = None, mask
        if surfaces:
            self._pane.show_surfaces(surfaces)
        else:
            self._pane.say(EMPTY)

    def _fail(self, mask: LabelMap, message: str, _details: str) -> None:
        """Say so in the pane; the log has the details."""
        if mask is self._context.study.mask and self._context.study.preview is None:
            self._job, self._built = None, mask
            self._pane.say(_FAILED.format(message))

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None


def _work(mask: LabelMap, progress: Progress) -> tuple[Surface, ...]:
    from liverseg_gui.core.surface.mesh import build_surfaces

    return build_surfaces(mask, progress)
