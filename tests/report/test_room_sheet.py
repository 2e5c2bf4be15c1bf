"""The sheet for the CT room: every number large, every place in words, four probes on a page, nothing cut."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from pypdf import PdfReader

from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.mark import Mark, MarkKind
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import MOST_COLOURS
from cryoplan.plan.room import Room
from cryoplan.plan.shown_slice import shown_slice, slices_from
from cryoplan.report.room_page import NUMBER_PT, render_room_sheet
from cryoplan.report.room_sheet import AS_SHOWN, COLOUR_WORDS, NO_MARK, NO_SLICES, RoomSheet, build_room_sheet
from cryoplan.report.style import Paper, PrintStyle
from tests.support.scenes import make_case, make_plan

CASE, PLAN = make_case(), make_plan()
PAPERS = {Paper.A4: (595.3, 841.9), Paper.LETTER: (612.0, 792.0)}


def with_probes(count: int, name: str = "{}") -> Plan:
    first = PLAN.probes[0]
    made = [
        replace(
            first,
            name=name.format(n),
            order=n,
            channel=str(n),
            tip_mm=(first.tip_mm[0], first.tip_mm[1], first.tip_mm[2] + 3.0 * n),
            entry_mm=(first.entry_mm[0], first.entry_mm[1], first.entry_mm[2] - 2.0 * n),
        )
        for n in range(1, count + 1)
    ]
    return replace(PLAN, probes=tuple(made))


def as_shown(case=CASE):
    """Slices of a scanner that counts against the patient's axis."""
    count = case.scan.volume.grid.size[2]
    facts = replace(
        case.scan.facts,
        slice_locations_mm=tuple(500.25 - 2.0 * k for k in range(count)),
        slice_numbers=tuple(range(1, count + 1)),
    )
    return case.changed(scan=replace(case.scan, facts=facts))


def sheet_of(plan: Plan = PLAN, case=CASE, **more) -> RoomSheet:
    colours = {p.name: "#f5d94e" for p in plan.probes}
    return build_room_sheet(
        case=case, plan=plan, catalogue=load_catalogue(), key="0" * 64, pictures={}, colours=colours, **more
    )


def pages(sheet: RoomSheet, paper: Paper = Paper.A4) -> list[str]:
    data = render_room_sheet(sheet, PrintStyle(paper=paper))
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(data)).pages]


def cell(sheet: RoomSheet, label: str, probe: int = 0):
    return next(c for c in sheet.probes[probe].cells if c.label == label)


@pytest.mark.parametrize("paper", Paper)
def test_up_to_four_probes_stand_on_one_page_and_more_on_two_which_both_say_so(paper):
    marks = (Mark(name="mid-line", kind=MarkKind.MIDLINE, position_mm=(0.0, -90.0, 0.0)),)
    for count in (1, 4):
        assert len(pages(sheet_of(replace(with_probes(count), marks=marks)), paper)) == 1
    for count in (5, 8):
        both = pages(sheet_of(replace(with_probes(count), marks=marks)), paper)
        assert len(both) == 2
        assert "Sheet 1 of 2: probes 1, 2, 3, 4" in both[0]
        assert "Sheet 2 of 2: probes 5" in both[1]


def test_every_number_that_is_acted_on_is_at_least_14_points_high():
    sheet = sheet_of(
        replace(with_probes(4), marks=(Mark(name="m", kind=MarkKind.MIDLINE, position_mm=(0, 0, 0)),))
    )
    large: list[str] = []

    def visit(text, _cm, matrix, _font, size) -> None:
        if size * abs(matrix[0]) >= NUMBER_PT - 1e-6:
            large.append(text)

    for page in PdfReader(io.BytesIO(render_room_sheet(sheet))).pages:
        page.extract_text(visitor_text=visit)
    seen = re.sub(r"\s+", "", "".join(large))
    for block in sheet.probes:
        for one in block.cells:
            assert re.sub(r"\s+", "", one.value) in seen
        for said in block.sentences:
            for number in re.findall(r"\d+(?:\.\d+)?\s?(?:mm|°)", said):
                assert re.sub(r"\s+", "", number) in seen


def test_slices_are_told_as_the_scanner_showed_them_with_the_sign_it_gave():
    case = as_shown()
    sheet = sheet_of(case=case)
    k = round(float(case.scan.volume.grid.mm_to_index(PLAN.probes[0].entry_mm)[2]))
    shown = f"{500.25 - 2.0 * k:.2f}".rstrip("0").rstrip(".").replace("-", "−")
    assert cell(sheet, "Entry").value == f"{shown} mm"
    assert f"image {k + 1}" in cell(sheet, "Entry").note
    assert AS_SHOWN in sheet.notes
    assert NO_SLICES not in sheet.notes


def test_without_the_scanners_own_numbers_the_sheet_says_what_the_number_is():
    sheet = sheet_of()
    z = PLAN.probes[0].entry_mm[2]
    assert NO_SLICES in sheet.notes
    assert cell(sheet, "Entry").value == f"{abs(z):.1f} mm"
    side = "head" if z >= 0 else "feet"
    assert cell(sheet, "Entry").note.startswith(f"slice towards the {side} from the scan's origin")


def test_slices_are_counted_towards_head_and_feet_whichever_way_the_volume_runs():
    grid = CASE.scan.volume.grid
    low, high = grid.index_to_mm((1, 1, 2)), grid.index_to_mm((1, 1, 5))
    up = "head" if high[2] > low[2] else "feet"
    assert slices_from(CASE.scan, high, low) == f"3 slices towards the {up}"
    assert slices_from(CASE.scan, low, low) == "same slice"


def test_a_point_outside_the_scan_is_said_to_be():
    beyond = np.asarray(CASE.scan.volume.grid.index_to_mm((0, 0, -4)))
    assert shown_slice(CASE.scan, beyond).is_outside
    assert "outside the scan" in shown_slice(CASE.scan, beyond).how


def test_without_a_mark_the_sheet_says_that_none_was_set():
    assert NO_MARK in sheet_of().notes
    mark = Mark(
        name="mid-line", kind=MarkKind.MIDLINE, position_mm=np.subtract(PLAN.probes[0].entry_mm, (23, 0, 12))
    )
    sheet = sheet_of(replace(PLAN, marks=(mark,)))
    assert NO_MARK not in sheet.notes
    assert sheet.probes[0].sentences[0] == (
        "Skin: 23 mm to the patient's left of the mid-line mark, 12 mm towards the head of it."
    )


def test_a_side_position_turns_the_angle_and_draws_the_room():
    back, side = sheet_of(), sheet_of(replace(PLAN, room=Room(position="HFDL")))
    assert back.sides is None
    assert side.sides == ("right side", "left side", "back", "front")
    # What was level on the back is upright on the side: the probe comes in from the patient's right or left.
    turned = float(cell(back, "In the slice").value[:-1]) + float(cell(side, "In the slice").value[:-1])
    assert turned == pytest.approx(90.0, abs=0.2)
    assert "left side on the table" in pages(side)[0]
    assert "Treatment: on the left side, head first" in pages(side)[0]


def test_probes_stand_in_the_order_of_the_hands_with_port_and_the_warning_always():
    plan = with_probes(3)
    turned = replace(plan, probes=tuple(reversed(plan.probes)))
    sheet = sheet_of(turned)
    assert [b.name for b in sheet.probes] == ["1", "2", "3"]
    text = pages(sheet)[0]
    assert "Goes in 2nd · port 2" in text
    assert "re-check on today's CT" in text
    assert "Research use" in text


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize(
    "name", ["a probe with a very long name that nobody would give to any probe at all {}", "針{}"]
)
def test_long_and_foreign_names_cut_nothing_and_leave_the_page_nowhere(paper, name):
    sheet = sheet_of(with_probes(8, name))
    data = render_room_sheet(sheet, PrintStyle(paper=paper, department="D" * 90))
    width, height = PAPERS[paper]
    for page in PdfReader(io.BytesIO(data)).pages:
        places: list[tuple[float, float]] = []

        def visit(text, _cm, matrix, _font, _size, into=places) -> None:
            if text.strip():
                into.append((matrix[4], matrix[5]))

        page.extract_text(visitor_text=visit)
        assert all(0.0 <= x <= width and 0.0 <= y <= height for x, y in places)
    text = "".join(pages(sheet, paper)).replace(" ", "")
    for block in sheet.probes:
        for said in block.sentences:
            assert said.replace(" ", "") in text


def test_the_same_sheet_gives_the_same_bytes():
    assert render_room_sheet(sheet_of()) == render_room_sheet(sheet_of())


def test_there_is_a_word_for_each_colour():
    assert len(COLOUR_WORDS) == MOST_COLOURS == len(set(COLOUR_WORDS))
