"""Probes, protocols and plans: what cannot be carried out cannot be made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cryoplan.core.errors import PlanError
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.names import checked_name
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, ThawMode, freeze_thaw_freeze

PROBE = Probe(name="1", model="generic-15g", tip_mm=(0, 0, 0), entry_mm=(0, -80, 0))
FREEZE = Phase(kind=PhaseKind.FREEZE, duration_s=600)
THAW = Phase(kind=PhaseKind.THAW, duration_s=300)


def test_the_parts_of_a_probe_lie_behind_its_tip():
    model = load_catalogue()["generic-15g"]
    assert PROBE.direction == pytest.approx((0, 1, 0))
    assert PROBE.depth_mm == 80.0
    assert PROBE.point_behind_tip_mm(10.0) == (0.0, -10.0, 0.0)
    front, back = PROBE.active_zone_mm(model)
    assert front == (0.0, -model.tip_offset.value, 0.0)
    assert back == pytest.approx((0, -model.tip_offset.value - model.active_length.value, 0))


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"name": " "}, "probe-name", "name"),
        ({"tip_mm": (1, 2)}, "probe-position", "tip_mm"),
        ({"entry_mm": (1, 2, np.nan)}, "probe-position", "entry_mm"),
        ({"entry_mm": "abc"}, "probe-position", "entry_mm"),
        ({"entry_mm": (0, 0, 0)}, "probe-without-length", "entry_mm"),
        ({"entry_mm": (0, 0, 0.99)}, "probe-without-length", "entry_mm"),
        ({"intensity": 0.0}, "probe-intensity", "intensity"),
        ({"intensity": 1.1}, "probe-intensity", "intensity"),
        ({"intensity": np.nan}, "probe-intensity", "intensity"),
        ({"start_s": -1.0}, "probe-times", "start_s"),
        ({"start_s": np.inf}, "probe-times", "start_s"),
        ({"start_s": 10.0, "stop_s": 10.0}, "probe-times", "stop_s"),
        ({"stop_s": np.inf}, "probe-times", "stop_s"),
    ],
)
def test_a_probe_that_is_none_cannot_be_made(change, code, place):
    with pytest.raises(PlanError) as caught:
        replace(PROBE, **change)
    assert (caught.value.code, caught.value.place) == (code, place)


def test_a_protocol_begins_with_a_freeze_and_ends_in_time():
    with pytest.raises(PlanError, match="begins with a freeze"):
        Protocol(phases=())
    with pytest.raises(PlanError, match="begins with a freeze"):
        Protocol(phases=(THAW, FREEZE))
    with pytest.raises(PlanError, match="cannot be carried out"):
        Protocol(phases=(FREEZE,) * 30)


@pytest.mark.parametrize("duration", [0, -5, float("nan"), float("inf"), 5 * 3600])
def test_a_phase_has_a_duration(duration):
    with pytest.raises(PlanError, match="cannot be carried out"):
        Phase(kind=PhaseKind.FREEZE, duration_s=duration)


def test_a_freeze_has_no_thaw_mode():
    with pytest.raises(PlanError, match="no thaw mode"):
        Phase(kind=PhaseKind.FREEZE, duration_s=5, mode=ThawMode.HELIUM)


def test_spans_follow_one_another():
    protocol = freeze_thaw_freeze()
    assert [(a, b) for a, b, _ in protocol.spans()] == [(0, 600), (600, 900), (900, 1500)]
    assert protocol.freeze_ends_s() == (600.0, 1500.0)
    assert protocol.duration_s == 1500.0
    assert protocol.describe() == "10-5-10 min"


BORDERS = [(0, "freeze"), (600, "freeze"), (600.1, "thaw"), (900, "thaw"), (1500, "freeze"), (9999, "freeze")]


@pytest.mark.parametrize(("time", "kind"), BORDERS)
def test_a_border_belongs_to_the_phase_that_ends_there(time, kind):
    assert freeze_thaw_freeze().phase_at(time).kind.value == kind


def test_names_in_a_plan_are_unique():
    with pytest.raises(PlanError, match="Two probes are called '1'") as caught:
        Plan(probes=(PROBE, PROBE))
    assert caught.value.place == "probes[1].name"
    sensor = Thermocouple(name="T", position_mm=(0, 0, 0))
    with pytest.raises(PlanError, match="Two thermocouples"):
        Plan(thermocouples=(sensor, sensor))


def test_a_thermocouple_has_a_name_and_a_place():
    with pytest.raises(PlanError, match="no name"):
        Thermocouple(name="", position_mm=(0, 0, 0))
    with pytest.raises(PlanError, match="three finite numbers"):
        Thermocouple(name="T", position_mm=(0, 0))


def test_an_unknown_probe_is_said():
    with pytest.raises(PlanError, match="no probe '7'"):
        Plan(probes=(PROBE,)).probe("7")
    assert Plan(probes=(PROBE,)).probe("1") is PROBE


def test_the_physics_key_holds_what_changes_the_ice_and_nothing_else():
    base = Plan(probes=(PROBE,), thermocouples=(Thermocouple(name="T", position_mm=(1, 2, 3)),))
    same = replace(base, name="B", probes=(replace(PROBE, locked=True),), thermocouples=())
    assert same.physics_key() == base.physics_key()
    others = [
        replace(base, probes=(replace(PROBE, tip_mm=(0, 0.1, 0)),)),
        replace(base, probes=(replace(PROBE, intensity=0.99),)),
        replace(base, probes=(replace(PROBE, model="icesphere-17g"),)),
        replace(base, probes=(replace(PROBE, stop_s=1499.0),)),
        replace(base, protocol=freeze_thaw_freeze(601)),
        replace(base, protocol=freeze_thaw_freeze(mode=ThawMode.HELIUM)),
    ]
    assert len({p.physics_key() for p in [base, *others]}) == len(others) + 1


@pytest.mark.parametrize("name", ["1", "left upper", "żółć", "T-1 (dome)"])
def test_names_that_can_be_shown_are_kept(name):
    assert checked_name(name, what="x") == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name-empty"),
        ("x" * 81, "name-too-long"),
        (" 1", "name-unprintable"),
        ("a\tb", "name-unprintable"),
        ("\ud800", "name-unprintable"),
    ],
)
def test_other_names_are_refused(name, code):
    with pytest.raises(PlanError) as caught:
        checked_name(name, what="Probe", place="here")
    assert (caught.value.code, caught.value.place) == (code, "here")
