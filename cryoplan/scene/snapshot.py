"""Snapshot: the four pictures of the report: three slices through the target, and the 3D view.

Drawn with matplotlib's Agg canvas, so that neither a window nor a display is needed. The lines come
from the same `slices`, `contours` and `style` as those of the window.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.planning import structure_mask
from cryoplan.case.structure import Role
from cryoplan.core.language import say
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.scene.camera import Preset
from cryoplan.scene.contours import (
    FAINTEST,
    IsothermCutter,
    OutlineCutter,
    ProbeMark,
    project_probe,
    strength_at,
)
from cryoplan.scene.meshes import build_case_meshes
from cryoplan.scene.offscreen import Render, RenderError, render_apart
from cryoplan.scene.overlays import SHOWN_DEGC
from cryoplan.scene.paper import (
    POINTS_PER_PX,
    SIDE_PX,
    canvas,
    draw_lines,
    furnish,
    legend,
    letters,
    number,
    to_png,
    triad,
)
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.slices import SliceImage, SliceSampler
from cryoplan.scene.style import LineStyle, Theme, theme
from cryoplan.scene.window import default_window
from cryoplan.scene.window import window_to_gray as to_gray
from cryoplan.simulation.result import ThermalResult

FloatArray = npt.NDArray[np.float64]

_ROOM_MM = 18.0
_LEAST_EDGE_MM = 100.0
_IN_PLANE_MM = 25.0  # an entry this near to the slice is kept in the picture
_END_ON = 0.5  # a probe that crosses the slice so steeply (projected / true length) is marked where it does


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture of the report.

    Attributes
    ----------
    name : str
        ``axial``, ``coronal``, ``sagittal`` or ``3d``.
    caption : str
        What is seen, in one or two sentences.
    png : bytes
        The picture, 900 x 900 pixels, to be printed 88 mm wide.
    """

    name: str
    caption: str
    png: bytes


def report_pictures(
    case: Case,
    plan: Plan,
    catalogue: Catalogue,
    result: ThermalResult | None,
    assessment: Assessment | None,
) -> tuple[Picture, ...]:
    """Return the pictures of a report: axial, coronal, sagittal and 3D.

    The slices go through the middle of the target, without one through the middle of the active zones. Where
    the machine cannot draw in 3D, that picture says so in its place and in its caption.

    Parameters
    ----------
    case, plan, catalogue
        What was planned.
    result : ThermalResult or None
        Its lowest temperatures give the isotherms; none are drawn without it.
    assessment : Assessment or None
        For the volume of the ice in the caption of the 3D picture.
    """
    centre = _centre_mm(case, plan, catalogue)
    drawing = _SliceDrawing(case, plan, catalogue, result)
    pictures = [drawing.picture(orientation, centre) for orientation in Orientation]
    return (*pictures, _picture_3d(case, plan, catalogue, result, assessment))


def _centre_mm(case: Case, plan: Plan, catalogue: Catalogue) -> FloatArray:
    if case.target is not None:
        mask = structure_mask(case.target, case.planning_grid)
        inside = np.argwhere(mask.values)[:, ::-1]
        if len(inside):
            return np.asarray(mask.grid.index_to_mm(inside.mean(axis=0)), np.float64)
    if plan.probes:
        zones = [p.active_zone_mm(catalogue.model(p.model)) for p in plan.probes]
        return np.asarray(np.mean(zones, axis=(0, 1)), np.float64)
    return case.planning_grid.centre_mm()


class _SliceDrawing:
    """Everything that the three slices share."""

    def __init__(self, case: Case, plan: Plan, catalogue: Catalogue, result: ThermalResult | None) -> None:
        self._case, self._plan, self._catalogue = case, plan, catalogue
        self._theme: Theme = theme()
        self._sampler = SliceSampler(case.scan.volume)
        self._window = default_window(case.scan)
        self._isotherms = IsothermCutter(result.minimum_degc) if result is not None else None
        shown = [s for s in case.structures if s.role not in (Role.BODY, Role.SKIN, Role.FAT, Role.MUSCLE)]
        self._outlines = [(s, OutlineCutter(s, case)) for s in shown]

    def picture(self, orientation: Orientation, centre_mm: FloatArray) -> Picture:
        plane = self._sampler.nearest_plane(orientation, float(centre_mm[orientation.axis]))
        image = self._sampler.extract(plane)
        marks = [
            project_probe(p, self._catalogue.model(p.model), plane, index=n)
            for n, p in enumerate(self._plan.probes)
        ]
        outlines = [(s, cutter.cut(plane)) for s, cutter in self._outlines]
        isotherms = self._isotherms.cut(plane, SHOWN_DEGC) if self._isotherms is not None else ()
        target = [line for s, lines in outlines if s.name == self._case.target_name for line in lines]
        frame = _frame(
            plane.mm_to_plane(centre_mm), [*target, *(i for t in isotherms for i in t.lines)], marks
        )

        title = orientation.value.capitalize()
        figure, axes = canvas(self._theme)
        self._draw_image(axes, image, frame)
        key: list[LineStyle] = []
        for structure, lines in outlines:
            if structure.name != self._case.target_name and lines:
                role = Role.OTHER if structure.role is Role.TUMOUR else structure.role
                style = self._theme.tumour if role is Role.OTHER else self._theme.outline(role)
                draw_lines(axes, lines, style, width=0.8, alpha=0.9)
        for isotherm in isotherms:
            style = self._theme.isotherm(isotherm.threshold_degc)
            draw_lines(axes, isotherm.lines, style)
            key.append(style)
        if target:
            draw_lines(axes, target, self._theme.tumour)
            key.insert(0, self._theme.tumour)
        for mark in sorted(marks, key=lambda m: m.strength):
            self._draw_probe(axes, mark, frame)
        for thermocouple in self._plan.thermocouples:
            self._draw_thermocouple(axes, thermocouple, plane, frame)
        furnish(axes, frame, say(title), say(plane.position_text()), self._theme)
        letters(axes, plane.orientation_letters(), self._theme)
        legend(axes, key, self._theme)
        what = f"the middle of {self._case.target_name}" if target else "the middle of the plan"
        lines_text = "; isotherms of the lowest temperature of the protocol" if isotherms else ""
        return Picture(
            name=orientation.value,
            caption=f"{title} slice at {plane.position_text()} through {what}{lines_text}.",
            png=to_png(figure),
        )

    def _draw_image(self, axes: Any, image: SliceImage, frame: tuple[float, float, float, float]) -> None:
        du, dv = image.spacing_mm
        rows, columns = image.values.shape
        # Only what is seen, and two pixels more for the interpolation.
        c0 = int(np.clip((frame[0] - image.left_mm) / du - 2, 0, columns - 1))
        c1 = int(np.clip((frame[1] - image.left_mm) / du + 3, c0 + 1, columns))
        r0 = int(np.clip((frame[2] - image.top_mm) / dv - 2, 0, rows - 1))
        r1 = int(np.clip((frame[3] - image.top_mm) / dv + 3, r0 + 1, rows))
        left, top = image.left_mm + c0 * du, image.top_mm + r0 * dv
        axes.imshow(
            to_gray(image.values[r0:r1, c0:c1], self._window.width, self._window.level),
            cmap="gray",
            vmin=0,
            vmax=255,
            extent=(left, left + (c1 - c0) * du, top + (r1 - r0) * dv, top),
            interpolation="bilinear",
            origin="upper",
            zorder=0,
        )
        axes.set_xlim(frame[0], frame[1])
        axes.set_ylim(frame[3], frame[2])

    def _draw_probe(self, axes: Any, mark: ProbeMark, frame: tuple[float, float, float, float]) -> None:
        style = self._theme.probes
        colour = style.colour(mark.index)
        tip, entry = np.asarray(mark.tip_uv), np.asarray(mark.entry_uv)
        length = float(np.hypot(*(tip - entry)))
        depth = float(np.hypot(length, mark.tip_distance_mm - mark.entry_distance_mm))
        end_on = mark.crossing_uv is not None and length < _END_ON * depth
        if mark.crossing_uv is not None and end_on:
            here = np.asarray(mark.crossing_uv)
            axes.plot(*here, "o", ms=5.5, mfc=style.halo, mec=colour, mew=1.3, zorder=6)
            number(axes, mark.name, here + (frame[1] - frame[0]) * np.array([0.026, 0.0]), colour, style.halo)
        if length < 1.0:
            return
        outside = entry + (entry - tip) / length * 12.0
        shaft = np.array([outside, tip])
        active = np.array(mark.active_uv)
        px = POINTS_PER_PX
        alpha = FAINTEST if end_on else mark.strength
        rim = {"color": style.halo, "alpha": 0.55 * alpha, "solid_capstyle": "round"}
        axes.plot(*shaft.T, lw=style.shaft_px * px + 1.2, zorder=5, **rim)
        axes.plot(*active.T, lw=style.active_px * px + 1.2, zorder=5, **rim)
        axes.plot(*shaft.T, color=colour, lw=style.shaft_px * px, alpha=alpha, zorder=5.1)
        axes.plot(
            *active.T,
            color=style.active_3d,
            lw=style.active_px * px,
            alpha=alpha,
            solid_capstyle="butt",
            zorder=5.2,
        )
        axes.plot(*tip, "o", ms=3.4, mfc=style.halo, mec=colour, mew=1.0, alpha=alpha, zorder=5.3)
        axes.plot(*entry, "s", ms=3.0, mfc=style.halo, mec=colour, mew=0.9, alpha=alpha, zorder=5.3)
        if end_on:
            return
        along = (tip - entry) / length
        place = tip + along * 0.032 * (frame[1] - frame[0])
        number(axes, mark.name, place, colour, style.halo, alpha=max(alpha, 0.6))

    def _draw_thermocouple(
        self, axes: Any, thermocouple: Thermocouple, plane: SlicePlane, frame: tuple[float, ...]
    ) -> None:
        colour, halo = self._theme.marks.thermocouple, self._theme.probes.halo
        here = plane.mm_to_plane(thermocouple.position_mm)
        alpha = strength_at(float(plane.distance_mm(thermocouple.position_mm)))
        axes.plot(*here, "^", ms=4.0, mfc=halo, mec=colour, mew=1.0, alpha=alpha, zorder=5.5)
        place = here + (frame[1] - frame[0]) * np.array([0.028, 0.0])
        number(axes, thermocouple.name, place, colour, halo, alpha=max(alpha, 0.6))


def _frame(
    centre: FloatArray, lines: Sequence[FloatArray], marks: Sequence[ProbeMark]
) -> tuple[float, float, float, float]:
    """Return left, right, top, bottom of a square around target, ice, active zones and near entries."""
    points = [np.atleast_2d(centre), *lines]
    for mark in marks:
        points.append(np.asarray(mark.active_uv))
        points.append(np.atleast_2d(mark.tip_uv))
        if abs(mark.entry_distance_mm) <= _IN_PLANE_MM:
            points.append(np.atleast_2d(mark.entry_uv))
    found = np.concatenate(points)
    lower, upper = found.min(axis=0), found.max(axis=0)
    edge = max(float((upper - lower).max()) + 2 * _ROOM_MM, _LEAST_EDGE_MM)
    middle = (lower + upper) / 2.0
    return (
        float(middle[0] - edge / 2),
        float(middle[0] + edge / 2),
        float(middle[1] - edge / 2),
        float(middle[1] + edge / 2),
    )


def _picture_3d(
    case: Case,
    plan: Plan,
    catalogue: Catalogue,
    result: ThermalResult | None,
    assessment: Assessment | None,
) -> Picture:
    look = theme()
    figure, axes = canvas(look)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(1.0, 0.0)
    caption = "3D view from the side of the probes: target, probes to scale with the active zone lit"
    try:
        rendered = render_apart(
            Render(
                meshes=build_case_meshes(case),
                plan=plan,
                models={p.model: catalogue.model(p.model) for p in plan.probes},
                field_degc=result.minimum_degc if result is not None else None,
                preset=Preset.OBLIQUE,
                size_px=(SIDE_PX, SIDE_PX),
            )
        )
    except RenderError as error:
        axes.text(
            0.5, 0.5, say("No 3D picture") + "\n\n" + say(str(error)), color=look.marks.text, fontsize=7.5, ha="center",
            va="center", wrap=True,
        )  # fmt: skip
        return Picture(name="3d", caption=str(error), png=to_png(figure))
    from matplotlib.image import imread

    axes.imshow(imread(io.BytesIO(rendered.png)), extent=(0.0, 1.0, 1.0, 0.0), interpolation="none", zorder=0)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(1.0, 0.0)
    furnish(axes, None, "3D", say("oblique"), look)
    triad(axes, rendered.axes, look)
    lines = [look.tumour] if case.target is not None else []
    if result is not None:
        lines += [look.isotherm(t) for t in SHOWN_DEGC]
        caption += ", shells of the lowest temperature"
    if assessment is not None and result is not None:
        caption += f"; ice (0 °C) {assessment.volume_ml(0.0):.1f} ml"
    legend(axes, lines, look, solid=True)
    return Picture(name="3d", caption=caption + ".", png=to_png(figure))
