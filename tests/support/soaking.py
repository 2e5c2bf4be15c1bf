"""A soak: a seeded hand does one random thing after the other in the real window, and is timed in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QToolButton

from cryoplan.app.outlining import Outlining
from cryoplan.app.results import KEPT_RESULTS
from cryoplan.case.middle import target_centre_mm
from cryoplan.gui.main_window import REVIEW_STEP, STRUCTURES_STEP
from cryoplan.gui.rail import STEPS
from cryoplan.gui.section import Section
from cryoplan.plan.protocol import PhaseKind
from tests.support.hand import ALT, CONTROL, LEFT, MIDDLE, NONE, RIGHT, SHIFT, Hand
from tests.support.real_window import SOLVE_MS
from tests.support.stalls import StallMonitor

ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)

PROBES_STEP, FREEZE_STEP = STEPS.index("Probes"), STEPS.index("Freeze")

MODAL = ("shortcuts", "about")
DIALOGS = (*MODAL, "history", "catalogue", "messages", "accuracy")

MOST_PROBES = 7
"""With more of them every solve takes so long that the soak is one of the solver alone."""

AFTER_MS = 150
"""After an action, so that what it set off by a timer is counted with it."""


# Probes -------------------------------------------------------------------------------------------------


def place(hand: Hand) -> None:
    """P, the target, the skin."""
    view = hand.slice(of_patient=True)
    hand.key(view, Qt.Key.Key_P)
    target = view.pixel_of(target_centre_mm(hand.workspace.case))
    tip = hand.near(target, 12.0)
    for at in (tip, hand.near(QPointF(tip), 90.0)):
        for step in range(4):
            QTest.mouseMove(view, at + QPoint(4 * (3 - step), 0))
            hand.pause()
        hand.click(view, at)
    if hand.view.placing:
        hand.key(view, Qt.Key.Key_Escape)


def drag_grip(hand: Hand) -> None:
    """Take a grip of the selected probe, in a slice or in 3D."""
    hand.put_down()
    if hand.view.selected_probe not in [p.name for p in hand.workspace.plan.probes]:
        hand.key(hand.slice(), Qt.Key.Key_Tab)
    held = [(view, grip) for view in hand.seen() for grip in view.grips]
    if held and hand.random.random() < 0.7:
        view, grip = hand.random.choice(held)
        hand.drag(view, grip.at.toPoint(), hand.near(grip.at, 25.0), steps=20)
        return
    scene, picture = hand.window.canvas.scene, hand.window.canvas.picture
    size = (float(picture.width()), float(picture.height()))
    inside = picture.rect().adjusted(5, 5, -40, -40)
    for grip in scene.grips():
        at = QPointF(*scene.to_screen(grip.position_mm, size)).toPoint()
        if inside.contains(at) and picture.isVisible():
            hand.drag(picture, at, hand.near(QPointF(at), 25.0), steps=20)
            return


def arrows(hand: Hand) -> None:
    """Nudge, turn, or move all of them."""
    view, key = hand.slice(), hand.random.choice(ARROWS)
    held = hand.random.choice((NONE, NONE, SHIFT, ALT, CONTROL))
    for _ in range(hand.random.randint(1, 6)):
        hand.key(view, key, held)


def one_key(*keys: Qt.Key, held: Qt.KeyboardModifier = NONE) -> Callable[[Hand], None]:
    """Return an action that presses one of some keys in a slice."""

    def act(hand: Hand) -> None:
        hand.key(hand.slice(), hand.random.choice(keys), held)

    return act


def lock(hand: Hand) -> None:
    """Lock a probe or all of them, and mostly free them again: locked ones cannot be moved any more."""
    held = hand.random.choice((NONE, SHIFT))
    for _ in range(2):
        hand.key(hand.slice(), Qt.Key.Key_L, held)


def delete(hand: Hand) -> None:
    """Tab to a probe and delete it."""
    view = hand.slice()
    hand.key(view, Qt.Key.Key_Tab)
    hand.key(view, Qt.Key.Key_Delete)


def suggest(hand: Hand) -> None:
    """Let a layout be suggested, along some probe; now and then lay it out."""
    panel = hand.step(PROBES_STEP)
    hand.push(panel.suggest)
    section = panel.suggesting
    if hand.random.random() < 0.5:
        hand.choose(section.way)
    if hand.random.random() < 0.4:
        if section.replacing.isVisible() and not section.replacing.isChecked():
            hand.push(section.replacing)
        hand.push(section.go)
    else:
        hand.push(section.head)


# History and solving --------------------------------------------------------------------------------------


def undo(hand: Hand) -> None:
    """Take some steps back, and sometimes make some again."""
    for _ in range(hand.random.randint(1, 4)):
        hand.key(hand.window, Qt.Key.Key_Z, CONTROL)
        hand.pause(40)
    if hand.random.random() < 0.5:
        redo(hand)


def redo(hand: Hand) -> None:
    """Make some steps again."""
    for _ in range(hand.random.randint(1, 3)):
        hand.key(hand.window, Qt.Key.Key_Y, CONTROL)
        hand.pause(40)


def solve(hand: Hand) -> None:
    """Solve; wait for it, give it up, or go on working meanwhile."""
    hand.key(hand.window, Qt.Key.Key_F9)
    what = hand.random.random()
    if what < 0.5:
        hand.qtbot.waitUntil(lambda: not hand.workspace.is_busy, timeout=SOLVE_MS)
    elif what < 0.75:
        hand.pause(hand.random.randint(20, 600))
        hand.key(hand.window, Qt.Key.Key_Period, CONTROL)


def change_phase(hand: Hand) -> None:
    """Enter another length of a phase, not far from the usual ones: each minute more is more of a result."""
    panel = hand.step(FREEZE_STEP)
    row = hand.random.choice(panel.phases)
    panel.area.ensureWidgetVisible(row.minutes)
    usual = 10 if row.kind.currentData() is PhaseKind.FREEZE else 5
    hand.enter(row.minutes, str(usual + hand.random.randint(-1, 1)))


def scrub(hand: Hand) -> None:
    """Drag the clock, play a while, or choose what is shown."""
    bar = hand.window.protocol_bar
    what = hand.random.random()
    if what < 0.6:
        start, end = hand.spot(bar.bar), hand.spot(bar.bar)
        hand.drag(bar.bar, start, end, steps=15)
    elif hand.push(bar.play):
        hand.pause(hand.random.randint(100, 600))
        hand.push(bar.play)


# Looking --------------------------------------------------------------------------------------------------


def wheel(hand: Hand) -> None:
    """Scroll, zoom, or turn the wheel over the 3D view."""
    notches = hand.random.choice((-1, 1)) * hand.random.randint(1, 6)
    picture = hand.window.canvas.picture
    if hand.random.random() < 0.15 and picture.isVisible():
        hand.wheel(picture, notches)
    else:
        hand.wheel(hand.slice(), notches, hand.random.choice((NONE, NONE, CONTROL)))


def window_level(hand: Hand) -> None:
    """Drag with the right button, or move the picture with the middle one."""
    view = hand.slice()
    start = hand.spot(view)
    hand.drag(view, start, hand.near(QPointF(start), 60.0), hand.random.choice((RIGHT, RIGHT, MIDDLE)))


def crosshair(hand: Hand) -> None:
    """Click into a slice, or drag the crosshair through it."""
    hand.put_down()
    view = hand.slice()
    start = hand.spot(view)
    if hand.random.random() < 0.5:
        hand.click(view, start)
    else:
        hand.drag(view, start, hand.near(QPointF(start), 60.0))


def enlarge(hand: Hand) -> None:
    """Double click into a view: large, or back."""
    hand.put_down()
    view = hand.slice()
    QTest.mouseDClick(view, LEFT, pos=hand.spot(view))
    hand.pause()


def turn_3d(hand: Hand) -> None:
    """Turn the camera, or look from another side."""
    hand.put_down()
    picture = hand.window.canvas.picture
    if not picture.isVisible():
        return
    corner = QPoint(picture.width() - 30, 30)
    hand.drag(picture, corner, hand.near(QPointF(corner), 25.0), steps=6)


def go_to_step(hand: Hand) -> None:
    """Press a button of the rail, and open or close something in its panel."""
    number = hand.random.randrange(len(STEPS))
    hand.push(hand.window.rail.findChildren(QToolButton)[number])
    sections = [s for s in hand.window.panels[number].findChildren(Section) if s.isVisible()]
    if sections:
        hand.push(hand.random.choice(sections).head)


def probe_views(hand: Hand) -> None:
    """Go to the probe views or back, sometimes through several probes."""
    hand.key(hand.window, Qt.Key.Key_V, SHIFT if hand.random.random() < 0.2 else NONE)


def dialog(hand: Hand) -> None:
    """Open one of the dialogs that stand beside the work, or before it, and close it."""
    open_dialog(hand, hand.random.choice(DIALOGS))


def open_dialog(hand: Hand, name: str) -> None:
    """Open a dialog by its action, look at it, and close it."""
    if name in MODAL:
        QTimer.singleShot(200, _close_modal)
    hand.window.actions_by_id[name].trigger()
    hand.pause(200)
    hand.put_down()


def _close_modal() -> None:
    shown = QApplication.activeModalWidget()
    if shown is None:
        QTimer.singleShot(200, _close_modal)
    else:
        QTest.keyClick(shown, Qt.Key.Key_Escape)


# Structures and limits ------------------------------------------------------------------------------------


def structure(hand: Hand) -> None:
    """Hide or show a structure, or open its card."""
    panel = hand.step(STRUCTURES_STEP)
    row = hand.random.choice(list(panel.rows.values()))
    hand.push(row.shown if hand.random.random() < 0.6 else row.opener)


def paint(hand: Hand) -> None:
    """Take brush or eraser, draw a stroke on the target, put it down."""
    view = hand.slice(of_patient=True)
    hand.key(hand.window, hand.random.choice((Qt.Key.Key_B, Qt.Key.Key_B, Qt.Key.Key_E)))
    start = hand.near(view.pixel_of(target_centre_mm(hand.workspace.case)), 30.0)
    view.setFocus()
    hand.drag(view, start, hand.near(QPointF(start), 20.0), steps=15)
    if hand.random.random() < 0.8:
        hand.put_down()


def limit(hand: Hand) -> None:
    """Enter another limit of the case, or go back to the ordinary one."""
    panel = hand.step(REVIEW_STEP)
    limits = panel.limits
    if not limits.opener.isChecked():
        hand.push(limits.opener)
    row = hand.random.choice(list(limits.rows.values()))
    if row.back.isVisible() and hand.random.random() < 0.5:
        hand.push(row.back)
    else:
        box: QLineEdit = hand.random.choice(row.boxes)
        panel.area.ensureWidgetVisible(box)
        hand.enter(box, str(hand.random.randint(1, 30)))


ACTIONS: dict[str, tuple[float, Callable[[Hand], None]]] = {
    "place": (6.0, place),
    "drag": (12.0, drag_grip),
    "arrows": (8.0, arrows),
    "copy": (3.0, one_key(Qt.Key.Key_D)),
    "next": (4.0, one_key(Qt.Key.Key_Tab)),
    "lock": (2.0, lock),
    "delete": (4.0, delete),
    "suggest": (4.0, suggest),
    "undo": (6.0, undo),
    "redo": (3.0, redo),
    "solve": (5.0, solve),
    "phase": (3.0, change_phase),
    "scrub": (5.0, scrub),
    "wheel": (8.0, wheel),
    "window": (4.0, window_level),
    "crosshair": (7.0, crosshair),
    "enlarge": (3.0, enlarge),
    "turn 3D": (4.0, turn_3d),
    "preset": (3.0, one_key(*(Qt.Key(Qt.Key.Key_1 + n) for n in range(6)))),
    "hide": (3.0, one_key(Qt.Key.Key_H)),
    "slab": (3.0, one_key(Qt.Key.Key_T, Qt.Key.Key_Comma, Qt.Key.Key_Period)),
    "step": (6.0, go_to_step),
    "probe views": (4.0, probe_views),
    "worst": (3.0, one_key(Qt.Key.Key_N)),
    "dialog": (3.0, dialog),
    "structure": (4.0, structure),
    "paint": (5.0, paint),
    "limit": (3.0, limit),
}
"""How often, and what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One action of the hand.

    Attributes
    ----------
    number : int
    kind : str
    stall_ms, cpu_ms : float
        Longest time without an answer outside shown waits, and what the window's thread worked in it.
    waiting_ms : float
        Longest time without an answer while the window said that something is being done.
    """

    number: int
    kind: str
    stall_ms: float
    cpu_ms: float
    waiting_ms: float


class Soak:
    """Does random things with an open case.

    Attributes
    ----------
    done : list of Done
    """

    def __init__(self, hand: Hand) -> None:
        self.hand = hand
        # A wait that begins and ends between two looks is counted here.
        self._waits = self._seen_waits = 0
        self.monitor = StallMonitor(hand.window, is_waiting=self.is_waiting)
        self.done: list[Done] = []

    def is_waiting(self) -> bool:
        """Tell whether the window shows, or has shown since the last look, that something is being done."""
        before, self._seen_waits = self._seen_waits, self._waits
        by_cursor = self._waits != before or QApplication.overrideCursor() is not None
        return self.hand.workspace.is_busy or by_cursor

    def count_waits(self, monkeypatch) -> None:
        """Notice every wait cursor, also one that is gone again before the next look."""
        show = QApplication.setOverrideCursor

        def shown(cursor) -> None:
            self._waits += 1
            show(cursor)

        monkeypatch.setattr(QApplication, "setOverrideCursor", shown)

    def warm_up(self) -> None:
        """Do everything once, so that what is loaded once is there, with as many solves as are kept.

        They are of as many probes as there will ever be: the more ice, the more of a result.
        """
        self.hand.key(self.hand.slice(), Qt.Key.Key_Tab)
        while len(self.hand.workspace.plan.probes) < MOST_PROBES:
            self.do("copy")
        for _ in range(KEPT_RESULTS + 1):
            self.do("arrows")
            self.hand.key(self.hand.window, Qt.Key.Key_F9)
            self.hand.qtbot.waitUntil(lambda: not self.hand.workspace.is_busy, timeout=SOLVE_MS)
        for name in DIALOGS:
            open_dialog(self.hand, name)
        for kind in ACTIONS:
            self.do(kind)

    def act(self, count: int) -> None:
        """Do so many things."""
        names, weights = list(ACTIONS), [weight for weight, _ in ACTIONS.values()]
        for _ in range(count):
            kind = self.hand.random.choices(names, weights)[0]
            if kind in ("place", "copy") and len(self.hand.workspace.plan.probes) >= MOST_PROBES:
                kind = "delete"
            elif kind == "delete" and len(self.hand.workspace.plan.probes) < 2:
                kind = "place"
            self.done.append(self.do(kind))

    def do(self, kind: str) -> Done:
        """Do one thing and tell how long it held the window up."""
        self.monitor.start()
        ACTIONS[kind][1](self.hand)
        self.hand.pause(AFTER_MS)
        return Done(
            number=len(self.done) + 1,
            kind=kind,
            stall_ms=self.monitor.longest_ms,
            cpu_ms=self.monitor.cpu_ms,
            waiting_ms=self.monitor.longest_waiting_ms,
        )

    def rest(self) -> None:
        """Put everything down and wait until nothing is under way, not even what nobody is told of."""
        self.hand.put_down()
        carding = self.hand.window.panels[STRUCTURES_STEP].carding
        outlining = Outlining.of(self.hand.workspace)

        canvas, work = self.hand.window.canvas, self.hand.workspace

        def under_way() -> list[str]:
            parts = {
                work.busy_text: work.is_busy,
                "a preview": work.errands.has("preview"),
                "a card": carding.is_busy,
                "outlining": outlining.is_busy,
                "steps for the disk": bool(work.keeper.kept.waiting),
                "a picture": canvas.isVisible() and not canvas.is_at_rest,
            }
            return [what for what, is_there in parts.items() if is_there]

        still = 0
        for _ in range(SOLVE_MS // 250):
            self.hand.pause(250)
            still = 0 if under_way() else still + 1
            if still == 4:
                return
        raise AssertionError(f"the window does not come to rest, there is {', '.join(under_way())}")


def worst_by_kind(done: list[Done]) -> list[Done]:
    """Return the action of each kind that stalled longest, the longest first."""
    worst: dict[str, Done] = {}
    for one in done:
        if one.kind not in worst or one.stall_ms > worst[one.kind].stall_ms:
            worst[one.kind] = one
    return sorted(worst.values(), key=lambda one: -one.stall_ms)
