"""Histogram: how much of a structure was how cold, at the lowest temperature of the whole protocol.

Method: a voxel counts with the part of it that lies within the structure, and its temperatures are spread
evenly between those of its two ends along the gradient, on the scale of `cryoplan.simulation.isotherm`; a
part counts with the temperatures of its end of the voxel. That is what `cryoplan.margins.coverage` does at
one threshold; so the curve of the tumour goes through its coverages, and no step of it is that of a voxel.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan import RESEARCH_USE
from cryoplan.case.case import Case
from cryoplan.case.planning import structure_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.core.geometry import FloatArray
from cryoplan.margins.coverage import region_fraction
from cryoplan.margins.iceball import alignment, gradient_length
from cryoplan.margins.organs import START_DEGC, ColdField
from cryoplan.margins.region import TargetRegion
from cryoplan.simulation.isotherm import IsothermScale

COLDEST_DEGC, WARMEST_DEGC, STEP_K = -200, 60, 1

EDGES_DEGC: FloatArray = np.arange(COLDEST_DEGC, WARMEST_DEGC + STEP_K, STEP_K, dtype=float)
"""Ends of the bins; colder than any coolant at one end, warmer than tissue may get at the other."""

LEAST_SPREAD = 1e-3
"""Of a level field within a voxel, on its scale; keeps the slope finite."""

ROUNDING = 1e-5
"""Of a sum of many voxels in single precision: less of a structure is nothing of it."""

_AROUND = (Role.BODY,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TemperatureHistogram:
    """Volumes of one structure by their lowest temperature.

    Attributes
    ----------
    structure, role : str
        What is counted; any other than the tumour without the voxels of the tumour.
    is_target : bool
    edges_degc : ndarray
        ``(n + 1,)``, rising.
    below_ml : ndarray
        ``(n + 1,)``, volume at or below each of them, millilitres.
    whole_ml : float
        Volume of the structure. What lies beyond the computed region is in it and was not cooled.
    computed : float
        Share of the structure, 0 to 1, in the computed region.
    """

    structure: str
    role: str
    is_target: bool
    edges_degc: FloatArray
    below_ml: FloatArray
    whole_ml: float
    computed: float = 1.0

    @property
    def bins_ml(self) -> FloatArray:
        """Volume ``(n,)`` between each two edges."""
        return np.diff(self.below_ml)

    @property
    def below_fraction(self) -> FloatArray:
        """Share ``(n + 1,)`` of the structure at or below each edge, 0 to 1."""
        return np.minimum(self.below_ml / self.whole_ml, 1.0)

    def volume_below_ml(self, degc: float) -> float:
        """Return the volume at or below a temperature, linear between the edges."""
        return float(np.interp(degc, self.edges_degc, self.below_ml))

    def fraction_below(self, degc: float) -> float:
        """Return the share at or below a temperature, 0 to 1."""
        return min(1.0, self.volume_below_ml(degc) / self.whole_ml)

    def coldest_reached_degc(self, fraction: float) -> float:
        """Return the temperature that a share of the structure, 0 to 1, reached at least: T95 for 0.95."""
        wanted = fraction * self.whole_ml
        if wanted > float(self.below_ml[-1]) * (1.0 + ROUNDING):
            return START_DEGC
        wanted = min(wanted, float(self.below_ml[-1]) * (1.0 - ROUNDING))
        place = int(np.searchsorted(self.below_ml, wanted))
        if place == 0:
            return float(self.edges_degc[0])
        low, high = self.below_ml[place - 1 : place + 1]
        share = (wanted - low) / (high - low)
        return float(self.edges_degc[place - 1] + share * STEP_K)


def histogram_csv(histograms: Sequence[TemperatureHistogram]) -> str:
    """Return histograms as CSV, one line an edge: volume of each structure at or below it, millilitres."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["# Temperature-volume histogram", RESEARCH_USE])
    write(["at or below [degC]", *(f"{h.structure} [ml]" for h in histograms)])
    write(["whole", *(f"{h.whole_ml:.6g}" for h in histograms)])
    for number, edge in enumerate(EDGES_DEGC):
        write([f"{edge:g}", *(f"{h.below_ml[number]:.6g}" for h in histograms)])
    return out.getvalue()


def measure_histograms(
    case: Case, field: ColdField, region: TargetRegion | None
) -> tuple[TemperatureHistogram, ...]:
    """Return the histogram of each structure that the computed region holds a part of, the target first.

    Parameters
    ----------
    case : Case
        Its structures; the body is left out, which is no organ.
    field : ColdField
        Lowest temperature on the solver grid.
    region : TargetRegion or None
        Of the target; None without one.
    """
    found = [] if region is None else [_of_target(case, region, field.scale)]
    in_target = None
    if case.target is not None:
        in_target = structure_mask(case.target, field.grid).values
    for structure in case.structures:
        if structure is case.target or structure.role in _AROUND:
            continue
        one = _of_organ(structure, field, in_target)
        if one is not None:
            found.append(one)
    return tuple(found)


def _of_target(case: Case, region: TargetRegion, scale: IsothermScale) -> TemperatureHistogram:
    grid = region.minimum_degc.grid
    distance = region.outline.distance_mm.values
    weight = region_fraction(region.outline.distance_mm, 0.0)
    inside = weight > 0.0
    values = scale.values(region.minimum_degc.values)
    spread = gradient_length(values, grid)[inside] * grid.spacing_mm[0]
    cosine = alignment(distance, values, grid)[inside]
    middle, part = values[inside], weight[inside]
    # Along the gradient: the cold end of the voxel lies within the structure, or the warm end.
    shift = np.sign(cosine) * (part - 1.0) * spread / 2.0
    along = np.abs(cosine) * part
    below = volume_below(
        np.concatenate([middle + shift, middle]),
        np.concatenate([part * spread, spread]),
        np.concatenate([along, part - along]),
        [scale.level(t) for t in EDGES_DEGC],
    )
    voxel_ml = grid.voxel_volume_ml
    assert case.target is not None  # there is a region of it
    return TemperatureHistogram(
        structure=region.outline.name,
        role=case.target.role.value,
        is_target=True,
        edges_degc=EDGES_DEGC,
        below_ml=below * voxel_ml,
        whole_ml=float(weight.sum(dtype=float)) * voxel_ml,
    )


def _of_organ(
    structure: Structure, field: ColdField, in_target: npt.NDArray[np.bool_] | None
) -> TemperatureHistogram | None:
    mask = structure_mask(structure, field.grid).values
    spots = np.flatnonzero(mask if in_target is None else mask & ~in_target)
    if spots.size == 0:
        return None
    voxel_ml = field.grid.voxel_volume_ml
    shared_ml = float(np.count_nonzero(mask) - spots.size) * voxel_ml
    computed_ml = float(spots.size) * voxel_ml
    below = volume_below(
        field.values.ravel()[spots],
        field.gradient_per_mm.ravel()[spots] * field.grid.spacing_mm[0],
        np.ones(spots.size, np.float32),
        [field.scale.level(t) for t in EDGES_DEGC],
    )
    # A structure that lies wholly in the region may have a few voxels less on its own grid.
    whole_ml = max(computed_ml, structure.volume_ml - shared_ml) if _reaches_out(structure, field) else None
    return TemperatureHistogram(
        structure=structure.name,
        role=structure.role.value,
        is_target=False,
        edges_degc=EDGES_DEGC,
        below_ml=below * voxel_ml,
        whole_ml=computed_ml if whole_ml is None else whole_ml,
        computed=1.0 if whole_ml is None else computed_ml / whole_ml,
    )


def _reaches_out(structure: Structure, field: ColdField) -> bool:
    from cryoplan.case.planning import mask_box_mm

    lower, upper = field.grid.bounds_mm()
    box = mask_box_mm(structure.mask)
    return not bool(np.all(box[0] >= lower) and np.all(box[1] <= upper))


def volume_below(
    values: npt.NDArray[np.floating],
    spread: npt.NDArray[np.floating],
    weight: npt.NDArray[np.floating],
    levels: npt.ArrayLike,
) -> FloatArray:
    """Return the weight at or below each of some rising levels ``(n,)``.

    Each value stands for an even spread from ``value - spread / 2`` to ``value + spread / 2``: what is below
    a level is a sum of ramps, and each ramp is a straight line between the level after its begin and that
    after its end. So two counts of begins and ends, summed up, give it at all levels at once.
    """
    levels = np.asarray(levels, float)
    width = np.maximum(np.asarray(spread, float), LEAST_SPREAD)
    begin = np.asarray(values, float) - width / 2.0
    rate = np.asarray(weight, float) / width
    total = np.zeros(len(levels))
    for edge, sign in ((begin, 1.0), (begin + width, -1.0)):
        place = np.searchsorted(levels, edge)
        rates = np.cumsum(np.bincount(place, rate, len(levels) + 1))[:-1]
        # Against the middle of the levels, so that large numbers do not eat the digits.
        offsets = np.cumsum(np.bincount(place, rate * edge, len(levels) + 1))[:-1]
        total += sign * (rates * levels - offsets)
    return np.maximum.accumulate(np.maximum(total, 0.0))
