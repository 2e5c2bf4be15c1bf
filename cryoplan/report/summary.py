"""Summary: assessment.json and run.json as text, the same for the same numbers, and never with a NaN."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import Enum

import numpy as np

from cryoplan import RESEARCH_USE
from cryoplan.core.errors import StoreError
from cryoplan.margins.assessment import Assessment

DIGITS = 9
"""Significant digits that are written: more than any number here means, fewer than compilers differ in."""


def assessment_json(assessment: Assessment) -> str:
    """Return the text of ``assessment.json``.

    Raises
    ------
    StoreError
        If a number is not finite; the message names its path.
    """
    return to_text({"research_use": RESEARCH_USE, "key": assessment.key, **assessment.to_json()})


def run_json(record: Mapping[str, object]) -> str:
    """Return the text of ``run.json`` from what the caller knows: versions, inputs, grid, times, findings.

    Raises
    ------
    StoreError
        If a number is not finite or a value has no JSON form; the message names its path.
    """
    return to_text({"research_use": RESEARCH_USE, **record})


def to_text(value: object) -> str:
    """Return sorted, indented JSON with a line break at the end.

    Raises
    ------
    StoreError
        If a number is not finite or a value has no JSON form; the message names its path.
    """
    text = json.dumps(_plain(value, ""), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return text + "\n"


def _plain(value: object, place: str) -> object:
    if isinstance(value, Enum):
        return _plain(value.value, place)
    if isinstance(value, np.generic):
        return _plain(value.item(), place)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refuse(place, f"is {value}, which is no number")
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {str(key): _plain(part, f"{place}.{key}".lstrip(".")) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, f"{place}[{number}]") for number, part in enumerate(value)]
    raise _refuse(place, f"is a {type(value).__name__}, which has no JSON form")


def _refuse(place: str, what: str) -> StoreError:
    return StoreError(
        f"The value {place or 'at the top'} {what}, so nothing was written.",
        "Solve again; if it happens again, report it.",
        code="not-json",
        place=place,
    )
