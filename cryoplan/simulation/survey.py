"""Survey: which chunks are plain, and how much conductance the faces of each cell have together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.simulation.active import ChunkTable, Layout
from cryoplan.simulation.arrays import NOTHING, Faces, Field, Record, room
from cryoplan.simulation.compiled import compiled
from cryoplan.simulation.lanes import WIDTH, has_halves

FEW = 4
"""Materials of a chunk up to which it is cheaper to compute each than to read numbers cell by cell."""


@compiled
def _survey(
    label: Any, of_u: Any, of_psi: Any, own: Any, shape: Any, row: Any, plane: Any, plain: Any, sums: Any
) -> None:
    """Write the material of each plain chunk, else -1, and the face sums of each cell."""
    n_chunks = (shape[2] + 15) // 16
    chunk = 0
    for k in range(shape[0]):
        for j in range(shape[1]):
            for c in range(n_chunks):
                base = (k + 1) * plane + (j + 1) * row + c * 16
                m = label[base]
                tissue = True
                for place in range(base, base + 16):
                    u = of_u[0, place] + of_u[0, place - 1] + of_u[1, place] + of_u[1, place - row]
                    u += of_u[2, place] + of_u[2, place - plane]
                    s = of_psi[0, place] + of_psi[0, place - 1] + of_psi[1, place] + of_psi[1, place - row]
                    s += of_psi[2, place] + of_psi[2, place - plane]
                    sums[0, place], sums[1, place] = u, s
                    tissue &= label[place] != 255
                if tissue:
                    a, b = own[m, 0], own[m, 1]
                    for place in range(base, base + 16):
                        below, before = place - row, place - plane
                        tissue &= of_u[0, place] == a and of_u[0, place - 1] == a and of_u[1, place] == a
                        tissue &= of_u[1, below] == a and of_u[2, place] == a and of_u[2, before] == a
                        tissue &= (
                            of_psi[0, place] == b and of_psi[0, place - 1] == b and of_psi[1, place] == b
                        )
                        tissue &= of_psi[1, below] == b and of_psi[2, place] == b and of_psi[2, before] == b
                plain[chunk] = m if tissue else -1
                chunk += 1


def survey_chunks(layout: Layout, field: Field, faces: Faces, record: Record) -> ChunkTable:
    """Return the chunk table, and set the face sums of `record`; conductances in W/(m3 K)."""
    nk, nj, _ = layout.shape
    nc = layout.n_chunks
    label = field.label
    n_chunks = nk * nj * nc
    plain = np.zeros(n_chunks, np.int64)
    sums = np.stack([record.sum_u, record.sum_psi])
    _survey(label, faces.of_u, faces.of_psi, faces.plain, layout.shape, layout.row, layout.plane, plain, sums)
    record.sum_u[:], record.sum_psi[:] = sums
    k, rest = np.divmod(np.arange(n_chunks), nj * nc)
    j, c = np.divmod(rest, nc)
    base = (k + 1) * layout.plane + (j + 1) * layout.row + c * WIDTH
    labels = label[base[:, None] + np.arange(WIDTH)]
    one = (labels == labels[:, :1]).all(axis=1) & (labels[:, 0] != NOTHING)
    several = np.flatnonzero(~one)
    ordered = np.sort(labels[several], axis=1)
    new = ordered != NOTHING
    new[:, 1:] &= ordered[:, 1:] != ordered[:, :-1]
    counts = one.astype(np.int64)
    counts[several] = new.sum(axis=1)
    many = counts > FEW
    of_chunk, lane = np.nonzero(new)
    chunks = np.concatenate([np.flatnonzero(one), several[of_chunk]])
    materials = np.concatenate([labels[one, 0], ordered[of_chunk, lane]]).astype(np.int64)
    few = ~many[chunks]
    order = np.argsort(chunks[few], kind="stable")

    mixed = np.flatnonzero(many)
    places = base[mixed][:, None] + np.arange(WIDTH)
    ways = field.way[places]
    has = np.stack([(ways == n).any(axis=1) for n in range(len(field.shared))], axis=1)
    which, way = np.nonzero(has)
    mixed_counts = np.zeros(n_chunks, np.int64)
    mixed_counts[mixed] = has.sum(axis=1)
    numbers = np.concatenate([field.own, field.made[:, None]], axis=1)
    # Lanes of another way are masked out; any material's numbers do for them.
    of_lane = np.where(label[places] == NOTHING, 0, label[places])[which]
    return ChunkTable(
        layout=layout,
        single=_pointers(np.where(many, 0, counts)),
        mixed=_pointers(mixed_counts),
        material=materials[few][order],
        way=way.astype(np.int64),
        own=np.ascontiguousarray(numbers[of_lane].transpose(0, 2, 1)).reshape(
            len(which), WIDTH * numbers.shape[1]
        ),
        plain=plain,
    )


def kept(faces: Faces, cell_m: float) -> Faces:
    """Return conductances in W/(m3 K) as the conductivities that the kernels read, see `Faces`."""
    dtype = np.float16 if faces.of_u.dtype == np.float32 and has_halves() else faces.of_u.dtype
    every = []
    for of in (faces.of_u, faces.of_psi):
        array = room(of.shape, dtype)
        for axis in range(3):
            array[axis] = of[axis] * cell_m**2
        every.append(array.view(np.uint16) if dtype == np.float16 else array)
    return Faces(of_u=every[0], of_psi=every[1], plain=faces.plain)


def _pointers(counts: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
