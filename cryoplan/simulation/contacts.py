"""Contacts: what a tissue map and a plan mean for the solver - held cells, exchanges, floods, start field."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.plan.plan import Plan
from cryoplan.plan.protocol import PhaseKind
from cryoplan.simulation.conditions import load_conditions
from cryoplan.simulation.settings import SolverSettings
from cryoplan.simulation.skin_exchange import exchange_rate
from cryoplan.simulation.steady import steady_field
from cryoplan.simulation.surroundings import Exchange, Flood
from cryoplan.simulation.tissue import Material, TissueTable
from cryoplan.simulation.tissue_map import TissueMap
from cryoplan.simulation.tissue_region import BODY_DEGC
from cryoplan.simulation.vessels import is_held, rates

BoolArray = npt.NDArray[np.bool_]
Float32Array = npt.NDArray[np.float32]
Faces = tuple[float | None, float | None, float | None, float | None, float | None, float | None]

INFLATED, FLOODED = "lung-inflated", "lung-flooded"

_LOCK = Lock()
_STEADY: OrderedDict[tuple[object, ...], Float32Array] = OrderedDict()
_KEPT_FIELDS = 6

WORTH_SAYING = 0.01
"""Part of the block from which on inflated lung is spoken of."""

MOST_NUMBERS = 256
"""Materials that the bytes of the map can name."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contacts:
    """Fields of a problem; see `cryoplan.simulation.problem.Problem` for each."""

    materials: tuple[Material, ...]
    start_field_degc: Float32Array | None
    held: BoolArray | None
    held_degc: Float32Array | None
    void: BoolArray | None
    exchanges: tuple[Exchange, ...]
    floods: tuple[Flood, ...]
    boundary_degc: Faces
    findings: tuple[Finding, ...]


def find_contacts(
    tissue: TissueMap,
    key: str,
    grid: Grid,
    plan: Plan,
    tissues: TissueTable,
    settings: SolverSettings,
    warm: Exchange | None = None,
) -> Contacts:
    """Return what touches the tissue of a plan.

    Parameters
    ----------
    tissue : TissueMap
        Tissues of `grid`.
    key : str
        Digest of what the map depends on, to find a steady state that is ready.
    grid : Grid
    plan : Plan
        Its protocol says whether lung floods.
    tissues : TissueTable
    settings : SolverSettings
        Says what lies on the skin.
    warm : Exchange or None
        What the warmers of the plan do; under a warm bag nothing else lies on the skin.
    """
    findings: list[Finding] = []
    exchanges: list[Exchange] = []
    held = _held(tissue)
    vessel = _vessel_exchange(tissue, held)
    if vessel is not None:
        exchanges.append(vessel)
    void = None if tissue.skin is None else tissue.skin.void
    skin = _skin_exchange(tissue, grid, settings, findings)
    if skin is not None:
        exchanges.append(skin if warm is None else _without(skin, warm))
    if warm is not None:
        exchanges.append(warm)
    floods, materials = _floods(tissue, plan, tissues, findings)
    boundary = _boundary(void)
    field = None
    if skin is not None or warm is not None:
        # Warmers run before the first freeze: tissue around them is warm at its begin.
        name = (key, grid, settings.skin, plan.flows, tuple(w.physics for w in plan.warmers if w.is_on))
        field = _steady(tissue, name, grid, exchanges, held, void, boundary)
    return Contacts(
        materials=materials,
        start_field_degc=_with_pockets(tissue, field, findings, grid, warm),
        held=held,
        held_degc=None if held is None else np.full(grid.shape, BODY_DEGC, np.float32),
        void=void,
        exchanges=tuple(exchanges),
        floods=floods,
        boundary_degc=boundary,
        findings=tuple(findings),
    )


def _held(tissue: TissueMap) -> BoolArray | None:
    held = np.zeros(tissue.material_map.size, bool)
    for lumen in tissue.lumens:
        held[lumen.cells[is_held(lumen)]] = True
    return held.reshape(tissue.material_map.shape) if held.any() else None


def _vessel_exchange(tissue: TissueMap, held: BoolArray | None) -> Exchange | None:
    cells, rate = [], []
    for lumen in tissue.lumens:
        own = rates(lumen)
        used = own > 0.0
        if held is not None:
            used &= ~held.ravel()[lumen.cells]
        cells.append(lumen.cells[used])
        rate.append(own[used])
    if not cells or not sum(len(c) for c in cells):
        return None
    joined = np.concatenate(cells)
    return Exchange(
        kind="vessel", cells=joined, rate=np.concatenate(rate), degc=np.full(len(joined), BODY_DEGC)
    )


def _skin_exchange(
    tissue: TissueMap, grid: Grid, settings: SolverSettings, findings: list[Finding]
) -> Exchange | None:
    skin = tissue.skin
    contact = load_conditions().contact(settings.skin)
    if skin is None or not len(skin.cells):
        return None
    if contact is None:
        findings.append(
            Finding(
                level=Level.OK,
                code="skin-insulated",
                text="No heat passes through the skin, as was asked for.",
            )
        )
        return None
    conductivity = np.array([m.k_u for m in tissue.materials])[tissue.material_map.ravel()[skin.cells]]
    edge_m = grid.spacing_mm[0] / 1000.0
    findings.append(
        Finding(
            level=Level.OK,
            code="skin-contact",
            text=f"Skin against {contact.title} of {contact.temperature.value:g} °C, "
            f"{contact.coefficient.value:g} W/(m²·K), all around.",
        )
    )
    return Exchange(
        kind="skin",
        cells=skin.cells,
        rate=exchange_rate(skin.area, skin.distance, conductivity, contact, edge_m),
        degc=np.full(len(skin.cells), contact.temperature.value),
    )


def _without(skin: Exchange, warm: Exchange) -> Exchange:
    """Return the skin that no warm bag lies on."""
    kept = ~np.isin(skin.cells, warm.cells)
    return Exchange(kind=skin.kind, cells=skin.cells[kept], rate=skin.rate[kept], degc=skin.degc[kept])


def _boundary(void: BoolArray | None) -> Faces:
    """Return the temperatures of the faces: that of the body, insulated where the skin meets the face.

    There the tissue is colder towards the skin; held at the body's temperature it would be warmed along the
    whole rim. The ice stays away from all faces by the margin of the grid, so that no heat crosses either.
    """
    if void is None:
        return (BODY_DEGC,) * 6
    faces = (void[0], void[-1], void[:, 0], void[:, -1], void[:, :, 0], void[:, :, -1])
    a, b, c, d, e, f = (None if face.any() else BODY_DEGC for face in faces)
    return (a, b, c, d, e, f)


def _steady(
    tissue: TissueMap,
    name: tuple[object, ...],
    grid: Grid,
    exchanges: list[Exchange],
    held: BoolArray | None,
    void: BoolArray | None,
    boundary: Faces,
) -> Float32Array:
    with _LOCK:
        known = _STEADY.get(name)
        if known is not None:
            _STEADY.move_to_end(name)
            return known
    k = np.array([m.k_u for m in tissue.materials], np.float32)[tissue.material_map]
    w = np.array([m.w for m in tissue.materials], np.float32)[tissue.material_map]
    field = steady_field(
        k,
        w,
        grid.spacing_mm[0] / 1000.0,
        blood_degc=BODY_DEGC,
        exchanges=exchanges,
        held=held,
        void=void,
        boundary_degc=boundary,
    )
    field.flags.writeable = False
    with _LOCK:
        _STEADY[name] = field
        while len(_STEADY) > _KEPT_FIELDS:
            _STEADY.popitem(last=False)
    return field


def _with_pockets(
    tissue: TissueMap,
    field: Float32Array | None,
    findings: list[Finding],
    grid: Grid,
    warm: Exchange | None = None,
) -> Float32Array | None:
    """Return the start field with the pockets that were brought in at their own temperature.

    One that a warmer runs through is warm already when the first freeze begins.
    """
    own = [n for n, start in enumerate(tissue.start_degc) if start is not None]
    if not own:
        return field
    start = np.full(len(tissue.materials), np.nan, np.float32)
    start[own] = [tissue.start_degc[n] for n in own]
    chosen = start[tissue.material_map]
    pockets = np.isfinite(chosen)
    if warm is not None:
        pockets.ravel()[warm.cells] = False
        if not pockets.any():
            return field
    result = np.full(tissue.material_map.shape, BODY_DEGC, np.float32) if field is None else field.copy()
    result[pockets] = chosen[pockets]
    coldest = float(chosen[pockets].min())
    findings.append(
        Finding(
            level=Level.OK,
            code="pocket-start",
            text=f"{np.count_nonzero(pockets) * grid.voxel_volume_ml:.1f} ml of injected fluid start at "
            f"{coldest:g} °C, can freeze, and stay where they are: free convection in them is not modelled.",
        )
    )
    return result


def _floods(
    tissue: TissueMap, plan: Plan, tissues: TissueTable, findings: list[Finding]
) -> tuple[tuple[Flood, ...], tuple[Material, ...]]:
    """Return the flood of inflated lung at the first thaw that a freeze follows, and its materials."""
    at_s = _first_thaw(plan)
    inflated = [n for n, (a, b, _) in enumerate(tissue.contents) if INFLATED in (a, b)]
    if at_s is None or not inflated:
        return (), tissue.materials
    materials = list(tissue.materials)
    changes = []
    for number in inflated:
        first, second, eighths = tissue.contents[number]
        a, b = (tissues.tissue(FLOODED if n == INFLATED else n).material() for n in (first, second))
        filled = a.blend(b, eighths / 8.0)
        if len(materials) == MOST_NUMBERS - 1:
            # The last free number is for lung alone, which then stands for its rarest mixtures.
            filled = tissues.tissue(FLOODED).material()
        same = [n for n, m in enumerate(materials) if m.same_as(filled)]
        if not same:
            materials.append(filled)
        changes.append((number, same[0] if same else len(materials) - 1))
    rim = load_conditions().flooded_rim.value
    counts = np.bincount(tissue.material_map.ravel(), minlength=MOST_NUMBERS)
    if counts[inflated].sum() >= WORTH_SAYING * tissue.material_map.size:
        findings.append(
            Finding(
                level=Level.OK,
                code="lung-floods",
                text=f"Inflated lung in the ice and {rim:g} mm around it fills with blood at the first thaw.",
            )
        )
    return (Flood(at_s=at_s, rim_mm=rim, changes=tuple(changes)),), tuple(materials)


def _first_thaw(plan: Plan) -> float | None:
    """Return the begin of the first thaw that a freeze follows."""
    spans = plan.protocol.spans()
    for number, (start, _, phase) in enumerate(spans):
        if phase.kind is PhaseKind.THAW and any(p.kind is PhaseKind.FREEZE for _, _, p in spans[number:]):
            return start
    return None
