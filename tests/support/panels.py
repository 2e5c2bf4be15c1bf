"""What tests of panels need: a case with one more structure, typing as a user does, and a signal's words."""

from __future__ import annotations

from PySide6.QtCore import Qt

from cryoplan.case.structure import Role, Structure
from tests.support.desk import small_case
from tests.support.scenes import ellipsoid


class Heard(list):
    """Everything a signal said."""

    def __init__(self, signal) -> None:
        super().__init__()
        signal.connect(lambda *words: self.append(words[0] if words else None))


def with_structure(name: str, role: Role, centre_mm, *, guessed: bool = False):
    case = small_case()
    new = Structure(
        name=name,
        role=role,
        tissue="liver",
        mask=ellipsoid(case.scan.volume.grid, centre_mm, (9.0, 9.0, 9.0)),
        source="made",
        role_is_guess=guessed,
    )
    return case.changed(structures=(*case.structures, new))


def enter(qtbot, box, text: str) -> None:
    """Type into a field as a user does."""
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)
