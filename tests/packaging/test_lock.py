"""What is installed is exactly what was tested, wherever the packages come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "packaging" / "requirements.lock").read_text(encoding="utf-8")


def _entries() -> list[tuple[Requirement, list[str]]]:
    """Return each locked requirement with its hashes."""
    entries = []
    plain = "\n".join(line for line in LOCK.splitlines() if not line.lstrip().startswith("#"))
    for block in re.split(r"\n(?=\S)", plain.strip()):
        words = block.replace("\\\n", " ").split("--hash=")
        entries.append((Requirement(words[0].strip()), [word.strip() for word in words[1:]]))
    return entries


def _listed() -> list[Requirement]:
    text = (ROOT / "packaging" / "requirements.in").read_text(encoding="utf-8")
    return [Requirement(line) for line in text.splitlines() if line and not line.startswith("#")]


def test_every_locked_file_is_pinned_and_hashed():
    entries = _entries()
    assert len(entries) > 40
    for requirement, hashes in entries:
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), requirement


def test_lock_says_nothing_of_where_packages_come_from():
    options = [line for line in LOCK.splitlines() if line.startswith("-")]
    assert options == []
    assert "://" not in LOCK
    assert " @ " not in LOCK


def test_lock_holds_the_listed_versions():
    locked = {(canonicalize_name(one.name), str(one.specifier)) for one, _ in _entries()}
    listed = {(canonicalize_name(one.name), str(one.specifier)) for one in _listed()}
    assert listed <= locked


def test_every_dependency_of_the_project_is_locked_in_an_allowed_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = {canonicalize_name(one.name): str(one.specifier)[2:] for one, _ in _entries()}
    for dependency in map(Requirement, project["dependencies"]):
        assert dependency.specifier.contains(versions[canonicalize_name(dependency.name)]), dependency


@pytest.mark.parametrize("system", ["manylinux", "win", "macosx"])
def test_lock_is_for_every_supported_system(system: str):
    # Packages of one system alone bear a marker, so that the others do not ask for them.
    for requirement, _ in _entries():
        if requirement.name.startswith("pyobjc"):
            assert "darwin" in str(requirement.marker)
        if requirement.name == "colorama":
            assert "win32" in str(requirement.marker)
    places = {"manylinux": "linux", "win": "win32", "macosx": "darwin"}
    for name in ("numpy", "vtk", "pyside6-essentials", "simpleitk", "numba"):
        markers = [one.marker for one, _ in _entries() if canonicalize_name(one.name) == name]
        assert any(
            marker is None
            or marker.evaluate({"sys_platform": places[system], "python_full_version": "3.11.0"})
            for marker in markers
        )
