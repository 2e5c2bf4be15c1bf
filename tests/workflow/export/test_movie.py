"""Movie: one picture a kept time, the ice grows and shrinks in it, and minute and phase are named."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from cryoplan import RESEARCH_USE
from cryoplan.plan.protocol import freeze_thaw_freeze
from cryoplan.scene.movie import FRAME_MS, LAST_MS, animation, phase_words
from cryoplan.scene.style import rgb, theme
from cryoplan.workflow.export.plain import write_plain
from tests.support.exports import subject


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("movie")
    write_plain(subject(), ["movie"], path)
    return path / "movie"


@pytest.fixture(scope="module")
def listed(folder):
    return json.loads((folder / "pictures.json").read_text(encoding="utf-8"))["pictures"]


def pixels(folder, row):
    return np.asarray(Image.open(folder / row["file"]).convert("RGB"))


def ice_width(picture):
    """Return how wide the line of 0 degC is in the axial picture, in pixels."""
    third = picture[: int(picture.shape[0] * 0.8), : picture.shape[1] // 3].astype(int)
    colour = np.round(255 * np.array(rgb(theme().isotherm(0.0).colour))).astype(int)
    columns = np.flatnonzero((np.abs(third - colour).max(axis=2) < 25).any(axis=0))
    return 0 if len(columns) == 0 else int(np.ptp(columns))


def test_every_kept_time_has_its_picture_with_minute_and_phase(folder, listed):
    assert [r["time_s"] for r in listed] == [f.time_s for f in subject().result.frames]
    assert [r["phase"] for r in listed] == [
        "start", "freeze 1", "freeze 1", "thaw 1", "freeze 2", "freeze 2",
    ]  # fmt: skip
    assert all((folder / r["file"]).is_file() for r in listed)
    assert len({pixels(folder, r).shape for r in listed}) == 1


def test_ice_is_not_there_at_the_start_grows_shrinks_and_grows_again(folder, listed):
    widths = [ice_width(pixels(folder, row)) for row in listed]
    assert widths[0] == 0
    assert 0 < widths[1] < widths[2]
    assert widths[3] < widths[2]
    assert widths[3] < widths[4] < widths[5] == widths[2]


def test_thermocouples_and_probes_stay_in_every_picture(folder, listed):
    for colour in (theme().marks.thermocouple, theme().probes.colour(1)):
        wanted = np.round(255 * np.array(rgb(colour))).astype(int)
        counts = []
        for row in listed:
            # Without the clock below, whose words change.
            picture = pixels(folder, row)[:400].astype(int)
            counts.append(int((np.abs(picture - wanted).max(axis=2) < 12).sum()))
        assert min(counts) > 5
        assert max(counts) - min(counts) <= 0.5 * max(counts)


def test_the_animation_shows_the_same_pictures_in_order(folder, listed):
    with Image.open(folder / "ice.gif") as gif:
        assert gif.n_frames == len(listed)
        assert gif.info["loop"] == 0
        assert gif.info["comment"] == RESEARCH_USE.encode()
        shown = []
        for number, row in enumerate(listed):
            gif.seek(number)
            shown.append(gif.info["duration"])
            there = np.asarray(gif.convert("RGB")).astype(int)
            # 256 colours: near, and the same lines.
            assert np.abs(there - pixels(folder, row).astype(int)).mean() < 3.0
            assert ice_width(there) == pytest.approx(ice_width(pixels(folder, row)), abs=3)
    assert shown == [FRAME_MS] * (len(listed) - 1) + [LAST_MS]


def test_the_grey_of_the_image_stays_grey_in_the_animation(folder):
    with Image.open(folder / "ice.gif") as gif:
        gif.seek(0)
        first = np.asarray(gif.convert("RGB")).astype(int)
    made = np.asarray(Image.open(folder / "ice_000_00000s.png")).astype(int)
    grey = np.ptp(made, axis=2) == 0
    assert np.mean(np.ptp(first, axis=2)[grey] == 0) > 0.999


def test_a_movie_is_the_same_bytes_each_time(folder, tmp_path):
    write_plain(subject(), ["movie"], tmp_path)
    for path in folder.iterdir():
        assert (tmp_path / "movie" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_border_belongs_to_the_phase_that_ends_there():
    protocol = freeze_thaw_freeze()
    words = [phase_words(protocol, t) for t in (0.0, 1.0, 600.0, 600.5, 900.0, 901.0, 1500.0)]
    assert words == ["start", "freeze 1", "freeze 1", "thaw 1", "thaw 1", "freeze 2", "freeze 2"]


def test_an_animation_of_nothing_is_refused():
    with pytest.raises(ValueError, match="needs a picture"):
        animation([])
