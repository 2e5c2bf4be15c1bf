"""Exposure: when each part of the tumour reaches a temperature, and how long it stays below it.

When: a voxel counts at a kept minute with the part of it that is in the tumour, from the distance to its
surface, times the part that is or was at or below the threshold, from the gradient (the method of
`cryoplan.margins.coverage`); so the last value of the curve is the coverage. Between two kept minutes the
curve runs straight. How long: the solver notes the seconds below its thresholds at every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import FloatArray
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.margins.coverage import region_fraction
from cryoplan.margins.iceball import cold_fraction, gradient_length
from cryoplan.margins.organs import START_DEGC
from cryoplan.margins.region import window
from cryoplan.simulation.isotherm import IsothermScale, scale_of
from cryoplan.simulation.moments import moment_at
from cryoplan.simulation.result import ThermalResult

THRESHOLDS_DEGC = (-20.0, -40.0)
"""Ends of the published lethal range; the solver notes the seconds below both."""

NEVER = np.float32(np.inf)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reach:
    """One threshold over the protocol.

    Attributes
    ----------
    threshold_degc : float
    time_s : numpy.ndarray
        Protocol times, ``(n,)``, from the start.
    now, so_far : numpy.ndarray
        Share of the tumour, 0 to 1, that is at or below the threshold at these times, and that was so far.
    held_s : tuple of (float, float)
        Of the part that reaches it: share, and the seconds that this share stays below at most; 5 and 50 %.
    """

    threshold_degc: float
    time_s: FloatArray
    now: FloatArray
    so_far: FloatArray
    held_s: tuple[tuple[float, float], ...]

    @property
    def reached(self) -> float:
        """Share that ever reaches it: the coverage."""
        return float(self.so_far[-1])

    def when_s(self, share: float) -> float | None:
        """Return when so much of the tumour has reached it, None when it never has."""
        if share > self.reached + 1e-9 or share <= 0.0:
            return None
        after = int(np.argmax(self.so_far >= min(share, self.reached)))
        if after == 0:
            return float(self.time_s[0])
        low, high = self.so_far[after - 1], self.so_far[after]
        part = (min(share, self.reached) - low) / (high - low)
        return float(self.time_s[after - 1] + part * (self.time_s[after] - self.time_s[after - 1]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposure:
    """When and how long a structure is cold; `volume_ml` is that of the structure."""

    structure: str
    volume_ml: float
    reaches: tuple[Reach, ...]

    def reach(self, threshold_degc: float) -> Reach:
        """Return one threshold.

        Raises
        ------
        KeyError
            If it was not measured.
        """
        for one in self.reaches:
            if one.threshold_degc == threshold_degc:
                return one
        raise KeyError(threshold_degc)


def measure_exposure(
    name: str,
    signed_distance_mm: Volume,
    result: ThermalResult,
    *,
    thresholds_degc: Sequence[float] = THRESHOLDS_DEGC,
) -> Exposure | None:
    """Return when and how long a structure is cold, None where the result holds no fields over time.

    Parameters
    ----------
    signed_distance_mm : Volume
        To the surface of the structure, negative inside, on the lattice of the result with two voxels spare
        around the structure.
    thresholds_degc : sequence of float
        Those whose seconds the solver noted; others have no `held_s`.
    """
    grid = signed_distance_mm.grid
    part = region_fraction(signed_distance_mm, 0.0)
    whole = float(part.sum(dtype=float))
    if whole <= 0.0 or not result.frames:
        return None
    scale = scale_of(result.minimum_degc)
    levels = [scale.level(t) for t in thresholds_degc]
    lowest = window(result.minimum_degc, grid, fill=START_DEGC)
    running = np.full(grid.shape, np.inf, np.float32)
    now: list[list[float]] = [[] for _ in levels]
    so_far: list[list[float]] = [[] for _ in levels]
    for n, frame in enumerate(result.frames):
        field = window(frame.temperature_degc, grid, fill=START_DEGC)
        # What was coldest between two kept minutes is known at the end.
        is_last = n == len(result.frames) - 1
        running = lowest.values if is_last else np.minimum(running, field.values)
        for shares, values in ((now, field.values), (so_far, running)):
            for share, cold in zip(shares, _colds(values, scale, levels, grid), strict=True):
                share.append(min(1.0, float((part * cold).sum(dtype=float)) / whole))
    times = np.array([f.time_s for f in result.frames], float)
    return Exposure(
        structure=name,
        volume_ml=whole * grid.voxel_volume_ml,
        reaches=tuple(
            Reach(
                threshold_degc=float(t),
                time_s=times,
                now=np.array(now[n]),
                # Sub-voxel shares of two fields may differ by a rounding where the sets do not.
                so_far=np.maximum.accumulate(np.array(so_far[n])),
                held_s=_held(result, signed_distance_mm, part, lowest, scale, float(t)),
            )
            for n, t in enumerate(thresholds_degc)
        ),
    )


def reached_at(result: ThermalResult, threshold_degc: float) -> Volume:
    """Return when each voxel first reaches a temperature, s, float32; infinite where it never does.

    Between two kept fields each voxel is read as the pictures in motion are (`cryoplan.simulation.moments`);
    measured against a solve with a field every 10 s that is off by 10 s on average, so tell whole minutes.
    """
    times = np.full(result.grid.shape, NEVER, np.float32)
    before = None
    for frame in result.frames:
        values = frame.temperature_degc.values
        new = (values <= threshold_degc) & (times == NEVER)
        if before is None:
            times[new] = frame.time_s
        elif new.any():
            a, b = before.temperature_degc.values[new].astype(float), values[new].astype(float)
            part = np.clip((a - threshold_degc) / np.maximum(a - b, 1e-6), 0.0, 1.0)
            times[new] = _when(result, before.time_s, frame.time_s, part)
        before = frame
    missed = (result.minimum_degc.values <= threshold_degc) & (times == NEVER)
    times[missed] = result.minimum_at_s.values[missed]
    return Volume(grid=result.grid, values=times)


def _when(result: ThermalResult, first_s: float, last_s: float, part: FloatArray) -> FloatArray:
    """Return the times at shares of the way from one kept field to the next."""
    known = np.linspace(0.0, 1.0, 33) ** 2
    times = first_s + known * (last_s - first_s)
    shares = [moment_at(result.frames, float(t)).share for t in times[1:-1]]
    return np.asarray(np.interp(part, [0.0, *shares, 1.0], times))


def _colds(
    values: npt.NDArray[np.floating], scale: IsothermScale, levels: Sequence[float], grid: Grid
) -> list[npt.NDArray[np.float32]]:
    read = scale.values(values)
    gradient = gradient_length(read, grid)
    spacing = float(np.cbrt(np.prod(grid.spacing_mm)))
    return [cold_fraction(read, gradient, level, spacing) for level in levels]


def _held(
    result: ThermalResult,
    distance: Volume,
    part: npt.NDArray[np.float32],
    lowest: Volume,
    scale: IsothermScale,
    threshold: float,
) -> tuple[tuple[float, float], ...]:
    seconds = next((v for t, v in result.time_below if t == threshold), None)
    if seconds is None:
        return ()
    (cold,) = _colds(lowest.values, scale, [scale.level(threshold)], distance.grid)
    weight = (part * cold).astype(float).ravel()
    held = window(seconds, distance.grid, fill=0.0).values.ravel()
    # A voxel that is cold in part only has its middle above the threshold, for no time at all.
    counted = (weight > 0.0) & (held > 0.0)
    if not counted.any():
        return ()
    order = np.argsort(held[counted])
    rising, sums = held[counted][order], np.cumsum(weight[counted][order])
    return tuple(
        (share, float(rising[min(int(np.searchsorted(sums, share * sums[-1])), len(rising) - 1)]))
        for share in (0.05, 0.5)
    )
