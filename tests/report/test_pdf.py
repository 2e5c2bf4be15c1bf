"""The PDF read back: both margins, footers, page numbers, fonts, the same bytes, and nothing cut."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from cryoplan.case.reviews import with_reviewed
from cryoplan.case.second_image import SecondImage
from cryoplan.case.structure import Role
from cryoplan.core.errors import StaleError, StoreError
from cryoplan.core.finding import Finding, Level
from cryoplan.margins.assess import assess
from cryoplan.margins.limits import Limits
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, ThawMode
from cryoplan.plan.tool import Tool, ToolKind
from cryoplan.report.content import build_content
from cryoplan.report.decision import target_facts
from cryoplan.report.fonts import REPLACED_NOTE
from cryoplan.report.pdf import render_pdf
from cryoplan.simulation.tissue import load_tissues
from tests.support.analytic import ball, case, catalogue, cube, ice_ball, plan, probe, result_of, structure

GRID = cube(56)
RULE = Finding(level=Level.WARN, code="spacing", text="Probes 1 and 2 are 24 mm apart.", place="1, 2")


@dataclass(frozen=True)
class _Picture:
    name: str
    caption: str
    png: bytes


def _png(shade: int, size: tuple[int, int] = (60, 60)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(out, "PNG")
    return out.getvalue()


PICTURES = tuple(
    _Picture(name, f"Picture {name} shows the target.", _png(shade))
    for name, shade in (("axial", 40), ("coronal", 90), ("sagittal", 140), ("3d", 190))
)


def _structures(name: str = "tumour", organs: int = 3):
    yield structure(name, Role.TUMOUR, ball(GRID, (0, 0, 0), 9.2))
    for number in range(organs):
        angle = 2.0 * np.pi * number / max(organs, 1)
        centre = (0.0, 17.0 * np.cos(angle), 17.0 * np.sin(angle))
        yield structure(f"organ {number} beside the target", Role.BOWEL, ball(GRID, centre, 3.0))


def _content(the_plan: Plan | None = None, *, name="tumour", organs=3, pictures=PICTURES, radius=15.0):
    the_case = case(GRID, *_structures(name, organs), target=name)
    the_plan = the_plan or plan(probe("1"), probe("2", (10.0, 19.0, 0.0)), probe("3", (0.0, 19.0, 12.0)))
    result = result_of(ice_ball(GRID, (1.0, 0, 0), radius))
    return build_content(
        case=the_case,
        plan=the_plan,
        catalogue=catalogue(),
        tissues=load_tissues(),
        result=result,
        assessment=assess(the_case, the_plan, catalogue(), result),
        pictures=pictures,
        rules=(RULE,),
    )


def test_the_page_says_whether_somebody_has_reviewed_the_target():
    seen = case(GRID, *_structures(), target="tumour")
    result = result_of(ice_ball(GRID, (1.0, 0, 0), 15.0))
    judged = assess(seen, plan(probe("1")), catalogue(), result)
    for is_reviewed, word in ((True, ", reviewed"), (False, ", not reviewed")):
        facts = target_facts(with_reviewed(seen, "tumour", is_reviewed), judged)
        assert next(f.value for f in facts if f.label == "Outlined").endswith(word)


def test_a_warning_that_was_agreed_to_is_printed_as_that():
    said = Finding(level=Level.WARN, code="gantry-tilt", text="The slices were sheared by 18.5 degrees.")
    the_case = case(GRID, *_structures(), target="tumour")
    facts = replace(the_case.scan.facts, findings=(said,))
    the_case = the_case.changed(scan=replace(the_case.scan, facts=facts), findings=(said,))
    the_plan, result = plan(probe("1")), result_of(ice_ball(GRID, (1.0, 0, 0), 15.0))
    content = build_content(
        case=the_case,
        plan=the_plan,
        catalogue=catalogue(),
        tissues=load_tissues(),
        result=result,
        assessment=assess(the_case, the_plan, catalogue(), result),
        pictures=PICTURES,
    )
    _, pages = _read(render_pdf(content))
    assert f"Agreed to when the image was opened: {said.text}" in " ".join(pages)


def _read(data: bytes) -> tuple[PdfReader, list[str]]:
    reader = PdfReader(io.BytesIO(data))
    return reader, [" ".join(page.extract_text().split()) for page in reader.pages]


@pytest.fixture(scope="module")
def usual() -> tuple[bytes, PdfReader, list[str]]:
    data = render_pdf(_content())
    return (data, *_read(data))


def test_usual_plan_has_exactly_three_a4_pages(usual):
    _, reader, _ = usual
    assert len(reader.pages) == 3
    for page in reader.pages:
        assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(
            (595.28, 841.89), abs=0.1
        )


def test_four_probes_and_a_busy_abdomen_still_fit_three_pages():
    four = plan(
        *(probe(str(n), (10.0 * (n % 2), 19.0, 10.0 * (n // 2)), (0.3, 1.0, 0.1 * n)) for n in range(4))
    )
    assert len(_read(render_pdf(_content(four, organs=6)))[1]) == 3


def test_both_margins_stand_on_the_first_page_with_their_limits_and_are_never_merged(usual):
    first = usual[2][0]
    assert "Ice edge (0 °C): worst margin" in first
    assert "−40 °C isotherm: worst margin" in first
    ice, lethal = (re.search(pattern, first) for pattern in (r"\+4\.\d mm", r"−5\.\d mm"))
    assert ice is not None
    assert lethal is not None
    assert "wanted at least +5.0 mm, never below 0.0 mm" in first
    assert "wanted at least 0.0 mm" in first
    assert "Published control rates belong to the ice edge, not to a lethal isotherm" in first
    assert "▲ warn" in first


def test_every_page_has_header_footer_hash_solver_and_page_number(usual):
    _, _, pages = usual
    for number, page in enumerate(pages, 1):
        assert page.count("Research use; not a medical device") == 2
        assert f"page {number} of {len(pages)}" in page
        assert "cryoplan 0.1.0" in page
        assert "input kkkkkkkkkkkk" in page
        assert "1 mm grid, steps up to 15 s" in page
        assert "Planned on scan of 2024-03-05 in HFS (head first, supine); re-check on today's CT" in page
        assert "case C-1 · plan A" in page


def test_first_page_is_the_decision_second_the_probes_and_third_the_technique(usual):
    first, second, third = usual[2]
    for words in (
        "Abdomen portal venous",
        "CT, 2024-03-05",
        "57 of 1 mm, 1.00 mm apart",
        "3.2 ml, source a file",
        "Coverage by the lowest temperature",
        "Target + 10 mm",
        "Lowest temperature of structures",
        "organ 0 beside the target",
        "Probes 1 and 2 are 24 mm apart.",
        "Picture axial shows the target.",
        "Picture sagittal shows the target.",
        "Picture 3d shows the target.",
    ):
        assert words in first
    for words in (
        "Test 15G (assumed)",
        "90.0",
        "0°, vertical",
        "0°, within one slice",
        "Spacing of the probes",
        "1 and 2 10.0 10.0 10.0 0.0°",
        "Paths from the skin to the tip",
    ):
        assert words in second
    for words in (
        "Protocol 10-5-10 min, 25:00 in all",
        "passive thaw",
        "Thermocouples",
        "T1",
        "Tissues cooled below 30 °C",
        "assumed",
        "closes to",
        "Result key",
        "IT'IS Foundation",
        "Predicted, not measured.",
    ):
        assert words in second + third


def test_order_ports_notes_and_other_needles_are_printed_and_nothing_where_there_are_none(usual):
    assert not any(word in usual[2][1] for word in ("Handling", "Other needles"))
    the_plan = plan(
        replace(probe("1"), order=2, channel="B 1", note="last, near the bowel — 4 mm"),
        replace(probe("2", (10.0, 19.0, 0.0)), order=1),
    )
    needle = Tool(
        name="HD1",
        kind=ToolKind.HYDRODISSECTION,
        tip_mm=(0, 0, 25),
        entry_mm=(0, -70, 25),
        diameter_mm=0.7,
        length_mm=150,
        note="saline with contrast",
    )
    _, pages = _read(render_pdf(_content(replace(the_plan, tools=(needle,)))))
    words = " ".join(pages)
    assert "Probe Goes in as Console port Note 2 1 1 2 B 1 last, near the bowel — 4 mm" in words
    assert re.search(r"HD1 hydrodissection needle .* 70\.0 0\.7 × 150 saline with contrast", words)
    assert "They do not freeze." in words


def test_every_text_of_the_content_is_on_the_pages(usual):
    content = _content()
    words = " ".join(usual[2])
    letters = re.sub(r"\s", "", words)
    texts = [f.value for f in (*content.facts, *content.target, *content.solver)]
    texts += [
        cell for t in (*content.decision_tables, *content.technique_tables) for row in t.rows for cell in row
    ]
    texts += [s.text for s in content.statements] + list(content.notes) + [content.statements_note]
    texts += [
        line.value for card in content.cards for line in card.lines[: 3 if card in content.cards[:2] else 0]
    ]
    missing = [text for text in texts if re.sub(r"\s", "", text) not in letters]
    assert missing == []


def test_four_pictures_are_on_the_first_page_and_those_of_probes_on_the_second(usual):
    assert [len(page.images) for page in usual[1].pages] == [4, 0, 0]
    own = [_Picture(f"probe-{n}", f"Probe {n} in its own plane.", _png(n * 50)) for n in (1, 2, 3)]
    reader, pages = _read(render_pdf(_content(pictures=[*PICTURES, *own])))
    assert [len(page.images) for page in reader.pages] == [4, 3, 0]
    assert all(picture.caption in pages[1] for picture in own)


def test_same_content_gives_the_same_bytes_and_another_case_does_not(usual):
    assert render_pdf(_content()) == usual[0]
    assert render_pdf(_content(radius=15.5)) != usual[0]


def test_fonts_are_embedded_and_none_is_a_built_in_one(usual):
    _, reader, _ = usual
    used = {}
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            font = font.get_object()
            used[font["/BaseFont"]] = "/FontDescriptor" in font and "/FontFile2" in font["/FontDescriptor"]
    embedded = {name for name, inside in used.items() if inside}
    assert {name.split("+")[-1] for name in embedded} == {"DejaVuSans", "DejaVuSans-Bold"}
    # reportlab always lists Helvetica; no text of the pages may use it.
    for page in reader.pages:
        names = [
            k for k, f in page["/Resources"]["/Font"].items() if not f.get_object()["/BaseFont"].count("+")
        ]
        stream = page.get_contents().get_data().decode("latin-1")
        for name in names:
            shown = re.findall(rf"{re.escape(name)} [\d.]+ Tf[^\n]*\(([^)]*)\) Tj", stream)
            assert shown == []


def test_metadata_names_the_case_and_no_time(usual):
    reader = usual[1]
    assert reader.metadata is not None
    assert reader.metadata.title == "Cryoablation plan “A”, case C-1"
    assert reader.metadata.subject == "Research use; not a medical device"
    assert reader.metadata.creation_date.year == 2000


def test_no_path_of_a_file_and_no_name_reaches_the_pages(usual):
    assert "/somewhere" not in " ".join(usual[2])


def test_a_crowded_plan_flows_to_more_pages_and_loses_nothing():
    probes = [
        Probe(
            name=f"{n}",
            model="test-15g",
            tip_mm=(3.0 * n, 19.0, 2.0 * n),
            entry_mm=(3.0 * n, -70.0, 2.0 * n - 9.0),
            intensity=0.8,
            start_s=30.0 * n,
            stop_s=900.0,
        )
        for n in range(1, 21)
    ]
    protocol = Protocol(
        phases=tuple(
            Phase(kind=PhaseKind.FREEZE, duration_s=60.0)
            if n % 2 == 0
            else Phase(kind=PhaseKind.THAW, duration_s=40.0, mode=ThawMode.HELIUM)
            for n in range(31)
        )
    )
    long_name = "a structure whose name nobody could ever hope to fit into a narrow column " * 2
    content = _content(Plan(name="twenty " * 12, probes=tuple(probes), protocol=protocol), organs=30)
    content = replace(
        content,
        statements=tuple(
            replace(content.statements[0], text=f"{n}: {long_name}{'x' * 150}") for n in range(40)
        ),
    )
    _, pages = _read(render_pdf(content))
    assert len(pages) > 4
    letters = re.sub(r"\s", "", "".join(pages))
    for n in range(40):
        assert re.sub(r"\s", "", f"{n}: {long_name}{'x' * 150}") in letters
    assert "19and20" in letters
    assert "31freeze1:00" in letters
    for number, page in enumerate(pages, 1):
        assert f"page {number} of {len(pages)}" in page


def test_letters_that_the_font_lacks_are_numbers_and_it_is_said():
    content = _content(name="간암 <b>&\n1")
    assert content.target[0].value == "{AC04}{C554} <b>& 1"
    assert content.notes[-1] == REPLACED_NOTE
    _, pages = _read(render_pdf(content))
    assert "{AC04}{C554} <b>& 1" in pages[0]
    assert REPLACED_NOTE in pages[-1]
    assert REPLACED_NOTE not in _content().notes


def test_result_of_another_plan_or_assessment_of_another_result_is_refused():
    the_case = case(GRID, *_structures())
    result = result_of(ice_ball(GRID, (0, 0, 0), 15.0))
    judged = assess(the_case, plan(), catalogue(), result)

    def build(**changes):
        return build_content(
            **{
                "case": the_case,
                "plan": plan(),
                "catalogue": catalogue(),
                "tissues": load_tissues(),
                "result": result,
                "assessment": judged,
                "pictures": (),
                **changes,
            }
        )

    assert build(current_key=result.key).title
    with pytest.raises(StaleError):
        build(current_key="another")
    with pytest.raises(StaleError):
        build(result=result_of(ice_ball(GRID, (0, 0, 0), 15.0), key="another"))


@pytest.mark.parametrize("bad", [b"", b"no picture", _png(9)[:60]])
def test_a_broken_picture_is_refused_in_words(bad):
    with pytest.raises(StoreError, match="picture"):
        render_pdf(_content(pictures=(_Picture("axial", "", bad),)))


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_any_number_of_pictures_is_placed(count):
    pictures = [_Picture(str(n), f"view {n}", _png(n * 40, (80, 50))) for n in range(count)]
    reader, pages = _read(render_pdf(_content(pictures=pictures)))
    assert sum(len(page.images) for page in reader.pages) == count
    assert len(pages) == 3


def test_without_target_or_probes_the_report_says_so():
    unknown = {"patient_position": "", "acquired_on": "", "slice_thickness_mm": None, "gantry_tilt_deg": None}
    the_case = case(GRID, *_structures(), target="", **unknown)
    empty = Plan(name="empty")
    result = result_of(ice_ball(GRID, (0, 0, 0), 15.0))
    content = build_content(
        case=the_case,
        plan=empty,
        catalogue=catalogue(),
        tissues=load_tissues(),
        result=result,
        assessment=assess(the_case, empty, catalogue(), result),
        pictures=(),
    )
    assert content.cards == ()
    _, pages = _read(render_pdf(content))
    text = " ".join(pages)
    assert "none chosen" in text
    assert "No target is chosen" in text
    assert "unknown thickness" in text
    assert "Planned on scan of unknown date in unknown position" in text


def test_a_plan_without_limits_has_cards_without_a_verdict_and_nothing_to_attend_to():
    nothing = Limits(margins=(), coverage=(), organs=())
    the_case = case(GRID, *_structures(organs=0))
    result = result_of(ice_ball(GRID, (0, 0, 0), 20.0))
    content = build_content(
        case=the_case,
        plan=plan(),
        catalogue=catalogue(),
        tissues=load_tissues(),
        result=result,
        assessment=assess(the_case, plan(), catalogue(), result, limits=nothing),
        pictures=(),
        limits=nothing,
    )
    assert {card.level for card in content.cards} == {None}
    (first, _, third) = _read(render_pdf(content))[1]
    assert "no limit set" in first
    assert "Nothing failed and nothing warned; 0 checks passed." in first
    assert "Margin limits: none set." in third


def test_what_the_solver_did_on_its_own_account_is_said():
    note = Finding(level=Level.OK, code="tissue-by-hu", text="9.6 % of the block is not outlined.")
    the_case = case(GRID, *_structures())
    result = result_of(ice_ball(GRID, (0, 0, 0), 15.0), findings=(note,))
    content = build_content(
        case=the_case,
        plan=plan(),
        catalogue=catalogue(),
        tissues=load_tissues(),
        result=result,
        assessment=assess(the_case, plan(), catalogue(), result),
        pictures=(),
    )
    assert "Computed with: 9.6 % of the block is not outlined." in _read(render_pdf(content))[1][2]


def test_no_ice_is_said_in_words():
    first = _read(render_pdf(_content(radius=-5.0)))[1][0]
    assert "not reached" in first
    assert "inf" not in first.replace("information", "")


def test_a_probe_that_stops_early_and_a_thermocouple_are_drawn_and_listed():
    early = replace(probe("near bowel"), stop_s=300.0)
    with_tc = replace(
        plan(probe("1"), early), thermocouples=(Thermocouple(name="T1", position_mm=(0, 3.0, -2.0)),)
    )
    rest = " ".join(_read(render_pdf(_content(with_tc)))[1][1:])
    assert "probe near bowel" in rest
    assert "100 %, 0:00 to 5:00" in rest
    assert "L 0.0 · P 3.0 · F 2.0" in rest


AGREED = "It is an image of another patient (P-2; the case is P-1)."


@pytest.mark.parametrize("agreed", [(), (AGREED,)])
def test_a_second_image_and_how_it_came_to_lie_there_are_printed(agreed):
    second = SecondImage(
        path="/data/Smith/mr",
        sha256="0" * 64,
        modality="MR",
        description="AX T2" if agreed else "T2 Smith",
        acquired_on="2024-05-06",
        agreed=agreed,
    )
    the_case = case(GRID, *_structures(), target="tumour").changed(second=second)
    the_plan = plan(probe("1"))
    result = result_of(ice_ball(GRID, (1.0, 0, 0), 15.0))
    content = build_content(
        case=the_case,
        plan=the_plan,
        catalogue=catalogue(),
        tissues=load_tissues(),
        result=result,
        assessment=assess(the_case, the_plan, catalogue(), result),
        pictures=PICTURES,
    )
    _, pages = _read(render_pdf(content))
    text = " ".join(pages)
    assert len(pages) == 3
    assert "Second image" in pages[0]
    assert ("MR AX, 2024" if agreed else "MR, 2024") in text
    assert "2024-05-06" in text
    assert "othing was registered by cryoplan" in text
    assert "Smith" not in text  # free text of a header, and a path: neither is printed
    said = [s for s in content.statements if "agreed to although it is an image of another patient" in s.text]
    assert bool(said) == bool(agreed)
    assert ("frame of reference of the first image" in text) == (not agreed)


def test_a_report_without_a_second_image_does_not_speak_of_one(usual):
    assert "econd image" not in " ".join(usual[2])
