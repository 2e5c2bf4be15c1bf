"""Steady state of unfrozen tissue: the temperatures before the first probe is on.

    div(k grad T) + w (T_b - T) + exchange (T_x - T) = 0

solved for the difference from the blood, which is nought almost everywhere: blood is warmer than its tissue
by Q_m / w, as in `cryoplan.simulation.problem`, so that metabolism adds nothing. Conjugate gradients with the
diagonal as preconditioner, started from the answer on twice as coarse a grid, and that from the next: the
long waves are right before the fine grid begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.simulation.surroundings import Exchange

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

CLOSE_K = 4e-4
"""Mean change by one sweep, degC, at which the iteration ends on the finest grid: right to 0.05 degC."""

COARSER = 0.3
"""Each coarser grid is solved that much more closely: its sweeps are cheap, and long waves need them."""

COARSEST = 10
"""Fewest cells along an axis of a grid that is coarsened once more."""

MOST_SWEEPS = 400

Faces = tuple[float | None, float | None, float | None, float | None, float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Level:
    """One grid: conductivity, exchange with blood and with others, heat from others; void and held cells."""

    k: Float32Array
    sink: Float32Array
    source: Float32Array
    fixed: BoolArray
    edge: float


def steady_field(
    conductivity: npt.NDArray[np.floating],
    perfusion: npt.NDArray[np.floating],
    edge_m: float,
    *,
    blood_degc: float,
    exchanges: Sequence[Exchange] = (),
    held: BoolArray | None = None,
    held_degc: Float32Array | None = None,
    void: BoolArray | None = None,
    boundary_degc: Faces = (None,) * 6,
) -> Float32Array:
    """Return the steady temperature, float32 ``[k, j, i]``, degC; void cells have that of the blood.

    Parameters
    ----------
    conductivity, perfusion : ``[k, j, i]``
        Unfrozen, W/(m K); W/(m3 K).
    edge_m : float
        Edge of the cells, m.
    blood_degc : float
        Temperature of the blood.
    exchanges : sequence of Exchange
        Heat exchange of single cells.
    held, held_degc : bool and float32 ``[k, j, i]``, or None
        Cells whose temperature is imposed.
    void : bool ``[k, j, i]`` or None
        Cells that conduct nothing.
    boundary_degc : tuple of six float or None
        Temperature of the faces k-, k+, j-, j+, i-, i+; None is insulated.
    """
    shape = conductivity.shape
    k = np.asarray(conductivity, np.float32).copy()
    sink = np.asarray(perfusion, np.float32).copy()
    source = np.zeros(shape, np.float32)
    fixed = np.zeros(shape, bool)
    start = np.zeros(shape, np.float32)
    for exchange in exchanges:
        np.add.at(sink.reshape(-1), exchange.cells, exchange.rate.astype(np.float32))
        excess = exchange.rate * (exchange.degc - blood_degc)
        np.add.at(source.reshape(-1), exchange.cells, excess.astype(np.float32))
    if held is not None:
        fixed |= held
        if held_degc is not None:
            start[held] = held_degc[held] - np.float32(blood_degc)
    if void is not None:
        fixed |= void
        k[void] = 0.0
        start[void] = 0.0
    level = _Level(k=k, sink=sink, source=source, fixed=fixed, edge=edge_m)
    sides = tuple(None if b is None else np.float32(b - blood_degc) for b in boundary_degc)
    return _solve(level, start, sides, CLOSE_K) + np.float32(blood_degc)


def _solve(
    level: _Level, start: Float32Array, sides: tuple[np.float32 | None, ...], close: float
) -> Float32Array:
    shape = level.k.shape
    if min(shape) >= 2 * COARSEST:
        coarse = _coarsened(level)
        held = np.where(level.fixed & (start != 0.0), start, np.float32(0.0))
        first = _mean(held) if held.any() else np.zeros(coarse.k.shape, np.float32)
        below = _solve(coarse, first, sides, COARSER * close)
        guess = _refined(below, shape)
        start = np.where(level.fixed, start, guess)
    return _conjugate_gradients(level, start, sides, close)


def _conjugate_gradients(
    level: _Level, start: Float32Array, sides: tuple[np.float32 | None, ...], close: float
) -> Float32Array:
    faces, diagonal, right = _system(level, sides)
    free = ~level.fixed
    x = start.copy()
    # Cells without any neighbour or exchange (a bubble in the void) keep their start.
    free &= diagonal > 0.0
    if not free.any():
        return x
    mask = free.astype(np.float32)
    inverse = mask / np.where(free, diagonal, np.float32(1.0))
    residual = (right - _apply(faces, diagonal, x)) * mask
    z = inverse * residual
    p = z.copy()
    rz = float(np.vdot(residual, z))
    count = float(np.count_nonzero(free))
    for _ in range(MOST_SWEEPS):
        # rz is the sum of the squares of the next sweep's changes, weighted by the diagonal.
        if rz <= 0.0 or np.sqrt(float(np.vdot(z, z)) / count) < close:
            break
        q = _apply(faces, diagonal, p)
        q *= mask
        alpha = np.float32(rz / float(np.vdot(p, q)))
        x += alpha * p
        residual -= alpha * q
        np.multiply(inverse, residual, out=z)
        new = float(np.vdot(residual, z))
        p *= np.float32(new / rz)
        p += z
        rz = new
    return x


def _system(
    level: _Level, sides: tuple[np.float32 | None, ...]
) -> tuple[list[Float32Array], Float32Array, Float32Array]:
    """Return the face conductances along k, j, i, the diagonal and the right-hand side, W/(m3 K)."""
    k, squared = level.k, np.float32(level.edge**2)
    diagonal, right = level.sink.copy(), level.source.copy()
    faces = []
    for axis in range(3):
        a, b = _along(k, axis, slice(None, -1)), _along(k, axis, slice(1, None))
        total = a + b
        face = np.float32(2.0) * a * b
        np.divide(face, total * squared, out=face, where=total > 0.0)
        faces.append(face)
        _along(diagonal, axis, slice(None, -1))[...] += face
        _along(diagonal, axis, slice(1, None))[...] += face
        for at, value in ((0, sides[2 * axis]), (-1, sides[2 * axis + 1])):
            if value is not None:
                outer = np.float32(2.0) * _along(k, axis, at) / squared
                _along(diagonal, axis, at)[...] += outer
                _along(right, axis, at)[...] += outer * value
    return faces, diagonal, right


def _apply(faces: list[Float32Array], diagonal: Float32Array, x: Float32Array) -> Float32Array:
    result = diagonal * x
    for axis, face in enumerate(faces):
        low, high = slice(None, -1), slice(1, None)
        _along(result, axis, low)[...] -= face * _along(x, axis, high)
        _along(result, axis, high)[...] -= face * _along(x, axis, low)
    return result


def _along(array: Float32Array, axis: int, at: slice | int) -> Float32Array:
    window: list[slice | int] = [slice(None)] * 3
    window[axis] = at
    return array[tuple(window)]


def _coarsened(level: _Level) -> _Level:
    open_share = _mean((~level.fixed | (level.k > 0.0)).astype(np.float32))
    # Void neither conducts nor counts; a coarse cell is void when all of it is.
    k = _mean(level.k) / np.maximum(open_share, np.float32(1e-6))
    return _Level(
        k=np.where(open_share > 0.0, k, np.float32(0.0)).astype(np.float32),
        sink=_mean(level.sink),
        source=_mean(level.source),
        fixed=_mean(level.fixed.astype(np.float32)) > 0.99,
        edge=2.0 * level.edge,
    )


def _mean(fine: Float32Array) -> Float32Array:
    """Return means over blocks of two cells a side; an odd last layer stands for two."""
    for axis in range(3):
        n = fine.shape[axis]
        even = _along(fine, axis, slice(0, n - n % 2, 2)) + _along(fine, axis, slice(1, n, 2))
        even = np.float32(0.5) * even
        if n % 2:
            even = np.concatenate([even, np.expand_dims(_along(fine, axis, -1), axis)], axis=axis)
        fine = even
    return fine


def _refined(coarse: Float32Array, shape: tuple[int, ...]) -> Float32Array:
    """Return values between coarse cells, linear, on a grid twice as fine."""
    for axis in range(3):
        n = shape[axis]
        before = np.concatenate(
            [_along(coarse, axis, slice(0, 1)), _along(coarse, axis, slice(None, -1))], axis=axis
        )
        after = np.concatenate(
            [_along(coarse, axis, slice(1, None)), _along(coarse, axis, slice(-1, None))], axis=axis
        )
        size = list(coarse.shape)
        size[axis] = 2 * coarse.shape[axis]
        fine = np.empty(size, np.float32)
        _along(fine, axis, slice(0, None, 2))[...] = np.float32(0.75) * coarse + np.float32(0.25) * before
        _along(fine, axis, slice(1, None, 2))[...] = np.float32(0.75) * coarse + np.float32(0.25) * after
        coarse = _along(fine, axis, slice(0, n))
    return coarse
