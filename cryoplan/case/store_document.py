"""The document of a case: everything that can be edited as one JSON value; masks and image by digest."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from cryoplan.case.case import Case
from cryoplan.case.differences import Json
from cryoplan.case.left_out import sides_from_json, sides_to_json
from cryoplan.case.other_plan import plans_from_json, plans_to_json
from cryoplan.case.own_limits import limits_from_json, limits_to_json
from cryoplan.case.second_image import SecondImage
from cryoplan.case.structure import Role, Structure
from cryoplan.case.voxel_bytes import grid_from_json, grid_to_json
from cryoplan.core.errors import StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan


def empty_document() -> dict[str, Json]:
    """Return a document before there is a patient in it."""
    return {
        "case": {"title": "", "notes": ""},
        "structures": [],
        "plan": None,
        "limits": None,
        "other_plans": [],
    }


def with_case(document: dict[str, Json], case: Case) -> dict[str, Json]:
    """Return `document` with the images and structures of `case`, and how it is judged."""
    kept = {key: value for key, value in document["case"].items() if key != "second"}
    head = kept | _head(case)
    rest = {key: value for key, value in document.items() if key != "left_out"}
    made = rest | {"case": head, "structures": _rows(case), "limits": limits_to_json(case.limits)}
    made |= {"other_plans": plans_to_json(case.other_plans)}
    # Only where there is one, so that files from before there was such a thing stay as they are.
    return made | ({"left_out": sides_to_json(case.left_out)} if case.left_out else {})


def with_plan(document: dict[str, Json], plan_text: str) -> dict[str, Json]:
    """Return `document` with the plan of a ``plan.json`` text, none when it is empty.

    Raises
    ------
    StoreError
        If the text is not a JSON object.
    """
    return document | {"plan": plan_json(plan_text)}


def plan_json(text: str) -> Json:
    """Return what a plan's text says, None when it is empty.

    Raises
    ------
    StoreError
        If it is not a JSON object of finite numbers.
    """
    if not text:
        return None
    try:
        plan = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        raise _bad_plan(str(error)) from error
    if not isinstance(plan, dict):
        raise _bad_plan("it is no object")
    return plan


def plan_text(document: dict[str, Json]) -> str:
    """Return the text of the plan in `document`, empty when there is none."""
    plan = document["plan"]
    return "" if plan is None else json.dumps(plan, ensure_ascii=False)


def case_of(
    document: dict[str, Json], scan: Scan, mask_of: Callable[[str], Volume], like: Case | None = None
) -> Case:
    """Return the case that `document` describes.

    Parameters
    ----------
    document : dict
        See `with_case`.
    scan : Scan
        Its image.
    mask_of : callable
        Digest to mask.
    like : Case, optional
        A case in memory; what is the same in it is taken over, the whole of it if nothing differs, so that
        masks and everything computed from them stay where they are.

    Raises
    ------
    ValueError, KeyError, TypeError, CryoplanError
        If the document does not fit together.
    """
    head, rows, limits = document["case"], document["structures"], limits_from_json(document["limits"])
    left_out = sides_from_json(document.get("left_out", []))
    others = plans_from_json(document["other_plans"])
    known: dict[str, Structure] = {}
    if like is not None:
        same_head = _head(like).items() <= head.items() and ("second" in head) == (like.second is not None)
        if like.scan is scan and same_head and rows == _rows(like):
            changed = like.changed(limits=limits, left_out=left_out, other_plans=others)
            is_same = like.judged_by == changed.judged_by and like.other_plans == others
            return like if is_same else changed
        known = {s.name: s for s in like.structures}
    structures = []
    for row in rows:
        there = known.get(row["name"])
        if there is not None and _structure_row(there) == row:
            structures.append(there)
            continue
        structures.append(
            Structure(
                name=row["name"],
                role=Role(row["role"]),
                tissue=row["tissue"],
                mask=_mask(row["mask"], there, mask_of),
                source=row["source"],
                role_is_guess=row["role_is_guess"],
                reviewed=row.get("reviewed", ""),
            )
        )
    return Case(
        code=head["code"],
        scan=scan,
        structures=tuple(structures),
        target_name=head["target"],
        planning_grid=grid_from_json(json.dumps(head["planning_grid"])),
        findings=findings_from(head["findings"]),
        limits=limits,
        left_out=left_out,
        second=SecondImage.from_json(head["second"]) if "second" in head else None,
        other_plans=others,
    )


def findings_from(rows: Sequence[dict[str, str]]) -> tuple[Finding, ...]:
    """Return the findings of their JSON objects."""
    return tuple(
        Finding(level=Level(r["level"]), code=r["code"], text=r["text"], place=r["place"]) for r in rows
    )


def _head(case: Case) -> dict[str, Json]:
    return {
        "code": case.code,
        "image": case.scan.volume.digest(),
        "target": case.target_name,
        "planning_grid": json.loads(grid_to_json(case.planning_grid)),
        "findings": [f.to_json() for f in case.findings],
        # Left out where there is none, so that files from before there was such a thing stay as they are.
        **({} if case.second is None else {"second": case.second.to_json()}),
    }


def _rows(case: Case) -> list[dict[str, Json]]:
    return [_structure_row(s) for s in case.structures]


def _structure_row(structure: Structure) -> dict[str, Any]:
    return {
        "name": structure.name,
        "role": structure.role.value,
        "tissue": structure.tissue,
        "source": structure.source,
        "role_is_guess": structure.role_is_guess,
        "mask": structure.mask.digest(),
        # Left out where there is none, so that files from before there was such a thing stay as they are.
        **({"reviewed": structure.reviewed} if structure.is_reviewed else {}),
    }


def _mask(digest: str, there: Structure | None, mask_of: Callable[[str], Volume]) -> Volume:
    """Return a mask, that in memory where it is the same: much has been worked out from it."""
    if there is not None and there.mask.digest() == digest:
        return there.mask
    return mask_of(digest)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no finite number")


def _bad_plan(why: str) -> StoreError:
    return StoreError(
        f"The plan cannot be kept in a case file: {why}.",
        "Give the text of a plan file.",
        code="plan-not-json",
        place="plan",
    )
