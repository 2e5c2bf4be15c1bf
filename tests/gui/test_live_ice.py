"""What the window shows of a preview: the chip, the card, the slices and the switches say what it is."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from cryoplan.app.jobs import Failure
from cryoplan.app.live_ice import LiveIce
from cryoplan.app.settings import Settings
from cryoplan.gui import theme
from cryoplan.gui.canvas import make_canvas
from cryoplan.gui.live_hand import LiveHand
from cryoplan.gui.panels import FreezePanel
from cryoplan.gui.plan_card import PlanCard
from cryoplan.gui.top_bar import TopBar
from cryoplan.plan import edits
from cryoplan.scene.style import theme as looks
from cryoplan.scene.view3d import Layer
from tests.support.previews import answer_preview


@pytest.fixture
def live(desk):
    """The desk; its ice follows and nothing solves by itself."""
    desk.workspace.live.follows = True
    desk.worker.gave_up("meshes")
    return desk


def move(desk, mm: float = 1.0) -> None:
    desk.workspace.edit("moved", edits.nudge(desk.workspace.plan, "1", (0.0, 0.0, mm)))


def shown(qtbot, panel):
    qtbot.addWidget(panel)
    panel.resize(300, 900)
    panel.show()
    qtbot.waitUntil(lambda: not panel.is_busy_refreshing)
    return panel


def test_the_chip_goes_from_preview_over_solving_to_current(live, qtbot, qapp):
    holder = QWidget()
    qtbot.addWidget(holder)
    bar = TopBar(live.workspace, theme.apply(qapp), (), holder)
    live.solve()
    said = [bar.chip.text()]
    move(live)
    said.append(bar.chip.text())
    answer_preview(live)
    said.append(bar.chip.text())
    assert "never printed" in bar.chip.toolTip()
    live.workspace.request_simulation()
    live.worker.progress("solve", 0.5, "Solving")
    said.append(bar.chip.text())
    live.solve()
    said.append(bar.chip.text())
    assert said == ["● CURRENT", "! OUT OF DATE", "~ PREVIEW", "◔ SOLVING 50 %", "● CURRENT"]


def test_rough_margins_have_a_tilde_and_the_word_and_are_not_judged(live, qtbot):
    card = shown(qtbot, PlanCard(live.workspace, live.view))
    live.solve()
    move(live)
    answer_preview(live)
    qtbot.waitUntil(lambda: "PREVIEW" in card.stale.text())
    assert card.margins[0].texts[1] == "~\N{THIN SPACE}+4 mm"
    assert card.margins[1].texts[1] == "~ no ice"
    assert [box.tone for box in card.margins] == ["preview", "preview"]
    assert "~\N{THIN SPACE}+1 mm" in card.stale.text()
    assert "end of 1st freeze" in card.stale.text()
    assert "earlier plan" in card.stale.text()
    assert {row.tone for row in card.volumes.rows} == {"stale"}


def test_numbers_of_the_answer_come_back_with_it(live, qtbot):
    card = shown(qtbot, PlanCard(live.workspace, live.view))
    live.solve()
    qtbot.waitUntil(lambda: card.margins[0].texts[1] not in ("–", ""))
    before = [box.texts for box in card.margins]
    move(live)
    answer_preview(live)
    qtbot.waitUntil(lambda: card.margins[0].texts[1].startswith("~"))
    live.workspace.undo()
    qtbot.waitUntil(lambda: [box.texts for box in card.margins] == before)
    assert card.stale.isHidden()


def test_why_nothing_was_solved_stands_in_card_and_freeze_panel(live, qtbot):
    card = shown(qtbot, PlanCard(live.workspace, live.view))
    panel = shown(qtbot, FreezePanel(live.workspace, live.view))
    move(live)
    live.worker.failed("preview", Failure(what="Probes 1 and 2 are in one place.", remedy="Move one."))
    said = "! Not solved. Probes 1 and 2 are in one place. Move one."
    qtbot.waitUntil(lambda: card.stale.text() == said and panel.why.text() == said)


def test_the_slice_says_preview_and_of_which_moment(live, show):
    view = show()
    live.solve()
    view.grab()
    full = view._layers.isotherms(view.plane)
    move(live)
    view.grab()
    assert "OUT OF DATE" in view.texts
    made = answer_preview(live)
    view.grab()
    assert "PREVIEW" in view.texts
    assert "end of 1st freeze" in view.texts
    assert "OUT OF DATE" not in view.texts
    assert view.drawn_ice is made.field_degc
    thin = view._layers.isotherms(view.plane)
    assert thin[0].style.colour == full[0].style.colour
    assert thin[0].style.width_px < full[0].style.width_px
    assert thin[0].filled == 0.0 < full[0].filled
    live.workspace.undo()
    view.grab()
    assert "PREVIEW" not in view.texts


def test_switches_are_kept_for_the_next_start(live, qtbot, tmp_path):
    settings = Settings(tmp_path / "settings.json")
    hand = LiveHand(live.workspace.live, settings)
    assert (live.workspace.live.follows, live.workspace.live.solves) == (True, True)
    panel = shown(qtbot, FreezePanel(live.workspace, live.view))
    assert panel.follows.isChecked()
    assert panel.solves.isChecked()
    panel.solves.click()
    assert not live.workspace.live.solves
    assert live.workspace.live.follows
    other = LiveIce(live.workspace.errands, live.workspace.catalogue, hand)
    LiveHand(other, settings)
    assert (other.follows, other.solves) == (True, False)


@pytest.mark.display
def test_the_3d_view_draws_the_surfaces_of_the_preview_and_says_so(live, qtbot, qapp):
    if QGuiApplication.platformName() != "xcb":
        pytest.skip("needs an X display; unset QT_QPA_PLATFORM and install Xvfb")
    from cryoplan.gui.placing import Placing

    holder = QWidget()
    qtbot.addWidget(holder)
    canvas = make_canvas(
        live.workspace, live.view, theme.apply(qapp), Placing(live.workspace, live.view), holder
    )
    holder.resize(400, 300)
    canvas.resize(400, 300)
    holder.show()
    live.solve()
    move(live)
    answer_preview(live)
    qtbot.waitUntil(lambda: canvas.is_at_rest and canvas.scene.banner == "PREVIEW")
    assert canvas.scene.bounds_mm(Layer.ICE_0) is not None
    assert not canvas.is_stale
    live.workspace.undo()
    qtbot.waitUntil(lambda: canvas.is_at_rest and canvas.scene.banner == "")
    assert canvas.scene.bounds_mm(Layer.ICE_0) is not None
    canvas.close_canvas()


def test_a_previews_shell_is_fainter_and_of_the_same_colour():
    (final, strong), (rough, faint) = looks().shell(0.0), looks().shell(0.0, preview=True)
    assert final == rough
    assert faint < strong
