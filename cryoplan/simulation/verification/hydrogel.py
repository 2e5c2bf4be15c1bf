"""Hydrogel: a needle among thermocouples; the inner trace is imposed and the outer ones are predicted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from cryoplan.simulation.verification.check import Check, check, comparison
from cryoplan.simulation.verification.curve import Curve
from cryoplan.simulation.verification.published import figures, trace
from cryoplan.simulation.verification.radial import solve_radial
from cryoplan.simulation.verification.rig import COMPARED, GROUP, Rig, bloodless, line_of
from cryoplan.simulation.verification.single_probe import root_mean_square

FloatArray = npt.NDArray[np.float64]

DEGREES = 2.5
"""Bound of the requirements for the sensors from 4.4 mm on together."""

CRYSTAL = "crystal_n2_radial"
INNER_RANGE_MM = (0.75, 2.4)
"""Effective radius of the innermost sensor, the one nuisance parameter (physics section 11.3)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadialTraces:
    """Outer sensors beside the radial solution; arrays ``(times, sensors)``, degC."""

    inner_mm: float
    at_mm: FloatArray
    time_s: FloatArray
    measured_degc: FloatArray
    computed_degc: FloatArray

    @property
    def rmse_degc(self) -> float:
        """Root of the mean square difference of all sensors together."""
        return root_mean_square(self.computed_degc - self.measured_degc)

    def rmse_of(self, sensor: int) -> float:
        """Root of the mean square difference of one sensor."""
        return root_mean_square((self.computed_degc - self.measured_degc)[:, sensor])


@lru_cache(maxsize=1)
def crystal_traces() -> RadialTraces:
    """Impose the innermost trace, predict the others, with the inner radius that fits best."""
    places = {float(f.place.split("=")[1].split()[0]): f.place for f in figures(CRYSTAL)}
    radii = np.array(sorted(places))
    times, inner = trace(CRYSTAL, "temperature", places[radii[0]])
    outer = np.array([trace(CRYSTAL, "temperature", places[r])[1] for r in radii[1:]]).T
    medium = bloodless("gelma")
    # 30.6 degC is the mean of the sensors at the start but for the one at 12.4 mm, which reads 3 K too low.
    start = float(np.median(np.concatenate([inner[:1], outer[0]])))

    def computed(radius: float) -> FloatArray:
        return solve_radial(
            medium, inner_mm=radius, time_s=times, inner_degc=inner, start_degc=start, at_mm=radii[1:]
        )

    found = minimize_scalar(
        lambda radius: root_mean_square(computed(radius) - outer), bounds=INNER_RANGE_MM, method="bounded",
        options={"xatol": 0.02},
    )  # fmt: skip
    best = float(found.x)
    return RadialTraces(
        inner_mm=best, at_mm=radii[1:], time_s=times, measured_degc=outer, computed_degc=computed(best)
    )


def hydrogel_lines(_rig: Rig) -> Iterator[Check | Curve]:
    """Return the lines and the plot of the experiment; no probe model takes part."""
    traces, source = crystal_traces(), figures(CRYSTAL)[0].source
    yield check(
        "Needle in hydrogel, sensors at 4.4 to 14.4 mm, RMSE", traces.rmse_degc, DEGREES, "degC",
        f"258 s; inner sensor at an effective {traces.inner_mm:.2f} mm (nuisance, nominal 2.4)", group=GROUP,
        source=source,
    )  # fmt: skip
    for index, radius in enumerate(traces.at_mm):
        off = "; it reads 3 K below the others from the start" if radius == 12.4 else ""
        yield comparison(
            f"Needle in hydrogel, sensor at {radius:g} mm, RMSE", traces.rmse_of(index), DEGREES,
            "degC", f"placement +-1 mm{off}", group=COMPARED, source=source,
        )  # fmt: skip
    yield Curve(
        title="Needle in hydrogel: inner trace imposed, outer ones predicted", group=GROUP,
        x_label="time (s)", y_label="temperature (°C)",
        lines=tuple(
            line
            for index, radius in enumerate(traces.at_mm)
            for line in (
                line_of(f"{radius:g} mm", traces.time_s, traces.measured_degc[:, index], dots=True),
                line_of(f"{radius:g} mm, computed", traces.time_s, traces.computed_degc[:, index]),
            )
        ),
    )  # fmt: skip
