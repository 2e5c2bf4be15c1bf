"""Find the data files of ``resources/`` in a source tree, an installed wheel and a frozen program."""

from __future__ import annotations

import sys
from pathlib import Path

from cryoplan.core.errors import StoreError


def resource_root() -> Path:
    """Return the folder that holds ``probes/``, ``tissues/``, ``limits/`` and the rest.

    Raises
    ------
    StoreError
        If the program was installed without its data.
    """
    package = Path(__file__).resolve().parents[1]
    frozen = Path(getattr(sys, "_MEIPASS", package))
    for place in (package / "_resources", frozen / "cryoplan" / "_resources", package.parent / "resources"):
        if (place / "probes").is_dir():
            return place
    raise StoreError(
        "The data files of cryoplan (probes, tissues, limits) are missing from this installation.",
        "Install cryoplan again.",
        code="resources-missing",
    )


def resource(*parts: str) -> Path:
    """Return the path of one resource, for example ``resource("probes", "generic-15g.toml")``."""
    return resource_root().joinpath(*parts)
