"""A drag stops where a probe ends or loses its length; entries stay on the skin; what is typed is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryoplan.case.skin import skin_entry
from cryoplan.core.errors import PlanError
from cryoplan.core.geometry import angle_deg, distance_mm
from cryoplan.plan.catalogue import Catalogue, load_catalogue
from cryoplan.plan.edit_tools import add_tool
from cryoplan.plan.edits import Grip, advance, move_tip, set_locked, set_model
from cryoplan.plan.hold import LEAST_DEPTH_MM, drag, is_on_skin, keep_on_skin, longest_depth_mm, require_reach
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe
from cryoplan.plan.skin_entries import entries_on_skin
from cryoplan.plan.tool import ToolKind
from cryoplan.plan.turning import cranio_caudal_deg, in_plane_signed_deg, turn_by, turn_to
from tests.support.scenes import TUMOUR_MM, make_plan, small_case

SHORT_MM = 100.0
RESERVE_MM = 10.0

shift = st.tuples(*[st.floats(-150.0, 150.0)] * 3)


def short_catalogue() -> Catalogue:
    model = load_catalogue().model("generic-15g")
    length = replace(model.shaft_length, value=SHORT_MM)
    return Catalogue(models=(replace(model, id="short", name="Short", shaft_length=length),))


def one_probe(**other) -> Plan:
    probe = Probe(name="1", model="short", tip_mm=TUMOUR_MM, entry_mm=(-105.0, -20.0, 22.0))
    return entries_on_skin(small_case(), Plan(probes=(replace(probe, **other),)), {"1"})


@settings(max_examples=60, deadline=None)
@given(shift, st.sampled_from(Grip))
def test_no_drag_makes_a_probe_longer_than_its_shaft_or_takes_its_length(by, kind):
    plan, catalogue = one_probe(), short_catalogue()
    hold = drag(plan, "1", kind, by, small_case(), catalogue)
    probe = hold.plan.probe("1")
    assert LEAST_DEPTH_MM - 1e-3 <= probe.depth_mm <= SHORT_MM - RESERVE_MM + 1e-3
    require_reach(plan, hold.plan, catalogue)
    if not hold.stop and kind is not Grip.ENTRY:
        assert np.allclose(probe.tip_mm, np.add(plan.probe("1").tip_mm, by))


@settings(max_examples=60, deadline=None)
@given(shift)
def test_an_entry_that_is_dragged_lies_on_the_skin_and_its_tip_stays(by):
    plan = one_probe()
    probe = drag(plan, "1", Grip.ENTRY, by, small_case(), short_catalogue()).plan.probe("1")
    assert probe.tip_mm == plan.probe("1").tip_mm
    skin = skin_entry(small_case(), probe.tip_mm, probe.entry_mm)
    assert skin is not None
    assert distance_mm(skin, probe.entry_mm) < 0.3


def test_a_drag_that_comes_back_is_no_change_and_a_locked_probe_is_refused():
    plan = one_probe()
    assert drag(plan, "1", Grip.WHOLE, (0.0, 0.0, 0.0), small_case(), short_catalogue()).plan == plan
    with pytest.raises(PlanError, match="locked"):
        drag(set_locked(plan, "1", True), "1", Grip.TIP, (1.0, 0.0, 0.0), small_case(), short_catalogue())


def test_the_sentence_of_a_stop_names_the_limit_and_the_shaft():
    stop = drag(one_probe(), "1", Grip.TIP, (90.0, 0.0, 0.0), small_case(), short_catalogue()).stop
    assert "90.0 mm" in stop
    assert "100.0 mm" in stop


def test_an_entry_moves_freely_where_nothing_tells_of_a_skin():
    moved = drag(one_probe(), "1", Grip.ENTRY, (5.0, 3.0, 1.0), None, short_catalogue()).plan.probe("1")
    assert moved.entry_mm == pytest.approx(np.add(one_probe().probe("1").entry_mm, (5.0, 3.0, 1.0)))


def test_a_probe_that_is_too_deep_already_may_come_out_and_not_go_in():
    deep = Probe(name="1", model="short", tip_mm=(20.0, 0.0, 20.0), entry_mm=(-108.0, 0.0, 20.0))
    plan, catalogue = Plan(probes=(deep,)), short_catalogue()
    out = advance(plan, "1", -5.0)
    require_reach(plan, out, catalogue)
    with pytest.raises(PlanError, match=r"129\.0 mm deep") as error:
        require_reach(plan, advance(plan, "1", 1.0), catalogue)
    assert error.value.code == "probe-too-deep"
    assert "90.0 mm" in str(error.value)
    assert drag(plan, "1", Grip.TIP, (20.0, 0.0, 0.0), None, catalogue).plan == plan


def test_another_model_is_no_move_and_an_unknown_one_has_no_limit():
    plan, catalogue = make_plan(), load_catalogue()
    unknown = set_model(plan, "1", "nobody-knows")
    assert require_reach(plan, unknown, catalogue) is None
    assert require_reach(plan, move_tip(unknown, "1", (900.0, 0.0, 0.0)), catalogue) is None
    # The same move of a model whose shaft is known is refused.
    with pytest.raises(PlanError) as error:
        require_reach(plan, move_tip(plan, "1", (900.0, 0.0, 0.0)), catalogue)
    assert error.value.code == "probe-too-deep"


def test_a_tool_is_held_as_a_probe_is_and_ends_where_it_ends():
    plan = add_tool(Plan(), kind=ToolKind.INTRODUCER, tip_mm=TUMOUR_MM, entry_mm=(-109.0, -10.0, 20.0))
    tool = plan.tools[0]
    hold = drag(plan, tool.name, Grip.TIP, (120.0, 0.0, 0.0), small_case(), load_catalogue())
    assert hold.plan.tools[0].depth_mm == pytest.approx(longest_depth_mm(tool, load_catalogue()))
    assert hold.stop.startswith(f"Tool {tool.name} stops")


def test_a_nudge_keeps_an_entry_on_the_skin_only_if_it_lay_there():
    plan = one_probe()
    pushed = advance(plan, "1", 0.0)
    off = move_tip(plan, "1", TUMOUR_MM)
    assert is_on_skin(small_case(), plan.probe("1"))
    far = replace(plan, probes=(replace(plan.probes[0], entry_mm=(-80.0, -10.0, 20.0)),))
    assert keep_on_skin(far, far, "1", small_case()) == far
    assert keep_on_skin(pushed, off, "1", small_case()).probe("1").tip_mm == TUMOUR_MM


# Turning --------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-85.0, 85.0),
    st.floats(-80.0, 80.0),
    st.sampled_from(("", "HFS", "HFP", "HFDL", "HFDR", "FFS")),
)
def test_the_angles_that_are_typed_are_the_angles_that_are_read(in_plane, cranio, position):
    plan = one_probe()
    turned = turn_to(plan, "1", in_plane_deg=in_plane, cranio_caudal_deg=cranio, position=position).probe("1")
    assert turned.tip_mm == plan.probe("1").tip_mm
    assert turned.depth_mm == pytest.approx(plan.probe("1").depth_mm)
    assert in_plane_signed_deg(turned, position) == pytest.approx(in_plane, abs=1e-6)
    assert cranio_caudal_deg(turned) == pytest.approx(cranio, abs=1e-6)


def test_a_typed_angle_puts_the_entry_on_the_skin_of_the_new_line():
    plan = one_probe()
    turned = turn_to(plan, "1", in_plane_deg=30.0, cranio_caudal_deg=0.0, case=small_case()).probe("1")
    assert is_on_skin(small_case(), turned)
    # The tip leans to the left: 30 degrees from straight down.
    assert np.allclose(turned.direction, (0.5, np.sqrt(0.75), 0.0))


def test_a_turn_about_the_tip_keeps_the_tip_and_the_entry_on_the_skin():
    plan = one_probe()
    turned = turn_by(plan, "1", np.array([0.0, 0.0, 1.0]), 10.0, small_case()).probe("1")
    assert turned.tip_mm == plan.probe("1").tip_mm
    assert angle_deg(turned.direction, plan.probe("1").direction) == pytest.approx(10.0, abs=0.02)
    assert is_on_skin(small_case(), turned)
