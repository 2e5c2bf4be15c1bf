"""Model text: a probe model as the TOML that `cryoplan.plan.catalogue` reads, always in the same order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from cryoplan.core.sourced import Sourced
from cryoplan.plan.catalogue import OPTIONAL, TEXTS, faults, number_rules
from cryoplan.plan.probe import ProbeModel


def model_table(model: ProbeModel) -> dict[str, object]:
    """Return a model as plain values, as they stand in its file."""
    table: dict[str, object] = {"schema": 1, "kind": model.kind}
    table |= {key: getattr(model, key) for key in TEXTS}
    for key in number_rules(model.kind):
        number = getattr(model, key)
        if number is not None:
            table[key] = number_table(number)
    return table


def number_table(number: Sourced) -> dict[str, object]:
    """Return a number as it stands in a file."""
    ends = {"low": number.low, "high": number.high}
    return {
        "value": number.value,
        **{key: end for key, end in ends.items() if end is not None},
        "unit": number.unit,
        "how": number.how,
        "source": number.source,
    }


def model_to_toml(model: ProbeModel) -> str:
    """Return the text of a model's file.

    Raises
    ------
    StoreError
        If the model breaks a rule of the reader: what was written can be read again.
    """
    table = model_table(model)
    for error in faults(table, Path(f"{model.id}.toml")):
        raise error
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if not isinstance(value, Mapping)]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *(f"{part} = {_value(number)}" for part, number in value.items())]
    return "\n".join(lines) + "\n"


def without_optional(table: dict[str, object]) -> dict[str, object]:
    """Return a table without the numbers that a probe need not have; a warmer has none of them."""
    return {key: value for key, value in table.items() if key not in OPTIONAL}


def _value(value: object) -> str:
    if isinstance(value, str):
        # A JSON string is a basic string of TOML, but for one letter that JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
