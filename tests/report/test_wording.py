"""Wording: words instead of signs, and never a rounded lie."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.core.finding import Level
from cryoplan.plan.placement import angles
from cryoplan.plan.probe import Probe
from cryoplan.report import wording
from tests.support.analytic import number, probe


@pytest.mark.parametrize(
    ("point", "text"),
    [
        ((12.34, -4.5, 120.0), "L 12.3 · A 4.5 · H 120.0"),
        ((-0.04, 7.0, -3.26), "L 0.0 · P 7.0 · F 3.3"),
        ((-81.2, 0.0, 0.0), "R 81.2 · P 0.0 · H 0.0"),
    ],
)
def test_places_are_letters_of_the_patient(point, text):
    assert wording.place(point).replace(wording.NO_BREAK, " ") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.25, "+1.2"), (-0.04, "0.0"), (0.0, "0.0"), (-3.0, "−3.0"), (0.04, "0.0")],
)
def test_signed_numbers_have_a_true_minus_and_zero_has_none(value, text):
    assert wording.signed(value) == text
    assert wording.plain(value) == text.lstrip("+")


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.0, "0 %"), (0.001, "< 1 %"), (0.12, "12 %"), (0.996, "> 99 %"), (1.0, "100 %")],
)
def test_shares_are_never_rounded_to_none_or_all(fraction, text):
    assert wording.share(fraction) == text


def test_a_volume_is_none_only_when_there_is_none():
    assert [wording.millilitres(v) for v in (0.0, 0.01, 0.06, 12.34)] == [
        "0.0 ml",
        "< 0.1 ml",
        "0.1 ml",
        "12.3 ml",
    ]


def test_positions_are_said_in_words():
    assert wording.position("HFS") == "HFS (head first, supine)"
    assert wording.position("ffdl") == "FFDL (feet first, on the left side)"
    assert wording.position("XYZ") == "XYZ"
    assert wording.position(" ") == "unknown position"


def _towards(x: float, y: float, z: float):
    return angles(probe("1", (0, 0, 0), (x, y, z)))


def test_angles_are_said_towards_head_feet_and_sides():
    steep = _towards(0.0, 1.0, np.tan(np.radians(12.0)))
    assert wording.cranio_caudal(steep) == "12.0° towards the head"
    assert wording.in_plane(steep) == "0°, vertical"
    assert wording.gantry(steep) == "12.0°, lower edge to the head"
    slanted = _towards(-1.0, 1.0, -0.1)
    assert wording.in_plane(slanted) == "45.0°, tip to the right"
    assert wording.cranio_caudal(slanted).endswith("towards the feet")
    assert wording.gantry(slanted).endswith("lower edge to the feet")
    flat = _towards(1.0, 1.0, 0.002)
    assert wording.cranio_caudal(flat) == "0°, within one slice"
    assert wording.gantry(flat) == "none needed"
    assert wording.gantry(_towards(0.0, 1.0, 2.0)) == "out of reach"


def test_power_and_times_are_said_when_they_are_not_the_usual():
    usual = probe()
    assert wording.gas_times(usual) == "100 %, whole protocol"

    def timed(**more):
        return Probe(name="1", model="m", tip_mm=usual.tip_mm, entry_mm=usual.entry_mm, **more)

    assert wording.gas_times(timed(intensity=0.7, start_s=60.0)) == "70 %, 1:00 to end"
    assert wording.gas_times(timed(stop_s=630.0)) == "100 %, 0:00 to 10:30"


def test_guessed_numbers_carry_the_word():
    assert wording.sourced(number(-150.0, "degC", "table")) == "−150"
    assert wording.sourced(number(20.0, "W", "recalled")) == "20 recalled"
    assert wording.measured(number(30.0, "mm", "assumed"), "mm") == "30 mm (assumed)"
    assert wording.measured(number(1.83, "mm", "table"), "mm") == "1.83 mm"


def test_levels_are_counted_heaviest_first():
    assert wording.counted([Level.OK, Level.FAIL, Level.OK]) == "1 fail, 0 warn, 2 ok"
