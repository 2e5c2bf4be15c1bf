"""File type on Linux and its kin: a desktop entry, a MIME type and icons in the user's data folder.

Sources: Desktop Entry Specification 1.5 (sections "Values" and "The Exec key"), Shared MIME-info Database
Specification 0.21, Icon Theme Specification 0.13, XDG Base Directory Specification 0.8 (freedesktop.org).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from cryoplan import RESEARCH_USE
from cryoplan.app.file_type import ENDING, LONGEST_S, NAME, Opener
from cryoplan.case.store_file import APPLICATION_ID
from cryoplan.core.atomic import write_atomic
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource

MIME_TYPE = "application/x-cryoplan"

MARK = "X-Cryoplan-Registered=true"
"""Tells our desktop entry from one that somebody wrote by hand, which is never overwritten."""

_TOOLS = (
    ("update-mime-database", "mime", "shared-mime-info"),
    ("update-desktop-database", "applications", "desktop-file-utils"),
)
"""What makes the desktop see the new files: tool, folder, the package it comes with."""

_STRING_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})
_QUOTED_ESCAPES = str.maketrans({c: f"\\{c}" for c in '"`$\\'} | {"%": "%%"})
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@")


class LinuxRegistrar:
    """Writes below ``$XDG_DATA_HOME`` and nowhere else."""

    where = "a menu entry, a file type and an icon in your own data folder (~/.local/share); no other account"

    def __init__(self) -> None:
        self.data = data_home()
        icons = self.data / "icons" / "hicolor" / "scalable"
        self._theme = icons.parent
        self._entry = self.data / "applications" / "cryoplan.desktop"
        self._type = self.data / "mime" / "packages" / "cryoplan.xml"
        self._icons = (
            icons / "apps" / "cryoplan.svg",
            icons / "mimetypes" / f"{MIME_TYPE.replace('/', '-')}.svg",
        )

    def opener(self, words: tuple[str, ...]) -> Opener:
        """Return who opens case files, by the desktop entry."""
        found = self._read_entry()
        if found is None or MARK not in found.splitlines() or not self._type.is_file():
            return Opener.NOBODY
        return Opener.THIS if found == desktop_entry(words) else Opener.OTHER

    def register(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Write the files and have the desktop's databases made anew.

        Raises
        ------
        StoreError
            If a file cannot be written, or a desktop entry of that name was made by hand.
        """
        self._require_ours()
        picture = resource("icons", "cryoplan.svg").read_bytes()
        contents = dict.fromkeys(self._icons, picture)
        contents[self._type] = mime_package().encode()
        # Last, since it is what tells that all is there.
        contents[self._entry] = desktop_entry(words).encode()
        for path, content in contents.items():
            with suppress(OSError):  # writing says why in a sentence
                path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, content)
        return self._update()

    def remove(self) -> None:
        """Remove the files.

        Raises
        ------
        StoreError
            If one cannot be removed, or the desktop entry was made by hand.
        """
        self._require_ours()
        for path in (self._entry, self._type, *self._icons):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(
                    f"{path.name} could not be removed ({error.strerror}).",
                    "Make its folder writable, then try again.",
                    code="not-writable",
                    place=path.name,
                ) from error
        self._update()

    def _read_entry(self) -> str | None:
        try:
            return self._entry.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def _require_ours(self) -> None:
        found = self._read_entry()
        is_there = self._entry.exists() or self._entry.is_symlink()
        if is_there and (found is None or MARK not in found.splitlines()):
            raise StoreError(
                "There is a menu entry cryoplan.desktop already that this program did not write.",
                "Rename or remove it, then try again.",
                code="foreign-desktop-entry",
                place=self._entry.name,
            )

    def _update(self) -> tuple[str, ...]:
        """Run the tools that are there; return a sentence for each that is not, or that failed."""
        with suppress(OSError):  # a theme's cache is looked at anew when the folder itself is younger
            os.utime(self._theme)
        lacks = []
        for tool, folder, package in _TOOLS:
            if not (self.data / folder).is_dir():
                continue
            found = shutil.which(tool)
            if found is None:
                lacks.append(f"{tool} is not installed; install {package}, then do this again.")
                continue
            try:
                done = subprocess.run(
                    [found, str(self.data / folder)], capture_output=True, check=False, timeout=LONGEST_S
                )
            except (OSError, subprocess.TimeoutExpired):
                lacks.append(f"{tool} did not end; log out and in again, then do this again.")
                continue
            if done.returncode != 0:
                lacks.append(f"{tool} failed (code {done.returncode}); see that {folder} may be written.")
        return tuple(lacks)


def data_home() -> Path:
    """Return the user's data folder; the specification has relative paths ignored."""
    given = os.environ.get("XDG_DATA_HOME", "")
    return Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "share"


def desktop_entry(words: tuple[str, ...]) -> str:
    """Return the desktop entry that starts `words` with a file after them.

    Raises
    ------
    StoreError
        If a path holds bytes that are no text, which such a file cannot say.
    """
    try:
        "".join(words).encode()
    except UnicodeEncodeError as error:
        raise StoreError(
            "The folder of the program has a name that is no valid text.",
            "Move the program to a folder with a plain name, then try again.",
            code="path-is-no-text",
        ) from error
    # A desktop hides the entry once the program is gone; behind a shell it cannot tell.
    tried = (f"TryExec={words[0].translate(_STRING_ESCAPES)}",) if words[0].startswith("/") else ()
    return "\n".join(
        (
            "[Desktop Entry]",
            "Type=Application",
            "Version=1.0",
            "Name=cryoplan",
            "GenericName=Cryoablation planning desk",
            f"Comment={RESEARCH_USE}",
            f"Exec={exec_line(words)}",
            *tried,
            "Icon=cryoplan",
            "Terminal=false",
            "StartupNotify=true",
            "StartupWMClass=cryoplan",
            "Categories=Science;MedicalSoftware;",
            f"MimeType={MIME_TYPE};",
            MARK,
            "",
        )
    )


def exec_line(words: tuple[str, ...]) -> str:
    """Return the value of ``Exec`` that starts `words` followed by one file.

    Two layers, as the specification has it: words in quotes with four characters escaped, then the escapes
    of every string value. A program with ``=`` in its path is not allowed there, and GLib looks for one with
    ``%`` under its doubled name; a shell starts these.
    """
    through = ("sh", "-c", 'exec "$0" "$@"') if {"=", "%"} & set(words[0]) else ()
    line = " ".join([*(_quoted(word) for word in (*through, *words)), "%f"])
    return line.translate(_STRING_ESCAPES)


def _quoted(word: str) -> str:
    if word and _PLAIN.issuperset(word):
        return word
    return f'"{word.translate(_QUOTED_ESCAPES)}"'


def mime_package() -> str:
    """Return the description of the file type: by its ending, and by what stands in the file.

    A case file is an SQLite database with our application id at byte 68 (SQLite file format, section 1.3),
    so a file without the ending is known too and a foreign SQLite file is not taken for one.
    """
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{MIME_TYPE}">
    <comment>{NAME}</comment>
    <sub-class-of type="application/vnd.sqlite3"/>
    <icon name="{MIME_TYPE.replace("/", "-")}"/>
    <magic priority="60">
      <match type="string" value="SQLite format 3\\x00" offset="0">
        <match type="big32" value="{APPLICATION_ID:#010x}" offset="68"/>
      </match>
    </magic>
    <glob pattern="*{ENDING}"/>
  </mime-type>
</mime-info>
"""
