"""Words: the language of the window. Every text of the program goes through `say` where it meets Qt.

English sentences are the keys (`cryoplan.core.language`), so a panel reads as it always did, and messages
that come from below the window are said in the user's language as well. What users named is never
translated: `keep_names` holds the names of the case, and `Name` marks a single one.

The language is chosen once, at the start: a window that changes its language under the hand would have to
make every label anew, and nobody changes it twice.
"""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from cryoplan.core.language import ENGLISH, Translator, languages, table
from cryoplan.core.resources import resource

WINDOW = "window.toml"
"""A language without this table has words for paper only: half a window in another language misleads."""


class _Voice:
    """The one translator of the window."""

    def __init__(self) -> None:
        self.translator = Translator(ENGLISH)


_VOICE = _Voice()


def speak(language: str, names: Collection[str] = ()) -> None:
    """Let `say` speak a language from now on.

    Raises
    ------
    StoreError
        If there is no such language.
    """
    table(language)
    _VOICE.translator = Translator(language, frozenset(names))


def keep_names(names: Collection[str]) -> None:
    """Say what users named in the open case, and so is never translated."""
    if language() != ENGLISH:
        _VOICE.translator = _VOICE.translator.with_names(frozenset(names))


def language() -> str:
    """Return the language that the window speaks."""
    return _VOICE.translator.language


def decimal_sign() -> str:
    """Return what stands between ones and tenths in the window's language."""
    return "." if language() == ENGLISH else ","


def say(text: str) -> str:
    """Return a text in the window's language: each line that the tables know, and the others as they are.

    Unlike on paper a text may be half translated here: a tooltip whose last line cites an English source is
    still better read in one's own language.
    """
    translator = _VOICE.translator
    if translator.language == ENGLISH or not text:
        return text
    if "\n" not in text:
        return translator.say(text)
    whole = translator.say(text)
    return whole if whole != text else "\n".join(translator.say(line) for line in text.split("\n"))


def window_languages() -> tuple[str, ...]:
    """Return the languages whose window is translated, English first; paper may speak more."""
    return tuple(
        code for code in languages() if code == ENGLISH or resource("translations", code, WINDOW).is_file()
    )


def start_speaking(application: QCoreApplication, wanted: str) -> None:
    """Speak a language, or the system's where none is wanted, or English; in Qt's own dialogs too."""
    code = wanted or QLocale.system().name()[:2]
    speak(code if code in window_languages() else ENGLISH)
    if language() != ENGLISH:
        own = QTranslator(application)
        if own.load(f"qtbase_{language()}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            application.installTranslator(own)
