"""Suggest: a first layout of probes for the target, with every rule and its source; never made in silence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.planning import voxel_box_ijk
from cryoplan.case.skin import skin_entry
from cryoplan.case.structure import Structure
from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import FloatArray, Point, as_point, unit
from cryoplan.core.units import show_mm
from cryoplan.plan.approach import shortest_approach
from cryoplan.plan.edits import add_probe, remove_probe
from cryoplan.plan.layout import Layout, layout_rules, least_layout
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe, ProbeModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One sentence on why, and where the rule is from."""

    text: str
    source: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Suggestion:
    """A layout that the user may take.

    Attributes
    ----------
    model : str
        Id of the model it was made for.
    places_mm : tuple of (tip, entry)
        LPS points of each probe.
    summary : str
        Such as ``3 probes, a triangle, 15.0 mm apart``.
    reasons : tuple of Reason
        The rules that led to it.
    """

    model: str
    places_mm: tuple[tuple[Point, Point], ...]
    summary: str
    reasons: tuple[Reason, ...]


def suggest(case: Case, model: ProbeModel, *, along: Probe | None = None) -> Suggestion:
    """Return a layout of parallel probes of one model for the target of a case.

    Parameters
    ----------
    case : Case
        With a target.
    model : ProbeModel
        What will be placed.
    along : Probe, optional
        Gives the direction; the shortest way in the axial slice when left out.

    Raises
    ------
    PlanError
        If there is no target, no way to it, or the model warms.
    """
    target = case.target
    if target is None:
        raise PlanError(
            "There is no target to lay probes around.",
            "Choose the tumour first (Structures).",
            code="suggest-no-target",
            place="target",
        )
    if model.is_warmer:
        raise PlanError(
            f"{model.name} warms.", "Choose a model that freezes.", code="suggest-warmer", place=model.id
        )
    points = _inside_mm(target)
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    direction, way = _direction(case, as_point(middle), along)
    u, v = _long_axes(points - middle, direction)
    flat = np.stack([(points - middle) @ u, (points - middle) @ v], axis=1)
    deep = (points - middle) @ direction
    centre2 = 0.5 * (flat.min(axis=0) + flat.max(axis=0))
    layout = least_layout(flat - centre2)
    centre = middle + centre2 @ np.stack([u, v]) + 0.5 * float(deep.min() + deep.max()) * direction
    behind = model.tip_offset.value + 0.5 * model.active_length.value
    places = []
    for a, b in layout.places_mm:
        tip = as_point(centre + a * u + b * v + behind * direction)
        entry = skin_entry(case, tip, as_point(np.asarray(tip) - 10.0 * direction))
        if entry is None:
            raise PlanError(
                "No skin was found on the way to the target.",
                "Outline the body, or place the first probe by hand.",
                code="suggest-no-skin",
                place=target.name,
            )
        places.append((tip, entry))
    length_mm = float(deep.max() - deep.min())
    return Suggestion(
        model=model.id,
        places_mm=tuple(places),
        summary=_summary(layout),
        reasons=(way, *_reasons(layout, np.ptp(flat, axis=0), length_mm, model)),
    )


def laid_out(plan: Plan, suggestion: Suggestion, *, instead_of: Collection[str] = ()) -> Plan:
    """Add the suggested probes to a plan, in place of the named ones.

    Raises
    ------
    PlanError
        If one of those is locked or unknown.
    """
    for name in instead_of:
        plan = remove_probe(plan, name)
    for tip_mm, entry_mm in suggestion.places_mm:
        plan = add_probe(plan, model=suggestion.model, tip_mm=tip_mm, entry_mm=entry_mm)
    return plan


def _inside_mm(target: Structure) -> FloatArray:
    """Return points ``(n, 3)`` that fill the target: the middles of its voxels and of their faces."""
    mask = target.mask
    (i0, j0, k0), (i1, j1, k1) = voxel_box_ijk(mask)
    kji = np.argwhere(mask.values[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1])
    ijk = kji[:, ::-1] + np.array([i0, j0, k0])
    # A voxel reaches half its size to each side: without its faces thick slices would look too thin.
    half = 0.5 * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
    if len(ijk) > 200_000:
        ijk = ijk[:: len(ijk) // 200_000 + 1]
    spread = (ijk[:, None, :] + half).reshape(-1, 3)
    return np.asarray(mask.grid.index_to_mm(spread))


def _direction(case: Case, middle_mm: Point, along: Probe | None) -> tuple[FloatArray, Reason]:
    if along is not None:
        return along.direction, Reason(text=f"Parallel to probe {along.name}.")
    approach = shortest_approach(case, middle_mm)
    if approach is None:
        raise PlanError(
            "No way from the skin to the target was found.",
            "Outline the body, or place the first probe by hand.",
            code="suggest-no-skin",
            place=case.target_name,
        )
    direction = unit(np.subtract(middle_mm, approach.entry_mm))
    return direction, Reason(
        text=f"Direction: {approach.text}.",
        source="a path within one axial image is the easiest (doctorlib.org/medical/procedures/4)",
        how="abstract",
    )


def _long_axes(points: FloatArray, direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the two directions across the probes, the one in which the target is longest first."""
    flat = points - (points @ direction)[:, None] * direction
    _, vectors = np.linalg.eigh(flat.T @ flat)
    u = vectors[:, -1] - (vectors[:, -1] @ direction) * direction
    u = unit(u)
    # The same way round each time: eigenvectors may come with either sign.
    u *= np.sign(u[int(np.argmax(np.abs(u)))])
    return u, np.cross(direction, u)


def _summary(layout: Layout) -> str:
    count = len(layout.places_mm)
    if count == 1:
        return "1 probe in the middle"
    narrow, wide = layout.spacing_mm
    apart = show_mm(narrow) if wide - narrow < 0.5 else f"{narrow:.0f} to {show_mm(wide)}"
    return f"{count} probes, {layout.word}, {apart} apart"


def _reasons(layout: Layout, size_mm: FloatArray, length_mm: float, model: ProbeModel) -> tuple[Reason, ...]:
    rules = layout_rules()
    long, wide = sorted((float(size_mm[0]), float(size_mm[1])), reverse=True)
    count = len(layout.places_mm)

    def by(key: str, text: str) -> Reason:
        return Reason(text=text, source=rules[key].source, how=rules[key].how)

    found = [Reason(text=f"Across the probes the target measures {long:.0f} × {wide:.0f} mm.")]
    reach = rules["reach"].value
    if layout.farthest_mm <= reach:
        far = show_mm(layout.farthest_mm)
        text = f"No part of it is farther than {far} from a probe (limit {show_mm(reach)})."
    else:
        text = (
            f"Too large for {count} probes: parts of it are {show_mm(layout.farthest_mm)} from the nearest "
            f"(limit {show_mm(reach)}). Add probes by hand."
        )
    found.append(by("reach", text))
    if count == 1:
        found.append(by("alone_up_to", f"One probe alone up to {show_mm(rules['alone_up_to'].value)}."))
    else:
        found.append(by("spacing_high", "Neighbours 10 to 20 mm apart."))
    if wide >= rules["bracket_from"].value:
        found.append(by("bracket_from", "At least three that bracket it, from about 2 cm on."))
    active = model.active_length.value
    if length_mm > active:
        found.append(
            Reason(
                text=f"Along the probes it measures {length_mm:.0f} mm, more than the active zone of "
                f"{active:.0f} mm: the ends need a second position (pull back) or a longer active zone."
            )
        )
    return tuple(found)
