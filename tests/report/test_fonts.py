"""Fonts: Latin, Greek and Cyrillic are printed, everything else stays readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.resources import resource
from cryoplan.report.fonts import has_replacements, is_printable, printable


@pytest.mark.parametrize(
    "text", ["Łódź żółć", "Ελληνικά μ", "Кириллица Ж", "−40 °C ✓ ▲ ✗ × ≥ – “x” · ³", "Nguyễn Ạ"]
)
def test_european_scripts_and_signs_are_printed_as_they_are(text):
    assert printable(text) == text
    assert not has_replacements(text)


def test_letters_apart_from_their_marks_are_joined_first():
    assert printable("e\u0301") == "é"
    assert not has_replacements("e\u0301")


@pytest.mark.parametrize(
    ("text", "printed"),
    [("肝 S8", "{809D} S8"), ("כבד", "{05DB}{05D1}{05D3}"), ("كبد", "{0643}{0628}{062F}"), ("🧊", "{1F9CA}")],
)
def test_other_scripts_become_their_numbers_and_stay_apart(text, printed):
    assert printable(text) == printed
    assert has_replacements(text)


def test_breaks_and_control_characters_become_single_spaces():
    assert printable(" a\n\tb\x00\u202ec ") == "a b c"
    assert not has_replacements("a\nb\x00")


def test_spaces_that_must_not_break_are_kept():
    assert printable("  L\u00a012.3  x ") == "L\u00a012.3 x"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_whatever_comes_in_only_printable_letters_come_out(text):
    assert all(is_printable(c) for c in printable(text))


def test_licence_lies_beside_the_fonts():
    text = resource("fonts", "LICENSE-DejaVu.txt").read_text(encoding="utf-8")
    assert "Bitstream Vera" in text
    assert "Permission is hereby granted" in text
