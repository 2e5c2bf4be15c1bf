"""The 3D view, on real off-screen pictures: what is where, in which colour, and what is hidden."""

from __future__ import annotations

import colorsys
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pyvista as pv

from cryoplan.core.volume import Volume
from cryoplan.margins.classes import MarginClasses
from cryoplan.margins.outline import outline
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.edit_tools import add_tool
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.tool import ToolKind
from cryoplan.scene.camera import Preset
from cryoplan.scene.meshes import build_case_meshes
from cryoplan.scene.pick import GripKind, to_screen
from cryoplan.scene.style import rgb, theme
from cryoplan.scene.view3d import Layer, Scene
from tests.support.scenes import TUMOUR_MM, cold_field, make_case, make_plan, make_result

SIZE = (400, 400)
TUMOUR_ONLY = (Layer.SKIN, Layer.BONE, Layer.STRUCTURES)


@pytest.fixture(scope="module")
def case():
    return make_case()


@pytest.fixture(scope="module")
def meshes(case):
    return build_case_meshes(case)


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


@pytest.fixture
def plotter():
    made = pv.Plotter(off_screen=True, window_size=list(SIZE))
    yield made
    made.close()


@pytest.fixture
def scene(plotter, meshes):
    made = Scene(plotter)
    made.show_meshes(meshes)
    made.look(Preset.ANTERIOR)
    return made


def picture(plotter) -> np.ndarray:
    plotter.render()
    return np.asarray(plotter.screenshot(None, return_img=True))


def hue_at(image, scene, point_mm) -> tuple[float, float, float]:
    x, y, _ = to_screen(scene.world_to_ndc(), point_mm, SIZE)
    pixel = image[round(float(y)), round(float(x))] / 255.0
    return colorsys.rgb_to_hsv(*pixel)


def hue_of(colour: str) -> float:
    return colorsys.rgb_to_hsv(*rgb(colour))[0]


def only(scene, *layers):
    for layer in Layer:
        scene.set_visible(layer, layer in layers)


def test_the_tumour_is_drawn_in_its_colour_at_its_place(plotter, scene):
    only(scene, Layer.TUMOUR)
    image = picture(plotter)
    hue, saturation, value = hue_at(image, scene, TUMOUR_MM)
    assert hue == pytest.approx(hue_of(theme().tumour.colour), abs=0.03)
    assert saturation > 0.6
    assert value > 0.4
    assert hue_at(image, scene, (TUMOUR_MM[0], TUMOUR_MM[1], TUMOUR_MM[2] + 17.0))[1] < 0.4


def test_the_camera_has_the_target_in_the_centre(plotter, scene):
    for preset in (Preset.ANTERIOR, Preset.RIGHT_LATERAL, Preset.FEET, Preset.OBLIQUE):
        scene.look(preset)
        picture(plotter)  # pyvista must not set a camera of its own at the first picture
        x, y, _ = to_screen(scene.world_to_ndc(), TUMOUR_MM, SIZE)
        assert (x, y) == pytest.approx((200.0, 200.0), abs=2.0)


def test_seen_from_the_front_patient_right_is_on_the_left(plotter, scene):
    picture(plotter)
    right, left = (to_screen(scene.world_to_ndc(), (TUMOUR_MM[0] + dx, -10, 20), SIZE) for dx in (-20, 20))
    assert right[0] < left[0]
    axes = scene.screen_axes()
    assert axes[0][0] == pytest.approx(1.0)
    assert axes[2][1] == pytest.approx(1.0)


def test_a_hidden_layer_leaves_no_pixel(plotter, scene):
    only(scene)
    empty = picture(plotter)
    scene.set_visible(Layer.SKIN, True)
    assert np.abs(picture(plotter).astype(int) - empty).max() > 10
    scene.set_visible(Layer.SKIN, False)
    assert np.array_equal(picture(plotter), empty)
    scene.set_visible(Layer.TUMOUR, True)
    scene.set_structure_visible("tumour 1", False)
    assert np.array_equal(picture(plotter), empty)


def test_the_tumour_is_seen_through_skin_and_ice(plotter, scene, case, catalogue):
    scene.show_field(cold_field(case.planning_grid, make_plan(), catalogue))
    with_tumour = picture(plotter)
    scene.set_visible(Layer.TUMOUR, False)
    without = picture(plotter)
    x, y, _ = to_screen(scene.world_to_ndc(), TUMOUR_MM, SIZE)
    change = (
        with_tumour[round(float(y)), round(float(x))].astype(int) - without[round(float(y)), round(float(x))]
    )
    assert change[0] > 25  # redder
    assert change[0] > change[2]


@pytest.mark.parametrize(
    ("layer", "threshold"), [(Layer.ICE_0, 0.0), (Layer.ICE_20, -20.0), (Layer.ICE_40, -40.0)]
)
def test_each_shell_has_its_extent_and_its_colour(plotter, scene, case, catalogue, layer, threshold):
    plan = make_plan()
    scene.show_field(cold_field(case.planning_grid, plan, catalogue))
    radius = (threshold + 157.0) / 8.0
    lower, upper = scene.bounds_mm(layer)
    assert lower[1] == pytest.approx(TUMOUR_MM[1] - radius, abs=0.4)
    assert upper[2] == pytest.approx(TUMOUR_MM[2] + 5.0 + radius, abs=0.4)
    only(scene)
    empty = picture(plotter).astype(int)
    scene.set_visible(layer, True)
    change = picture(plotter).astype(int) - empty
    x, y, _ = to_screen(scene.world_to_ndc(), TUMOUR_MM, SIZE)
    tint = change[round(float(y)), round(float(x))]
    colour = np.asarray(rgb(theme().isotherm(threshold).colour))
    assert tint.max() > 15
    assert np.argsort(tint)[0] == np.argsort(colour)[0]


def test_shells_are_drawn_from_inside_to_outside_and_skin_last(plotter, scene, case, catalogue):
    scene.show_plan(make_plan(), catalogue)
    scene.show_field(cold_field(case.planning_grid, make_plan(), catalogue))
    actors = list(plotter.renderer.GetViewProps())
    places = {d.layer: actors.index(d.actor) for d in scene._drawn}
    assert places[Layer.TUMOUR] < places[Layer.ICE_40] < places[Layer.ICE_20] < places[Layer.ICE_0]
    assert places[Layer.ICE_0] < places[Layer.BONE] < places[Layer.SKIN]
    assert not plotter.renderer.GetUseDepthPeeling()


def test_a_stale_result_is_grey_and_says_so(plotter, scene, case, catalogue):
    field = cold_field(case.planning_grid, make_plan(), catalogue)
    only(scene, Layer.ICE_0, Layer.ICE_20, Layer.ICE_40)
    scene.show_field(field, stale=False)
    fresh = picture(plotter)
    scene.show_field(field, stale=True)
    stale = picture(plotter)
    x, y, _ = to_screen(scene.world_to_ndc(), TUMOUR_MM, SIZE)
    here = (round(float(y)), round(float(x)))
    assert np.ptp(fresh[here].astype(int)) > np.ptp(stale[here].astype(int)) + 20
    banner = slice(5, 45)
    assert np.abs(stale[banner].astype(int) - fresh[banner]).max() > 60
    scene.show_field(None, stale=True)
    assert scene.bounds_mm(Layer.ICE_0) is None
    assert np.abs(picture(plotter)[banner].astype(int) - fresh[banner]).max() == 0


def test_probes_are_to_scale_with_the_lit_zone_and_the_tip_beyond_it(plotter, scene, catalogue):
    plan = make_plan()
    scene.show_plan(plan, catalogue, selected="1")
    only(scene, Layer.PROBES)
    scene.look(Preset.ANTERIOR)
    image = picture(plotter)
    model = catalogue.model("generic-15g")
    probe = plan.probes[0]
    front, back = (np.asarray(p) for p in probe.active_zone_mm(model))
    lit = hue_at(image, scene, (front + back) / 2)
    shaft = hue_at(image, scene, np.asarray(probe.entry_mm) + 5.0 * probe.direction)
    assert lit[2] > 0.85
    assert lit[2] > shaft[2] + 0.1
    beyond = hue_at(image, scene, np.asarray(probe.tip_mm) + 4.0 * probe.direction)
    assert beyond[2] < 0.3
    lower, upper = scene.bounds_mm(Layer.PROBES)
    assert upper[0] == pytest.approx(probe.tip_mm[0], abs=0.2)
    assert lower[0] < probe.entry_mm[0] - 20.0


def test_moving_a_probe_moves_matrices_and_rebuilds_nothing(plotter, scene, catalogue):
    plan = make_plan()
    scene.show_plan(plan, catalogue, selected="1")
    before = list(plotter.renderer.GetViewProps())
    moved = replace(plan.probes[0], tip_mm=(0.0, -10.0, 60.0), entry_mm=(-100.0, -40.0, 60.0))
    scene.update_probe(moved, catalogue.model(moved.model))
    assert list(plotter.renderer.GetViewProps()) == before
    assert scene.bounds_mm(Layer.GRIPS)[1][2] == pytest.approx(60.0, abs=3.0)
    grip = next(g for g in scene.grips() if g.probe == "1" and g.kind is GripKind.TIP)
    assert grip.position_mm == (0.0, -10.0, 60.0)
    with pytest.raises(KeyError):
        scene.update_probe(replace(moved, name="9"), catalogue.model(moved.model))


def test_a_click_on_a_grip_finds_it_and_a_locked_probe_has_none(plotter, scene, catalogue):
    plan = make_plan()
    scene.show_plan(plan, catalogue)
    scene.look(Preset.ANTERIOR)
    picture(plotter)
    for probe in plan.probes:
        x, y, _ = to_screen(scene.world_to_ndc(), probe.entry_mm, SIZE)
        assert scene.pick_grip(float(x), float(y), SIZE) is None or probe.name == "1"
        scene.show_plan(plan, catalogue, selected=probe.name)
        grip = scene.pick_grip(float(x) + 2, float(y) - 2, SIZE)
        assert (grip.probe, grip.kind) == (probe.name, GripKind.ENTRY)
        assert scene.pick_grip(float(x), float(y) - 14, SIZE) is None
    dragged = scene.drag_point_mm(100.0, 120.0, SIZE, plan.probes[0].tip_mm)
    assert np.allclose(to_screen(scene.world_to_ndc(), dragged, SIZE)[:2], (100.0, 120.0), atol=0.01)
    assert dragged[1] == pytest.approx(plan.probes[0].tip_mm[1])
    locked = replace(plan, probes=tuple(replace(p, locked=True) for p in plan.probes))
    scene.show_plan(locked, catalogue)
    assert scene.grips() == ()
    scene.show_plan(plan, catalogue)
    scene.set_visible(Layer.GRIPS, False)
    assert scene.pick_grip(float(x), float(y), SIZE) is None


def test_a_click_on_the_patient_is_a_point_of_the_skin(plotter, scene):
    picture(plotter)
    x, y, _ = to_screen(scene.world_to_ndc(), TUMOUR_MM, SIZE)
    point = np.asarray(scene.skin_point_mm(float(x), float(y), SIZE))
    assert (point[0] / 110.0) ** 2 + (point[1] / 80.0) ** 2 == pytest.approx(1.0, abs=0.08)
    assert point[1] < 0
    scene.show_meshes(None)
    assert scene.skin_point_mm(float(x), float(y), SIZE) is None


def test_margins_colour_the_surface_of_the_target(plotter, scene, case):
    from cryoplan.case.planning import structure_mask

    surface = outline("tumour 1", structure_mask(case.target, case.planning_grid)).surface
    only(scene, Layer.TUMOUR)
    signed = np.where(surface.points_mm[:, 2] > TUMOUR_MM[2], 8.0, -2.0)
    scene.show_margin(surface, signed)
    image = picture(plotter)
    x, y, z = TUMOUR_MM
    assert hue_at(image, scene, (x, y, z + 6))[0] == pytest.approx(hue_of(theme().margin.from_5_up), abs=0.05)
    assert hue_at(image, scene, (x, y, z - 6))[0] == pytest.approx(hue_of(theme().margin.below_0), abs=0.05)
    assert scene.shows_colours
    scene.show_margin(None, None)
    assert not scene.shows_colours
    assert hue_at(picture(plotter), scene, TUMOUR_MM)[0] == pytest.approx(
        hue_of(theme().tumour.colour), abs=0.03
    )


def test_the_colours_of_the_margin_are_those_of_its_legend_through_skin_and_ice(
    plotter, scene, case, catalogue
):
    from cryoplan.case.planning import structure_mask

    surface = outline("tumour 1", structure_mask(case.target, case.planning_grid)).surface
    scene.show_plan(make_plan(), catalogue)
    scene.show_field(cold_field(case.planning_grid, make_plan(), catalogue))
    scene.show_margin(surface, np.full(len(surface.points_mm), 3.0))
    wanted = hue_of(theme().margin.from_0_to_5)
    x, y, z = TUMOUR_MM
    image = picture(plotter)
    for dz in (-9.0, 0.0, 9.0):
        hue, saturation, _ = hue_at(image, scene, (x, y, z + dz))
        assert hue == pytest.approx(wanted, abs=0.02)
        assert saturation > 0.6


def test_the_tumour_fills_its_own_view_whatever_kind_of_word_asks_for_it(plotter, scene):
    for word in (Preset.TUMOUR, "tumour"):
        scene.look(Preset.ANTERIOR)
        scene.look(word)
        x, y, z = TUMOUR_MM
        ends = to_screen(scene.world_to_ndc(), np.array([(x, y, z - 12.0), (x, y, z + 12.0)]), SIZE)
        assert 0.4 * SIZE[1] < np.linalg.norm(ends[1, :2] - ends[0, :2]) < SIZE[1]
    del plotter


def test_sides_that_are_left_out_are_grey_and_more_steps_have_more_colours(plotter, scene, case):
    from cryoplan.case.planning import structure_mask

    surface = outline("tumour 1", structure_mask(case.target, case.planning_grid)).surface
    only(scene, Layer.TUMOUR)
    high = surface.points_mm[:, 2] > TUMOUR_MM[2]
    classes = MarginClasses((0.0, 3.0, 5.0))
    scene.show_margin(surface, np.full(len(high), 4.0), classes=classes, left_out=high)
    image = picture(plotter)
    x, y, z = TUMOUR_MM
    assert hue_at(image, scene, (x, y, z + 6))[1] < 0.2
    assert hue_at(image, scene, (x, y, z - 6))[0] == pytest.approx(hue_of(theme().margin.light), abs=0.05)


def test_a_result_is_shown_at_its_lowest_or_at_a_time(scene, case, catalogue):
    result = make_result(case, make_plan(), catalogue)
    warmer = replace(result.frames[0], time_s=300.0)
    warm = Volume(grid=case.planning_grid, values=result.minimum_degc.values + 80.0)
    result = replace(result, frames=(replace(warmer, temperature_degc=warm), result.frames[0]))
    scene.show_result(result)
    lowest = scene.bounds_mm(Layer.ICE_0)
    scene.show_result(result, time_s=310.0)
    early = scene.bounds_mm(Layer.ICE_0)
    assert lowest[1][2] - early[1][2] == pytest.approx(10.0, abs=0.2)
    scene.show_result(None)
    assert scene.bounds_mm(Layer.ICE_0) is None


def test_thermocouples_stand_where_they_are(plotter, catalogue):
    scene = Scene(plotter)
    scene.show_plan(Plan(thermocouples=(Thermocouple(name="T1", position_mm=(5.0, 6.0, 7.0)),)), catalogue)
    lower, upper = scene.bounds_mm(Layer.PROBES)
    assert (np.asarray(lower) + upper) / 2 == pytest.approx((5.0, 6.0, 7.0), abs=0.05)


def test_a_scene_without_case_and_plan_can_be_looked_at(plotter, catalogue):
    scene = Scene(plotter, palette=theme().light)
    scene.show_case(None)
    scene.show_plan(None, catalogue)
    scene.show_field(None)
    scene.look(Preset.ANTERIOR)
    image = picture(plotter)
    assert image[0].mean() > 180


def test_pictures_come_without_a_display():
    code = (
        "import pyvista as pv, numpy as np\n"
        "from tests.support.scenes import make_case, TUMOUR_MM\n"
        "from cryoplan.scene.view3d import Scene, Layer\n"
        "from cryoplan.scene.camera import Preset\n"
        "p = pv.Plotter(off_screen=True, window_size=[200, 200])\n"
        "s = Scene(p); s.show_case(make_case()); s.set_visible(Layer.SKIN, False); s.look(Preset.ANTERIOR)\n"
        "r, g, b = (int(c) for c in p.screenshot(None, return_img=True)[100, 100]); p.close()\n"
        "assert r > 120 and r > g + 30 > b, (r, g, b)\n"
    )
    free = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=free,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_needle_is_thinner_than_a_probe_has_its_name_and_is_held_when_selected(scene, catalogue):
    plan = add_tool(make_plan(), kind=ToolKind.HYDRODISSECTION, tip_mm=(0, 0, 0), entry_mm=(0.0, -60.0, 0.0))
    scene.show_plan(plan, catalogue)
    assert scene.grips() == ()
    scene.show_plan(plan, catalogue, selected="HD1")
    assert {g.probe for g in scene.grips()} == {"HD1"}
    moved = replace(plan.tools[0], tip_mm=(5.0, 0.0, 0.0))
    scene.update_tool(moved)
    tip = next(g for g in scene.grips() if g.kind is GripKind.TIP)
    assert tip.position_mm == (5.0, 0.0, 0.0)
    with pytest.raises(KeyError):
        scene.update_tool(replace(moved, name="BX9"))


def test_a_click_on_the_tumour_means_its_middle_in_depth(plotter, scene):
    picture(plotter)
    x, y, _ = to_screen(scene.world_to_ndc(), TUMOUR_MM, SIZE)
    point = np.asarray(scene.target_point_mm(float(x), float(y), SIZE))
    assert np.linalg.norm(point - TUMOUR_MM) < 1.5
    assert scene.target_point_mm(2.0, 2.0, SIZE) is None


def test_a_shaft_is_found_where_it_is_drawn_and_nowhere_else(plotter, scene, catalogue):
    plan = make_plan()
    scene.show_plan(plan, catalogue)
    scene.look(Preset.ANTERIOR)
    picture(plotter)
    for probe in plan.probes:
        middle = (np.asarray(probe.tip_mm) + np.asarray(probe.entry_mm)) / 2.0
        x, y, _ = to_screen(scene.world_to_ndc(), middle, SIZE)
        assert scene.pick_shaft(float(x), float(y), SIZE) == probe.name
        assert scene.pick_shaft(float(x), float(y) + 60.0, SIZE) is None
    scene.set_visible(Layer.PROBES, False)
    assert scene.pick_shaft(float(x), float(y), SIZE) is None


def test_grips_are_drawn_no_smaller_than_a_hand_can_hit_and_held_as_far_as_they_are_drawn(
    plotter, scene, catalogue
):
    scene.show_plan(make_plan(), catalogue, selected="1")
    scene.look(Preset.ANTERIOR)
    picture(plotter)
    eye = plotter.renderer.GetActiveCamera()
    for dolly in (0.3, 1.0, 4.0):
        eye.Dolly(dolly)
        scene.fit_grips(SIZE)
        tip = make_plan().probes[0].tip_mm
        x, y = scene.to_screen(tip, SIZE)
        lower, upper = scene.bounds_mm(Layer.GRIPS)
        radius_mm = (upper[1] - lower[1]) / 2.0
        down = scene.screen_directions()[1]
        drawn_px = scene.to_screen(np.asarray(tip) + radius_mm * down, SIZE)[1] - y
        assert drawn_px > 6.0
        assert scene.pick_grip(x, y + drawn_px - 1.0, SIZE) is not None
        assert scene.pick_grip(x, y + drawn_px + 4.0, SIZE) is None


def test_the_line_of_a_placing_and_ghosts_come_and_go(plotter, scene):
    before = len(list(plotter.renderer.GetViewProps()))
    scene.aids.show_rubber((0.0, 0.0, 0.0), None)
    assert not scene.aids.has_line
    scene.aids.show_rubber((0.0, 0.0, 0.0), (0.0, -70.0, 0.0), "70 mm")
    assert scene.aids.has_line
    scene.aids.show_rubber(None, None)
    assert not scene.aids.has_line
    scene.aids.show_ghosts(make_plan().probes)
    assert scene.aids.ghosts == 2
    assert len(list(plotter.renderer.GetViewProps())) == before + 2
    scene.aids.show_ghosts(())
    assert len(list(plotter.renderer.GetViewProps())) == before
