"""Report pictures: right size, right marks at right places, and a sentence instead of a crash."""

from __future__ import annotations

import io
import multiprocessing

import numpy as np
import pytest
from PIL import Image

from cryoplan.core.volume import Volume
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.scene import offscreen, snapshot
from cryoplan.scene.camera import Preset
from cryoplan.scene.meshes import build_case_meshes
from cryoplan.scene.offscreen import Render, RenderError, render_apart
from cryoplan.scene.plane import Orientation
from cryoplan.scene.png import encode_png
from cryoplan.scene.snapshot import Picture, report_pictures
from cryoplan.scene.style import rgb, theme
from tests.support.scenes import (
    TUMOUR_MM,
    die_like_vtk_without_opengl,
    grid_around,
    make_case,
    make_plan,
    make_result,
    turned,
)


def pixels(picture: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")).astype(int)


def count(image: np.ndarray, colour: str, tolerance: int = 40) -> int:
    return int((np.abs(image - np.round(255 * np.asarray(rgb(colour)))).max(axis=2) < tolerance).sum())


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


@pytest.fixture(scope="module")
def case():
    return make_case()


@pytest.fixture(scope="module")
def pictures(case, catalogue):
    plan = make_plan()
    return report_pictures(case, plan, catalogue, make_result(case, plan, catalogue), None)


def test_there_are_four_pictures_of_print_quality(pictures):
    assert [p.name for p in pictures] == ["axial", "coronal", "sagittal", "3d"]
    for picture in pictures:
        image = Image.open(io.BytesIO(picture.png))
        assert image.size == (900, 900)
        assert image.info["dpi"][0] == pytest.approx(391, abs=1)  # made for 58 mm, read at 44
        assert picture.caption.endswith(".")


def test_captions_say_where_the_slice_is(case, pictures):
    sampler = snapshot.SliceSampler(case.scan.volume)
    for picture, orientation in zip(pictures, Orientation, strict=False):
        plane = sampler.nearest_plane(orientation, TUMOUR_MM[orientation.axis])
        assert plane.position_text() in picture.caption
        assert "tumour 1" in picture.caption
        assert "lowest temperature" in picture.caption


def test_tumour_and_all_three_isotherms_are_on_every_slice(pictures):
    for picture in pictures[:3]:
        image = pixels(picture)[:700]  # above the legend
        for line in (theme().tumour, *(theme().isotherm(t) for t in (0.0, -20.0, -40.0))):
            assert count(image, line.colour) > 150, (picture.name, line.label)


def test_without_a_result_there_is_no_isotherm_anywhere(case, catalogue):
    drawing = snapshot._SliceDrawing(case, make_plan(), catalogue, None)
    picture = drawing.picture(Orientation.AXIAL, np.asarray(TUMOUR_MM))
    image = pixels(picture)
    for threshold in (-20.0, -40.0):
        assert count(image, theme().isotherm(threshold).colour) == 0
    assert count(image, theme().tumour.colour) > 150
    assert "isotherm" not in picture.caption


@pytest.mark.parametrize("direction", [turned((0, 0, 0)), turned((0, 180, 0)), turned((8, -12, 20))])
def test_the_tumour_outline_is_in_the_middle_whatever_the_grid(catalogue, direction):
    case = make_case(grid_around((0.0, 0.0, 0.0), (240.0, 190.0, 100.0), (2.0, 2.0, 2.0), direction))
    drawing = snapshot._SliceDrawing(case, Plan(), catalogue, None)
    for orientation in Orientation:
        picture = drawing.picture(orientation, np.asarray(TUMOUR_MM))
        image = pixels(picture)[100:640]  # above the legend
        lines = np.abs(image - np.round(255 * np.asarray(rgb(theme().tumour.colour)))).max(axis=2) < 40
        where = np.argwhere(lines) + np.array([100, 0])
        middle = (where.min(axis=0) + where.max(axis=0)) / 2
        # 100 mm across 900 pixels; the grid's own slice may lie 1 mm beside the middle.
        assert np.allclose(middle, 450, atol=20), (orientation, middle)
        # Of the middle of the line, however wide it is.
        radius = np.median(np.linalg.norm(where - middle, axis=1)) / 9.0
        assert radius == pytest.approx(12.0, abs=0.9)


def test_the_axial_picture_has_the_patients_right_on_the_left(case, catalogue):
    # Probes come from the patient's right: their entries must be left of their tips.
    drawing = snapshot._SliceDrawing(case, make_plan(), catalogue, None)
    image = pixels(drawing.picture(Orientation.AXIAL, np.asarray(TUMOUR_MM)))
    lit = np.abs(image - np.round(255 * np.asarray(rgb(theme().probes.active_3d)))).max(axis=2) < 25
    columns = np.argwhere(lit)[:, 1]
    assert columns.mean() > 500


def test_thermocouples_are_marked_and_fainter_off_the_slice(case, catalogue):
    colour = theme().marks.thermocouple
    x, y, z = TUMOUR_MM

    def marked(dz):
        plan = Plan(thermocouples=(Thermocouple(name="T1", position_mm=(x + 20.0, y, z - 2.0 + dz)),))
        drawing = snapshot._SliceDrawing(case, plan, catalogue, None)
        return pixels(drawing.picture(Orientation.AXIAL, np.asarray(TUMOUR_MM)))

    on, off = count(marked(0.0), colour, 25), count(marked(60.0), colour, 25)
    assert on > 60
    assert off < on / 3


def test_the_same_input_gives_the_same_bytes(case, catalogue, pictures):
    plan = make_plan()
    drawing = snapshot._SliceDrawing(case, plan, catalogue, make_result(case, plan, catalogue))
    again = drawing.picture(Orientation.CORONAL, snapshot._centre_mm(case, plan, catalogue))
    assert again.png == pictures[1].png


def test_the_3d_picture_shows_tumour_and_probes(pictures):
    image = pixels(pictures[3])
    middle = image[300:700, 200:700]
    assert np.ptp(middle.reshape(-1, 3), axis=0).min() > 100
    assert count(image[720:], theme().marks.letters) > 40  # the triad


def test_without_opengl_the_3d_picture_says_so_and_nothing_crashes(case, catalogue, monkeypatch):
    monkeypatch.setattr(offscreen, "_child", die_like_vtk_without_opengl)
    plan = make_plan()
    picture = snapshot.begin_3d(case, plan, catalogue, None, None)()
    assert "could not be drawn" in picture.caption
    assert "code -11" in picture.caption
    assert count(pixels(picture), theme().marks.text) > 300
    assert not multiprocessing.active_children()


def test_a_failure_in_the_child_is_told_in_its_words(case):
    render = Render(
        meshes=build_case_meshes(case), plan=make_plan(), models={}, field_degc=None,
        preset=Preset.ANTERIOR, size_px=(100, 100),
    )  # fmt: skip
    with pytest.raises(RenderError, match="generic-15g") as caught:
        render_apart(render)
    assert caught.value.code == "no-3d-picture"


def test_a_plan_without_target_is_pictured_around_its_active_zones(catalogue):
    case = make_case(with_target=False)
    centre = snapshot._centre_mm(case, make_plan(), catalogue)
    front, back = make_plan().probes[0].active_zone_mm(catalogue.model("generic-15g"))
    assert centre[0] == pytest.approx((front[0] + back[0]) / 2)
    assert centre[2] == pytest.approx(TUMOUR_MM[2])
    empty = snapshot._centre_mm(case, Plan(), catalogue)
    assert np.allclose(empty, case.planning_grid.centre_mm())


def test_png_bytes_are_read_back_by_another_reader():
    image = np.random.default_rng(2).integers(0, 256, (37, 53, 3)).astype(np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(image)))), image)
    with pytest.raises(ValueError, match="8-bit"):
        encode_png(image[..., 0])


def test_a_volume_field_that_is_warm_everywhere_draws_no_shell(case):
    warm = Volume(grid=case.planning_grid, values=np.full(case.planning_grid.shape, 37.0, np.float32))
    rendered = render_apart(
        Render(
            meshes=build_case_meshes(case), plan=Plan(), models={}, field_degc=warm,
            preset=Preset.ANTERIOR, size_px=(120, 90),
        )
    )  # fmt: skip
    assert Image.open(io.BytesIO(rendered.png)).size == (120, 90)
    assert np.allclose(np.asarray(rendered.axes), [[1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-6)
