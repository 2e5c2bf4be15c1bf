"""Closed forms: freezing problems that can be solved on paper, at the grids that the program uses.

Moving fronts are measured by frozen volume, standing ones by where the profile of the ice meets the melting
point; so the figure is that of the method and not of rounding to whole cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import unit
from cryoplan.simulation.exact import (
    LineSink,
    NeumannPlanar,
    pennes_point,
)
from cryoplan.simulation.problem import Faces, Problem
from cryoplan.simulation.solver import solve
from cryoplan.simulation.sources import Drive
from cryoplan.simulation.surroundings import Exchange
from cryoplan.simulation.tissue import Material
from cryoplan.simulation.verification.blocks import (
    STIFF,
    TISSUE,
    WATER,
    axis_distance_m,
    block,
    cell_centres_m,
    frozen_fraction,
    sharp,
    through,
)
from cryoplan.simulation.verification.check import Check, check, comparison
from cryoplan.simulation.verification.curve import Curve, Line
from cryoplan.simulation.verification.standing import standing_front

FloatArray = npt.NDArray[np.float64]

FRONT, DEGREES, HEAT, ENERGY_DOUBLE = 0.005, 0.5, 0.02, 1e-6
"""Bounds: fronts 0.5 %, temperatures 0.5 degC, heat drawn 2 %, energy 1e-6 in float64."""

FRONT_COARSE, PARTS_COARSE, FINE_MM = 0.01, 0.02, 0.5
"""Bounds on grids coarser than `FINE_MM`: fronts 1 %, temperatures 2 % of the span (physics section 11).

A front that is sharper than a cell goes from cell to cell in jumps, by which everything within a few cells
of it breathes: at 1 mm by 1 degC and 0.1 mm.
"""

GROUP = "Closed forms"
CARSLAW_JAEGER = "https://global.oup.com/academic/product/conduction-of-heat-in-solids-9780198533689"
"""Carslaw & Jaeger, Conduction of Heat in Solids, 1959: sections 11.2 (planar) and 11.6 (line)."""
PENNES = "https://doi.org/10.1152/jappl.1948.1.2.93"

PLANAR_TIMES_S = (60.0, 180.0, 300.0, 450.0, 600.0, 750.0)

DEPTHS_M = np.array([2.0, 5.0, 10.0, 15.0, 20.0, 30.0]) / 1000.0
"""Depths at which the published table of the planar problem gives temperatures."""

OFFSETS = ((0.0, 0.0), (0.5, 0.5), (0.5, 0.0), (0.31, 0.17))
"""Places of the axis between cell centres, in cells."""


def planar_neumann() -> Iterator[Check | Curve]:
    """Half space: front and profile after 60 to 900 s.

    A front that is sharper than a cell makes the profile behind it breathe as it passes from cell to cell,
    at 0.5 mm by up to 0.8 degC. Here cells are 0.3 mm and freezing takes 2 K. A thousand short steps in
    ice that hardly changes would leave 1.6e-5 of the energy to the rounding of float32; this runs in float64.
    """
    for name, medium, wall in (("water, -100 °C", WATER, -100.0), ("tissue, -140 °C", TISSUE, -140.0)):
        exact = NeumannPlanar(medium=medium, wall_degc=wall)
        material = sharp(medium, width_k=2.0)
        n, h = 450, 0.3
        faces: Faces = (None, None, None, None, wall, medium.start_degc)
        problem = block(
            (n, 1, 1),
            h,
            material,
            medium.start_degc,
            faces,
            times_s=PLANAR_TIMES_S,
            step_max_s=1.0,
            precision="double",
        )
        result = solve(problem)
        x = (np.arange(n) + 0.5) * h / 1000.0
        fronts, degrees, found_mm = [], [], []
        for frame in result.frames:
            t = frame.temperature_degc.values[0, 0]
            front = float(frozen_fraction(material, t).sum()) * h / 1000.0
            found_mm.append(1000.0 * front)
            fronts.append(front / exact.front_m(frame.time_s) - 1.0)
            found = np.interp(DEPTHS_M, x, t)
            degrees.append(float(np.abs(found - exact.temperature(DEPTHS_M, frame.time_s)).max()))
        note = f"{h:g} mm, 60 to 900 s"
        yield _check(f"Planar front, {name}", max(fronts, key=abs), FRONT, "1", note)
        yield _check(f"Planar temperatures, {name}", max(degrees), DEGREES, "degC", note)
        yield _check(f"Planar energy, {name}", result.ledger.residual, ENERGY_DOUBLE, "1", "float64")
        seconds = np.linspace(10.0, 900.0, 60)
        should = tuple(1000.0 * exact.front_m(float(v)) for v in seconds)
        yield Curve(
            title=f"Planar front, {name}", group=GROUP, x_label="time, s", y_label="depth, mm",
            lines=(
                Line(label="closed form", x=tuple(seconds.tolist()), y=should),
                Line(
                    label="computed", x=tuple(f.time_s for f in result.frames), y=tuple(found_mm), dots=True
                ),
            ),
        )  # fmt: skip


RADII_M = np.array([5.0, 10.0, 15.0, 20.0, 30.0]) / 1000.0
"""Radii of the published table of the line sink; its 2 mm is next to the probe's cells."""


def line_sink(spacing_mm: float, offsets: tuple[tuple[float, float], ...] = OFFSETS) -> Iterator[Check]:
    """A probe that draws constant heat, in a slab: front and temperatures in tissue and water."""
    cold = replace(WATER, start_degc=20.0)
    slab: Faces = (None, None, None, None, None, None)
    h = spacing_mm / 1000.0
    for name, medium in (("tissue", TISSUE), ("water", cold)):
        exact = LineSink(medium=medium, sink_w_m=500.0)
        material = sharp(medium, width_k=1.0)
        for offset in offsets:
            # A weak contact to something very cold draws the same heat whatever the tissue does. The line is
            # as thin as the grid holds, because the tissue that a probe displaces would be missed.
            radius, weak = 0.4 * h, 0.05
            drive = Drive(end_degc=-500.0 / (2 * np.pi * radius * weak), coefficient=weak, tau_s=1e-3)
            probe = through((offset[0] * h, offset[1] * h, 0.0), (0.0, 0.0, 1.0), drive, radius)
            n = 2 * round(55.0 / spacing_mm)
            problem = block(
                (n, n, 2), spacing_mm, material, medium.start_degc, slab, probes=(probe,), times_s=(300.0,),
                end_s=600.0, step_max_s=1.0,
            )  # fmt: skip
            r = axis_distance_m(problem.grid, probe)
            fronts, degrees = [], []
            for frame in solve(problem).frames:
                t = frame.temperature_degc.values
                area = float(frozen_fraction(material, t).sum()) * h**2 / 2
                fronts.append(np.sqrt(area / np.pi) / exact.front_m(frame.time_s) - 1.0)
                truth = exact.temperature(r, frame.time_s)
                # Means over rings one cell wide: the lattice favours no direction on the whole.
                rings = [np.abs(r - at) < 0.5 * h for at in RADII_M]
                degrees.append(max(abs(float((t[ring] - truth[ring]).mean())) for ring in rings))
            where = f"{name}, axis at {offset[0]:g}, {offset[1]:g} cells"
            note = f"{spacing_mm:g} mm, 300 and 600 s"
            fine = spacing_mm <= FINE_MM
            bound = FRONT if fine else FRONT_COARSE
            yield _check(f"Line sink front, {where}", max(fronts, key=abs), bound, "1", note)
            name_t = f"Line sink temperatures, {where}"
            if fine:
                yield _check(name_t, max(degrees), DEGREES, "degC", note)
            else:
                span = medium.start_degc - float(exact.temperature(2e-3, 600.0))
                yield _check(name_t, max(degrees) / span, PARTS_COARSE, "1", note + ", of the span")


CYLINDER_M, SPHERE_M = 0.9e-3, 5e-3


def _melting_degc(material: Material) -> float:
    """Return where ice of constant conductivity would have to melt to pass as much as the freezing range."""
    passed = float(material.potential(material.t_u) - material.potential(material.t_l))
    return material.t_l + passed / material.k_l


def _line_in_ice(
    shape: FloatArray, t: npt.NDArray[np.float32], r: FloatArray, front_m: float, h: float
) -> tuple[float, float]:
    """Return slope and offset of the temperature against `shape` in the ice of a standing profile.

    Counting frozen cells would not do: in a steady state the last cell may hold any part of its latent heat.
    """
    ice = (r > front_m - 6 * h) & (r < front_m - 1.5 * h)
    slope, offset = np.polyfit(shape[ice], t[ice].astype(float), 1)
    return float(slope), float(offset)


def _settled(problem: Problem) -> tuple[npt.NDArray[np.float32], float]:
    """Return the last field and the heat that the first probe draws at the end, W (nan without one)."""
    result = solve(problem)
    heat = float(result.probes[0].heat_w[-1]) if result.probes else float("nan")
    return result.frames[-1].temperature_degc.values, heat


def steady_cylinder(spacing_mm: float, offsets: tuple[tuple[float, float], ...] = OFFSETS) -> Iterator[Check]:
    """A probe of fixed wall temperature in perfused tissue, long after the start."""
    slab: Faces = (None, None, None, None, 37.0, 37.0)
    h = spacing_mm / 1000.0
    for w in (20e3, 40e3):
        # Latent heat only delays the steady state; almost none is needed.
        material = sharp(TISSUE, w=w, latent=5e3)
        exact = standing_front(material, probe_degc=-140.0, probe_m=CYLINDER_M, blood_degc=37.0)
        for offset in offsets:
            probe = through((offset[0] * h, offset[1] * h, 0.0), (0.0, 0.0, 1.0), STIFF, CYLINDER_M)
            n = 2 * round(40.0 / spacing_mm)
            problem = block(
                (n, n, 2), spacing_mm, material, 37.0, slab, probes=(probe,), end_s=4000.0, step_max_s=30.0
            )
            t, heat = _settled(problem)
            r = axis_distance_m(problem.grid, probe)
            slope, at_one = _line_in_ice(np.log(np.maximum(r, 1e-6)), t, r, exact.front_m, h)
            front = float(np.exp((_melting_degc(material) - at_one) / slope))
            where = f"W {w / 1000:g}, axis at {offset[0]:g}, {offset[1]:g} cells"
            note = f"{spacing_mm:g} mm"
            off, drawn = front / exact.front_m - 1.0, heat / (2 * h) / exact.heat - 1.0
            if spacing_mm <= FINE_MM:
                yield _check(f"Steady cylinder front, {where}", off, FRONT, "1", note)
            else:
                yield comparison(
                    f"Steady cylinder front, {where}", off, FRONT, "1", note + "; blood wakes cell by cell",
                    group=GROUP, source=CARSLAW_JAEGER,
                )  # fmt: skip
            yield _check(f"Steady cylinder heat, {where}", drawn, HEAT, "1", note)


def oblique_cylinder(spacing_mm: float) -> Iterator[Check]:
    """The same across a cube whose outermost cells hold the exact temperatures."""
    material = sharp(TISSUE, w=40e3, latent=5e3)
    exact = standing_front(material, probe_degc=-140.0, probe_m=CYLINDER_M, blood_degc=37.0)
    h = spacing_mm / 1000.0
    for direction in ((1.0, 1.0, 0.0), (1.0, 0.7, 0.4)):
        back = unit(direction)
        at = (0.21 * h, -0.34 * h, 0.11 * h)
        probe = through(at, (float(back[0]), float(back[1]), float(back[2])), STIFF, CYLINDER_M)
        n = 2 * round(27.0 / spacing_mm)
        problem = block(
            (n, n, n), spacing_mm, material, 37.0, (None,) * 6, probes=(probe,), end_s=1500.0, step_max_s=30.0
        )
        r = axis_distance_m(problem.grid, probe)
        rim = np.ones(problem.grid.shape, bool)
        rim[1:-1, 1:-1, 1:-1] = False
        known = exact.temperature(r).astype(np.float32)
        t, _ = _settled(replace(problem, held=rim, held_degc=known))
        section = np.abs(cell_centres_m(problem.grid) @ back) < 8e-3
        slope, at_one = _line_in_ice(np.log(r[section]), t[section], r[section], exact.front_m, h)
        front = float(np.exp((_melting_degc(material) - at_one) / slope))
        heat = 2 * np.pi * material.k_l * slope
        where = "along (" + ", ".join(f"{d:g}" for d in direction) + ")"
        note = f"{spacing_mm:g} mm, W 40"
        yield _check(f"Oblique cylinder heat, {where}", heat / exact.heat - 1.0, HEAT, "1", note)
        yield _check(f"Oblique cylinder front, {where}", front / exact.front_m - 1.0, FRONT, "1", note)


def steady_sphere() -> Iterator[Check]:
    """Perfused tissue around a cold sphere whose cells hold the closed form's own temperatures."""
    material = sharp(TISSUE, w=20e3, latent=5e3)
    exact = standing_front(material, probe_degc=-140.0, probe_m=SPHERE_M, blood_degc=37.0, sphere=True)
    problem = block((80, 80, 80), 1.0, material, 37.0, (37.0,) * 6, end_s=2000.0, step_max_s=30.0)
    r = np.linalg.norm(cell_centres_m(problem.grid), axis=-1)
    problem = replace(problem, held=r < 7e-3, held_degc=exact.temperature(r).astype(np.float32))
    t, _ = _settled(problem)
    slope, far = _line_in_ice(1.0 / r, t, r, exact.front_m, 1e-3)
    front = slope / (_melting_degc(material) - far)
    heat = -4 * np.pi * material.k_l * slope
    yield _check("Steady sphere front", front / exact.front_m - 1.0, FRONT, "1", "1 mm")
    yield _check("Steady sphere heat", heat / exact.heat - 1.0, HEAT, "1", "1 mm")


def point_sink() -> Iterator[Check]:
    """One cell that draws 0.05 W in perfused tissue that does not freeze: the change at 5, 10 and 20 mm."""
    k, rho_c, w, q = 0.52, 1050.0 * 3600.0, 20e3, 0.05
    medium = Material(
        name="no ice", t_u=-150.0, t_l=-151.0, latent=0.0, c_u=rho_c, cf_a=rho_c, cf_b=0.0, k_u=k, k_l=k, w=w
    )
    problem = block((81, 81, 81), 1.0, medium, 37.0, (37.0,) * 6, end_s=600.0, times_s=(60.0, 300.0))
    middle = int(np.ravel_multi_index((40, 40, 40), problem.grid.shape))
    # A weak exchange with something very cold is a constant sink.
    sink = Exchange(kind="vessel", cells=np.array([middle]), rate=np.array([1.0]), degc=np.array([-q / 1e-9]))
    problem = replace(problem, exchanges=(sink,))
    r = np.linalg.norm(cell_centres_m(problem.grid), axis=-1)
    shells = [np.abs(r - at) < 0.5e-3 for at in (5e-3, 10e-3, 20e-3)]
    errors = []
    for frame in solve(problem).frames:
        t = frame.temperature_degc.values.astype(float)
        # Means over thin shells: the seven-point stencil favours its axes, evenly around the sphere.
        found = np.array([t[shell].mean() - 37.0 for shell in shells])
        should = np.array(
            [pennes_point(r[s], frame.time_s, q_w=q, k=k, rho_c=rho_c, w=w).mean() for s in shells]
        )
        errors.append(float(np.abs(found - should).max()))
    note = "1 mm; 5, 10, 20 mm; 60 to 600 s"
    yield _check("Point sink in perfused tissue", max(errors), DEGREES, "degC", note, PENNES)


def _check(
    name: str, error: float, bound: float, unit_name: str, note: str = "", source: str = CARSLAW_JAEGER
) -> Check:
    return check(name, error, bound, unit_name, note, group=GROUP, source=source)
