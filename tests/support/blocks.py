"""Small heat problems in homogeneous and two-tissue blocks, for the solver's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cryoplan.core.geometry import unit
from cryoplan.core.grid import Grid
from cryoplan.simulation.problem import Problem, Stage
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.tissue import load_tissues

ARGON = Drive(end_degc=-150.0, coefficient=3000.0, tau_s=5.0)


def probe(
    name: str = "1",
    middle_mm: Sequence[float] = (0.0, 0.0, 0.0),
    back: Sequence[float] = (0.0, 0.0, 1.0),
    *,
    length_mm: float = 15.0,
    drive: Drive = ARGON,
    **more: object,
) -> ProbeSource:
    """Probe of 1.8 mm whose active zone has its middle at a point."""
    direction = unit(back)
    begin = (np.asarray(middle_mm, float) - 0.5 * length_mm * direction) / 1000.0
    return ProbeSource(
        name=name,
        begin_m=tuple(begin),
        back=tuple(direction),
        length_m=length_mm / 1000.0,
        taper_m=0.003,
        radius_m=0.0009,
        freeze=drive,
        **more,
    )


def freeze(seconds: float) -> tuple[Stage, ...]:
    """One freeze."""
    return (Stage(start_s=0.0, end_s=seconds, kind="freeze", label="end_freeze_1"),)


def cycle(freeze_s: float, thaw_s: float, kind: str = "passive") -> tuple[Stage, ...]:
    """Freeze, thaw, freeze."""
    a, b = freeze_s, freeze_s + thaw_s
    return (
        Stage(start_s=0.0, end_s=a, kind="freeze", label="end_freeze_1"),
        Stage(start_s=a, end_s=b, kind=kind, label="end_thaw_1"),
        Stage(start_s=b, end_s=b + a, kind="freeze", label="end_freeze_2"),
    )


def block(
    *probes: ProbeSource,
    tissue: str = "liver",
    edge_cells: int = 24,
    spacing_mm: float = 2.0,
    stages: tuple[Stage, ...] = freeze(180.0),
    start_degc: float = 37.0,
    step_max_s: float = 10.0,
    stasis_degc: float = -5.0,
    extra_times_s: tuple[float, ...] = (),
    frames_every_s: float = 60.0,
    precision: str = "single",
) -> Problem:
    """Cube of one tissue around the origin, its faces and blood at the start temperature."""
    origin = -0.5 * (edge_cells - 1) * spacing_mm
    grid = Grid(size=(edge_cells,) * 3, spacing_mm=(spacing_mm,) * 3, origin_mm=(origin,) * 3)
    return Problem(
        grid=grid,
        material_map=np.zeros(grid.shape, np.uint8),
        materials=(load_tissues().tissue(tissue).material(),),
        start_degc=start_degc,
        probes=probes,
        stages=stages,
        boundary_degc=(start_degc,) * 6,
        settings=SolverSettings(
            spacing_mm=spacing_mm,
            step_max_s=step_max_s,
            precision=precision,
            stasis_degc=stasis_degc,
            extra_times_s=extra_times_s,
            frames_every_s=frames_every_s,
        ),
    )


def patched(problem: Problem, tissue: str, where: np.ndarray) -> Problem:
    """Same problem with a second tissue in the cells of a mask."""
    materials = (*problem.materials, load_tissues().tissue(tissue).material())
    labels = problem.material_map.copy()
    labels[where] = len(materials) - 1
    return replace(problem, materials=materials, material_map=labels)


def ice_ml(values: np.ndarray, spacing_mm: float, below_degc: float = 0.0) -> float:
    """Volume at or below a temperature, ml."""
    return float((values <= below_degc).sum()) * spacing_mm**3 / 1000.0
