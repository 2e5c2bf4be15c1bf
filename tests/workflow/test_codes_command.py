"""The command that explains codes: the same help as in the window, on a terminal and for scripts."""

from __future__ import annotations

import json

from cryoplan.cli import DONE, REFUSED, main
from cryoplan.workflow import find_meanings, meaning_of


def test_a_code_is_explained_by_its_own_help_only(capsys):
    assert main(["codes", "missing-slice"]) == DONE
    assert capsys.readouterr().out == meaning_of("missing-slice").to_text() + "\n"


def test_several_words_are_looked_for_together(capsys):
    assert main(["codes", "skin", "deeper", "--json"]) == DONE
    found = json.loads(capsys.readouterr().out)
    assert found == [m.to_json() for m in find_meanings("skin deeper")]
    assert "active-zone-outside" in [row["code"] for row in found]


def test_without_a_word_every_code_is_listed(capsys):
    assert main(["codes", "--json"]) == DONE
    assert len(json.loads(capsys.readouterr().out)) == len(find_meanings(""))


def test_a_word_that_is_nowhere_is_refused_and_the_refusal_has_a_code_of_the_help(capsys):
    assert main(["codes", "qqzz", "--json"]) == REFUSED
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert meaning_of(finding["code"]) is not None
