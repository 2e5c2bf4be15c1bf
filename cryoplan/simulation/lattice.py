"""Lattice: a problem as the flat arrays that the kernels step, with one layer of halo on every side.

Cells are stored as one run of ``(nk + 2) (nj + 2) (ni + 2)`` values; the face *above* a cell along an axis
has the index of that cell. A face within one tissue carries ``g (P_b - P_a)``, P(T) being the integral of k
dT: the exact mean of a conductivity that jumps fourfold across the front, so that the front neither lags
nor leads. A face between two tissues cannot use it (their potentials differ) and carries ``[A (u_a + u_b) +
B (psi_a + psi_b)] (T_b - T_a)``: u is the unfrozen fraction, psi the ice factor, A and B half the harmonic
means of the unfrozen and of the just frozen conductivities. The harmonic mean belongs to jumps of material,
not of state (solver notes section 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.simulation.problem import Problem
from cryoplan.simulation.sources import probe_faces
from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

N_PARAMETERS = 16


@dataclass(slots=True, kw_only=True, eq=False)
class Lattice:
    """Arrays of one solve; the state arrays are changed in place by the kernels.

    Attributes
    ----------
    shape, padded : tuple of int
        Cells ``(nk, nj, ni)`` without and with halo.
    h : float
        Edge, m.
    coefficients : float32 (3, n)
        g of the faces above along i, j, k, 1/m2; zero at faces between tissues and at probes.
    parameters : float32 (materials, 16)
        T_l, H1, 1/H1, (T_u - T_l)/H1, 1/c_u, c_l, 2 cf_b, T_l in kelvin, rise, c_l^2, k_u, k_l, T_u - T_l,
        (k_u - k_l) / 2 / (T_u - T_l), T_u, spare.
    conductivities : float64 (materials, 2)
        k_u and k_l, W/(m K).
    seam_low, seam_high : int64
        Cells on both sides of the faces between tissues.
    seam_low_material, seam_high_material : int64
    seam_a, seam_b : float64
        A and B of those faces, W/(m3 K).
    run_start, run_end, run_material, row_runs : int64
        Runs of one material along i; row ``k * nj_padded + j`` has runs ``row_runs[row]:row_runs[row + 1]``.
    w, q : float32 (n,)
        Perfusion W/(m3 K) and metabolic heat W/m3; set to zero for good where blood has stopped.
    enthalpy : float64 (2, n)
        State J/m3 and work buffer.
    temperature, flow, potential : float32 (n,)
        T in degC, blood flow 0 to 1, and P in W/m of the last state; the halo holds the boundary.
    probe_cells, probe_cell_owner : int64
        Cells that hold probes and whose they are.
    link_cell, link_core, link_probe, link_material : int64
        Wall links: tissue cell, place in `probe_cells`, probe, material of the tissue cell.
    link_log, link_contact, link_share : float64
        R_k in 1/m, g times wall area in m2, wall area in m2.
    fixed_cells, exchange_cells : int64
        Vessel lumen held at a temperature, and lumen with volumetric exchange.
    exchange : float64
        W/(m3 K) of `exchange_cells`.
    stiffness : float64 (materials, 3)
        Largest sum of the face conductances of a cell: unfrozen, just frozen, W/(m3 K), and other exchange.
    """

    shape: tuple[int, int, int]
    padded: tuple[int, int, int]
    h: float
    start_degc: float
    vessel_degc: float
    materials: tuple[Material, ...]
    coefficients: Float32Array
    parameters: Float32Array
    conductivities: FloatArray
    seam_low: IntArray
    seam_high: IntArray
    seam_low_material: IntArray
    seam_high_material: IntArray
    seam_a: FloatArray
    seam_b: FloatArray
    run_start: IntArray
    run_end: IntArray
    run_material: IntArray
    row_runs: IntArray
    w: Float32Array
    q: Float32Array
    enthalpy: FloatArray
    temperature: Float32Array
    flow: Float32Array
    potential: Float32Array
    probe_cells: IntArray
    probe_cell_owner: IntArray
    link_cell: IntArray
    link_core: IntArray
    link_probe: IntArray
    link_material: IntArray
    link_log: FloatArray
    link_contact: FloatArray
    link_share: FloatArray
    fixed_cells: IntArray
    exchange_cells: IntArray
    exchange: FloatArray
    stiffness: FloatArray

    def inner(self, flat: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return a flat padded array as ``[k, j, i]`` without its halo (a view)."""
        return flat.reshape(self.padded)[1:-1, 1:-1, 1:-1]

    def longest_euler_step_s(self, coldest_degc: float) -> float:
        """Return the stable step of forward Euler while nothing gets colder than `coldest_degc`.

        ``D_e = 2 / lambda_max`` with Gershgorin's ``lambda_max <= 2 max(sum of conductances / C)``; five
        percent are kept back. Ice is worst, and the colder the worse: k rises and c falls.
        """
        largest = 0.0
        rises = [m.rise * (m.t_l + 273.15) / (max(coldest_degc, -265.0) + 273.15) for m in self.materials]
        rise = max(1.0, *rises) if coldest_degc < 0.0 else 1.0
        for material, (unfrozen, frozen, other) in zip(self.materials, self.stiffness, strict=True):
            coldest = min(material.t_l, max(coldest_degc, -265.0))
            c_cold = max(material.cf_a + material.cf_b * coldest, 0.05 * material.c_l)
            c_mushy = material.h1 / (material.t_u - material.t_l)
            both = max(unfrozen, frozen) + other
            largest = max(
                largest,
                (unfrozen + other) / material.c_u,
                (frozen * rise + other) / c_cold,
                both / c_mushy,
            )
        return float(0.95 / largest)


def _material_rows(material: Material) -> list[float]:
    return [
        material.t_l,
        material.h1,
        1.0 / material.h1,
        (material.t_u - material.t_l) / material.h1,
        1.0 / material.c_u,
        material.c_l,
        2.0 * material.cf_b,
        material.t_l + 273.15,
        material.rise,
        material.c_l**2,
        material.k_u,
        material.k_l,
        material.t_u - material.t_l,
        0.5 * (material.k_u - material.k_l) / (material.t_u - material.t_l),
        material.t_u,
        0.0,
    ]


def _harmonic(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(2.0 * a * b / (a + b))


def build_lattice(problem: Problem, progress: Progress = SILENT) -> Lattice:
    """Return the arrays of `problem` at its start.

    Raises
    ------
    Cancelled
        When `progress` says so; it is asked between the parts, each of which is short on the largest grids.
    """
    shape = problem.grid.shape
    nk, nj, ni = shape
    padded = (nk + 2, nj + 2, ni + 2)
    n = padded[0] * padded[1] * padded[2]
    h = problem.cell_m
    labels = problem.material_map
    k_u = np.array([m.k_u for m in problem.materials])
    k_l = np.array([m.k_l for m in problem.materials])

    coefficients = np.zeros((3, *padded), np.float32)
    for axis in range(3):
        inside = [slice(1, -1)] * 3
        inside[axis] = slice(1, -2)
        coefficients[2 - axis][tuple(inside)] = 1.0 / h**2

    temperature = np.full(padded, problem.start_degc, np.float32)
    flow = np.ones(padded, np.float32)
    potential = np.zeros(padded, np.float32)
    _set_boundary(problem, coefficients, temperature, potential)

    check_cancelled(progress)
    # Probes: take their cells out, correct the faces around them.
    origin_m = np.asarray(problem.grid.origin_mm) / 1000.0
    owner = np.full(nk * nj * ni, -1, np.int64)
    best = np.full((3, nk * nj * ni), np.inf)
    factors = np.ones((3, nk * nj * ni), np.float32)
    every = [probe_faces(source, shape, origin_m, h) for source in problem.probes]
    for index, faces in enumerate(every):
        free = faces.cells[owner[faces.cells] < 0]
        owner[free] = index
        # Where two probes meet, a face keeps the factor of the nearer axis.
        at = (faces.face_axis, faces.face_cell)
        nearer = faces.face_radius < best[at]
        here = (faces.face_axis[nearer], faces.face_cell[nearer])
        best[here] = faces.face_radius[nearer]
        factors[here] = faces.face_factor[nearer]
    for axis in range(3):
        coefficients[2 - axis][1:-1, 1:-1, 1:-1] *= factors[axis].reshape(shape)
    is_core = np.zeros(padded, bool)
    is_core[1:-1, 1:-1, 1:-1] = (owner >= 0).reshape(shape)
    for axis in range(3):
        check_cancelled(progress)
        coefficients[2 - axis][is_core | np.roll(is_core, -1, axis=axis)] = 0.0
    check_cancelled(progress)
    seams = _take_seams(coefficients, labels, padded, k_u, k_l, progress)
    check_cancelled(progress)

    to_padded = _padded_index(shape, padded)
    probe_cells = np.flatnonzero(owner >= 0)
    place = np.full(nk * nj * ni, -1, np.int64)
    place[probe_cells] = np.arange(len(probe_cells))
    links: dict[str, list[npt.NDArray[np.int64] | FloatArray]] = {
        name: [] for name in ("cell", "core", "probe", "log", "contact", "share")
    }
    for index, faces in enumerate(every):
        good = (owner[faces.link_cell] < 0) & (owner[faces.link_core] == index)
        links["cell"].append(faces.link_cell[good])
        links["core"].append(place[faces.link_core[good]])
        links["probe"].append(np.full(int(good.sum()), index))
        links["log"].append(faces.log_resistance[good])
        links["contact"].append(faces.contact_area[good])
        links["share"].append(faces.wall_share[good])

    def joined(name: str, dtype: type) -> npt.NDArray[np.generic]:
        return np.concatenate([np.asarray(part, dtype) for part in links[name]] or [np.zeros(0, dtype)])

    link_cell = joined("cell", np.int64).astype(np.int64)
    link_log = joined("log", np.float64).astype(np.float64)

    fixed = np.zeros(0, np.int64)
    exchange_cells, exchange = np.zeros(0, np.int64), np.zeros(0)
    if problem.vessel is not None:
        fixed = np.flatnonzero(problem.vessel.ravel() & (owner < 0))
    if problem.vessel_exchange is not None:
        flat = problem.vessel_exchange.ravel()
        exchange_cells = np.flatnonzero((flat > 0.0) & (owner < 0))
        exchange = flat[exchange_cells].astype(np.float64)

    w = np.zeros(padded, np.float32)
    q = np.zeros(padded, np.float32)
    dead = (owner >= 0).reshape(shape)
    if problem.vessel is not None:
        dead = dead | problem.vessel
    for array, name in ((w, "w"), (q, "q_m")):
        values = np.array([getattr(m, name) for m in problem.materials], np.float32)
        array[1:-1, 1:-1, 1:-1] = np.where(dead, np.float32(0.0), values[labels])

    check_cancelled(progress)
    enthalpy = np.zeros((2, *padded))
    start = np.array([float(m.enthalpy(problem.start_degc)) for m in problem.materials])
    enthalpy[:, 1:-1, 1:-1, 1:-1] = start[labels]
    if problem.vessel is not None and problem.vessel_degc != problem.start_degc:
        warm = np.array([float(m.enthalpy(problem.vessel_degc)) for m in problem.materials])
        enthalpy[:, 1:-1, 1:-1, 1:-1][:, problem.vessel] = warm[labels[problem.vessel]]

    check_cancelled(progress)
    runs = _runs(labels, padded)
    check_cancelled(progress)
    lattice = Lattice(
        shape=shape,
        padded=padded,
        h=h,
        start_degc=problem.start_degc,
        vessel_degc=problem.vessel_degc,
        materials=problem.materials,
        coefficients=coefficients.reshape(3, n),
        parameters=np.array([_material_rows(m) for m in problem.materials], np.float32),
        conductivities=np.stack([k_u, k_l], axis=1),
        seam_low=seams[0],
        seam_high=seams[1],
        seam_low_material=seams[2],
        seam_high_material=seams[3],
        seam_a=seams[4],
        seam_b=seams[5],
        run_start=runs[0],
        run_end=runs[1],
        run_material=runs[2],
        row_runs=runs[3],
        w=w.ravel(),
        q=q.ravel(),
        enthalpy=enthalpy.reshape(2, n),
        temperature=temperature.ravel(),
        flow=flow.ravel(),
        potential=potential.ravel(),
        probe_cells=to_padded(probe_cells),
        probe_cell_owner=owner[probe_cells],
        link_cell=to_padded(link_cell),
        link_core=joined("core", np.int64).astype(np.int64),
        link_probe=joined("probe", np.int64).astype(np.int64),
        link_material=labels.ravel()[link_cell].astype(np.int64),
        link_log=link_log,
        link_contact=joined("contact", np.float64).astype(np.float64),
        link_share=joined("share", np.float64).astype(np.float64),
        fixed_cells=to_padded(fixed),
        exchange_cells=to_padded(exchange_cells),
        exchange=exchange,
        stiffness=np.zeros((len(problem.materials), 3)),
    )
    check_cancelled(progress)
    _measure_stiffness(lattice, labels, progress)
    return lattice


def _padded_index(shape: tuple[int, int, int], padded: tuple[int, int, int]):  # type: ignore[no-untyped-def]
    def convert(flat: IntArray) -> IntArray:
        k, rest = np.divmod(flat, shape[1] * shape[2])
        j, i = np.divmod(rest, shape[2])
        return np.asarray(((k + 1) * padded[1] + j + 1) * padded[2] + i + 1, np.int64)

    return convert


def _runs(
    labels: npt.NDArray[np.uint8], padded: tuple[int, int, int]
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    nk, nj, ni = labels.shape
    change = np.ones((nk, nj, ni), bool)
    change[:, :, 1:] = labels[:, :, 1:] != labels[:, :, :-1]
    k, j, i = np.nonzero(change)
    row = (k + 1) * padded[1] + (j + 1)
    start = row * padded[2] + i + 1
    end_of_row = row * padded[2] + ni + 1
    last = np.ones(len(start), bool)
    last[:-1] = row[1:] != row[:-1]
    end = np.where(last, end_of_row, np.append(start[1:], 0))
    pointers = np.searchsorted(row, np.arange(padded[0] * padded[1] + 1))
    return (
        start.astype(np.int64),
        end.astype(np.int64),
        labels[k, j, i].astype(np.int64),
        pointers.astype(np.int64),
    )


def _take_seams(
    coefficients: Float32Array,
    labels: npt.NDArray[np.uint8],
    padded: tuple[int, int, int],
    k_u: FloatArray,
    k_l: FloatArray,
    progress: Progress,
) -> tuple[IntArray, IntArray, IntArray, IntArray, FloatArray, FloatArray]:
    """List the faces between different tissues and take them out of `coefficients`."""
    lows, highs, low_materials, high_materials, factors = [], [], [], [], []
    whole = np.zeros(padded, np.uint8)
    whole[1:-1, 1:-1, 1:-1] = labels
    strides = (padded[1] * padded[2], padded[2], 1)
    for axis in range(3):
        inside = [slice(1, -1)] * 3
        inside[axis] = slice(1, -2)
        other = [slice(1, -1)] * 3
        other[axis] = slice(2, -1)
        check_cancelled(progress)
        differs = np.zeros(padded, bool)
        differs[tuple(inside)] = whole[tuple(inside)] != whole[tuple(other)]
        faces = coefficients[2 - axis]
        low = np.flatnonzero(differs & (faces > 0.0))
        factors.append(faces.ravel()[low].astype(float))
        faces[differs] = 0.0
        lows.append(low)
        highs.append(low + strides[axis])
        low_materials.append(whole.ravel()[low].astype(np.int64))
        high_materials.append(whole.ravel()[low + strides[axis]].astype(np.int64))
    low, high = np.concatenate(lows), np.concatenate(highs)
    m_low, m_high = np.concatenate(low_materials), np.concatenate(high_materials)
    factor = 0.5 * np.concatenate(factors)
    return (
        low.astype(np.int64),
        high.astype(np.int64),
        m_low,
        m_high,
        factor * _harmonic(k_u[m_low], k_u[m_high]),
        factor * _harmonic(k_l[m_low], k_l[m_high]),
    )


def _set_boundary(
    problem: Problem, coefficients: Float32Array, temperature: Float32Array, potential: Float32Array
) -> None:
    """Give the halo its temperature and potential and the outer faces the conductance of half a cell."""
    h = problem.cell_m
    for side, degc in enumerate(problem.boundary_degc):
        if degc is None:
            continue
        axis, high = divmod(side, 2)
        labels = np.take(problem.material_map, -1 if high else 0, axis=axis)
        halo: list[slice | int] = [slice(1, -1)] * 3
        halo[axis] = -1 if high else 0
        face: list[slice | int] = [slice(1, -1)] * 3
        face[axis] = -2 if high else 0
        coefficients[2 - axis][tuple(face)] = 2.0 / h**2
        temperature[tuple(halo)] = degc
        potential[tuple(halo)] = np.array([float(m.potential(degc)) for m in problem.materials])[labels]


def _measure_stiffness(lattice: Lattice, labels: npt.NDArray[np.uint8], progress: Progress) -> None:
    n = lattice.coefficients.shape[1]
    plane, row = lattice.padded[1] * lattice.padded[2], lattice.padded[2]
    faces = np.zeros(n)
    for axis, stride in ((0, 1), (1, row), (2, plane)):
        above = lattice.coefficients[axis].astype(np.float64)
        faces += above
        faces[stride:] += above[:-stride]
    check_cancelled(progress)
    material = np.zeros(lattice.padded, np.int64)
    material[1:-1, 1:-1, 1:-1] = labels
    sums = [faces * lattice.conductivities[material.ravel(), kind] for kind in (0, 1)]
    check_cancelled(progress)
    other = lattice.w.astype(np.float64)
    np.add.at(other, lattice.exchange_cells, lattice.exchange)
    for kind, seam in ((0, lattice.seam_a), (1, lattice.seam_b)):
        np.add.at(sums[kind], lattice.seam_low, 2.0 * seam)
        np.add.at(sums[kind], lattice.seam_high, 2.0 * seam)
        k = lattice.conductivities[lattice.link_material, kind]
        np.add.at(sums[kind], lattice.link_cell, k / lattice.link_log / lattice.h**3)
    cells = [s.reshape(lattice.padded)[1:-1, 1:-1, 1:-1].ravel() for s in (sums[0], sums[1], other)]
    for index in range(len(lattice.materials)):
        check_cancelled(progress)
        chosen = labels.ravel() == index
        if chosen.any():
            lattice.stiffness[index] = [float(c[chosen].max()) for c in cells]
