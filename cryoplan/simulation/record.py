"""Record: what is kept of every cell after a super-step, and what the next one has to know.

One pass over the active chunks: temperatures, the lowest so far and when, time below each threshold, blood
that stops for good, the stiffest cell (it limits the next step), and chunks whose neighbours must wake.
"""

from __future__ import annotations

from typing import Any

from cryoplan.simulation.compiled import bare, inner
from cryoplan.simulation.curves import (
    HALF,
    ONE,
    RISE,
    SLOPED,
    T_L,
    T_LK,
    ZERO,
)  # fmt: skip
from cryoplan.simulation.kernels import ice_of, of_cells, of_material
from cryoplan.simulation.lanes import (
    below,
    bits,
    equal,
    largest,
    load,
    maximum,
    minimum,
    smallest,
    splat,
    store,
    where,
)  # fmt: skip


@inner
def _state_of(y: Any, numbers: Any, shared: Any, way: Any, sum_u: Any, sum_psi: Any) -> Any:
    """Return (temperature, how stiff the cell is in 1/s) of lanes of the state y.

    Gershgorin by columns: 2 (U' sum of its faces + Psi' sum of its faces) bounds the eigenvalues. A cell
    counts as frozen already when it is not, because it may freeze within the next step.
    """
    zero, one, width = (
        splat(shared[way, ZERO]),
        splat(shared[way, ONE]),
        splat(shared[way, HALF]) + splat(shared[way, HALF]),
    )
    ref, h1, inv_h1, inv_c_u, bend, gain = numbers
    e = y + ref
    x, r = ice_of(minimum(e, zero), bend, gain, shared, way)
    liquid = minimum(maximum(e * inv_h1, zero), one)
    t = splat(shared[way, T_L]) + x + liquid * width + maximum(e - h1, zero) * inv_c_u
    psi = one + splat(shared[way, RISE]) * (splat(shared[way, T_LK]) / (splat(shared[way, T_LK]) + x) - one)
    sloped = splat(shared[way, SLOPED])
    per_c_f = gain * (sloped * bend / (r + r) + one - sloped)
    stiff = maximum(sum_psi * psi * per_c_f, sum_u * inv_c_u)
    return t, maximum(stiff, maximum(sum_u, sum_psi) * width * inv_h1)


@inner
def _keep(
    b: Any, flag: Any, here: Any, t: Any, record: Any, below_s: Any, field: Any, numbers: Any, freezing: Any
) -> Any:
    """Write what is kept of sixteen cells; return as bits which of them differ from the start."""
    zero, one = splat(field.shared[0, ZERO]), splat(field.shared[0, ONE])
    huge = splat(numbers[5])
    before = load(record.temperature, b)
    size = record.temperature.shape[0]
    t = where(here, t, before)
    store(record.temperature, b, t)
    lowest = load(record.minimum, b)
    new = below(t, lowest)
    store(record.minimum, b, where(new, t, lowest))
    store(record.minimum_at, b, where(new, splat(numbers[0]), load(record.minimum_at, b)))
    dead = below(where(here, t, huge), splat(numbers[2]))
    if bits(dead) != 0:
        store(field.w, b, where(dead, zero, load(field.w, b)))
        field.still[flag] = 1
    if freezing:
        store(record.freeze_minimum, b, minimum(where(here, t, huge), load(record.freeze_minimum, b)))
    low = minimum(t, before)
    if bits(below(where(here, low, huge), splat(record.thresholds[0]))) != 0:
        # Straight between two notes: the part of the step that the line spends below the threshold.
        span = maximum(t, before) - low + splat(numbers[4])
        for n in range(record.thresholds.shape[0]):
            part = minimum(maximum((splat(record.thresholds[n]) - low) / span, zero), one)
            at = n * size + b
            store(below_s, at, load(below_s, at) + where(here, splat(numbers[1]) * part, zero))
    away = t - load(record.start, b)
    return bits(below(where(here, splat(numbers[3]), huge), maximum(away, zero - away)))


@inner
def chunk_at(base: Any, shape: Any) -> Any:
    """Return the chunk ``(k nj + j) nc + c`` that begins at a place; `shape` is (nj, nc, row, plane)."""
    k, rest = base // shape[3] - 1, base % shape[3]
    return (k * shape[0] + rest // shape[2] - 1) * shape[1] + rest % shape[2] // 16


@bare
def note(
    rank: Any,
    planes: Any,
    current: Any,
    field: Any,
    chunks: Any,
    mixed_own: Any,
    record: Any,
    numbers: Any,
    freezing: Any,
    woken: Any,
    shape: Any,
) -> Any:
    """Note one state; return (coldest degC, stiffest cell 1/s) of the planes of one thread.

    Parameters
    ----------
    rank : int
        Which of the threads this is.
    planes : int64 (threads + 1,)
        First plane of each, and the end.
    numbers : float (6,)
        In the field's type: time s, length of the step s, stasis degC, change that wakes neighbours K, a
        small and a large number.
    freezing : bool
        Whether this step belongs to a freeze: only those count as one.
    woken : int64 (chunks,)
        The cells of each chunk that differ from the start are added, as bits.
    """
    y, own, shared = field.values[current], field.own, field.shared
    below_s = record.below_s
    zero, huge = splat(field.shared[0, ZERO]), splat(numbers[5])
    coldest, stiffest = huge, zero
    singles = range(chunks.single_planes[planes[rank]], chunks.single_planes[planes[rank + 1]])
    mixeds = range(chunks.mixed_planes[planes[rank]], chunks.mixed_planes[planes[rank + 1]])
    # Chunks that have thawed are free of ice again; the kernels only ever add flags.
    for index in singles:
        psi = load(field.psi, chunks.single_base[index])
        field.icy[chunks.single_flag[index]] = bits(below(psi, zero)) != 0
    for index in mixeds:
        psi = load(field.psi, chunks.mixed_base[index])
        field.icy[chunks.mixed_flag[index]] = bits(below(psi, zero)) != 0
    for index in singles:
        b, m = chunks.single_base[index], chunks.single_material[index]
        sums = load(record.sum_u, b), load(record.sum_psi, b)
        t, stiff = _state_of(load(y, b), of_material(own, m), shared, field.way_of[m], *sums)
        here = equal(field.label, b, m)
        coldest = minimum(where(here, t, huge), coldest)
        stiffest = maximum(where(here, stiff, zero), stiffest)
        flag = chunks.single_flag[index]
        woken[chunk_at(b, shape)] |= _keep(b, flag, here, t, record, below_s, field, numbers, freezing)
    for index in mixeds:
        b, n = chunks.mixed_base[index], chunks.mixed_way[index]
        numbers_here = of_cells(mixed_own, chunks.mixed_entry[index])
        sums = load(record.sum_u, b), load(record.sum_psi, b)
        t, stiff = _state_of(load(y, b), numbers_here, shared, n, *sums)
        here = equal(field.way, b, n)
        coldest = minimum(where(here, t, huge), coldest)
        stiffest = maximum(where(here, stiff, zero), stiffest)
        flag = chunks.mixed_flag[index]
        woken[chunk_at(b, shape)] |= _keep(b, flag, here, t, record, below_s, field, numbers, freezing)
    return smallest(coldest), largest(stiffest)
