"""Probes: a card for each probe, the editor of the chosen one, spacings and clearances."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.finding import Finding, Level, worst
from cryoplan.core.units import show_mm
from cryoplan.gui.panel import Panel
from cryoplan.gui.panels.probe_editor import ProbeEditor
from cryoplan.gui.parts import SIGNS, STALE, Heading, Name, Press, Swatch, Text, short_name
from cryoplan.gui.probe_gestures import PARALLEL_MM, copy_selected, delete_selected, selected, toggle_lock
from cryoplan.plan.clearance import Clearance, clearances
from cryoplan.plan.limits import placement_limits
from cryoplan.plan.path import Pass, passes
from cryoplan.plan.placement import Angles, angles, pairs
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.rules import clearance_level
from cryoplan.report.wording import SINGLE_SLICE_DEG
from cryoplan.scene.style import theme

CLEARANCES_SHOWN = 6

HOW_TO_PLACE = "No probe yet. Press P, click the target in any view, then click the skin."


class ProbesPanel(Panel):
    """Cards, buttons, editor, tables."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__(workspace, view, title="Probes")
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(Text("Probes", bold=True, scale=1.08))
        self._models = Name("", "muted")
        head.addWidget(self._models, 1)
        self.add(head)
        self._none = Text("", "muted", wrap=True)
        self.add(self._none)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(6)
        self.add(self._cards)
        self.cards: list[ProbeCard] = []
        self._add_buttons()
        self.editor = ProbeEditor(self)
        self.add(self.editor)
        self._pair_heading = Heading("Pairs, axis to axis")
        self.add(self._pair_heading)
        self.pairs = Table(("", "pair", "tip mm", "mid mm", "back mm", "angle"))
        self.add(self.pairs)
        self._clear_heading = Heading("Thinnest clearance")
        self.add(self._clear_heading)
        self.clearances = Table(("", "structure", "probe", "mm", "depth mm"), elided=1)
        self.clearances.setToolTip(
            "Least distance of the shaft's surface; depth along the shaft from the skin"
        )
        self.add(self.clearances)
        self._clear_note = Text("", "muted", wrap=True)
        self.add(self._clear_note)

    def _add_buttons(self) -> None:
        self.place = QPushButton("+ Probe (P)")
        self.parallel = QPushButton("Parallel (D)")
        self.delete = QPushButton("Delete")
        self.lock = QPushButton("Lock (L)")
        grid = QGridLayout()
        grid.setSpacing(6)
        for number, (button, name, tip, call) in enumerate(
            (
                (self.place, "Place a probe", "Click the target, then the skin", self.start_placing),
                (
                    self.parallel,
                    "Copy parallel",
                    f"A copy of the chosen probe, {PARALLEL_MM:g} mm beside it on its free side",
                    self.copy_probe,
                ),
                (self.lock, "Lock or free the probe", "Nothing moves a locked probe", self.toggle_lock),
                (
                    self.delete,
                    "Delete the probe",
                    "Remove the chosen probe (Del); can be undone",
                    self.delete_probe,
                ),
            )
        ):
            button.setAccessibleName(name)
            button.setToolTip(tip)
            button.clicked.connect(call)
            grid.addWidget(button, number // 2, number % 2)
        self.add(grid)

    # Showing ----------------------------------------------------------------------------------------

    @property
    def chosen(self) -> Probe | None:
        """The selected probe."""
        return selected(self.workspace, self.view)

    def refresh(self) -> None:
        """Show what needs no look at masks."""
        case, plan, catalogue = self.workspace.case, self.workspace.plan, self.workspace.catalogue
        names = list(dict.fromkeys(p.model for p in plan.probes))
        words = ", ".join(catalogue[n].name if n in catalogue else n for n in names)
        self._models.say(f"{len(plan.probes)} × {words}" if plan.probes else "", "muted")
        self._none.setVisible(not plan.probes)
        self._none.say("Open a scan first." if case is None else HOW_TO_PLACE)
        while len(self.cards) < len(plan.probes):
            card = ProbeCard()
            card.clicked.connect(self._select)
            self._cards.addWidget(card)
            self.cards.append(card)
        while len(self.cards) > len(plan.probes):
            card = self.cards.pop()
            self._cards.removeWidget(card)
            card.hide()
            card.deleteLater()
        position = case.scan.facts.patient_position if case is not None else ""
        for number, (card, probe) in enumerate(zip(self.cards, plan.probes, strict=True)):
            model = catalogue[probe.model].name if probe.model in catalogue else probe.model
            card.show_probe(probe, number, model, angles(probe, position))
            card.set_selected(probe.name == self.view.selected_probe)
            card.set_old(self.is_slow_part_old)
        chosen = self.chosen
        self.enable_edits(self.parallel, self.lock, when=chosen is not None)
        self.enable_edits(self.place, when=case is not None)
        self.enable_edits(self.delete, when=chosen is not None and not chosen.locked)
        self.lock.setText("Free (L)" if chosen is not None and chosen.locked else "Lock (L)")
        self.editor.setVisible(chosen is not None)
        if chosen is not None:
            self.editor.show_probe(chosen)
        known = all(p.model in catalogue for p in plan.probes)
        self._show_pairs(plan if known else Plan())

    def refresh_slow(self) -> None:
        """Show paths, clearances and what the rules say."""
        case, plan, catalogue = self.workspace.case, self.workspace.plan, self.workspace.catalogue
        rules = self.workspace.rules
        if len(self.cards) != len(plan.probes):
            self.refresh()
        limits = placement_limits()
        watched = limits.forbidden | limits.doubtful
        nearest: dict[str, tuple[Clearance, str]] = {}
        for card, probe in zip(self.cards, plan.probes, strict=True):
            found = [f for f in rules if f.place == f"probe {probe.name}"]
            card.show_path(passes(case, probe) if case is not None else (), found)
            if case is None or probe.model not in catalogue:
                continue
            for clearance in clearances(
                case, probe, catalogue[probe.model].outer_diameter.value, roles=watched
            ):
                best = nearest.get(clearance.structure)
                if best is None or clearance.mm < best[0].mm:
                    nearest[clearance.structure] = (clearance, probe.name)
        self._show_clearances(nearest)
        self._show_pairs(plan if all(p.model in catalogue for p in plan.probes) else Plan())

    def _show_pairs(self, plan: Plan) -> None:
        table = pairs(plan, self.workspace.catalogue)
        self._pair_heading.setVisible(bool(table))
        self.pairs.setVisible(bool(table))
        # The rules know which pairs are neighbours; a wide pair with a probe between is none.
        rules = () if self.is_slow_part_old else self.workspace.rules
        rows = []
        for pair in table:
            found = [f for f in rules if f.place == f"probes {pair.a} and {pair.b}"]
            level = worst(found)
            texts = (
                SIGNS[level],
                f"{pair.a}–{pair.b}",
                *(_bare(v) for v in (pair.tip_mm, pair.middle_mm, pair.back_mm)),
                f"{pair.angle_deg:.1f}°",
            )
            rows.append((texts, level, "\n".join(f.text for f in found) or "No rule is broken."))
        self.pairs.show_rows(rows, old=self.is_slow_part_old)

    def _show_clearances(self, nearest: dict[str, tuple[Clearance, str]]) -> None:
        case, limits = self.workspace.case, placement_limits()
        rows = []
        if case is not None:
            for clearance, probe in sorted(nearest.values(), key=lambda found: found[0].mm):
                structure = case.structure(clearance.structure)
                if structure.name == case.target_name:
                    continue
                level = clearance_level(structure.role, clearance.mm, limits)
                texts = (
                    SIGNS[level],
                    structure.name,
                    probe,
                    _bare(clearance.mm),
                    f"{clearance.at_depth_mm:.0f}",
                )
                tip = f"{structure.name} ({structure.role.value}): {show_mm(clearance.mm)} from probe {probe}"
                rows.append((level, clearance.mm, (texts, level, tip)))
        rows.sort(key=lambda row: (-row[0].rank, row[1]))
        shown = [row for _, _, row in rows[:CLEARANCES_SHOWN]]
        has_probes = bool(self.workspace.plan.probes)
        self._clear_heading.setVisible(has_probes)
        self.clearances.setVisible(bool(shown))
        self.clearances.show_rows(shown)
        self._clear_note.setVisible(has_probes and not shown)
        self._clear_note.say("Nothing outlined that a shaft should keep away from.")

    # Doing ------------------------------------------------------------------------------------------

    @Slot()
    def start_placing(self) -> None:
        """Let the next clicks place a probe."""
        self.view.placing = True

    @Slot()
    def copy_probe(self) -> None:
        """Copy the chosen probe parallel and choose the copy, as the key does."""
        copy_selected(self.workspace, self.view)

    @Slot()
    def delete_probe(self) -> None:
        """Remove the chosen probe, as the key does."""
        delete_selected(self.workspace, self.view)

    @Slot()
    def toggle_lock(self) -> None:
        """Lock or free the chosen probe, as the key does."""
        toggle_lock(self.workspace, self.view)

    @Slot()
    def _select(self) -> None:
        card = self.sender()
        if isinstance(card, ProbeCard):
            self.view.selected_probe = card.name


class ProbeCard(Press):
    """One probe in words."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self._number = Text("", bold=True)
        self._model = Name("", bold=True)
        self._verdict = Text("", bold=True)
        self._lies = Text("", wrap=True, scale=0.9)
        self._path = Text("", "muted", wrap=True, scale=0.9)
        self._worst = Text("", wrap=True, scale=0.9)
        head = QHBoxLayout()
        head.setSpacing(6)
        self._swatch = Swatch(theme().probes.colour(0))
        head.addWidget(self._swatch)
        head.addWidget(self._number)
        head.addWidget(self._model, 1)
        head.addWidget(self._verdict)
        column = QVBoxLayout()
        column.setContentsMargins(10, 7, 10, 7)
        column.setSpacing(3)
        column.addLayout(head)
        for part in (self._lies, self._path, self._worst):
            column.addWidget(part)
        self._worst.hide()
        self.add(column)

    @property
    def texts(self) -> tuple[str, str, str, str, str]:
        """Number, verdict, how it lies, what it passes, the worst finding."""
        parts = (self._number, self._verdict, self._lies, self._path, self._worst)
        return tuple(part.text() for part in parts)

    @property
    def verdict_tone(self) -> str:
        """Tone of the verdict; ``stale`` while it is that of an earlier place."""
        return self._verdict.tone

    def show_probe(self, probe: Probe, number: int, model: str, lie: Angles) -> None:
        """Show name, model, depth and angles."""
        self.name = probe.name
        self._swatch.show_colour(theme().probes.colour(number))
        self._number.say(probe.name)
        self._model.say(model)
        power = "" if probe.intensity == 1.0 else f" · {100 * probe.intensity:.0f} % power"
        locked = " · locked" if probe.locked else ""
        self._lies.say(f"{probe.depth_mm:.0f} mm deep · {lie_words(lie)}{power}{locked}", "muted")
        self.setAccessibleName(f"Probe {probe.name}, {model}, {self._lies.text()}")

    def show_path(self, found: tuple[Pass, ...], findings: list[Finding]) -> None:
        """Show what it passes and the worst that the rules say."""
        self._path.say(path_words(found), "muted")
        self._path.setVisible(bool(found))
        level = worst(findings)
        bad = [f for f in findings if f.level is not Level.OK]
        more = f" (+{len(bad) - 1})" if len(bad) > 1 else ""
        self._verdict.say(f"{SIGNS[level]} {'path' if not bad else level.value}", level.value)
        self._worst.say(f"{bad[0].text}{more}" if bad else "", level.value)
        self._worst.setVisible(bool(bad))
        self.setToolTip("\n".join(f.text for f in bad))

    def set_old(self, old: bool) -> None:
        """Grey what belongs to an earlier place of the probe."""
        if old:
            for part in (self._path, self._verdict, self._worst):
                part.say(part.text(), STALE)


class Table(QWidget):
    """A few columns of numbers with a sign in front; keeps its cells when it changes."""

    def __init__(self, heads: tuple[str, ...], *, elided: int | None = None) -> None:
        super().__init__()
        self._elided = elided
        self._columns = len(heads)
        self.lines: list[list[Text]] = []
        self._cells = QGridLayout(self)
        self._cells.setContentsMargins(0, 0, 0, 0)
        self._cells.setHorizontalSpacing(6)
        self._cells.setVerticalSpacing(4)
        for column, head in enumerate(heads):
            title = Text(head, "muted", scale=0.93)
            title.setAlignment(self._side(column))
            self._cells.addWidget(title, 0, column)
            self._cells.setColumnStretch(column, 0 if column == 0 else 2 if column == elided else 1)
        self._cells.setColumnMinimumWidth(0, 14)

    def show_rows(self, rows: list[tuple[tuple[str, ...], Level, str]], *, old: bool = False) -> None:
        """Show rows of (texts, level, tooltip)."""
        while len(self.lines) < len(rows):
            line = []
            for column in range(self._columns):
                cell = Name("") if column == self._elided else Text("", bold=column == 0)
                cell.setAlignment(self._side(column))
                self._cells.addWidget(cell, len(self.lines) + 1, column)
                line.append(cell)
            self.lines.append(line)
        for line, (texts, level, tip) in zip(self.lines, rows, strict=False):
            for column, (cell, text) in enumerate(zip(line, texts, strict=True)):
                tone = level.value if column == 0 or level is not Level.OK else "text"
                cell.say(text, STALE if old else tone, tip)
                cell.show()
        for line in self.lines[len(rows) :]:
            for cell in line:
                cell.hide()

    def texts(self) -> list[tuple[str, ...]]:
        """Return the rows shown."""
        return [tuple(c.text() for c in line) for line in self.lines if not line[0].isHidden()]

    def _side(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignLeft if column <= 1 else Qt.AlignmentFlag.AlignRight
        return side | Qt.AlignmentFlag.AlignVCenter


def path_words(found: tuple[Pass, ...]) -> str:
    """Return what a probe runs through, in order: ``skin 2 · fat 19 · liver 41 · tumour 22 mm``."""
    parts = [f"{short_name(p.structure)} {p.length_mm:.0f}" for p in found if round(p.length_mm) >= 1]
    return " · ".join(parts) + (" mm" if parts else "")


def lie_words(lie: Angles) -> str:
    """Return the angles of a probe in few words."""
    towards = f" to the {lie.in_plane_toward}" if lie.in_plane_toward else ""
    plane = f"in-plane {lie.in_plane_deg:.0f}°{towards}"
    if abs(lie.cranio_caudal_deg) < SINGLE_SLICE_DEG:
        return f"{plane} · within one slice"
    side = "head" if lie.cranio_caudal_deg > 0.0 else "feet"
    tilt = "tilt out of reach" if lie.gantry_tilt_deg is None else f"tilt {show_tilt(lie.gantry_tilt_deg)}"
    return f"{plane} · {abs(lie.cranio_caudal_deg):.0f}° to the {side} · {tilt}"


def show_tilt(degrees: float) -> str:
    """Return a gantry tilt with its sign."""
    return f"{degrees:+.0f}°".replace("-", "\N{MINUS SIGN}")


def _bare(value_mm: float) -> str:
    return show_mm(value_mm).removesuffix(" mm")
