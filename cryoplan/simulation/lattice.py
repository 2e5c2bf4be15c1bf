"""Lattice: a problem as the flat arrays that the kernels step (their meaning: `cryoplan.simulation.arrays`).

A face within one tissue carries the integral of k dT, a face between tissues that freeze alike the harmonic
means of their k_u and k_l: the harmonic mean belongs to jumps of material, not of state (solver notes
section 2). Tissues that freeze at other temperatures (lung, fluid, gas beside tissue) meet in *seams*, mean
conductivity times temperature difference. The probe factors are folded into the faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.simulation.active import ChunkTable, Layout
from cryoplan.simulation.arrays import NOTHING, Baths, Faces, Field, Record, Seams, Walls, room, same_room
from cryoplan.simulation.curves import potentials, tabulate, way_to_freeze
from cryoplan.simulation.lanes import has_halves
from cryoplan.simulation.ledger import SKIN, VESSELS, WARMERS
from cryoplan.simulation.probe_cells import ProbeCells, gather_probes
from cryoplan.simulation.problem import Problem
from cryoplan.simulation.survey import kept, survey_chunks
from cryoplan.simulation.team import MOST_THREADS

Float64s = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RECORDED_DEGC = (0.0, -20.0, -40.0)
"""Thresholds whose time below is kept for every cell."""

_SLOTS = {"vessel": VESSELS, "skin": SKIN, "warmer": WARMERS}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lattice:
    """Arrays of one solve; the kernels change the state and the record in place.

    Attributes
    ----------
    layout : Layout
    cell_m : float
        Edge of the cells.
    field, faces, walls, record
        See `cryoplan.simulation.arrays`.
    seams, baths
        All of them; `ActiveSet` picks those that are stepped.
    table : ChunkTable
        All chunks.
    held : int64
        Places whose temperature is imposed.
    probes : ProbeCells
        Cells that hold probes.
    """

    layout: Layout
    cell_m: float
    field: Field
    faces: Faces
    walls: Walls
    seams: Seams
    baths: Baths
    record: Record
    table: ChunkTable
    held: Ints
    probes: ProbeCells


def build_lattice(problem: Problem, progress: Progress = SILENT) -> Lattice:
    """Return the arrays of `problem` at its start.

    Raises
    ------
    Cancelled
        When `progress` says so; it is asked between the parts, each of which is short on the largest grids.
    """
    dtype = np.float64 if problem.settings.is_double else np.float32
    layout = Layout(shape=problem.grid.shape)
    check_cancelled(progress)
    probes = gather_probes(problem, layout)
    held, held_degc = _held(problem, layout)
    void = np.zeros(0, np.int64)
    if problem.void is not None:
        void = layout.places(np.flatnonzero(problem.void))
    label = room(layout.size, np.uint8)
    label[:] = NOTHING
    layout.inner(label)[:] = problem.material_map
    material = label.copy()  # what a place is made of, whether it is stepped or not
    for places in (held, void, probes.places):
        label[places] = NOTHING
    check_cancelled(progress)
    field, record = _state(problem, layout, label, dtype)
    faces, seams = _faces(problem, layout, material, np.concatenate([void, probes.places]), probes, dtype)
    check_cancelled(progress)
    _set_boundary(problem, layout, faces, field)
    _impose(problem, held, held_degc, material, field, record)
    imposed = np.isin(seams.cell, held)
    seams.held_degc[imposed] = record.temperature[seams.cell[imposed]]
    check_cancelled(progress)
    field.icy[:] = layout.flags_of(field.psi != 0.0)
    table = survey_chunks(layout, field, faces, record)
    baths = _baths(problem, layout, label)
    for side in (seams.low, seams.high):
        np.add.at(record.sum_u, seams.cell[side], 2.0 * seams.of_u)
        np.add.at(record.sum_psi, seams.cell[side], 2.0 * seams.of_psi)
    for sums in (record.sum_u, record.sum_psi):
        sums += field.w
        np.add.at(sums, baths.cell, baths.rate)
    return Lattice(
        layout=layout,
        cell_m=problem.cell_m,
        field=field,
        faces=kept(faces, problem.cell_m),
        walls=probes.walls(label, problem.start_degc),
        seams=seams,
        baths=baths,
        record=record,
        table=table,
        held=held[label[held] == NOTHING],
        probes=probes,
    )


def _held(problem: Problem, layout: Layout) -> tuple[Ints, Float64s]:
    """Return the places whose temperature is imposed, and those temperatures."""
    if problem.held is None or problem.held_degc is None:
        return np.zeros(0, np.int64), np.zeros(0)
    chosen = np.flatnonzero(problem.held)
    return layout.places(chosen), problem.held_degc.ravel()[chosen].astype(float)


def _state(
    problem: Problem, layout: Layout, label: npt.NDArray[np.uint8], dtype: npt.DTypeLike
) -> tuple[Field, Record]:
    materials, start = problem.materials, problem.start_degc
    size = layout.size
    values = room((2, size), dtype)
    degc, u, psi, w = (room(size, dtype) for _ in range(4))
    degc[:] = start
    flow = np.array([*(m.w for m in materials)], dtype)
    stepped = layout.inner(label) != NOTHING
    layout.inner(w)[stepped] = flow[problem.material_map[stepped]]
    if problem.start_field_degc is None:
        for array, number in zip((u, psi), potentials(materials[0], start), strict=True):
            array[:] = number
        for index, material in enumerate(materials[1:], start=1):
            if way_to_freeze(material) != way_to_freeze(materials[0]):
                chosen = layout.inner(label) == index
                for array, number in zip((u, psi), potentials(material, start), strict=True):
                    layout.inner(array)[chosen] = number
    else:
        field_degc = problem.start_field_degc
        layout.inner(degc)[:] = field_degc
        c_u, t_u = (np.array([getattr(m, name) for m in materials]) for name in ("c_u", "t_u"))
        # Above T_u, which is nearly everywhere, U is the temperature and the enthalpy is straight.
        layout.inner(u)[:] = field_degc
        layout.inner(values[0])[:] = c_u.astype(dtype)[problem.material_map] * (field_degc - start)
        for index in np.unique(problem.material_map[field_degc < t_u[problem.material_map]]):
            material, chosen = materials[index], problem.material_map == index
            t = field_degc[chosen].astype(float)
            above = material.enthalpy(t) - float(material.enthalpy(start))
            layout.inner(values[0])[chosen] = above
            for array, numbers in zip((u, psi), potentials(material, t), strict=True):
                layout.inner(array)[chosen] = numbers
        values[1] = values[0]
    curves = tabulate(materials, start, dtype)
    way = room(size, np.uint8)
    way[:] = NOTHING
    layout.inner(way)[stepped] = curves.way[problem.material_map[stepped]]
    field = Field(
        values=values,
        u=u,
        psi=psi,
        w=w,
        label=label,
        way=way,
        own=curves.own,
        shared=curves.shared,
        way_of=curves.way,
        flow=flow,
        made=np.array([m.q_m / m.w if m.w > 0.0 else 0.0 for m in materials], dtype),
        k=curves.conductivity,
        scratch=np.zeros((MOST_THREADS, 3), dtype),
        icy=np.zeros(layout.n_flags, np.uint8),
        still=np.zeros(layout.n_flags, np.uint8),
    )
    record = Record(
        temperature=same_room(degc),
        start=degc,
        minimum=same_room(degc),
        minimum_at=room(size, dtype),
        freeze_minimum=same_room(degc),
        below_s=room(len(RECORDED_DEGC) * size, dtype),
        thresholds=np.array(RECORDED_DEGC, dtype),
        sum_u=room(size, dtype),
        sum_psi=room(size, dtype),
    )
    return field, record


def _harmonic(a: Float64s, b: Float64s) -> Float64s:
    return np.asarray(2.0 * a * b / (a + b))


def _faces(
    problem: Problem,
    layout: Layout,
    material: npt.NDArray[np.uint8],
    closed: Ints,
    probes: ProbeCells,
    dtype: npt.DTypeLike,
) -> tuple[Faces, Seams]:
    """Return all faces; `closed` are places that nothing flows into or out of through a face."""
    per_area = 1.0 / problem.cell_m**2
    k = np.array([[m.k_u, m.k_l] for m in problem.materials])
    # What the kernels read is what everybody uses, or a face would pass different heat to its two sides.
    rounded = _rounded if dtype == np.float32 and has_halves() else np.asarray
    plain = (rounded(k) * per_area).astype(dtype)
    ways = [way_to_freeze(m) for m in problem.materials]
    alike = np.array([[a == b for b in ways] for a in ways])
    strides = (layout.plane, layout.row, 1)
    found = np.zeros((2, 3, layout.size), dtype)
    is_closed = np.zeros(layout.size, bool)
    is_closed[closed] = True
    lows, highs, conductances = [], [], []
    # One gather serves three axes.
    own = [plain[:, kind][problem.material_map] for kind in (0, 1)]
    for axis, stride in enumerate(strides):
        inside = [slice(None)] * 3
        inside[axis] = slice(None, -1)
        here = tuple(inside)
        for kind in (0, 1):
            layout.inner(found[kind, 2 - axis])[here] = own[kind][here]
        chosen = probes.face_axis == axis
        places, factors = probes.face_place[chosen], probes.face_factor[chosen]
        for kind in (0, 1):
            found[kind, 2 - axis][places] = per_area * rounded(k[material[places], kind] * factors)
        inside[axis] = slice(1, None)
        differs = np.flatnonzero(problem.material_map[here] != problem.material_map[tuple(inside)])
        low = layout.places(_flat(differs, problem.material_map[here].shape, layout.shape))
        high = low + stride
        scale = np.ones(len(low))
        if len(places):
            at = np.minimum(np.searchsorted(places, low), len(places) - 1)
            scale = np.where(places[at] == low, factors[at], 1.0)
        a, b = material[low], material[high]
        means = [per_area * rounded(scale * _harmonic(k[a, kind], k[b, kind])) for kind in (0, 1)]
        same = alike[a, b]
        for kind in (0, 1):
            found[kind, 2 - axis][low] = np.where(same, means[kind], 0.0)
            for shift in (0, -stride):
                found[kind, 2 - axis][closed + shift] = 0.0
        good = ~same & ~is_closed[low] & ~is_closed[high]
        lows.append(low[good])
        highs.append(high[good])
        conductances.append(0.5 * np.stack(means)[:, good])
    low, high = np.concatenate(lows), np.concatenate(highs)
    cells, place = np.unique(np.concatenate([low, high]), return_inverse=True)
    conductance = np.concatenate(conductances, axis=1)
    seams = Seams(
        cell=cells,
        material=material[cells].astype(np.int64),
        held_degc=np.full(len(cells), np.nan),
        low=place[: len(low)].astype(np.int64),
        high=place[len(low) :].astype(np.int64),
        of_u=conductance[0],
        of_psi=conductance[1],
    )
    return Faces(of_u=found[0], of_psi=found[1], plain=plain), seams


def _rounded(conductivity: Float64s) -> Float64s:
    """Return the nearest float16 numbers: 2.4e-4 relative, far below the spread of any source."""
    return conductivity.astype(np.float16).astype(np.float64)


def _flat(cells: Ints, part: tuple[int, ...], whole: tuple[int, ...]) -> Ints:
    """Return flat indices of `whole` for those of its lower corner of shape `part`."""
    return np.asarray(np.ravel_multi_index(np.unravel_index(cells, part), whole), np.int64)


def _set_boundary(problem: Problem, layout: Layout, faces: Faces, field: Field) -> None:
    """Give the halo its temperature, and the outer faces the conductance of half a cell."""
    shape = layout.shape
    index = np.arange(shape[0] * shape[1] * shape[2]).reshape(shape)
    known: dict[float, Float64s] = {}
    for side, degc in enumerate(problem.boundary_degc):
        if degc is None:
            continue
        axis, high = divmod(side, 2)
        stride = (layout.plane, layout.row, 1)[axis]
        cells = np.take(index, -1 if high else 0, axis=axis).ravel()
        places = layout.places(cells)
        open_ = field.label[places] != NOTHING
        cells, places = cells[open_], places[open_]
        outside = places + stride if high else places - stride
        face = places if high else outside
        of = problem.material_map.ravel()[cells]
        for array, plain in ((faces.of_u, faces.plain[:, 0]), (faces.of_psi, faces.plain[:, 1])):
            array[2 - axis][face] = 2.0 * plain[of]
        # Hundreds of materials (shares of two tissues in a cell), and as a rule one temperature on all sides.
        both = known.get(degc)
        if both is None:
            both = known[degc] = np.array([potentials(m, degc) for m in problem.materials])
        field.u[outside], field.psi[outside] = both[of, 0], both[of, 1]


def _impose(
    problem: Problem,
    held: Ints,
    held_degc: Float64s,
    material: npt.NDArray[np.uint8],
    field: Field,
    record: Record,
) -> None:
    for index, of in enumerate(problem.materials):
        chosen = material[held] == index
        places, degc = held[chosen], held_degc[chosen]
        field.u[places], field.psi[places] = potentials(of, degc)
        for array in (record.temperature, record.start, record.minimum, record.freeze_minimum):
            array[places] = degc
        field.values[:, places] = 0.0


def _baths(problem: Problem, layout: Layout, label: npt.NDArray[np.uint8]) -> Baths:
    every = problem.exchanges
    cell = layout.places(np.concatenate([np.zeros(0, np.int64), *(e.cells for e in every)]))
    good = label[cell] != NOTHING
    return Baths(
        cell=cell[good],
        material=label[cell[good]].astype(np.int64),
        rate=np.concatenate([np.zeros(0), *(e.rate for e in every)])[good],
        degc=np.concatenate([np.zeros(0), *(e.degc for e in every)])[good],
        slot=np.repeat([_SLOTS[e.kind] for e in every], [len(e.cells) for e in every]).astype(np.int64)[good],
    )
