"""Structure code: what a structure is called in SNOMED CT on its way out, by ``resources/snomed.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache

from cryoplan.case.coded_roles import SCT
from cryoplan.case.structure import Role, Structure
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource
from cryoplan.image.segment import Code

_SIDES = re.compile(r"\b(left|right)\b")


def code_of(structure: Structure) -> Code | None:
    """Return what a structure is, by its name or else by role and tissue; None where neither says.

    A name counts only where its role and tissue are those of the code: a tumour called *Liver* is no liver.
    """
    by_name, usual = _tables()
    name = _plain(structure.name)
    kind = (structure.role, structure.tissue)
    for words in (name, " ".join(_SIDES.sub(" ", name).split())):
        code = by_name.get((*kind, words))
        if code is not None:
            return code
    return usual.get(kind)


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[_\W]+", " ", name.lower()).split())


_Kind = tuple[Role, str]


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[tuple[Role, str, str], Code], dict[_Kind, Code]]:
    path = resource("snomed.toml")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        by_name: dict[tuple[Role, str, str], Code] = {}
        usual: dict[_Kind, Code] = {}
        for group in content["codes"]:
            kind = (Role(group["role"]), str(group["tissue"]))
            for value, meaning in group["meanings"].items():
                code = Code(value=value, scheme=SCT, meaning=meaning)
                by_name.setdefault((*kind, _plain(meaning)), code)
                if group.get("usual") == value:
                    usual[kind] = code
            if "usual" in group and kind not in usual:
                raise ValueError(f"{group['usual']} is usual and has no meaning")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The table of SNOMED codes (snomed.toml) cannot be read ({error}).",
            "Install cryoplan again.",
            code="bad-resource",
            place="snomed.toml",
        ) from error
    return by_name, usual
