"""Probe as a heat sink on a grid that is coarser than the probe: corrected faces instead of cold voxels.

A probe of finite length draws heat like a line on its axis, whose potential phi is known in closed form
(`cryoplan.simulation.line_potential`). A face between two cells beside the probe or beyond its ends therefore
carries ``k (T_b - T_a) F / (phi_a - phi_b)``, F the flux of phi through that face: the same correction as the
logarithm of solver notes section 3, which it becomes far from the ends. The F around the probe add up to 2 pi
times the strength of the line, so that the heat of the probe is exact whatever its position and direction in
the lattice. Cells that hold the probe are taken out of the lattice; their faces towards tissue become *links*
with two resistances in series::

    q = (T_c - T_b) / ( R_k / k + R_h / h ),   R_k = (phi_w - phi_b) / F,   R_h = 1 / (wall area times g)

the tissue between wall and cell centre, and the contact to the coolant, h g(z). The stream function of the
line tells which part of the wall each link stands for: its area, its g and its phi_w; links beyond an end
stand for the flat end and the wall next to it. k is the integral mean of the conductivity between wall and
cell, the same mean that all other faces use, so that ice conducting better in the cold counts here as it does
elsewhere. While a probe is off, or a thaw is passive, h is zero and nothing flows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.simulation.probe_axis import ProbeAxis
from cryoplan.simulation.probe_wall import ProbeWall, probe_wall

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

CORE_REACH = 0.35
"""Cells nearer to the axis than r_w + this many cell edges are probe cells (solver notes section 3)."""

FACTOR_RANGE = (0.2, 8.0)
NEAR_CELLS = 2.5
LEAST_STEEPNESS = 0.3
"""Clips and reach of the face factors, solver notes section 3; faces that run along the gradient keep theirs.

Beyond 2.5 edges from the wall the factors are within 2 % of one: reaching on to 4 changes no isotherm of the
random placements by more than 0.02 mm.
"""

LEAST_FLUX = 1e-6
LEAST_DROP = 0.1
MOST_CONDUCTANCE = 6.0
"""Links draw at least this flux over at least this difference of phi, and a cell has no more than so much
conductance (in units of a plain face) to the wall: cells whose centre touches the wall would otherwise
dictate the time step."""


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
        R_k, 1/m; the name is that of its limit beside a long probe.
    contact_area : float64 (m,)
        1 / R_h, that is g times wall area, m2.
    wall_share : float64 (m,)
        Wall area of the link, m2; weight of the mean shaft temperature.
    depth : float64 (m,)
        How far the centre of the probe cell is on the way from the wall to the tissue cell, by phi: 0 in the
        metal, towards 1 where a cell that the probe just enters has its centre in the tissue.
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
    depth: FloatArray
    face_axis: IntArray
    face_cell: IntArray
    face_factor: FloatArray
    face_radius: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Beside:
    """Cells around one probe, and the pairs of them that share a face, lower cell first."""

    flat: IntArray
    centres: FloatArray
    radius: FloatArray
    along: FloatArray
    low: IntArray
    high: IntArray
    face_axis: IntArray


def _beyond(along: FloatArray, low: float, high: float) -> FloatArray:
    """Return how far places lie outside a stretch of the axis."""
    return np.asarray(np.maximum(np.maximum(low - along, along - high), 0.0))


def _cells_beside(axis: ProbeAxis, wall: ProbeWall, shape: tuple[int, int, int]) -> _Beside:
    room = wall.radius + NEAR_CELLS + 1.0
    ends = np.stack([axis.start, axis.start + wall.reach * axis.back])
    first = np.maximum(np.floor(ends.min(axis=0) - room).astype(int), 0)
    last = np.minimum(np.ceil(ends.max(axis=0) + room).astype(int), np.asarray(shape) - 1)
    size = np.maximum(last - first + 1, 0)
    block = np.indices(size).reshape(3, -1).T
    centres = block + first.astype(float)
    radius, along = axis.cylindrical(centres)
    kept = radius**2 + _beyond(along, 0.0, wall.reach) ** 2 < room**2
    number = np.full(len(block), -1)
    number[kept] = np.arange(np.count_nonzero(kept))
    number = number.reshape(size)
    pairs = (
        (number[:-1], number[1:]),
        (number[:, :-1], number[:, 1:]),
        (number[:, :, :-1], number[:, :, 1:]),
    )
    low, high, normal = [], [], []
    for d, (a, b) in enumerate(pairs):
        both = (a >= 0) & (b >= 0)
        low.append(a[both])
        high.append(b[both])
        normal.append(np.full(len(low[-1]), d))
    cells = block[kept] + first
    return _Beside(
        flat=(cells[:, 0] * shape[1] + cells[:, 1]) * shape[2] + cells[:, 2],
        centres=centres[kept],
        radius=radius[kept],
        along=along[kept],
        low=np.concatenate(low),
        high=np.concatenate(high),
        face_axis=np.concatenate(normal),
    )


def _core(axis: ProbeAxis, wall: ProbeWall, beside: _Beside) -> BoolArray:
    """Tell which cells hold the probe: all that the line passes through, and those next to the wall.

    Beside the taper only cells within the metal count: little is drawn there, and what is taken out of the
    lattice no longer conducts.
    """
    radius, along = beside.radius, beside.along
    active = (along >= 0.0) & (along <= wall.length) & (radius < wall.radius + CORE_REACH)
    taper = (along > wall.length) & (along <= wall.reach) & (radius < wall.radius)
    pierced = axis.pierces(beside.centres, float(wall.line.knots[0]), float(wall.line.knots[-1]))
    return np.asarray(active | taper | pierced)


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
    axis = ProbeAxis(source.begin_m, source.back, origin_m, h)
    wall = probe_wall(
        source.length_m / h,
        source.taper_m / h,
        source.radius_m / h,
        source.freeze.coefficient * source.radius_m,
    )
    beside = _cells_beside(axis, wall, shape)
    core = _core(axis, wall, beside)
    phi = wall.line.potential(beside.radius, beside.along)
    tissue, metal, resistance, exchange, area, depth = _links(axis, wall, beside, core, phi, shape)
    faces, factor, radius = _factors(axis, wall, beside, core, phi)
    return ProbeFaces(
        cells=beside.flat[core],
        link_cell=beside.flat[tissue],
        link_core=beside.flat[metal],
        log_resistance=resistance / h,
        contact_area=exchange * h * h,
        wall_share=area * h * h,
        depth=depth,
        face_axis=beside.face_axis[faces],
        face_cell=beside.flat[beside.low[faces]],
        face_factor=np.clip(factor, *FACTOR_RANGE),
        face_radius=radius * h,
    )


def _links(
    axis: ProbeAxis,
    wall: ProbeWall,
    beside: _Beside,
    core: BoolArray,
    phi: FloatArray,
    shape: tuple[int, int, int],
) -> tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return (tissue cell, probe cell, R_k, area times g, area, depth) of the faces around the probe."""
    low, high = beside.low, beside.high
    faces = np.flatnonzero(core[low] ^ core[high])
    outward = np.where(core[low[faces]], 1.0, -1.0)
    normal = beside.face_axis[faces]
    flux = outward * axis.face_flux(wall.line, beside.centres[low[faces]], normal, np.zeros(len(faces)))
    drawing = flux > LEAST_FLUX
    faces, flux, outward, normal = faces[drawing], flux[drawing], outward[drawing], normal[drawing]
    tissue = np.where(outward > 0.0, high[faces], low[faces])
    metal = np.where(outward > 0.0, low[faces], high[faces])
    if not len(faces):
        return tissue, metal, flux, flux, flux, flux

    ends = axis.inside(float(wall.line.knots[0]), float(wall.line.knots[-1]), shape)
    before, drawn, true_area = wall.share(*ends)
    # What quadrature and faces that look inwards leave of the heat of the line is a thousandth.
    flux *= 2.0 * np.pi * drawn / flux.sum()
    middle = beside.centres[low[faces]]
    middle[np.arange(len(faces)), normal] += 0.5
    rho, z = axis.cylindrical(middle)
    # In the order of their heat along the line, the links share the wall out among them.
    order = np.argsort(wall.line.passed(rho, z), kind="stable")
    upto = before + np.concatenate([[0.0], np.cumsum(flux[order])]) / (2.0 * np.pi)
    area, exchange = np.empty(len(faces)), np.empty(len(faces))
    area[order] = np.diff(np.interp(upto, wall.drawn, wall.area))
    exchange[order] = np.diff(np.interp(upto, wall.drawn, wall.exchange))
    scale = true_area / area.sum()

    at_wall = wall.potential(rho, z)
    drop = np.maximum(at_wall - phi[tissue], LEAST_DROP)
    depth = np.clip((at_wall - phi[metal]) / drop, 0.0, 1.0)
    conductance = flux / drop
    total = np.bincount(tissue, conductance)[tissue]
    resistance = np.maximum(total / MOST_CONDUCTANCE, 1.0) / conductance
    return tissue, metal, resistance, exchange * scale, area * scale, depth


def _factors(
    axis: ProbeAxis, wall: ProbeWall, beside: _Beside, core: BoolArray, phi: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return (pairs of tissue cells, factor on their face, its distance from the axis)."""
    low, high = beside.low, beside.high
    pairs = np.flatnonzero(~core[low] & ~core[high])
    rho = 0.5 * (beside.radius[low[pairs]] + beside.radius[high[pairs]])
    z = 0.5 * (beside.along[low[pairs]] + beside.along[high[pairs]])
    distance = np.hypot(rho, _beyond(z, 0.0, wall.reach))
    near = distance < wall.radius + NEAR_CELLS
    pairs, rho, z, distance = pairs[near], rho[near], z[near], distance[near]
    across, along = wall.line.outflow(rho * rho, z)
    fall = np.abs(phi[low[pairs]] - phi[high[pairs]])
    steep = fall > LEAST_STEEPNESS * np.hypot(across * rho, along)
    pairs, rho, distance, fall = pairs[steep], rho[steep], distance[steep], fall[steep]
    flux = axis.face_flux(wall.line, beside.centres[low[pairs]], beside.face_axis[pairs], distance)
    return pairs, np.abs(flux) / fall, rho
