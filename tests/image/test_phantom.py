"""The synthetic abdomen is what its formulas say, the same on every call."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cryoplan.core.geometry import point_to_segment_mm
from cryoplan.image.phantom import Phantom, make_phantom, phantom_truth
from cryoplan.image.phantom_shapes import KnobblyBall, RoundCone, fibonacci_sphere


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom()


def points_of(phantom: Phantom, name: str) -> np.ndarray:
    mask = mask_of(phantom, name)
    return phantom.scan.volume.grid.index_to_mm(np.argwhere(mask)[:, ::-1])


def mask_of(phantom: Phantom, name: str) -> np.ndarray:
    return next(m.mask.values for m in phantom.masks if m.name == name)


def skirt(phantom: Phantom, name: str) -> np.ndarray:
    """Return the points of the outermost voxels of a mask."""
    mask = mask_of(phantom, name)
    edge = mask & ~ndimage.binary_erosion(mask)
    return phantom.scan.volume.grid.index_to_mm(np.argwhere(edge)[:, ::-1])


def test_two_phantoms_are_equal(phantom: Phantom):
    again = make_phantom()
    assert again.scan.volume.digest() == phantom.scan.volume.digest()
    assert [m.mask.digest() for m in again.masks] == [m.mask.digest() for m in phantom.masks]
    assert again.truth == phantom.truth


def test_the_tumour_has_the_volume_and_centre_of_its_formula(phantom: Phantom):
    truth = phantom.truth
    mask = mask_of(phantom, "tumour")
    assert mask.sum() * phantom.scan.volume.grid.voxel_volume_ml == pytest.approx(
        truth.tumour_volume_ml, rel=0.02
    )
    assert np.abs(points_of(phantom, "tumour").mean(axis=0) - truth.tumour_centre_mm).max() < 1.0
    extent = np.ptp(points_of(phantom, "tumour"), axis=0)
    assert np.all((extent > 23.0) & (extent < 31.0))


def test_the_gallbladder_lies_12_mm_from_the_tumour(phantom: Phantom):
    assert phantom.truth.tumour_to_gallbladder_mm == pytest.approx(12.0, abs=0.01)
    outside = ~mask_of(phantom, "gallbladder")
    distance = ndimage.distance_transform_edt(outside, sampling=phantom.scan.volume.grid.spacing_mm[::-1])
    measured = distance[mask_of(phantom, "tumour")].min()
    assert abs(measured - phantom.truth.tumour_to_gallbladder_mm) < 2.0  # one slice


def test_the_vein_is_5_mm_wide_and_3_mm_from_the_tumour(phantom: Phantom):
    truth = phantom.truth
    assert truth.vein_diameter_mm == 5.0
    assert truth.tumour_to_vein_mm == pytest.approx(3.0, abs=0.01)
    vein = points_of(phantom, "portal vein")
    to_axis = point_to_segment_mm(vein, truth.vein_start_mm, truth.vein_end_mm)
    axis = np.subtract(truth.vein_end_mm, truth.vein_start_mm)
    along = (vein - truth.vein_start_mm) @ axis / (axis @ axis)
    own = (to_axis < 4.0) & (along > 0.2) & (along < 0.8)
    # Area of the section from the voxels of the middle part; branches stay away from it.
    voxel_mm3 = phantom.scan.volume.grid.voxel_volume_ml * 1000
    area = own.sum() * voxel_mm3 / (0.6 * np.linalg.norm(axis))
    assert 2 * np.sqrt(area / np.pi) == pytest.approx(5.0, abs=0.5)
    tumour = skirt(phantom, "tumour")
    nearest = np.linalg.norm(tumour[:, None] - vein[own][None], axis=-1).min()
    assert abs(nearest - truth.tumour_to_vein_mm) < 2.0


def test_the_skin_is_where_the_formula_says(phantom: Phantom):
    grid, body = phantom.scan.volume.grid, mask_of(phantom, "body")
    centre = np.array(phantom.truth.tumour_centre_mm)
    for direction, expected in (
        ((-1, 0, 0), phantom.truth.skin_right_mm),
        ((0, -1, 0), phantom.truth.skin_front_mm),
        ((0, 1, 0), phantom.truth.skin_back_mm),
    ):
        steps = np.arange(0.0, 160.0, 0.1)
        index = np.rint(grid.mm_to_index(centre + steps[:, None] * np.array(direction))).astype(int)
        index = np.clip(index, 0, np.array(grid.size) - 1)
        inside = body[index[:, 2], index[:, 1], index[:, 0]]
        assert abs(steps[np.argmin(inside)] - expected) < 1.2


def test_masks_do_not_overlap_and_lie_in_the_body(phantom: Phantom):
    total = np.zeros(phantom.scan.volume.grid.shape, np.uint8)
    for mask in phantom.masks:
        if mask.role != "body":
            total += mask.mask.values
    assert total.max() == 1
    assert not (total.astype(bool) & ~mask_of(phantom, "body")).any()


def test_the_tumour_sits_in_liver_only(phantom: Phantom):
    tumour = mask_of(phantom, "tumour")
    ring = ndimage.binary_dilation(tumour, iterations=2) & ~tumour
    around = mask_of(phantom, "liver") | mask_of(phantom, "portal vein") | mask_of(phantom, "hepatic veins")
    assert not (ring & ~around).any()


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("liver", 100, 122), ("tumour", 45, 80), ("portal vein", 140, 175), ("gallbladder", 0, 25),
        ("right kidney", 170, 205), ("lung", -880, -800), ("fat", -115, -85), ("aorta", 145, 165),
        ("bones", 150, 600),
    ],
)  # fmt: skip
def test_each_tissue_has_the_ct_number_of_the_portal_phase(
    phantom: Phantom, name: str, low: float, high: float
):
    assert low < np.median(phantom.scan.volume.values[mask_of(phantom, name)]) < high


def test_it_looks_like_a_scan(phantom: Phantom):
    values, facts = phantom.scan.volume.values, phantom.scan.facts
    assert values.dtype == np.int16
    assert values.min() >= -1024
    liver = ndimage.binary_erosion(mask_of(phantom, "liver"), iterations=4)
    assert 6.0 < values[liver].std() < 16.0  # noise of a portal-phase scan
    grid = phantom.scan.volume.grid
    table = values[:, int(grid.mm_to_index((0, 121, 0))[1]) :, 160]
    assert (table > -400).any()  # the couch under the back
    assert (facts.kind, facts.code, facts.modality, facts.patient_position) == (
        "phantom",
        "DEMO-1",
        "CT",
        "HFS",
    )


def test_volumes_are_those_of_an_adult(phantom: Phantom):
    voxel = phantom.scan.volume.grid.voxel_volume_ml
    for name, low, high in (("liver", 1000, 1800), ("right kidney", 90, 200), ("gallbladder", 12, 50)):
        assert low < mask_of(phantom, name).sum() * voxel < high


def test_the_truth_needs_no_voxel():
    assert phantom_truth() == phantom_truth()


def test_a_ball_without_knobs_has_the_volume_of_a_ball():
    ball = KnobblyBall((1.0, 2.0, 3.0), 10.0, ())
    assert ball.volume_ml() == pytest.approx(4 / 3 * np.pi, rel=1e-9)


def test_a_knobbly_volume_agrees_with_random_points():
    ball = KnobblyBall((0.0, 0.0, 0.0), 10.0, ((0.1, (3.0, -2.0, 1.0), 0.3),))
    points = np.random.default_rng(1).uniform(-12, 12, (400_000, 3))
    assert ball.inside(points).mean() * 24.0**3 / 1000 == pytest.approx(ball.volume_ml(), rel=0.01)


def test_the_round_cone_distance_is_that_to_its_densest_ball():
    cone = RoundCone((0.0, 0.0, 0.0), (10.0, 4.0, 20.0), 9.0, 4.0)
    points = np.random.default_rng(2).uniform(-25, 40, (300, 3))
    t = np.linspace(0, 1, 4001)[:, None]
    centres, radii = t * np.array(cone.b_mm), 9.0 + t[:, 0] * (4.0 - 9.0)
    brute = (np.linalg.norm(points[:, None] - centres[None], axis=-1) - radii).min(axis=1)
    exact = cone.distance_mm(points)
    outside = brute > 0
    assert np.abs(exact - brute)[outside].max() < 0.01
    assert np.all(exact[~outside] <= 0.01)
    assert np.linalg.norm(fibonacci_sphere(1000), axis=1) == pytest.approx(1.0)
