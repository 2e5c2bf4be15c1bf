"""Camera: each preset looks from where its name says."""

from __future__ import annotations

import numpy as np
import pytest

from cryoplan.plan.probe import Probe
from cryoplan.scene.camera import VIEW_ANGLE_DEG, Preset, facing, view

FOCUS = (-40.0, -10.0, 20.0)


def screen_axes(seen):
    look = np.asarray(seen.focus_mm) - np.asarray(seen.eye_mm)
    look /= np.linalg.norm(look)
    up = np.asarray(seen.up) - look * (np.asarray(seen.up) @ look)
    return np.cross(look, up / np.linalg.norm(up)), up / np.linalg.norm(up), look


@pytest.mark.parametrize(
    ("preset", "right", "up"),
    [
        (Preset.ANTERIOR, (1, 0, 0), (0, 0, 1)),
        (Preset.RIGHT_LATERAL, (0, -1, 0), (0, 0, 1)),
        (Preset.LEFT_LATERAL, (0, 1, 0), (0, 0, 1)),
        (Preset.FEET, (1, 0, 0), (0, -1, 0)),
    ],
)
def test_presets_show_the_patient_as_radiologists_do(preset, right, up):
    shown_right, shown_up, _ = screen_axes(view(preset, FOCUS, 80.0))
    assert np.allclose(shown_right, right)
    assert np.allclose(shown_up, up)


def test_the_ball_around_the_focus_fills_the_view():
    seen = view(Preset.ANTERIOR, FOCUS, 80.0)
    distance = np.linalg.norm(np.asarray(seen.eye_mm) - FOCUS)
    assert np.degrees(np.arcsin(80.0 / distance)) == pytest.approx(VIEW_ANGLE_DEG / 2)
    assert seen.focus_mm == FOCUS


@pytest.mark.parametrize("entry", [(-140.0, -20.0, 20.0), (-40.0, -10.0, 160.0), (30.0, 90.0, 10.0)])
def test_the_probes_view_looks_along_the_shaft_to_the_tip(entry):
    probe = Probe(name="1", model="m", tip_mm=FOCUS, entry_mm=entry)
    seen = view(Preset.PROBE, (0.0, 0.0, 0.0), 80.0, probe=probe)
    _, up, look = screen_axes(seen)
    assert np.allclose(look, probe.direction)
    assert seen.focus_mm == FOCUS
    assert up @ look == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("entry_x", "side"), [(-140.0, -1), (60.0, 1)])
def test_the_oblique_view_is_on_the_side_of_the_entries(entry_x, side):
    probe = Probe(name="1", model="m", tip_mm=FOCUS, entry_mm=(entry_x, -10.0, 20.0))
    eye = np.asarray(view(Preset.OBLIQUE, FOCUS, 80.0, probes=(probe,)).eye_mm) - FOCUS
    assert np.sign(eye[0]) == side
    assert eye[1] < 0
    assert eye[2] > 0


def test_probes_from_the_back_are_seen_from_the_back():
    probe = Probe(name="1", model="m", tip_mm=FOCUS, entry_mm=(-60.0, 90.0, 20.0))
    eye = np.asarray(view(Preset.OBLIQUE, FOCUS, 80.0, probes=(probe,)).eye_mm) - FOCUS
    assert eye[1] > 0


def test_impossible_views_are_refused():
    with pytest.raises(ValueError, match="needs a probe"):
        view(Preset.PROBE, FOCUS, 80.0)
    with pytest.raises(ValueError, match="positive radius"):
        view(Preset.ANTERIOR, FOCUS, 0.0)


@pytest.mark.parametrize("out", [(1, 0, 0), (0, 1, 0), (0.3, -0.4, 0.5), (0, 0, 1), (0, 0, -1)])
def test_a_place_is_faced_from_its_own_side_with_the_head_up(out):
    point = np.asarray(FOCUS) + 10.0 * np.asarray(out) / np.linalg.norm(out)
    seen = facing(point, FOCUS, 20.0)
    _, up, look = screen_axes(seen)
    assert np.allclose(look, -np.asarray(out) / np.linalg.norm(out))
    upright = (0.0, 0.0, 1.0) if abs(look[2]) < 0.95 else (0.0, -1.0, 0.0)
    assert up @ upright > 0.3


def test_a_place_cannot_be_faced_from_itself():
    with pytest.raises(ValueError, match="no direction"):
        facing(FOCUS, FOCUS, 20.0)
