"""Probe as a heat sink on a grid that is coarser than the probe: corrected faces instead of cold voxels.

Around a long thin probe the temperature goes with ln r. A face between cells at distances r_a, r_b from the
axis therefore carries ``k (T_b - T_a) I / ln(r_b / r_a)`` with ``I = integral over the face of (e_r . n) /
r dA``; around any closed ring the I of the faces add up to 2 pi per length, so that the heat of the probe
is exact whatever its position and direction in the lattice (solver notes section 3). Cells that hold the
probe are taken out of the
lattice; their faces towards tissue become *links* with two resistances in series::

    q = (T_c - T_b) / ( R_k / k + R_h / h ),   R_k = ln(r_b / r_w) / I,   R_h = 1 / (g I r_w)

the logarithm of the tissue between wall and cell centre, and the contact to the coolant, h g(z). k is the
integral mean of the conductivity between wall and cell (found by four fixed-point steps), the same mean
that all other faces use, so that ice conducting better in the cold counts here as it does elsewhere. While
a probe is off, or a thaw is passive, h is zero and nothing flows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CORE_REACH = 0.35
"""Cells nearer to the axis than r_w + this many cell edges are probe cells (solver notes section 3)."""

FACTOR_RANGE = (0.2, 8.0)
CAP_RANGE = (0.7, 3.0)
NEAR_CELLS = 4.0
LEAST_RADIAL_STEP = 0.3
"""Clips and reach of the face factors, solver notes section 3."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """What the gas or heater does: end temperature (degC), coefficient (W/(m2 K)), time constant (s)."""

    end_degc: float
    coefficient: float
    tau_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSource:
    """One probe in SI units.

    Attributes
    ----------
    name : str
    begin_m : tuple of float
        LPS position, metres, of the tip-side end of the active zone.
    back : tuple of float
        Unit vector along the shaft, from tip to entry.
    length_m, taper_m, radius_m : float
        Active zone with g = 1, then the zone in which g falls to 0; wall radius.
    freeze : Drive
        The end temperature already holds the duty.
    thaws : mapping of str to Drive
        ``helium`` and ``electric`` where the model has them; a mode that is missing is passive.
    start_s, stop_s : float
        Protocol time of gas on and off.
    """

    name: str
    begin_m: tuple[float, float, float]
    back: tuple[float, float, float]
    length_m: float
    taper_m: float
    radius_m: float
    freeze: Drive
    thaws: tuple[tuple[str, Drive], ...] = ()
    start_s: float = 0.0
    stop_s: float = float("inf")

    @property
    def reach_m(self) -> float:
        """Active zone and taper together."""
        return self.length_m + self.taper_m

    def drive(self, time_s: float, phase: str) -> Drive | None:
        """Return what the probe does just after `time_s` in a phase, None for nothing."""
        if not self.start_s <= time_s < self.stop_s:
            return None
        return self.freeze if phase == "freeze" else dict(self.thaws).get(phase)

    def exchange_profile(self, along_m: FloatArray) -> FloatArray:
        """Return g(z): 1 in the active zone, linear to 0 over the taper."""
        if self.taper_m == 0.0:
            return np.ones_like(along_m)
        return np.asarray(np.clip((self.reach_m - along_m) / self.taper_m, 0.0, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProbeFaces:
    """What one probe does to the faces of a lattice; cells are flat indices of ``[k, j, i]``.

    Attributes
    ----------
    cells : int64 (n,)
        Cells taken out.
    link_cell, link_core : int64 (m,)
        Tissue cell and probe cell of each wall link.
    log_resistance : float64 (m,)
        R_k, 1/m.
    contact_area : float64 (m,)
        1 / R_h, that is g times wall area, m2.
    wall_share : float64 (m,)
        Wall area of the link, m2; weight of the mean shaft temperature.
    face_axis, face_cell : int64 (p,)
        Corrected tissue faces: axis 0, 1, 2 for k, j, i and the cell on the lower side.
    face_factor, face_radius : float64 (p,)
        Factor on the conductance and distance of the face from the axis, m.
    """

    cells: IntArray
    link_cell: IntArray
    link_core: IntArray
    log_resistance: FloatArray
    contact_area: FloatArray
    wall_share: FloatArray
    face_axis: IntArray
    face_cell: IntArray
    face_factor: FloatArray
    face_radius: FloatArray


class _Axis:
    """Distances from the axis of one probe, in cell units with the grid's first cell centre at zero."""

    def __init__(self, source: ProbeSource, origin_m: FloatArray, h: float) -> None:
        # Order k, j, i everywhere: the axis and points are reversed once, here.
        self.start = ((np.asarray(source.begin_m) - origin_m) / h)[::-1]
        self.back = np.asarray(source.back, float)[::-1]

    def along(self, points: FloatArray) -> FloatArray:
        return np.asarray((points - self.start) @ self.back)

    def radial(self, points: FloatArray) -> FloatArray:
        rel = points - self.start
        return np.asarray(rel - (rel @ self.back)[..., None] * self.back)

    def radius(self, points: FloatArray) -> FloatArray:
        return np.asarray(np.linalg.norm(self.radial(points), axis=-1))

    def pierces(self, centres: FloatArray) -> npt.NDArray[np.bool_]:
        """Tell which unit cells the (infinite) axis passes through."""
        near = np.full(len(centres), -np.inf)
        far = np.full(len(centres), np.inf)
        inside = np.ones(len(centres), bool)
        for axis in range(3):
            offset = centres[:, axis] - self.start[axis]
            if abs(self.back[axis]) < 1e-12:
                # Half open, so that an axis on a face belongs to one of the two cells only.
                inside &= (offset >= -0.5) & (offset < 0.5)
                continue
            a, b = (offset - 0.5) / self.back[axis], (offset + 0.5) / self.back[axis]
            near, far = np.maximum(near, np.minimum(a, b)), np.minimum(far, np.maximum(a, b))
        return np.asarray(inside & (far - near > 1e-6))


def _face_integrals(axis: _Axis, lower: FloatArray, face_axis: IntArray) -> FloatArray:
    """Return I of unit faces (in cell edges) above cell centres `lower` along `face_axis`."""
    result = np.empty(len(lower))
    for d in range(3):
        chosen = np.flatnonzero(face_axis == d)
        if not len(chosen):
            continue
        others = [e for e in range(3) if e != d]
        u, v = np.meshgrid(0.5 * _NODES, 0.5 * _NODES, indexing="ij")
        weights = np.outer(0.5 * _WEIGHTS, 0.5 * _WEIGHTS).ravel()
        offsets = np.zeros((36, 3))
        offsets[:, d] = 0.5
        offsets[:, others[0]], offsets[:, others[1]] = u.ravel(), v.ravel()
        radial = axis.radial(lower[chosen][:, None, :] + offsets)
        r2 = np.maximum(np.einsum("npc,npc->np", radial, radial), 1e-12)
        result[chosen] = (radial[..., d] / r2) @ weights
    return result


def _inside_length(axis: _Axis, reach: float, shape: tuple[int, ...]) -> float:
    """Return how much of the active segment lies within the lattice, in cell edges."""
    low, high = 0.0, reach
    for d in range(3):
        if abs(axis.back[d]) < 1e-12:
            continue
        a = (-0.5 - axis.start[d]) / axis.back[d]
        b = (shape[d] - 0.5 - axis.start[d]) / axis.back[d]
        low, high = max(low, min(a, b)), min(high, max(a, b))
    return max(high - low, 0.0)


def probe_faces(
    source: ProbeSource, shape: tuple[int, int, int], origin_m: FloatArray, h: float
) -> ProbeFaces:
    """Return cells, links and face factors of one probe.

    Parameters
    ----------
    source : ProbeSource
    shape : tuple of int
        Cells of the lattice, ``(nk, nj, ni)``.
    origin_m : float64 (3,)
        LPS centre of the first cell, metres, in x, y, z order.
    h : float
        Edge of the cells, metres.
    """
    axis = _Axis(source, origin_m, h)
    r_w, reach = source.radius_m / h, source.reach_m / h
    ends = np.stack([axis.start, axis.start + reach * axis.back])
    room = r_w + NEAR_CELLS + 2.0
    first = np.maximum(np.floor(ends.min(axis=0) - room).astype(int), 0)
    last = np.minimum(np.ceil(ends.max(axis=0) + room).astype(int), np.asarray(shape) - 1)
    if np.any(last < first):
        first, last = np.zeros(3, int), np.full(3, -1)
    block = np.stack(
        np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(first, last, strict=True)), indexing="ij"), axis=-1
    ).reshape(-1, 3)
    centres = block.astype(float)
    radius, along = axis.radius(centres), axis.along(centres)
    keep = (radius < r_w + NEAR_CELLS + 1.0) & (along > -2.0) & (along < reach + 2.0)
    block, centres, radius, along = block[keep], centres[keep], radius[keep], along[keep]
    between = (along >= 0.0) & (along <= reach)
    core = between & ((radius < r_w + CORE_REACH) | axis.pierces(centres))

    flat = (block[:, 0] * shape[1] + block[:, 1]) * shape[2] + block[:, 2]
    order = np.argsort(flat)
    strides = (shape[1] * shape[2], shape[2], 1)
    lower, upper, normal = [], [], []
    for d in range(3):
        if not len(flat):
            break
        wanted = flat + strides[d]
        place = np.minimum(np.searchsorted(flat[order], wanted), len(order) - 1)
        found = (flat[order][place] == wanted) & (block[:, d] + 1 < shape[d])
        lower.append(np.flatnonzero(found))
        upper.append(order[place[found]])
        normal.append(np.full(int(found.sum()), d))
    a = np.concatenate(lower) if lower else np.zeros(0, int)
    b = np.concatenate(upper) if upper else np.zeros(0, int)
    d_axis = np.concatenate(normal) if normal else np.zeros(0, int)
    integral = _face_integrals(axis, centres[a], d_axis)  # positive from a to b

    # Wall links: exactly one of the two cells holds the probe.
    wall = core[a] ^ core[b]
    outward = np.where(core[a], 1.0, -1.0)[wall]
    tissue = np.where(core[a], b, a)[wall]
    metal = np.where(core[a], a, b)[wall]
    wall_axis = d_axis[wall]
    side = between[tissue]
    share = np.where(side, np.maximum(outward * integral[wall], 0.0), 0.0)
    total = share.sum()
    if total > 0.0:
        # The staircase may be up to half a cell too long or short: hold the probe to its true length.
        share *= 2.0 * np.pi * _inside_length(axis, reach, shape) / total
    useful = share > 1e-6
    log_resistance = np.zeros(len(share))
    log_resistance[useful] = np.log(radius[tissue][useful] / r_w) / share[useful]
    middle = 0.5 * (along[tissue] + along[metal])
    profile = source.exchange_profile(np.clip(middle, 0.0, reach) * h)
    area = share * r_w  # in cell faces

    cap = ~side
    distance = np.maximum(-along[tissue], along[tissue] - reach) / np.maximum(
        np.abs(axis.back[wall_axis]), 1e-6
    )
    for at_tip in (True, False):
        here = cap & ((along[tissue] < 0.0) == at_tip)
        if here.any():
            log_resistance[here] = 1.0 / np.clip(1.0 / np.maximum(distance[here], 1e-6), *CAP_RANGE)
            area[here] = np.pi * r_w**2 / here.sum()
    live = useful | cap
    links = np.flatnonzero(live)

    # Corrected faces between tissue cells beside the active zone.
    both = ~core[a] & ~core[b] & between[a] & between[b]
    step = np.abs(radius[b] - radius[a])
    mean_r = 0.5 * (radius[a] + radius[b])
    near = both & (step > LEAST_RADIAL_STEP) & (mean_r < r_w + NEAR_CELLS)
    factor = np.abs(integral[near] / np.log(radius[b][near] / radius[a][near]))
    return ProbeFaces(
        cells=flat[core],
        link_cell=flat[tissue][links],
        link_core=flat[metal][links],
        log_resistance=log_resistance[links] / h,
        contact_area=(area * profile)[links] * h * h,
        wall_share=area[links] * h * h,
        face_axis=d_axis[near],
        face_cell=flat[a][near],
        face_factor=np.clip(factor, *FACTOR_RANGE),
        face_radius=mean_r[near] * h,
    )
