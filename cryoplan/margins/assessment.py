"""Assessment: every number of the margin review, in one record; `to_json` is the contract's object."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryoplan.case.left_out import LeftOut
from cryoplan.case.own_limits import OwnLimit
from cryoplan.core.finding import Finding
from cryoplan.core.geometry import Point

if TYPE_CHECKING:
    from cryoplan.margins.histogram import TemperatureHistogram
    from cryoplan.margins.margin_map import MarginMap

DEFAULT_THRESHOLDS_DEGC = (0.0, -20.0, -30.0, -40.0)
"""0: visible ice edge; -20 and -40: ends of the published lethal range; -30: Littrup 2009."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsothermSize:
    """Size of the region at or below one threshold at one time.

    Attributes
    ----------
    when : str or float
        ``minimum``, ``end_freeze_K`` or a protocol time in seconds.
    threshold_degc : float
    volume_ml : float
    length_mm : float or None
        Extent along the mean probe axis; None when the region is empty or there is no probe.
    width_mm : float or None
        Largest extent across it.
    equivalent_diameter_mm : float or None
        Of the section across the axis at the middle of the active zone.
    section_area_mm2 : float or None
    """

    when: str | float
    threshold_degc: float
    volume_ml: float
    length_mm: float | None = None
    width_mm: float | None = None
    equivalent_diameter_mm: float | None = None
    section_area_mm2: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Signed distance from the tumour surface to one isotherm of the lowest temperature.

    Positive where the isotherm lies outside the tumour. Distances in millimetres. Fractions are those of the
    surface that margins are asked of; `fraction_left_out` is that of the whole surface which they are not.
    """

    structure: str
    threshold_degc: float
    minimum_mm: float
    p05_mm: float
    median_mm: float
    worst_point_mm: Point
    worst_direction: str
    fraction_below_0: float
    fraction_0_to_5: float
    fraction_5_up: float
    fraction_left_out: float = 0.0
    no_ice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Share of the tumour, or of the tumour grown by `rim_mm`, that was at or below a threshold."""

    structure: str
    rim_mm: float
    threshold_degc: float
    fraction: float
    missed_ml: float
    reached_ml: float

    @property
    def whole_ml(self) -> float:
        """Volume of the tumour with this rim."""
        return self.reached_ml + self.missed_ml


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganTemperature:
    """Lowest temperature in one structure, where and when, and how much of it froze.

    `to_ice_mm` is the least distance from its outline to the ice edge of the lowest temperature, 0 where ice
    is in it; None where it is not within reach of the ice or was not computed. `near_ice_mm` is that place.
    """

    name: str
    role: str
    minimum_degc: float
    at_s: float
    at_mm: Point
    volume_below_ml: tuple[tuple[float, float], ...]
    inside_grid_fraction: float = 1.0
    to_ice_mm: float | None = None
    near_ice_mm: Point | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VesselBeside:
    """A large vessel near the tumour: how near, and on which side."""

    name: str
    gap_mm: float
    side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermocoupleCurve:
    """Curve of one thermocouple as plain numbers.

    Attributes
    ----------
    name : str
    time_s, temperature_degc : tuple of float
        Of one length.
    position_mm : tuple of float or None
        Where it is, LPS.
    each_minute : bool
        True when it was put there after the solve and is read from the kept fields, a minute apart.
    """

    name: str
    time_s: tuple[float, ...]
    temperature_degc: tuple[float, ...]
    position_mm: Point | None = None
    each_minute: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Is the whole tumour cold enough, by how much, where is the worst place, what else freezes.

    Attributes
    ----------
    key : str
        Of the result it belongs to.
    isotherms, margins, coverage, structures, thermocouples : tuple
        See the records.
    healthy_frozen_ml : float or None
        What froze outside of the tumour; None without a target.
    twice_below : tuple of (threshold degC, share)
        Of the tumour, what at least two freezes brought below it; empty without a second freeze.
    warm_core_ml : tuple of (threshold degC, ml)
        What stayed warmer well within the tumour.
    vessels : tuple of VesselBeside
        Those that run beside the tumour.
    qam : tuple of (threshold degC, (share, share, share))
        Classes of the whole surface by the published voxel method, see `cryoplan.margins.qam`.
    findings : tuple of Finding
        What weighs most first.
    limits, left_out : tuple
        The case's own, as they were when it was judged.
    margin_map : MarginMap or None
        The margins point by point; None without a target.
    """

    key: str
    isotherms: tuple[IsothermSize, ...]
    margins: tuple[Margin, ...]
    coverage: tuple[Coverage, ...]
    structures: tuple[OrganTemperature, ...]
    thermocouples: tuple[ThermocoupleCurve, ...] = ()
    healthy_below_ml: tuple[tuple[float, float], ...] = ()
    twice_below: tuple[tuple[float, float], ...] = ()
    warm_core_ml: tuple[tuple[float, float], ...] = ()
    vessels: tuple[VesselBeside, ...] = ()
    qam: tuple[tuple[float, tuple[float, float, float]], ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    limits: tuple[OwnLimit, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    margin_map: MarginMap | None = field(default=None, compare=False, repr=False)
    histograms: tuple[TemperatureHistogram, ...] = field(default=(), compare=False, repr=False)

    @property
    def healthy_frozen_ml(self) -> float | None:
        """Volume that froze outside the tumour and within the body; None without a target."""
        return dict(self.healthy_below_ml).get(0.0)

    def histogram(self, structure: str) -> TemperatureHistogram | None:
        """Return the histogram of a structure, None when it has none."""
        return next((h for h in self.histograms if h.structure == structure), None)

    def margin(self, threshold_degc: float) -> Margin | None:
        """Return the margin to one isotherm, None when there is no target."""
        return next((m for m in self.margins if m.threshold_degc == threshold_degc), None)

    def covered(self, threshold_degc: float, rim_mm: float = 0.0) -> Coverage | None:
        """Return the coverage by one isotherm, None when there is no target."""
        return next(
            (c for c in self.coverage if c.threshold_degc == threshold_degc and c.rim_mm == rim_mm), None
        )

    def volume_ml(self, threshold_degc: float, when: str | float = "minimum") -> float:
        """Return the volume of one isotherm."""
        for size in self.isotherms:
            if size.threshold_degc == threshold_degc and size.when == when:
                return size.volume_ml
        raise KeyError((threshold_degc, when))

    def to_json(self) -> dict[str, object]:
        """Return the object of ``assessment.json``; additions to the contract keep its keys."""
        return {
            "isotherms": [
                {
                    "when": i.when,
                    "threshold_degc": i.threshold_degc,
                    "volume_ml": i.volume_ml,
                    "length_mm": i.length_mm,
                    "width_mm": i.width_mm,
                    "equivalent_diameter_mm": i.equivalent_diameter_mm,
                    "section_area_mm2": i.section_area_mm2,
                }
                for i in self.isotherms
            ],
            "thermocouples": [
                {
                    "name": t.name,
                    "position_mm": None if t.position_mm is None else list(t.position_mm),
                    "each_minute": t.each_minute,
                    "time_s": list(t.time_s),
                    "temperature_degc": list(t.temperature_degc),
                }
                for t in self.thermocouples
            ],
            "margins": [
                {
                    "structure": m.structure,
                    "threshold_degc": m.threshold_degc,
                    "minimum_mm": _finite(m.minimum_mm),
                    "p05_mm": _finite(m.p05_mm),
                    "median_mm": _finite(m.median_mm),
                    "worst_point_mm": list(m.worst_point_mm),
                    "worst_direction": m.worst_direction,
                    "fraction_below_0": m.fraction_below_0,
                    "fraction_0_to_5": m.fraction_0_to_5,
                    "fraction_5_up": m.fraction_5_up,
                    "fraction_left_out": m.fraction_left_out,
                    "qam_fractions": list(dict(self.qam).get(m.threshold_degc, ())) or None,
                    "no_ice": m.no_ice,
                }
                for m in self.margins
            ],
            "coverage": [
                {
                    "structure": c.structure,
                    "rim_mm": c.rim_mm,
                    "threshold_degc": c.threshold_degc,
                    "fraction": c.fraction,
                    "missed_ml": c.missed_ml,
                    "reached_ml": c.reached_ml,
                }
                for c in self.coverage
            ],
            "structures": [
                {
                    "name": s.name,
                    "role": s.role,
                    "minimum_degc": s.minimum_degc,
                    "at_s": s.at_s,
                    "at_mm": list(s.at_mm),
                    "volume_below_ml": {f"{t:g}": v for t, v in s.volume_below_ml},
                    "inside_grid_fraction": s.inside_grid_fraction,
                    "to_ice_mm": s.to_ice_mm,
                }
                for s in self.structures
            ],
            "healthy_frozen_ml": self.healthy_frozen_ml,
            "healthy_below_ml": {f"{t:g}": ml for t, ml in self.healthy_below_ml},
            "twice_below": {f"{t:g}": fraction for t, fraction in self.twice_below},
            "findings": [f.to_json() for f in self.findings],
        }


def _finite(value: float) -> float | None:
    # JSON has no infinity: a margin to ice that does not exist is null, beside no_ice.
    return value if math.isfinite(value) else None
