"""Mask files on the open scan, whoever made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.system.privacy import remember_path
from liverseg_gui.ui.controllers.app_context import AppContext
from liverseg_gui.ui.controllers.review import ReviewController

if TYPE_CHECKING:
    from liverseg_gui.io.masks.read import UnknownLabelsError

Take = Callable[[LabelMap, str], None]
_REPLACED = "Opening a mask replaces the present one."


class MaskController:
    """`may_go` and `may_replace` ask about what would be lost; `set_mask` takes the mask."""

    def __init__(
        self,
        context: AppContext,
        may_go: Callable[[str], bool],
        may_replace: Callable[[str], bool],
        set_mask: Callable[[LabelMap, MaskSource], None],
        review: ReviewController,
    ) -> None:
        self._context, self._review = context, review
        self._may_go, self._may_replace, self._set_mask = may_go, may_replace, set_mask

    def open(self, path: Path) -> None:
        """Put the mask file `path` on the open scan; ask what its labels mean if need be."""
        volume = self._context.study.volume
        if volume is None:
            self._context.tell("Open the scan first, then the mask that belongs to it.")
        elif self._may_go(_REPLACED):
            self.read(path, partial(self._replace, path))

    def read(self, path: Path, take: Take) -> None:
        """Give the mask file `path`, on the open scan, to `take`; ask about its labels if need be.

        `take` gets the mask and a note on how its labels were read, unless another scan is open
        by then.
        """
        volume = self._context.study.volume
        if volume is not None:
            remember_path(path)
            self._read(path, volume, take, None)

    def _replace(self, path: Path, mask: LabelMap, note: str) -> None:
        if self._may_replace(_REPLACED):
            reviewed = "" if note else self._review.reviewed_before(path)
            self._set_mask(mask, MaskSource(path, note=note, reviewed=reviewed))

    def _read(
        self,
        path: Path,
        volume: Volume,
        take: Take,
        mapping: Mapping[int, int] | None,
    ) -> None:
        known = self._context.settings.values.label_maps

        def work(progress: Progress) -> LabelMap | UnknownLabelsError:
            from liverseg_gui.io.masks.read import (
                UnknownLabelsError,
                read_as_before,
                read_mask,
                signature,
            )

            progress.update(0.2, f"Reading {path.name}")
            try:
                try:
                    return read_mask(path, volume, mapping)
                except UnknownLabelsError as unknown:
                    before = known.get(signature(unknown.labels))
                    if before is None:
                        raise
                    return read_as_before(unknown, volume, before)
            except UnknownLabelsError as unknown:
                return unknown

        def done(result: LabelMap | UnknownLabelsError) -> None:
            if self._context.study.volume is not volume:
                return
            if not isinstance(result, LabelMap):
                self._ask(path, volume, take, result)
            else:
                from liverseg_gui.io.masks.label_values import mapping_text

                chosen = (f"{mapping_text(mapping).capitalize()}.",) if mapping else ()
                take(result, " ".join((*chosen, *result.notes)))

        self._context.submit(f"Opening {path.name}", work, done)

    def _ask(self, path: Path, volume: Volume, take: Take, unknown: UnknownLabelsError) -> None:
        """Read again with what the labels mean, as the reader says now."""
        from liverseg_gui.io.masks.read import signature

        choice = self._context.dialogs.labels(path.name, unknown.labels, unknown.proposal)
        if choice is None:
            return
        if choice.remember:
            self._context.settings.remember_label_map(signature(unknown.labels), choice.mapping)
        self._read(path, volume, take, choice.mapping)
