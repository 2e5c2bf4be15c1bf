"""In-line pictures: all of each probe, its depths true to scale, and the same bytes again."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.plan import Plan
from cryoplan.scene import inline_pictures
from cryoplan.scene.contours import project_probe
from cryoplan.scene.inline_pictures import probe_pictures
from cryoplan.scene.probe_planes import InLine, in_line_plane
from cryoplan.scene.style import rgb, theme
from tests.support.scenes import make_case, make_plan, make_result


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


@pytest.fixture(scope="module")
def pictures(catalogue):
    case, plan = make_case(), make_plan()
    return probe_pictures(case, plan, catalogue, make_result(case, plan, catalogue))


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")).astype(int)


def near(image, colour, tolerance=40):
    return np.abs(image - np.round(255 * np.asarray(rgb(colour)))).max(axis=2) < tolerance


def test_each_probe_has_its_picture_in_the_order_of_the_plan(pictures):
    plan = make_plan()
    assert [p.name for p in pictures] == [f"probe-{n}" for n in range(1, len(plan.probes) + 1)]
    for picture, probe in zip(pictures, plan.probes, strict=True):
        assert picture.caption.startswith(f"Probe {probe.name} in its own plane")
        assert f"{probe.depth_mm:.1f} mm deep" in picture.caption
        assert pixels(picture).shape == (900, 900, 3)


def test_target_isotherms_active_zone_and_shaft_are_drawn(pictures):
    look = theme()
    for number, picture in enumerate(pictures):
        image = pixels(picture)
        for line in (look.tumour, *(look.isotherm(t) for t in (0.0, -20.0, -40.0))):
            assert near(image[:650], line.colour).sum() > 100, line.label
        assert near(image, look.probes.active_3d, 25).sum() > 100
        assert near(image, look.probes.colour(number), 25).sum() > 60


def test_the_whole_probe_lies_in_its_plane_and_in_the_frame(catalogue):
    for probe in make_plan().probes:
        plane, _ = in_line_plane(probe, InLine.FLAT)
        mark = project_probe(probe, catalogue.model(probe.model), plane)
        assert max(abs(mark.tip_distance_mm), abs(mark.entry_distance_mm)) < 1e-6
        left, right, top, bottom = inline_pictures._frame(mark, [])
        assert right - left == pytest.approx(bottom - top)
        for u, v in (mark.tip_uv, mark.entry_uv):
            assert left + 10 < u < right - 10
            assert top + 10 < v < bottom - 10


def test_ticks_stand_ten_millimetres_apart_from_the_skin(catalogue):
    probe = make_plan().probes[0]
    plane, _ = in_line_plane(probe, InLine.FLAT)
    mark = project_probe(probe, catalogue.model(probe.model), plane)

    middles = []

    class Axes:
        def plot(self, u, v, **style):
            if style["color"] == "#ffffff":
                middles.append(np.array([np.mean(u), np.mean(v)]))

        def text(self, *_place, **_style):
            pass

    inline_pictures._draw_depths(Axes(), mark, probe, (0.0, 100.0, 0.0, 100.0), theme().probes)
    away = [float(np.linalg.norm(m - np.asarray(mark.entry_uv))) for m in middles]
    assert away == pytest.approx([10.0 * n for n in range(1, len(away) + 1)])
    assert len(away) == int(np.ceil(probe.depth_mm / 10.0)) - 1


def test_same_input_same_bytes_and_without_a_result_no_isotherm(catalogue, pictures):
    case, plan = make_case(), make_plan()
    again = probe_pictures(case, plan, catalogue, make_result(case, plan, catalogue))
    assert [p.png for p in again] == [p.png for p in pictures]
    bare = probe_pictures(case, plan, catalogue, None)[0]
    assert "isotherm" not in bare.caption
    assert near(pixels(bare), theme().isotherm(-40.0).colour).sum() == 0


def test_without_probes_there_is_no_picture_and_without_a_target_none_fails(catalogue):
    assert probe_pictures(make_case(), Plan(), catalogue, None) == ()
    case = make_case(with_target=False)
    assert len(probe_pictures(case, make_plan(), catalogue, None)) == len(make_plan().probes)


def test_a_long_name_stands_in_the_caption_and_none_of_another_probe_in_its_place(catalogue, monkeypatch):
    plan = make_plan()
    named = Plan(probes=(replace(plan.probes[0], name="lateral upper of the first group"), *plan.probes[1:]))
    titles = []
    monkeypatch.setattr(
        inline_pictures, "furnish", lambda _axes, _frame, title, *_, **__: titles.append(title)
    )
    pictures = probe_pictures(make_case(), named, catalogue, None)
    assert pictures[0].caption.startswith("Probe lateral upper of the first group in its own plane")
    assert titles == ["", *(f"Probe {p.name}" for p in plan.probes[1:])]
