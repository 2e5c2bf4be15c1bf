"""List what cryoplan stands on, with version and licence: writes ``THIRD_PARTY.md`` beside this file.

Run it with the environment's Python after the lock has changed:
``.venv/bin/python packaging/third_party.py``.
Names and versions are those of the lock (all systems and Pythons), found by following the installed
metadata from the project's own dependencies; licences are what each distribution says of itself.
"""

from __future__ import annotations

import importlib.metadata as metadata
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).resolve().parent
PAGE = HERE / "THIRD_PARTY.md"

READ_BY_EYE = {
    "certifi": "MPL-2.0",
    "contourpy": "BSD-3-Clause",
    "cycler": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "matplotlib": "PSF-2.0",
    "numba": "BSD-2-Clause",
    "reportlab": "BSD-3-Clause",
    "scipy": "BSD-3-Clause",
    "simpleitk": "Apache-2.0",
    "vtk": "BSD-3-Clause",
    "pyobjc-core": "MIT",
    "pyobjc-framework-cocoa": "MIT",
}
"""SPDX names read from the licence texts of those that name theirs loosely ("BSD License") or are not
installed on every system (pyobjc: macOS only)."""

SPDX_OF_CLASSIFIER = {"MIT License": "MIT", "Apache Software License": "Apache-2.0"}

PLATFORMS = (("linux", "posix", "Linux"), ("win32", "nt", "Windows"), ("darwin", "posix", "Darwin"))
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


class Licensed(NamedTuple):
    """One distribution: its name, the locked versions and its licence."""

    name: str
    versions: str
    licence: str


def _surroundings() -> list[dict[str, str]]:
    """Return the marker environments of every supported system and Python."""
    found = []
    for sys_platform, os_name, system in PLATFORMS:
        for python in PYTHONS:
            one = {key: str(value) for key, value in default_environment().items()}
            one.update(sys_platform=sys_platform, os_name=os_name, platform_system=system, extra="")
            one.update(python_version=python, python_full_version=f"{python}.0")
            found.append(one)
    return found


def _needed(names: list[str]) -> set[str]:
    """Return the canonical names of all that some requirements need, directly or not, on any system."""
    surroundings = _surroundings()
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        one = waiting.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            lines = metadata.requires(one.name) or []
        except metadata.PackageNotFoundError:  # of another system; the lock has what it needs
            continue
        for child in map(Requirement, lines):
            marker = child.marker
            if marker is None or any(
                marker.evaluate({**place, "extra": extra})
                for place in surroundings
                for extra in {"", *one.extras}
            ):
                waiting.append(child)
    return {name for name, _ in seen}


def _locked() -> dict[str, list[str]]:
    """Return the versions of the lock by canonical name."""
    versions: dict[str, list[str]] = {}
    for line in (HERE / "requirements.lock").read_text(encoding="utf-8").splitlines():
        match = re.match(r"([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", line)
        if match:
            versions.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return versions


def _licence(name: str) -> str:
    """Return the SPDX expression of a distribution's licence."""
    if name in READ_BY_EYE:
        return READ_BY_EYE[name]
    about = metadata.metadata(name)
    stated = next(
        (line for key in ("License-Expression", "License") for line in about.get_all(key) or []), ""
    )
    classifiers = [line.rsplit("::", 1)[-1].strip() for line in about.get_all("Classifier") or []]
    return stated or next(
        (SPDX_OF_CLASSIFIER[line] for line in classifiers if line in SPDX_OF_CLASSIFIER), ""
    )


def runtime() -> tuple[Licensed, ...]:
    """Return every distribution that the program needs on some system, by name."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = _needed(project["dependencies"])
    # pyobjc's parts need its core; their metadata is on macOS only.
    needed |= {"pyobjc-core"} if "pyobjc-framework-cocoa" in needed else set()
    locked = _locked()
    return tuple(
        Licensed(name, " or ".join(locked.get(name, ["not locked"])), _licence(name))
        for name in sorted(needed)
    )


def is_free_to_ship(licence: str) -> bool:
    """Say whether a BSD program may ship beside this licence without taking it over.

    Every part joined by AND must be so; of alternatives joined by OR one is enough. GPL and AGPL are
    not, unless with an exception for linking; LGPL is (Qt is linked dynamically and can be replaced).
    """

    def one(term: str) -> bool:
        plain = term.strip(" ()")
        return bool(plain) and (not re.match(r"A?GPL", plain) or " WITH " in plain)

    return all(any(one(term) for term in re.split(r"\sOR\s", part)) for part in re.split(r"\sAND\s", licence))


def page() -> str:
    """Return the text of THIRD_PARTY.md."""
    rows = "\n".join(f"| {one.name} | {one.versions} | {one.licence} |" for one in runtime())
    return f"""# What cryoplan stands on

cryoplan itself is under the BSD 3-clause licence (`LICENSE`). It is installed beside the distributions
below, which are unchanged and keep their own licences; each carries its licence text in its installed
folder (`*.dist-info`). This page is written by `packaging/third_party.py` from the lock file and the
distributions' own metadata; the tests of development are not on it.

| distribution | version | licence |
| --- | --- | --- |
{rows}

Notes:

- **Qt and PySide6** are used under the LGPL 3. They are shared libraries in a folder of their own and can
  be replaced by other builds.
- Some wheels carry compiled libraries of others, named in their licence files: OpenBLAS and the GCC
  runtime (GPL 3 with the GCC runtime exception) in numpy and scipy, LLVM in llvmlite, ITK and GDCM in
  SimpleITK, CharLS in pyjpegls, image codecs in pillow.
- reportlab carries a sample font, DarkGarden (GPL 2 with font exception), which cryoplan neither uses nor
  embeds.
- `resources/fonts` holds DejaVu Sans (Bitstream Vera and Arev terms) and Droid Sans Fallback (Apache 2.0),
  both unchanged, with their licence texts beside them; a printed plan embeds the letters that it uses.
- `resources/validation` holds published figures, each with its source. Its temperature traces are sampled
  from the public repository armansarshoghi/Cryoablation-Dosimetry (2026, MIT, copyright Arman Sarshoghi and
  co-authors); the licence text lies beside them in `LICENCE.txt`. `resources/survival` takes fitted numbers
  from its stored analysis.
- TotalSegmentator (Apache 2.0) is a program of its own: it is looked for at run time where the user has
  installed it (`cryoplan[ai]`), and neither it nor its weights nor PyTorch are locked, shipped or fetched.
- certifi is Mozilla's list of certificates (MPL 2.0), unchanged. cryoplan opens no network connection;
  certifi is here because pyvista's download of examples needs it.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(f"wrote {PAGE.name}")
