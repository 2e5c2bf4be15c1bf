"""Gel shapes: shipped ones belong to the numbers of today, a fresh solve agrees, differences are in mm."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from cryoplan.core.errors import StoreError
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.simulation.verification import experiments
from cryoplan.simulation.verification.gel import PublishedSize, load_trials, read_trials
from cryoplan.workflow import gel_shapes

CATALOGUE = load_catalogue()
FREEZING = [m for m in CATALOGUE.models if not m.is_warmer]


@pytest.mark.parametrize("model", FREEZING, ids=lambda m: m.id)
def test_every_built_in_probe_has_a_shape_of_its_present_numbers(model):
    shape = gel_shapes.shipped_shape(model)
    assert shape is not None, "the shape is stale: make resources/gel/shapes.json again (shapes_json)"
    widths = [one.width_mm for one in shape.isotherms]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] > 0.0
    for one in shape.isotherms:
        places, radii = np.array(one.outline_mm).T
        assert 2.0 * radii.max() == pytest.approx(one.width_mm, abs=0.3)
        assert np.ptp(places) == pytest.approx(one.length_mm, abs=1.2)
        assert (np.diff(places) >= 0.0).all()
        assert radii[0] == radii[-1] == 0.0


def test_a_fresh_coarse_solve_agrees_with_the_shipped_shape():
    model = CATALOGUE["icesphere-17g"]
    shipped, fresh = gel_shapes.shipped_shape(model), gel_shapes.solve_shape(model, spacing_mm=2.0)
    assert fresh.key != shipped.key
    for degc in (0.0, -20.0, -40.0):
        assert fresh.at(degc).width_mm == pytest.approx(shipped.at(degc).width_mm, abs=1.0)
        assert fresh.at(degc).length_mm == pytest.approx(shipped.at(degc).length_mm, abs=1.5)


def test_the_key_follows_what_the_ice_follows_from_and_nothing_else(monkeypatch):
    model = CATALOGUE["generic-15g"]
    key = gel_shapes.gel_key(model)
    assert gel_shapes.gel_key(replace(model, name="X", thaw_time_constant=None)) == key
    assert gel_shapes.gel_key(replace(model, taper=replace(model.taper, value=4.9))) != key
    assert gel_shapes.gel_key(model, 2.0) != key
    monkeypatch.setattr(gel_shapes, "MODEL_VERSION", 999)
    assert gel_shapes.gel_key(model) != key
    assert gel_shapes.shipped_shape(model) is None


def test_published_sizes_are_those_of_the_validation_data():
    trials = load_trials()
    width, length = experiments.icesphere_ball()
    assert trials["icesphere-17g"].sizes == (
        PublishedSize(
            isotherm_degc=0.0, length_mm=length.value, length_plus_minus_mm=length.uncertainty,
            width_mm=width.value, width_plus_minus_mm=width.uncertainty,
        ),
    )  # fmt: skip
    assert trials["endocare-2.4mm"].sizes[1].width_mm == experiments.lethal_diameter().value
    whole = experiments.figure(
        experiments.LITTRUP, "littrup2009_2p4mm_1probe_39C", "equivalent_iceball_diameter"
    )
    assert trials["endocare-2.4mm"].sizes[0].width_mm == whole.value
    assert [s.width_mm for s in trials["accuprobe-8mm-ln2"].sizes] == [
        f.value for f in experiments.seifert_diameters()
    ]
    assert [s.isotherm_degc for s in trials["accuprobe-8mm-ln2"].sizes] == [0.0, -38.0]
    assert trials.keys() <= CATALOGUE.keys()


def test_differences_are_in_words_and_nothing_is_invented():
    def words(name: str) -> tuple[str, ...]:
        return gel_shapes.size_words(CATALOGUE[name], gel_shapes.shipped_shape(CATALOGUE[name]))

    assert words("icesphere-17g")[0].startswith(
        "0 °C: published 37 x 32 mm ±4/3; solved 40.6 x 29.2; +3.6 / "
    )
    assert words("generic-15g")[0] == "No published size found."
    assert not any("published" in line for line in words("generic-15g")[1:])
    assert "isotherm not stated" in words("icerod-17g")[0]
    assert any(
        line.startswith("\N{MINUS SIGN}30 °C: published width 12 mm;") for line in words("endocare-2.4mm")
    )


def test_a_probe_of_the_user_has_no_published_size():
    mine = replace(CATALOGUE["icesphere-17g"], id="mine")
    assert gel_shapes.trial(mine).sizes == ()
    assert gel_shapes.shipped_shape(mine) == gel_shapes.shipped_shape(CATALOGUE["icesphere-17g"])


@pytest.mark.parametrize(
    "text",
    ["schema = 2", "[x]\n", "schema = 1\n[a]\nmedium = 'gel'", "schema = ", "schema = 1\na = 3"],
)
def test_a_damaged_table_of_published_sizes_is_refused(tmp_path, text):
    path = tmp_path / "published.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        read_trials(path)
    assert caught.value.code == "bad-resource"


@pytest.mark.parametrize("row", ["{ width_mm = -3 }", "{ isotherm_degc = 0 }", "{ width_mm = 'x' }", "3"])
def test_a_size_that_is_none_is_refused(tmp_path, row):
    path = tmp_path / "published.toml"
    words = "".join(f"{key} = 'x'\n" for key in ("medium", "source", "conditions", "use"))
    numbers = "perfused = false\nstart_degc = 1.0\nfreeze_s = 1.0\n"
    path.write_text(f"schema = 1\n[a]\n{words}{numbers}sizes = [{row}]\n", encoding="utf-8")
    with pytest.raises(StoreError, match="sizes"):
        read_trials(path)


def test_the_picture_is_written_as_its_name_says_and_is_always_the_same(tmp_path):
    model = CATALOGUE["icesphere-17g"]
    shape = gel_shapes.shipped_shape(model)
    gel_shapes.write_picture(model, shape, tmp_path / "a.png")
    image = Image.open(io.BytesIO((tmp_path / "a.png").read_bytes()))
    assert image.size == (1200, 900)
    svg = gel_shapes.write_picture(model, shape, tmp_path / "a.svg").read_bytes()
    assert ET.fromstring(svg).tag.endswith("svg")
    assert gel_shapes.write_picture(model, shape, tmp_path / "b.svg").read_bytes() == svg
    with pytest.raises(StoreError) as caught:
        gel_shapes.write_picture(model, shape, tmp_path / "a.bmp")
    assert caught.value.code == "picture-kind"


def test_the_published_ellipse_is_drawn_only_where_one_is_published():
    from cryoplan.scene.style import rgb, theme

    colour = np.round(255 * np.array(rgb(theme().dark.warn)))

    def count(name: str) -> int:
        data = gel_shapes.draw_bare(CATALOGUE[name], gel_shapes.shipped_shape(CATALOGUE[name]))
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(float)
        return int((np.abs(pixels - colour).max(axis=2) < 12).sum())

    assert count("icesphere-17g") > 500
    assert count("generic-15g") == 0
