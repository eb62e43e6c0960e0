"""The status bar: values under the cursor, jobs, tool and window/level, and the notice."""

from __future__ import annotations

from PySide6.QtWidgets import QStatusBar

from liverseg_gui.core.geometry import Int3
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.jobs.job_bar import JobBar
from liverseg_gui.ui.viewer.slice_view import SliceView, slab_name
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.severity import SHORT_MARK
from liverseg_gui.ui.widgets.theme import set_tone

_GAP_PX = 12
NOTICE = "Research use only. Not a medical device."


class StatusBar:
    """Fills `bar`. `cursor` and `view_label` are its texts."""

    def __init__(self, bar: QStatusBar, study: OpenScan, view: ViewState, jobs: JobBar) -> None:
        self._study, self._view = study, view
        self.cursor, self.view_label, notice = PlainLabel(), PlainLabel(), PlainLabel(NOTICE)
        set_tone(notice, "warning")
        self.view_label.setContentsMargins(0, 0, _GAP_PX, 0)
        bar.addWidget(self.cursor)
        for widget in (jobs, self.view_label, notice):
            bar.addPermanentWidget(widget)

    def show_cursor(self, view: SliceView, voxel: Int3 | None) -> None:
        """HU, voxel and patient mm under the cursor of `view`, in its corner too; or nothing."""
        volume = self._study.volume
        if voxel is None or volume is None:
            self.cursor.setText("")
            view.labels.set(hu="")
            return
        x, y, z = volume.affine.to_mm(voxel)
        i, j, k = voxel
        mark = "" if volume.mm_reliable else SHORT_MARK
        shown, slab = view.hu_shown(voxel), self._view.slab
        of = f" ({slab_name(slab.mode)})" if slab.on else ""
        hu = f"{volume.hu[voxel] if shown is None else shown} HU{of}"
        view.labels.set(hu=hu)
        self.cursor.setText(
            f"{hu}    voxel {i}, {j}, {k}    R {x:.1f}  A {y:.1f}  S {z:.1f} mm{mark}"
        )

    def show_view(self, view: SliceView) -> None:
        """Tool and window, and the zoom of `view`."""
        state = self._view
        if self._study.volume is None:
            self.view_label.setText("")
            return
        window = state.window
        self.view_label.setText(
            f"{state.dragging.value}   {view.zoom_percent:.0f} %   "
            f"W {window.width:.0f} L {window.center:.0f}"
        )
