"""Rail: the six rooms of the work; each says whether it is done, empty, or needs a look, and why."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QToolButton, QVBoxLayout, QWidget

from cryoplan.app.workspace import Workspace
from cryoplan.core.finding import Level, worst
from cryoplan.gui.parts import text_scaled
from cryoplan.gui.words import say
from cryoplan.margins.case_limits import CHANGED_CODE

STEPS = ("Images", "Structures", "Probes", "Freeze", "Review", "Report")

DONE, LOOK, EMPTY = "✓", "!", "○"

Status = tuple[str, str]
"""A sign and the sentence that explains it."""


class Rail(QWidget):
    """Buttons 1 to 6; any order is allowed."""

    chosen = Signal(int)

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self._workspace = workspace
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 8, 4, 8)
        column.setSpacing(4)
        self._group = QButtonGroup(self)
        self._buttons: list[QToolButton] = []
        for number, name in enumerate(STEPS):
            button = QToolButton()
            button.setObjectName("railButton")
            button.setCheckable(True)
            button.setFixedSize(text_scaled(74), text_scaled(62))
            button.setAccessibleName(say(f"Step {number + 1}, {name}"))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            self._group.addButton(button, number)
            self._buttons.append(button)
            column.addWidget(button)
        column.addStretch(1)
        self._group.idClicked.connect(self.chosen)
        for signal in (workspace.case_changed, workspace.plan_changed, workspace.state_changed):
            signal.connect(self._refresh)
        self._refresh()

    def select(self, number: int) -> None:
        """Mark a step as the chosen one."""
        self._buttons[number].setChecked(True)

    def texts(self) -> tuple[str, ...]:
        """Return what the buttons say: number, name and sign."""
        return tuple(button.text() for button in self._buttons)

    @Slot()
    def _refresh(self) -> None:
        for number, (name, status) in enumerate(zip(STEPS, _statuses(self._workspace), strict=True)):
            sign, why = status
            button = self._buttons[number]
            text = say(f"{number + 1}\n{name}\n{sign}")
            if button.text() != text:
                button.setText(text)
            button.setToolTip(say(f"{name}: {why} (Ctrl+{number + 1})"))


def _statuses(workspace: Workspace) -> tuple[Status, ...]:
    checks: tuple[Callable[[Workspace], Status], ...] = (
        _images, _structures, _probes, _freeze, _review, _report,
    )  # fmt: skip
    return tuple(check(workspace) for check in checks)


def _images(workspace: Workspace) -> Status:
    case = workspace.case
    if case is None:
        return EMPTY, "no scan is open"
    if worst(case.scan.facts.findings) is not Level.OK:
        return LOOK, "the import has something to say"
    return DONE, "a scan is open"


def _structures(workspace: Workspace) -> Status:
    case = workspace.case
    if case is None or not case.structures:
        return EMPTY, "nothing is outlined"
    if case.target is None:
        return LOOK, "no target is chosen"
    return DONE, f"the target is {case.target_name}"


def _probes(workspace: Workspace) -> Status:
    if not workspace.plan.probes:
        return EMPTY, "no probe is placed"
    count = len(workspace.plan.probes)
    return DONE, f"{count} probe{'s' if count > 1 else ''} placed"


def _freeze(workspace: Workspace) -> Status:
    if not workspace.plan.probes:
        return EMPTY, "place a probe first"
    if workspace.is_current:
        return DONE, "solved"
    return LOOK, "not solved" if workspace.result is None else "the result is out of date"


def _review(workspace: Workspace) -> Status:
    if workspace.assessment is None:
        return EMPTY, "nothing to judge yet"
    if not workspace.is_current:
        return LOOK, "the numbers are out of date"
    findings = workspace.assessment.findings
    if worst(f for f in findings if f.code != CHANGED_CODE) is not Level.OK:
        return LOOK, "some limits are not kept"
    if any(f.code == CHANGED_CODE for f in findings):
        return LOOK, "all limits are kept, but some were changed for this case"
    return DONE, "all limits are kept"


def _report(workspace: Workspace) -> Status:
    if workspace.can_export:
        return DONE, "ready to print"
    return EMPTY, "solve first"
