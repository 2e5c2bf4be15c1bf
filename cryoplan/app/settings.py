"""Settings: what the user chose, in one small JSON file that only the user may read.

The file is written whole or not at all. One that cannot be read is set aside, never thrown away and never a
reason not to start: `Settings.notice` says so once. Keys that this version does not know, of a newer one for
example, are carried along unchanged.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import platformdirs

from cryoplan.core.atomic import replace_when_written
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding, Level

LARGEST_BYTES = 1_000_000

Part = TypeVar("Part")


def settings_path() -> Path:
    """Return where the settings are kept."""
    return Path(platformdirs.user_config_path("cryoplan", appauthor=False)) / "settings.json"


class Settings:
    """Named parts of the settings file, each a dataclass with defaults.

    Every reading looks at the file and every writing changes one part of it, so that two windows do not undo
    what the other one wrote.

    Parameters
    ----------
    path : Path, optional
        The file; the user's own when left out.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or settings_path()
        self._notice: Finding | None = None

    @property
    def notice(self) -> Finding | None:
        """What the user should know of the file, None when all is well."""
        return self._notice

    def read(self, name: str, kind: type[Part]) -> Part:
        """Return one part; its defaults where the file has none of it."""
        raw = self._parts().get(name)
        if raw is None:
            return kind()
        try:
            return msgspec.json.decode(bytes(raw), type=kind)
        except msgspec.MsgspecError:
            with contextlib.suppress(OSError):
                self._set_aside()
            return kind()

    def write(self, name: str, part: object) -> bool:
        """Keep one part; False where it cannot be written, which `notice` says."""
        try:
            parts: dict[str, Any] = dict(self._load())
            parts[name] = part
            data = msgspec.json.format(msgspec.json.encode(parts), indent=1) + b"\n"
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replace_when_written(self.path) as temporary:
                temporary.touch(mode=0o600)
                temporary.write_bytes(data)
        except (OSError, StoreError):
            self._notice = Finding(
                level=Level.WARN,
                code="settings-not-written",
                text="Your settings could not be kept; the folder of settings may not be written or is full.",
            )
            return False
        return True

    def _parts(self) -> dict[str, msgspec.Raw]:
        try:
            return self._load()
        except OSError:  # out of reach for the moment, and so not to be written over either
            return {}

    def _load(self) -> dict[str, msgspec.Raw]:
        try:
            with self.path.open("rb") as stream:
                data = stream.read(LARGEST_BYTES + 1)
        except FileNotFoundError:
            return {}
        if len(data) > LARGEST_BYTES:
            self._set_aside()
            return {}
        try:
            return msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._set_aside()
            return {}

    def _set_aside(self) -> None:
        """Move a file that cannot be read out of the way, so that nothing of it is overwritten.

        Raises
        ------
        OSError
            If it cannot be moved: then it may not be written over either.
        """
        stem = f"settings-damaged-{time.strftime('%Y%m%d-%H%M%S')}"
        aside, number = self.path.with_name(f"{stem}.json"), 1
        while aside.exists():
            number += 1
            aside = self.path.with_name(f"{stem}-{number}.json")
        try:
            self.path.replace(aside)
        except OSError:
            self._notice = Finding(
                level=Level.WARN,
                code="settings-damaged",
                text="Your settings cannot be read or moved away; the program starts with its own.",
            )
            raise
        self._notice = Finding(
            level=Level.WARN,
            code="settings-damaged",
            text="Your settings could not be read and were set aside; the program starts with its own.",
        )
