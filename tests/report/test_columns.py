"""Columns: as their shares say for ordinary cells; wider for long names, at the cost of no number."""

from __future__ import annotations

import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth

from cryoplan.report.columns import PADDING, column_widths
from cryoplan.report.fonts import REGULAR, register

WIDTH, SIZE = 516.0, 7.0
HEAD = ("No.", "Model", "Depth, mm", "Power")
LONG = "segment VI beside the gallbladder, the right kidney and the hepatic flexure of the colon " * 2


@pytest.fixture(autouse=True)
def fonts():
    register()


def test_ordinary_cells_leave_the_columns_as_their_shares_say():
    rows = [HEAD, ("1", "Generic 15G (assumed)", "66.1", "100 %, whole protocol")]
    assert column_widths(rows, (1.0, 2.0, 1.0, 4.0), WIDTH, SIZE) == pytest.approx([64.5, 129.0, 64.5, 258.0])


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_a_column_of_long_names_is_wide_and_no_number_breaks(columns):
    head = ("Pair", "Tip", "Middle", "Back", "Angle", "Shafts") * columns
    row = (LONG, "13.9", "13.9", "13.9", "0.0°", "112.1") * columns
    widths = column_widths([head, row], (1.2, 0.8, 0.8, 0.8, 0.8, 0.8) * columns, WIDTH, SIZE)
    usual = WIDTH * 1.2 / (5.2 * columns)
    assert sum(widths) == pytest.approx(WIDTH)
    for place, (width, cell) in enumerate(zip(widths, row, strict=True)):
        if cell == LONG:
            assert width > 1.2 * usual or columns == 3
        elif columns < 3:
            assert width >= stringWidth(cell, REGULAR, SIZE) + PADDING - 1e-6, place
