"""Margin along a probe: the least margin at each depth of a shaft, one curve for each isotherm."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout

from cryoplan.app.margin_shown import MarginShown, margin_of
from cryoplan.app.view import ViewState
from cryoplan.app.workspace import Workspace
from cryoplan.core.units import show_degc, show_mm
from cryoplan.gui.chart import Axis, Band, Chart, Level, Series
from cryoplan.gui.numbers import margin_title
from cryoplan.gui.panels.looks import make_combo
from cryoplan.gui.parts import Text, palette
from cryoplan.gui.section import Section
from cryoplan.margins.along_probe import ProbeProfile
from cryoplan.plan.probe import Probe
from cryoplan.scene.style import theme

NONE = "Solve a plan with a target to see margins along its probes."
DEPTH = Axis(title="from the tip towards the skin", unit="mm")
LEAST = Axis(title="least margin", unit="mm")


class ProfileSection(Section):
    """The section of the review; closed at first. A press on a curve goes to that place of the surface."""

    def __init__(self, workspace: Workspace, view: ViewState) -> None:
        super().__init__("Margin along a probe")
        self._workspace, self._view = workspace, view
        self._drawn: tuple[object, ...] = ()
        self.probe = make_combo("Probe of the profile", "Along which probe; selects it")
        self.probe.activated.connect(self._choose)
        self.chart = Chart("Margin along a probe", plot_px=150)
        self.chart.pressed.connect(self._go)
        self.words = Text("", "muted", wrap=True, scale=0.93)
        row = QHBoxLayout()
        row.addWidget(Text("Probe", "muted"))
        row.addWidget(self.probe, 1)
        self.add(row)
        self.add(self.chart)
        self.add(self.words)
        self.toggled.connect(self.refresh)
        view.changed.connect(self._follow)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the profile of the selected probe; nothing is measured while the section is closed."""
        shown, probe = margin_of(self._workspace, self._view), self._chosen()
        self.probe.setEnabled(probe is not None)
        names = [p.name for p in self._freezing()]
        if [self.probe.itemText(n) for n in range(self.probe.count())] != names:
            self.probe.clear()
            self.probe.addItems(names)
        if probe is not None:
            self.probe.setCurrentText(probe.name)
        if not self.is_open:
            return
        if shown is None or probe is None:
            self._drawn = ()
            self.chart.show_series([], x=DEPTH, y=LEAST, empty=NONE)
            self.words.say("")
            return
        self._draw(shown, probe)

    def _draw(self, shown: MarginShown, probe: Probe) -> None:
        drawn = (shown.margin_map, shown.threshold_degc, shown.is_current, probe, palette().name)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        profile = shown.profile(probe)
        self.chart.show_series(
            _series(profile),
            x=DEPTH,
            y=LEAST,
            levels=[Level(at=0.0, dash=())],
            bands=[self._active_zone(probe, profile)],
            stale=not shown.is_current,
            empty="Nothing is as cold as any of the isotherms.",
        )
        # Sides and depths are those of the probe on screen, which was elsewhere when this was solved.
        self.words.say(_words(profile, shown) if shown.is_current else "")

    def _active_zone(self, probe: Probe, profile: ProbeProfile) -> Band:
        model = self._workspace.catalogue[probe.model]
        start = model.tip_offset.value
        low, high = float(profile.depth_mm[0]), float(profile.depth_mm[-1])
        first, last = np.clip([start, start + model.active_length.value], low, high)
        return Band(first=float(first), last=float(last), colour=palette().selected, label="active zone")

    def _freezing(self) -> list[Probe]:
        catalogue = self._workspace.catalogue
        return [
            p
            for p in self._workspace.plan.probes
            if p.model in catalogue and not catalogue[p.model].is_warmer
        ]

    def _chosen(self) -> Probe | None:
        """Return the selected probe, else the one that was shown, else the first."""
        by_name = {p.name: p for p in self._freezing()}
        for name in (self._view.selected_probe, self.probe.currentText()):
            if name in by_name:
                return by_name[name]
        return next(iter(by_name.values()), None)

    @Slot(int)
    def _choose(self, index: int) -> None:
        self._view.selected_probe = self.probe.itemText(index)

    @Slot()
    def _follow(self) -> None:
        """Follow the selection and the isotherm; the crosshair moves a line and nothing else."""
        if not (self.isVisible() and self.is_open):
            return
        self.refresh()
        probe = self._chosen()
        if probe is not None and self._drawn:
            depth = float((np.subtract(self._view.cursor_mm, probe.tip_mm)) @ -probe.direction)
            self.chart.set_mark(depth)

    @Slot(float, str)
    def _go(self, depth_mm: float, name: str) -> None:
        """Go to the least margin next to a depth, of the curve that was pressed."""
        shown, probe = margin_of(self._workspace, self._view), self._chosen()
        if shown is None or probe is None:
            return
        profile = shown.profile(probe)
        named = {margin_title(t): t for t in profile.thresholds_degc}
        found = profile.place(named.get(name, shown.threshold_degc), depth_mm)
        if found is not None:
            self._view.cursor_mm = found[2]


def _series(profile: ProbeProfile) -> list[Series]:
    """Return one curve for each isotherm that is reached, in the looks of its contour."""
    made = []
    for threshold in profile.thresholds_degc:
        least = profile.least(threshold)
        if np.isfinite(least).any():
            line = theme().isotherm(threshold)
            made.append(
                Series(
                    name=margin_title(threshold),
                    x=profile.depth_mm,
                    y=np.where(np.isfinite(least), least, np.nan),
                    colour=line.colour,
                    dash=line.dash,
                    tip="Least distance from the tumour's surface at this depth to the isotherm",
                )
            )
    return made


def _words(profile: ProbeProfile, shown: MarginShown) -> str:
    """Return where the margin to the chosen isotherm is least along the probe."""
    least = profile.least(shown.threshold_degc)
    title = show_degc(shown.threshold_degc)
    if not np.isfinite(least).any():
        return f"Nothing reaches {title}."
    depth = float(profile.depth_mm[np.nanargmin(np.where(np.isfinite(least), least, np.nan))])
    found = profile.place(shown.threshold_degc, depth)
    assert found is not None
    where = f"{depth:.0f} mm from the tip" if depth >= 0.0 else f"{-depth:.0f} mm beyond the tip"
    return (
        f"Least to {title}: {show_mm(found[1], signed=True)}, {where}, on the {found[3]} side of the shaft."
    )
