"""Moments: temperatures at any protocol time and the curve of any place, between the kept fields.

The solver keeps a field each minute, at the end of each phase and soon after its begin. Between two of them
ice grows and melts as heat spreads, with the square root of the time since its phase began (Neumann; Carslaw
and Jaeger 1959, section 11.2), so that each cell is read straight between both on that scale of time::

    w = (sqrt(t - s) - sqrt(t0 - s)) / (sqrt(t1 - s) - sqrt(t0 - s)),    T = T0 + w (T1 - T0)

with s the begin of the phase. At the kept times it is the kept field itself. Measured on a probe in a block
of 2 mm, the edge of the ice is off by 0.1 to 0.6 mm, and so is the isotherm of -20 degC but in the first ten
seconds after a probe stops (2 mm). So it is for pictures in motion; what stands still is a kept field.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import FloatArray
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.plan.plan import Thermocouple
from cryoplan.simulation.result import Frame, ThermalResult, ThermocoupleTrace

SAME_PLACE_MM = 1e-6
"""Places that are closer than this are one place; positions go through JSON unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """Where a protocol time lies among the kept fields.

    Attributes
    ----------
    before, after : Frame
        The kept fields around it; the same one at a kept time, before the first and after the last.
    share : float
        How far from `before` to `after`, 0 to 1.
    """

    before: Frame
    after: Frame
    share: float

    @property
    def is_kept(self) -> bool:
        """True where the field is one that the solver kept, not one read between two."""
        return self.before is self.after


def moment_at(frames: Sequence[Frame], time_s: float) -> Moment:
    """Return where a protocol time lies among frames in time order.

    Raises
    ------
    ValueError
        If there is no frame.
    """
    if not frames:
        raise ValueError("without a kept field there are no temperatures at a time")
    after = bisect_right([f.time_s for f in frames], time_s)
    if after == 0 or after == len(frames) or frames[after - 1].time_s == time_s:
        only = frames[max(after - 1, 0)]
        return Moment(before=only, after=only, share=0.0)
    first, second = frames[after - 1], frames[after]
    ends = [f.time_s for f in frames[:after] if f.label.startswith("end_")]
    begin = ends[-1] if ends else 0.0
    low, high = sqrt(max(first.time_s - begin, 0.0)), sqrt(max(second.time_s - begin, 0.0))
    share = (sqrt(max(time_s - begin, 0.0)) - low) / (high - low)
    return Moment(before=first, after=second, share=share)


def field_at(result: ThermalResult, time_s: float) -> Volume:
    """Return the temperatures at a protocol time, float32, degC, on the solver grid.

    The kept field itself at its time; before the first and after the last one, that one.

    Raises
    ------
    ValueError
        If the result holds no field of a time.
    """
    moment = moment_at(result.frames, time_s)
    if moment.is_kept:
        return moment.before.temperature_degc
    before, after = (f.temperature_degc.values for f in (moment.before, moment.after))
    values = np.subtract(after, before, dtype=np.float32)
    values *= np.float32(moment.share)
    values += before
    return Volume(grid=result.grid, values=values)


def value_at(volume: Volume, point_mm: npt.ArrayLike) -> float:
    """Return the trilinear value of a volume at an LPS point within its grid, as the solver reads sensors."""
    corners, weights = _corners(volume.grid, point_mm)
    return float(volume.values.ravel()[corners].astype(float) @ weights)


def curve_at(result: ThermalResult, point_mm: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the times in s and temperatures in degC of a place, one of each kept field.

    Raises
    ------
    ValueError
        If the place lies outside the solver grid.
    """
    if not bool(np.all(result.grid.contains_mm(point_mm))):
        raise ValueError("the place lies outside the solver grid")
    corners, weights = _corners(result.grid, point_mm)
    times = np.array([f.time_s for f in result.frames], float)
    values = [f.temperature_degc.values.ravel()[corners].astype(float) @ weights for f in result.frames]
    return times, np.array(values, float)


def read_sensors(result: ThermalResult, sensors: Sequence[Thermocouple]) -> tuple[ThermocoupleTrace, ...]:
    """Return the curves of thermocouples, also of those that were put there after the solve.

    One that the solver read at this place has its curve of every step; any other is read from the kept
    fields, and its trace says so. One outside the solver grid has none.
    """
    traces = []
    for sensor in sensors:
        known = next((t for t in result.thermocouples if _is_at(t, sensor)), None)
        if known is not None:
            traces.append(
                ThermocoupleTrace(
                    name=sensor.name,
                    time_s=known.time_s,
                    temperature_degc=known.temperature_degc,
                    position_mm=known.position_mm,
                    from_frames=known.from_frames,
                )
            )
        elif result.frames and bool(np.all(result.grid.contains_mm(sensor.position_mm))):
            times, values = curve_at(result, sensor.position_mm)
            traces.append(
                ThermocoupleTrace(
                    name=sensor.name,
                    time_s=times,
                    temperature_degc=values,
                    position_mm=sensor.position_mm,
                    from_frames=True,
                )
            )
    return tuple(traces)


def _is_at(trace: ThermocoupleTrace, sensor: Thermocouple) -> bool:
    if trace.position_mm is None:
        return False
    return bool(np.abs(np.subtract(trace.position_mm, sensor.position_mm)).max() < SAME_PLACE_MM)


def _corners(grid: Grid, point_mm: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Return the eight voxels around a point, as places in the flat array, and their weights."""
    last = np.asarray(grid.shape) - 1
    kji = np.clip(np.asarray(grid.mm_to_index(point_mm), float)[::-1], 0.0, last.astype(float))
    low = np.clip(np.floor(kji).astype(int), 0, np.maximum(last - 1, 0))
    part = kji - low
    bits = np.array([[(n >> 2) & 1, (n >> 1) & 1, n & 1] for n in range(8)])
    at = np.minimum(low + bits, last)
    places = np.ravel_multi_index(tuple(at.T), grid.shape)
    return np.asarray(places, np.int64), np.asarray(np.prod(np.where(bits, part, 1.0 - part), axis=1))
