"""What this program is, and the way to the licenses of what it is made of."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from liverseg_gui import __version__
from liverseg_gui.ui.main_window.status_bar import NOTICE


class AboutBox(QMessageBox):
    """Name, version and license; the button beside them opens the licenses of others."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About LiverSeg")
        self.setText(
            f"<h3>LiverSeg {__version__}</h3><p>Liver and tumor segmentation in abdominal CT.</p>"
            f"<p>{NOTICE}</p><p>Apache License 2.0. Made with Qt, which is under the LGPL 3.0, and "
            "with other works under licenses of their own.</p>"
        )
        self.licenses_button = QPushButton("&Licenses ...")
        self.addButton(self.licenses_button, QMessageBox.ButtonRole.ActionRole)
        self.licenses_button.clicked.disconnect()  # the licenses are shown above this box
        self.licenses_button.clicked.connect(self.show_licenses)
        self.setDefaultButton(self.addButton(QMessageBox.StandardButton.Ok))

    def show_licenses(self) -> None:
        """Show the licenses until they are closed."""
        from liverseg_gui.ui.main_window.licenses_dialog import LicensesDialog

        LicensesDialog(self).exec()
