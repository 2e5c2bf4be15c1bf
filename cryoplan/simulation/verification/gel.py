"""Gel: one probe in a homogeneous block, frozen as published; the shape of its isotherms and their size.

The block, the probe's wall and the solver are those of the verification (`single_probe`). What is published
of a probe is read from ``resources/gel/published.toml``; a probe that has no table there is frozen for
10 min in gel of 25 degC, as the manufacturer's ball of the IceSphere is taken to be.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import StoreError
from cryoplan.core.geometry import unit
from cryoplan.core.progress import SILENT, Progress
from cryoplan.core.resources import resource
from cryoplan.core.volume import Volume
from cryoplan.plan.probe import ProbeModel
from cryoplan.simulation.isotherm import scale_of
from cryoplan.simulation.sources import ProbeSource
from cryoplan.simulation.verification.experiments import GEL_DEGC
from cryoplan.simulation.verification.rig import bloodless, living
from cryoplan.simulation.verification.single_probe import Outcome, Setup, last_below, sampled

FloatArray = npt.NDArray[np.float64]

DRAWN_DEGC = (0.0, -20.0, -40.0)
ROOM_MM = 35.0
"""From the active zone to the outer faces, which keep the start temperature."""

_STEP_MM = 0.5
_ANGLES = 48
_RAY_STEP_MM = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSize:
    """One published isotherm; what is not known is None.

    Attributes
    ----------
    isotherm_degc : float or None
        None where the source does not say which one is meant.
    length_mm, width_mm : float or None
        Along and across the probe.
    length_plus_minus_mm, width_plus_minus_mm : float or None
        As quoted.
    """

    isotherm_degc: float | None = None
    length_mm: float | None = None
    width_mm: float | None = None
    length_plus_minus_mm: float | None = None
    width_plus_minus_mm: float | None = None

    @property
    def compared_degc(self) -> float:
        """The solved isotherm that stands beside it: 0 degC where the source names none."""
        return 0.0 if self.isotherm_degc is None else self.isotherm_degc


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How a probe is frozen for its picture, and what is published of it.

    Attributes
    ----------
    medium : str
        Of the tissue table.
    perfused : bool
        With its blood.
    start_degc : float
        degC of medium and blood.
    freeze_s : float
    source, conditions, use : str
        Of the published sizes: where from, what was assumed, and what they were used for; empty without.
    sizes : tuple of PublishedSize
    """

    medium: str = "gel"
    perfused: bool = False
    start_degc: float = GEL_DEGC
    freeze_s: float = 600.0
    source: str = ""
    conditions: str = ""
    use: str = ""
    sizes: tuple[PublishedSize, ...] = ()

    @property
    def isotherms_degc(self) -> tuple[float, ...]:
        """The isotherms that are solved, warmest first."""
        return tuple(sorted({*DRAWN_DEGC, *(s.compared_degc for s in self.sizes)}, reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvedIsotherm:
    """One isotherm of the solved block.

    Attributes
    ----------
    degc : float
    length_mm, width_mm : float
        0 where nothing is as cold.
    outline_mm : tuple of (float, float)
        Distance from the metal tip along the shaft (negative ahead of it) and radius, from the front end
        of the isotherm to its back end; empty where nothing is as cold.
    """

    degc: float
    length_mm: float
    width_mm: float
    outline_mm: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GelShape:
    """The solved isotherms of one probe, the warmest first.

    Attributes
    ----------
    key : str
        Digest of everything that they follow from; see `cryoplan.workflow.gel_shapes.gel_key`.
    spacing_mm : float
        Of the solver's grid.
    isotherms : tuple of SolvedIsotherm
    """

    key: str
    spacing_mm: float
    isotherms: tuple[SolvedIsotherm, ...]

    def at(self, degc: float) -> SolvedIsotherm:
        """Return one isotherm.

        Raises
        ------
        KeyError
            If it was not solved.
        """
        for found in self.isotherms:
            if found.degc == degc:
                return found
        raise KeyError(degc)


def setup_of(model: ProbeModel, trial: Trial, spacing_mm: float) -> Setup:
    """Return the experiment: one probe in one medium, one freeze."""
    return Setup(
        model=model,
        material=living(trial.medium) if trial.perfused else bloodless(trial.medium),
        start_degc=trial.start_degc,
        phases=(("freeze", trial.freeze_s),),
        spacing_mm=spacing_mm,
        room_mm=ROOM_MM + 0.5 * max(0.0, model.outer_diameter.value - 2.0),
    )


def solve_in_gel(
    model: ProbeModel, trial: Trial, *, spacing_mm: float = 1.0, key: str = "", progress: Progress = SILENT
) -> GelShape:
    """Freeze one probe in its block and measure the isotherms at the end.

    Raises
    ------
    SimulationError
        If the probe cannot be solved, for example because its numbers make no heat flow.
    Cancelled
        If `progress` says so.
    """
    outcome = setup_of(model, trial, spacing_mm).run(progress)
    tip = model.tip_offset.value
    return GelShape(
        key=key,
        spacing_mm=spacing_mm,
        isotherms=tuple(_measured(outcome, degc, tip) for degc in trial.isotherms_degc),
    )


def _measured(outcome: Outcome, degc: float, tip_offset_mm: float) -> SolvedIsotherm:
    size = outcome.size(degc)
    outline: tuple[tuple[float, float], ...] = ()
    if size.width_mm > 0.0:
        outline = isotherm_outline(outcome.field(), outcome.source, degc, tip_offset_mm)
    return SolvedIsotherm(
        degc=degc,
        length_mm=round(size.length_mm, 2),
        width_mm=round(size.width_mm, 2),
        outline_mm=tuple((round(z, 2), round(r, 2)) for z, r in outline),
    )


def isotherm_outline(
    field: Volume, source: ProbeSource, degc: float, tip_offset_mm: float
) -> tuple[tuple[float, float], ...]:
    """Return half a longitudinal section of an isotherm: (distance behind the metal tip, radius), mm.

    The radius is the mean over 48 rays of each section, the sections half a mm apart.
    """
    begin, back = np.asarray(source.begin_m) * 1000.0, np.asarray(source.back)
    one = unit(np.cross(back, np.eye(3)[np.argmin(np.abs(back))]))
    two = np.cross(back, one)
    angle = np.arange(_ANGLES) * (2.0 * np.pi / _ANGLES)
    around = np.cos(angle)[:, None] * one + np.sin(angle)[:, None] * two
    far = ROOM_MM - 2.0
    along = np.arange(-far, 1000.0 * source.reach_m + far, _STEP_MM)
    rays = np.arange(0.0, far, _RAY_STEP_MM)
    scale = scale_of(field)
    points = begin + along[:, None, None, None] * back + rays[:, None] * around[:, None, :]
    radius = last_below(sampled(scale.volume(field), points), rays, scale.level(degc)).mean(axis=1)
    inside = np.flatnonzero(radius > 0.0)
    if not inside.size:
        return ()
    first, last = inside[0], inside[-1]
    kept = [
        (float(z), float(r)) for z, r in zip(along[first : last + 1], radius[first : last + 1], strict=True)
    ]
    ends = [(_tip_of(kept[:3]), 0.0), (_tip_of(kept[:-4:-1]), 0.0)]
    return tuple((z + tip_offset_mm, r) for z, r in (ends[0], *kept, ends[1]))


def _tip_of(nearest: list[tuple[float, float]]) -> float:
    """Return where the outline meets the axis: r squared falls along a line at the end of a round body."""
    (z0, r0), (z1, r1) = nearest[0], nearest[min(1, len(nearest) - 1)]
    if r1 <= r0:
        return z0
    reach = r0**2 * (z1 - z0) / (r1**2 - r0**2)
    return z0 - math.copysign(min(abs(reach), _STEP_MM), z1 - z0)


# What is published ------------------------------------------------------------------------------------

_KEYS = {"medium", "perfused", "start_degc", "freeze_s", "source", "conditions", "use", "sizes"}
_SIZE_KEYS = {"isotherm_degc", "length_mm", "width_mm", "length_plus_minus_mm", "width_plus_minus_mm"}


@cache
def load_trials() -> dict[str, Trial]:
    """Return how the probes with published sizes are frozen, by id.

    Raises
    ------
    StoreError
        If the file is missing or breaks a rule.
    """
    return read_trials(resource("gel", "published.toml"))


def trial_of(model_id: str) -> Trial:
    """Return how a probe is frozen for its picture."""
    return load_trials().get(model_id, Trial())


def read_trials(path: Path) -> dict[str, Trial]:
    """Read ``published.toml``; see `load_trials`."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _bad(path, "file", f"cannot be read ({error})") from error
    if table.pop("schema", None) != 1:
        raise _bad(path, "schema", "is not 1")
    return {name: _trial(path, name, entry) for name, entry in table.items()}


def _trial(path: Path, name: str, entry: Any) -> Trial:
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        raise _bad(path, name, f"has not exactly the keys {', '.join(sorted(_KEYS))}")
    sizes = []
    for number, row in enumerate(entry["sizes"]):
        place = f"{name}.sizes[{number}]"
        if not isinstance(row, dict) or set(row) - _SIZE_KEYS or not {"length_mm", "width_mm"} & set(row):
            raise _bad(path, place, "is no size")
        for key, value in row.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise _bad(path, f"{place}.{key}", "is not a number")
            if not (-100.0 <= value <= 0.0 if key == "isotherm_degc" else 0.0 < value < 150.0):
                raise _bad(path, f"{place}.{key}", f"is {value:g}")
        sizes.append(PublishedSize(**{key: float(value) for key, value in row.items()}))
    return replace(Trial(**{**entry, "sizes": ()}), sizes=tuple(sizes))


def _bad(path: Path, key: str, what: str) -> StoreError:
    return StoreError(
        f"{path.name}: {key} {what}.",
        "Install cryoplan again.",
        code="bad-resource",
        place=f"{path.name}: {key}",
    )
