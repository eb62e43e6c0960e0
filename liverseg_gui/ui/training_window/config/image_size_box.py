"""Choice of the image sizes: fields of view of the trunk and the liver."""

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
    """Emits `size_changed` on a choice; `value` is the field of view of the trunk and the liver."""

    size_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Image size")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(22)
        self._sizes: list[ImageSizes] = []
        self._fill(USUAL)
        self.lock("")
        self.activated.connect(lambda _: self.size_changed.emit())

    def value(self) -> ImageSizes:
        """The fields of view that are chosen."""
        return self._sizes[self.currentIndex()]

    def show_value(self, sizes: ImageSizes) -> None:
        """Show `sizes`, without a signal; those that have no name get a line of their own."""
        self._fill(sizes)

    def lock(self, reason: str) -> None:
        """Let nothing be chosen, for `reason`; without one all can be."""
        self.setEnabled(not reason)
        self.setToolTip(reason or _TIP)

    def _fill(self, chosen: ImageSizes) -> None:
        named = dict(_NAMES)
        if chosen not in named.values():
            named["As given"] = chosen
        self.clear()
        self._sizes = list(named.values())
        for at, (name, sizes) in enumerate(named.items()):
            self.addItem(f"{name}: {size_text(sizes)}")
            self.setItemData(at, _pixels(sizes), Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(self._sizes.index(chosen))


def size_text(sizes: ImageSizes) -> str:
    """The approximate size of a pixel in each field of view."""
    trunk, liver = sizes
    if liver is None:
        return f"{trunk.pixel_mm:.1f} mm a pixel"
    return f"{trunk.pixel_mm:.1f} mm a pixel, liver {liver.pixel_mm:.1f} mm"


def _pixels(sizes: ImageSizes) -> str:
    trunk, liver = sizes
    text = f"The trunk at {trunk.size[0]} x {trunk.size[1]} pixels"
    if liver is not None:
        text += f", the liver closer up at {liver.size[0]} x {liver.size[1]}"
    return text
