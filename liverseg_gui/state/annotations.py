"""Annotations of the open scan, with undo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from psygnal import Signal

from liverseg_gui.core.annotation_measures import AnnotationMeasures, measure_annotation
from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.planes import Plane
from liverseg_gui.state.history import History
from liverseg_gui.state.open_scan import OpenScan

_Items = dict[int, Annotation]


class Annotations:
    """Annotations by id, in the order they were drawn. `changed` is emitted on every change.

    An id stays the same when its annotation changes and when its deletion is undone. All go,
    and the history with them, when another scan is opened.
    """

    changed = Signal()

    def __init__(self, study: OpenScan, history: History) -> None:
        self._study, self._history = study, history
        self._items: _Items = {}
        self._chosen: int | None = None
        self._next = 1
        self._figures: dict[int, tuple[Annotation, AnnotationMeasures]] = {}
        self._saved: _Items = {}
        study.volume_changed.connect(self._forget)

    @property
    def items(self) -> Mapping[int, Annotation]:
        """All annotations by id, the oldest first."""
        return self._items

    @property
    def chosen(self) -> int | None:
        """The id of the annotation whose handles are shown and that Delete deletes."""
        return self._chosen

    def on(self, plane: Plane, index: int) -> dict[int, Annotation]:
        """The annotations of one slice by id."""
        return {
            id_: annotation
            for id_, annotation in self._items.items()
            if annotation.plane is plane and annotation.index == index
        }

    def figures(self, id_: int) -> AnnotationMeasures | None:
        """The measures of an annotation, taken once; None where there is no scan."""
        annotation, volume = self._items[id_], self._study.volume
        if volume is None:
            return None
        known = self._figures.get(id_)
        if known is None or known[0] is not annotation:
            known = self._figures[id_] = (annotation, measure_annotation(annotation, volume))
        return known[1]

    @property
    def saved(self) -> bool:
        """Whether the annotations are on disk as they are now."""
        return self._saved == self._items

    def mark_saved(self, items: Mapping[int, Annotation]) -> None:
        """`items`, and no others, are on disk."""
        self._saved = dict(items)

    def load(self, annotations: Iterable[Annotation]) -> list[int]:
        """Take annotations that are on disk; this is no step of the history. Their ids."""
        items = dict(enumerate(annotations, self._next))
        self._next += len(items)
        self._saved = items
        self._set(items, None)
        return list(items)

    def choose(self, id_: int | None) -> None:
        """Choose an annotation, or none."""
        if id_ != self._chosen and (id_ is None or id_ in self._items):
            self._chosen = id_
            self.changed.emit()

    def add(self, annotation: Annotation) -> int:
        """Add an annotation and choose it; its id."""
        id_, self._next = self._next, self._next + 1
        self._step(f"draw {_name(annotation)}", {**self._items, id_: annotation}, id_)
        return id_

    def replace(self, id_: int, annotation: Annotation, what: str = "change") -> None:
        """Put `annotation` in the place of another; `what` was done to it names the step.

        Raises:
            KeyError: there is no such annotation.
        """
        if self._items[id_] != annotation:
            self._step(f"{what} {_name(annotation)}", {**self._items, id_: annotation}, id_)

    def set_text(self, id_: int, text: str) -> None:
        """Give an annotation another text; a note without text is deleted.

        Raises:
            KeyError: there is no such annotation.
        """
        if not text and self._items[id_].kind is AnnotationKind.TEXT:
            self.remove(id_)
        else:
            self.replace(id_, self._items[id_].with_text(text), "label")

    def remove(self, id_: int) -> None:
        """Delete an annotation.

        Raises:
            KeyError: there is no such annotation.
        """
        name = _name(self._items[id_])
        kept = {other: annotation for other, annotation in self._items.items() if other != id_}
        self._step(f"delete {name}", kept, None if self._chosen == id_ else self._chosen)

    def clear(self) -> None:
        """Delete all."""
        if self._items:
            self._step("delete all readings", {}, None)

    def _step(self, name: str, items: _Items, chosen: int | None) -> None:
        """Change the list in one step that can be taken back."""
        undo = partial(self._set, self._items, self._chosen)
        redo = partial(self._set, items, chosen)
        redo()
        self._history.push(name, undo, redo)

    def _set(self, items: _Items, chosen: int | None) -> None:
        self._items, self._chosen = items, chosen
        self._figures = {id_: kept for id_, kept in self._figures.items() if id_ in items}
        self.changed.emit()

    def _forget(self) -> None:
        self._next = 1
        self._figures, self._saved = {}, {}
        self._set({}, None)
        self._history.clear()


def _name(annotation: Annotation) -> str:
    title = annotation.title
    return title if title.startswith("HU") else title.lower()
