"""The question about double clicks: it says what it writes, does it on yes alone, and takes it back."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QMessageBox, QWidget

from cryoplan.app import file_type
from cryoplan.app.file_type import Opener
from cryoplan.core.errors import StoreError
from cryoplan.gui import theme
from cryoplan.gui.file_type import FileType
from cryoplan.gui.main_window import MainWindow
from tests.support.desk import Desk


class System:
    """A system that only notes what it is told."""

    where = "two notes"

    def __init__(self) -> None:
        self.words: tuple[str, ...] | None = None
        self.lacks: tuple[str, ...] = ()
        self.error: StoreError | None = None

    def opener(self, words: tuple[str, ...]) -> Opener:
        return Opener.NOBODY if self.words is None else Opener.THIS if self.words == words else Opener.OTHER

    def register(self, words: tuple[str, ...]) -> tuple[str, ...]:
        if self.error is not None:
            raise self.error
        self.words = words
        return self.lacks

    def remove(self) -> None:
        self.words = None


@pytest.fixture
def system(monkeypatch) -> System:
    made = System()
    monkeypatch.setattr(file_type, "registrar", lambda: made)
    monkeypatch.setattr(file_type, "starting_words", lambda: ("program",))
    return made


@pytest.fixture
def window(qtbot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def entry(empty_desk: Desk, window, system) -> FileType:
    assert file_type.registrar() is system
    return FileType(empty_desk.workspace, window)


def press(monkeypatch, wanted: str) -> list[str]:
    """Press a button of every message box, and note what the boxes say."""
    seen: list[str] = []

    def answer(box: QMessageBox) -> int:
        seen.append(f"{box.text()} {box.informativeText()}")
        next(b for b in box.buttons() if b.text().replace("&", "") == wanted).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    return seen


def test_nothing_is_written_without_a_yes(entry, system, monkeypatch, qtbot):
    seen = press(monkeypatch, "Cancel")
    entry.ask()
    qtbot.waitUntil(lambda: bool(seen))
    assert "two notes" in seen[0]
    assert system.words is None
    assert not entry.is_under_way


def test_a_yes_writes_it_and_a_second_visit_takes_it_back(entry, system, empty_desk, monkeypatch, qtbot):
    press(monkeypatch, "Open cases by double click")
    with qtbot.waitSignal(empty_desk.workspace.message) as said:
        entry.ask()
    assert system.words == ("program",)
    assert said.args == ["A double click on a case file opens it here"]
    press(monkeypatch, "Take it back")
    with qtbot.waitSignal(empty_desk.workspace.message):
        entry.ask()
    assert system.words is None


def test_another_copy_gives_way_only_when_asked_to(entry, system, empty_desk, monkeypatch, qtbot):
    system.words = ("other",)
    seen = press(monkeypatch, "Open them in this copy")
    with qtbot.waitSignal(empty_desk.workspace.message):
        entry.ask()
    assert "another copy" in seen[0]
    assert system.words == ("program",)


def test_what_the_desktop_lacks_is_told(entry, system, empty_desk, monkeypatch, qtbot):
    system.lacks = ("A tool is not installed; install it.",)
    press(monkeypatch, "Open cases by double click")
    with qtbot.waitSignal(empty_desk.workspace.failed) as said:
        entry.ask()
    assert said.args[0].code == "double-click-incomplete"
    assert said.args[0].remedy == system.lacks[0]


def test_a_refusal_goes_to_the_banner(entry, system, empty_desk, monkeypatch, qtbot):
    system.error = StoreError("The folder may not be written.", "Choose another.", code="not-writable")
    press(monkeypatch, "Open cases by double click")
    with qtbot.waitSignal(empty_desk.workspace.failed) as said:
        entry.ask()
    assert said.args[0].code == "not-writable"


def test_the_help_menu_has_the_entry(empty_desk, qapp, qtbot):
    made = MainWindow(empty_desk.workspace, empty_desk.view, theme.apply(qapp), lambda *_: QWidget())
    qtbot.addWidget(made, before_close_func=lambda _: setattr(made.files, "may_leave", lambda: True))
    assert made.actions_by_id["file-type"].isEnabled()
