"""Arrays: the groups of flat arrays that the kernels read and write.

Cells lie in rows along i of whole chunks of sixteen places, filled up by at least two: the first of them is
the halo above the row, the last one that below the next row. Rows lie in planes with one halo row at each
side, and planes between two halo planes. A chunk begins where a cache line does, or every load would touch
two. The face *above* a cell along an axis has the index of that cell. `NOTHING` in `Field.label` marks what
is no tissue: halo, filling, probes, held vessels, air around the body.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Float64s = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
"""Lists of places that are read at every stage: half the bytes."""

NOTHING = 255

LINE_BYTES = 64
"""A cache line, and a register of sixteen float32."""


def room(shape: int | tuple[int, int], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return zeros that begin at a cache line."""
    n, item = int(np.prod(shape)), np.dtype(dtype).itemsize
    whole = np.zeros(n + LINE_BYTES // item, dtype)
    first = -whole.ctypes.data % LINE_BYTES // item
    return whole[first : first + n].reshape(shape)


def same_room(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a copy that begins at a cache line."""
    copy = room(array.shape, array.dtype)
    copy[:] = array
    return copy


class Field(NamedTuple):
    """The state. `values` (2, n): enthalpy above that at the start, J/m3, and the work buffer.

    `u`, `psi` are the potentials in kelvin, `w` the perfusion in W/(m3 K) (zero where blood has stopped),
    `label` the material and `way` how it freezes, `own` and `shared` the tables of `curves`, `flow` w and
    `made` q_m / w in K per material, `k` (materials, 2) the conductivities, `scratch` nu, gain and gain per
    h2 of the stage for each thread, in the field's type. `icy` (planes + 2, rows + 2, chunks + 2) flat is 1
    where Psi may differ from 0, `still` where blood has stopped in some cell: elsewhere `w` is that of the
    material.
    """

    values: Floats
    u: Floats
    psi: Floats
    w: Floats
    label: npt.NDArray[np.uint8]
    way: npt.NDArray[np.uint8]
    own: Floats
    shared: Floats
    way_of: Ints
    flow: Floats
    made: Floats
    k: Float64s
    scratch: Floats
    icy: npt.NDArray[np.uint8]
    still: npt.NDArray[np.uint8]


class Faces(NamedTuple):
    """Conductivities of the faces above each cell along i, j, k in W/(m K): of U and of Psi, (3, n) each.

    float16 as uint16 where the processor reads that and the field is float32, else the field's type: see
    `conductivity`. `plain` (materials, 2), W/(m3 K) in the field's type, are the conductances of a face
    within one tissue and far from probes.
    """

    of_u: npt.NDArray[Any]
    of_psi: npt.NDArray[Any]
    plain: Floats


def conductivity(kept: npt.NDArray[Any]) -> Floats:
    """Return face conductivities as numbers that numpy can use, W/(m K)."""
    return kept.view(np.float16) if kept.dtype == np.uint16 else kept


class Chunks(NamedTuple):
    """The active chunks of sixteen cells, plane by plane; ``*_planes[k]`` is where plane k begins.

    single: one entry per material, for chunks of few materials. mixed: one entry per way to freeze, for
    chunks of many; each has a row of 7 times 16 numbers, the columns of `curves` and q_m / w of every cell.
    plain and varied are the same chunks sorted by their faces: all those of one material, or not. ``*_flag``
    is the chunk's place in `Field.icy`.
    """

    single_base: Places
    single_material: Places
    single_flag: Places
    single_planes: Ints
    mixed_base: Places
    mixed_way: Places
    mixed_entry: Places
    mixed_flag: Places
    mixed_planes: Ints
    plain_base: Places
    plain_material: Places
    plain_flag: Places
    plain_planes: Ints
    varied_base: Places
    varied_flag: Places
    varied_planes: Ints


class Walls(NamedTuple):
    """Wall links of the probes: tissue cell, probe cell, probe, material, R_k 1/m, g times area m2, area m2.

    `depth` is the part of the way from the wall to the tissue cell at which the probe cell has its centre;
    `degc` is the wall temperature of the last stage, where the next one starts to look.
    """

    cell: Ints
    core: Ints
    probe: Ints
    material: Ints
    log: Float64s
    contact: Float64s
    share: Float64s
    depth: Float64s
    degc: Float64s


class Seams(NamedTuple):
    """Faces between tissues that freeze differently; `low`, `high` index into `cell`.

    `of_u`, `of_psi`: half the harmonic means of k_u and of k_l over h2, W/(m3 K). `held_degc` is the
    temperature of cells where it is imposed, else NaN.
    """

    cell: Ints
    material: Ints
    held_degc: Float64s
    low: Ints
    high: Ints
    of_u: Float64s
    of_psi: Float64s


class Baths(NamedTuple):
    """Cells that exchange heat with something of known temperature; `slot` is the line of the ledger."""

    cell: Ints
    material: Ints
    rate: Float64s
    degc: Float64s
    slot: Ints


class Threads(NamedTuple):
    """How threads share a super-step: first plane of each, and the end; where they meet; their sums.

    `sums` (planes, 2): perfusion with metabolism, and metabolism, W/m3 summed; `energies` (3, lines): of the
    last two stages, J, and the present flows; `seams` (3, cells): room for the state of their cells. `halt`
    (2,): 1 when the work is not wanted any more, as anybody may say at any time, and as all threads see it.
    """

    first: Ints
    counter: Ints
    sums: Float64s
    through_rim: Float64s
    energies: Float64s
    seams: Float64s
    halt: Ints


class Rim(NamedTuple):
    """Faces from active cells to what is not stepped: box faces, and tissue still at its start."""

    inside: Ints
    outside: Ints
    of_u: Float64s
    of_psi: Float64s


class Record(NamedTuple):
    """What is kept of every cell: temperatures in degC, times in s.

    `below_s` is (thresholds n,); `sum_u`, `sum_psi` are the sums of face conductances that limit the step.
    """

    temperature: Floats
    start: Floats
    minimum: Floats
    minimum_at: Floats
    freeze_minimum: Floats
    below_s: Floats
    thresholds: Floats
    sum_u: Floats
    sum_psi: Floats
