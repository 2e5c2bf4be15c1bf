"""File type: what the system is told so that a double click on a ``*.cryoplan`` file opens this program.

Decision: the user asks for it in the window, for this account only, and can take it back the same way. An
installer could do it without asking, but a checkout and a wheel have none, and neither may write outside
its own folder unasked. What is written differs by system: `file_type_linux`, `file_type_windows`. macOS knows
file types by application bundles alone, so there a copy that is no bundle cannot do it and says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Protocol

import cryoplan
from cryoplan.core.errors import CryoplanError

ENDING = ".cryoplan"
NAME = "cryoplan case"

LONGEST_S = 60.0
"""How long a tool of the system may take; all of them take far less than a second."""


class Opener(Enum):
    """Who opens a case file by double click."""

    NOBODY = "nobody"
    THIS = "this copy of the program"
    OTHER = "another copy of the program"


class Registrar(Protocol):
    """How one system is told, for one account.

    Attributes
    ----------
    where : str
        What is written, in words for the question.
    """

    where: str

    def opener(self, words: tuple[str, ...]) -> Opener:
        """Return who opens case files, by what was written here; `words` start this copy."""

    def register(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Make `words` followed by the path open case files; a second time changes nothing.

        Returns
        -------
        tuple of str
            Sentences on what the system still lacks before it will do so; none if all is done.
        """

    def remove(self) -> None:
        """Take back all that `register` wrote; nothing happens where there is nothing."""


def registrar() -> Registrar:
    """Return how this system is told.

    Raises
    ------
    CryoplanError
        On macOS, where only an application bundle can have a file type.
    """
    if sys.platform == "win32":
        from cryoplan.app.file_type_windows import WindowsRegistrar

        return WindowsRegistrar()
    if sys.platform == "darwin":
        raise CryoplanError(
            "macOS opens files by double click in application bundles only, and this copy is none.",
            "Open the case from the File menu, or drop its file on the window.",
            code="double-click-needs-bundle",
        )
    from cryoplan.app.file_type_linux import LinuxRegistrar

    return LinuxRegistrar()


def starting_words() -> tuple[str, ...]:
    """Return the words that start this copy of the program from any folder; a case may follow.

    Raises
    ------
    CryoplanError
        If this copy can only be started from its own folder, and the system has no way to say so.
    """
    if getattr(sys, "frozen", False):
        return (sys.executable, "gui")
    # Safe path (-P): the folder of the case must not be searched for modules.
    words = (_windowed(sys.executable), "-P", "-m", "cryoplan", "gui")
    package = Path(cryoplan.__file__).resolve().parent
    if _package_found_by(sys.executable) == package:
        return words
    if os.name != "posix":
        raise CryoplanError(
            "This copy of cryoplan is not installed in the Python that runs it.",
            "Run packaging/dev.py setup, start the program from there, then try again.",
            code="double-click-not-installed",
        )
    return ("sh", "-c", 'PYTHONPATH="$0" exec "$@"', str(package.parent), *words)


def _windowed(python: str) -> str:
    """Return the interpreter that opens no console, where there is one (Windows)."""
    quiet = Path(python).with_name("pythonw.exe")
    return str(quiet) if os.name == "nt" and quiet.is_file() else python


def _package_found_by(python: str) -> Path | None:
    """Return the package that an interpreter finds by itself, as it will when a desktop starts it."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    script = "import cryoplan, pathlib; print(pathlib.Path(cryoplan.__file__).resolve().parent)"
    try:
        done = subprocess.run(
            [python, "-P", "-X", "utf8", "-c", script],
            capture_output=True,
            check=False,
            env=environment,
            timeout=LONGEST_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Path(done.stdout.decode("utf-8").rstrip("\r\n")) if done.returncode == 0 else None
