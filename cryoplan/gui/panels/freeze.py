"""Freeze: the protocol, the grid, the button that solves, and what will be assumed."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QWidget,
)

from cryoplan import workflow
from cryoplan.app.state import State
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.gui.panel import Panel
from cryoplan.gui.panels.fields import NumberBox
from cryoplan.gui.parts import Heading, Text, indicator_style
from cryoplan.gui.rows import Rows
from cryoplan.gui.words import say
from cryoplan.plan.edits import set_protocol
from cryoplan.plan.plan import Plan
from cryoplan.plan.presets import load_presets
from cryoplan.plan.protocol import LONGEST_PROTOCOL_S, Phase, PhaseKind, Protocol, ThawMode
from cryoplan.report.wording import measured
from cryoplan.simulation.settings import PREVIEW, STANDARD, SolverSettings

GRIDS: tuple[tuple[str, SolverSettings, str], ...] = (
    ("Standard 1 mm", STANDARD, "The grid that plans are judged on."),
    (
        "Preview 2 mm",
        PREVIEW,
        "Quick and coarse, for finding a place; solve on the standard grid before deciding.",
    ),
    (
        "Fine 0.5 mm",
        STANDARD.changed(spacing_mm=0.5),
        "Slow; to check that the standard grid is fine enough.",
    ),
)

SKIN: tuple[tuple[str, str], ...] = (
    ("Skin in room air", "air"),
    ("Skin under a warm bag", "warm-bag"),
    ("Skin insulated", "insulated"),
)

STAR = "* recalled or assumed, without a paper or table behind it; hover for sources"

SOLVED_BEFORE = (State.CURRENT, State.OUT_OF_DATE, State.PREVIEW)

NEW_PHASE_S = {PhaseKind.FREEZE: 600.0, PhaseKind.THAW: 300.0}
"""Length of a phase that is added: that of the usual protocol."""


class FreezePanel(Panel):
    """Protocol table and solve button."""

    solve_requested = Signal()

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__(workspace, view, title="Freeze")
        self.add(Text("Freeze", bold=True, scale=1.08))
        self._place_solving()
        self._place_grid()
        self._place_protocol()
        self._place_assumed()

    def _place_solving(self) -> None:
        workspace = self.workspace
        self.solve = QPushButton(say("Solve"))
        self.solve.setProperty("primary", True)
        self.solve.setAccessibleName(say("Solve"))
        self.solve.clicked.connect(self.solve_requested)
        self.cancel = QPushButton(say("Cancel"))
        self.cancel.setAccessibleName(say("Cancel the solve"))
        self.cancel.clicked.connect(workspace.cancel)
        row = QHBoxLayout()
        row.addWidget(self.solve, 1)
        row.addWidget(self.cancel)
        self.add(row)
        self.why = Text("", "muted", wrap=True)
        self.add(self.why)
        self.follows = QCheckBox(say("Ice follows the hand (preview)"))
        self.follows.setToolTip(
            say(
                "While a probe is moved, a coarse solve of the end of the first freeze follows it. "
                "Never printed."
            )
        )
        self.follows.toggled.connect(lambda on: workspace.live.switch(follows=on))
        self.solves = QCheckBox(say("Solve by itself when the hand rests"))
        self.solves.setToolTip(say("After each change of the plan it is solved without Solve (F9)."))
        self.solves.toggled.connect(lambda on: workspace.live.switch(solves=on))
        for box in (self.follows, self.solves):
            box.setStyleSheet(indicator_style())
            box.setAccessibleName(box.text())
            self.add(box)

    def _place_grid(self) -> None:
        self.add(Heading("Grid"))
        self.grid = QComboBox()
        self.grid.setAccessibleName(say("Grid of the solver"))
        for number, (text, _, tip) in enumerate(GRIDS):
            self.grid.addItem(say(text))
            self.grid.setItemData(number, say(tip), Qt.ItemDataRole.ToolTipRole)
        self.grid.activated.connect(self._choose_grid)
        self.add(self.grid)
        self.skin = QComboBox()
        self.skin.setAccessibleName(say("What lies on the skin"))
        self.skin.setToolTip(say("What lies on the skin: matters where the ice comes near it"))
        for text, name in SKIN:
            self.skin.addItem(say(text), name)
        self.skin.activated.connect(self._choose_skin)
        self.add(self.skin)
        self.converge = QPushButton(say("Check this grid"))
        self.converge.setAccessibleName(say("Check how much the grid changes the result"))
        self.converge.setToolTip(
            say(
                "Solves this plan on another grid and with half the step, and tells what that changes. "
                "Takes about as long as a solve on the finer of both grids."
            )
        )
        self.converge.clicked.connect(self.workspace.request_convergence)
        self.add(self.converge)
        self.converged = Text("", "muted", wrap=True)
        self.add(self.converged)

    def _place_protocol(self) -> None:
        self.add(Heading("Protocol"))
        self.presets = load_presets()
        self._chosen_preset = 0
        self.preset = QComboBox()
        self.preset.setAccessibleName(say("Protocol preset"))
        self.preset.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.preset.setMinimumContentsLength(12)
        for number, preset in enumerate(self.presets):
            self.preset.addItem(preset.name, preset.id)
            tip = f"{preset.protocol.describe()}. {preset.note}\n{preset.source} ({preset.how})"
            self.preset.setItemData(number, say(tip), Qt.ItemDataRole.ToolTipRole)
        self.preset.addItem(say("Own times"), "")
        self.preset.activated.connect(self._choose_preset)
        self.add(self.preset)
        self._table = QWidget()
        self._cells = QGridLayout(self._table)
        self._cells.setContentsMargins(0, 2, 0, 2)
        self._cells.setHorizontalSpacing(5)
        self._cells.setVerticalSpacing(4)
        self._cells.setColumnStretch(2, 1)
        self.phases: list[PhaseRow] = []
        self.add(self._table)
        self._total = Text("", "muted", wrap=True)
        self.add(self._total)
        adds = QHBoxLayout()
        self.add_freeze = QPushButton(say("+ Freeze"))
        self.add_thaw = QPushButton(say("+ Thaw"))
        for button, kind in ((self.add_freeze, PhaseKind.FREEZE), (self.add_thaw, PhaseKind.THAW)):
            button.setAccessibleName(say(f"Add a {kind.value}"))
            button.setProperty("phase", kind.value)
            button.clicked.connect(self._add_phase)
            adds.addWidget(button)
        adds.addStretch(1)
        self.add(adds)

    def _place_assumed(self) -> None:
        self._assumed = Heading("What is assumed")
        self.add(self._assumed)
        self._star = Text(STAR, "muted", wrap=True, scale=0.85)
        self.add(self._star)
        self.models = Rows(value_px=100, limit_px=0)
        self.add(self.models)
        self.tissues = Rows(value_px=100, limit_px=0)
        self.add(self.tissues)

    # Showing ----------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show protocol, grid and state."""
        protocol = self.workspace.plan.protocol
        self._show_phases(protocol)
        self.enable_edits(self.preset, self.add_freeze, self.add_thaw)
        self.enable_edits(*(part for row in self.phases for part in row.parts))
        number = self._preset_number(protocol)
        self.preset.setCurrentIndex(number)
        preset = self.presets[number] if number < len(self.presets) else None
        self.preset.setToolTip(
            say("Times of your own." if preset is None else f"{preset.note}\n{preset.source} ({preset.how})")
        )
        self._total.say(f"{protocol.describe()}, {protocol.duration_s / 60:g} min together")
        settings = self.workspace.settings
        index = next(
            (n for n, (_, s, _) in enumerate(GRIDS) if s.changed(skin=settings.skin) == settings), -1
        )
        self.skin.setCurrentIndex(self.skin.findData(settings.skin))
        self.grid.setCurrentIndex(index)
        self.grid.setToolTip(say(GRIDS[index][2] if index >= 0 else f"{settings.spacing_mm:g} mm"))
        self._show_state()

    def _preset_number(self, protocol: Protocol) -> int:
        """Return which preset a protocol is; of two with the same times the one that was chosen."""
        fitting = [n for n, p in enumerate(self.presets) if p.protocol == protocol]
        if self._chosen_preset in fitting:
            return self._chosen_preset
        return fitting[0] if fitting else len(self.presets)

    def _show_state(self) -> None:
        workspace = self.workspace
        live, trouble = workspace.live, workspace.live.trouble
        for box, is_on in ((self.follows, live.follows), (self.solves, live.solves)):
            if box.isChecked() != is_on:
                box.blockSignals(True)
                box.setChecked(is_on)
                box.blockSignals(False)
        state = workspace.state
        solving = state is State.SOLVING
        self.cancel.setVisible(solving or workspace.is_checking)
        possible = workspace.case is not None and bool(workspace.plan.probes)
        self.solve.setEnabled(possible and not solving)
        self.converge.setEnabled(possible and not workspace.is_busy)
        checked = workspace.convergence
        self.converged.setVisible(checked is not None)
        if checked is not None:
            mark, tone = ("✓", "ok") if checked.is_converged else ("!", "warn")
            self.converged.say(f"{mark} {checked.sentence}", tone)
        if workspace.case is None:
            text, tone = "Open a scan first.", "muted"
        elif not workspace.plan.probes:
            text, tone = "Place a probe first (P).", "muted"
        elif solving:
            progress = workspace.progress
            fraction = "" if progress is None else f" {100 * progress.fraction:.0f} %"
            text, tone = f"Solving{fraction}", "accent"
        elif trouble is not None:
            text, tone = f"! Not solved. {trouble.what} {trouble.remedy}", "warn"
        elif state is State.PREVIEW:
            text, tone = "~ A preview of the end of the first freeze; not solved yet.", "preview"
        elif state is State.CURRENT:
            assert workspace.result is not None
            spacing = workspace.result.settings.spacing_mm
            text, tone = f"✓ The result is that of this plan, on a {spacing:g} mm grid.", "ok"
        elif state is State.OUT_OF_DATE:
            text, tone = "! The result is out of date: the plan has changed since.", "warn"
        else:
            text, tone = "Not solved yet.", "muted"
        self.solve.setText(say("Solve again" if state in SOLVED_BEFORE else "Solve"))
        self.solve.setToolTip(say(f"{text} (F9)"))
        self.why.say(text, tone)

    def refresh_slow(self) -> None:
        """Show what the solve will rest on."""
        plan, catalogue = self.workspace.plan, self.workspace.catalogue
        for part in (self._assumed, self._star):
            part.setVisible(self.workspace.case is not None)
        names = [n for n in dict.fromkeys(p.model for p in plan.probes) if n in catalogue]
        for row, name in zip(self.models.set_count(len(names)), names, strict=True):
            model = catalogue[name]
            h = model.exchange_coefficient
            mark = "*" if h.is_guess else ""
            lines = (
                f"Heat exchange {measured(h, 'W/(m²·K)')}: {h.source} ({h.how}).",
                model.note,
                model.calibration,
            )
            tip = "\n".join(line for line in lines if line)
            row.show_numbers(model.name, f"h {h.value:g}{mark} W/(m²K)", tip=tip)
        case = self.workspace.case
        used: dict[str, list[str]] = {}
        for structure in case.structures if case is not None else ():
            used.setdefault(structure.tissue, []).append(structure.name)
        table = workflow.tissues()
        known = [table.tissue(name) for name in used if name in table.names()]
        for row, tissue in zip(self.tissues.set_count(len(known)), known, strict=True):
            flow = tissue.perfusion
            guesses = [n.replace("_", " ") for n, number in tissue.numbers().items() if number.is_guess]
            mark = "*" if flow.is_guess else ""
            lines = [
                f"For {', '.join(used[tissue.name])}.",
                f"Perfusion {measured(flow, 'kW/(m³·K)')}: {flow.source} ({flow.how}).",
                f"Conductivity {measured(tissue.conductivity, 'W/(m·K)')}, latent heat "
                f"{measured(tissue.latent_heat, 'MJ/m³')}.",
            ]
            if guesses:
                lines.append(f"Recalled or assumed: {', '.join(guesses)}.")
            row.show_numbers(
                tissue.title,
                f"{flow.value:g}{mark} kW/(m³K)",
                tip="\n".join(lines + [tissue.note] * bool(tissue.note)),
            )

    def _show_phases(self, protocol: Protocol) -> None:
        while len(self.phases) < len(protocol.phases):
            row = PhaseRow(len(self.phases), self)
            for column, part in enumerate(row.parts):
                self._cells.addWidget(part, len(self.phases), column)
            self.phases.append(row)
        while len(self.phases) > len(protocol.phases):
            for part in self.phases.pop().parts:
                self._cells.removeWidget(part)
                part.hide()
                part.deleteLater()
        for row, phase in zip(self.phases, protocol.phases, strict=True):
            row.show_phase(phase)

    # Editing ----------------------------------------------------------------------------------------

    def change_phase(self, number: int, make) -> None:
        """Replace one phase by `make(phase)`."""

        def changed(plan: Plan) -> Plan:
            phases = list(plan.protocol.phases)
            phases[number] = make(phases[number])
            return set_protocol(plan, Protocol(phases=tuple(phases)))

        if not self.try_edit(changed):
            self.phases[number].show_phase(self.workspace.plan.protocol.phases[number], force=True)

    def remove_phase(self, number: int) -> None:
        """Take a phase out."""

        def changed(plan: Plan) -> Plan:
            phases = list(plan.protocol.phases)
            del phases[number]
            return set_protocol(plan, Protocol(phases=tuple(phases)))

        self.try_edit(changed)

    def _add_phase(self) -> None:
        kind = PhaseKind(self.sender().property("phase"))
        phase = Phase(kind=kind, duration_s=NEW_PHASE_S[kind])
        self.try_edit(lambda plan: set_protocol(plan, Protocol(phases=(*plan.protocol.phases, phase))))

    def _choose_preset(self, number: int) -> None:
        if number >= len(self.presets):
            self._soon.ask()  # own times begin from those that are there
            return
        protocol = self.presets[number].protocol
        self._chosen_preset = number
        self._soon.ask()
        self.try_edit(lambda plan: set_protocol(plan, protocol))

    def _choose_grid(self, number: int) -> None:
        self.workspace.settings = GRIDS[number][1].changed(skin=self.workspace.settings.skin)

    def _choose_skin(self, number: int) -> None:
        self.workspace.settings = self.workspace.settings.changed(skin=self.skin.itemData(number))


class PhaseRow:
    """The widgets of one phase, each in its column."""

    def __init__(self, number: int, panel: FreezePanel) -> None:
        self._number, self._panel = number, panel
        name = f"Phase {number + 1}"
        self.kind = QComboBox()
        self.kind.setAccessibleName(say(f"{name}, kind"))
        for kind in PhaseKind:
            self.kind.addItem(say(kind.value), kind)
        self.kind.activated.connect(self._set_kind)
        self.minutes = NumberBox(
            f"{name}, minutes", " min", lowest=0.0, highest=LONGEST_PROTOCOL_S / 60.0, digits=1
        )
        self.minutes.valueChanged.connect(self._set_minutes)
        self.mode = QComboBox()
        self.mode.setAccessibleName(say(f"{name}, thaw mode"))
        self.mode.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.mode.setMinimumContentsLength(4)
        for mode in ThawMode:
            self.mode.addItem(say(mode.value), mode)
        self.mode.activated.connect(self._set_mode)
        self.remove = QToolButton()
        self.remove.setText("−")
        self.remove.setAccessibleName(say(f"Remove phase {number + 1}"))
        self.remove.setToolTip(say("Remove this phase"))
        self.remove.clicked.connect(self._remove)
        for part in (self.kind, self.mode, self.remove):
            part.setStyleSheet("padding: 3px 4px;")
        self.remove.setFixedWidth(26)
        self.minutes.setMinimumWidth(66)
        self.parts: tuple[QWidget, ...] = (self.kind, self.minutes, self.mode, self.remove)

    def show_phase(self, phase: Phase, *, force: bool = False) -> None:
        """Show a phase."""
        self.kind.setCurrentIndex(self.kind.findData(phase.kind))
        minutes = phase.duration_s / 60.0
        (self.minutes.force_value if force else self.minutes.show_value)(minutes)
        self.mode.setCurrentIndex(self.mode.findData(phase.mode))
        self.mode.setVisible(phase.kind is PhaseKind.THAW)

    def _set_kind(self, index: int) -> None:
        kind = PhaseKind(self.kind.itemData(index))
        self._panel.change_phase(self._number, lambda p: replace(p, kind=kind, mode=ThawMode.PASSIVE))

    def _set_minutes(self, minutes: float) -> None:
        self._panel.change_phase(self._number, lambda p: replace(p, duration_s=round(60.0 * minutes, 3)))

    def _set_mode(self, index: int) -> None:
        mode = ThawMode(self.mode.itemData(index))
        self._panel.change_phase(self._number, lambda p: replace(p, mode=mode))

    def _remove(self) -> None:
        self._panel.remove_phase(self._number)
