"""Plan card: the few numbers that decide, each beside its limit; always in sight."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from cryoplan import workflow
from cryoplan.app.ice import PREVIEW_MOMENT
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.finding import Finding, Level
from cryoplan.core.units import show_degc, show_ml
from cryoplan.gui.numbers import (
    EXTRA_COVERAGE,
    LARGE_THRESHOLDS_DEGC,
    OWN,
    VOLUME_THRESHOLDS_DEGC,
    Shown,
    coverage_name,
    coverage_rows,
    judged_organs,
    left_out_words,
    margin_row,
    margin_title,
    organ_row,
    outlined_ml,
    rough_words,
    short_limit,
    short_sure,
    sure_words,
    volume_rows,
    worst_places,
)
from cryoplan.gui.panel import Panel
from cryoplan.gui.parts import DASH, OUT_OF_DATE, STALE, Heading, Name, Press, Text
from cryoplan.gui.rows import Findings, MarginBox, Rows
from cryoplan.gui.words import say
from cryoplan.margins.assessment import Assessment, Margin
from cryoplan.margins.case_limits import changed_limits, name_of
from cryoplan.margins.limits import Limits
from cryoplan.margins.uncertainty import Uncertainty
from cryoplan.plan.plan import Plan
from cryoplan.workflow import Preview

ORGANS_SHOWN = 4
"""The worst few; the review has all."""

NOT_TO_BE_TRUSTED = ("lung-underestimated", "energy-not-conserved")
"""Findings that say that the margins may be wrong; they stand above them."""


class PlanCard(Panel):
    """Margins, coverage, worst place, organs, volumes, rules."""

    limits_requested = Signal()

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__(workspace, view, title="Plan card")
        self.setObjectName("planCard")
        title = QHBoxLayout()
        title.setSpacing(6)
        title.addWidget(Text("Plan card", bold=True, scale=1.08))
        self._target = Name("", "muted")
        title.addWidget(self._target, 1)
        self.add(title)
        self.stale = Text("", "warn", bold=True, wrap=True)
        self.add(self.stale)
        self.doubt = Text("", "warn", wrap=True)
        self.add(self.doubt)
        boxes = QHBoxLayout()
        boxes.setSpacing(8)
        self.margins: list[MarginBox] = []
        for _ in LARGE_THRESHOLDS_DEGC:
            box = MarginBox()
            box.clicked.connect(self._go)
            boxes.addWidget(box, 1)
            self.margins.append(box)
        self.add(boxes)
        self.further = Rows(on_press=self.go_to, value_px=64, limit_px=64)
        self.add(self.further)
        self.left_out = Text("", "warn", wrap=True, scale=0.93)
        self.add(self.left_out)
        self.own = Text("", "muted", wrap=True, scale=0.93)
        self.add(self.own)
        self.limits = QToolButton()
        self.limits.setText(say("Limits..."))
        self.limits.setAccessibleName(say("Limits of this case"))
        self.limits.setToolTip(say("Change what this case is judged by"))
        # As low as the heading beside it: the card has to fit a small screen.
        self.limits.setStyleSheet("QToolButton { padding: 0px 6px; }")
        self.limits.clicked.connect(self.limits_requested)
        self.add(Heading("Coverage of the tumour"))
        self.coverage = Rows(on_press=self.go_to, value_px=52, limit_px=64)
        self.add(self.coverage)
        self.add(Heading("Worst place"))
        self._places = QVBoxLayout()
        self._places.setSpacing(6)
        holder = QWidget()
        holder.setLayout(self._places)
        self._places.setContentsMargins(0, 0, 0, 0)
        self.add(holder)
        self.places: list[_Place] = []
        self._no_place = Text(DASH, "muted")
        self.add(self._no_place)
        heading = QHBoxLayout()
        heading.addWidget(Heading("Organs"), 1)
        heading.addWidget(self.limits, 0, Qt.AlignmentFlag.AlignBottom)
        self.add(heading)
        self.organs = Rows(on_press=self.go_to, value_px=64, limit_px=50)
        self.add(self.organs)
        self._organs_note = Text("", "muted", wrap=True, scale=0.93)
        self.add(self._organs_note)
        self.add(Heading("Volumes"))
        self.volumes = Rows(value_px=72, limit_px=0)
        self.add(self.volumes)
        workspace.second.changed.connect(self._slow.ask)
        self.add(Heading("Rules"))
        self.rules = Findings("")
        self.rules.on_press(self._select)
        self.add(self.rules)

    def refresh(self) -> None:
        """Show the newest numbers, grey unless they are those of the plan on screen."""
        case, assessment = self.workspace.case, self.workspace.assessment
        stale = assessment is not None and not self.workspace.is_current
        target = None if case is None else case.target
        self.limits.setEnabled(case is not None)
        if target is None:
            self._target.say("no case" if case is None else "no target chosen", "muted")
        else:
            self._target.say(f"{target.name} · {show_ml(outlined_ml(target))}", "muted")
        preview = None if self.workspace.is_current else self.workspace.live.shown
        self._show_standing(preview, stale)
        found = assessment.findings if assessment else ()
        doubts = [f"! {f.text}" for f in found if f.code in NOT_TO_BE_TRUSTED and f.level is not Level.OK]
        self.doubt.setVisible(bool(doubts))
        self.doubt.say("\n".join(doubts), STALE if stale else "warn")
        limits = self.workspace.limits
        if preview is not None and preview.margins:
            self._show_preview(preview, limits)
        else:
            self._show_margins(assessment, limits, stale)
        self.further.show_all(_further(assessment, limits), stale)
        self.left_out.say(left_out_words(assessment), STALE if stale else "warn")
        self.left_out.setVisible(bool(self.left_out.text()))
        self.coverage.show_all(_coverage(assessment, limits), stale)
        self._show_places(assessment, limits, stale)
        self._show_organs(assessment, limits, stale)
        self._show_own()
        volumes = volume_rows(assessment) if assessment else [
            Shown(name=f"ice {show_degc(t)}" if t == 0.0 else show_degc(t), value=DASH)
            for t in VOLUME_THRESHOLDS_DEGC
        ]  # fmt: skip
        self.volumes.show_all(volumes, stale)

    def refresh_slow(self) -> None:
        """Show what the rules say about the plan."""
        if self.workspace.case is None:
            self.rules.show_findings((), empty=DASH)
            return
        link = self.workspace.second.link
        agreed = link.findings() if link is not None else ()
        if not self.workspace.plan.probes:
            self.rules.show_findings(agreed, empty="No probe is placed yet.")
            return
        found = [f for f in self.workspace.rules if f.level is not Level.OK]
        self.rules.show_findings([*found, *agreed], empty="✓ All rules of placement are kept.")

    def _show_own(self) -> None:
        changed = changed_limits(self.workspace.case)
        names = ", ".join(name_of(c.judged) for c in changed)
        self.own.setVisible(bool(changed))
        # A laxer limit lets through what would be stopped as a rule.
        sign, tone = ("! ", "warn") if any(c.is_laxer for c in changed) else ("", "muted")
        self.own.say(f"{sign}{OWN} not the default limit: {names}", tone)

    def _show_standing(self, preview: Preview | None, stale: bool) -> None:
        """Say what the numbers are where they are not the answer to this plan."""
        trouble = self.workspace.live.trouble
        self.stale.setVisible(stale or preview is not None or trouble is not None)
        if trouble is not None:
            self.stale.say(f"! Not solved. {trouble.what} {trouble.remedy}", "warn")
        elif preview is not None:
            also = [m for m in preview.margins if m.threshold_degc not in LARGE_THRESHOLDS_DEGC]
            rough = "".join(f" {margin_title(m.threshold_degc)}: {rough_words(m)}." for m in also)
            rest = " All below is of an earlier plan." if stale else ""
            self.stale.say(f"~ PREVIEW, {PREVIEW_MOMENT}, coarse grid.{rough}{rest}", "preview")
        elif stale:
            self.stale.say(f"! {OUT_OF_DATE}: these numbers belong to an earlier plan.", "warn")

    def _show_preview(self, preview: Preview, limits: Limits) -> None:
        """Show the rough margins of a preview; they are not judged."""
        for box, threshold in zip(self.margins, LARGE_THRESHOLDS_DEGC, strict=True):
            margin = preview.margin(threshold)
            assert margin is not None
            box.show_margin(
                margin_title(threshold),
                rough_words(margin),
                short_limit(limits.margin(threshold)) or "none set",
                level=None,
                stale=False,
                tip=f"Rough: a coarse solve, at the {PREVIEW_MOMENT}. The final margin is that of the lowest "
                "temperature of the whole protocol.",
                point=margin.worst_point_mm,
                preview=True,
            )

    def _show_margins(self, assessment: Assessment | None, limits: Limits, stale: bool) -> None:
        for box, threshold in zip(self.margins, LARGE_THRESHOLDS_DEGC, strict=True):
            margin = assessment.margin(threshold) if assessment else None
            if margin is None:
                why = "No target is chosen." if assessment else "Nothing is solved yet."
                limit = short_limit(limits.margin(threshold)) or "none set"
                box.show_margin(
                    margin_title(threshold), DASH, limit, level=None, stale=stale, tip=why, point=None
                )
                continue
            row = margin_row(margin, limits)
            sure = self._sure_of(margin)
            box.show_margin(
                row.name,
                row.value,
                row.limit,
                level=row.level,
                stale=stale,
                tip="\n".join((row.tip, *(sure_words(margin, s) for s in sure))),
                point=row.point,
                sure="".join(short_sure(margin, s) for s in sure),
            )

    def _sure_of(self, margin: Margin) -> tuple[Uncertainty, ...]:
        """Return how sure a margin is, nothing where that cannot be told."""
        case, result = self.workspace.case, self.workspace.result
        if case is None or result is None:
            return ()
        found = workflow.margin_uncertainty(case, margin, result, self.workspace.convergence)
        return () if found is None else (found,)

    def _show_places(self, assessment: Assessment | None, limits: Limits, stale: bool) -> None:
        shown = []
        if assessment is not None:
            # The probes of an out-of-date result are not those on screen: then no distance to them.
            plan = Plan() if stale else self.workspace.plan
            shown = worst_places(assessment, plan, self.workspace.catalogue, limits)
        while len(self.places) < len(shown):
            place = _Place()
            place.clicked.connect(self._go)
            self._places.addWidget(place)
            self.places.append(place)
        for place, part in zip(self.places, shown, strict=False):
            place.show_place(part, stale)
            place.show()
        for place in self.places[len(shown) :]:
            place.hide()
        self._no_place.setVisible(not shown)

    def _show_organs(self, assessment: Assessment | None, limits: Limits, stale: bool) -> None:
        if assessment is None:
            self.organs.show_all([], stale)
            self._organs_note.say(DASH, "muted")
            self._organs_note.show()
            return
        case = self.workspace.case
        organs = judged_organs(assessment, limits, case.target_name if case else "")
        rows = [_brief(organ_row(o, limits)) for o in organs]
        bad = sum(row.level not in (None, Level.OK) for row in rows)
        # Whatever misses its limit is on the card; only what keeps it may be left to the review.
        self.organs.show_all(rows[: max(ORGANS_SHOWN, bad)], stale)
        more = len(organs) - max(ORGANS_SHOWN, bad)
        note = f"{more} more, within their limits, in the review" if more > 0 else ""
        self._organs_note.say(note if organs else "No structure with a limit.", STALE if stale else "muted")
        self._organs_note.setVisible(bool(self._organs_note.text()))

    @Slot()
    def _go(self) -> None:
        pressed = self.sender()
        point = getattr(pressed, "point", None)
        if point is not None:
            self.go_to_place(point)

    def _select(self, finding: Finding) -> None:
        """Select the probe that a finding names and go to its tip."""
        for probe in self.workspace.plan.probes:
            if finding.place in (f"probe {probe.name}", probe.name) or finding.place.startswith(
                f"probes {probe.name} and "
            ):
                self.view.selected_probe = probe.name
                self.go_to(probe.tip_mm)
                return


class _Place(Press):
    """Where a margin is worst, in words; a press goes there."""

    def __init__(self) -> None:
        super().__init__()
        self.point = None
        self._words = Text("", bold=True, wrap=True)
        self._which = Text("", "muted", wrap=True, scale=0.93)
        column = QVBoxLayout()
        column.setContentsMargins(9, 6, 9, 6)
        column.setSpacing(2)
        column.addWidget(self._words)
        column.addWidget(self._which)
        self.add(column)

    @property
    def texts(self) -> tuple[str, str]:
        """The place and the margins that are worst there."""
        return (self._words.text(), self._which.text())

    def show_place(self, shown: Shown, stale: bool) -> None:
        """Show a place."""
        self._words.say(shown.name, STALE if stale else "text")
        self._which.say(shown.value, STALE if stale else "muted")
        self.point = shown.point
        self.setAccessibleName(say(f"Go to the worst place, {shown.name}, {shown.value}"))
        self.setToolTip(say("Press to go there."))


def _brief(row: Shown) -> Shown:
    """Return an organ's row without the minute, which the review has: its name needs the room."""
    return replace(row, value=row.value.partition(" at ")[0])


def _further(assessment: Assessment | None, limits: Limits) -> list[Shown]:
    """Return the margins with a limit that are not shown large."""
    rows = []
    for known in limits.margins:
        if known.threshold_degc in LARGE_THRESHOLDS_DEGC:
            continue
        margin = assessment.margin(known.threshold_degc) if assessment else None
        title, limit = margin_title(known.threshold_degc), short_limit(known.limit)
        rows.append(
            Shown(name=title, value=DASH, limit=limit) if margin is None else margin_row(margin, limits)
        )
    return rows


def _coverage(assessment: Assessment | None, limits: Limits) -> list[Shown]:
    if assessment is not None and assessment.coverage:
        return coverage_rows(assessment, limits, everything=False)
    known = [(c.threshold_degc, c.rim_mm, c.limit) for c in limits.coverage]
    known += [(t, rim, None) for t, rim in EXTRA_COVERAGE if limits.covered(t, rim) is None]
    return [
        Shown(name=coverage_name(t, rim), value=DASH, limit=short_limit(limit))
        for t, rim, limit in sorted(known, key=lambda k: (k[1], -k[0]))
    ]
