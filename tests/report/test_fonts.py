"""Fonts: Latin, Greek and Cyrillic are printed, everything else stays readable."""

from __future__ import annotations

import shutil
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from cryoplan.core.resources import resource
from cryoplan.report.fonts import (
    BOLD,
    LONGEST_TURNED,
    REGULAR,
    WIDE,
    draw_text,
    has_replacements,
    in_reading_order,
    is_printable,
    markup,
    printable,
    runs,
    text_width,
)
from cryoplan.report.layout import CELL, text


@pytest.mark.parametrize(
    "text",
    [
        "Łódź żółć",
        "Ελληνικά μ",
        "Кириллица Ж",
        "−40 °C ✓ ▲ ✗ × ≥ – “x” · ³",
        "Nguyễn Ạ",
        "肝 S8 がん 龍",
        "כבד S8",
    ],
)
def test_european_scripts_and_signs_are_printed_as_they_are(text):
    assert printable(text) == text
    assert not has_replacements(text)


def test_letters_apart_from_their_marks_are_joined_first():
    assert printable("e\u0301") == "é"
    assert not has_replacements("e\u0301")


@pytest.mark.parametrize(
    ("text", "printed"),
    [("간 S8", "{AC04} S8"), ("كبد", "{0643}{0628}{062F}"), ("🧊", "{1F9CA}")],
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


def test_each_letter_is_printed_by_a_font_that_has_it():
    assert runs("Łódź 肝 S8", BOLD) == ((BOLD, "Łódź "), (WIDE, "肝 "), (BOLD, "S8"))
    assert runs("Niere & <1>", REGULAR) == ((REGULAR, "Niere & <1>"),)
    assert markup("a<肝\nb", REGULAR) == f'a&lt;<font name="{WIDE}">肝</font><br/>b'


def test_text_without_wide_letters_does_not_read_the_font_of_wide_letters():
    code = (
        "from cryoplan.report import fonts; fonts.runs('Łódź כבד Ж', fonts.BOLD); fonts.printable('كبد'); "
        "import sys; sys.exit(fonts._wide.cache_info().currsize)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("spoken", "seen"),
    [
        ("כבד", "דבכ"),
        ("גידול כבד", "דבכ\u00a0לודיג"),
        ("Tumour כבד 2", "Tumour דבכ 2"),
        ("כבד 12 גידול", "לודיג\u00a012\u00a0דבכ"),
        ("liver", "liver"),
    ],
)
def test_hebrew_is_turned_into_the_order_of_reading(spoken, seen):
    assert in_reading_order(spoken) == seen


def test_hebrew_too_long_for_one_line_is_given_by_numbers_and_never_reversed_across_lines():
    long = "כבד " * 7
    assert len(long.strip()) > LONGEST_TURNED
    assert has_replacements(long)
    assert printable(long).startswith("{05DB}{05D1}{05D3} ")


@given(st.text("abc כבד肝12().é", max_size=30))
def test_reading_order_keeps_every_letter(text):
    def bag(words):
        return sorted(words.replace("\u00a0", " "))

    assert bag("".join(letters for _, letters in runs(text, REGULAR))) == bag(text)


def _page(tmp_path, draw):
    path = tmp_path / "page.pdf"
    canvas = Canvas(str(path), invariant=1)
    draw(canvas)
    canvas.save()
    return path


def _read(path):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
    return unicodedata.normalize("NFC", done.stdout.decode())


NAMES = ["Łódź żółć", "Ελληνικά", "Кириллица", "肝腫瘍 S8", "がん 龍", "גידול כבד"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_found_again_in_paragraphs_and_lines(tmp_path, name):
    def draw(canvas):
        paragraph = text(name, CELL)
        paragraph.wrapOn(canvas, 200.0, 100.0)
        paragraph.drawOn(canvas, 50.0, 700.0)
        draw_text(canvas, 300.0, 500.0, name, BOLD, 9.0, align=0.5)

    said = _read(_page(tmp_path, draw)).replace("\u00a0", " ").replace("\u202b", "").replace("\u202c", "")
    assert said.count(name) == 2


def test_long_wide_name_breaks_within_its_column(tmp_path):
    name = "肝臓第八区域の転移性腫瘍" * 3
    paragraph = text(name, CELL)
    width, height = paragraph.wrap(60.0, 1000.0)
    assert width <= 60.0
    assert height > 4 * CELL.leading

    def draw(canvas):
        paragraph.wrapOn(canvas, 60.0, 1000.0)
        paragraph.drawOn(canvas, 50.0, 500.0)

    assert "".join(_read(_page(tmp_path, draw)).split()) == name


def test_width_is_that_of_the_runs():
    assert text_width("肝肝", BOLD, 10.0) == pytest.approx(20.0)
    assert text_width("ab肝", BOLD, 10.0) == pytest.approx(text_width("ab", BOLD, 10.0) + 10.0)


@pytest.mark.parametrize(("file", "words"), [("LICENSE-Droid.txt", "Apache License")])
def test_licence_of_the_wide_font_lies_beside_it(file, words):
    assert words in resource("fonts", file).read_text(encoding="utf-8")


def test_licence_lies_beside_the_fonts():
    text = resource("fonts", "LICENSE-DejaVu.txt").read_text(encoding="utf-8")
    assert "Bitstream Vera" in text
    assert "Permission is hereby granted" in text
