"""Masks that were left unsaved when a window ended without a question, offered back."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from liverseg_gui.core.labels import LabelMap
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.state.unsaved_masks import LeftMask
from liverseg_gui.ui.controllers.app_context import AppContext
from liverseg_gui.ui.widgets.patient_display import text_shown


class MaskRecovery(QObject):
    """Offers them when their scan is opened, and at the start of the program. `set_mask` takes the
    mask, `open_scan` opens a volume of what is at a path."""

    def __init__(
        self,
        context: AppContext,
        set_mask: Callable[[LabelMap, MaskSource], None],
        open_scan: Callable[[Path, int | None], None],
    ) -> None:
        super().__init__()
        self._context, self._set_mask, self._open_scan = context, set_mask, open_scan
        self._agreed: Path | None = None
        context.study.volume_changed.connect(self._offer_soon)

    def offer_scan(self) -> None:
        """Offer to open the scan of the newest one."""
        for left in self._context.unsaved_masks.left_behind():
            place = left.place
            if place is None or not os.path.exists(place.path):
                continue
            name = text_shown(place.path.name, self._context.settings)
            if self._context.dialogs.confirm(
                f"The mask of {name} from {_when(left.made)} was not saved when LiverSeg ended. "
                "Open the scan and restore it?",
                "Restore",
                "Not now",
            ):
                self._agreed = left.file
                self._open_scan(place.path, place.number)
            return

    def _offer_soon(self) -> None:
        """Once the scan is seen."""
        QTimer.singleShot(0, self, self.offer)

    def offer(self) -> None:
        """Offer those of the open scan, the newest first, until one is restored."""
        study, masks = self._context.study, self._context.unsaved_masks
        volume = study.volume
        agreed, self._agreed = self._agreed, None
        for left in masks.left_behind(study.fingerprint) if volume is not None else ():
            answer = left.file == agreed or self._ask(left)
            if answer is None or study.volume is not volume:
                return
            if answer is False:
                left.delete()
                continue
            assert volume is not None
            mask = left.read(volume)
            if mask is None:
                self._context.tell(
                    f"The mask from {_when(left.made)} cannot be restored: its copy is damaged. "
                    "Segment the scan again."
                )
                left.delete()
                continue
            self._set_mask(mask, left.source)
            masks.flush()  # there is a new copy before the old one goes
            left.delete()
            self._context.say("The mask is restored. It is not saved yet.")
            return

    def _ask(self, left: LeftMask) -> bool | None:
        made_by = f" It was made by the model {left.source.model}." if left.source.model else ""
        return self._context.dialogs.restore_mask(
            f"A mask of this scan from {_when(left.made)} was not saved when LiverSeg ended."
            f"{made_by} Restore it?"
        )


def _when(made: datetime) -> str:
    """The time, with the day where that is not today."""
    local = made.astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return f"{local:%H:%M}" if today else f"{local:%Y-%m-%d %H:%M}"
