"""Codes become roles, beside the names: those of DICOM SEG and Slicer, agreeing and contradicting."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cryoplan.case import coded_roles
from cryoplan.case.build import build_case
from cryoplan.case.coded_roles import role_of_code
from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource
from cryoplan.core.volume import Volume
from cryoplan.image.named_mask import NamedMask
from tests.support import bodies


def taken(name: str, code: str, **stated: str):
    """Return the structure that a case makes of a mask."""
    values = np.zeros(bodies.SCAN_GRID.shape, bool)
    values[10:12, 10:12, 10:12] = True
    mask = NamedMask(
        name=name, mask=Volume(grid=bodies.SCAN_GRID, values=values), source="file", code=code, **stated
    )
    case = build_case(bodies.body().scan, [mask])
    found = case.structures[0]
    asked = "role-guessed" in {f.code for f in case.findings}
    assert asked == found.role_is_guess
    return found.role, found.tissue, not found.role_is_guess


@pytest.mark.parametrize(
    ("code", "role", "tissue"),
    [
        ("SCT 10200004", Role.ORGAN, "liver"),
        ("SRT T-62000", Role.ORGAN, "liver"),
        ("SCT 64033007", Role.KIDNEY, "kidney"),
        ("SCT 108369006", Role.TUMOUR, "tumour"),
        ("SCT 4147007", Role.TUMOUR, "tumour"),
        ("SCT 15825003", Role.VESSEL, "blood"),
        ("SCT 28273000", Role.BILE_DUCT, "bile"),
        ("SCT 3120008", Role.PLEURA, "soft-tissue"),
        ("SCT 39937001", Role.SKIN, "skin"),
        ("SCT 87953007", Role.URETER, "ureter-wall"),
        ("SCT 367643001", Role.FLUID, "fluid"),
    ],
)
def test_a_code_says_what_a_segment_is_whatever_it_is_called(code, role, tissue):
    assert role_of_code(code) == (role, tissue)
    assert taken("Segment_7", code) == (role, tissue, True)


@pytest.mark.parametrize(
    "code", ["", "SCT", "SCT 85756007", "SCT 999", "SRT T-99999", "99X 10200004", "10200004"]
)
def test_a_code_that_names_no_one_thing_or_nothing_leaves_it_to_the_name(code):
    assert role_of_code(code) is None
    assert taken("spleen", code) == (Role.ORGAN, "spleen", True)
    assert taken("Segment_7", code) == (Role.OTHER, "soft-tissue", False)


def test_a_name_that_agrees_may_say_more_of_the_tissue():
    assert taken("renal mass", "SCT 4147007") == (Role.TUMOUR, "tumour-rcc", True)


def test_a_tumour_that_is_coded_by_its_organ_stays_a_tumour_and_is_asked_about():
    assert taken("tumour 2", "SCT 10200004") == (Role.TUMOUR, "tumour", False)


def test_a_plain_name_that_contradicts_the_code_is_asked_about():
    assert taken("aorta", "SCT 10200004") == (Role.ORGAN, "liver", False)


def test_a_role_that_the_file_states_counts_over_its_code():
    assert taken("Segment_7", "SCT 10200004", role="bowel", tissue="large-bowel")[0] is Role.BOWEL


def test_codes_and_meanings_are_those_of_dicom():
    """An independent reader: pydicom's dictionary of PS3.16."""
    from pydicom.sr._concepts_dict import concepts
    from pydicom.sr._snomed_dict import mapping

    known = {code for named in concepts["SCT"].values() for code in named}
    table, older = coded_roles._tables()
    # Those that TotalSegmentator's table alone has.
    own = set(table) - known
    assert len(own) == 26
    assert len(table) > 200
    for old, new in older.items():
        assert mapping["SRT"][old] == new
        assert new in table


def test_every_tissue_of_a_code_is_one_of_the_tissue_table():
    tissues = set(
        re.findall(
            r"^\[([a-z-]+)\]$", resource("tissues", "default.toml").read_text(encoding="utf-8"), flags=re.M
        )
    )
    assert {tissue for _, tissue in coded_roles._tables()[0].values()} <= tissues


@pytest.mark.parametrize(
    "text", ["codes = 3", "codes = [", '[[codes]]\nrole = "dragon"\ntissue = "x"\nmeanings = {a = "b"}']
)
def test_a_broken_table_says_so(tmp_path, monkeypatch, text):
    (tmp_path / "snomed.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(coded_roles, "resource", lambda *_: tmp_path / "snomed.toml")
    coded_roles._tables.cache_clear()
    try:
        with pytest.raises(StoreError, match=r"snomed\.toml"):
            role_of_code("SCT 1")
    finally:
        coded_roles._tables.cache_clear()
