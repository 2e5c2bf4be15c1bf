"""Blocks: homogeneous problems centred on the origin, and what the checks read from their fields."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cryoplan.core.grid import Grid
from cryoplan.simulation.exact import TwoPhase
from cryoplan.simulation.problem import Faces, Problem, Stage
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]

NARROW_K = 0.2
"""Width of the freezing range that stands for a sharp melting point."""

NO_FRAMES_S = 1e6
"""Distance of frames for the time slider that a check does not want."""

WATER = TwoPhase(
    k_s=2.22, k_l=0.56, c_s=2050.0, c_l=4200.0, rho=1000.0, latent=333_600.0, melt_degc=0.0, start_degc=37.0
)
TISSUE = TwoPhase(
    k_s=2.0, k_l=0.52, c_s=1800.0, c_l=3600.0, rho=1050.0, latent=238_095.238, melt_degc=-1.0, start_degc=37.0
)
"""The parameter sets of the shared validation tables."""

STIFF = Drive(end_degc=-140.0, coefficient=1e7, tau_s=1e-3)
"""Contact without resistance: the wall has the coolant's temperature."""


def sharp(
    medium: TwoPhase, *, w: float = 0.0, latent: float | None = None, width_k: float = NARROW_K
) -> Material:
    """Return the material that stands for a medium with a sharp front."""
    return Material(
        name="check",
        # The mean of the narrow range is the melting point.
        t_u=medium.melt_degc + 0.5 * width_k,
        t_l=medium.melt_degc - 0.5 * width_k,
        latent=medium.rho * (medium.latent if latent is None else latent),
        c_u=medium.rho * medium.c_l,
        cf_a=medium.rho * medium.c_s,
        cf_b=0.0,
        k_u=medium.k_l,
        k_l=medium.k_s,
        w=w,
    )


def block(
    size: tuple[int, int, int],
    spacing_mm: float,
    material: Material,
    start_degc: float,
    faces: Faces,
    *,
    probes: tuple[ProbeSource, ...] = (),
    end_s: float = 900.0,
    times_s: tuple[float, ...] = (),
    step_max_s: float = 10.0,
    precision: str = "single",
) -> Problem:
    """Return a homogeneous block whose centre is the origin."""
    origin = [-0.5 * (n - 1) * spacing_mm for n in size]
    grid = Grid(size=size, spacing_mm=(spacing_mm,) * 3, origin_mm=(origin[0], origin[1], origin[2]))
    return Problem(
        grid=grid,
        material_map=np.zeros(grid.shape, np.uint8),
        materials=(material,),
        start_degc=start_degc,
        probes=probes,
        stages=(Stage(start_s=0.0, end_s=end_s, kind="freeze", label="end_freeze_1"),),
        boundary_degc=faces,
        settings=SolverSettings(
            spacing_mm=spacing_mm,
            step_max_s=step_max_s,
            extra_times_s=times_s,
            frames_every_s=NO_FRAMES_S,
            precision=precision,
        ),
    )


def through(
    begin_m: tuple[float, float, float], back: tuple[float, float, float], drive: Drive, radius_m: float
) -> ProbeSource:
    """Return a probe that passes through every block; `begin_m` is a point of its axis."""
    start = np.asarray(begin_m) - np.asarray(back)
    return ProbeSource(
        name="1", begin_m=(float(start[0]), float(start[1]), float(start[2])), back=back, length_m=2.0,
        taper_m=0.0, radius_m=radius_m, freeze=drive,
    )  # fmt: skip


def cell_centres_m(grid: Grid) -> FloatArray:
    """Return LPS positions of all cells, metres ``[k, j, i, 3]``."""
    z, y, x = np.meshgrid(*(grid.coordinates_mm(a) / 1000 for a in (2, 1, 0)), indexing="ij")
    return np.stack([x, y, z], axis=-1)


def axis_distance_m(grid: Grid, probe: ProbeSource) -> FloatArray:
    """Return the distance of every cell from a probe's axis, metres ``[k, j, i]``."""
    rel = cell_centres_m(grid) - np.asarray(probe.begin_m)
    back = np.asarray(probe.back)
    return np.asarray(np.linalg.norm(rel - (rel @ back)[..., None] * back, axis=-1))


def frozen_fraction(material: Material, degc: npt.NDArray[np.float32]) -> FloatArray:
    """Return the frozen part of each cell from its temperature."""
    return np.asarray(1.0 - material.unfrozen_fraction(degc))
