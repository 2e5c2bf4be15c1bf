"""In-line pictures: for each probe the plane that holds all of it, with the depths along its shaft.

The plane is the flat in-line plane of `cryoplan.scene.probe_planes`: as near to axial as the shaft allows, so
that it looks like the slices that are scanned beside it. Drawn as the slices of `cryoplan.scene.snapshot`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.core.units import show_mm
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.scene.contours import IsothermCutter, OutlineCutter, ProbeMark, project_probe
from cryoplan.scene.oblique import ObliquePlane
from cryoplan.scene.overlays import SHOWN_DEGC
from cryoplan.scene.paper import (
    POINTS_PER_PX,
    ROW_INCH,
    TARGET_WIDTH,
    canvas,
    draw_lines,
    furnish,
    legend,
    letters,
    number,
    to_png,
)
from cryoplan.scene.paper_slice import Frame, draw_image, draw_probe
from cryoplan.scene.probe_planes import InLine, in_line_plane
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.snapshot import Picture
from cryoplan.scene.style import LineStyle, ProbeStyle, theme
from cryoplan.scene.window import default_window
from cryoplan.simulation.result import ThermalResult

FloatArray = npt.NDArray[np.float64]

TICK_MM, WRITTEN_MM = 10.0, 50.0
"""Depths below the skin that have a tick, and those whose tick is longer and has its number beside it."""

BAR_MM = 50.0
_ROOM_MM = 15.0
_LEAST_EDGE_MM = 125.0  # the bar of 5 cm then ends before the letter in the middle
_LEAST_PIXEL_MM = 0.4
_LONGEST_TITLE = 8  # letters of a name before it runs into the letter of the upper edge
_OTHERS_WITHIN_MM = 5.0  # another probe whose active zone is farther away says nothing about this plane


def probe_pictures(
    case: Case, plan: Plan, catalogue: Catalogue, result: ThermalResult | None
) -> tuple[Picture, ...]:
    """Return one picture for each probe, in the plan's order; ``probe-1`` is the first probe of the plan.

    Parameters
    ----------
    case, plan, catalogue
        What was planned.
    result : ThermalResult or None
        Its lowest temperatures give the isotherms; none are drawn without it.
    """
    drawing = _Drawing(case, plan, catalogue, result)
    return tuple(drawing.picture(n) for n in range(len(plan.probes)))


class _Drawing:
    """Everything that the pictures share."""

    def __init__(self, case: Case, plan: Plan, catalogue: Catalogue, result: ThermalResult | None) -> None:
        self._plan, self._catalogue = plan, catalogue
        self._look = theme()
        self._sampler = SliceSampler(case.scan.volume)
        self._window = default_window(case.scan)
        self._isotherms = None if result is None else IsothermCutter(result.minimum_degc)
        self._target = None if case.target is None else OutlineCutter(case.target, case)

    def picture(self, place: int) -> Picture:
        probe = self._plan.probes[place]
        plane, _ = in_line_plane(probe, InLine.FLAT)
        marks = [
            project_probe(p, self._catalogue.model(p.model), plane, index=n)
            for n, p in enumerate(self._plan.probes)
        ]
        mine = marks[place]
        isotherms = () if self._isotherms is None else self._isotherms.cut(plane, SHOWN_DEGC)
        target = () if self._target is None else self._target.cut(plane)
        ice = [line for isotherm in isotherms for line in isotherm.lines]
        frame = _frame(mine, [*target, *ice])

        figure, axes = canvas(self._look, edge_inch=ROW_INCH)
        axes.set_xlim(frame[0], frame[1])
        axes.set_ylim(frame[3], frame[2])
        self._draw_scan(axes, plane, frame)
        key: list[LineStyle] = []
        if target:
            draw_lines(axes, target, self._look.tumour, width=TARGET_WIDTH)
            key.append(self._look.tumour)
        for isotherm in isotherms:
            style = self._look.isotherm(isotherm.threshold_degc)
            draw_lines(axes, isotherm.lines, style)
            if isotherm.lines:
                key.append(style)
        for n, mark in enumerate(marks):
            if n != place and mark.active_distance_mm <= _OTHERS_WITHIN_MM:
                draw_probe(axes, mark, frame, self._look.probes)
        draw_probe(axes, mine, frame, self._look.probes)
        _draw_depths(axes, mine, probe, frame, self._look.probes)
        # A long name stands whole in the caption; a number instead could be that of another probe.
        title = f"Probe {probe.name}" if len(probe.name) <= _LONGEST_TITLE else ""
        furnish(axes, frame, title, plane.position_text(), self._look, bar_mm=BAR_MM)
        letters(axes, plane.orientation_letters(), self._look)
        legend(axes, key, self._look)
        lines = "; isotherms of the lowest temperature" if key[1:] else ""
        return Picture(
            name=f"probe-{place + 1}",
            caption=f"Probe {probe.name} in its own plane ({plane.position_text()}), "
            f"{show_mm(probe.depth_mm)} deep; a tick every {TICK_MM:g} mm below the skin{lines}.",
            png=to_png(figure),
        )

    def _draw_scan(self, axes: Any, plane: ObliquePlane, frame: Frame) -> None:
        lattice = self._sampler.lattice_on(plane, seen_uv=frame, least_mm=_LEAST_PIXEL_MM)
        # A plane beside the scan stays black: that is what is known there.
        if lattice is not None:
            draw_image(axes, self._sampler.extract_oblique(plane, lattice), frame, self._window)


def _draw_depths(axes: Any, mark: ProbeMark, probe: Probe, frame: Frame, style: ProbeStyle) -> None:
    """Draw a ruler across the shaft that begins at the skin."""
    tip, entry = np.asarray(mark.tip_uv), np.asarray(mark.entry_uv)
    along = (tip - entry) / probe.depth_mm
    across = np.array([-along[1], along[0]]) * (frame[1] - frame[0])
    for depth in np.arange(TICK_MM, probe.depth_mm, TICK_MM):
        here = entry + along * depth
        is_long = depth % WRITTEN_MM == 0.0
        reach = across * (0.022 if is_long else 0.012)
        ends = np.array([here - reach, here + reach])
        for colour, width in ((style.halo, 2.0), ("#ffffff", 0.9)):
            axes.plot(*ends.T, color=colour, lw=width * 2.0 * POINTS_PER_PX, zorder=5.25)
        if is_long:
            number(axes, f"{depth:.0f}", here + across * 0.055, "#ffffff", style.halo)


def _frame(mark: ProbeMark, lines: Sequence[FloatArray]) -> Frame:
    """Return a square around the whole probe, the target and the ice."""
    points = [np.array([mark.tip_uv, mark.entry_uv, *mark.active_uv]), *lines]
    found = np.concatenate(points)
    lower, upper = found.min(axis=0), found.max(axis=0)
    edge = max(float((upper - lower).max()) + 2 * _ROOM_MM, _LEAST_EDGE_MM)
    u, v = (lower + upper) / 2.0
    return float(u - edge / 2), float(u + edge / 2), float(v - edge / 2), float(v + edge / 2)
