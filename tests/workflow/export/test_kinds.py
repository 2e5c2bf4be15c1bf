"""The words of --only, and the help that lists them."""

from __future__ import annotations

import re

import pytest

from cryoplan.cli_export import KINDS_TEXT
from cryoplan.core.errors import CryoplanError
from cryoplan.workflow.export import DICOM_KINDS, KINDS, kinds_named


def test_the_words_of_the_contract_are_kinds():
    assert {"seg", "rtstruct", "nifti", "stl", "markups", "csv", "pdf"} <= set(KINDS)


def test_the_help_lists_every_kind_and_no_other():
    words = set(re.findall(r"[a-z]+", re.sub(r"\([^)]*\)", "", KINDS_TEXT)))
    assert words == set(KINDS)


def test_no_word_means_all_and_words_come_in_one_order():
    assert kinds_named(()) == tuple(KINDS)
    assert kinds_named(["csv", " PDF "]) == ("pdf", "csv")


def test_an_unknown_word_is_refused_with_those_there_are():
    with pytest.raises(CryoplanError, match=r"no export called 'dose'.*seg") as raised:
        kinds_named(["seg", "dose"])
    assert raised.value.code == "export-unknown"


def test_no_two_kinds_write_the_same_file():
    files = [name for kind in KINDS.values() for name in kind.files]
    assert len(files) == len(set(files))
    assert DICOM_KINDS == ("seg", "rtstruct", "sr", "dicompdf", "keyimages")
