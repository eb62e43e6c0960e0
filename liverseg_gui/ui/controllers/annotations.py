"""Commands on annotations, on whichever plane they lie."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from liverseg_gui.core.annotations import Annotation
from liverseg_gui.core.geometry import Int3
from liverseg_gui.state.view import Layout, Pane
from liverseg_gui.ui.annotations.layer import AnnotationLayer
from liverseg_gui.ui.annotations.texts import HINTS, full_name, hint, long_place
from liverseg_gui.ui.annotations.tool import AnnotationTool
from liverseg_gui.ui.controllers.app_context import AppContext
from liverseg_gui.ui.viewer.panes import PaneGrid

_UNDO = "Undo: Ctrl+Z"


class AnnotationController(QObject):
    """Puts readings, and the tool that draws them, on every plane.

    `changed` tells that a command may have become usable, or not.
    """

    changed = Signal()

    def __init__(self, context: AppContext, panes: PaneGrid) -> None:
        super().__init__()
        self._context, self._panes = context, panes
        self._annotations, self._history = context.annotations, context.history
        self.layers = {
            plane: AnnotationLayer(view, context.view, context.annotations)
            for plane, view in panes.views.items()
        }
        self.tools = {
            plane: AnnotationTool(view, self.layers[plane], context.view, context.annotations)
            for plane, view in panes.views.items()
        }
        for tool in self.tools.values():
            tool.progressed.connect(self.changed)
        self._annotations.changed.connect(self._emit_changed)
        self._history.changed.connect(self._emit_changed)
        context.study.volume_changed.connect(self.give_up)
        context.study.preview_changed.connect(self.give_up)
        context.view.events.tool.connect(self._explain)

    @property
    def unfinished(self) -> bool:
        """Whether a reading is being drawn or moved on any plane."""
        return any(tool.unfinished for tool in self.tools.values())

    @property
    def can_close(self) -> bool:
        """Whether a polygon is being drawn that can be closed."""
        return any(tool.can_close for tool in self.tools.values())

    def give_up(self) -> bool:
        """Drop what is unfinished; whether there was something."""
        dropped = [tool.give_up() for tool in self.tools.values()]
        return any(dropped)

    def close_polygon(self) -> None:
        """Finish the polygon that is being drawn."""
        for tool in self.tools.values():
            tool.close_polygon()

    def undo(self) -> None:
        """Take the last step back; what is unfinished is dropped instead."""
        name = self._history.undo_name
        if not self.give_up() and name:
            self._history.undo()
            self._context.say(f"Undone: {name}")

    def redo(self) -> None:
        """Do the step again that was taken back last."""
        name = self._history.redo_name
        self.give_up()
        if name:
            self._history.redo()
            self._context.say(f"Done again: {name}")

    def delete(self) -> None:
        """Delete the chosen reading if the active pane shows it; one out of sight stays."""
        self.give_up()
        id_ = self._annotations.chosen
        if id_ is None:
            return
        if self._is_shown(self._annotations.items[id_]):
            self.delete_listed(id_)
        else:
            annotation = self._annotations.items[id_]
            self._context.say(
                f"The chosen {annotation.title.lower()} on {long_place(annotation)} is not in the "
                "active pane. Nothing was deleted."
            )

    def delete_listed(self, id_: int) -> None:
        """Delete a reading, wherever it is."""
        self.give_up()
        name = full_name(self._annotations.items[id_], self._annotations.figures(id_))
        self._annotations.remove(id_)
        self._context.say(f"{name} deleted. {_UNDO}")

    def delete_all(self) -> None:
        """Delete all readings."""
        self.give_up()
        count = len(self._annotations.items)
        self._annotations.clear()
        if count:
            self._context.say(f"{count} reading{'s' * (count > 1)} deleted. {_UNDO}")

    def _is_shown(self, annotation: Annotation) -> bool:
        """Whether the pane that keys act on shows it."""
        state, view = self._context.view, self._panes.active_view
        seen = state.annotations_visible and state.active is not Pane.SURFACE
        return seen and (annotation.plane, annotation.index) == (view.plane, view.index)

    def go_to(self, id_: int) -> None:
        """Choose a reading and bring its slice, and its middle, to the screen."""
        volume, annotation = self._context.study.volume, self._annotations.items.get(id_)
        if volume is None or annotation is None:
            return
        self._annotations.choose(id_)
        self._context.view.annotations_visible = True
        self._show_pane(Pane[annotation.plane.name])
        self._context.view.move_crosshair(_middle(annotation), volume.shape)
        view = self._panes.views[annotation.plane]
        points = annotation.plane.points_to_screen(
            annotation.points_ijk, volume.shape, volume.affine
        ).tolist()
        seen = view.box.viewRect()
        if not all(seen.contains(x, y) for x, y in points):
            view.center()

    def _show_pane(self, pane: Pane) -> None:
        """Make `pane` the active one, in a layout that shows it."""
        state = self._context.view
        if state.layout is Layout.STRIP and pane is not Pane.AXIAL and not state.maximized:
            state.layout = Layout.ONE_THREE
        state.active = pane

    def _emit_changed(self) -> None:
        self.changed.emit()

    def _explain(self, *_: object) -> None:
        tool = self._context.view.tool
        if tool in HINTS:
            self._context.say(hint(tool))


def _middle(annotation: Annotation) -> Int3:
    """The voxel in the middle of a reading."""
    columns = list(zip(*annotation.points_ijk, strict=True))
    i, j, k = (round((min(column) + max(column)) / 2) for column in columns)
    return i, j, k
