"""Reading order: Hebrew is turned for drawing from left to right, all else and its numbers stay."""

from __future__ import annotations

import pytest

from cryoplan.core.reading_order import in_reading_order

ALEF, BET, GIMEL = "\u05d0\u05d1\u05d2"
BLANK = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("tumour 12.5 mm", "tumour 12.5 mm"),
        (ALEF + BET, BET + ALEF),
        (f"{ALEF}{BET} {GIMEL}", f"{GIMEL}{BLANK}{BET}{ALEF}"),
        (f"{ALEF} 12.5 {BET}", f"{BET}{BLANK}12.5{BLANK}{ALEF}"),
        (f"probe {ALEF}{BET} at 12 mm", f"probe {BET}{ALEF} at 12 mm"),
        (f"{ALEF}{BET}, {BET}{GIMEL}", f"{BET}{ALEF}, {GIMEL}{BET}"),
    ],
    ids=["no Hebrew", "a word", "two words", "a number between", "a word in English", "a list"],
)
def test_only_runs_of_hebrew_are_turned_and_their_numbers_stay(text, drawn):
    assert in_reading_order(text) == drawn
