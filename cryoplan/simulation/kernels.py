"""Kernels: one super-step of the enthalpy equation, compiled, without the interpreter lock.

Plain arrays in, plain arrays out; `cryoplan.simulation.reference` is the slow twin that says the same in
numpy. The stages are first-order Runge-Kutta-Legendre (solver notes section 4)::

    Y_1 = Y_0 + mu~_1 D M(Y_0),  Y_j = mu_j Y_{j-1} + nu_j Y_{j-2} + mu_j w_1 D M(Y_{j-1})

A stage reads Y_{j-1} and overwrites Y_{j-2}: first every cell gets its potentials, perfusion and the
recursion, then the heat that comes through its faces. Bytes are what a stage costs: chunks of one tissue
whose faces are all alike need no face coefficients, and where there is no ice (most of the active tissue)
Psi is zero and is left alone.
Energies go through the same recursion in float64, so that the ledger holds the fluxes exactly as applied.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cryoplan.simulation.compiled import bare, inner
from cryoplan.simulation.curves import (
    BEND,
    GAIN,
    H1,
    HALF,
    INV_C_U,
    INV_H1,
    ONE,
    POLY,
    REF,
    SLOPED,
    T_U,
    ZERO,
)  # fmt: skip
from cryoplan.simulation.lanes import (
    below,
    bits,
    equal,
    expect,
    load,
    maximum,
    minimum,
    root,
    splat,
    store,
    total,
    where,
    widen,
)
from cryoplan.simulation.ledger import BOUNDARY, METABOLISM, PERFUSION, VESSELS
from cryoplan.simulation.links import bathe, cross_seams, through_rim, warm_walls
from cryoplan.simulation.team import look, meet

AHEAD = 8
"""Chunks between asking for memory and using it; rows are too short for the processor to foresee the next."""

HALTED = -1
"""Answer of a super-step that was told to stop."""

MADE = 6
N_MIXED = 7 * 16
"""Column of q_m / w among the numbers that a cell of a mixed chunk brings."""


@inner
def of_material(own: Any, m: Any) -> Any:
    """Return the numbers of a material (columns of `curves`), each for all lanes."""
    return (
        splat(own[m, REF]), splat(own[m, H1]), splat(own[m, INV_H1]), splat(own[m, INV_C_U]),
        splat(own[m, BEND]), splat(own[m, GAIN]),
    )  # fmt: skip


@inner
def of_cells(mixed_own: Any, entry: Any) -> Any:
    """Return the same numbers of the cells of a mixed chunk."""
    at = entry * N_MIXED
    return (
        load(mixed_own, at + REF * 16), load(mixed_own, at + H1 * 16), load(mixed_own, at + INV_H1 * 16),
        load(mixed_own, at + INV_C_U * 16), load(mixed_own, at + BEND * 16), load(mixed_own, at + GAIN * 16),
    )  # fmt: skip


@inner
def ice_of(e: Any, bend: Any, gain: Any, shared: Any, way: Any) -> Any:
    """Return (x, r) of lanes: kelvin below T_l of ice with enthalpy e <= 0 below T_l, and c_f / c_l."""
    one, sloped = splat(shared[way, ONE]), splat(shared[way, SLOPED])
    r = root(one + bend * e)
    return gain * (sloped * (r - one) + (one - sloped) * e), r


@inner
def _psi_of(x: Any, shared: Any, way: Any) -> Any:
    """Return the integral of psi dT from T_l to T_l + x (Horner)."""
    result = splat(shared[way, POLY + 8]) * x
    result = (result + splat(shared[way, POLY + 7])) * x
    result = (result + splat(shared[way, POLY + 6])) * x
    result = (result + splat(shared[way, POLY + 5])) * x
    result = (result + splat(shared[way, POLY + 4])) * x
    result = (result + splat(shared[way, POLY + 3])) * x
    result = (result + splat(shared[way, POLY + 2])) * x
    result = (result + splat(shared[way, POLY + 1])) * x
    return (result + splat(shared[way, POLY])) * x


@inner
def _potentials(y: Any, numbers: Any, shared: Any, way: Any) -> Any:
    """Return (U, Psi, blood flow 0 to 1) of lanes of the state y.

    Blood flow rises from 0 at T_u to full one kelvin above it. A hard switch at T_u has two steady states in
    the cell that holds the ice edge, and one that freezes stops up to half a cell early (physics section 6).
    One kelvin is a tenth of a millimetre in perfused liver.
    """
    ref, h1, inv_h1, inv_c_u, bend, gain = numbers
    e = y + ref
    zero, one, half = splat(shared[way, ZERO]), splat(shared[way, ONE]), splat(shared[way, HALF])
    x, _ = ice_of(minimum(e, zero), bend, gain, shared, way)
    liquid = minimum(maximum(e * inv_h1, zero), one)
    above = maximum(e - h1, zero) * inv_c_u
    solid = one - liquid
    psi = _psi_of(x, shared, way) - half * solid * solid
    u = splat(shared[way, T_U]) + above - half * (one - liquid * liquid)
    return u, psi, minimum(above, one)


@inner
def _begin_single(
    first: Any, last: Any, chunks: Any, field: Any, y1: Any, y2: Any, start: Any, rank: Any
) -> Any:
    """Give cells their potentials and ``mu Y1 + nu Y2 + gain perfusion``; return perfusion, metabolism.

    ``mu + nu = 1``, so that the first two terms are ``Y1 + nu (Y2 - Y1)``: in float32 the rounding of mu and
    nu by themselves would make or lose heat everywhere.
    """
    own, shared = field.own, field.shared
    zero = splat(shared[0, ZERO])
    nu, gain = splat(field.scratch[rank, 0]), splat(field.scratch[rank, 1])
    blood = splat(start)
    brought, made = zero, zero
    for index in range(first, last):
        b = chunks.single_base[index]
        far = chunks.single_base[min(index + AHEAD, last - 1)]
        expect(y1, far)
        expect(y2, far)
        expect(field.u, far)
        expect(field.psi, far)
        m = chunks.single_material[index]
        here = equal(field.label, b, m)
        y = load(y1, b)
        flag = chunks.single_flag[index]
        way = field.way_of[m]
        flow = splat(field.flow[m])
        if field.still[flag]:
            flow = load(field.w, b)
        above = (y + splat(own[m, REF]) - splat(own[m, H1])) * splat(own[m, INV_C_U])
        if not field.icy[flag]:
            if bits(below(where(here, above, zero), zero)) == 0:
                # No ice here, and none before: Psi is and stays zero. This is most of the tissue.
                u = splat(shared[way, T_U]) + above
                flow = where(here, flow * minimum(above, splat(shared[way, ONE])), zero)
                heat = flow * (blood - u)
                brought = brought + heat
                made = made + flow * splat(field.made[m])
                old = load(y2, b)
                store(field.u, b, where(here, u, load(field.u, b)))
                store(y2, b, where(here, y + nu * (old - y) + gain * heat, old))
                continue
            field.icy[flag] = 1
        u, psi, open_ = _potentials(y, of_material(own, m), shared, way)
        flow = where(here, flow * open_, zero)
        heat = flow * (blood - u)
        brought = brought + heat
        made = made + flow * splat(field.made[m])
        old = load(y2, b)
        store(field.u, b, where(here, u, load(field.u, b)))
        store(field.psi, b, where(here, psi, load(field.psi, b)))
        store(y2, b, where(here, y + nu * (old - y) + gain * heat, old))
    return total(brought), total(made)


@inner
def _begin_mixed(
    first: Any, last: Any, chunks: Any, field: Any, mixed_own: Any, y1: Any, y2: Any, start: Any, rank: Any
) -> Any:
    """Do the same for chunks of many materials, whose cells bring their own numbers."""
    shared = field.shared
    zero = splat(shared[0, ZERO])
    nu, gain = splat(field.scratch[rank, 0]), splat(field.scratch[rank, 1])
    blood = splat(start)
    brought, made = zero, zero
    for index in range(first, last):
        b = chunks.mixed_base[index]
        n = chunks.mixed_way[index]
        entry = chunks.mixed_entry[index]
        here = equal(field.way, b, n)
        y = load(y1, b)
        u, psi, flow = _potentials(y, of_cells(mixed_own, entry), shared, n)
        if bits(below(where(here, psi, zero), zero)) != 0:
            field.icy[chunks.mixed_flag[index]] = 1
        flow = where(here, load(field.w, b) * flow, zero)
        heat = flow * (blood - u)
        brought = brought + heat
        made = made + flow * load(mixed_own, entry * N_MIXED + MADE * 16)
        old = load(y2, b)
        store(field.u, b, where(here, u, load(field.u, b)))
        store(field.psi, b, where(here, psi, load(field.psi, b)))
        store(y2, b, where(here, y + nu * (old - y) + gain * heat, old))
    return total(brought), total(made)


@inner
def _ice_about(icy: Any, flag: Any, flag_row: Any, flag_plane: Any) -> Any:
    """Tell whether Psi may differ from zero in a chunk or beside it."""
    own = icy[flag] | icy[flag - 1] | icy[flag + 1]
    beside = icy[flag - flag_row] | icy[flag + flag_row]
    return (own | beside | icy[flag - flag_plane] | icy[flag + flag_plane]) != 0


@inner
def _around(x: Any, b: Any, row: Any, plane: Any, six: Any) -> Any:
    """Return the sum of the six neighbours of each cell of a potential x, less six times its own."""
    beside = load(x, b + 1) + load(x, b - 1) + load(x, b + row) + load(x, b - row)
    return beside + load(x, b + plane) + load(x, b - plane) - six * load(x, b)


@inner
def _conduct_plain(
    first: Any, last: Any, chunks: Any, field: Any, faces: Any, y2: Any, strides: Any, six: Any, rank: Any
) -> None:
    row, plane = strides[0], strides[1]
    gain, six = splat(field.scratch[rank, 1]), splat(six)
    for index in range(first, last):
        b = chunks.plain_base[index]
        m = chunks.plain_material[index]
        inward = splat(faces.plain[m, 0]) * _around(field.u, b, row, plane, six)
        if _ice_about(field.icy, chunks.plain_flag[index], strides[2], strides[3]):
            inward = inward + splat(faces.plain[m, 1]) * _around(field.psi, b, row, plane, six)
        store(y2, b, load(y2, b) + gain * inward)


@inner
def _through_faces(kept: Any, x: Any, b: Any, row: Any, plane: Any) -> Any:
    """Return what comes in through the six faces of each cell of a potential x: conductivity times kelvin."""
    c = load(x, b)
    n = kept.shape[1]
    j, k = b + n, b + 2 * n
    inward = widen(kept, b) * (load(x, b + 1) - c) + widen(kept, b - 1) * (load(x, b - 1) - c)
    inward = inward + (
        widen(kept, j) * (load(x, b + row) - c) + widen(kept, j - row) * (load(x, b - row) - c)
    )
    return inward + (
        widen(kept, k) * (load(x, b + plane) - c) + widen(kept, k - plane) * (load(x, b - plane) - c)
    )


@inner
def _conduct_varied(
    first: Any, last: Any, chunks: Any, field: Any, faces: Any, y2: Any, strides: Any, rank: Any
) -> None:
    row, plane = strides[0], strides[1]
    gain = splat(field.scratch[rank, 2])
    for index in range(first, last):
        b = chunks.varied_base[index]
        inward = _through_faces(faces.of_u, field.u, b, row, plane)
        if _ice_about(field.icy, chunks.varied_flag[index], strides[2], strides[3]):
            inward = inward + _through_faces(faces.of_psi, field.psi, b, row, plane)
        store(y2, b, load(y2, b) + gain * inward)


@inner
def _begin_plane(
    k: Any, chunks: Any, field: Any, mixed_own: Any, y1: Any, y2: Any, start: Any, sums: Any, rank: Any
) -> None:
    brought, made = _begin_single(
        chunks.single_planes[k], chunks.single_planes[k + 1], chunks, field, y1, y2, start, rank
    )
    more, more_made = _begin_mixed(
        chunks.mixed_planes[k], chunks.mixed_planes[k + 1], chunks, field, mixed_own, y1, y2, start, rank
    )
    sums[k, 0], sums[k, 1] = brought + more, made + more_made


@inner
def _conduct_plane(
    k: Any, chunks: Any, field: Any, faces: Any, y2: Any, strides: Any, six: Any, rank: Any
) -> None:
    first, last = chunks.plain_planes[k], chunks.plain_planes[k + 1]
    _conduct_plain(first, last, chunks, field, faces, y2, strides, six, rank)
    first, last = chunks.varied_planes[k], chunks.varied_planes[k + 1]
    _conduct_varied(first, last, chunks, field, faces, y2, strides, rank)


@bare
def super_step(
    rank: Any,
    threads: Any,
    current: Any,
    field: Any,
    faces: Any,
    chunks: Any,
    mixed_own: Any,
    walls: Any,
    seams: Any,
    baths: Any,
    rim: Any,
    held: Any,
    strides: Any,
    start: Any,
    cell_m: Any,
    step_s: Any,
    stages: Any,
    coolant: Any,
    strength: Any,
    ledger: Any,
) -> Any:
    """Advance the field by `step_s`; return which of the two buffers holds it, or `HALTED`.

    ``threads.halt[0]`` is looked at after every stage: when somebody has set it the field is left as it is,
    and is of no use any more.

    Parameters
    ----------
    rank : int
        Which of the threads this is; all of them call with the same arrays.
    threads : Threads
        First plane of each thread, the counter at which they meet, and room for sums.
    current : int
        Buffer with the state.
    field, faces, chunks, walls, seams, baths, rim
        See `cryoplan.simulation.arrays`.
    mixed_own : float (entries, 112)
        Numbers of the cells of mixed chunks.
    held : int64 (m,)
        Cells whose temperature is imposed.
    strides : int64 (4,)
        Places from row to row and from plane to plane, of cells and of the flags of ice.
    start : float (2,)
        Temperature of the blood, degC, and the number six, in the field's type.
    cell_m : float
        Edge of the cells.
    coolant : float64 (stages, probes)
        T_c at the time of each stage, degC.
    strength : float64 (probes,)
        h in W/(m2 K); zero when the probe is off.
    ledger : float64 (6 + probes,)
        Set to the joules that came into the tissue, by line.
    """
    volume = cell_m**3
    n_terms = ledger.shape[0]
    n_threads = threads.first.shape[0] - 1
    first, last = threads.first[rank], threads.first[rank + 1]
    e_1, e_2, rate = threads.energies[0], threads.energies[1], threads.energies[2]
    w1 = 2.0 / (stages * stages + stages)
    if rank == 0:
        for index in range(held.shape[0]):
            field.values[1 - current, held[index]] = 0.0
    meet(threads.counter, n_threads)
    for stage in range(1, stages + 1):
        mu, nu = 1.0, 0.0
        if stage > 1:
            mu, nu = (2.0 * stage - 1.0) / stage, (1.0 - stage) / stage
        gain = mu * w1 * step_s
        field.scratch[rank, 0], field.scratch[rank, 1] = nu, gain
        field.scratch[rank, 2] = gain / (cell_m * cell_m)
        y1, y2 = field.values[current], field.values[1 - current]
        # Heat flows one plane behind the potentials: what it needs is still in the near cache. The outermost
        # planes of a thread wait (turn 1) for those of its neighbours.
        for turn in range(2):
            for k in range(first, last + 1):
                if turn == 0 and k < last:
                    _begin_plane(k, chunks, field, mixed_own, y1, y2, start[0], threads.sums, rank)
                behind = k - 1
                waits = (behind == first and rank > 0) or (behind == last - 1 and rank < n_threads - 1)
                if behind >= first and waits == (turn == 1):
                    _conduct_plane(behind, chunks, field, faces, y2, strides, start[1], rank)
            meet(threads.counter, n_threads)
        if rank == n_threads - 1:
            threads.through_rim[0] = through_rim(field, rim)
        if rank == 0:
            for term in range(n_terms):
                rate[term] = 0.0
            for k in range(threads.sums.shape[0]):
                rate[PERFUSION] += threads.sums[k, 0] - threads.sums[k, 1]
                rate[METABOLISM] += threads.sums[k, 1]
            cross_seams(field, seams, y1, y2, gain, threads.seams)
            warm_walls(field, walls, coolant[stage - 1], strength, y2, gain, volume, rate)
            bathe(field, baths, y1, y2, gain, rate)
            # The buffer of the next stage starts empty in held cells: what comes in then is the heat.
            for index in range(held.shape[0]):
                y1[held[index]] = 0.0
            threads.halt[1] = look(threads.halt, 0)
        meet(threads.counter, n_threads)
        if look(threads.halt, 1):
            return HALTED
        if rank == 0:
            rate[BOUNDARY] += threads.through_rim[0]
            # What the faces brought to a held cell is what the blood takes away.
            taken = 0.0
            for index in range(held.shape[0]):
                taken += np.float64(y2[held[index]])
            for term in range(n_terms):
                new = mu * e_1[term] + nu * e_2[term] + gain * rate[term] * volume
                if term == VESSELS:
                    new -= taken * volume
                e_2[term] = e_1[term]
                e_1[term] = new
        current = 1 - current
    if rank == 0:
        for term in range(n_terms):
            ledger[term] = e_1[term]
    return current
