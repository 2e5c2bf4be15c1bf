"""Words: the window speaks the chosen language, leaves names alone, and reads a decimal comma."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QFont, QFontInfo
from PySide6.QtWidgets import QApplication

from cryoplan.app.settings import Settings
from cryoplan.core.errors import StoreError
from cryoplan.gui import theme, words
from cryoplan.gui.appearance import DARK, LIGHT, PART, TEXT_PX, Appearance
from cryoplan.gui.dialogs.look import LookDialog
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Heading, Name, Text, text_scaled


@pytest.fixture
def german() -> Iterator[None]:
    words.speak("de")
    yield
    words.speak("en")


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(tmp_path / "settings.json")


def test_english_is_said_as_it_is():
    assert words.say("Tumour 2.5 mm") == "Tumour 2.5 mm"


@pytest.mark.usefixtures("german")
def test_a_label_speaks_german_and_a_name_stays(qtbot):
    text, name, heading = Text("caudal"), Name("caudal"), Heading("caudal")
    for widget in (text, name, heading):
        qtbot.addWidget(widget)
    assert text.text() == "kaudal"
    assert name.text() == "caudal"
    assert heading.text() == "KAUDAL"


@pytest.mark.usefixtures("german")
def test_what_users_named_is_never_translated():
    assert words.say("caudal") == "kaudal"
    words.keep_names({"caudal"})
    assert words.say("caudal") == "caudal"
    words.keep_names(())
    assert words.say("caudal") == "kaudal"


@pytest.mark.usefixtures("german")
def test_lines_of_a_text_are_said_one_by_one_and_a_foreign_one_stays():
    assert words.say("caudal\nSmith 2011, table 2\n12.5 mm") == "kaudal\nSmith 2011, table 2\n12,5 mm"


def test_an_unknown_language_is_refused():
    with pytest.raises(StoreError, match="language 'xx'"):
        words.speak("xx")
    assert words.language() == "en"


@pytest.mark.parametrize(("language", "shown"), [("en", "12.5 mm"), ("de", "12,5 mm")])
def test_a_number_is_shown_with_the_sign_of_the_language_and_read_with_either(language, shown, qtbot):
    words.speak(language)
    try:
        box = NumberBox("Depth", " mm", lowest=-100.0, highest=100.0)
        qtbot.addWidget(box)
        box.setValue(12.5)
        assert box.text() == shown
        for typed, value in (("7,5", 7.5), ("7.2", 7.2), ("\N{MINUS SIGN}3,5 mm", -3.5), ("-4.5", -4.5)):
            box.lineEdit().setText(typed)
            box.interpretText()
            assert box.value() == pytest.approx(value, abs=1e-9)
    finally:
        words.speak("en")


def test_the_choice_of_the_dialog_is_kept(settings, qtbot, monkeypatch):
    monkeypatch.setattr("cryoplan.gui.dialogs.look.window_languages", lambda: ("en", "de"))
    dialog = LookDialog(settings, None)
    qtbot.addWidget(dialog)
    boxes = (dialog.look, dialog.size, dialog.language)
    assert [box.currentData() for box in boxes] == [DARK, 100, ""]
    dialog.look.setCurrentIndex(dialog.look.findData(LIGHT))
    dialog.size.setCurrentIndex(dialog.size.findData(130))
    dialog.language.setCurrentIndex(dialog.language.findData("de"))
    dialog.accept()
    assert settings.read(PART, Appearance) == Appearance(look=LIGHT, text_percent=130, language="de")
    again = LookDialog(settings, None)
    qtbot.addWidget(again)
    assert again.language.currentText() == "Deutsch"


def test_a_language_without_words_for_the_window_is_not_offered(settings, qtbot, monkeypatch):
    monkeypatch.setattr(words, "WINDOW", "no-such-table.toml")
    assert words.window_languages() == ("en",)
    dialog = LookDialog(settings, None)
    qtbot.addWidget(dialog)
    assert [dialog.language.itemData(n) for n in range(dialog.language.count())] == ["", "en"]


def test_a_dialog_given_up_changes_nothing(settings, qtbot):
    dialog = LookDialog(settings, None)
    qtbot.addWidget(dialog)
    dialog.language.setCurrentIndex(dialog.language.findData("de"))
    dialog.reject()
    assert settings.read(PART, Appearance) == Appearance()


def test_an_unknown_language_of_the_settings_is_english(qapp):
    words.start_speaking(qapp, "tlh")
    assert words.language() == "en"


def test_larger_text_makes_text_and_panels_larger(qapp):
    def pixels() -> int:
        return QFontInfo(QApplication.font()).pixelSize()

    before = QApplication.font()
    try:
        qapp.setFont(small_font(9))
        theme.apply(qapp)
        assert pixels() == TEXT_PX
        assert text_scaled(300) == 300
        qapp.setFont(small_font(9))
        theme.apply(qapp, text_percent=150)
        assert pixels() == round(1.5 * TEXT_PX)
        assert text_scaled(300) > 400
    finally:
        qapp.setFont(before)
        theme.apply(qapp)


def small_font(pixels: int) -> QFont:
    """Return the program's font in a size that the system may have set."""
    font = QApplication.font()
    font.setPixelSize(pixels)
    return font
