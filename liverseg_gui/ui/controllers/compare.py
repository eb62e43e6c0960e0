"""Comparison of the mask with another one: a file's, the model's, or the one it replaced."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from liverseg_gui.core.labels import LabelMap
from liverseg_gui.evaluation.mask_comparison import LabelComparison, measure_agreement
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.ui.controllers.app_context import AppContext
from liverseg_gui.ui.controllers.mask import MaskController

_Comparisons = dict[int, LabelComparison]


class CompareController(QObject):
    """Mask A is the study's, mask B its `compared`. `comparisons` of both, by label, once known.

    `note_b` says how the labels of a foreign file were read.
    """

    changed = Signal()

    def __init__(self, context: AppContext, masks: MaskController) -> None:
        super().__init__()
        self._context, self._masks = context, masks
        self._shown: tuple[LabelMap, MaskSource] | None = None
        self._before: tuple[LabelMap, MaskSource] | None = None
        self._model: tuple[LabelMap, MaskSource] | None = None
        self._measuring = False
        self.comparisons: _Comparisons | None = None
        self.note_b = ""
        context.study.volume_changed.connect(self._start_anew)
        context.study.mask_changed.connect(self._follow_mask)
        context.study.compared_changed.connect(self._follow_compared)

    @property
    def name_a(self) -> str:
        """What to call the study's mask."""
        return mask_name(self._context.study.mask_source)

    @property
    def name_b(self) -> str:
        """What to call the mask it is compared with."""
        return self._context.study.compared_name

    @property
    def has_before(self) -> bool:
        """Whether the mask replaced another one."""
        return self._before is not None

    @property
    def has_model(self) -> bool:
        """Whether a model's mask is known that is not the one shown."""
        return self._model is not None and self._model[0] is not self._context.study.mask

    def open(self, path: Path) -> None:
        """Compare with the mask file `path`; ask what its labels mean if need be."""
        study = self._context.study
        if study.mask is None:
            self._context.tell(
                "There is no mask yet to compare with. Segment, or open a mask first."
            )
            return
        self._masks.read(path, partial(self._with, path.name))

    def with_before(self) -> None:
        """Compare with the mask that was replaced last."""
        if self._before is not None:
            self._with_known(*self._before)

    def with_model(self) -> None:
        """Compare with the mask that a model made."""
        if self._model is not None:
            self._with_known(*self._model)

    def stop(self) -> None:
        """Compare no more."""
        self._context.study.drop_compared()

    def _with_known(self, mask: LabelMap, source: MaskSource) -> None:
        self._with(mask_name(source), mask, source.note)

    def _with(self, name: str, mask: LabelMap, note: str) -> None:
        self.note_b = note
        self._context.study.set_compared(mask, name)

    def _start_anew(self) -> None:
        """Another scan: let go of the masks of the old one."""
        self._shown = self._before = self._model = None

    def _follow_mask(self) -> None:
        """Remember what was replaced, and compare again."""
        study = self._context.study
        mask = study.mask
        if self._shown is not None and self._shown[0] is not mask:
            self._before = self._shown
        self._shown = (mask, study.mask_source) if mask is not None else None
        if self._shown is not None and study.mask_source.model:
            self._model = self._shown
        self._measure()

    def _follow_compared(self) -> None:
        study = self._context.study
        self._context.view.comparing = study.compared is not None
        if study.compared is not None:
            self._context.say(f"A is {self.name_a}, B is {self.name_b}. Press F to flicker.")
        self._measure()

    def _measure(self) -> None:
        """Work the figures out; a change meanwhile is taken up when that is done."""
        study = self._context.study
        self.comparisons = None
        self.changed.emit()
        a, b = study.mask, study.compared
        if a is None or b is None or self._measuring:
            return

        def done(comparisons: _Comparisons) -> None:
            if (a, b) == (study.mask, study.compared):
                self.comparisons = comparisons
                self.changed.emit()

        self._measuring = True
        job = self._context.submit(
            "Comparing", partial(measure_agreement, a, b), done, cancellable=False
        )
        job.ended.connect(partial(self._measured, a, b))

    def _measured(self, a: LabelMap, b: LabelMap) -> None:
        self._measuring = False
        if (a, b) != (self._context.study.mask, self._context.study.compared):
            self._measure()


def mask_name(source: MaskSource) -> str:
    """A mask in a few words."""
    if source.model:
        return f"Model {source.model}"
    return source.path.name if source.path is not None else "Edited mask"
