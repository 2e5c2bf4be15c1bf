"""Refinement: the error on finer grids and with shorter steps, and what must not depend on either."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import unit
from cryoplan.core.grid import Grid
from cryoplan.simulation.problem import Problem, Stage
from cryoplan.simulation.run import Run
from cryoplan.simulation.solver import solve
from cryoplan.simulation.sources import Drive, ProbeSource
from cryoplan.simulation.tissue import Material, load_tissues
from cryoplan.simulation.verification.blocks import NO_FRAMES_S, block, cell_centres_m
from cryoplan.simulation.verification.check import Check, check
from cryoplan.simulation.verification.curve import Curve, Line
from cryoplan.simulation.verification.random_probes import (
    Placement,
    cases,
    cubes_problem,
    misses,
    reference,
)

FloatArray = npt.NDArray[np.float64]

GROUP = "Refinement, balance and symmetry"

ORDER_SPACE, ORDER_TIME = 2.0, 1.0
"""Of finite volumes on a smooth field, and of first-order super-steps."""
ORDER_MISS = 0.3
FINE_RADIUS_MM, STEP_RADIUS_MM, GRID_RADIUS_MM = 0.05, 0.03, 0.5
"""Bounds on the 0 degC radius at 0.5 mm, with steps of 10 s, and between two grids (physics section 8)."""
ENERGY, TURNED_K, REGION_MM, PRECISION_MM = 1e-5, 1e-5, 0.02, 0.005


def _cooled_cube(x: FloatArray, edge: float, diffusivity: float, time_s: float) -> FloatArray:
    """Return what is left, 1 to 0, across a slab of which both faces were cooled (Carslaw & Jaeger 3.3)."""
    n = np.arange(60)[:, None]
    odd = 2 * n + 1
    modes = np.cos(odd * np.pi * x / edge) * np.exp(-diffusivity * (odd * np.pi / edge) ** 2 * time_s)
    return np.asarray((4 / np.pi * (-1.0) ** n / odd * modes).sum(axis=0))


def smooth_field() -> Iterator[Check | Curve]:
    """A cube whose faces are cooled and nothing freezes: order of the error in space."""
    medium = Material(
        name="no ice", t_u=-150.0, t_l=-151.0, latent=0.0, c_u=3.8e6, cf_a=3.8e6, cf_b=0.0, k_u=0.52, k_l=0.52
    )
    edge_mm, end_s = 32.0, 400.0
    sizes, errors = (2.0, 1.0, 0.5), []
    for h in sizes:
        n = round(edge_mm / h)
        problem = block(
            (n, n, n), h, medium, 37.0, (20.0,) * 6, end_s=end_s, step_max_s=0.5, precision="double"
        )
        t = _stepped_whole(problem, [0.5] * round(end_s / 0.5))
        x = problem.grid.coordinates_mm(0) / 1000
        left = _cooled_cube(x, edge_mm / 1000, 0.52 / 3.8e6, end_s)
        exact = 20.0 + 17.0 * left[:, None, None] * left[:, None] * left
        errors.append(float(np.sqrt(np.mean((t - exact) ** 2))))
    order = float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])
    yield _check(
        "Order in space, smooth field", order - ORDER_SPACE, ORDER_MISS, "in the order", f"order {order:.2f}"
    )
    yield Curve(
        title="Error of a smooth field against the grid", group=GROUP, x_label="cell edge, mm",
        y_label="error, K", logarithmic=True, lines=(Line(label="rms error", x=sizes, y=tuple(errors)),),
    )  # fmt: skip


OBLIQUE = Placement(offset_cells=(0.21, -0.34, 0.11), back=(0.6, 0.48, 0.64))


def front_in_space(sizes: tuple[float, ...] = (2.0, 1.0, 0.5)) -> Iterator[Check | Curve]:
    """The 0 degC radius of one oblique probe against the axisymmetric reference, by grid."""
    case = cases()[0]
    truth = reference(case)
    radial, axial = [], []
    for h in sizes:
        field = solve(cubes_problem(case, OBLIQUE, h)).frames[-1].temperature_degc
        found = misses(case, truth, field, OBLIQUE)[0]
        radial.append(1e3 * max(abs(found.radial_m[0]), 1e-6))
        axial.append(1e3 * max(abs(a) for a in found.axial_m))
    finest = f"{sizes[-1]:g} mm; " + ", ".join(f"{r:.3f}" for r in radial) + " mm at the grids"
    yield _check(
        "0 °C radius of an oblique probe on the finest grid", radial[-1], FINE_RADIUS_MM, "mm", finest
    )
    yield Curve(
        title="Error of the 0 °C isotherm against the grid", group=GROUP, x_label="cell edge, mm",
        y_label="error, mm", logarithmic=True,
        lines=(Line(label="radius", x=sizes, y=tuple(radial)), Line(label="tips", x=sizes, y=tuple(axial))),
    )  # fmt: skip


def _radius_mm(t: npt.NDArray[np.float32], h_mm: float) -> float:
    """Return the radius of the sphere that holds as much ice, counted by enthalpy-like shares of cells."""
    volume = float(np.clip(0.5 - t / 8.0, 0.0, 1.0).sum()) * h_mm**3
    return float((volume * 3 / (4 * np.pi)) ** (1 / 3))


def steps_in_time() -> Iterator[Check | Curve]:
    """The ice of one probe with longer and longer super-steps: order of the error in time."""
    case = cases()[0]
    problem = cubes_problem(case, OBLIQUE, 2.0)

    def radius(step: float) -> float:
        changed = replace(problem, settings=replace(problem.settings, step_max_s=step))
        return _radius_mm(solve(changed).frames[-1].temperature_degc.values, 2.0)

    truth = radius(0.3)
    steps = (20.0, 10.0, 5.0, 2.5)
    errors = tuple(abs(radius(s) - truth) for s in steps)
    order = float(np.polyfit(np.log(steps), np.log(np.maximum(errors, 1e-7)), 1)[0])
    yield _check(
        "Order in time",
        order - ORDER_TIME,
        ORDER_MISS,
        "in the order",
        f"order {order:.2f}, steps 20 to 2.5 s",
    )
    yield _check("Ice radius, steps of 10 s", errors[1], STEP_RADIUS_MM, "mm", "against steps of 0.3 s")
    yield Curve(
        title="Error of the ice radius against the step", group=GROUP, x_label="longest step, s",
        y_label="error, mm", logarithmic=True, lines=(Line(label="equivalent radius", x=steps, y=errors),),
    )  # fmt: skip


def freeze_and_thaw(spacings_mm: tuple[float, ...]) -> Iterator[Check]:
    """Three oblique probes in liver, 5-3-5 min: energy, and the change of ice volume with the grid."""
    back = unit((0.3, 0.2, 1.0))
    u = (float(back[0]), float(back[1]), float(back[2]))
    drive = Drive(end_degc=-150.0, coefficient=3000.0, tau_s=5.0)
    probes = tuple(
        ProbeSource(name=str(n + 1), begin_m=(x, y, -0.012), back=u, length_m=0.025, taper_m=0.005,
                    radius_m=0.9e-3, freeze=drive)
        for n, (x, y) in enumerate(((0.0, 0.0), (0.0131, 0.002), (0.006, 0.0122)))
    )  # fmt: skip
    stages = (
        Stage(start_s=0.0, end_s=300.0, kind="freeze", label="end_freeze_1"),
        Stage(start_s=300.0, end_s=480.0, kind="passive", label="end_thaw_1"),
        Stage(start_s=480.0, end_s=780.0, kind="freeze", label="end_freeze_2"),
    )
    liver = load_tissues().tissue("liver").material()
    radii = []
    for h in spacings_mm:
        n = round(80.0 / h)
        problem = block((n, n, n), h, liver, 37.0, (37.0,) * 6, probes=probes)
        result = solve(replace(problem, stages=stages))
        note = "5-3-5 min, 3 probes"
        yield _check(f"Energy balance at {h:g} mm", result.ledger.residual, ENERGY, "1", note)
        radii.append(_radius_mm(result.minimum_degc.values, h))
    for a, b, h in zip(radii, radii[1:], spacings_mm, strict=False):
        name = f"Equivalent ice radius, {h:g} mm against half of it"
        yield _check(name, a - b, GRID_RADIUS_MM, "mm", f"{b:.1f} mm")


def _turned(problem: Problem) -> Problem:
    """Return the problem with x, y, z become y, z, x: a turn by 120 degrees about the diagonal."""
    grid = problem.grid

    def roll(v: tuple[float, float, float]) -> tuple[float, float, float]:
        return v[2], v[0], v[1]

    probes = tuple(replace(p, begin_m=roll(p.begin_m), back=roll(p.back)) for p in problem.probes)
    size = grid.size[2], grid.size[0], grid.size[1]
    return replace(
        problem,
        grid=Grid(size=size, spacing_mm=grid.spacing_mm, origin_mm=roll(grid.origin_mm)),
        material_map=np.ascontiguousarray(np.transpose(problem.material_map, (1, 2, 0))),
        probes=probes,
    )


def _mirrored(problem: Problem) -> Problem:
    """Return the problem with x and y become -y and x: a turn by 90 degrees about z."""
    grid, h = problem.grid, problem.grid.spacing_mm[0]
    last_y = grid.origin_mm[1] + (grid.size[1] - 1) * h

    def turn(v: tuple[float, float, float]) -> tuple[float, float, float]:
        return -v[1], v[0], v[2]

    probes = tuple(replace(p, begin_m=turn(p.begin_m), back=turn(p.back)) for p in problem.probes)
    size = grid.size[1], grid.size[0], grid.size[2]
    origin = -last_y, grid.origin_mm[0], grid.origin_mm[2]
    return replace(
        problem,
        grid=Grid(size=size, spacing_mm=grid.spacing_mm, origin_mm=origin),
        material_map=np.ascontiguousarray(np.transpose(problem.material_map, (0, 2, 1))[:, :, ::-1]),
        probes=probes,
    )


TWO_MINUTES = (0.2, 0.5, 1.3, 3.0, *[5.0] * 23)


def _stepped_whole(problem: Problem, steps_s: Sequence[float] = TWO_MINUTES) -> npt.NDArray[np.float32]:
    """Return the field with every cell stepped: the active region is made of rows along x, and waits."""
    run = Run(problem)
    run.use_whole_block()
    run.begin(0.0, "freeze")
    for step_s in steps_s:
        run.step(step_s)
    return run.field_degc().values


def symmetry() -> Iterator[Check]:
    """A probe turned with its block: the field turns with it."""
    case = replace(cases()[2], end_s=120.0)
    problem = _in_double(cubes_problem(case, OBLIQUE, 2.0))
    plain, about, quarter = (_stepped_whole(p) for p in (problem, _turned(problem), _mirrored(problem)))
    off = float(np.abs(np.transpose(about, (2, 0, 1)) - plain).max())
    yield _check("Turned about the diagonal", off, TURNED_K, "K", "2 mm, 2 min, every cell, float64")
    off = float(np.abs(np.transpose(quarter[:, :, ::-1], (0, 2, 1)) - plain).max())
    yield _check("Turned by 90 degrees", off, TURNED_K, "K", "2 mm, 2 min, every cell, float64")


def _in_double(problem: Problem) -> Problem:
    return replace(problem, settings=replace(problem.settings, precision="double"))


def precision_and_threads() -> Iterator[Check]:
    """The same probe in float32 and float64, and by one thread and two."""
    problem = cubes_problem(replace(cases()[2], end_s=300.0), OBLIQUE, 1.0)
    one, two = (solve(problem, threads=n).frames[-1].temperature_degc.values for n in (1, 2))
    double = solve(_in_double(problem)).frames[-1].temperature_degc.values
    off = _radius_mm(one, 1.0) - _radius_mm(double, 1.0)
    yield _check("Ice radius, float32 against float64", off, PRECISION_MM, "mm", "1 mm, 5 min")
    differing = float(np.count_nonzero(one != two))
    yield _check("Cells that differ between 1 and 2 threads", differing, 0.0, "1", "1 mm, 5 min, every bit")


def active_region() -> Iterator[Check]:
    """The region that is stepped grows with the cold; a block that is nowhere at rest is stepped whole."""
    case = cases()[0]
    problem = cubes_problem(case, OBLIQUE, 2.0)
    grown = _radius_mm(solve(problem).frames[-1].temperature_degc.values, 2.0)
    # A ripple of a hundredth of a degree that dies away wakes every cell and moves no isotherm.
    rim = np.abs(cell_centres_m(problem.grid)).max(axis=-1) > 0.0
    ripple = 0.3 * np.where(np.indices(problem.grid.shape).sum(axis=0) % 2, 1.0, -1.0)
    start = (case.start_degc + np.where(rim, ripple, 0.0)).astype(np.float32)
    whole = solve(replace(problem, start_field_degc=start))
    other = _radius_mm(whole.frames[-1].temperature_degc.values, 2.0)
    yield _check(
        "Active region against the whole block", grown - other, REGION_MM, "mm", f"radius {other:.2f} mm"
    )


def _check(name: str, error: float, bound: float, unit_name: str, note: str = "") -> Check:
    return check(name, error, bound, unit_name, note, group=GROUP)


__all__ = [
    "NO_FRAMES_S", "active_region", "freeze_and_thaw", "front_in_space", "smooth_field", "steps_in_time",
    "symmetry",
]  # fmt: skip
