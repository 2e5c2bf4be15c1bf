"""Colours and lines: complete, readable, apart for every reader."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError
from cryoplan.core.resources import resource
from cryoplan.scene.style import Palette, load_theme, rgb, theme

LINES = (0.0, -20.0, -30.0, -40.0)

# Machado, Oliveira, Fernandes, IEEE TVCG 15 (2009) 1291, severity 1.0, on linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(colour: str) -> np.ndarray:
    c = np.asarray(rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ (0.2126, 0.7152, 0.0722))


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(colour: str, matrix: np.ndarray) -> np.ndarray:
    seen = np.clip(matrix @ linear(colour), 0.0, 1.0)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = to_xyz @ seen / (0.9505, 1.0, 1.089)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_tumour_and_isotherm_lines_stay_apart_for_every_reader(deficiency):
    matrix = DEFICIENCIES[deficiency]
    colours = [theme().tumour.colour] + [theme().isotherm(t).colour for t in (0.0, -20.0, -40.0)]
    for a, b in combinations(colours, 2):
        assert np.linalg.norm(lab(a, matrix) - lab(b, matrix)) > 14.0, (a, b)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_neighbouring_probe_colours_stay_apart_for_every_reader(deficiency):
    colours = theme().probes.colours
    for a, b in pairwise(colours):
        distance = np.linalg.norm(lab(a, DEFICIENCIES[deficiency]) - lab(b, DEFICIENCIES[deficiency]))
        assert distance > 14.0, (a, b)


def test_isotherms_differ_by_dash_alone_so_that_a_grey_print_can_be_read():
    dashes = [theme().isotherm(t).dash for t in LINES]
    assert len(set(dashes)) == len(dashes)
    assert theme().isotherm(0.0).dash == ()


def test_lines_are_bright_on_liver_grey():
    liver = "#8c8c8c"
    for line in (theme().tumour, *(theme().isotherm(t) for t in (0.0, -40.0))):
        assert luminance(line.colour) > luminance(liver)
    assert contrast(theme().isotherm(0.0).colour, liver) > 2.5


@pytest.mark.parametrize("palette", [theme().dark, theme().light], ids=lambda p: p.name)
def test_texts_and_levels_have_enough_contrast_on_every_ground(palette: Palette):
    for ground in (palette.window, palette.panel, palette.card):
        for ink in (palette.text, palette.ok, palette.warn, palette.fail):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
        assert contrast(palette.text_muted, ground) >= 4.5


def test_every_role_has_a_colour():
    for role in Role:
        assert theme().outline(role).colour.startswith("#")
        assert 0.0 < theme().surface(role)[1] <= 1.0


def test_stale_lines_keep_their_dash_and_lose_their_colour():
    for threshold in LINES:
        fresh, stale = theme().isotherm(threshold), theme().isotherm(threshold, stale=True)
        assert stale.dash == fresh.dash
        r, g, b = rgb(stale.colour)
        assert max(r, g, b) - min(r, g, b) < 0.06
        assert stale.colour != fresh.colour


def test_a_threshold_of_the_user_gets_a_line_with_its_own_label():
    line = theme().isotherm(-25.0)
    assert line.label == "−25 °C"
    assert line.dash not in [theme().isotherm(t).dash for t in LINES]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('colour = "#ff9a2e"', 'colour = "orange"', "lines.tumour.colour"),
        ("[marks]", "[marx]", "marx"),
        ('gas = "#b8c4cc"', "", "gas"),
        ("dash = [7.0, 4.0]", "dash = [7.0]", "isotherms.-20.dash"),
        ("skin = 0.12", "skin = 1.2", "surfaces.skin"),
        ("schema = 1", "schema = 2", "schema"),
        ("schema = 1", "schema = = 1", "theme.toml"),
    ],
)
def test_a_damaged_theme_is_refused_by_name(tmp_path, old, new, named):
    text = resource("theme.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "theme.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StoreError, match=named):
        load_theme(path)


def test_dashes_are_in_units_of_the_width_for_both_toolkits():
    line = theme().isotherm(-20.0)
    assert np.allclose(np.asarray(line.qt_dash) * line.width_px, line.dash)
    assert line.matplotlib_dash == (0.0, tuple(line.qt_dash))
    assert theme().isotherm(0.0).matplotlib_dash == "solid"


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("classes", [2, 3, 4, 5])
def test_colours_of_the_margin_can_be_told_apart_by_everybody(deficiency, classes):
    margin = theme().margin
    seen = [lab(c, DEFICIENCIES[deficiency]) for c in (*margin.colours(classes), margin.left_out)]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 20.0
