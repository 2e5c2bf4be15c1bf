"""Growing: a lesion in noise is found, a vessel that touches it is not followed."""

from itertools import pairwise

import numpy as np
import pytest

from cryoplan.core.errors import StructureError
from cryoplan.core.progress import Cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.outlining.growing import FIRST_OF_SPREAD, Seed
from tests.support.grids import grid_of, places, turned

GRIDS = {
    "fine": grid_of((120, 120, 80), (0.9, 0.9, 1.0)),
    "thick": grid_of((150, 150, 18), (0.75, 0.75, 5.0), axes=np.diag([1.0, -1.0, 1.0])),
    "oblique": grid_of((110, 110, 60), (1.0, 1.0, 1.6), axes=turned(15.0)),
}


def scan(grid, *, noise=8.0, vessel=False, seed=5, level=60.0):
    """A lesion of `level` HU, 24 mm wide, in liver of 110 HU; the vessel is as dark as the lesion."""
    away = places(grid) - grid.centre_mm()
    lesion = np.linalg.norm(away, axis=-1) <= 12.0
    values = np.where(lesion, level, 110.0)
    if vessel:
        beside = np.hypot(away[..., 1], away[..., 2]) <= 1.8
        values[beside & (away[..., 0] > 0.0)] = 60.0
        values[np.linalg.norm(away - [32.0, 0.0, 0.0], axis=-1) <= 14.0] = 60.0
    values += np.random.default_rng(seed).normal(0.0, noise, grid.shape)
    return Volume(grid=grid, values=np.rint(values).astype(np.int16)), lesion


def dice(a, b):
    return 2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def mask_of(grid, patch):
    mask = np.zeros(grid.shape, bool)
    mask[patch.box.place] = patch.voxels
    return mask


@pytest.mark.parametrize("name", GRIDS)
def test_a_lesion_is_outlined_from_one_click(name):
    image, lesion = scan(GRIDS[name])
    seed = Seed(image, tuple(image.grid.centre_mm() + np.array([4.0, -3.0, 1.0])))
    assert seed.level == pytest.approx(60.0, abs=3.0)
    assert seed.spread == pytest.approx(8.0, abs=2.5)
    grown = seed.grow(25.0)
    assert dice(mask_of(image.grid, grown.patch), lesion) > 0.9
    assert not grown.leaks


def test_a_first_tolerance_that_runs_out_is_narrowed_until_it_does_not():
    image, lesion = scan(GRIDS["fine"], noise=20.0, level=84.0)
    seed = Seed(image, tuple(image.grid.centre_mm()))
    wide = seed.grow(round(FIRST_OF_SPREAD * seed.spread, 1))
    assert wide.leaks
    tolerance, grown = seed.grow_first()
    assert not grown.leaks
    assert seed.grow(round(tolerance / 0.85, 1)).leaks
    like = [dice(mask_of(image.grid, patch), lesion) for patch in (wide.patch, grown.patch)]
    assert like[0] < 0.2 < 0.7 < like[1]


def test_where_every_tolerance_runs_out_the_first_is_kept_and_says_so():
    image, _ = scan(GRIDS["fine"])
    seed = Seed(image, tuple(image.grid.centre_mm() + np.array([25.0, 0.0, 0.0])))
    tolerance, grown = seed.grow_first()
    assert tolerance == round(FIRST_OF_SPREAD * seed.spread, 1)
    assert grown.leaks


def test_a_thin_bridge_is_not_grown_through_unless_the_user_wants_it():
    image, lesion = scan(GRIDS["fine"], noise=0.5, vessel=True)
    seed = Seed(image, tuple(image.grid.centre_mm()))
    kept = mask_of(image.grid, seed.grow(40.0).patch)
    assert dice(kept, lesion) > 0.9
    run_out = mask_of(image.grid, seed.grow(40.0, neck_mm=0.0).patch)
    assert np.count_nonzero(run_out) > 1.8 * np.count_nonzero(kept)


def test_a_larger_tolerance_never_takes_a_voxel_away_before_necks_are_cut():
    image, _ = scan(GRIDS["fine"])
    seed = Seed(image, tuple(image.grid.centre_mm()))
    masks = [mask_of(image.grid, seed.grow(t, neck_mm=0.0).patch) for t in (8.0, 16.0, 24.0, 40.0)]
    for smaller, larger in pairwise(masks):
        assert not (smaller & ~larger).any()


def test_running_out_of_the_region_is_said():
    image, _ = scan(GRIDS["fine"], noise=1.0)
    seed = Seed(image, tuple(image.grid.centre_mm()), reach_mm=20.0)
    assert not seed.grow(20.0).leaks
    assert seed.grow(80.0).leaks


def test_the_edge_of_the_image_is_no_leak():
    grid = grid_of((20, 20, 20), (1.0, 1.0, 1.0))
    image = Volume(grid=grid, values=np.full(grid.shape, 40, np.int16))
    assert not Seed(image, (10.0, 10.0, 10.0)).grow(5.0).leaks


def test_a_click_always_gives_something_even_on_noise():
    image, _ = scan(GRIDS["fine"], noise=60.0)
    for point in ((0.0, 0.0, 0.0), (10.0, 9.0, 3.0)):
        at = tuple(image.grid.centre_mm() + point)
        mask = mask_of(image.grid, Seed(image, at).grow(0.0).patch)
        i, j, k = np.rint(image.grid.mm_to_index(at)).astype(int)
        assert mask[k, j, i]


def test_a_click_outside_is_refused_in_a_sentence():
    image, _ = scan(GRIDS["fine"])
    with pytest.raises(StructureError, match="outside the image"):
        Seed(image, (-900.0, 0.0, 0.0))


class StopAt:
    """Progress that asks to stop when it is asked for the n-th time."""

    def __init__(self, at: int) -> None:
        self.at, self.asked = at, 0

    def report(self, report) -> None:
        del report

    def cancelled(self) -> bool:
        self.asked += 1
        return self.asked >= self.at


def test_growing_can_be_stopped_between_all_its_parts():
    image, _ = scan(GRIDS["fine"])
    stops = 0
    for at in range(1, 20):
        progress = StopAt(at)
        try:
            Seed(image, tuple(image.grid.centre_mm()), progress=progress).grow(25.0, progress=progress)
        except Cancelled:
            stops += 1
        else:
            break
    assert stops >= 4
    assert progress.asked == stops
