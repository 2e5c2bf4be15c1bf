"""Rig: the probes, media and grid with which published experiments are rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.probe import ProbeModel
from cryoplan.simulation.tissue import Material, load_tissues
from cryoplan.simulation.verification.curve import Line
from cryoplan.simulation.verification.published import Figure
from cryoplan.simulation.verification.single_probe import Setup

FloatArray = npt.NDArray[np.float64]

GROUP = "Published single-probe experiments"
COMPARED = "Published experiments, for comparison"
"""Headings: what is judged, and what is only shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """Probe models and grid with which the experiments are computed.

    Attributes
    ----------
    models : mapping of str to ProbeModel
        The shipped catalogue, or one with numbers that a calibration tries.
    spacing_mm : float
        1 for what is reported, 2 for a quick look.
    """

    models: Mapping[str, ProbeModel]
    spacing_mm: float = 1.0

    def setup(
        self,
        model: str,
        medium: str | Material,
        start_degc: float,
        *phases: tuple[str, float],
        room_mm: float = 35.0,
        times_s: tuple[float, ...] = (),
        step_max_s: float = 10.0,
    ) -> Setup:
        """Return one probe in one medium; the name of a medium means that of the table, without blood."""
        material = bloodless(medium) if isinstance(medium, str) else medium
        return Setup(
            model=self.models[model], material=material, start_degc=start_degc, phases=phases,
            spacing_mm=self.spacing_mm, room_mm=room_mm, times_s=times_s, step_max_s=step_max_s,
        )  # fmt: skip


def shipped(spacing_mm: float = 1.0) -> Rig:
    """Return the rig with the shipped probe models."""
    return Rig(models=load_catalogue(), spacing_mm=spacing_mm)


def bloodless(name: str) -> Material:
    """Return a medium of the tissue table without blood."""
    return load_tissues().tissue(name).material(perfused=False)


def living(name: str) -> Material:
    """Return a tissue of the table with its blood."""
    return load_tissues().tissue(name).material()


def value_of(found: Figure) -> float:
    """Return the number of a figure that has one."""
    assert found.value is not None  # the rows used here are numbers
    return found.value


def spread_of(found: Figure) -> float:
    """Return the published scatter, 0 if none is given."""
    return found.uncertainty or 0.0


def beside(mm: float, found: Figure, note: str) -> str:
    """Return the computed figure beside the published one, in words."""
    spread = f" +- {found.uncertainty:g}" if found.uncertainty else ""
    return f"computed {mm:.1f}, published {found.value:g}{spread} {found.unit}; {note}"


def line_of(label: str, x: FloatArray, y: FloatArray, *, dots: bool = False) -> Line:
    """Return a line of a plot."""
    return Line(label=label, x=tuple(map(float, x)), y=tuple(map(float, y)), dots=dots)
