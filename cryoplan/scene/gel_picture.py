"""Gel picture: a longitudinal section of the solved ice of one probe, the published size dashed over it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan import RESEARCH_USE
from cryoplan.plan.probe import ProbeModel
from cryoplan.scene.contours import scale_bar_mm
from cryoplan.scene.png import encode_png
from cryoplan.scene.style import LineStyle, Theme, theme
from cryoplan.simulation.verification.gel import GelShape, PublishedSize, SolvedIsotherm

FloatArray = npt.NDArray[np.float64]

DOTS_PER_INCH = 150
ROOM_MM = 4.0
"""Around the outermost line."""

PUBLISHED = "published"
_LINE_INCH = 0.155
_LEFT_INCH = 0.12


def gel_picture(
    model: ProbeModel,
    shape: GelShape,
    sizes: Sequence[PublishedSize],
    *,
    conditions: str,
    words: Sequence[str] = (),
    width_px: int = 1200,
    height_px: int = 780,
    svg: bool = False,
    look: Theme | None = None,
) -> bytes:
    """Draw the section: the shaft to scale with the tip at the left, the isotherms, the published sizes.

    Parameters
    ----------
    sizes : sequence of PublishedSize
        Dashed; with a tolerance, its band. Their place along the shaft is that of the solved isotherm, since
        none is published.
    conditions : str
        Beside the title.
    words : sequence of str
        Written below; empty leaves all of the room to the drawing.
    svg : bool
        SVG in place of PNG.

    Returns
    -------
    bytes
        The same for the same picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    look = look or theme()
    palette = look.dark
    inches = width_px / DOTS_PER_INCH, height_px / DOTS_PER_INCH
    figure = Figure(figsize=inches, dpi=DOTS_PER_INCH, facecolor=palette.canvas)
    FigureCanvasAgg(figure)
    below = (len(words) + 1) * _LINE_INCH / inches[1] if words else 0.0
    axes = figure.add_axes((0.0, below, 1.0, 1.0 - below))
    axes.set_axis_off()
    frame = _frame(shape, sizes, inches[0] / (inches[1] * (1.0 - below)))
    axes.set_xlim(frame[0], frame[1])
    axes.set_ylim(frame[2], frame[3])
    _draw_probe(axes, model, frame[1], look)
    lines = [_draw_isotherm(axes, one, look) for one in shape.isotherms if one.outline_mm]
    for size in sizes:
        _draw_published(axes, size, shape.at(size.compared_degc), look)
    if sizes:
        lines.append(LineStyle(label=PUBLISHED, colour=palette.warn, width_px=2.0, dash=(6.0, 4.0)))
    _furnish(axes, frame, f"{model.name}", conditions, look)
    _legend(axes, lines, look)
    left = _LEFT_INCH / inches[0]
    for number, line in enumerate((*words, f"{RESEARCH_USE}.") if words else ()):
        figure.text(
            left, below - (number + 0.8) * _LINE_INCH / inches[1], line, color=palette.text, fontsize=7.2,
            va="baseline",
        )  # fmt: skip
    return _svg(figure) if svg else _png(figure)


def _frame(
    shape: GelShape, sizes: Sequence[PublishedSize], aspect: float
) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top in mm with equal scales and everything inside."""
    outer = [p for one in shape.isotherms for p in one.outline_mm] or [(0.0, 5.0), (40.0, 5.0)]
    places, radii = zip(*outer, strict=True)
    half = max(radii)
    low, high = min(*places, -2.0), max(places)
    middle = 0.5 * (low + high)
    for size in sizes:
        half = max(half, 0.5 * ((size.width_mm or 0.0) + (size.width_plus_minus_mm or 0.0)))
        reach = 0.5 * ((size.length_mm or 0.0) + (size.length_plus_minus_mm or 0.0))
        low, high = min(low, middle - reach), max(high, middle + reach)
    height, width = 2.0 * (half + 2.0 * ROOM_MM), high - low + 2.0 * ROOM_MM
    if width < height * aspect:
        width = height * aspect
    else:
        height = width / aspect
    middle = 0.5 * (low + high)
    return middle - 0.5 * width, middle + 0.5 * width, -0.5 * height, 0.5 * height


def _draw_probe(axes: Any, model: ProbeModel, right: float, look: Theme) -> None:
    """Draw the shaft to scale: a point at the tip, the active zone in its colour, the taper fainter."""
    radius = 0.5 * model.outer_diameter.value
    begin = model.tip_offset.value
    end = begin + model.active_length.value
    point = min(begin, 2.0 * radius) or radius
    shaft = np.array([(0.0, 0.0), (point, radius), (right, radius), (right, -radius), (point, -radius)])
    axes.fill(*shaft.T, color="#9aa4ad", zorder=5, lw=0.0)
    for low, high, alpha in ((begin, end, 1.0), (end, end + model.taper.value, 0.45)):
        box = np.array([(low, radius), (high, radius), (high, -radius), (low, -radius)])
        axes.fill(*box.T, color=look.probes.active_3d, alpha=alpha, zorder=5.1, lw=0.0)


def _draw_isotherm(axes: Any, one: SolvedIsotherm, look: Theme) -> LineStyle:
    half = np.asarray(one.outline_mm)
    whole = np.vstack([half, half[::-1] * (1.0, -1.0)])
    style = look.isotherm(one.degc)
    axes.fill(*whole.T, color=style.colour, alpha=0.07, lw=0.0, zorder=2)
    axes.plot(*whole.T, color=style.colour, lw=0.75 * style.width_px, ls=style.matplotlib_dash, zorder=4)
    return style


def _draw_published(axes: Any, size: PublishedSize, solved: SolvedIsotherm, look: Theme) -> None:
    colour = look.dark.warn
    half = np.asarray(solved.outline_mm) if solved.outline_mm else np.array([(0.0, 0.0), (20.0, 0.0)])
    middle = 0.5 * (half[0, 0] + half[-1, 0])
    line = {"color": colour, "lw": 1.4, "ls": (0.0, (5.0, 3.2)), "zorder": 6}
    if size.length_mm is not None and size.width_mm is not None:
        for sign in (-1.0, 1.0) if size.width_plus_minus_mm is not None else ():
            edge = _ellipse(
                middle,
                size.length_mm + sign * (size.length_plus_minus_mm or 0.0),
                size.width_mm + sign * (size.width_plus_minus_mm or 0.0),
            )
            axes.plot(*edge.T, color=colour, lw=0.6, ls=(0.0, (1.2, 2.4)), zorder=6, alpha=0.8)
        axes.plot(*_ellipse(middle, size.length_mm, size.width_mm).T, **line)
        return
    if size.width_mm is not None:  # width alone: a gauge at the widest place
        at = half[int(np.argmax(half[:, 1])), 0]
        _gauge(axes, at, size.width_mm, size.width_plus_minus_mm or 0.0, line)
    elif size.length_mm is not None:
        for end in (-0.5, 0.5):
            axes.plot([middle + end * size.length_mm] * 2, [-6.0, 6.0], **line)


def _gauge(axes: Any, at: float, width: float, spread: float, line: dict[str, Any]) -> None:
    for sense in (-0.5, 0.5):
        y = sense * width
        axes.plot([at - 9.0, at + 9.0], [y, y], **line)
        if spread > 0.0:
            axes.plot([at, at], [y - 0.5 * spread, y + 0.5 * spread], color=line["color"], lw=0.8, zorder=6)


def _ellipse(middle: float, length: float, width: float) -> FloatArray:
    angle = np.linspace(0.0, 2.0 * np.pi, 181)
    return np.column_stack([middle + 0.5 * length * np.cos(angle), 0.5 * width * np.sin(angle)])


def _furnish(
    axes: Any, frame: tuple[float, float, float, float], title: str, place: str, look: Theme
) -> None:
    marks = look.marks
    style = {"transform": axes.transAxes, "va": "top", "color": marks.text, "zorder": 9}
    axes.text(0.015, 0.975, title, fontsize=9.5, fontweight="bold", ha="left", **style)
    axes.text(0.985, 0.975, place, fontsize=8.0, ha="right", **style)
    length, label = scale_bar_mm(frame[1] - frame[0])
    left = frame[0] + 0.02 * (frame[1] - frame[0])
    low = frame[2] + 0.05 * (frame[3] - frame[2])
    axes.plot([left, left + length], [low, low], color=marks.scale_bar, lw=1.8, zorder=8)
    axes.text(
        left + 0.5 * length, low + 0.015 * (frame[3] - frame[2]), label, fontsize=7.0, ha="center",
        va="bottom", color=marks.text, zorder=9,
    )  # fmt: skip


def _legend(axes: Any, lines: Sequence[LineStyle], look: Theme) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=s.colour, lw=0.75 * s.width_px, ls=s.matplotlib_dash, label=s.label)
        for s in lines
    ]
    found = axes.legend(
        handles=handles, loc="lower right", fontsize=7.5, handlelength=2.8, facecolor=look.marks.chip,
        edgecolor="none", framealpha=look.marks.chip_opacity, labelcolor=look.marks.text, borderaxespad=0.6,
    )  # fmt: skip
    found.set_zorder(9)


def _png(figure: Any) -> bytes:
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    return encode_png(np.ascontiguousarray(pixels), dots_per_inch=DOTS_PER_INCH)


def _svg(figure: Any) -> bytes:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    stream = io.BytesIO()
    # Names of clips and markers are drawn by lot unless they are salted.
    with mpl.rc_context({"svg.hashsalt": "cryoplan"}):
        FigureCanvasSVG(figure)  # becomes the figure's canvas
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()
