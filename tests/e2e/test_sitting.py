"""One sitting: from the first click of a user to the signed and printed plan, counted.

The whole of it is `CRYOPLAN_SITTING=full`: the grid that plans are judged on. In the suite the same hand does
the same work on the preview grid.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QInputDialog, QLineEdit

from cryoplan.app.outlining import Outlining
from cryoplan.app.state import State
from cryoplan.case.middle import target_centre_mm
from cryoplan.case.structure import Role
from cryoplan.gui.live_hand import LiveHand
from cryoplan.gui.main_window import MainWindow
from cryoplan.gui.steady_hand import SteadyHand
from cryoplan.plan.file import plan_to_json
from cryoplan.plan.idioms import Idiom
from cryoplan.scene.plane import Orientation
from cryoplan.simulation.settings import STANDARD
from tests.support.keyboard import KeyboardHand
from tests.support.sitting import Hand

pytestmark = [pytest.mark.display, pytest.mark.slow]

IS_FULL = os.environ.get("CRYOPLAN_SITTING") == "full"
MOST_ACTIONS = 120
LONGEST_S = 300.0
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
STRUCTURES, PROBES, REVIEW, REPORT = 1, 2, 4, 5

# Places that a user sees on the liver CT; the tumour was found by eye, see test_outline_real.
TUMOUR_MM = (-96.9, 27.5, -301.4)
TOLERANCE_HU = 25
ERASED_MM = (
    ((-94.8, 15.4, -316.4), (-94.8, 36.4, -316.4)),
    ((-87.6, 42.0, -311.4), (-87.6, 53.3, -311.4)),
    ((-80.3, 38.0, -306.4), (-80.3, 49.2, -306.4)),
)
FAT_BESIDE_THE_GALLBLADDER_MM = (-70.0, 27.0, -306.4)


class Sitting:
    """What the user does, step by step; each step leaves the desk ready for the next."""

    def __init__(self, window: MainWindow, hand: Hand) -> None:
        self.window, self.workspace, self.view = window, window.workspace, window.view
        self.hand = hand
        self.axial = window.slices[Orientation.AXIAL]

    def step(self, number: int) -> None:
        if isinstance(self.hand, KeyboardHand):
            self.hand.key(Qt.Key(Qt.Key.Key_1 + number), CONTROL)
        else:
            self.hand.click(self.window.rail._buttons[number])

    def idle(self) -> bool:
        return not self.workspace.is_busy

    def open_folder(self, folder: Path) -> None:
        welcome = self.window.welcome
        self.hand.in_file_dialog(folder, lambda: self.hand.click(welcome.folder))
        self.hand.wait("the scan is read", lambda: self.workspace.case is not None)
        self.hand.wait("its surfaces are there", lambda: self.workspace.meshes is not None and self.idle())

    def open_built_in(self) -> None:
        self.hand.click(self.window.welcome.demo)
        self.hand.wait("the built-in case is there", lambda: self.workspace.case is not None)
        self.hand.wait("its surfaces are there", lambda: self.workspace.meshes is not None and self.idle())

    def beside_the_target(self) -> tuple[float, float, float]:
        """Return a place in fat that is near the target, as one would choose it by eye."""
        case = self.workspace.case
        grid, values = case.scan.volume.grid, case.scan.volume.values
        taken = np.zeros(values.shape, dtype=bool)
        for structure in case.structures:
            if structure.role is not Role.BODY:
                taken |= structure.mask.values
        found = np.argwhere((values > -150) & (values < -50) & ~taken)[:, ::-1]
        points = grid.index_to_mm(found)
        centre = target_centre_mm(case)
        return tuple(points[np.argmin(np.linalg.norm(points - centre, axis=1))])

    def accept_anatomy(self) -> None:
        find = self.window.panels[STRUCTURES].find
        self.step(STRUCTURES)
        self.hand.click(find.open_button)
        self.hand.click(find.find_button)
        self.hand.wait("body, bone, lung and vessels are proposed", lambda: bool(find.rows) and self.idle())
        self.hand.click(find.accept_all)
        self.hand.wait(
            "they are structures", lambda: len(self.workspace.case.structures) >= 3 and self.idle()
        )

    def look_at(self, point_mm: tuple[float, float, float]) -> None:
        """Click the place in the coronal view, then in the axial one."""
        if isinstance(self.hand, KeyboardHand):
            self.hand.point(point_mm)
            return
        coronal = self.window.slices[Orientation.CORONAL]
        self.hand.click(coronal, coronal.pixel_of((point_mm[0], self.view.cursor_mm[1], point_mm[2])))
        self.hand.click(self.axial, self.axial.pixel_of((*point_mm[:2], self.view.cursor_mm[2])))

    def outline(self) -> None:
        hand, outlining = self.hand, Outlining.of(self.workspace)
        self.look_at(TUMOUR_MM)
        for _ in range(4):
            hand.actions.append("Ctrl+wheel")
            self.axial.zoom(1.4, self.axial.pixel_of(TUMOUR_MM))

        def name(dialog: QInputDialog) -> None:
            edit = dialog.findChild(QLineEdit)
            hand.type(edit, "tumour 1")
            hand.key(Qt.Key.Key_Return, widget=edit)

        hand.in_dialog(name, lambda: hand.key(Qt.Key.Key_T, CONTROL))
        hand.click(self.axial, self.axial.pixel_of(TUMOUR_MM))

        def grown() -> bool:
            return outlining.preview is not None and not outlining.is_busy

        hand.wait("the tumour grows from the click", grown)
        hand.type(self.window.panels[STRUCTURES].draw.tolerance.box, str(TOLERANCE_HU))
        hand.wait("it grows anew", grown)
        assert outlining.settings.tolerance == TOLERANCE_HU
        hand.key(Qt.Key.Key_Return, widget=self.axial)
        # Its voxels are drawn at once; that it is a step of the history is waited for beside the window.
        assert outlining.live.count > 0
        hand.until(lambda: self.workspace.case.target_name == "tumour 1")
        hand.key(Qt.Key.Key_E, widget=self.axial)
        for start, end in ERASED_MM:
            here = self.workspace.keeper.undo_count
            while abs(self.view.cursor_mm[2] - start[2]) > 2.5:
                below = self.view.cursor_mm[2] > start[2]
                hand.key(Qt.Key.Key_PageDown if below else Qt.Key.Key_PageUp, widget=self.axial)
            hand.drag(self.axial, QPointF(self.axial.pixel_of(start)), QPointF(self.axial.pixel_of(end)))
            hand.wait("the stroke is kept", lambda h=here: self.workspace.keeper.undo_count > h)
        hand.key(Qt.Key.Key_Escape, widget=self.axial)

    def lay_out_three(self, toward_skin_mm: tuple[float, float, float]) -> None:
        """Place one probe by two clicks, and let the panel lay out three parallel ones around the target."""
        hand, centre = self.hand, target_centre_mm(self.workspace.case)
        self.step(PROBES)
        while abs(self.view.cursor_mm[2] - centre[2]) > 2.5:
            below = self.view.cursor_mm[2] > centre[2]
            hand.key(Qt.Key.Key_PageDown if below else Qt.Key.Key_PageUp, widget=self.axial)
        before = {p.name for p in self.workspace.plan.probes}
        hand.key(Qt.Key.Key_P)
        hand.click(self.axial, self.axial.pixel_of(centre))
        hand.click(self.axial, self.axial.pixel_of(np.add(centre, toward_skin_mm)))
        hand.wait("the probe is there", lambda: len(self.workspace.plan.probes) > len(before))
        idioms = self.window.panels[PROBES].idioms
        hand.wait("the panel shows it", idioms.head.isVisible)
        hand.click(idioms.head)
        hand.choose(idioms.idiom, list(Idiom).index(Idiom.RING))
        hand.wait("the layout is shown", lambda: len(self.view.ghosts) >= 2)
        hand.click(idioms.go)
        hand.wait("three probes are laid out", lambda: len(self.workspace.plan.probes) == len(before) + 3)

    def solve(self) -> None:
        self.hand.key(Qt.Key.Key_F9)
        self.hand.wait("the plan is solved", lambda: self.workspace.state is State.CURRENT and self.idle())

    def mend_the_worst_place(self) -> None:
        """Walk to the worst place and move the probe that is nearest to it by 5 mm towards it."""
        hand, workspace = self.hand, self.workspace
        hand.key(Qt.Key.Key_N, widget=self.axial)
        worst = np.array(self.view.cursor_mm)
        nearest = min(
            workspace.plan.probes, key=lambda p: float(np.linalg.norm(np.subtract(p.tip_mm, worst)))
        )
        while self.view.selected_probe != nearest.name:
            hand.key(Qt.Key.Key_Tab, widget=self.axial)
        away = worst - np.array(nearest.tip_mm)
        keys = (
            {True: Qt.Key.Key_Right, False: Qt.Key.Key_Left}[bool(away[0] > 0)]
            if abs(away[0]) > abs(away[1])
            else {True: Qt.Key.Key_Down, False: Qt.Key.Key_Up}[bool(away[1] > 0)]
        )
        hand.key(keys, SHIFT, widget=self.axial)
        moved = workspace.plan.probe(nearest.name)
        assert np.linalg.norm(np.subtract(moved.tip_mm, worst)) < np.linalg.norm(away)
        self.solve()

    def inflate_a_pocket(self, at_mm: tuple[float, float, float]) -> None:
        hand = self.hand
        self.step(REVIEW)
        self.look_at(at_mm)
        protect = self.window.panels[REVIEW].protect
        hand.click(protect.sections["pocket"].head)
        hand.click(protect.pocket.inflate)
        hand.wait(
            "the pocket is there",
            lambda: any(s.role is Role.FLUID for s in self.workspace.case.structures),
        )
        self.solve()

    def keep_a_second_plan(self) -> None:
        menu = self.window.top_bar.plan.menu()
        menu.aboutToShow.emit()
        self.hand.actions += ["open the plan menu", "choose: keep and go on with a copy"]
        next(a for a in menu.actions() if a.text().startswith("Keep this plan")).trigger()
        assert len(self.workspace.case.other_plans) == 1

    def approve_and_print(self, folder: Path) -> tuple[Path, Path]:
        hand, report = self.hand, self.window.panels[REPORT]
        self.step(REPORT)

        def sign(dialog) -> None:
            hand.type(dialog.person, "Dr A. Example")
            hand.click(dialog.approve)

        hand.in_dialog(sign, lambda: hand.click(report.approve))
        hand.wait("it is approved", lambda: self.workspace.keeper.kept.status == "approved")
        plan, sheet = folder / "plan.pdf", folder / "sheet.pdf"
        hand.in_file_dialog(plan, lambda: hand.key(Qt.Key.Key_P, CONTROL))
        hand.wait("the plan is printed", lambda: plan.exists() and self.idle())
        hand.in_file_dialog(sheet, lambda: hand.key(Qt.Key.Key_P, CONTROL | SHIFT))
        hand.wait("the sheet is printed", lambda: sheet.exists() and self.idle())
        return plan, sheet

    def close_and_open_again(self) -> None:
        hand, workspace = self.hand, self.workspace
        case, plan = workspace.case, workspace.plan
        key, margins = workspace.result.key, workspace.assessment.margins
        steps, status = workspace.keeper.undo_count, workspace.keeper.kept.status
        hand.key(Qt.Key.Key_W, CONTROL)
        hand.wait("the case is closed", lambda: workspace.case is None)
        cases = self.window.welcome.list
        hand.wait("it is in the list", lambda: cases.count() > 0)
        hand.click(
            cases.viewport(), cases.visualItemRect(cases.item(0)).center(), "the first case of the list"
        )
        hand.click(self.window.welcome.open)
        hand.wait("the case is open again", lambda: workspace.case is not None)
        hand.wait("its ice is there", lambda: workspace.state is State.CURRENT and self.idle())
        assert workspace.case.digest() == case.digest()
        assert workspace.case.other_plans == case.other_plans
        assert plan_to_json(workspace.plan) == plan_to_json(plan)
        assert workspace.result.key == key
        assert [m.minimum_mm for m in workspace.assessment.margins] == [m.minimum_mm for m in margins]
        assert (workspace.keeper.undo_count, workspace.keeper.kept.status) == (steps, status)


@pytest.fixture
def sitting(window: MainWindow) -> Sitting:
    if IS_FULL:
        window.workspace.settings = STANDARD
    LiveHand(window.workspace.live, window.settings, SteadyHand(Outlining.of(window.workspace)))
    return Sitting(window, Hand(window))


def check(sitting: Sitting, say, name: str) -> None:
    """Say what was counted; it has to be within what was promised."""
    hand = sitting.hand
    say(f"One sitting, {name}: {hand.summary()}")
    longest = sorted(hand.waits, key=lambda w: -w[1])[:6]
    say("  longest waits: " + ", ".join(f"{what} {ms / 1000.0:.1f} s" for what, ms, _ in longest))
    assert hand.unsigned() == []
    assert len(hand.actions) < MOST_ACTIONS
    if IS_FULL:
        assert hand.estimated_s < LONGEST_S


def check_paper(plan: Path, sheet: Path) -> None:
    text = "\n".join(page.extract_text() for page in PdfReader(plan).pages)
    assert "Approved by Dr A. Example" in text
    assert "Research use" in text
    assert "Research use" in PdfReader(sheet).pages[0].extract_text()


def test_the_plan_of_the_liver_ct_from_the_folder_to_the_signed_paper(sitting, data_root, tmp_path, say):
    sitting.open_folder(data_root / "liver_ct_crlm1006" / "dicom")
    sitting.accept_anatomy()
    sitting.outline()
    sitting.lay_out_three((-30.0, 6.0, 0.0))
    sitting.solve()
    sitting.mend_the_worst_place()
    sitting.inflate_a_pocket(FAT_BESIDE_THE_GALLBLADDER_MM)
    sitting.keep_a_second_plan()
    check_paper(*sitting.approve_and_print(tmp_path))
    sitting.close_and_open_again()
    check(sitting, say, "liver CT")


@pytest.mark.skipif(not IS_FULL, reason="the same hand works on the built-in case without a mouse below")
def test_the_plan_of_the_built_in_case_from_the_first_button_to_the_signed_paper(sitting, tmp_path, say):
    sitting.open_built_in()
    sitting.solve()
    sitting.mend_the_worst_place()
    sitting.inflate_a_pocket(sitting.beside_the_target())
    sitting.keep_a_second_plan()
    check_paper(*sitting.approve_and_print(tmp_path))
    sitting.close_and_open_again()
    check(sitting, say, "built-in case")


def test_the_same_without_a_mouse(sitting, tmp_path, say):
    sitting.hand = hand = KeyboardHand(sitting.window)
    sitting.open_built_in()
    target = target_centre_mm(sitting.workspace.case)
    before = len(sitting.workspace.plan.probes)
    sitting.step(PROBES)
    hand.point(target)
    hand.key(Qt.Key.Key_P, widget=sitting.axial)
    hand.key(Qt.Key.Key_Space, widget=sitting.axial)
    hand.point(tuple(np.add(target, (-40.0, 0.0, 0.0))))
    hand.key(Qt.Key.Key_Space, widget=sitting.axial)
    assert len(sitting.workspace.plan.probes) == before + 1
    hand.key(Qt.Key.Key_Delete, widget=sitting.axial)
    sitting.solve()
    sitting.mend_the_worst_place()
    sitting.inflate_a_pocket(sitting.beside_the_target())
    sitting.keep_a_second_plan()
    check_paper(*sitting.approve_and_print(tmp_path))
    check(sitting, say, f"built-in case without a mouse ({hand.moves} tabs and arrows)")
