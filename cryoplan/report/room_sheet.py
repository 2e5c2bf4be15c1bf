"""Room sheet: what stands beside the console in the CT room, decided; the page only has to draw it.

The rows are those of workflow section 4.4: slices as the scanner showed them, the entry in words from a mark,
both angles in words, depth, the nearest organ, and nothing to be interpreted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy.typing as npt

from cryoplan import RESEARCH_USE, __version__
from cryoplan.case.case import Case
from cryoplan.case.structure import Role
from cryoplan.core.finding import Finding, Level
from cryoplan.core.units import show_mm
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.clash import Needle
from cryoplan.plan.clearance import Clearance, clearances
from cryoplan.plan.mark import entry_words
from cryoplan.plan.path import passes, sentence
from cryoplan.plan.placement import depth_to_active_mm, room_down
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.room import POSITIONS
from cryoplan.plan.room_view import RoomLine, room_line, target_middle_mm, treatment_position
from cryoplan.plan.rules import check_plan, needles_of
from cryoplan.plan.shown_slice import shown_slice, slices_from
from cryoplan.report.translate import translated

MOST_ON_A_PAGE = 4

COLOUR_WORDS = ("white", "yellow", "green", "orange", "blue", "pink", "lime", "brown")
"""Of the theme's colours of probes, in its order: a print without colour still names them."""

NO_MARK = "No skin mark was set in the plan: find the entry by slice, angles and picture."
AS_SHOWN = "Entry and tip: slice location in mm, with its sign, as the scanner showed it."
NO_SLICES = (
    "The image does not say how the scanner showed its slices; they are told from the origin of the scan."
)

_WITHIN_SLICE_DEG = 0.5
_NOT_NEAR = frozenset({Role.BODY, Role.TUMOUR, Role.SKIN, Role.FAT, Role.MUSCLE, Role.OTHER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number with what it is.

    Attributes
    ----------
    label : str
    value : str
        Set large.
    note : str
        Below it, small.
    """

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeBlock:
    """Everything about one probe.

    Attributes
    ----------
    name, colour : str
        Name as users gave it; colour as ``#rrggbb``.
    colour_word : str
    order : str
        Which one to place, in words.
    kit : str
        Model and length, and the port of the console.
    cells : tuple of Cell
        Slices of entry and tip, depth, angles, tilt.
    sentences : tuple of str
        Where the entry lies from marks, the nearest organ, the pleura, a note, and what is wrong with it.
    picture : bytes
        A PNG in the plane of the probe; empty where there is none.
    leans : tuple of float
        Direction of the shaft from entry to tip, seen from the feet: to the right and up in the room.
    """

    name: str
    colour: str
    colour_word: str
    order: str
    kit: str
    cells: tuple[Cell, ...]
    sentences: tuple[str, ...]
    picture: bytes
    leans: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSheet:
    """The sheet, in the order in which it is read.

    Attributes
    ----------
    title, subtitle : str
        Case and plan; standing.
    warning : str
        On which scan it was planned, to be checked on today's.
    lies : str
        How the patient lies for the treatment.
    sides : tuple of str or None
        For side positions, what of the patient is up, down, left and right in the room seen from the feet.
    notes : tuple of str
        What holds for all probes.
    probes : tuple of ProbeBlock
        In the order of the hands.
    footer : str
    """

    title: str
    subtitle: str
    warning: str
    lies: str
    sides: tuple[str, str, str, str] | None
    notes: tuple[str, ...]
    probes: tuple[ProbeBlock, ...]
    footer: str


def build_room_sheet(
    *,
    case: Case,
    plan: Plan,
    catalogue: Catalogue,
    key: str,
    pictures: Mapping[str, bytes],
    colours: Mapping[str, str],
    standing: str = "",
) -> RoomSheet:
    """Decide what the sheet says.

    Parameters
    ----------
    key : str
        Of the result that the plan was judged by.
    pictures : mapping of str to bytes
        PNG by name of probe.
    colours : mapping of str to str
        ``#rrggbb`` by name of probe.
    standing : str
        Whether the plan is approved; empty where there is no file.
    """
    facts = case.scan.facts
    position = treatment_position(case, plan.room)
    known = {n.shaft.name: n for n in needles_of(plan, catalogue)}
    rules = check_plan(case, plan, catalogue)
    # In the order of the hands; probes without a place in it come last, as in the plan.
    ordered = sorted(plan.probes, key=lambda p: (p.order is None, p.order or 0))
    blocks = tuple(
        _block(case, plan, probe, catalogue.model(probe.model), known[probe.name], rules, pictures, colours)
        for probe in ordered
    )
    scanned = POSITIONS.get(facts.patient_position.strip().upper(), "a position that the image does not say")
    sheet = RoomSheet(
        title=f"CT room · case {case.code} · plan {plan.name}",
        subtitle=standing,
        warning=f"Planned on scan of {facts.acquired_on or 'unknown date'} in {scanned}; "
        "re-check on today's CT",
        lies=f"Treatment: {POSITIONS.get(position, 'position unknown, taken as supine')}",
        sides=_sides(position),
        notes=_notes(case, plan),
        probes=blocks,
        footer=f"{RESEARCH_USE} · cryoplan {__version__} · input {key[:12]}",
    )
    return translated(sheet)


def _notes(case: Case, plan: Plan) -> tuple[str, ...]:
    facts, notes = case.scan.facts, []
    if not plan.marks:
        notes.append(NO_MARK)
    if not (facts.slice_locations_mm or facts.slice_numbers):
        notes.append(NO_SLICES)
    elif facts.slice_locations_mm:
        notes.append(AS_SHOWN)
    if facts.table_height_mm is not None:
        notes.append(f"Table height of the scan: {facts.table_height_mm:g} mm.")
    if case.target is not None:
        notes.append(f"Target: {case.target.name}.")
    return tuple(notes)


def _sides(position: str) -> tuple[str, str, str, str] | None:
    """Return what of the patient is up, down, left and right seen from the feet; None on the back."""
    if not position.endswith(("DL", "DR", "P")) or position not in POSITIONS:
        return None
    if position.endswith("DL"):
        return "right side", "left side", "back", "front"
    if position.endswith("DR"):
        return "left side", "right side", "front", "back"
    return "back", "front", "left side", "right side"


def _block(
    case: Case,
    plan: Plan,
    probe: Probe,
    model: ProbeModel,
    needle: Needle,
    rules: Sequence[Finding],
    pictures: Mapping[str, bytes],
    colours: Mapping[str, str],
) -> ProbeBlock:
    line = room_line(case, needle, plan.room)
    place = "" if probe.order is None else f"Goes in {_ordinal(probe.order)}"
    port = f"port {probe.channel}" if probe.channel else ""
    return ProbeBlock(
        name=probe.name,
        colour=colours[probe.name],
        colour_word=COLOUR_WORDS[plan.colour_number(probe)],
        # What nobody has given is not shouted at the room.
        order=" · ".join(filter(None, (place, port))) or f"Probe {probe.name}",
        kit=f"{model.name}, {needle.length_mm:.0f} mm long",
        cells=_cells(case, probe, model, line),
        sentences=_sentences(case, plan, probe, needle, rules),
        picture=pictures.get(probe.name, b""),
        leans=_leans(probe, treatment_position(case, plan.room)),
    )


def _cells(case: Case, probe: Probe, model: ProbeModel, line: RoomLine) -> tuple[Cell, ...]:
    middle = target_middle_mm(case)
    lie = line.angles
    begins, ends = depth_to_active_mm(probe, model)
    flat = abs(lie.cranio_caudal_deg) < _WITHIN_SLICE_DEG
    leans = (
        f"tip to the {_SIDE_WORDS[lie.in_plane_toward]}" if lie.in_plane_toward else "straight up and down"
    )
    return (
        _slice_cell(case, "Entry", probe.entry_mm, middle),
        _slice_cell(case, "Tip", probe.tip_mm, middle),
        Cell(
            label="Depth",
            value=show_mm(line.depth_mm),
            note=f"skin to tip; freezes {max(begins, 0.0):.0f} to {ends:.0f} mm deep; "
            + (
                f"{line.outside_mm:.0f} mm of shaft stay outside"
                if line.outside_mm >= 0.0
                else f"the shaft is {-line.outside_mm:.0f} mm too short"
            ),
        ),
        Cell(label="In the slice", value=f"{lie.in_plane_deg:.1f}°", note=f"from vertical, {leans}"),
        Cell(
            label="Out of the slice",
            value=f"{0.0 if flat else abs(lie.cranio_caudal_deg):.1f}°",
            note="stays within one slice"
            if flat
            else f"tip towards the {'head' if lie.cranio_caudal_deg > 0.0 else 'feet'}",
        ),
        _tilt_cell(case, probe, line, flat),
    )


_SIDE_WORDS = {
    "left": "patient's left",
    "right": "patient's right",
    "anterior": "patient's front",
    "posterior": "patient's back",
}


def _slice_cell(case: Case, label: str, point_mm: npt.ArrayLike, middle_mm: npt.ArrayLike | None) -> Cell:
    shown = shown_slice(case.scan, point_mm)
    note = shown.how
    if middle_mm is not None:
        apart = slices_from(case.scan, point_mm, middle_mm)
        of = "as the target's middle" if apart == "same slice" else "from the target's middle"
        note += f"; {apart} {of}"
    return Cell(label=label, value=shown.value, note=note)


def _tilt_cell(case: Case, probe: Probe, line: RoomLine, flat: bool) -> Cell:
    label = "Gantry tilt"
    if flat:
        return Cell(label=label, value="0°", note="not needed")
    if line.angles.gantry_tilt_deg is None:
        ends = (shown_slice(case.scan, p).index for p in (probe.entry_mm, probe.tip_mm))
        slices = abs(next(ends) - next(ends)) + 1
        why = line.tilt_text.partition("(")[2].partition(")")[0]
        return Cell(
            label=label, value="no", note=f"out of plane, {slices} slices; a tilt cannot hold it: {why}"
        )
    value, _, note = line.tilt_text.partition(", ")
    return Cell(label=label, value=value, note=note)


def _sentences(
    case: Case, plan: Plan, probe: Probe, needle: Needle, rules: Sequence[Finding]
) -> tuple[str, ...]:
    skin = entry_words(probe.entry_mm, plan.marks)
    said = [f"Skin: {skin}."] if skin else []
    said.append(_near(case, needle))
    if probe.note:
        said.append(f"Note: {probe.note}")
    said += [f"CHECK: {f.text}" for f in rules if f.place == needle.called and f.level is Level.FAIL]
    return tuple(said)


def _near(case: Case, needle: Needle) -> str:
    roles = {s.name: s.role for s in case.structures}
    near = [
        c for c in clearances(case, needle.shaft, needle.diameter_mm) if roles[c.structure] not in _NOT_NEAR
    ]
    if case.target is not None:
        near = [c for c in near if c.structure != case.target.name]
    crossed = [c for c in near if c.mm <= 0.0]
    beside = [c for c in near if c.mm > 0.0]
    pleura = sentence(case, passes(case, needle.shaft)).rpartition("pleura crossed: ")[2]
    parts = []
    if crossed:
        parts.append(f"Passes through {', '.join(c.structure for c in crossed)}.")
    if beside:
        parts.append(_nearest(min(beside, key=lambda c: (c.mm, c.structure))))
    elif not crossed:
        parts.append("No organ is outlined.")
    words = {"no": "not crossed", "YES": "CROSSED"}.get(pleura, pleura)
    return " ".join([*parts, f"Pleura: {words}."])


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _nearest(one: Clearance) -> str:
    return f"Nearest: {one.structure}, {show_mm(one.mm)} away at {one.at_depth_mm:.0f} mm deep."


def _leans(probe: Probe, position: str) -> tuple[float, float]:
    # Seen from the feet, with the room's up upwards: LPS, and what is to the right is down x head.
    down = room_down(position)
    right = (float(down[1]), -float(down[0]))
    d = probe.direction
    return float(d[0] * right[0] + d[1] * right[1]), -float(d @ down)
