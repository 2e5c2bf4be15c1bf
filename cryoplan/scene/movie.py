"""Movie: the growing ice minute by minute on three slices through the target, above the protocol's bar.

Image, outlines and probes are drawn once; each frame adds only its isotherms, clock and cursor. Lines and
colours are those of the window.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan import RESEARCH_USE
from cryoplan.case.case import Case
from cryoplan.case.planning import structure_mask
from cryoplan.case.structure import Role
from cryoplan.core.units import show_clock
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.protocol import PhaseKind, Protocol
from cryoplan.scene.contours import IsothermCutter, OutlineCutter, ProbeMark, project_probe, strength_at
from cryoplan.scene.lettering import families, legible
from cryoplan.scene.overlays import SHOWN_DEGC
from cryoplan.scene.paper import draw_lines, furnish, legend, letters, number
from cryoplan.scene.plane import Orientation, SlicePlane
from cryoplan.scene.png import encode_png
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.style import Theme, theme
from cryoplan.scene.window import default_window
from cryoplan.scene.window import window_to_gray as to_gray
from cryoplan.simulation.result import Frame, ThermalResult

FloatArray = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

PANEL_PX, BAR_PX = 420, 90
DOTS_PER_INCH = 120
FRAME_MS, LAST_MS = 350, 2500
"""How long a picture of the animation is shown, and the last one."""

_EFFORT = 3  # there are some thirty pictures
_ROOM_FOR_WORDS = 0.1  # of the width of the bar
_SENSOR_MM = 12.0  # from a slice that a thermocouple is still drawn in
_ROOM_MM = 14.0
_LEAST_EDGE_MM = 90.0
_GREYS = 128
_LEAST_COLOUR = 12  # between the strongest and the weakest of red, green and blue
_OVER = 5.0  # probes, letters and legend lie above the isotherms
_WIDTH_PX = len(Orientation) * PANEL_PX
_HEIGHT_PX = PANEL_PX + BAR_PX


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MovieFrame:
    """One picture of the movie.

    Attributes
    ----------
    time_s : float
        Protocol time.
    phase : str
        Its phase in words, ``freeze 1``; ``start`` before the first.
    pixels : ndarray
        uint8 RGB ``(rows, columns, 3)``.
    """

    time_s: float
    phase: str
    pixels: Pixels

    def png(self) -> bytes:
        """Return the picture as PNG."""
        return encode_png(self.pixels, dots_per_inch=DOTS_PER_INCH, effort=_EFFORT)


def ice_movie(case: Case, plan: Plan, catalogue: Catalogue, result: ThermalResult) -> Iterator[MovieFrame]:
    """Yield a picture for every kept temperature field, in time order."""
    drawing = _Drawing(case, plan, catalogue, result)
    for frame in result.frames:
        yield drawing.frame(frame)


def phase_words(protocol: Protocol, time_s: float) -> str:
    """Return which phase a time lies in, counted by kind: ``thaw 1``; a border belongs to what ends there."""
    if time_s <= 0.0:
        return "start"
    counts = dict.fromkeys(PhaseKind, 0)
    words = "end"
    for start, end, phase in protocol.spans():
        counts[phase.kind] += 1
        if start < time_s:
            words = f"{phase.kind.value} {counts[phase.kind]}"
        if time_s <= end:
            break
    return words


def animation(frames: Sequence[MovieFrame]) -> bytes:
    """Return pictures as an animated GIF that runs for ever, all in one palette.

    Raises
    ------
    ValueError
        If there is none.
    """
    from PIL import Image

    if not frames:
        raise ValueError("an animation needs a picture")
    palette = Image.new("P", (1, 1))
    palette.putpalette(_palette(frames).ravel().tolist())
    pictures = [Image.fromarray(f.pixels).quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]
    out = io.BytesIO()
    pictures[0].save(
        out, format="GIF", save_all=True, append_images=pictures[1:], loop=0, optimize=False,
        duration=[FRAME_MS] * (len(pictures) - 1) + [LAST_MS],
        comment=RESEARCH_USE.encode("ascii"),
    )  # fmt: skip
    return out.getvalue()


def _palette(frames: Sequence[MovieFrame]) -> Pixels:
    """Return 256 colours ``(256, 3)`` for the whole course: true greys for the image, the rest for lines.

    One palette chosen from all pixels alike would have tinted greys, which flicker from picture to picture.
    """
    from PIL import Image

    chosen = [frames[n].pixels for n in sorted({0, len(frames) // 3, len(frames) // 2, len(frames) - 1})]
    pixels = np.concatenate(chosen).reshape(-1, 3)
    bright = np.ptp(pixels.astype(np.int16), axis=1) > _LEAST_COLOUR
    greys = np.repeat(np.linspace(0, 255, _GREYS).round().astype(np.uint8)[:, None], 3, axis=1)
    if not bright.any():
        return np.concatenate([greys, greys])
    lines = Image.fromarray(np.ascontiguousarray(pixels[bright])[None]).quantize(256 - _GREYS)
    found = np.array(lines.getpalette(), np.uint8).reshape(-1, 3)[: 256 - _GREYS]
    return np.concatenate([greys, found, np.zeros((256 - _GREYS - len(found), 3), np.uint8)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    axes: Any
    plane: SlicePlane
    over: tuple[Any, ...]


class _Drawing:
    """The figure with everything that stays, and what is drawn into it for each frame."""

    def __init__(self, case: Case, plan: Plan, catalogue: Catalogue, result: ThermalResult) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._look: Theme = theme()
        self._protocol = plan.protocol
        self._figure: Any = Figure(
            figsize=(_WIDTH_PX / DOTS_PER_INCH, _HEIGHT_PX / DOTS_PER_INCH),
            dpi=DOTS_PER_INCH,
            facecolor=self._look.dark.canvas,
        )
        self._canvas: Any = None
        self._canvas = FigureCanvasAgg(self._figure)
        self._panels = _panels(self._figure, case, plan, catalogue, result, self._look)
        self._bar = self._draw_bar(case)
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(self._figure.bbox)

    def frame(self, frame: Frame) -> MovieFrame:
        """Return the picture at one time."""
        self._canvas.restore_region(self._background)
        cutter = IsothermCutter(frame.temperature_degc)
        for panel in self._panels:
            before = len(panel.axes.lines)
            for isotherm in cutter.cut(panel.plane, SHOWN_DEGC):
                draw_lines(
                    panel.axes, isotherm.lines, self._look.isotherm(isotherm.threshold_degc), width=1.2
                )
            drawn = list(panel.axes.lines[before:])
            for artist in (*drawn, *panel.over):
                panel.axes.draw_artist(artist)
            for line in drawn:
                line.remove()
        phase = phase_words(self._protocol, frame.time_s)
        self._draw_time(frame.time_s, phase)
        pixels = np.array(np.asarray(self._canvas.buffer_rgba())[..., :3], np.uint8)
        return MovieFrame(time_s=frame.time_s, phase=phase, pixels=pixels)

    def _draw_bar(self, case: Case) -> Any:
        look = self._look
        axes = self._figure.add_axes((0.0, 0.0, 1.0, BAR_PX / _HEIGHT_PX))
        axes.set_axis_off()
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(0.0, 1.0)
        names: dict[PhaseKind, int] = {}
        for start, end, phase in self._protocol.spans():
            names[phase.kind] = names.get(phase.kind, 0) + 1
            left, right = self._place(start), self._place(end)
            colour = look.dark.freeze if phase.kind is PhaseKind.FREEZE else look.dark.thaw
            axes.fill_between([left, right], 0.16, 0.40, color=colour, lw=0.0, alpha=0.75)
            minutes = f"{phase.duration_s / 60:.4g}"
            label = f"{phase.kind.value} {names[phase.kind]}, {minutes} min"
            if right - left < _ROOM_FOR_WORDS:  # short phases: the minutes, or nothing, but never overlapping
                label = minutes if right - left > _ROOM_FOR_WORDS / 5.0 else ""
            axes.text(
                (left + right) / 2.0, 0.27, label, color=look.marks.text, fontsize=6.5,
                ha="center", va="center",
            )  # fmt: skip
        text = legible(f"{case.code}  {RESEARCH_USE}") if case.code else RESEARCH_USE
        axes.text(
            0.98,
            0.72,
            text,
            color=look.marks.text,
            fontsize=6.5,
            ha="right",
            va="center",
            family=families(text),
        )
        return axes

    def _place(self, time_s: float) -> float:
        return 0.02 + 0.96 * min(time_s / self._protocol.duration_s, 1.0)

    def _draw_time(self, time_s: float, phase: str) -> None:
        axes, look = self._bar, self._look
        words = f"{show_clock(time_s)} min  {phase}"
        clock = axes.text(0.02, 0.72, words, color=look.marks.text, fontsize=11.0, weight="bold", va="center")
        x = self._place(time_s)
        (cursor,) = axes.plot([x, x], [0.08, 0.48], color=look.marks.text, lw=1.8, zorder=6)
        for artist in (clock, cursor):
            axes.draw_artist(artist)
            artist.remove()


def _panels(
    figure: Any, case: Case, plan: Plan, catalogue: Catalogue, result: ThermalResult, look: Theme
) -> list[_Panel]:
    sampler = SliceSampler(case.scan.volume)
    window = default_window(case.scan)
    centre = _centre_mm(case, plan, catalogue)
    coldest = IsothermCutter(result.minimum_degc)
    around = (Role.BODY, Role.SKIN, Role.FAT, Role.MUSCLE)
    outlines = [(s, OutlineCutter(s, case)) for s in case.structures if s.role not in around]
    panels = []
    for place, orientation in enumerate(Orientation):
        plane = sampler.nearest_plane(orientation, float(centre[orientation.axis]))
        image = sampler.extract(plane)
        marks = [
            project_probe(p, catalogue.model(p.model), plane, index=plan.colour_number(p))
            for p in plan.probes
        ]
        cut = [(s, cutter.cut(plane)) for s, cutter in outlines]
        lines = [line for s, found in cut if s.name == case.target_name for line in found]
        lines += [line for isotherm in coldest.cut(plane, SHOWN_DEGC) for line in isotherm.lines]
        seen = _seen(plane.mm_to_plane(centre), lines, marks)
        axes = figure.add_axes(
            (place / len(Orientation), BAR_PX / _HEIGHT_PX, 1.0 / len(Orientation), PANEL_PX / _HEIGHT_PX)
        )
        axes.set_axis_off()
        gray = to_gray(image.values, window.width, window.level)
        left, right, top, bottom = image.left_mm, image.right_mm, image.top_mm, image.bottom_mm
        axes.imshow(
            gray, cmap="gray", vmin=0, vmax=255, extent=(left, right, bottom, top), interpolation="bilinear",
            origin="upper", zorder=0,
        )  # fmt: skip
        axes.set_xlim(seen[0], seen[1])
        axes.set_ylim(seen[3], seen[2])
        for structure, found in cut:
            is_target = structure.name == case.target_name
            style = look.tumour if structure.role is Role.TUMOUR else look.outline(structure.role)
            draw_lines(axes, found, style, width=1.0 if is_target else 0.8, alpha=1.0 if is_target else 0.9)
        for mark in sorted(marks, key=lambda m: m.strength):
            _draw_probe(axes, mark, seen[1] - seen[0], look)
        for sensor in plan.sensors:
            _draw_sensor(axes, sensor, plane, seen[1] - seen[0], look)
        furnish(axes, seen, orientation.value.capitalize(), plane.position_text(), look)
        letters(axes, plane.orientation_letters(), look)
        if place == len(Orientation) - 1:
            key = [look.isotherm(t) for t in SHOWN_DEGC]
            legend(axes, [look.tumour, *key] if case.target is not None else key, look)
        over = tuple(a for a in axes.get_children() if a is not axes.patch and a.get_zorder() >= _OVER)
        panels.append(_Panel(axes=axes, plane=plane, over=tuple(sorted(over, key=lambda a: a.get_zorder()))))
    return panels


def _centre_mm(case: Case, plan: Plan, catalogue: Catalogue) -> FloatArray:
    """Return the middle of the target, without one of the active zones."""
    if case.target is not None:
        mask = structure_mask(case.target, case.planning_grid)
        inside = np.argwhere(mask.values)[:, ::-1]
        if len(inside):
            return np.asarray(mask.grid.index_to_mm(inside.mean(axis=0)), np.float64)
    if plan.probes:
        zones = [p.active_zone_mm(catalogue.model(p.model)) for p in plan.probes]
        return np.asarray(np.mean(zones, axis=(0, 1)), np.float64)
    return case.planning_grid.centre_mm()


def _seen(
    centre: FloatArray, lines: Sequence[FloatArray], marks: Sequence[ProbeMark]
) -> tuple[float, float, float, float]:
    """Return left, right, top, bottom of a square around target, all the ice and the active zones."""
    points = [np.atleast_2d(centre), *lines, *(np.asarray(m.active_uv) for m in marks)]
    found = np.concatenate(points)
    lower, upper = found.min(axis=0), found.max(axis=0)
    half = max(float((upper - lower).max()) + 2.0 * _ROOM_MM, _LEAST_EDGE_MM) / 2.0
    middle = (lower + upper) / 2.0
    return (
        float(middle[0] - half), float(middle[0] + half), float(middle[1] - half), float(middle[1] + half),
    )  # fmt: skip


def _draw_probe(axes: Any, mark: ProbeMark, width_mm: float, look: Theme) -> None:
    """Draw shaft, active zone and tip of a probe above the ice; end-on only where it meets the slice."""
    style = look.probes
    colour = style.colour(mark.index)
    tip, entry = np.asarray(mark.tip_uv), np.asarray(mark.entry_uv)
    length = float(np.hypot(*(tip - entry)))
    depth = float(np.hypot(length, mark.tip_distance_mm - mark.entry_distance_mm))
    if length < 0.5 * depth:
        if mark.crossing_uv is not None:
            here = np.asarray(mark.crossing_uv)
            axes.plot(*here, "o", ms=5.0, mfc=style.halo, mec=colour, mew=1.2, zorder=6)
            number(axes, mark.name, here + np.array([0.035 * width_mm, 0.0]), colour, style.halo)
        return
    for line, thick, shade, z in (
        (np.array([entry, tip]), 1.6, colour, 5.1),
        (np.asarray(mark.active_uv), 2.2, style.active_3d, 5.2),
    ):
        axes.plot(*line.T, color=style.halo, lw=thick + 1.0, alpha=0.55 * mark.strength, zorder=5.0)
        axes.plot(*line.T, color=shade, lw=thick, alpha=mark.strength, zorder=z, solid_capstyle="butt")
    axes.plot(*tip, "o", ms=3.2, mfc=style.halo, mec=colour, mew=1.0, alpha=mark.strength, zorder=5.3)
    beyond = tip + (tip - entry) / length * 0.045 * width_mm
    number(axes, mark.name, beyond, colour, style.halo, alpha=max(mark.strength, 0.6))


def _draw_sensor(axes: Any, sensor: Thermocouple, plane: SlicePlane, width_mm: float, look: Theme) -> None:
    """Draw a thermocouple where it is near the slice: elsewhere its name would only hide the ice."""
    from matplotlib import patheffects

    distance = float(plane.distance_mm(sensor.position_mm))
    if abs(distance) > _SENSOR_MM:
        return
    colour, halo = look.marks.thermocouple, look.probes.halo
    here = plane.mm_to_plane(sensor.position_mm)
    alpha = strength_at(distance)
    axes.plot(*here, "^", ms=4.5, mfc=halo, mec=colour, mew=1.0, alpha=alpha, zorder=5.5)
    axes.text(
        here[0] + 0.02 * width_mm, here[1], legible(sensor.name), color=colour, fontsize=6.5,
        ha="left", va="center", alpha=max(alpha, 0.6), zorder=7, clip_on=True, family=families(sensor.name),
        path_effects=[patheffects.withStroke(linewidth=1.5, foreground=halo)],
    )  # fmt: skip
