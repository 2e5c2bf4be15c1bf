"""Paper in another language: nothing of the program stays English, and no name of a user is changed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache

import numpy as np
import pytest
from pypdf import PdfReader

from cryoplan.case.structure import Role
from cryoplan.core.finding import Finding, Level
from cryoplan.core.language import Translator, is_numeric, speaking
from cryoplan.margins.assess import assess
from cryoplan.plan.plan import Plan, Thermocouple
from cryoplan.plan.probe import Probe
from cryoplan.plan.protocol import Phase, PhaseKind, Protocol, ThawMode
from cryoplan.plan.rules import check_plan
from cryoplan.plan.tool import Tool, ToolKind
from cryoplan.plan.warmer import Warmer, WarmerKind
from cryoplan.report.content import build_content
from cryoplan.report.parts import Picture, Table
from cryoplan.report.pdf import render_pdf
from cryoplan.report.room_sheet import build_room_sheet
from cryoplan.report.translate import NAME_COLUMNS, names_of, translated
from cryoplan.simulation.tissue import load_tissues
from tests.support.analytic import ball, case, catalogue, cube, ice_ball, plan, probe, result_of, structure

GRID = cube(56)


def _case(target: str = "tumour", organ: str = "bowel beside it"):
    parts = [structure(target, Role.TUMOUR, ball(GRID, (0, 0, 0), 9.2))]
    for number, (role, y) in enumerate(((Role.BOWEL, 17.0), (Role.KIDNEY, -17.0))):
        parts.append(structure(f"{organ} {number}", role, ball(GRID, (0.0, y, 0.0), 3.0)))
    return case(GRID, *parts, target=target)


def _usual() -> Plan:
    return plan(probe("1"), probe("2", (10.0, 19.0, 0.0)), probe("3", (0.0, 19.0, 12.0)))


def _rich() -> Plan:
    tools = tuple(
        Tool(name=f"N{n}", kind=kind, tip_mm=(0.0, 5.0 * n, 4.0), entry_mm=(26.0, 5.0 * n, 4.0),
             diameter_mm=1.3, length_mm=150.0, note="skin first")
        for n, kind in enumerate(ToolKind)
    )  # fmt: skip
    protocol = Protocol(
        phases=(
            Phase(kind=PhaseKind.FREEZE, duration_s=600.0),
            Phase(kind=PhaseKind.THAW, duration_s=180.0, mode=ThawMode.HELIUM),
            Phase(kind=PhaseKind.FREEZE, duration_s=300.0),
            Phase(kind=PhaseKind.THAW, duration_s=60.0, mode=ThawMode.ELECTRIC),
        )
    )
    probes = [replace(p, order=n, channel="A2", note="slowly") for n, p in enumerate(_usual().probes, 1)]
    probes[1] = replace(probes[1], intensity=0.7, start_s=60.0, stop_s=600.0)
    return replace(
        plan(*probes),
        tools=tools,
        protocol=protocol,
        thermocouples=(Thermocouple(name="T1", position_mm=(3.0, 2.0, 1.0)),),
        warmers=(
            Warmer(
                name="W1",
                kind=WarmerKind.URETHRAL,
                structure="bowel beside it 0",
                is_on=False,
                temperature_degc=40.0,
                coefficient=750.0,
            ),
            Warmer(
                name="W2",
                kind=WarmerKind.SKIN_BAG,
                centre_mm=(10.0, -20.0, 5.0),
                temperature_degc=41.5,
                coefficient=120.0,
            ),
        ),
    )


def _failing() -> Plan:
    # One with its tip outside the image, one far from the target, two in one place.
    return plan(
        Probe(name="far", model="test-15g", tip_mm=(200.0, 0.0, 0.0), entry_mm=(250.0, 0.0, 0.0)),
        probe("1"),
        probe("2", (1.0, 0.0, 0.0)),
        probe("off", (0.0, 25.0, 25.0)),
    )


CASES: dict[str, tuple[Plan, float]] = {
    "usual": (_usual(), 15.0),
    "much in it": (_rich(), 15.0),
    "no ice": (_usual(), -60.0),
    "small ice": (_rich(), 6.0),
    "all ice": (_usual(), 60.0),
    "everything fails": (_failing(), 9.0),
}


@cache
def _parts(which: str):
    the_plan, radius = CASES[which]
    the_case = _case()
    found = (Finding(level=Level.OK, code="skin", text="No heat passes through the skin, as was asked for."),)
    result = result_of(ice_ball(GRID, (1.0, 0, 0), radius), findings=found)
    return the_case, the_plan, result, assess(the_case, the_plan, catalogue(), result)


def _content(which: str, language: str):
    the_case, the_plan, result, assessment = _parts(which)
    with speaking(language, names_of(the_case, the_plan)):
        return build_content(
            case=the_case,
            plan=the_plan,
            catalogue=catalogue(),
            tissues=load_tissues(),
            result=result,
            assessment=assessment,
            pictures=(),
            rules=check_plan(the_case, the_plan, catalogue()),
            standing="Approved by Ada, 2026-03-02 10:11 UTC, ready · entry 3, seal 0ab1",
        )


def _sheet(which: str, language: str):
    the_case, the_plan, *_ = _parts(which)
    with speaking(language, names_of(the_case, the_plan)):
        return build_room_sheet(
            case=the_case,
            plan=the_plan,
            catalogue=catalogue(),
            key="k" * 64,
            pictures={},
            colours={p.name: "#336699" for p in the_plan.probes},
        )


def _texts(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield place and text of every text of a content, without the columns of names."""
    if isinstance(value, Level):
        return
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, tuple):
        for number, part in enumerate(value):
            yield from _texts(part, f"{place}[{number}]")
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name), f"{place}.{field.name}")


_SAME = frozenset(
    {
        "Position",
        "Name",
        "Pyeloperfusion",
        "Perfusion",
        "Perfusion, kW/(m³·K)",
        "ok",
        "✓ ok",
        "Axial",
        "Sagittal",
        "orange",
    }
)


def _left(english: object, german: object, names: frozenset[str]) -> list[str]:
    """Return what is the same in both languages though it is neither name nor number nor key."""
    found = []
    others = dict(_texts(german))
    for place, text in _texts(english):
        is_key = re.fullmatch(r"[0-9a-fk#]+", text) is not None
        in_names = any(n in text for n in names if re.search(r"[^\W\d_]{2}", n)) and len(text) < 60
        if others[place] == text and not (is_numeric(text) or is_key or in_names or text in _SAME):
            found.append(f"{place}: {text}")
    return found


@pytest.mark.parametrize("which", CASES)
def test_nothing_of_the_report_stays_english(which):
    the_case, the_plan, *_ = _parts(which)
    names = names_of(the_case, the_plan) | {m.name for m in catalogue().values()}
    assert _left(_content(which, "en"), _content(which, "de"), names) == []


@pytest.mark.parametrize("which", [w for w in CASES if w != "everything fails"])
def test_nothing_of_the_room_sheet_stays_english(which):
    the_case, the_plan, *_ = _parts(which)
    names = names_of(the_case, the_plan)
    assert _left(_sheet(which, "en"), _sheet(which, "de"), names) == []


def test_columns_of_names_are_those_of_tables_that_are_printed():
    printed = {t.title for which in CASES for c in [_content(which, "en")]
               for t in (*c.decision_tables, *c.probe_tables, *c.technique_tables)}  # fmt: skip
    for begin in NAME_COLUMNS:
        assert any(title.startswith(begin) for title in printed), begin


HOSTILE = "Target, ok"


def test_names_that_are_words_of_the_program_stay_in_every_place():
    the_case = _case(HOSTILE, "Liver")
    the_plan = replace(
        plan(replace(probe("freeze"), order=1, channel="left", note="Skin"), probe("end", (10.0, 19.0, 0.0))),
        name="Probes",
    )
    result = result_of(ice_ball(GRID, (1.0, 0, 0), 15.0))
    with speaking("de", names_of(the_case, the_plan)):
        content = build_content(
            case=the_case, plan=the_plan, catalogue=catalogue(), tissues=load_tissues(), result=result,
            assessment=assess(the_case, the_plan, catalogue(), result), pictures=(),
        )  # fmt: skip
        data = render_pdf(content)
    assert "„Probes“" in content.title
    assert content.target[0].value.startswith(HOSTILE)
    tables = {
        t.title: t for t in (*content.decision_tables, *content.probe_tables, *content.technique_tables)
    }
    assert [row[0] for row in tables["Sonden"].rows] == ["freeze", "end"]
    assert tables["Handhabung"].rows[0] == ("freeze", "1", "left", "Skin")
    assert {row[0] for row in tables["Tiefste Temperatur der Strukturen"].rows} == {"Liver 0", "Liver 1"}
    assert tables["Abstände der Sonden, mm von Achse zu Achse"].rows[0][0] == "freeze und end"
    text = " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(data)).pages)
    assert HOSTILE in text


def test_german_page_has_german_heads_words_and_commas():
    with speaking("de", names_of(*_parts("usual")[:2])):
        data = render_pdf(_content("usual", "de"))
    reader = PdfReader(io.BytesIO(data))
    text = " ".join(" ".join(page.extract_text().split()) for page in reader.pages)
    assert reader.trailer["/Root"]["/Lang"] == "de"
    for word in (
        "Seite 1 von",
        "Zu beachten",
        "kleinster Saum",
        "Berechnung",
        "Sonden",
        "Warnung",
        "Auftauen",
    ):
        assert word in text, word
    assert re.search(r"\d,\d mm", text)
    assert not re.search(r"\b\d+\.\d mm", text.split("Worauf die Berechnung beruht")[0])


def test_same_content_gives_the_same_bytes_in_german():
    with speaking("de"):
        assert render_pdf(_content("usual", "de")) == render_pdf(_content("usual", "de"))


def test_english_content_is_not_touched():
    content = _content("usual", "en")
    assert translated(content) is content


def test_pictures_keep_their_bytes_and_get_their_captions():
    table = Table(title="Probes", head=("No.",), rows=(("end",),), widths=(1.0,))
    with speaking("de"):
        assert translated(Picture(caption="Target", png=b"ok")) == Picture(caption="Ziel", png=b"ok")
        assert translated(table).rows == (("end",),)


def test_every_number_of_the_english_report_is_in_the_german_one():
    for (place, english), (_, german) in zip(
        _texts(_content("much in it", "en")), _texts(_content("much in it", "de")), strict=True
    ):
        figures = re.findall(r"\d+(?:[.]\d+)?", english)
        assert sorted(figures) == sorted(
            f.replace(",", ".") for f in re.findall(r"\d+(?:[.,]\d+)?", german)
        ), place


def test_translator_knows_every_part_of_a_sentence_or_none():
    german = Translator("de")
    assert german.knows("wanted at least +5.0 mm, never below 0.0 mm")
    assert not german.knows("wanted at least a good deal")
    assert np.all([german.say(t) == t for t in ("wanted at least a good deal", "ok, something else")])
