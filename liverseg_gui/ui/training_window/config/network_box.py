"""Choice of the network: encoder, decoder and pyramid pooling."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QVBoxLayout, QWidget

from liverseg_gui.segmentation.networks.architectures import ARCHITECTURES

_PPM = "-ppm"
_KINDS = {"slim": "Slim ResUNet", "unet": "Full ResUNet, slow"}
_SIZES = {
    "resnet18": "small (ResNet-18)",
    "resnet34": "medium (ResNet-34)",
    "resnet50": "large (ResNet-50)",
}
_TIP = (
    "Larger networks need more patients, memory and time; the small slim one is what the default "
    "model is"
)
_PPM_TIP = "Shows the network the whole picture beside each place of it (pyramid pooling)"
_NO_PPM = "Pyramid pooling is offered for slim networks."


class NetworkBox(QWidget):
    """Two controls for one of `ARCHITECTURES`, which is `value`."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.network, self.multi_scale = QComboBox(), QCheckBox("Multi-scale")
        for name in ARCHITECTURES:
            if not name.endswith(_PPM):
                kind, encoder = name.split("-")
                self.network.addItem(f"{_KINDS[kind]}, {_SIZES[encoder]}", name)
        self.network.setAccessibleName("Network")
        self.network.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.network.setMinimumContentsLength(22)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.network)
        layout.addWidget(self.multi_scale)
        self.lock("")
        self.network.currentIndexChanged.connect(self._follow)
        self.multi_scale.toggled.connect(lambda _: self.changed.emit())

    def value(self) -> str:
        """The architecture that is chosen."""
        name = str(self.network.currentData())
        pooled = f"{name}{_PPM}"
        return pooled if self.multi_scale.isChecked() and pooled in ARCHITECTURES else name

    def show_value(self, architecture: str) -> None:
        """Show `architecture`, without a signal."""
        for box in (self.network, self.multi_scale):
            box.blockSignals(True)
        self.network.setCurrentIndex(self.network.findData(architecture.removesuffix(_PPM)))
        self.multi_scale.setChecked(architecture.endswith(_PPM))
        for box in (self.network, self.multi_scale):
            box.blockSignals(False)
        self._offer()

    def lock(self, reason: str) -> None:
        """Let nothing be chosen, for `reason`; without one all can be."""
        self._reason = reason
        self.network.setEnabled(not reason)
        self.network.setToolTip(reason or _TIP)
        self._offer()

    def _offer(self) -> None:
        fits = f"{self.network.currentData()}{_PPM}" in ARCHITECTURES
        self.multi_scale.setEnabled(fits and not self._reason)
        self.multi_scale.setToolTip(self._reason or (_PPM_TIP if fits else _NO_PPM))
        if not fits and self.multi_scale.checkState() is Qt.CheckState.Checked:
            self.multi_scale.blockSignals(True)
            self.multi_scale.setChecked(False)
            self.multi_scale.blockSignals(False)

    def _follow(self) -> None:
        self._offer()
        self.changed.emit()
