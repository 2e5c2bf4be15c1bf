r"""File type on Windows: keys below ``HKEY_CURRENT_USER\Software\Classes``, so no administrator is needed.

Source: Microsoft, "How to Register a File Type for a New Application" and "Programmatic Identifiers".
"""

from __future__ import annotations

import ctypes
import importlib
import subprocess
from contextlib import suppress
from typing import Any

from cryoplan.app.file_type import ENDING, NAME, Opener
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource

CLASSES = "Software\\Classes"
CLASS = "cryoplan.case"
"""The programmatic identifier that the ending points to."""

_ASSOCIATIONS_CHANGED = 0x08000000  # SHCNE_ASSOCCHANGED; SHChangeNotify of shlobj_core.h


class WindowsRegistrar:
    """Writes to the classes of the user's own registry and nowhere else."""

    where = "two keys in the classes of your own Windows registry; no other account"

    def __init__(self) -> None:
        # Known to Python on Windows only, so not at the head of the file.
        self._registry: Any = importlib.import_module("winreg")

    def opener(self, words: tuple[str, ...]) -> Opener:
        """Return who opens case files, by the command of our class."""
        if self._value(f"{CLASSES}\\{ENDING}") != CLASS:
            return Opener.NOBODY
        found = self._value(f"{CLASSES}\\{CLASS}\\shell\\open\\command")
        if found is None:
            return Opener.NOBODY
        return Opener.THIS if found == command_line(words) else Opener.OTHER

    def register(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Write the keys and tell the desktop.

        Raises
        ------
        StoreError
            If the registry may not be written, or the path of the program cannot stand in it.
        """
        line = command_line(words)
        self._write(f"{CLASSES}\\{CLASS}", "", NAME)
        self._write(f"{CLASSES}\\{CLASS}\\DefaultIcon", "", f'"{resource("icons", "cryoplan.ico")}"')
        self._write(f"{CLASSES}\\{CLASS}\\shell\\open\\command", "", line)
        self._write(f"{CLASSES}\\{ENDING}\\OpenWithProgids", CLASS, "")
        # Last, since it is what takes effect.
        self._write(f"{CLASSES}\\{ENDING}", "", CLASS)
        _tell_desktop()
        return ()

    def remove(self) -> None:
        """Remove our class, and the ending's way to it; what other programs wrote there stays.

        Raises
        ------
        StoreError
            If the registry may not be written.
        """
        registry = self._registry
        ending = f"{CLASSES}\\{ENDING}"
        try:
            if self._value(ending) == CLASS:
                with registry.OpenKey(registry.HKEY_CURRENT_USER, ending, 0, registry.KEY_SET_VALUE) as key:
                    registry.DeleteValue(key, "")
            with suppress(FileNotFoundError):
                path = f"{ending}\\OpenWithProgids"
                with registry.OpenKey(registry.HKEY_CURRENT_USER, path, 0, registry.KEY_SET_VALUE) as key:
                    registry.DeleteValue(key, CLASS)
            for path in (f"{ending}\\OpenWithProgids", ending):
                self._delete_if_empty(path)
            for part in ("\\shell\\open\\command", "\\shell\\open", "\\shell", "\\DefaultIcon", ""):
                with suppress(FileNotFoundError):
                    registry.DeleteKey(registry.HKEY_CURRENT_USER, f"{CLASSES}\\{CLASS}{part}")
        except OSError as error:
            raise _refused(error) from error
        _tell_desktop()

    def _value(self, path: str) -> str | None:
        """Return the default value of a key; None when there is none."""
        try:
            with self._registry.OpenKey(self._registry.HKEY_CURRENT_USER, path) as key:
                value, kind = self._registry.QueryValueEx(key, "")
        except OSError:
            return None
        return value if kind == self._registry.REG_SZ else None

    def _write(self, path: str, name: str, value: str) -> None:
        registry = self._registry
        try:
            with registry.CreateKeyEx(registry.HKEY_CURRENT_USER, path, 0, registry.KEY_SET_VALUE) as key:
                registry.SetValueEx(key, name, 0, registry.REG_SZ, value)
        except OSError as error:
            raise _refused(error) from error

    def _delete_if_empty(self, path: str) -> None:
        registry = self._registry
        with suppress(FileNotFoundError):
            with registry.OpenKey(registry.HKEY_CURRENT_USER, path) as key:
                keys, values, _ = registry.QueryInfoKey(key)
            if not keys and not values:
                registry.DeleteKey(registry.HKEY_CURRENT_USER, path)


def command_line(words: tuple[str, ...]) -> str:
    """Return the command of a class: each word as the C runtime will read it, and the file in quotes.

    Raises
    ------
    StoreError
        If a path holds ``%``, which the shell would take for the beginning of a placeholder.
    """
    if any("%" in word for word in words):
        raise StoreError(
            "The folder of the program has a percent sign in its name, which no click can start.",
            "Move the program to a folder with a plain name, then try again.",
            code="path-with-percent",
        )
    return f'{subprocess.list2cmdline(words)} "%1"'


def _tell_desktop() -> None:
    libraries = getattr(ctypes, "windll", None)
    if libraries is not None:
        libraries.shell32.SHChangeNotify(_ASSOCIATIONS_CHANGED, 0, None, None)


def _refused(error: OSError) -> StoreError:
    return StoreError(
        f"The Windows registry could not be changed ({error.strerror or type(error).__name__}).",
        "Ask whoever administers this computer to allow it, or open cases from the File menu.",
        code="registry-refused",
    )
