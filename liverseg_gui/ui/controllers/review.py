"""Review of the mask by a person: only what was reviewed is kept for training."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.state.corrected_studies import kept_study, mark_reviewed, remember_corrected
from liverseg_gui.ui.controllers.app_context import AppContext

NOT_KEPT = "Not reviewed: not kept for training"
_SAVE_IT = "Save it (Ctrl+S), and it is kept for training"
_NO_PLACE = "It is not kept for training: no file has the scan as it is shown"
_PHANTOM = "A phantom is not kept for training"


class ReviewController:
    """Marks the mask as reviewed; what is marked and saved is kept for training."""

    def __init__(self, context: AppContext) -> None:
        self._context = context

    def mark(self, reviewed: bool) -> None:
        """Mark the mask as reviewed today, or take the mark away; either can be undone."""
        study = self._context.study
        mask, before = study.mask, study.mask_source.reviewed
        if mask is None or reviewed == bool(before):
            return
        now = date.today().isoformat() if reviewed else ""
        self._set(mask, now)
        name = "mark as reviewed" if reviewed else "mark as not reviewed"
        steps = (partial(self._set, mask, before), partial(self._set, mask, now))
        self._context.history.push(name, *steps)

    def keep(self, path: Path) -> str:
        """The mask was saved at `path`: keep it for training if it was reviewed, and say so."""
        study = self._context.study
        place, source = study.place, study.mask_source
        if place is None:
            return _NO_PLACE if source.reviewed else ""
        if not source.reviewed:
            return NOT_KEPT
        try:
            name = remember_corrected(
                place.path, path, place.number, place.patient_id, source.reviewed, source.model
            )
        except LiverSegError as problem:
            return f"It is not in the list of corrected studies: {problem}"
        return f"Kept for training as {name}" if name else _PHANTOM

    def reviewed_before(self, path: Path) -> str:
        """The day on which the mask in the file `path` was reviewed, if it is as it was then."""
        place = self._context.study.place
        kept = kept_study(place.path, path, place.number) if place is not None else None
        return kept.reviewed if kept is not None and not kept.why_not else ""

    def _set(self, mask: LabelMap, reviewed: str) -> None:
        study = self._context.study
        if study.mask is not mask:
            return
        study.mark_reviewed(mask, reviewed)
        if reviewed:
            path = study.mask_file
            self._context.say(f"Marked as reviewed. {self.keep(path) if path else _SAVE_IT}")
        else:
            self._context.say(f"Marked as not reviewed{self._take_back()}")

    def _take_back(self) -> str:
        """What was kept of the mask is not trained on any more; what to say of it."""
        place, path = self._context.study.place, self._context.study.mask_file
        kept = kept_study(place.path, path, place.number) if place and path else None
        if kept is None:
            return ""
        try:
            mark_reviewed(kept.name, "")
        except LiverSegError as problem:
            return f". {kept.name} is still in the list of corrected studies: {problem}"
        return f": {kept.name} is not trained on any more"
