"""How large the pictures are that the network sees: three named pairs of looks, or a recipe's."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox

from training.config.field_of_view import LIVER_VIEW, TRUNK_VIEW, FieldOfView

ImageSizes = tuple[FieldOfView, FieldOfView | None]

COARSE: ImageSizes = (FieldOfView((64, 96), (64, 96)), FieldOfView((96, 128), (144, 216)))
USUAL: ImageSizes = (TRUNK_VIEW, LIVER_VIEW)
FINE: ImageSizes = (FieldOfView((192, 288), (192, 288)), FieldOfView((192, 224), (256, 384)))
TRUNK_ALONE: ImageSizes = (FieldOfView((192, 288), (192, 288)), None)
"""All are half as wide again as high, as prepared cases are; 256 x 384 is all that these hold."""
_NAMES = {
    "Coarse": COARSE,
    "Usual": USUAL,
    "Fine": FINE,
    "Trunk alone": TRUNK_ALONE,
}
_TIP = (
    "How finely the model sees: the whole trunk first, then the liver closer up. Finer pictures "
    "show smaller tumors, and take more memory and time"
)


class ImageSizeBox(QComboBox):
    """`looks_changed` tells that the reader chose; `value` is the trunk's and the liver's look."""

    looks_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Image size")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(22)
        self._looks: list[ImageSizes] = []
        self._fill(USUAL)
        self.lock("")
        self.activated.connect(lambda _: self.looks_changed.emit())

    def value(self) -> ImageSizes:
        """The looks that are chosen."""
        return self._looks[self.currentIndex()]

    def show_value(self, looks: ImageSizes) -> None:
        """Show `looks`, without a signal; those that have no name get a line of their own."""
        self._fill(looks)

    def lock(self, reason: str) -> None:
        """Let nothing be chosen, for `reason`; without one all can be."""
        self.setEnabled(not reason)
        self.setToolTip(reason or _TIP)

    def _fill(self, chosen: ImageSizes) -> None:
        named = dict(_NAMES)
        if chosen not in named.values():
            named["As given"] = chosen
        self.clear()
        self._looks = list(named.values())
        for at, (name, looks) in enumerate(named.items()):
            self.addItem(f"{name}: {size_text(looks)}")
            self.setItemData(at, _pixels(looks), Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(self._looks.index(chosen))


def size_text(looks: ImageSizes) -> str:
    """What a pixel is, about, in each look."""
    trunk, liver = looks
    if liver is None:
        return f"{trunk.pixel_mm:.1f} mm a pixel"
    return f"{trunk.pixel_mm:.1f} mm a pixel, liver {liver.pixel_mm:.1f} mm"


def _pixels(looks: ImageSizes) -> str:
    trunk, liver = looks
    text = f"The trunk at {trunk.size[0]} x {trunk.size[1]} pixels"
    if liver is not None:
        text += f", the liver closer up at {liver.size[0]} x {liver.size[1]}"
    return text
