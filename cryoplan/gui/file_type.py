"""FileType: asks whether case files open by double click, and has the system told in a thread."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from cryoplan.app import file_type
from cryoplan.app.asking import Asking
from cryoplan.app.file_type import Opener, Registrar
from cryoplan.app.jobs import Failure
from cryoplan.app.workspace import Workspace
from cryoplan.gui.words import say


class Answer(Enum):
    """What is to be done about the file type; the text of a button."""

    OPEN_HERE = "Open cases by double click"
    TAKE_OVER = "Open them in this copy"
    AGAIN = "Do it again"
    STOP = "Take it back"
    NOTHING = "Cancel"


SAYS = {
    Opener.NOBODY: "Let a double click on a case file open it in cryoplan?",
    Opener.THIS: "A double click on a case file opens it in this copy of cryoplan.",
    Opener.OTHER: "A double click on a case file opens it in another copy of cryoplan.",
}
OFFERS = {
    Opener.NOBODY: (Answer.OPEN_HERE,),
    Opener.THIS: (Answer.AGAIN, Answer.STOP),
    Opener.OTHER: (Answer.TAKE_OVER, Answer.STOP),
}


class FileType(QObject):
    """The menu entry that makes and unmakes the double click.

    Parameters
    ----------
    window : QWidget
        What the question stands before.
    """

    def __init__(self, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        self._asking = Asking(workspace, self)
        self._asking.answered.connect(self._go_on)

    @property
    def is_under_way(self) -> bool:
        """True while the system is asked or told."""
        return self._asking.is_under_way

    @Slot()
    def ask(self) -> None:
        """Look who opens case files, then ask."""
        if not self._asking.is_under_way:
            self._asking.run(_look)

    @Slot(object)
    def _go_on(self, answer: tuple[Registrar, Opener] | tuple[Answer, tuple[str, ...]]) -> None:
        first, second = answer
        if isinstance(first, Answer):
            self._say_done(first, second)
            return
        system = first
        chosen = ask_file_type(second, system.where, self._window)
        if chosen is not Answer.NOTHING:
            self._asking.run(lambda: (chosen, _do(system, chosen)))

    def _say_done(self, answer: Answer, lacks: tuple[str, ...]) -> None:
        if lacks:
            self._workspace.failed.emit(
                Failure(
                    what="The file type is written, but the desktop may not see it yet.",
                    remedy=" ".join(lacks),
                    code="double-click-incomplete",
                )
            )
        elif answer is Answer.STOP:
            self._workspace.message.emit("Case files no longer open by double click")
        else:
            self._workspace.message.emit("A double click on a case file opens it here")


def _look() -> tuple[Registrar, Opener]:
    system = file_type.registrar()
    return system, system.opener(file_type.starting_words())


def _do(system: Registrar, answer: Answer) -> tuple[str, ...]:
    if answer is Answer.STOP:
        system.remove()
        return ()
    return system.register(file_type.starting_words())


def ask_file_type(opener: Opener, where: str, parent: QWidget) -> Answer:
    """Ask what is to be done; closing the question does nothing."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(say("Open cases by double click"))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(say(SAYS[opener]))
    box.setInformativeText(say(f"It needs {where}. The same menu entry takes it back."))
    roles = QMessageBox.ButtonRole
    made = {
        box.addButton(
            say(offer.value), roles.DestructiveRole if offer is Answer.STOP else roles.AcceptRole
        ): offer
        for offer in OFFERS[opener]
    }
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setEscapeButton(cancel)
    box.setDefaultButton(cancel if opener is Opener.THIS else next(iter(made)))
    box.exec()
    chosen = box.clickedButton()
    answer = made.get(chosen, Answer.NOTHING) if chosen is not None else Answer.NOTHING
    box.deleteLater()
    return answer
