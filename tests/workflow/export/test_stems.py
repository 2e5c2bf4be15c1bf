"""Stems: file names that every system takes, and no two alike."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from cryoplan.workflow.export.stems import LONGEST_STEM, Stems, isotherm_stem


@given(st.lists(st.text(max_size=120), max_size=12))
def test_any_names_become_different_plain_file_names(names):
    stems = Stems()
    made = [stems.of(name) for name in names]
    assert len({stem.casefold() for stem in made}) == len(names)
    for stem in made:
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", stem)
        assert len(stem) <= LONGEST_STEM + 4


def test_names_that_differ_in_capitals_only_are_two_files():
    stems = Stems()
    assert [stems.of("Liver"), stems.of("liver"), stems.of("肝")] == ["Liver", "liver-2", "structure"]


def test_no_name_hides_a_file_or_leaves_the_folder():
    stems = Stems()
    assert stems.of("../../etc/passwd") == "etc-passwd"
    assert stems.of(".hidden") == "hidden"


def test_isotherms_are_called_as_run_calls_them():
    assert [isotherm_stem(t) for t in (0.0, -20.0, -40.0)] == ["iceball_0", "isotherm_-20", "isotherm_-40"]


def test_names_that_windows_keeps_for_devices_are_not_used():
    stems = Stems()
    assert [stems.of(name) for name in ("AUX", "con.1", "nul")] == [
        "structure-AUX",
        "structure-con.1",
        "structure-nul",
    ]
