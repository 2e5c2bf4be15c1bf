"""Warming: the warmers of a plan as heat exchange of cells, and vessels with the flow that a plan gives them.

Fluid that is moved through a structure brings ``h (T_fluid - T_wall)`` to its wall. As for vessels, cells of
the structure conduct and exchange heat by volume, at a rate with which a cylinder of the local diameter
passes h; but h of a warmer is so large that the fluid cools within about a cell of the wall. What the lattice
itself resists is therefore taken off: in a row of cells of edge d the wall passes
``1 / h = d / (2 k) + 1 / Y`` with ``Y = r d + g Y / (g + Y)``, ``g = k / d`` and r the rate of each cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.layers import in_layers
from cryoplan.case.structure import Structure
from cryoplan.core.errors import SimulationError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.sourced import ENTERED, Sourced
from cryoplan.plan.plan import Plan
from cryoplan.plan.warmer import Warmer
from cryoplan.simulation.conditions import SkinContact, VesselKind, load_conditions
from cryoplan.simulation.partial_volume import coverage
from cryoplan.simulation.skin_exchange import exchange_rate as skin_rate
from cryoplan.simulation.surroundings import Exchange
from cryoplan.simulation.tissue import TissueTable
from cryoplan.simulation.tissue_map import TissueMap, vessel_finding
from cryoplan.simulation.vessels import local_diameter, lumen_rate

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

STIFFEST = 50.0
"""Largest Y in units of g: the cells next to the wall then have the temperature of the fluid."""

LEAST_CONDUCTIVITY = 0.3
"""W/(m K); what conducts less is no fluid that carries heat, but gas or fat."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Warming:
    """What all warmers of a plan do on one grid, and what has to be said about them."""

    exchange: Exchange | None
    findings: tuple[Finding, ...]


def with_flows(tissue: TissueMap, plan: Plan, grid: Grid) -> TissueMap:
    """Return the tissues with the flow that the plan gives to vessels in place of that of their names."""
    speeds = {f.structure: f.speed_m_s for f in plan.flows}
    changed = [replace(v, kind=_given(speeds[v.name])) if v.name in speeds else v for v in tissue.lumens]
    if all(new is old for new, old in zip(changed, tissue.lumens, strict=True)):
        return tissue
    told = {v.name: vessel_finding(v, grid.voxel_volume_ml) for v in changed if v.name in speeds}
    findings = tuple(
        told[f.place] if f.code == "vessel-wall" and f.place in told else f for f in tissue.findings
    )
    return replace(tissue, lumens=tuple(changed), findings=findings)


def _given(speed_m_s: float) -> VesselKind:
    speed = Sourced(value=speed_m_s, unit="m/s", source="set in the plan", how=ENTERED)
    return VesselKind(title="flow set in the plan", words=(), speed=speed)


def find_warming(case: Case, plan: Plan, grid: Grid, tissue: TissueMap, tissues: TissueTable) -> Warming:
    """Return what the warmers of a plan do that are on.

    Where two warm the same cell, the first one counts.

    Raises
    ------
    SimulationError
        If a warmer is to run through a structure that is not filled with fluid.
    """
    findings = [*_flows_without_vessel(case, plan)]
    cells, rates, degc = [], [], []
    taken = np.zeros(tissue.material_map.size, bool)
    for warmer in plan.warmers:
        if not warmer.is_on:
            continue
        if warmer.kind.is_on_skin:
            found = _on_skin(warmer, grid, tissue)
        else:
            structure = next((s for s in case.structures if s.name == warmer.structure), None)
            if structure is None:
                findings.append(
                    Finding(
                        level=Level.WARN,
                        code="warmer-structure-missing",
                        text=f"Warmer {warmer.name} warms nothing: there is no structure {warmer.structure}.",
                        place=warmer.name,
                    )
                )
                continue
            found = _in_structure(warmer, structure, case, grid, tissues)
        at, rate = found
        free = ~taken[at] & (rate > 0.0)
        if not free.any():
            findings.append(
                Finding(
                    level=Level.WARN,
                    code="warmer-outside",
                    text=f"Warmer {warmer.name} lies outside the computed block, or under another warmer: "
                    "it changes nothing.",
                    place=warmer.name,
                )
            )
            continue
        at, rate = at[free], rate[free]
        taken[at] = True
        cells.append(at)
        rates.append(rate)
        degc.append(np.full(len(at), warmer.temperature_degc))
        findings.append(_told(warmer))
    if not cells:
        return Warming(exchange=None, findings=tuple(findings))
    exchange = Exchange(
        kind="warmer", cells=np.concatenate(cells), rate=np.concatenate(rates), degc=np.concatenate(degc)
    )
    return Warming(exchange=exchange, findings=tuple(findings))


def _told(warmer: Warmer) -> Finding:
    where = f"skin within {warmer.radius_mm:g} mm" if warmer.kind.is_on_skin else warmer.structure
    return Finding(
        level=Level.OK,
        code="warmer-on",
        text=f"Warmer {warmer.name}: {where} is warmed by fluid of {warmer.temperature_degc:g} °C with "
        f"{warmer.coefficient:g} W/(m²·K), from before the first freeze to the end.",
        place=warmer.name,
    )


def _flows_without_vessel(case: Case, plan: Plan) -> list[Finding]:
    names = {s.name for s in case.structures}
    return [
        Finding(
            level=Level.WARN,
            code="flow-vessel-missing",
            text=f"The plan gives a flow to {f.structure}, but no structure has that name.",
            place=f.structure,
        )
        for f in plan.flows
        if f.structure not in names
    ]


def _on_skin(warmer: Warmer, grid: Grid, tissue: TissueMap) -> tuple[IntArray, FloatArray]:
    skin = tissue.skin
    assert warmer.centre_mm is not None
    if skin is None or not len(skin.cells):
        return np.zeros(0, np.int64), np.zeros(0)
    k, j, i = np.unravel_index(skin.cells, grid.shape)
    away = grid.index_to_mm(np.stack([i, j, k], axis=-1).astype(float)) - np.asarray(warmer.centre_mm)
    under = np.linalg.norm(away, axis=-1) <= warmer.radius_mm
    cells = skin.cells[under]
    conductivity = np.array([m.k_u for m in tissue.materials])[tissue.material_map.ravel()[cells]]
    contact = SkinContact(
        title=warmer.name,
        coefficient=Sourced(value=warmer.coefficient, unit="W/(m2 K)", source="plan", how=ENTERED),
        temperature=Sourced(value=warmer.temperature_degc, unit="degC", source="plan", how=ENTERED),
    )
    edge_m = grid.spacing_mm[0] / 1000.0
    return cells, skin_rate(skin.area[under], skin.distance[under], conductivity, contact, edge_m)


def _in_structure(
    warmer: Warmer, structure: Structure, case: Case, grid: Grid, tissues: TissueTable
) -> tuple[IntArray, FloatArray]:
    conductivity = tissues.tissue(structure.tissue).material().k_u
    if conductivity < LEAST_CONDUCTIVITY:
        raise SimulationError(
            f"Warmer {warmer.name} cannot run through {structure.name}: {structure.tissue} carries no heat.",
            "Choose a structure that is filled with fluid, or give this one another tissue.",
            code="warmer-not-fluid",
            place=warmer.name,
        )
    share = _share(structure, case.structures, grid)
    cells = np.flatnonzero(share > 0.0)
    if not len(cells):
        return cells, np.zeros(0)
    # Narrow parts count as the narrowest tube whose width can be told.
    narrowest = load_conditions().blood.smallest.value
    diameter = np.maximum(local_diameter(structure, grid).ravel()[cells], narrowest)
    edge_m = grid.spacing_mm[0] / 1000.0
    rate = fluid_rate(diameter / 1000.0, warmer.coefficient, conductivity, edge_m)
    return cells, rate * share.ravel()[cells]


def _share(structure: Structure, structures: Sequence[Structure], grid: Grid) -> Float32Array:
    """Return the part of each cell that a structure fills, less what counts over it."""
    layers = in_layers(tuple(structures))
    share = coverage(structure.mask, grid)
    if structure in layers and share.any():
        for other in layers[layers.index(structure) + 1 :]:
            share = np.minimum(share, 1.0 - coverage(other.mask, grid))
    return np.asarray(np.maximum(share, 0.0), np.float32)


def fluid_rate(
    diameter_m: npt.ArrayLike, coefficient: float, conductivity: float, edge_m: float
) -> FloatArray:
    """Return the exchange per volume of cells of moved fluid that brings a coefficient to their wall.

    Parameters
    ----------
    diameter_m : array_like
        Local width of the structure, m.
    coefficient : float
        h, W/(m2 K).
    conductivity : float
        k of the fluid as the solver has it, W/(m K).
    edge_m : float
        Edge of the cells, m.

    Returns
    -------
    float64
        W/(m3 K).
    """
    g = conductivity / edge_m
    left = 1.0 / coefficient - 0.5 / g
    y = g * STIFFEST if left <= 1.0 / (g * STIFFEST) else 1.0 / left
    lattice = y * y / (g + y) / edge_m
    flat = coefficient**2 / conductivity
    return np.asarray(lumen_rate(diameter_m, coefficient, conductivity) * (lattice / flat))
