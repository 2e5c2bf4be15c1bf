"""Volumes: read-only, picklable, and with digests that name contents."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

from cryoplan.core.volume import Volume
from tests.support.cases import OBLIQUE, grid

WHERE = grid(size=(4, 3, 2), spacing=(1, 2, 3), direction=OBLIQUE)


def volume(dtype="int16", change: int = 0) -> Volume:
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    values[1, 2, 3] += change
    return Volume(grid=WHERE, values=values)


def test_voxels_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        volume().values[0, 0, 0] = 1


def test_the_callers_array_stays_writable():
    mine = np.zeros(WHERE.shape)
    Volume(grid=WHERE, values=mine)
    mine[0, 0, 0] = 1.0
    assert mine[0, 0, 0] == 1.0


def test_an_array_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \(4, 3, 2\)"):
        Volume(grid=WHERE, values=np.zeros((4, 3, 2)))


def test_equal_contents_have_equal_digests_whatever_the_memory_layout():
    base = volume()
    fortran = Volume(grid=WHERE, values=np.asfortranarray(base.values))
    big = Volume(grid=WHERE, values=base.values.astype(">i2"))
    assert base.digest() == volume().digest() == fortran.digest() == big.digest()


def test_any_change_changes_the_digest():
    digests = {
        volume().digest(),
        volume(change=1).digest(),
        volume("float32").digest(),
        Volume(grid=grid(size=(4, 3, 2)), values=volume().values).digest(),
    }
    assert len(digests) == 4


def test_the_digest_is_the_same_in_another_process():
    code = (
        "import numpy as np; from cryoplan.core.grid import Grid; from cryoplan.core.volume import Volume;"
        "print(Volume(grid=Grid(size=(3,2,1),spacing_mm=(1,1,1),origin_mm=(0,0,0)),"
        "values=np.arange(6,dtype='int16').reshape(1,2,3)).digest())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
        for env in ({"PYTHONHASHSEED": "1", "PYTHONPATH": "."}, {"PYTHONHASHSEED": "2", "PYTHONPATH": "."})
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.strip()) == 64


@pytest.mark.parametrize("hashed", [False, True])
def test_a_pickled_volume_is_read_only_and_keeps_its_contents(hashed):
    base = volume()
    if hashed:
        base.digest()
    copy = pickle.loads(pickle.dumps(base))
    assert np.array_equal(copy.values, base.values)
    assert copy.grid == base.grid
    assert copy.digest() == base.digest()
    with pytest.raises(ValueError, match="read-only"):
        copy.values[0, 0, 0] = 1


def test_volumes_are_compared_by_identity():
    assert volume() != volume()
