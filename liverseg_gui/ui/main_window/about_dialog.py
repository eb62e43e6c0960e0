"""The About dialog, and the licenses of all components."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QListWidget,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from liverseg_gui import __version__
from liverseg_gui.system.licenses import components, index
from liverseg_gui.ui.jobs.blocking_call import run_blocking
from liverseg_gui.ui.main_window.status_bar import NOTICE


class AboutDialog(QMessageBox):
    """Name, version and license; the button beside them opens the licenses of others."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.RichText)  # all of it is the program's own
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
        ok = self.addButton(QMessageBox.StandardButton.Ok)
        self.setDefaultButton(ok)
        self.setEscapeButton(ok)

    def show_licenses(self) -> None:
        """Show the licenses until they are closed."""

        LicensesDialog(self).exec()


class LicensesDialog(QDialog):
    """The table of all comes first, then each component."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Licenses")
        self.resize(QSize(1000, 660).boundedTo(self.screen().availableSize() * 0.95))
        self._components = run_blocking(components)
        self.list = QListWidget()
        self.list.setAccessibleName("Components")
        self.list.addItem("All components")
        self.list.addItems([component.title for component in self._components])
        self.text = _text_view()
        self._lay_out()
        self.list.currentRowChanged.connect(self._show)
        self.list.setCurrentRow(0)
        self.list.setFocus()

    def _lay_out(self) -> None:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.list)
        split.addWidget(self.text)
        split.setSizes([260, 740])
        split.setChildrenCollapsible(False)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(split, 1)
        layout.addWidget(buttons)

    def _show(self, row: int) -> None:
        """Show the table, which is row 0, or the texts of a component."""
        shown = self._components[row - 1].read() if row else index(self._components)
        self.text.setPlainText(shown)


def _text_view() -> QPlainTextEdit:
    text = QPlainTextEdit()
    text.setReadOnly(True)
    text.setAccessibleName("License text")
    text.setTabChangesFocus(True)
    text.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    return text
