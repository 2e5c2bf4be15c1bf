"""Timing: what the review asks of the temperatures over time; the tumour's minutes, and curves as a table."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryoplan import RESEARCH_USE, __version__
from cryoplan.case.case import Case
from cryoplan.core.atomic import write_atomic
from cryoplan.core.volume import Volume
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.plan import Plan

if TYPE_CHECKING:
    from cryoplan.margins.exposure import Exposure
    from cryoplan.margins.survival import SurvivalSeries, TumourSurvival
    from cryoplan.simulation.result import ThermalResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TumourTimes:
    """When and how long the target is cold, and what the survival model needs of it.

    Attributes
    ----------
    exposure : Exposure
    distance_mm : Volume
        To the surface of the target, negative inside, around the target only.
    lowest_degc : Volume
        On the same grid.
    """

    exposure: Exposure
    distance_mm: Volume
    lowest_degc: Volume

    def survival(self, series: SurvivalSeries) -> TumourSurvival | None:
        """Return what a curve of the survival model says of the target."""
        from cryoplan.margins.survival import tumour_survival

        return tumour_survival(series, self.distance_mm, self.lowest_degc.values)


def measure_times(case: Case, result: ThermalResult) -> TumourTimes | None:
    """Return when and how long the target is cold; None without a target or without fields over time."""
    from cryoplan.margins.exposure import measure_exposure
    from cryoplan.margins.region import target_region

    if case.target is None:
        return None
    region = target_region(case, case.target, result.minimum_degc)
    exposure = measure_exposure(case.target.name, region.outline.distance_mm, result)
    if exposure is None:
        return None
    return TumourTimes(
        exposure=exposure, distance_mm=region.outline.distance_mm, lowest_degc=region.minimum_degc
    )


COLUMNS = ("name", "x_mm", "y_mm", "z_mm", "read", "time_s", "phase", "temperature_degc")


def curves_csv(plan: Plan, assessment: Assessment) -> str:
    """Return the curves of all thermocouples as CSV, one reading a line; LPS millimetres.

    ``read`` says whether a curve was read at each step of the solver or once a minute.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write([f"# cryoplan {__version__}, thermocouples of plan {plan.name}", RESEARCH_USE, assessment.key[:12]])
    write(COLUMNS)
    for curve in assessment.thermocouples:
        place = [""] * 3 if curve.position_mm is None else [f"{v:.2f}" for v in curve.position_mm]
        read = "each minute" if curve.each_minute else "each step"
        for time_s, degc in zip(curve.time_s, curve.temperature_degc, strict=True):
            phase = plan.protocol.phase_at(time_s).kind.value
            write([curve.name, *place, read, f"{time_s:.2f}", phase, f"{degc:.3f}"])
    return out.getvalue()


def write_curves(plan: Plan, assessment: Assessment, path: Path) -> None:
    """Write the curves of all thermocouples; an old file is replaced only once the new one is whole.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    write_atomic(path, curves_csv(plan, assessment).encode())
