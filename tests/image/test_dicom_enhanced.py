"""The frames of an enhanced image are placed one by one, and several volumes in it are told apart."""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pytest
from pydicom.uid import JPEGLSLossless, MRImageStorage, RLELossless

from cryoplan.core.errors import ImageError
from cryoplan.image.read import read_scan
from cryoplan.image.series import describe
from tests.support import hostile
from tests.support.enhanced import enhanced, item, save, shuffled
from tests.support.hostile_dicom import Marked, centred, marker_errors_mm, tilted, value_error

N = hostile.SLICES


def slices_of(series: Marked, ks: list[float] | None = None, **changes: object) -> list:
    return [series.slice(k, **changes) for k in (shuffled(N) if ks is None else ks)]


def mr(**fields: object) -> Marked:
    return centred(sop_class=MRImageStorage, modality="MR", **fields)


def check_markers(scan, within: float = 1.0) -> None:
    assert value_error(scan.volume.values.astype(float), scan.volume.grid) <= within
    errors = marker_errors_mm(scan.volume.values.astype(float), scan.volume.grid)
    assert max(errors.values()) < 0.1, errors


def in_echo(milliseconds: float) -> dict:
    return {"MREchoSequence": item(EffectiveEchoTime=milliseconds)}


@pytest.mark.parametrize("make", [centred, mr], ids=["CT", "MR"])
def test_shuffled_frames_give_the_volume_of_their_classic_slices(tmp_path: Path, make):
    series = make()
    series.write(tmp_path / "classic")
    path = save(enhanced(slices_of(series)), tmp_path / "enhanced")
    classic = read_scan(tmp_path / "classic")
    for place in (path, path.parent):
        scan = read_scan(place)
        assert scan.volume.grid.difference(classic.volume.grid, tolerance_mm=1e-6) is None
        assert np.array_equal(scan.volume.values, classic.volume.values)
        assert scan.facts.modality == classic.facts.modality
        assert scan.facts.slice_thickness_mm == 2.5
    check_markers(scan)


def test_highdicom_agrees_about_place_and_value(tmp_path: Path):
    path = save(enhanced(slices_of(centred((0, 1, 0), (0, 0, -1)))), tmp_path)
    scan, other = read_scan(path), highdicom.imread(path).get_volume()
    rng = np.random.default_rng(1)
    for index in rng.integers(0, np.array(scan.volume.grid.size), (200, 3)):
        there = other.map_reference_to_indices(scan.volume.grid.index_to_mm(index)[None])[0]
        at = np.rint(there).astype(int)
        assert np.abs(there - at).max() < 1e-3
        assert other.array[tuple(at)] == scan.volume.values[tuple(index[::-1])]


def test_a_legacy_converted_image_is_read(tmp_path: Path):
    hostile.enhanced(tmp_path)
    scan = read_scan(tmp_path)
    gap = hostile.ball_centroid_mm(scan.volume.values, scan.volume.grid) - np.array(hostile.BALL_MM)
    assert np.abs(gap).max() < 0.35
    assert scan.volume.grid.size[2] == N


def test_each_frame_has_its_own_scale(tmp_path: Path):
    one, two = centred(), centred(slope=2.0, intercept=-2000.0)
    frames = [(one if k % 2 else two).slice(k) for k in shuffled(N)]
    scan = read_scan(save(enhanced(frames), tmp_path))
    one.write(tmp_path / "classic")
    classic = read_scan(tmp_path / "classic")
    assert np.abs(scan.volume.values.astype(int) - classic.volume.values).max() <= 1
    check_markers(scan)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless], ids=lambda s: s.name)
def test_compressed_frames_are_pixel_identical(tmp_path: Path, syntax):
    frames = slices_of(centred())
    plain = read_scan(save(enhanced(frames), tmp_path / "plain"))
    ds = enhanced(frames)
    ds.compress(syntax)
    packed = read_scan(save(ds, tmp_path / "packed"))
    assert packed.volume.digest() == plain.volume.digest()


def test_echoes_in_one_file_are_offered_one_by_one(tmp_path: Path):
    series = mr()
    order = shuffled(2 * N)
    frames = [series.slice(n % N) for n in order]
    groups = [in_echo(2.3 if n < N else 4.6) for n in order]
    path = save(enhanced(frames, groups), tmp_path)
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code == "several-series"
    uids = [s.uid for s in describe(path).series]
    assert sorted(u.partition("#")[2] for u in uids) == ["echo=2.3", "echo=4.6"]
    for uid in uids:
        scan = read_scan(path, series_uid=uid)
        assert scan.volume.grid.size[2] == N
        assert scan.facts.series_part == uid.partition("#")[2]
        check_markers(scan)


def test_stacks_of_two_orientations_in_one_file_are_two_volumes(tmp_path: Path):
    axial, coronal = centred(), centred((1, 0, 0), (0, 0, -1))
    frames = [s.slice(k) for s in (axial, coronal) for k in range(N)]
    groups = [
        {
            "FrameContentSequence": item(StackID=name, InStackPositionNumber=k + 1),
            "PlaneOrientationSequence": item(ImageOrientationPatient=[*s.row, *s.column]),
        }
        for name, s in (("1", axial), ("2", coronal))
        for k in range(N)
    ]
    path = save(enhanced(frames, groups), tmp_path)
    series = describe(path).series
    assert len({s.uid for s in series}) == 2
    for one in series:
        assert one.verdict == "ok"
        check_markers(read_scan(path, series_uid=one.uid))


@pytest.mark.parametrize(
    ("ks", "code"),
    [
        ([k for k in range(N) if k != 1], "missing-slice"),
        ([-0.4, *range(1, N)], "uneven-spacing"),
    ],
)
def test_the_geometry_of_frames_is_checked_and_mended_like_that_of_files(tmp_path: Path, ks, code):
    path = save(enhanced(slices_of(centred(), ks)), tmp_path)
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code == code
    assert "enhanced.dcm frame " in caught.value.what
    check_markers(read_scan(path, accept=[code]), within=50.0)


def test_a_tilt_of_frames_is_undone_after_consent(tmp_path: Path):
    path = save(enhanced(slices_of(tilted(17.0))), tmp_path)
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code == "gantry-tilt"
    check_markers(read_scan(path, accept=["gantry-tilt"]), within=50.0)


def test_a_frame_stored_twice_is_left_out_and_mentioned(tmp_path: Path):
    path = save(enhanced(slices_of(centred(), [*range(N), 5])), tmp_path)
    scan = read_scan(path)
    assert scan.volume.grid.size[2] == N
    assert [f.code for f in scan.facts.findings] == ["duplicate-dropped"]
    check_markers(scan)


def broken(ds, name: str):
    groups = ds.PerFrameFunctionalGroupsSequence
    if name == "frame described too few":
        del groups[3]
    elif name == "frame without position":
        del groups[3].PlanePositionSequence
    elif name == "no orientation":
        del ds.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
    elif name == "no groups":
        del ds.PerFrameFunctionalGroupsSequence
    elif name == "frames cut off":
        ds.PixelData = ds.PixelData[:-5000]
    elif name == "frame twice":
        groups[3].PlanePositionSequence = groups[4].PlanePositionSequence
    elif name == "spacing zero":
        ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [0, 0]
    elif name == "absurd number of frames":
        ds.NumberOfFrames = 2_000_000_000
    return ds


BROKEN = {
    "frame described too few": "enhanced-multiframe",
    "frame without position": "no-position",
    "no orientation": "no-position",
    "no groups": "enhanced-multiframe",
    "frames cut off": "truncated-file",
    "frame twice": "duplicate-slice",
    "spacing zero": "no-position",
    "absurd number of frames": "truncated-file",
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_enhanced_file_is_refused_by_name(tmp_path: Path, name: str):
    save(broken(enhanced(slices_of(centred())), name), tmp_path)
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path, accept=list(BROKEN.values()))
    assert caught.value.code == BROKEN[name]
    assert caught.value.place == "enhanced.dcm"
    assert "enhanced.dcm" in caught.value.what


def test_another_decoding_of_the_last_frame_is_noticed(tmp_path: Path, monkeypatch):
    import pydicom.pixels.utils

    path = save(enhanced(slices_of(centred())), tmp_path)
    true = pydicom.pixels.utils.pixel_array
    monkeypatch.setattr(
        pydicom.pixels.utils, "pixel_array", lambda p, **how: np.roll(true(p, **how), 1, axis=0)
    )
    with pytest.raises(ImageError) as caught:
        read_scan(path)
    assert caught.value.code == "pixels-differ"
