"""Snapshot: the four pictures of the report: three slices through the target, and the 3D view.

Drawn with matplotlib's Agg canvas, so that neither a window nor a display is needed. The lines come
from the same `slices`, `contours` and `style` as those of the window.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
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
    IsothermCutter,
    OutlineCutter,
    ProbeMark,
    project_probe,
    strength_at,
)
from cryoplan.scene.meshes import build_case_meshes
from cryoplan.scene.offscreen import Render, Rendered, RenderError, render_apart
from cryoplan.scene.overlays import SHOWN_DEGC
from cryoplan.scene.paper import (
    ROW_INCH,
    SIDE_PX,
    TARGET_WIDTH,
    canvas,
    draw_lines,
    furnish,
    legend,
    letters,
    number,
    to_png,
    triad,
)
from cryoplan.scene.paper_slice import draw_image, draw_probe
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.style import LineStyle, Theme, theme
from cryoplan.scene.window import default_window
from cryoplan.simulation.result import ThermalResult

FloatArray = npt.NDArray[np.float64]

_ROOM_MM = 18.0
_LEAST_EDGE_MM = 100.0
_IN_PLANE_MM = 25.0  # an entry this near to the slice is kept in the picture


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
        The picture, 900 x 900 pixels, to be printed 40 to 60 mm wide.
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
    finish_3d = begin_3d(case, plan, catalogue, result, assessment)
    return (*slice_pictures(case, plan, catalogue, result), finish_3d())


def slice_pictures(
    case: Case, plan: Plan, catalogue: Catalogue, result: ThermalResult | None
) -> tuple[Picture, ...]:
    """Return the axial, coronal and sagittal picture; see `report_pictures`."""
    centre = _centre_mm(case, plan, catalogue)
    drawing = _SliceDrawing(case, plan, catalogue, result)
    return tuple(drawing.picture(orientation, centre) for orientation in Orientation)


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
        figure, axes = canvas(self._theme, edge_inch=ROW_INCH)
        draw_image(axes, image, frame, self._window)
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
            draw_lines(axes, target, self._theme.tumour, width=TARGET_WIDTH)
            key.insert(0, self._theme.tumour)
        for mark in sorted(marks, key=lambda m: m.strength):
            draw_probe(axes, mark, frame, self._theme.probes)
        for thermocouple in self._plan.thermocouples:
            self._draw_thermocouple(axes, thermocouple, plane, frame)
        furnish(axes, frame, title, plane.position_text(), self._theme)
        letters(axes, plane.orientation_letters(), self._theme)
        legend(axes, key, self._theme)
        what = f"the middle of {self._case.target_name}" if target else "the middle of the plan"
        lines_text = "; isotherms of the lowest temperature of the protocol" if isotherms else ""
        return Picture(
            name=orientation.value,
            caption=f"{title} slice at {plane.position_text()} through {what}{lines_text}.",
            png=to_png(figure),
        )

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


def begin_3d(
    case: Case,
    plan: Plan,
    catalogue: Catalogue,
    result: ThermalResult | None,
    assessment: Assessment | None,
) -> Callable[[], Picture]:
    """Begin to draw in 3D; call what is returned to wait for the picture.

    It is drawn in a process of its own, so that slices can be drawn in the meantime.
    """
    models = {p.model: catalogue.model(p.model) for p in plan.probes}

    def prepare() -> Render:
        return Render(
            meshes=build_case_meshes(case),
            plan=plan,
            models=models,
            field_degc=result.minimum_degc if result is not None else None,
            preset=Preset.OBLIQUE,
            size_px=(SIDE_PX, SIDE_PX),
        )

    pool = ThreadPoolExecutor(max_workers=1)
    begun = pool.submit(render_apart, prepare)
    pool.shutdown(wait=False)  # nothing more will be asked of it; what was begun goes on

    def finish() -> Picture:
        try:
            return _framed_3d(begun.result(), case, result, assessment)
        except RenderError as error:
            return _missing_3d(error)

    return finish


def _missing_3d(error: RenderError) -> Picture:
    look = theme()
    figure, axes = canvas(look, edge_inch=ROW_INCH)
    axes.text(
        0.5, 0.5, say("No 3D picture") + "\n\n" + say(str(error)), color=look.marks.text, fontsize=7.5,
        ha="center", va="center", wrap=True,
    )  # fmt: skip
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(1.0, 0.0)
    return Picture(name="3d", caption=str(error), png=to_png(figure))


def _framed_3d(
    rendered: Rendered, case: Case, result: ThermalResult | None, assessment: Assessment | None
) -> Picture:
    look = theme()
    figure, axes = canvas(look, edge_inch=ROW_INCH)
    caption = "3D view from the side of the probes: target, probes to scale with the active zone lit"
    from matplotlib.image import imread

    axes.imshow(imread(io.BytesIO(rendered.png)), extent=(0.0, 1.0, 1.0, 0.0), interpolation="none", zorder=0)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(1.0, 0.0)
    furnish(axes, None, "3D", "oblique", look)
    triad(axes, rendered.axes, look)
    lines = [look.tumour] if case.target is not None else []
    if result is not None:
        lines += [look.isotherm(t) for t in SHOWN_DEGC]
        caption += ", shells of the lowest temperature"
    if assessment is not None and result is not None:
        caption += f"; ice (0 °C) {assessment.volume_ml(0.0):.1f} ml"
    legend(axes, lines, look, solid=True)
    return Picture(name="3d", caption=caption + ".", png=to_png(figure))
