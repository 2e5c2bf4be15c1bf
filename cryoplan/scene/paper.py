"""Paper: title, letters, scale bar, legend and lines of a picture on paper, on matplotlib's Agg canvas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.language import say
from cryoplan.scene.contours import scale_bar_mm
from cryoplan.scene.lettering import families, legible
from cryoplan.scene.png import encode_png
from cryoplan.scene.style import LineStyle, Theme

FloatArray = npt.NDArray[np.float64]

SIDE_PX = 900
DOTS_PER_INCH = 260
EDGE_INCH = SIDE_PX / DOTS_PER_INCH  # 88 mm: half the width of a printed page
ROW_INCH = 2.3  # letters for up to four pictures in a row, each about 44 mm wide
TARGET_WIDTH = 1.5  # of the target's outline, so that a grey copy tells it from the ice edge
_RIM_PT = 0.9
POINTS_PER_PX = 0.5  # line widths of the theme, in screen pixels, on paper


def canvas(look: Theme, *, edge_inch: float = EDGE_INCH) -> tuple[Any, Any]:
    """Return a square figure of `SIDE_PX` and its one axes, which fills it.

    A smaller edge has the same pixels and so larger letters: for a picture that is printed small.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(edge_inch, edge_inch), dpi=SIDE_PX / edge_inch, facecolor=look.dark.canvas)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_facecolor(look.dark.canvas)
    return figure, axes


def to_png(figure: Any) -> bytes:
    """Return the figure as PNG, the same bytes for the same figure."""
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    return encode_png(np.ascontiguousarray(pixels), dots_per_inch=round(figure.dpi))


def draw_lines(
    axes: Any, lines: Sequence[FloatArray], style: LineStyle, *, width: float = 1.0, alpha: float = 1.0
) -> None:
    """Draw polylines ``(n, 2)`` in one style; `width` scales the style's width.

    Each has a dark rim: without colours a line is as grey as the organ that it lies on.
    """
    for line in lines:
        axes.plot(
            line[:, 0],
            line[:, 1],
            color="#000000",
            lw=style.width_px * POINTS_PER_PX * width + _RIM_PT,
            alpha=0.6 * alpha,
            zorder=3.9,
        )
        axes.plot(
            line[:, 0],
            line[:, 1],
            color=style.colour,
            lw=style.width_px * POINTS_PER_PX * width,
            ls=style.matplotlib_dash,
            dash_capstyle="butt",
            alpha=alpha,
            zorder=4 if style.dash else 4.1,
        )


def number(axes: Any, text: str, place: FloatArray, colour: str, halo: str, *, alpha: float = 1.0) -> None:
    """Write a probe's name beside it."""
    from matplotlib import patheffects

    axes.text(
        place[0], place[1], legible(text), color=colour, fontsize=7.5, fontweight="bold",
        ha="center", va="center",
        alpha=alpha, zorder=7, clip_on=True, family=families(text),
        path_effects=[patheffects.withStroke(linewidth=1.6, foreground=halo)],
    )  # fmt: skip


def _write(axes: Any, x: float, y: float, text: str, colour: str, **style: Any) -> None:
    """Write at a place of the picture, 0 to 1 from the lower left, readable on white bone and black air."""
    from matplotlib import patheffects

    axes.text(
        x, y, legible(text), color=colour, transform=axes.transAxes, zorder=8, family=families(text),
        path_effects=[patheffects.withStroke(linewidth=1.8, foreground="#000000")], **style,
    )  # fmt: skip


def furnish(
    axes: Any,
    frame: tuple[float, float, float, float] | None,
    title: str,
    place: str,
    look: Theme,
    *,
    bar_mm: float | None = None,
) -> None:
    """Write title and place, and draw the scale bar for a frame (left, right, top, bottom in mm).

    The bar is `bar_mm` long, or of the length that suits the frame.
    """
    marks = look.marks
    title, place = say(title), say(place)
    _write(axes, 0.025, 0.972, title, marks.text, fontsize=7.5, fontweight="bold", ha="left", va="top")
    _write(axes, 0.975, 0.972, place, marks.text, fontsize=7.0, ha="right", va="top")
    if frame is None:
        return
    width = frame[1] - frame[0]
    length, label = scale_bar_mm(width) if bar_mm is None else (bar_mm, f"{bar_mm / 10.0:g} cm")
    x = np.array([0.03, 0.03 + length / width])
    for colour, thick in (("#000000", 2.6), (marks.scale_bar, 1.1)):
        axes.plot(x, [0.035, 0.035], color=colour, lw=thick, transform=axes.transAxes, zorder=8)
        for end in x:
            axes.plot([end, end], [0.026, 0.044], color=colour, lw=thick, transform=axes.transAxes, zorder=8)
    _write(axes, float(x.mean()), 0.05, say(label), marks.text, fontsize=6.5, ha="center", va="bottom")


def letters(axes: Any, letters: tuple[str, str, str, str], look: Theme) -> None:
    """Write the patient letters of the left, right, top and bottom edge."""
    left, right, top, bottom = letters
    style = {"fontsize": 9.0, "fontweight": "bold"}
    colour = look.marks.letters
    _write(axes, 0.022, 0.5, left, colour, ha="left", va="center", **style)
    _write(axes, 0.978, 0.5, right, colour, ha="right", va="center", **style)
    _write(axes, 0.5, 0.972, top, colour, ha="center", va="top", **style)
    _write(axes, 0.5, 0.024, bottom, colour, ha="center", va="bottom", **style)


def triad(axes: Any, directions: Sequence[Sequence[float]], look: Theme) -> None:
    """Draw small arrows to the patient's left, back and head, the way they lie on the picture."""
    base = np.array([0.085, 0.095])
    for direction, letter in sorted(zip(directions, "LPH", strict=True), key=lambda pair: pair[0][2]):
        end = base + 0.055 * np.asarray(direction[:2])
        axes.plot(
            *np.array([base, end]).T, color=look.marks.letters, lw=1.2, transform=axes.transAxes, zorder=8
        )
        place = base + 0.055 * np.asarray(direction[:2]) + 0.022 * _flat_unit(direction)
        _write(
            axes,
            float(place[0]),
            float(place[1]),
            letter,
            look.marks.letters,
            fontsize=7.0,
            fontweight="bold",
            ha="center",
            va="center",
        )


def _flat_unit(direction: Sequence[float]) -> FloatArray:
    flat = np.asarray(direction[:2], float)
    length = float(np.hypot(*flat))
    return flat / length if length > 1e-6 else flat


def legend(axes: Any, lines: Sequence[LineStyle], look: Theme, *, solid: bool = False) -> None:
    """Draw the key of the lines; `solid` shows colours only, for surfaces."""
    if not lines:
        return
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], color=s.colour, lw=s.width_px * (1.6 if solid else POINTS_PER_PX),
            ls="solid" if solid else s.matplotlib_dash, label=say(s.label),
        )
        for s in lines
    ]  # fmt: skip
    legend = axes.legend(
        handles=handles, loc="lower right", ncols=1, fontsize=6.3, handlelength=2.4, labelspacing=0.35,
        borderpad=0.55, borderaxespad=0.55, framealpha=look.marks.chip_opacity, facecolor=look.marks.chip,
        edgecolor="none", labelcolor=look.marks.text,
    )  # fmt: skip
    legend.set_zorder(9)
