"""A tour of the whole program: `python -m tests.ui.app.tour FOLDER` opens the window on the scan
and mask in FOLDER, goes through every command and every page of the training window, and prints as
JSON what happened."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox

from liverseg_gui.segmentation.models.registry import list_models
from liverseg_gui.system.import_guard import NETWORK_LIBRARIES
from liverseg_gui.ui.app.app import Application, run_window
from liverseg_gui.ui.dialogs import error_dialog
from liverseg_gui.ui.dialogs.models_dialog import ModelsDialog
from liverseg_gui.ui.main_window import handlers
from liverseg_gui.ui.main_window.about_dialog import AboutDialog
from liverseg_gui.ui.main_window.actions import ROWS
from liverseg_gui.ui.main_window.window import MainWindow
from liverseg_gui.ui.training_window.config.page import ConfigPage
from liverseg_gui.ui.training_window.pages import Step
from liverseg_gui.ui.training_window.run.page import RunPage
from liverseg_gui.ui.training_window.window import TrainingWindow

LEFT_OUT = {"quit", "segment", "cancel", "train", "models", "about"}
"""Commands that are done by themselves, in their turn; recent scans would take the mask away."""
GOING_ON = {"cine", "flicker", "full_screen"}
"""They go on until they are switched off."""
OUTSIDE = {"user_guide", "log_folder"}
"""They start other programs."""


class Tour:
    """`problems` are the errors that were shown, `visited` what was gone to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self.visited: list[str] = []
        self.in_3d = False
        self.asked = ""
        self.closer, self.clock = QTimer(), QTimer()
        self.clock.start(20)
        self.closer.timeout.connect(self._close_dialog)

    def _close_dialog(self) -> None:
        """Nobody answers: what waits for an answer is closed."""
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, error_dialog.ErrorDialog):
            self.problems.append(dialog.text())
        elif isinstance(dialog, QMessageBox):
            self.asked = dialog.text()
        if isinstance(dialog, QDialog):
            dialog.reject()

    def until(self, done: Callable[[], object]) -> None:
        while not done():
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def go(self) -> None:
        window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
        self.until(lambda: window.study.measurements is not None and not window.runner.busy)
        if window.surface.prepare():
            surface = window.surface
            self.until(lambda: surface.drawing.surfaces or surface.unavailable)
            surface.drawing.draw_now(1.0)
            self.in_3d = not surface.unavailable
        self.closer.start(50)
        self.main_window(window)
        self.about(window)
        self.models(window)
        self.training_window(window)
        self.until(lambda: not window.runner.busy)
        self.asked = ""
        window.context.dialogs.save_first = lambda _: False  # type: ignore[method-assign]
        if not window.close():
            self.problems.append(f"The window stays open. {self.asked}")
        QApplication.exit(0)

    def main_window(self, window: MainWindow) -> None:
        for row in ROWS:
            if row.key not in LEFT_OUT | OUTSIDE and not row.key.startswith("recent"):
                window.actions_by_key[row.key].trigger()
                QApplication.processEvents()
                if row.key in GOING_ON:
                    window.actions_by_key[row.key].trigger()
                self.until(lambda: not window.runner.busy)
                self.until(lambda: QApplication.activeModalWidget() is None)
                self.visited.append(row.key)
        window.context.dialogs.confirm = lambda *_: True  # type: ignore[method-assign]
        window.actions_by_key["segment"].trigger()
        window.actions_by_key["cancel"].trigger()
        self.until(lambda: not window.runner.busy)

    def about(self, window: MainWindow) -> None:
        box = AboutDialog(window)
        box.open()
        box.licenses_button.click()
        box.reject()
        self.visited.append("licenses")

    def models(self, window: MainWindow) -> None:
        window.actions_by_key["models"].trigger()
        dialog = next(iter(window.findChildren(ModelsDialog)))
        self.closer.stop()
        dialog.add(list_models()[0].folder, "again")
        self.until(lambda: not dialog.runner.busy)
        self.problems += [] if "is added" in dialog.note.text() else [dialog.note.text()]
        self.closer.start()
        self.until(lambda: QApplication.activeModalWidget() is None)
        self.visited.append("models")

    def training_window(self, window: MainWindow) -> None:
        window.actions_by_key["train"].trigger()
        (training,) = window.findChildren(TrainingWindow)
        training.data.add([self.folder / "data"])
        self.until(lambda: training.data.scanned and training.data.ready)
        self.visited.append("data")
        training.go_to(Step.RECIPE)
        page = training.page(Step.RECIPE)
        assert isinstance(page, ConfigPage)
        self.recipe(page)
        self.improve(training)
        training.open_folder(self.folder / "run")
        self.visited.append("run")
        training.go_to(Step.RESULT)
        self.until(lambda: training.step is Step.RESULT)
        self.visited.append("result")
        run = training.page(Step.RUN)
        assert isinstance(run, RunPage)
        training.leave()

    def recipe(self, page: ConfigPage) -> None:
        self.until(lambda: page.preview.pictures._images and not page._quick.busy)
        self.problems += [page.message.text()] if page.message.text() else []
        page.estimate.button.click()
        self.until(lambda: page._slow.busy)
        page.estimate.button.click()
        self.until(lambda: not page._slow.busy)
        self.closer.stop()
        page.form.find_rate.click()
        assert page.finder is not None
        self.until(lambda: page.finder is None or page.finder.process.processId())
        if page.finder is not None:
            page.finder.reject()
        self.closer.start()
        self.visited.append("recipe")

    def improve(self, training: TrainingWindow) -> None:
        training.go_to(Step.DATA)
        training.improve_button.click()
        self.until(lambda: QApplication.activeModalWidget() is None)
        self.visited.append("fine-tune")


def main(folder: Path) -> int:
    app = Application(["liverseg"])
    tour = Tour(folder)

    def start() -> None:
        try:
            tour.go()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            app.exit(1)

    QTimer.singleShot(0, start)
    handlers.open_externally = lambda _: True  # type: ignore[assignment]
    code = run_window(folder / "scan.nii.gz", folder / "mask.nii.gz")
    loaded = sorted({name.partition(".")[0] for name in sys.modules} & NETWORK_LIBRARIES)
    print(
        json.dumps(
            {
                "loaded": loaded,
                "problems": tour.problems,
                "visited": tour.visited,
                "in_3d": tour.in_3d,
            }
        )
    )
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
