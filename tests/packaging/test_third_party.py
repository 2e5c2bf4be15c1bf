"""The third-party list is current, and nothing on it binds a BSD program to another licence."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def third_party(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import third_party

    return third_party


def test_list_is_current(third_party: ModuleType):
    assert third_party.PAGE.read_text(encoding="utf-8") == third_party.page()


def test_every_runtime_distribution_is_locked_and_names_its_licence(third_party: ModuleType):
    found = third_party.runtime()
    names = {one.name for one in found}
    assert {"pyside6-essentials", "vtk", "simpleitk", "pyobjc-core", "urllib3"} <= names
    assert not names & {"pytest", "hypothesis", "ruff"}
    assert [one.name for one in found if one.versions == "not locked" or not one.licence] == []


def test_nothing_at_run_time_is_under_gpl_or_agpl_alone(third_party: ModuleType):
    bound = [one for one in third_party.runtime() if not third_party.is_free_to_ship(one.licence)]
    assert bound == []


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("MIT", True),
        ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", True),
        ("GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("MIT AND GPL-3.0-only", False),
        ("BSD-3-Clause AND GPL-3.0-or-later WITH GCC-exception-3.1", True),
        ("MIT AND (GPL-2.0-only OR Apache-2.0)", True),
        ("", False),
    ],
)
def test_licence_rule_reads_alternatives_and_exceptions(third_party: ModuleType, licence: str, free: bool):
    assert third_party.is_free_to_ship(licence) is free


def test_what_is_optional_is_neither_locked_nor_listed_as_shipped(third_party: ModuleType):
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((PACKAGING.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        canonicalize_name(Requirement(line).name)
        for lines in project["optional-dependencies"].values()
        for line in lines
    }
    assert extras == {"totalsegmentator"}
    assert not extras & {one.name for one in third_party.runtime()}
    assert not extras & set(third_party._locked())
    assert "torch" not in third_party._locked()
