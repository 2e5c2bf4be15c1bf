"""Plot: curves and error bars as small pieces of SVG, plain text that any browser and Qt can show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from cryoplan.simulation.verification.check import Check
from cryoplan.simulation.verification.curve import Curve

WIDTH, HEIGHT = 600, 280
LEFT, RIGHT, TOP, BOTTOM = 62, 154, 34, 46
COLOURS = ("#1f6fb2", "#c4551c", "#2e8b57", "#7b4fa3", "#a8892b", "#4a4a4a")
FONT = 'font-family="sans-serif"'


def _ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    """Return round numbers between two values."""
    if logarithmic:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        every = [m * 10.0**e for e in range(first, last + 1) for m in (1, 2, 5)]
        inside = [t for t in every if low * 0.999 <= t <= high * 1.001]
        if len(inside) > 7:
            return [t for t in inside if f"{t:e}"[0] == "1"]
        if len(inside) >= 2:
            return inside
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= 6)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _span(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if logarithmic:
        return low / 1.25, high * 1.25
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    return low - room, high + room


def curve_svg(curve: Curve) -> str:
    """Return one plot as an ``<svg>`` element."""
    log = curve.logarithmic

    def usable(x: float, y: float) -> bool:
        return math.isfinite(x) and math.isfinite(y) and (not log or (x > 0.0 and y > 0.0))

    lines = [
        (line, [(x, y) for x, y in zip(line.x, line.y, strict=True) if usable(x, y)]) for line in curve.lines
    ]
    points = [p for _, found in lines for p in found]
    if not points:
        return ""
    x_low, x_high = _span([x for x, _ in points], log)
    y_low, y_high = _span([y for _, y in points], log)

    def place(value: float, low: float, high: float) -> float:
        if log:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return (value - low) / (high - low)

    def px(x: float) -> float:
        return LEFT + place(x, x_low, x_high) * (WIDTH - LEFT - RIGHT)

    def py(y: float) -> float:
        return HEIGHT - BOTTOM - place(y, y_low, y_high) * (HEIGHT - TOP - BOTTOM)

    parts = [_open(WIDTH, HEIGHT, curve.title), _text(LEFT, 18, curve.title, size=13, weight="bold")]
    for tick in _ticks(x_low, x_high, log):
        parts.append(_line(px(tick), HEIGHT - BOTTOM, px(tick), TOP, "#e4e4e4"))
        parts.append(_text(px(tick), HEIGHT - BOTTOM + 15, f"{tick:g}", anchor="middle"))
    for tick in _ticks(y_low, y_high, log):
        parts.append(_line(LEFT, py(tick), WIDTH - RIGHT, py(tick), "#e4e4e4"))
        parts.append(_text(LEFT - 6, py(tick) + 4, f"{tick:g}", anchor="end"))
    parts.append(_line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "#555555"))
    parts.append(_line(LEFT, HEIGHT - BOTTOM, LEFT, TOP, "#555555"))
    parts.append(_text(0.5 * (LEFT + WIDTH - RIGHT), HEIGHT - 12, curve.x_label, anchor="middle"))
    middle = 0.5 * (TOP + HEIGHT - BOTTOM)
    parts.append(_text(14, middle, curve.y_label, anchor="middle", turned=True))
    for number, (line, found) in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        if not line.dots:
            path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in found)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        if line.dots or len(found) < 12:
            parts += [
                f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="2.8" fill="{colour}"/>' for x, y in found
            ]
        at = TOP + 13 + 14 * number
        parts.append(f'<rect x="{WIDTH - RIGHT + 12}" y="{at - 8}" width="9" height="9" fill="{colour}"/>')
        parts.append(_text(WIDTH - RIGHT + 25, at, line.label))
    parts.append("</svg>")
    return "".join(parts)


ROW, LABELS = 17, 330


def bounds_svg(checks: Sequence[Check], title: str) -> str:
    """Return bars of error against bound: a bar that stays left of the line keeps its bound."""
    judged = [c for c in checks if c.judged and c.bound > 0.0]
    if not judged:
        return ""
    width, height = 760, 44 + ROW * len(judged)
    full = 0.7 * (width - LABELS - 70)
    parts = [_open(width, height, title), _text(8, 18, title, size=13, weight="bold")]
    parts.append(_text(LABELS + full, 30, "bound", anchor="middle"))
    for number, one in enumerate(judged):
        y = 38 + ROW * number
        share = min(abs(one.error) / one.bound, 1.4) if math.isfinite(one.error) else 1.4
        colour = "#2e8b57" if one.passed else "#c0392b"
        name = one.name if len(one.name) <= 54 else one.name[:53] + "…"
        parts.append(_text(LABELS - 8, y + 11, name, anchor="end"))
        bar = max(share * full, 1.0)
        parts.append(f'<rect x="{LABELS}" y="{y + 2}" width="{bar:.1f}" height="{ROW - 6}" fill="{colour}"/>')
        parts.append(_text(LABELS + bar + 5, y + 11, f"{100 * abs(one.error) / one.bound:.0f} %"))
    parts.append(_line(LABELS + full, 34, LABELS + full, height - 4, "#555555"))
    parts.append("</svg>")
    return "".join(parts)


def _open(width: int, height: int, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(title, quote=True)}">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    )


def _text(
    x: float, y: float, text: str, *, size: int = 11, anchor: str = "start", weight: str = "normal",
    turned: bool = False,
) -> str:  # fmt: skip
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" {FONT} font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="#222222"{turn}>{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
