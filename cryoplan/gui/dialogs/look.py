"""Look and language: the few things about the window itself that a user may choose."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QDialog, QFormLayout, QVBoxLayout, QWidget

from cryoplan.app.settings import Settings
from cryoplan.gui.appearance import DARK, LANGUAGES, LIGHT, PART, SIZES, Appearance
from cryoplan.gui.dialogs.answers import add_answers
from cryoplan.gui.parts import Text
from cryoplan.gui.words import say, window_languages

LOOKS = {DARK: "Dark, for a dim room", LIGHT: "Light"}

LATER = "The window is made anew with it: close cryoplan and open it again. The case waits as it is."


class LookDialog(QDialog):
    """Asks for look, text size and language, and keeps them for the next start."""

    def __init__(self, settings: Settings, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle(say("Look and language"))
        now = settings.read(PART, Appearance)
        self.look = _choice("Look", {key: say(words) for key, words in LOOKS.items()}, now.look)
        self.size = _choice("Text size", {percent: f"{percent} %" for percent in SIZES}, now.text_percent)
        names = {code: name for code, name in LANGUAGES.items() if not code or code in window_languages()}
        self.language = _choice("Language", {code: say(name) for code, name in names.items()}, now.language)
        form = QFormLayout()
        for title, box in (("Look", self.look), ("Text size", self.size), ("Language", self.language)):
            form.addRow(Text(title, "muted"), box)
        note = Text(LATER, "muted", wrap=True)
        note.setMinimumWidth(340)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(note)
        add_answers(self, column, "Keep")

    def accept(self) -> None:
        """Keep what was chosen."""
        self._settings.write(
            PART,
            Appearance(
                look=self.look.currentData(),
                text_percent=self.size.currentData(),
                language=self.language.currentData(),
            ),
        )
        super().accept()


def _choice(name: str, words: dict, chosen: object) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(say(name))
    for key, text in words.items():
        box.addItem(text, key)
    box.setCurrentIndex(max(box.findData(chosen), 0))
    return box
