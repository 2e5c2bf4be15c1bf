"""Anatomy is found on a torso of formulas, whatever way its voxels lie, and in real CT."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label

from cryoplan.core.errors import ImageError
from cryoplan.core.progress import Cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.anatomy.blocks import Blocks
from cryoplan.image.anatomy.diameter import local_diameter
from cryoplan.image.anatomy.find import find_anatomy, parts_of
from cryoplan.image.anatomy.found import Part
from cryoplan.image.labels import read_masks
from cryoplan.image.read import read_scan
from tests.support.grids import grid_of, places, turned
from tests.support.torso import AORTA_MM, BRANCH_MM, GRIDS, dice, oblique, torso

ALL = {**GRIDS, "oblique": oblique()}


@lru_cache(maxsize=1)
def found_in(name):
    image, truth = torso(ALL[name])
    return {f.part: f for f in find_anatomy(image)}, truth


def codes(found):
    return {note.code for note in found.notes}


@pytest.mark.parametrize("name", ALL)
def test_every_part_lies_where_the_formulas_put_it(name):
    found, truth = found_in(name)
    least = {"body": 0.98, "lung": 0.95, "gas": 0.9, "bone": 0.9, "fat": 0.9, "vessel": 0.8}
    for part, bound in least.items():
        assert dice(found[Part(part)].mask.values, truth[part]) >= bound, part


@pytest.mark.parametrize("name", ALL)
def test_table_and_arm_are_no_body_and_the_canal_is_no_bone(name):
    found, truth = found_in(name)
    body, bone = found[Part.BODY].mask.values, found[Part.BONE].mask.values
    assert not (body & truth["table"]).any()
    assert not (body & truth["arm"]).any()
    assert "auto-left-out" in codes(found[Part.BODY])
    # In tilted slices the gaps between the arches cut the canal open, and more of it is closed with them.
    assert np.mean(bone[truth["canal"]]) < (0.4 if name == "oblique" else 0.1)


def test_of_a_table_that_touches_the_back_only_what_lies_on_the_skin_is_taken_in():
    image, truth = torso(ALL["thin slices"], foam_mm=0.0)
    (body,) = find_anatomy(image, [Part.BODY])
    wrong = body.mask.values & ~truth["body"]
    beyond = distance_transform_edt(~truth["body"], sampling=image.grid.spacing_mm[::-1])
    assert np.max(beyond[wrong], initial=0.0) <= 5.0
    assert np.mean(body.mask.values[truth["table"]]) < 0.1
    assert dice(body.mask.values, truth["body"]) > 0.98


@pytest.mark.parametrize("name", ALL)
def test_masks_lie_on_the_scans_grid_and_lung_gas_and_bone_are_apart(name):
    found, _ = found_in(name)
    assert all(f.mask.grid == ALL[name] for f in found.values())
    lung, gas, bone = (found[p].mask.values for p in (Part.LUNG, Part.GAS, Part.BONE))
    assert not (lung & gas).any()
    assert np.count_nonzero(bone & (lung | gas)) <= 0.01 * np.count_nonzero(bone)


def test_the_local_diameter_of_vessels_is_that_of_their_tubes():
    found, truth = found_in("thin slices")
    vessel = found[Part.VESSEL]
    assert vessel.diameter_mm is not None
    width = vessel.diameter_mm.values
    assert np.array_equal(width > 0, vessel.mask.values)
    for tube, wide in (("aorta", AORTA_MM), ("branch", BRANCH_MM)):
        here = width[truth[tube] & (width > 0)]
        assert float(np.median(here)) == pytest.approx(wide, abs=3.0)


def test_without_contrast_there_is_no_vessel_and_a_note_says_so():
    image, _ = torso(ALL["thin slices"], contrast=False)
    (vessel,) = find_anatomy(image, [Part.VESSEL])
    assert not vessel.mask.values.any()
    assert codes(vessel) == {"auto-nothing"}


def test_an_image_of_air_holds_nothing_and_every_part_says_so():
    where = grid_of((40, 40, 20), (2.0, 2.0, 3.0))
    image = Volume(grid=where, values=np.full(where.shape, -1000, np.int16))
    for found in find_anatomy(image):
        assert not found.mask.values.any()
        assert "auto-nothing" in codes(found)


def test_an_mr_gives_the_body_alone():
    image, truth = torso(ALL["thin slices"])
    rng = np.random.default_rng(1)
    signal = np.where(truth["body"] & ~truth["lung"], 300.0, 0.0) + np.abs(
        rng.normal(0, 12, truth["body"].shape)
    )
    mr = Volume(grid=image.grid, values=signal.astype(np.int16))
    assert parts_of(has_hounsfield=False) == (Part.BODY,)
    (body,) = find_anatomy(mr, [Part.BODY], has_hounsfield=False)
    assert dice(body.mask.values, truth["body"]) > 0.95
    assert "auto-body-of-mr" in codes(body)
    with pytest.raises(ImageError) as refused:
        find_anatomy(mr, [Part.BONE], has_hounsfield=False)
    assert refused.value.code == "anatomy-needs-ct"


def test_a_picture_that_holds_no_shape_is_refused():
    where = grid_of((40, 4, 1), (2.0, 2.0, 3.0))
    with pytest.raises(ImageError, match="too small"):
        find_anatomy(Volume(grid=where, values=np.zeros(where.shape, np.int16)))


class Stops:
    """Cancels at the n-th question."""

    def __init__(self, after):
        self.left, self.fractions = after, []

    def report(self, report):
        self.fractions.append(report.fraction)

    def cancelled(self):
        self.left -= 1
        return self.left < 0


def test_cancelling_at_any_stage_stops_and_progress_only_rises():
    where = grid_of((60, 50, 12), (3.0, 3.0, 5.0))
    image, _ = torso(where)
    whole = Stops(10_000)
    find_anatomy(image, progress=whole)
    assert whole.fractions == sorted(whole.fractions)
    assert whole.fractions[-1] == 1.0
    asked = 10_000 - whole.left
    for after in range(asked):
        with pytest.raises(Cancelled):
            find_anatomy(image, progress=Stops(after))


@pytest.mark.parametrize(
    "axes", [np.eye(3), np.diag([-1.0, 1.0, -1.0]), turned(20.0), np.eye(3)[:, [2, 0, 1]]]
)
def test_blocks_go_to_the_scan_and_back_in_place(axes):
    where = grid_of((23, 18, 11), (0.9, 0.9, 2.0), axes=axes)
    values = places(where)[..., 2].astype(np.float32)
    blocks = Blocks.of(Volume(grid=where, values=values))
    # z of the blocks rises towards the head, and each voxel finds the block around it.
    assert blocks.values[-1].mean() > blocks.values[0].mean()
    assert np.abs(blocks.on_scan(blocks.values) - values).max() <= 2.5
    part, mask = blocks.around(blocks.values > np.median(blocks.values))
    back = part.on_scan(np.where(mask, part.values, -999.0))
    assert np.abs((back - values)[back > -999.0]).max() <= max(2.5, float(np.abs(values).max()))
    middle = blocks.grid().index_to_mm((np.asarray(blocks.grid().size) - 1) / 2)
    assert np.linalg.norm(middle - where.centre_mm()) <= 1.6


@pytest.mark.parametrize("wide", [4.0, 8.0, 16.0])
def test_a_tube_is_as_wide_as_it_is(wide):
    where = grid_of((40, 40, 30), (1.0, 1.0, 2.0))
    p = places(where) - where.centre_mm() + 0.3
    tube = np.hypot(p[..., 0], p[..., 1]) <= wide / 2
    width = local_diameter(tube, (2.0, 1.0, 1.0))
    assert float(np.median(width[tube])) == pytest.approx(wide, rel=0.25)
    assert not width[~tube].any()


BONES = ("vertebra", "sacrum", "hip", "femur", "rib")


def test_bone_and_lung_of_a_real_abdomen_agree_with_the_published_labels(data_root):
    folder = data_root / "abdomen_ct_totalseg"
    scan = read_scan(folder / "ct.nii.gz")
    found = {f.part: f.mask.values for f in find_anatomy(scan.volume, [Part.BODY, Part.LUNG, Part.BONE])}
    masks = {m.name: m.mask.values for m in read_masks(folder / "labels.nii.gz", scan)}
    lung = np.any([m for name, m in masks.items() if name.startswith("lung")], axis=0)
    bone = np.any([m for name, m in masks.items() if name.startswith(BONES)], axis=0)
    assert dice(found[Part.LUNG], lung) >= 0.9
    assert dice(found[Part.BONE], bone) >= 0.9
    for name, mask in masks.items():
        assert np.mean(found[Part.BODY][mask]) > 0.98, name


def test_an_abdomen_without_contrast_is_given_no_heat_sink(data_root):
    # Calcified walls and cartilage are bright there.
    scan = read_scan(data_root / "abdomen_ct_totalseg" / "ct.nii.gz")
    (vessel,) = find_anatomy(scan.volume, [Part.VESSEL])
    assert codes(vessel) == {"auto-nothing"}
    assert not vessel.mask.values.any()


def test_in_the_real_liver_ct_every_organ_is_body_and_no_table_is(data_root):
    folder = data_root / "liver_ct_crlm1006"
    scan = read_scan(folder / "dicom")
    found = {f.part: f for f in find_anatomy(scan.volume)}
    body = found[Part.BODY].mask.values
    labels = np.any([m.mask.values for m in read_masks(folder / "labels.nii.gz", scan)], axis=0)
    assert np.mean(body[labels]) > 0.999
    for part in (Part.BONE, Part.LUNG, Part.GAS, Part.FAT):
        assert np.mean(found[part].mask.values[labels]) < 0.01, part
    # The table is what stands behind the patient in the same place in nearly every slice; specks that the
    # cover leaves at the skin itself are no shell of it.
    lasting, _ = label((scan.volume.values > -300).mean(axis=0) > 0.9)
    sizes = np.bincount(lasting.ravel())
    patient = sizes[1:].argmax() + 1
    table = (lasting > 0) & (lasting != patient) & (sizes[lasting] >= 100)
    table[: np.nonzero((lasting == patient).any(axis=1))[0][-1] + 1] = False
    assert np.count_nonzero(table) > 500
    assert not body[:, table].any()
    assert 17_000 < np.count_nonzero(body) * scan.volume.grid.voxel_volume_ml < 18_500
    assert "auto-blood" in codes(found[Part.VESSEL])


def test_a_cropped_chest_keeps_the_lung_that_its_edge_cuts_open(data_root):
    folder = data_root / "lung_ct_lidc0314"
    scan = read_scan(folder / "ct.nii.gz")
    found = {f.part: f for f in find_anatomy(scan.volume, [Part.BODY, Part.LUNG, Part.GAS])}
    lung = found[Part.LUNG].mask.values
    body = found[Part.BODY].mask.values
    assert 900 < np.count_nonzero(lung) * scan.volume.grid.voxel_volume_ml < 1200
    assert np.mean(body[lung]) > 0.999
    assert "auto-cut-off" in codes(found[Part.BODY])
    # The nodule lies in this lung or at its wall; the windpipe is gas.
    (nodule,) = [m.mask.values for m in read_masks(folder / "labels.nii.gz", scan)]
    assert np.mean(body[nodule]) == 1.0
    assert np.count_nonzero(found[Part.GAS].mask.values) * scan.volume.grid.voxel_volume_ml > 2.0
