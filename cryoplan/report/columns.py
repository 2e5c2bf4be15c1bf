"""Columns: how wide the columns of a table are, so that a long name in a narrow one does not fill a page."""

from __future__ import annotations

from collections.abc import Sequence

from cryoplan.report.fonts import REGULAR, text_width

PADDING = 8.0
"""Left and right of a cell together, points."""

_LINES = 5
"""A column in which a cell would need more lines than this gets wider, at the cost of the others."""

_WIDEST = 0.3


def column_widths(
    rows: Sequence[Sequence[str]], shares: Sequence[float], width: float, size: float
) -> list[float]:
    """Return the widths of columns, points: as their shares say, unless a cell would become too tall.

    Parameters
    ----------
    rows : sequence
        Cells, head included.
    shares : sequence of float
        What the columns get of the width.
    width, size : float
        Of the table and of its letters, points.
    """
    usual = [width * share / sum(shares) for share in shares]
    # Lines are never quite full: a quarter more than the length of the text says.
    lengths = [max(text_width(row[c], REGULAR, size) for row in rows) for c in range(len(shares))]
    wanted = [1.25 * length / _LINES + PADDING for length in lengths]
    wider = [max(u, min(w, _WIDEST * width)) for u, w in zip(usual, wanted, strict=True)]
    lacking = sum(wider) - width
    if lacking <= 0.01:
        return usual
    # Taken from the others down to their longest word, as far as that goes.
    longest = [
        min(u, PADDING + max(text_width(word, REGULAR, size) for row in rows for word in row[c].split(" ")))
        for c, u in enumerate(usual)
    ]
    spare = [w - least if w == u else 0.0 for w, u, least in zip(wider, usual, longest, strict=True)]
    part = min(1.0, lacking / sum(spare)) if sum(spare) > 0.0 else 0.0
    found = [w - part * s for w, s in zip(wider, spare, strict=True)]
    # What is still lacking the wide columns themselves give: a number must not break.
    extra = [w - u for w, u in zip(wider, usual, strict=True)]
    still = max(0.0, sum(found) - width) / sum(extra)
    return [f - min(still, 1.0) * e for f, e in zip(found, extra, strict=True)]
