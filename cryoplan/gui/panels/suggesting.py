"""Suggest: a first layout for the target with its rules and their sources; laid out only when told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QPushButton

from cryoplan.app.newest import Newest
from cryoplan.core.errors import CryoplanError
from cryoplan.core.progress import Progress
from cryoplan.gui.parts import Text, indicator_style
from cryoplan.gui.placing import DEFAULT_MODEL
from cryoplan.gui.section import Section
from cryoplan.gui.words import say
from cryoplan.plan.hold import require_reach
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.suggest import Suggestion, laid_out, suggest

if TYPE_CHECKING:
    from cryoplan.gui.panel import Panel

SHORTEST = "shortest way"


class SuggestSection(Section):
    """Number, layout and reasons; ghosts in the views; one button that makes it one step."""

    def __init__(self, panel: Panel) -> None:
        super().__init__("Suggest a layout")
        self._panel = panel
        self.suggestion: Suggestion | None = None
        self._made_for: object = None
        # It takes a third of a second, and more for a target of many pieces.
        self._newest = Newest("suggest", self)
        self._newest.failed.connect(self._not_found)
        self.way = QComboBox()
        self.way.setAccessibleName(say("Direction of the suggested probes"))
        self.way.activated.connect(self.work_out)
        self.again = QPushButton(say("Work it out"))
        self.again.setAccessibleName(say("Work out a layout for the target"))
        self.again.clicked.connect(self.work_out)
        self.summary = Text("", bold=True, wrap=True)
        self.reasons = Text("", "muted", wrap=True, scale=0.93)
        self.replacing = QCheckBox()
        self.replacing.setStyleSheet(indicator_style())
        self.replacing.toggled.connect(self.refresh)
        self.go = QPushButton(say("Lay them out"))
        self.go.setAccessibleName(say("Lay the suggested probes out"))
        self.go.clicked.connect(self._lay_out)
        row = QHBoxLayout()
        row.setSpacing(5)
        row.addWidget(self.way, 1)
        row.addWidget(self.again)
        self.add(row)
        for part in (self.summary, self.reasons, self.replacing, self.go):
            self.add(part)
        self.toggled.connect(self.refresh)

    @Slot()
    def work_out(self) -> None:
        """Open the section and work a layout out for the target as it is."""
        panel = self._panel
        self.set_open(True)
        workspace = panel.workspace
        self.suggestion = None
        self._made_for = workspace.case
        if workspace.case is not None:
            case, catalogue, model = workspace.case, workspace.catalogue, self._model_id()
            along = self.way.currentData()
            probe = next((p for p in workspace.plan.probes if p.name == along), None)
            self.summary.say("Working it out ...", "muted")
            self.reasons.say("")

            def work(_progress: Progress) -> object:
                return suggest(case, catalogue.model(model), along=probe)

            self._newest.ask(work, self._take, "Suggesting a layout")
        self.refresh()

    @Slot(object)
    def _take(self, found: object) -> None:
        assert isinstance(found, Suggestion)
        self.suggestion = found
        self.refresh()

    @Slot(object)
    def _not_found(self, error: Exception) -> None:
        if not isinstance(error, CryoplanError):
            raise error
        self.summary.say(f"! {error}", "warn")

    @Slot()
    def refresh(self) -> None:
        """Show the suggestion and follow the plan; another case forgets it."""
        panel = self._panel
        workspace, found = panel.workspace, self.suggestion
        if self._made_for is not workspace.case:
            self._newest.cancel()
            self.suggestion = found = None
            self._made_for = workspace.case
            self.summary.say("", "text")
            self.reasons.say("")
        self._show_ways(workspace.plan)
        free = self._replaceable(workspace.plan)
        self.replacing.setVisible(found is not None and bool(free))
        self.replacing.setText(
            say(f"In place of {', '.join(free)}" if len(free) > 1 else "In place of the probe")
        )
        self.replacing.setAccessibleName(say(f"Lay them out in place of probes {', '.join(free)}"))
        self.go.setVisible(found is not None)
        self.again.setEnabled(workspace.case is not None)
        if found is not None:
            self.say(found.summary)
            self.summary.say(found.summary[:1].upper() + found.summary[1:], "text")
            self.summary.setToolTip(say(f"For {workspace.catalogue.model(found.model).name}"))
            lines = [f"· {r.text}{f' [{r.how}: {r.source}]' if r.source else ''}" for r in found.reasons]
            lines.append("· A start from distances alone: nothing was solved.")
            self.reasons.say("\n".join(lines))
        else:
            self.say("")
        panel.enable_edits(self.way, self.replacing)
        panel.enable_edits(self.go, when=found is not None)
        self.setVisible(self.is_open)
        panel.show_ghosts(self, self._ghosts() if self.is_open else ())

    def _model_id(self) -> str:
        plan, catalogue = self._panel.workspace.plan, self._panel.workspace.catalogue
        chosen = self._panel.chosen
        used = [chosen.model] if chosen is not None else [p.model for p in plan.probes[-1:]]
        freezing = [m for m in used if m in catalogue and not catalogue[m].is_warmer]
        return (freezing or [DEFAULT_MODEL])[0]

    def _replaceable(self, plan: Plan) -> list[str]:
        return [p.name for p in plan.probes if not p.locked]

    def _show_ways(self, plan: Plan) -> None:
        wanted = [SHORTEST, *(f"as probe {p.name}" for p in plan.probes)]
        if wanted == [self.way.itemText(n) for n in range(self.way.count())]:
            return
        kept = self.way.currentData()
        self.way.clear()
        self.way.addItem(say(SHORTEST), None)
        for probe in plan.probes:
            self.way.addItem(say(f"as probe {probe.name}"), probe.name)
        self.way.setCurrentIndex(max(self.way.findData(kept), 0) if kept else 0)

    def _ghosts(self) -> tuple[Probe, ...]:
        if self.suggestion is None:
            return ()
        # With the names that they would get.
        plan = self._panel.workspace.plan
        instead = self._replaceable(plan) if self.replacing.isChecked() else []
        return laid_out(plan, self.suggestion, instead_of=instead).probes[-len(self.suggestion.places_mm) :]

    @Slot()
    def _lay_out(self) -> None:
        found, panel = self.suggestion, self._panel
        if found is None:
            return
        old = panel.workspace.plan
        instead = self._replaceable(old) if self.replacing.isChecked() else []

        def change(plan: Plan) -> Plan:
            new = laid_out(plan, found, instead_of=instead)
            require_reach(Plan(), new, panel.workspace.catalogue)
            return new

        if panel.try_edit(change):
            self.suggestion = None
            self.set_open(False)
            said = f"{found.summary[:1].upper()}{found.summary[1:]} laid out"
            gone = f" in place of {', '.join(instead)}" if instead else ""
            panel.workspace.message.emit(f"{said}{gone}. Ctrl+Z takes it back.")
            panel.view.selected_probe = panel.workspace.plan.probes[-len(found.places_mm)].name
            self.refresh()
