"""Lettering: names in any letters are drawn as letters, and what no font has is seen to be missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.scene.lettering import UNKNOWN, USUAL, families, legible
from cryoplan.scene.movie import ice_movie
from cryoplan.scene.paper import canvas, number
from cryoplan.scene.style import theme
from tests.support.exports import subject


@pytest.mark.parametrize("text", ["Probe 1", "Größe ± 5 °C", "Σκληρός", "Нож", "−20 … „a“"])
def test_usual_letters_need_no_other_font(text):
    assert families(text) == [USUAL]
    assert legible(text) == text


@pytest.mark.parametrize(
    ("text", "drawn"),
    [("כבד", "דבכ"), ("Probe כבד 12", "Probe דבכ 12"), ("كبد", UNKNOWN * 3), ("A كبد", f"A {UNKNOWN * 3}")],
)
def test_hebrew_is_turned_into_the_order_it_is_read_in_and_joined_letters_are_never_drawn_apart(text, drawn):
    assert families(text) == [USUAL]
    assert legible(text) == drawn


@pytest.mark.parametrize("text", ["肝臓", "针 1", "きり"])
def test_chinese_and_japanese_letters_are_drawn_by_the_font_that_has_them(text):
    assert len(families(text)) == 2
    assert legible(text) == text


def test_a_letter_that_no_font_has_is_marked_and_the_rest_stays():
    assert legible("a\U0001f9ca肝") == f"a{UNKNOWN}肝"


def ink(name):
    figure, axes = canvas(theme())
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    number(axes, name, np.array([0.5, 0.5]), "#ffffff", "#000000")
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., 0]


def test_two_chinese_names_look_different_and_neither_is_an_empty_box():
    # A box would look the same for both; matplotlib's warning of it is an error here.
    assert not np.array_equal(ink("肝"), ink("针"))


def test_names_in_any_letters_go_through_a_whole_movie_without_a_warning():
    s = subject()
    probes = (replace(s.plan.probes[0], name="針一"), replace(s.plan.probes[1], name="\U0001f9ca"))
    sensor = replace(s.plan.thermocouples[0], name="肝T")
    plan = replace(s.plan, probes=probes, thermocouples=(sensor,))
    assert len(list(ice_movie(s.case, plan, s.probes, s.result))) == len(s.result.frames)
