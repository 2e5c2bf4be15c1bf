"""Look keys: window presets, the thick slab, and the other image by itself."""

from __future__ import annotations

from PySide6.QtCore import Qt

from cryoplan.app.view import ViewState, Window
from cryoplan.app.workspace import Workspace
from cryoplan.scene.window import presets_of, show_window

NO_SECOND = "There is no second image (File, Add second image)."


def is_digit(key: int) -> bool:
    """Tell whether a key is 1 to 9."""
    return Qt.Key.Key_1 <= key <= Qt.Key.Key_9


class LookKeys:
    """What the keys of a view change in how all views look; nothing of it is undone."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        self._workspace, self._view = workspace, view

    def press(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        """Do what a key means; False when it means nothing here."""
        if is_digit(key):
            self._preset(key - Qt.Key.Key_1, second=bool(modifiers & Qt.KeyboardModifier.AltModifier))
        elif key in (Qt.Key.Key_T, Qt.Key.Key_Comma, Qt.Key.Key_Period):
            self._press_slab(key)
        elif key == Qt.Key.Key_F:
            self._press_flicker()
        else:
            return False
        return True

    def _preset(self, index: int, *, second: bool = False) -> None:
        case = self._workspace.case
        scan = self._workspace.second.scan if second else case.scan if case is not None else None
        if scan is None:
            self._workspace.message.emit(NO_SECOND)
            return
        presets = presets_of(scan)
        if index >= len(presets):
            self._workspace.message.emit(f"This image has the windows 1 to {len(presets)}.")
            return
        preset = presets[index]
        window = Window(width=preset.width, level=preset.level)
        if second:
            self._view.second_window = window
        else:
            self._view.window = window
        which = "Second image, window" if second else "Window"
        self._workspace.message.emit(f"{which} {preset.name}: {show_window(preset.width, preset.level)}")

    def _press_flicker(self) -> None:
        if self._workspace.second.scan is not None:
            self._view.second_flicker = True
        else:
            self._workspace.message.emit(NO_SECOND)

    def _press_slab(self, key: int) -> None:
        slab = self._view.slab
        if key == Qt.Key.Key_T:
            slab = slab.next_kind()
        elif slab.is_on:
            slab = slab.stepped(1 if key == Qt.Key.Key_Period else -1)
        self._view.slab = slab
        self._workspace.message.emit(slab.text or "One slice, as it was acquired (T for a thick slab)")
