"""How large the pictures are that the network sees: three named pairs of looks, or a recipe's."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox

from training.config.field_of_view import LIVER, TRUNK, Look

Looks = tuple[Look, Look | None]

COARSE: Looks = (Look((64, 96), (64, 96)), Look((96, 128), (144, 216)))
USUAL: Looks = (TRUNK, LIVER)
FINE: Looks = (Look((192, 288), (192, 288)), Look((192, 224), (256, 384)))
TRUNK_ALONE: Looks = (Look((192, 288), (192, 288)), None)
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


class LooksBox(QComboBox):
    """`looks_changed` tells that the reader chose; `value` is the trunk's and the liver's look."""

    looks_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Image size")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(22)
        self._looks: list[Looks] = []
        self._fill(USUAL)
        self.lock("")
        self.activated.connect(lambda _: self.looks_changed.emit())

    def value(self) -> Looks:
        """The looks that are chosen."""
        return self._looks[self.currentIndex()]

    def show_value(self, looks: Looks) -> None:
        """Show `looks`, without a signal; those that have no name get a line of their own."""
        self._fill(looks)

    def lock(self, reason: str) -> None:
        """Let nothing be chosen, for `reason`; without one all can be."""
        self.setEnabled(not reason)
        self.setToolTip(reason or _TIP)

    def _fill(self, chosen: Looks) -> None:
        named = dict(_NAMES)
        if chosen not in named.values():
            named["As given"] = chosen
        self.clear()
        self._looks = list(named.values())
        for at, (name, looks) in enumerate(named.items()):
            self.addItem(f"{name}: {words(looks)}")
            self.setItemData(at, _pixels(looks), Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(self._looks.index(chosen))


def words(looks: Looks) -> str:
    """What a pixel is, about, in each look."""
    trunk, liver = looks
    if liver is None:
        return f"{trunk.pixel_mm:.1f} mm a pixel"
    return f"{trunk.pixel_mm:.1f} mm a pixel, liver {liver.pixel_mm:.1f} mm"


def _pixels(looks: Looks) -> str:
    trunk, liver = looks
    text = f"The trunk at {trunk.size[0]} x {trunk.size[1]} pixels"
    if liver is not None:
        text += f", the liver closer up at {liver.size[0]} x {liver.size[1]}"
    return text
