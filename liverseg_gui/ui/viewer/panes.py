"""The panes and how they are arranged: one alone, one and three, two by two, a strip."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from liverseg_gui.core.geometry import Int3
from liverseg_gui.core.planes import Plane
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.view import Layout, Pane, ViewState
from liverseg_gui.ui.viewer.axial_strip import AxialStrip
from liverseg_gui.ui.viewer.slice_view import SliceView
from liverseg_gui.ui.viewer.surface3d.view import SurfaceView

_LARGE, _STRIP = 600, 150
_SHARES = {Layout.ONE_THREE: (620, 380), Layout.TWO_BY_TWO: (500, 500)}


class PaneGrid(QWidget):
    """Three planes, the 3D pane and the strip, shown as `ViewState` says.

    Two columns; only the sagittal plane ever changes its column.
    """

    def __init__(self, study: OpenScan, view: ViewState, surface: SurfaceView) -> None:
        super().__init__()
        self._study, self._view = study, view
        self.views = {plane: SliceView(plane, study, view) for plane in Plane}
        self.surface = surface
        self.strip = AxialStrip(study, view)
        self.panes: dict[Pane, QWidget] = {
            **{Pane[plane.name]: each for plane, each in self.views.items()},
            Pane.SURFACE: surface,
        }
        self._columns = [QSplitter(Qt.Orientation.Vertical) for _ in range(2)]
        self._split = QSplitter(Qt.Orientation.Horizontal)
        for column in self._columns:
            self._split.addWidget(column)
            column.setChildrenCollapsible(False)
        self._split.setChildrenCollapsible(False)
        self._columns[0].addWidget(self.panes[Pane.AXIAL])
        self._columns[0].addWidget(self.strip)
        for pane in (Pane.CORONAL, Pane.SAGITTAL, Pane.SURFACE):
            self._columns[1].addWidget(self.panes[pane])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._split)
        self._arranged: tuple[object, ...] = ()
        self._magnified = 1.0
        self._link_later = QTimer(self)
        self._link_later.setSingleShot(True)
        self._link_later.timeout.connect(self._keep_linked)
        study.preview_changed.connect(self._fit_linked)
        for each in self.views.values():
            each.box.sigResized.connect(lambda *_: self._link_later.start(0))
            each.focused.connect(partial(setattr, view, "active", each.pane))
            each.maximize_requested.connect(partial(view.maximize, each.pane))
            each.zoomed.connect(partial(self._zoom_others, each))
            each.panned.connect(partial(self._pan_others, each))
        surface.focused.connect(partial(setattr, view, "active", Pane.SURFACE))
        surface.maximize_requested.connect(partial(view.maximize, Pane.SURFACE))
        view.events.layout.connect(self.arrange)
        view.events.active.connect(self.arrange)
        view.events.maximized.connect(self.arrange)
        view.events.linked.connect(self._link)
        self.arrange()

    @property
    def shown(self) -> tuple[Pane, ...]:
        """The panes that are to be seen, the axial one first."""
        view = self._view
        if view.maximized or view.layout is Layout.SINGLE:
            return (view.active,)
        if view.layout is Layout.STRIP:
            return (Pane.AXIAL,)
        return tuple(Pane)

    @property
    def active_view(self) -> SliceView:
        """The plane that keys act on; the axial one while the 3D pane is active."""
        active = self._view.active
        return self.views[Plane[active.name] if active is not Pane.SURFACE else Plane.AXIAL]

    @property
    def voxel_under_cursor(self) -> Int3 | None:
        """The voxel that the cursor is on, in whichever plane."""
        under = (each.voxel_under_cursor for each in self.views.values())
        return next((voxel for voxel in under if voxel is not None), None)

    def take_keyboard(self) -> None:
        """Keys are commands of the active pane again, also after typing in a floating panel."""
        self.activateWindow()
        self.panes[self._view.active].setFocus(Qt.FocusReason.OtherFocusReason)

    def arrange(self, *_: object) -> None:
        """Show the panes of the layout, and a frame around the active one."""
        view = self._view
        if view.active not in self.shown:
            view.active = self.shown[0]  # keys never act on a pane that is not seen
            return
        for each in self.views.values():
            each.set_active(each.pane is view.active and len(self.shown) > 1)
        self._move_focus()
        now = (view.layout, view.maximized, self.shown)
        if now == self._arranged:
            return
        self._arranged = now
        alone = len(self.shown) == 1
        in_left = view.layout is Layout.TWO_BY_TWO and not alone
        side, at = (0, 2) if in_left else (1, 1)
        self._columns[side].insertWidget(at, self.panes[Pane.SAGITTAL])
        for pane, widget in self.panes.items():
            widget.setVisible(pane in self.shown)
        strip = view.layout is Layout.STRIP and not view.maximized
        self.strip.setVisible(strip)
        for column in self._columns:
            inside = [widget for widget in self._all() if widget.parent() is column]
            column.setVisible(any(not widget.isHidden() for widget in inside))
            column.setSizes([_LARGE if widget is not self.strip else _STRIP for widget in inside])
        self._split.setSizes(list(_SHARES.get(view.layout, (1000, 1000))))

    def _move_focus(self) -> None:
        """Where one pane has the keyboard and another becomes active, that one gets it."""
        active = self.panes[self._view.active]
        if any(each.hasFocus() for each in self.panes.values() if each is not active):
            active.setFocus(Qt.FocusReason.OtherFocusReason)

    def _all(self) -> tuple[QWidget, ...]:
        """Everything in the columns, from top to bottom where in one column."""
        first = self.panes[Pane.AXIAL], self.strip, self.panes[Pane.CORONAL]
        return (*first, self.panes[Pane.SAGITTAL], self.panes[Pane.SURFACE])

    def fit(self) -> None:
        """Show the whole slices; linked planes all at the magnification that fits the largest."""
        for each in self.views.values():
            each.fit()
        self._link()

    def center(self) -> None:
        """Bring the crosshair to the middle of every plane."""
        for each in self.views.values():
            each.center()

    def next_pane(self, step: int) -> None:
        """Make the next pane of those shown the active one, or the one before."""
        order = self.shown if len(self.shown) > 1 else tuple(Pane)
        if self._view.layout is Layout.STRIP and not self._view.maximized:
            return
        at = order.index(self._view.active) if self._view.active in order else 0
        self._view.active = order[(at + step) % len(order)]
        self.panes[self._view.active].setFocus(Qt.FocusReason.ShortcutFocusReason)

    @property
    def _seen(self) -> list[SliceView]:
        """The planes that are shown; all of them where the 3D pane is alone."""
        seen = [each for each in self.views.values() if each.pane in self.shown]
        return seen or list(self.views.values())

    @property
    def _fitting(self) -> float:
        """The magnification at which every plane that is shown is seen whole."""
        return min(each.fitting_px_per_mm for each in self._seen)

    @property
    def _linked(self) -> bool:
        whole = self._study.volume is not None and self._study.preview is None
        return self._view.linked and whole

    def _link(self, *_: object) -> None:
        """Bring linked planes to one magnification: the smallest of those that are seen."""
        if self._linked:
            self._magnify(min(each.box.px_per_mm for each in self._seen))

    def _magnify(self, px_per_mm: float, but: SliceView | None = None) -> None:
        self._magnified = px_per_mm / self._fitting
        for each in self.views.values():
            if each is not but:
                each.box.look_at(each.box.viewRect().center(), px_per_mm)

    def _keep_linked(self) -> None:
        """Panes have other sizes: linked planes keep one magnification, as large in proportion."""
        if self._linked:
            self._magnify(self._magnified * self._fitting)

    def _fit_linked(self) -> None:
        """A preview comes or goes, and every plane shows its whole slice."""
        self._magnified = 1.0
        self._link_later.start(0)

    def _zoom_others(self, source: SliceView) -> None:
        if self._linked:
            self._magnify(source.box.px_per_mm, but=source)

    def _pan_others(self, source: SliceView, moved_mm: dict[int, float]) -> None:
        if self._view.linked:
            for each in self.views.values():
                if each is not source:
                    each.pan_along(moved_mm)
