"""Annotations of each scan on disk: kept with every change, there again when it is opened."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from psygnal import Signal

from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.geometry import Int3
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.core.planes import Plane
from liverseg_gui.state.annotations import Annotations
from liverseg_gui.state.merging import merged
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.scan_folder import make_private, scan_folder, write_private
from liverseg_gui.system.file_lock import locked

_FILE, _LIST = "annotations.json", "annotations"
_Rows = dict[str, Any]


class AnnotationStore:
    """Follows `Annotations`. Windows that show the same scan keep what each of them drew.

    `failed` tells why they cannot be kept or read.
    """

    failed = Signal(str)

    def __init__(self, study: OpenScan, annotations: Annotations) -> None:
        self._study, self._annotations = study, annotations
        self._file: Path | None = None
        self._known: _Rows = {}
        self._names: dict[int, str] = {}
        study.volume_changed.connect(self._load)
        annotations.changed.connect(self.keep)

    def _load(self) -> None:
        """After `Annotations` has let go of those of the scan before."""
        volume = self._study.volume
        if volume is None:
            self._file = None
            return
        self._file = scan_folder(self._study.fingerprint) / _FILE
        read = {
            name: annotation
            for name, row in self._on_disk().items()
            if (annotation := _annotation(row, volume.shape)) is not None
        }
        self._known = {name: _row(annotation) for name, annotation in read.items()}
        self._names = {}
        ids = self._annotations.load(read.values())
        self._names = dict(zip(ids, read, strict=True))

    def keep(self) -> None:
        """Write what is not on disk yet."""
        if self._file is None or self._annotations.saved:
            return
        items = dict(self._annotations.items)
        names = {id_: self._names.get(id_) or secrets.token_hex(8) for id_ in items}
        mine = {names[id_]: _row(annotation) for id_, annotation in items.items()}
        self._names |= names  # an annotation whose deletion is undone has its name again
        try:
            make_private(self._file.parent)
            with locked(self._file):
                known, now = {_LIST: self._known}, {_LIST: mine}
                kept = merged(known, now, {_LIST: self._on_disk()}, (_LIST,))
                write_private(self._file, json.dumps(kept, indent=1).encode())
        except SaveError as error:
            self.failed.emit(f"The readings could not be kept. {error}")
            return
        self._known = mine
        self._annotations.mark_saved(items)

    def _on_disk(self) -> _Rows:
        """Rows of the file by name; one that is damaged is set aside."""
        assert self._file is not None
        try:
            rows = parse_json(self._file.read_bytes())[_LIST]
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.failed.emit(f"{self._file} could not be read: {error.strerror or error}.")
            return {}
        except (ValueError, LookupError, TypeError, RecursionError):
            rows = None
        if isinstance(rows, dict):
            return rows
        bad = self._file.with_name(f"{_FILE}.bad")
        try:
            self._file.replace(bad)
        except OSError:
            bad = self._file
        self.failed.emit(f"The readings that were kept of this scan are damaged: {bad}.")
        return {}


def _row(annotation: Annotation) -> _Rows:
    return {
        "kind": annotation.kind.value,
        "plane": annotation.plane.title,
        "index": annotation.index,
        "points_ijk": [list(point) for point in annotation.points_ijk],
        "text": annotation.text,
    }


def _annotation(row: object, shape: Int3) -> Annotation | None:
    """The annotation that a row of the file holds; None where it is none on a scan of `shape`."""
    if not isinstance(row, Mapping):
        return None
    try:
        points = np.array(row["points_ijk"], np.float64).reshape(-1, 3)
        plane = Plane[row["plane"].upper()]
        inside = np.isfinite(points).all() and 0 <= row["index"] < shape[plane.normal]
        if not inside or not isinstance(row["text"], str):
            return None
        corners = tuple((float(i), float(j), float(k)) for i, j, k in points)
        kind = AnnotationKind(row["kind"])
        return Annotation(kind, plane, int(row["index"]), corners, row["text"])
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        return None
