"""Organs: each structure with a limit, how cold it became and from when on, and how near the ice came."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from cryoplan.app.newest import Newest
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.case.case import Case
from cryoplan.core.finding import Level
from cryoplan.core.geometry import Point
from cryoplan.core.progress import Progress
from cryoplan.core.units import show_clock, show_degc, show_ml, show_mm, show_percent
from cryoplan.gui.numbers import Shown, organ_row, short_limit
from cryoplan.gui.parts import SIGNS, STALE, Name, Press, Text
from cryoplan.gui.rows import Rows
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.margins.alerts import OrganAlert, organ_alerts
from cryoplan.margins.assessment import Assessment, OrganTemperature
from cryoplan.margins.ice_gap import REACH_MM
from cryoplan.margins.limits import Limits
from cryoplan.simulation.result import ThermalResult

WARM_DEGC = 36.0
"""Structures without a limit that never fell below this are counted in one line."""

UNIT = "\N{NO-BREAK SPACE}°C"

GAP_TIP = "Least distance from its outline to the 0 °C surface of the lowest temperature."


class AlertRow(Press):
    """One structure: name, lowest temperature and limit; below, when and how near."""

    def __init__(self) -> None:
        super().__init__(framed=False)
        self.point: Point | None = None
        self._sign = Text("", bold=True)
        self._sign.setFixedWidth(14)
        self._name = Name(scale=0.95)
        self._value = Text("", bold=True)
        self._limit = Text("", "muted")
        self._limit.setMinimumWidth(50)
        self._limit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._when = Text("", "muted", wrap=True, scale=0.9)
        first = QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(self._sign)
        first.addWidget(self._name, 1)
        first.addWidget(self._value)
        first.addWidget(self._limit)
        column = QVBoxLayout()
        column.setContentsMargins(0, 3, 0, 4)
        column.setSpacing(1)
        column.addLayout(first)
        second = QHBoxLayout()
        second.setContentsMargins(18, 0, 0, 0)
        second.addWidget(self._when)
        column.addLayout(second)
        self.add(column)

    @property
    def texts(self) -> tuple[str, str, str, str, str]:
        """Sign, name, value, limit and the line below."""
        parts = (self._sign, self._name, self._value, self._limit, self._when)
        return tuple(part.text() for part in parts)

    @property
    def tone(self) -> str:
        """Tone of the value."""
        return self._value.tone

    def show_alert(self, alert: OrganAlert, limits: Limits, *, stale: bool) -> None:
        """Show a structure."""
        shown = organ_row(alert.organ, limits)
        tone = STALE if stale else alert.level.value
        value = shown.value.partition(" at ")[0]  # when stands in the line below
        self._sign.say(SIGNS[alert.level], tone)
        self._name.say(shown.name, tone if alert.level is not Level.OK else STALE if stale else "text")
        self._value.say(value, tone)
        self._limit.say(short_limit(alert.limit), STALE if stale else "muted")
        self._when.say(when_words(alert), STALE if stale else "muted")
        self.point = alert.organ.at_mm
        limit = short_limit(alert.limit)
        self.setAccessibleName(
            say(f"{shown.name}: {value}, limit {limit}, {alert.level.value}; {when_words(alert)}")
        )
        self.setToolTip(say(f"{shown.name}\n{shown.tip}\n{GAP_TIP}\nPress to go to its coldest place."))


class OrgansSection(Section):
    """Structures with a limit, the worst first; then the others."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__("Organs", is_open=True)
        self._workspace, self._view = workspace, view
        self.alerts: list[AlertRow] = []
        self._asked: tuple[object, ...] = ()
        self._found: tuple[OrganAlert, ...] = ()
        # Since when each is too cold is looked for in all frames: a quarter of a second on a usual case.
        self._wanted: tuple[object, ...] = ()
        self._newest = Newest("organs", self)
        self._newest.failed.connect(self._not_found)
        self._column = QVBoxLayout()
        self._column.setSpacing(0)
        self.add(self._column)
        self.none = Text("", "muted", wrap=True, scale=0.93)
        self.add(self.none)
        self.rest = Rows(on_press=self._go_to, value_px=64, limit_px=0)
        self.add(self.rest)
        self.note = Text("", "muted", wrap=True, scale=0.93)
        self.add(self.note)

    def refresh(self) -> None:
        """Show the structures of the result on screen."""
        workspace = self._workspace
        case, result, assessment = workspace.case, workspace.result, workspace.assessment
        self.body.setEnabled(assessment is not None)
        if case is None or result is None or assessment is None:
            self._show((), workspace.limits, stale=False)
            self.rest.show_all([], False)
            self.note.hide()
            self.none.say("Nothing is solved yet.")
            self.none.show()
            self.say("")
            return
        stale = not workspace.is_current
        alerts = self._alerts_of(case, result, assessment, stale=stale)
        self._show(alerts, workspace.limits, stale=stale)
        self.none.say("No structure has a limit.", STALE if stale else "muted")
        self.none.setVisible(not alerts)
        judged = {a.organ.name for a in alerts}
        others = _others(assessment, judged, case.target_name)
        cooled = [o for o in others if o.minimum_degc < WARM_DEGC]
        self.rest.show_all([_rest_row(o, assessment, workspace.limits) for o in cooled], stale)
        warm = len(others) - len(cooled)
        # What was not computed is not known to be warm, so it is not said to be.
        self.note.say(
            f"{warm} more without a limit, not below {show_degc(WARM_DEGC)} where computed.",
            STALE if stale else "muted",
            "\n".join(o.name for o in others if o not in cooled),
        )
        self.note.setVisible(warm > 0)
        self._say_gist(alerts, stale)

    def _alerts_of(
        self, case: Case, result: ThermalResult, assessment: Assessment, *, stale: bool
    ) -> tuple[OrganAlert, ...]:
        """Return the alerts, at first without times: these are never looked for in another case."""
        limits = self._workspace.limits
        asked = (assessment.key, limits)
        if asked == self._asked:
            return self._found
        if not stale and asked != self._wanted:
            self._wanted = asked

            def work(_progress: Progress) -> object:
                return asked, organ_alerts(case, result, assessment, limits)

            self._newest.ask(work, self._take, "Looking since when organs are too cold")
        return organ_alerts(case, None, assessment, limits)

    def _take(self, value: tuple[tuple[object, ...], tuple[OrganAlert, ...]]) -> None:
        self._asked, self._found = value
        self.refresh()

    @Slot(object)
    def _not_found(self, error: Exception) -> None:
        raise error

    def _show(self, alerts: tuple[OrganAlert, ...], limits: Limits, *, stale: bool) -> None:
        while len(self.alerts) < len(alerts):
            row = AlertRow()
            row.clicked.connect(self._go)
            self._column.addWidget(row)
            self.alerts.append(row)
        for row, alert in zip(self.alerts, alerts, strict=False):
            row.show_alert(alert, limits, stale=stale)
            row.show()
        for row in self.alerts[len(alerts) :]:
            row.hide()

    def _say_gist(self, alerts: tuple[OrganAlert, ...], stale: bool) -> None:
        counts = [(level, sum(a.level is level for a in alerts)) for level in (Level.FAIL, Level.WARN)]
        bad = [f"{SIGNS[level]} {count}" for level, count in counts if count]
        worst = next((level for level, count in counts if count), None)
        tone = STALE if stale else "muted" if worst is None else worst.value
        within = f"{SIGNS[Level.OK]} {len(alerts)} of {len(alerts)} within limits" if alerts else ""
        self.say(f"{' '.join(bad)} of {len(alerts)}" if bad else within, tone)

    @Slot()
    def _go(self) -> None:
        row = self.sender()
        if isinstance(row, AlertRow) and row.point is not None:
            self._go_to(row.point)

    def _go_to(self, point: Point) -> None:
        self._view.cursor_mm = point


def when_words(alert: OrganAlert) -> str:
    """Return when it was coldest, from when on beyond its limits, and how near the ice came."""
    organ = alert.organ
    if organ.inside_grid_fraction == 0.0:
        return "beyond the computed region: not computed"
    parts = [] if alert.level is Level.OK else [f"coldest at {show_clock(organ.at_s)}"]
    for side, since in ((alert.limit.warn, alert.warn_from_s), (alert.limit.fail, alert.fail_from_s)):
        if side is not None and since is not None:
            parts.append(f"below {show_degc(side.value)} from {show_clock(since)}")
    parts.append(gap_words(organ))
    if organ.inside_grid_fraction < 1.0:
        parts.append(f"{show_percent(organ.inside_grid_fraction)} computed")
    return " · ".join(part.replace(" °C", UNIT).replace(" %", "\N{NO-BREAK SPACE}%") for part in parts)


def gap_words(organ: OrganTemperature) -> str:
    """Return how near the ice came: ``ice 8.2 mm away``, or how much ice is in it."""
    if organ.to_ice_mm is None:
        return f"no ice within {REACH_MM:.0f} mm"
    if organ.to_ice_mm == 0.0:
        frozen = dict(organ.volume_below_ml).get(0.0, 0.0)
        return f"{show_ml(frozen)} in ice" if frozen >= 0.05 else "touched by ice"
    return f"ice {show_mm(organ.to_ice_mm)} away"


def _rest_row(organ: OrganTemperature, assessment: Assessment, limits: Limits) -> Shown:
    """Return a structure without a limit: with what of it froze."""
    row = organ_row(organ, limits)
    histogram = assessment.histogram(organ.name)
    frozen = 0.0 if histogram is None else histogram.volume_below_ml(0.0)
    said = f"{show_ml(frozen)} ice" if frozen >= 0.05 else gap_words(organ) if organ.to_ice_mm else ""
    return replace(
        row,
        value=" · ".join(filter(None, (said, row.value))),
        tip=f"{row.tip}\nIce in it, without the target.",
    )


def _others(assessment: Assessment, judged: set[str], target: str) -> list[OrganTemperature]:
    found = [o for o in assessment.structures if o.name not in judged | {target} and o.role != "body"]
    return sorted(found, key=lambda o: o.minimum_degc)
