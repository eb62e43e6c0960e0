"""Window/level: from the scan's values, the reader's presets, and as the study was last seen."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from liverseg_gui.core.geometry import Int3
from liverseg_gui.core.histogram import region_window
from liverseg_gui.core.window_level import Window
from liverseg_gui.state.user_presets import preset_of, renamed
from liverseg_gui.state.window_level_memory import WindowLevelMemory
from liverseg_gui.ui.controllers.app_context import AppContext

_PAUSE_MS = 3000


class WindowLevelController(QObject):
    """Sets `ViewState.window`. It must listen to the study before the views do, so that they draw
    a scan with its own window at once."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._memory = WindowLevelMemory(context.settings)
        self._keep_later = QTimer(self)
        self._keep_later.setSingleShot(True)
        self._keep_later.setInterval(_PAUSE_MS)
        self._keep_later.timeout.connect(self._memory.keep)
        context.study.volume_changed.connect(self._begin)
        context.view.events.window.connect(self._used)

    @property
    def first(self) -> Window:
        """The window that studies open with."""
        return self._memory.first

    def set(self, window: Window) -> None:
        """Look through `window`."""
        self._context.view.window = window

    def reset(self) -> None:
        """Look through the window that studies open with, not inverted."""
        self.set(self.first)
        self._context.view.inverted = False

    def auto(self) -> None:
        """The window of the scan's own values."""
        histogram = self._context.study.histogram
        if histogram is not None:
            self.set(histogram.auto_window())

    def from_file(self) -> None:
        """The window that the file states; once more, the next one it states."""
        volume = self._context.study.volume
        stated = [named.window for named in volume.origin.windows] if volume else []
        if stated:
            now = self._context.view.window
            at = stated.index(now) + 1 if now in stated else 0
            self.set(stated[at % len(stated)])

    def from_region(self, voxel: Int3 | None) -> None:
        """The window of what lies around `voxel`, or else around the crosshair."""
        volume = self._context.study.volume
        if volume is not None:
            at = voxel or self._context.view.crosshair_ijk
            self.set(region_window(volume.hu, at, volume.affine))

    @property
    def own_preset(self) -> str | None:
        """The reader's preset that the present window is."""
        return preset_of(self._context.view.window, self._context.settings.values.user_presets)

    def use_own_preset(self, place: int) -> None:
        """Look through the reader's preset at `place` (from 0)."""
        presets = list(self._context.settings.values.user_presets.values())
        if place < len(presets):
            self.set(presets[place])

    def save_preset(self) -> None:
        """Keep the present window under a name the reader gives."""
        settings, window = self._context.settings, self._context.view.window
        presets = settings.values.user_presets
        name = self._context.dialogs.preset_name("Save as preset", "", tuple(presets), True)
        if name is not None:
            settings.change(user_presets={**presets, name: window})
            self._context.say(f'Saved as "{name}"')

    def rename_preset(self) -> None:
        """Give the reader's preset that is used now another name."""
        settings, old = self._context.settings, self.own_preset
        if old is None:
            return
        presets = settings.values.user_presets
        others = tuple(name for name in presets if name != old)
        name = self._context.dialogs.preset_name("Rename preset", old, others, False)
        if name is not None:
            settings.change(user_presets=renamed(presets, old, name))

    def delete_preset(self) -> None:
        """Ask, and drop the reader's preset that is used now; the window stays."""
        settings, name = self._context.settings, self.own_preset
        if name is not None and self._context.dialogs.confirm(
            f'Delete the preset "{name}"?', "Delete it", "Keep it"
        ):
            presets = settings.values.user_presets
            settings.change(user_presets={n: w for n, w in presets.items() if n != name})

    def keep(self) -> None:
        """Remember now what the study is looked at with: it is about to close."""
        self._keep_later.stop()
        self._memory.keep()

    def forget(self) -> None:
        """Do not remember what was done up to now."""
        self._keep_later.stop()
        self._memory.forget()

    def _begin(self) -> None:
        window = self._memory.opened(self._context.study.key)
        if window is not None:
            self.set(window)
            self.forget()

    def _used(self, window: Window, *_: object) -> None:
        """Wait for a pause: a drag changes the window a hundred times a second."""
        if self._context.study.volume is not None:
            self._memory.used(window)
            self._keep_later.start()
