"""Where an outline came from is said, and the name of its file never."""

from __future__ import annotations

import pytest

from cryoplan.case.source_words import is_automatic, source_words


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("smith_john_tumour.nii.gz, label 2", "label 2"),
        ("smith.dcm, segment 3, corrected by hand", "segment 3, corrected by hand"),
        ("SMITH^JOHN.dcm, structure 4", "structure 4"),
        ("smith", "a file"),
        ("drawn in this case for smith.nii", "a file"),
        ("found by cryoplan.nii", "a file"),
        ("liver_of_smith.stl (LPS)", "a file"),
        ("drawn in this case", "drawn in this case"),
        ("found by cryoplan 1.0.0: by the signal", "found by cryoplan 1.0.0: by the signal"),
        ("TotalSegmentator 2.18.0, total, not reviewed", "TotalSegmentator 2.18.0, total, not reviewed"),
    ],
)
def test_a_file_is_never_named(source, said):
    assert source_words(source) == said


def test_what_a_hand_has_corrected_is_not_automatic():
    assert is_automatic("found by cryoplan 1.0.0: bone")
    assert not is_automatic("found by cryoplan 1.0.0: bone, corrected by hand")
    assert not is_automatic("drawn in this case")
