"""Coded roles: what a structure is by the SNOMED code that its file states, by ``resources/snomed.toml``."""

from __future__ import annotations

import tomllib
from functools import lru_cache

from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource

SCT, SRT = "SCT", "SRT"
"""Coding scheme designators of SNOMED CT and, in older files, SNOMED RT."""


def role_of_code(code: str) -> tuple[Role, str] | None:
    """Return role and tissue of a code, None for one that is not in the table.

    Parameters
    ----------
    code : str
        Scheme and value with a blank between: ``SCT 10200004``, or ``SRT T-62000`` of older files.
    """
    scheme, _, value = code.strip().partition(" ")
    value = value.strip()
    table, older = _tables()
    if scheme == SRT:
        return table.get(older.get(value, ""))
    return table.get(value) if scheme == SCT else None


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, tuple[Role, str]], dict[str, str]]:
    path = resource("snomed.toml")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        table: dict[str, tuple[Role, str]] = {}
        for group in content["codes"]:
            for code in group["meanings"]:
                if code in table:
                    raise ValueError(f"{code} stands there twice")
                table[code] = (Role(group["role"]), str(group["tissue"]))
        older = {str(old): str(new) for old, new in content["srt"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The table of SNOMED codes (snomed.toml) cannot be read ({error}).",
            "Install cryoplan again.",
            code="bad-resource",
            place="snomed.toml",
        ) from error
    return table, older
