"""Panels of a case that is open for reading only: what would change it is grey, and looks so."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QRadioButton

from cryoplan import workflow
from cryoplan.case.structure import Role
from cryoplan.gui import theme
from cryoplan.gui.panels import FreezePanel, ProbesPanel, ReportPanel, StructuresPanel
from cryoplan.plan import edits
from tests.support.panels import with_structure
from tests.support.scenes import TUMOUR_MM, make_plan

MAY_STILL_BE_CHOSEN = {
    # How it is solved and looked at is no part of the case.
    ProbesPanel: set(),
    FreezePanel: {"Grid of the solver", "What lies on the skin"},
    StructuresPanel: set(),
    # Paper is the department's, whatever case is open.
    ReportPanel: {"Size of paper", "Language of what is printed", "Department"},
}


def fields(panel) -> dict[str, bool]:
    """Return the entry fields and choices of a panel by their names, and whether they are enabled."""
    parts = [
        part
        for kind in (QAbstractSpinBox, QLineEdit, QComboBox, QRadioButton)
        for part in panel.findChildren(kind)
        if part.accessibleName()
    ]
    return {part.accessibleName(): part.isEnabled() for part in parts}


@pytest.mark.parametrize("kind", MAY_STILL_BE_CHOSEN)
def test_a_case_that_is_open_for_reading_only_greys_every_field_that_would_change_it(
    desk, make, settled, kind, tmp_path
):
    path = tmp_path / "a.cryoplan"
    case = with_structure("cyst", Role.OTHER, TUMOUR_MM)
    workflow.save_case(path, case, make_plan())
    workspace = desk.workspace
    desk.view.selected_probe = "1"
    panel = make(kind)
    workspace.set_case(case, make_plan(), file=path)
    settled(panel)
    before = fields(panel)
    assert all(before.values())
    workspace.set_case(case, make_plan(), file=path, read_only=True)
    assert workspace.keeper.kept.read_only
    settled(panel)
    now = fields(panel)
    assert now.keys() == before.keys()
    assert {name for name, enabled in now.items() if enabled} == MAY_STILL_BE_CHOSEN[kind]
    names = {
        "+ Probe (P)", "Parallel (D)", "Delete", "Lock (L)", "Add structures...", "+ Freeze", "+ Thaw",
        "\N{MINUS SIGN}", "Open plan...", "Mark as ready", "Treated", "Approve...",
    }  # fmt: skip
    buttons = [b for b in panel.findChildren(QAbstractButton) if b.text() in names]
    assert not any(b.isEnabled() for b in buttons)
    workspace.set_case(case, make_plan(), file=path)
    settled(panel)
    assert fields(panel) == before, "the case can be changed again, so the fields can"
    workspace.close()


def test_fields_are_greyed_as_soon_as_the_file_is_known_to_be_for_reading_only(desk, make, settled):
    desk.open()
    desk.view.selected_probe = "1"
    panel = make(ProbesPanel)
    keeper = desk.workspace.keeper
    assert panel.editor.power.isEnabled()
    assert keeper.settle()
    path, (case, plan) = keeper.kept.path, (desk.workspace.case, desk.workspace.plan)
    keeper.attach(path, case, plan, read_only=True).result()
    # Nothing of case or plan is another one: only the file says so.
    desk.workspace.file_changed.emit()
    settled(panel)
    assert not panel.editor.power.isEnabled()
    assert not panel.editor.name.isEnabled()
    desk.workspace.close()


def test_a_greyed_field_looks_grey(desk, make, settled, qapp):
    theme.apply(qapp)
    desk.open()
    desk.view.selected_probe = "1"
    panel = make(ProbesPanel)
    free = panel.editor.depth.grab().toImage()
    desk.workspace.edit("lock", edits.set_locked(desk.workspace.plan, "1", True))
    settled(panel)
    locked = panel.editor.depth.grab().toImage()

    def darkest(image) -> int:
        inside = range(3, image.height() - 3)
        return min(image.pixelColor(x, y).lightness() for y in inside for x in range(3, image.width() - 3))

    def brightest(image) -> int:
        inside = range(3, image.height() - 3)
        return max(image.pixelColor(x, y).lightness() for y in inside for x in range(3, image.width() - 3))

    assert brightest(locked) - darkest(locked) < brightest(free) - darkest(free) - 20
    desk.workspace.close()
