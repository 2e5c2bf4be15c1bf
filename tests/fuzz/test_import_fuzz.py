"""A short run of the import fuzzer: every mutant is refused in a sentence or stands where its bytes say."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.support.import_fuzz import FORMATS, MEMORY_BYTES, judge, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the child's limits are of POSIX")


@pytest.mark.parametrize("name", FORMATS)
def test_a_good_image_is_accepted_by_reader_and_judge(name: str, tmp_path):
    folder = tmp_path / "good"
    folder.mkdir()
    assert judge(FORMATS[name](folder)) == ("accepted", "")


def test_the_judge_notices_an_image_in_another_place(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.support.import_fuzz.stated_corners", lambda *_: np.zeros((8, 3)))
    assert judge(FORMATS["nifti"](tmp_path))[0] == "FAULT"


def test_sixty_mutants_are_refused_by_name_or_in_their_place():
    tally = run(60, seed=11)
    assert tally.faults == []
    assert tally.hangs == 0
    assert sum(sum(v.values()) for v in tally.verdicts.values()) == 60
    assert tally.peak_bytes < MEMORY_BYTES
