"""What was found out about a shaft is remembered while it is asked for, and only so much of it."""

from __future__ import annotations

import numpy as np

from cryoplan.core.volume import Volume
from cryoplan.plan.kept import MOST_SHAFTS, Kept
from tests.support.cases import grid

MASK = Volume(grid=grid(size=(2, 2, 2)), values=np.ones((2, 2, 2), dtype=bool))
STILL = (0.0, 0.0, 0.0), (0.0, -50.0, 0.0)


def test_a_probe_that_stands_still_is_remembered_however_long_another_is_dragged():
    kept: Kept[int] = Kept()
    kept.put(MASK, *STILL, 7)
    for step in range(3 * MOST_SHAFTS):
        assert kept.get(MASK, *STILL) == 7
        kept.put(MASK, (1.0 + step, 0.0, 0.0), STILL[1], step)
    assert kept.get(MASK, (1.0, 0.0, 0.0), STILL[1]) is None
    assert kept.get(MASK, (3.0 * MOST_SHAFTS, 0.0, 0.0), STILL[1]) == 3 * MOST_SHAFTS - 1


def test_another_mask_is_another_question():
    kept: Kept[int] = Kept()
    kept.put(MASK, *STILL, 7)
    assert kept.get(Volume(grid=MASK.grid, values=MASK.values.copy()), *STILL) is None
