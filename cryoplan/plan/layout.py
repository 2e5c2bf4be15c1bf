"""Layout: how many parallel probes a cross-section needs, and where, by published distances alone.

The rule (``resources/limits/layout.toml``, each number with its source): every part of the section lies
within `reach` of a probe; one probe alone only for small ones; three that bracket from about 2 cm on;
neighbours 10 to 20 mm apart. The smallest number that can do it is taken, and of its layouts the one that
leaves the least distance. Nothing is solved here: it is a start, and says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist, pdist, squareform

from cryoplan.core.errors import StoreError
from cryoplan.core.geometry import FloatArray
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced

MOST = 8
"""No layout has more: beyond it a plan is drawn by hand."""

_KEYS = ("reach", "alone_up_to", "bracket_from", "spacing_low", "spacing_high")
_STEP_MM = 1.0
_ROUND_MM = 1.5
_MOST_POINTS = 300
_WORDS = {1: "one in the middle", 2: "a pair", 3: "a triangle", 4: "a square"}


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Probes across their direction.

    Attributes
    ----------
    places_mm : ndarray
        ``(n, 2)`` positions in the plane of the section, origin at its middle.
    word : str
        Its form, such as ``a triangle``.
    farthest_mm : float
        Largest distance of any part of the section from the nearest probe.
    spacing_mm : tuple of float
        Narrowest and widest distance of neighbours; zeros for one probe.
    """

    places_mm: FloatArray
    word: str
    farthest_mm: float
    spacing_mm: tuple[float, float]


@lru_cache(maxsize=1)
def layout_rules() -> dict[str, Sourced]:
    """Return the numbers of the rule.

    Raises
    ------
    StoreError
        If the file is missing or broken; the message names the key.
    """
    path = resource("limits", "layout.toml")
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["layout"]
        found = {key: Sourced.from_toml(rows[key], place=f"{path.name}: layout.{key}") for key in _KEYS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path.name} cannot be read ({error}).",
            "Mend the file or install cryoplan again.",
            code="bad-resource",
            place=path.name,
        ) from error
    return found


def least_layout(section_mm: FloatArray) -> Layout:
    """Return the layout with the fewest probes that the rule allows for a section.

    Parameters
    ----------
    section_mm : ndarray
        ``(n, 2)`` points that fill the section, origin in its middle, longest along the first axis.

    Returns
    -------
    Layout
        Where even the most probes do not reach everything, the one that comes nearest: its `farthest_mm` is
        then above the rule's reach.
    """
    rule = {key: row.value for key, row in layout_rules().items()}
    points = _thinned(np.asarray(section_mm, float))
    longest = 2.0 * float(np.abs(section_mm[:, 0]).max())
    across = 2.0 * float(np.abs(section_mm[:, 1]).max())
    best: Layout | None = None
    for count in range(1, MOST + 1):
        if count == 1 and longest > rule["alone_up_to"]:
            continue
        # A pair on the long axis brackets nothing; a section that is only long wants a row.
        if count == 2 and across >= rule["bracket_from"]:
            continue
        found = _best(count, points, rule)
        if found is not None:
            # The search looks at fewer points than there are; the answer is measured on all.
            farthest = float(cdist(section_mm, found.places_mm).min(axis=1).max())
            found = replace(found, farthest_mm=farthest)
        if found is not None and (best is None or found.farthest_mm < best.farthest_mm):
            best = found
        if best is not None and best.farthest_mm <= rule["reach"]:
            break
    assert best is not None
    return best


def _thinned(points: FloatArray) -> FloatArray:
    """Return fewer points of the same section: a search over thousands of layouts needs no more."""
    step = _ROUND_MM
    while len(found := np.unique(np.round(points / step), axis=0)) > _MOST_POINTS:
        step *= 1.25
    return np.asarray(found * step)


def _best(count: int, points: FloatArray, rule: dict[str, float]) -> Layout | None:
    best: Layout | None = None
    worth = (np.inf, np.inf)
    for word, places in _candidates(count, points):
        narrow, wide = _spacing(places, rule["spacing_low"] - 1e-9)
        if count > 1 and not 0.0 < wide <= rule["spacing_high"] + 1e-9:
            continue
        nearest = cdist(points, places).min(axis=1)
        found = (round(float(nearest.max()), 3), float(nearest.mean()))
        if found < worth:
            worth = found
            best = Layout(places, word, found[0], (narrow, wide))
    return best


def _spacing(places: FloatArray, least: float) -> tuple[float, float]:
    """Return the narrowest pair, and the widest gap that has to close for one ice ball (spanning tree).

    Zeros for one probe alone and where a pair is nearer than `least`: then nobody asks for the other.
    """
    if len(places) == 1:
        return 0.0, 0.0
    gaps = pdist(places)
    if gaps.min() < least:
        return 0.0, 0.0
    return float(gaps.min()), float(minimum_spanning_tree(squareform(gaps)).data.max())


def _candidates(count: int, points: FloatArray) -> Iterator[tuple[str, FloatArray]]:
    """Yield forms that people lay: a row, a ring, longer than wide where it may be, with one in it or not."""
    if count == 1:
        yield _WORDS[1], np.zeros((1, 2))
        return
    half = np.abs(points).max(axis=0)
    for step in np.arange(8.0, 21.0, _STEP_MM):
        row = (np.arange(count) - 0.5 * (count - 1)) * step
        yield ("a pair" if count == 2 else f"a row of {count}"), np.stack([row, np.zeros(count)], axis=1)
    step = _STEP_MM if count < 5 else 2.0 * _STEP_MM
    sizes = [np.unique(np.clip(np.arange(5.0, 31.0, step), 5.0, max(h, 6.0) + 5.0)) for h in half]
    for around, middle in ((count, 0), (count - 1, 1)):
        if around < 3:
            continue
        word = _WORDS.get(around, f"a ring of {around}") + (" with one in the middle" if middle else "")
        for turn in (0.0, np.pi / around, np.pi / 2.0):
            angle = turn + 2.0 * np.pi * np.arange(around) / around
            for long, wide in product(*sizes):
                ring = np.stack([long * np.cos(angle), wide * np.sin(angle)], axis=1)
                yield word, np.vstack([np.zeros((middle, 2)), ring])
