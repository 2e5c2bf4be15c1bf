"""Lattice: a problem as the flat arrays that the kernels step, with one layer of halo on every side.

Cells are stored as one run of ``(nk + 2) (nj + 2) (ni + 2)`` values; the face *above* a cell along an axis has the
index of that cell. A face between tissues carries ``A (u_a + u_b) + B (psi_a + psi_b)`` times the temperature
difference: u is the unfrozen fraction, psi the ice factor, A and B half the harmonic means of the unfrozen and of the
just frozen conductivities over h^2. The harmonic mean belongs to jumps of material, the arithmetic one to
the state (solver notes section 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.simulation.problem import Problem
from cryoplan.simulation.sources import probe_faces
from cryoplan.simulation.tissue import Material

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

N_PARAMETERS = 10


@dataclass(slots=True, kw_only=True, eq=False)
class Lattice:
    """Arrays of one solve; the state arrays are changed in place by the kernels.

    Attributes
    ----------
    shape, padded : tuple of int
        Cells ``(nk, nj, ni)`` without and with halo.
    h : float
        Edge, m.
    coefficients : float32 (6, n)
        A and B of the faces above along i, j, k: rows A_i, B_i, A_j, B_j, A_k, B_k; W/(m3 K).
    parameters : float32 (materials, 10)
        T_l, H1, 1/H1, (T_u - T_l)/H1, 1/c_u, c_l, 2 cf_b, T_l in kelvin, rise, c_l^2.
    conductivities : float64 (materials, 2)
        k_u and k_l, W/(m K), for the wall links.
    run_start, run_end, run_material, row_runs : int64
        Runs of one material along i; row ``k * nj_padded + j`` has runs ``row_runs[row]:row_runs[row + 1]``.
    w, q : float32 (n,)
        Perfusion W/(m3 K) and metabolic heat W/m3; set to zero for good where blood has stopped.
    enthalpy : float64 (2, n)
        State J/m3 and work buffer.
    temperature, unfrozen, ice : float32 (n,)
        T in degC, u and psi of the last state.
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
    run_start: IntArray
    run_end: IntArray
    run_material: IntArray
    row_runs: IntArray
    w: Float32Array
    q: Float32Array
    enthalpy: FloatArray
    temperature: Float32Array
    unfrozen: Float32Array
    ice: Float32Array
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

        ``D_e = 2 / lambda_max`` with Gershgorin's ``lambda_max <= 2 max(sum of conductances / C)``; five percent are
        kept back. Ice is worst, and the colder the worse: k rises and c falls.
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
        return 0.95 / largest


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
    ]


def _harmonic(values: FloatArray, labels: npt.NDArray[np.uint8], axis: int) -> FloatArray:
    """Return the harmonic means of a per-material value over the faces along `axis` of unpadded labels."""
    lower = [slice(None)] * 3
    upper = [slice(None)] * 3
    lower[axis], upper[axis] = slice(0, -1), slice(1, None)
    a, b = values[labels[tuple(lower)]], values[labels[tuple(upper)]]
    return np.asarray(2.0 * a * b / (a + b))


def build_lattice(problem: Problem) -> Lattice:
    """Return the arrays of `problem` at its start."""
    shape = problem.grid.shape
    nk, nj, ni = shape
    padded = (nk + 2, nj + 2, ni + 2)
    n = padded[0] * padded[1] * padded[2]
    h = problem.cell_m
    labels = problem.material_map
    k_u = np.array([m.k_u for m in problem.materials])
    k_l = np.array([m.k_l for m in problem.materials])

    coefficients = np.zeros((6, *padded), np.float32)
    for axis in range(3):
        row = 2 * (2 - axis)
        inside = [slice(1, -1)] * 3
        inside[axis] = slice(1, -2)
        for offset, values in enumerate((k_u, k_l)):
            coefficients[row + offset][tuple(inside)] = 0.5 * _harmonic(values, labels, axis) / h**2

    temperature = np.full(padded, problem.start_degc, np.float32)
    unfrozen = np.ones(padded, np.float32)
    ice = np.zeros(padded, np.float32)
    _set_boundary(problem, coefficients, temperature, unfrozen, ice)

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
        row = 2 * (2 - axis)
        factor = factors[axis].reshape(shape)
        for offset in (0, 1):
            coefficients[row + offset][1:-1, 1:-1, 1:-1] *= factor
    is_core = np.zeros(padded, bool)
    is_core[1:-1, 1:-1, 1:-1] = (owner >= 0).reshape(shape)
    for axis in range(3):
        row = 2 * (2 - axis)
        above = np.roll(is_core, -1, axis=axis)
        coefficients[row : row + 2, is_core | above] = 0.0

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

    enthalpy = np.zeros((2, *padded))
    start = np.array([float(m.enthalpy(problem.start_degc)) for m in problem.materials])
    enthalpy[:, 1:-1, 1:-1, 1:-1] = start[labels]
    if problem.vessel is not None and problem.vessel_degc != problem.start_degc:
        warm = np.array([float(m.enthalpy(problem.vessel_degc)) for m in problem.materials])
        enthalpy[:, 1:-1, 1:-1, 1:-1][:, problem.vessel] = warm[labels[problem.vessel]]

    runs = _runs(labels, padded)
    lattice = Lattice(
        shape=shape,
        padded=padded,
        h=h,
        start_degc=problem.start_degc,
        vessel_degc=problem.vessel_degc,
        materials=problem.materials,
        coefficients=coefficients.reshape(6, n),
        parameters=np.array([_material_rows(m) for m in problem.materials], np.float32),
        conductivities=np.stack([k_u, k_l], axis=1),
        run_start=runs[0],
        run_end=runs[1],
        run_material=runs[2],
        row_runs=runs[3],
        w=w.ravel(),
        q=q.ravel(),
        enthalpy=enthalpy.reshape(2, n),
        temperature=temperature.ravel(),
        unfrozen=unfrozen.ravel(),
        ice=ice.ravel(),
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
    _measure_stiffness(lattice, labels)
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
    return start.astype(np.int64), end.astype(np.int64), labels[k, j, i].astype(np.int64), pointers.astype(np.int64)


def _set_boundary(
    problem: Problem,
    coefficients: Float32Array,
    temperature: Float32Array,
    unfrozen: Float32Array,
    ice: Float32Array,
) -> None:
    """Give the halo its temperature and the outer faces the conductance of half a cell."""
    h = problem.cell_m
    k_u = np.array([m.k_u for m in problem.materials])
    k_l = np.array([m.k_l for m in problem.materials])
    for side, degc in enumerate(problem.boundary_degc):
        if degc is None:
            continue
        axis, high = divmod(side, 2)
        labels = np.take(problem.material_map, -1 if high else 0, axis=axis)
        halo: list[slice | int] = [slice(1, -1)] * 3
        halo[axis] = -1 if high else 0
        face: list[slice | int] = [slice(1, -1)] * 3
        face[axis] = -2 if high else 0
        row = 2 * (2 - axis)
        coefficients[row][tuple(face)] = k_u[labels] / h**2
        coefficients[row + 1][tuple(face)] = k_l[labels] / h**2
        u = np.array([float(m.unfrozen_fraction(degc)) for m in problem.materials])
        psi = np.array([float(m.ice_factor(degc)) for m in problem.materials])
        temperature[tuple(halo)] = degc
        unfrozen[tuple(halo)] = u[labels]
        ice[tuple(halo)] = psi[labels]


def _measure_stiffness(lattice: Lattice, labels: npt.NDArray[np.uint8]) -> None:
    n = lattice.coefficients.shape[1]
    plane, row = lattice.padded[1] * lattice.padded[2], lattice.padded[2]
    sums = np.zeros((2, n))
    for axis, stride in ((0, 1), (1, row), (2, plane)):
        for kind in (0, 1):
            faces = 2.0 * lattice.coefficients[2 * axis + kind].astype(np.float64)
            sums[kind] += faces
            sums[kind][stride:] += faces[:-stride]
    other = lattice.w.astype(np.float64)
    np.add.at(other, lattice.exchange_cells, lattice.exchange)
    for kind in (0, 1):
        k = lattice.conductivities[lattice.link_material, kind]
        with np.errstate(divide="ignore"):
            np.add.at(sums[kind], lattice.link_cell, k / lattice.link_log / lattice.h**3)
    cells = [s.reshape(lattice.padded)[1:-1, 1:-1, 1:-1].ravel() for s in (sums[0], sums[1], other)]
    for index in range(len(lattice.materials)):
        chosen = labels.ravel() == index
        if chosen.any():
            lattice.stiffness[index] = [float(c[chosen].max()) for c in cells]
