"""The table of tasks: only open ones, sourced numbers, and estimates that follow the size of the image."""

from __future__ import annotations

import pytest

from cryoplan.core.errors import StoreError, StructureError
from cryoplan.core.resources import resource
from cryoplan.image.ai.tasks import load_tasks, read_tasks
from tests.support.grids import grid_of

TABLE = load_tasks()
LICENSED = {
    "heartchambers_highres", "appendicular_bones", "appendicular_bones_mr", "tissue_types", "tissue_types_mr",
    "tissue_4_types", "face", "face_mr", "brain_structures", "thigh_shoulder_muscles", "coronary_arteries",
    "thigh_shoulder_muscles_mr", "aortic_sinuses", "renal_arteries", "aorta_annulus", "aortic_dissection",
}  # fmt: skip
"""`commercial_models` of TotalSegmentator 2.18.0."""


def test_no_task_needs_a_licence_and_the_note_says_whose_program_it_is():
    assert not {task.task for task in TABLE.tasks} & LICENSED
    assert "Apache" in TABLE.licence
    assert "Wasserth" in TABLE.licence
    assert "no medical device" in TABLE.licence


def test_the_measured_image_gives_the_measured_time_and_memory():
    grid = grid_of((512, 512, 807), (0.82, 0.82, 1.0))
    cost = TABLE.cost(TABLE.task("total"), grid, gpu=False, cores=10)
    assert cost.seconds == pytest.approx(885.0 + 20.0, rel=0.01)
    assert cost.memory_bytes == pytest.approx(12.0e9, rel=0.01)
    assert cost.gpu_bytes == 0.0
    on_gpu = TABLE.cost(TABLE.task("total"), grid, gpu=True)
    assert on_gpu.seconds == pytest.approx(155.0 + 20.0, rel=0.01)
    assert on_gpu.gpu_bytes == pytest.approx(7.1e9, rel=0.01)


def test_fewer_cores_take_longer_and_a_smaller_image_takes_less():
    whole, half = grid_of((100, 100, 200), (3, 3, 3)), grid_of((100, 100, 100), (3, 3, 3))
    task = TABLE.task("total-fast")
    slow, fast = TABLE.cost(task, whole, gpu=False, cores=2), TABLE.cost(task, whole, gpu=False, cores=8)
    assert slow.seconds - 20.0 == pytest.approx(4.0 * (fast.seconds - 20.0))
    small = TABLE.cost(task, half, gpu=False, cores=2)
    assert small.seconds < slow.seconds
    assert 3e9 < small.memory_bytes < slow.memory_bytes


def test_a_task_that_nobody_has_measured_has_no_estimate():
    assert TABLE.cost(TABLE.task("liver-lesions"), grid_of((9, 9, 9), (1, 1, 1)), gpu=False) is None


def test_an_unknown_task_is_refused_with_those_that_exist():
    with pytest.raises(StructureError, match="total-fast"):
        TABLE.task("face")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("schema = 1", "schema = 2"),
        ("value = 142.2", "value = 0.0"),
        ('unit = "l"', 'unit = "ml"'),
        ('fast = true\nmodality = "CT"', 'fast = true\nprice = 3\nmodality = "CT"'),
        ("cpu = {", "# cpu = {"),
        ("[measured]", "[measures]"),
        ("[measured]", "[measured"),
    ],
)
def test_a_table_that_is_not_whole_is_refused(tmp_path, old, new):
    text = resource("ai", "totalsegmentator.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "totalsegmentator.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        read_tasks(path)
    assert caught.value.code == "bad-resource"
