"""Probe tables: the second part of the report; where each needle goes and what it passes."""

from __future__ import annotations

from cryoplan.case.case import Case
from cryoplan.core.units import show_mm
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.clash import Needle
from cryoplan.plan.clearance import clearances
from cryoplan.plan.path import overshoot_mm, passes, sentence
from cryoplan.plan.placement import angles, depth_to_active_mm, pairs
from cryoplan.plan.plan import Plan
from cryoplan.plan.room_view import treatment_position
from cryoplan.plan.rules import needles_of
from cryoplan.report.parts import Table
from cryoplan.report.room_tables import room_tables
from cryoplan.report.wording import (
    NO_BREAK,
    cranio_caudal,
    gantry,
    gas_times,
    in_plane,
    place,
    plain,
    position,
)

NEAREST = 4
"""Clearances of a needle that are printed; all of them stand in the list of paths."""

MOST_PAIRS = 10
"""Pairs in one column; more stand in two."""


def tables(case: Case, plan: Plan, catalogue: Catalogue) -> tuple[Table, ...]:
    """Return probes, paths, pairs, handling, tools and protection; those without rows are left out."""
    found = (
        _probes(case, plan, catalogue),
        _paths(case, plan, catalogue),
        _pairs(plan, catalogue),
        *room_tables(plan),
    )
    return tuple(table for table in found if table.rows)


def _probes(case: Case, plan: Plan, catalogue: Catalogue) -> Table:
    rows = []
    for probe in plan.probes:
        model = catalogue.model(probe.model)
        lie = angles(probe, treatment_position(case, plan.room), plan.room.gantry_tilt_limit_deg)
        begin, end = depth_to_active_mm(probe, model)
        rows.append(
            (
                probe.name,
                model.name + (" (assumed)" if model.is_guess else ""),
                f"entry{NO_BREAK}{place(probe.entry_mm)}\ntip{NO_BREAK}{place(probe.tip_mm)}",
                f"{probe.depth_mm:.1f}",
                f"{plain(begin)} to {plain(end)}",
                in_plane(lie),
                cranio_caudal(lie),
                gantry(lie),
                gas_times(probe),
            )
        )
    return Table(
        title="Probes",
        head=(
            "No.",
            "Model",
            "Entry and tip, mm",
            "Depth, mm",
            "Freezes at, mm",
            "In the slice, from vertical",
            "Out of the slice",
            "Gantry tilt",
            "Power, gas",
        ),
        rows=tuple(rows),
        widths=(0.35, 1.0, 2.35, 0.6, 0.9, 1.25, 1.15, 0.95, 1.05),
        numbers=(3, 4),
        note="Places in mm from the origin of the scan: L left, R right, A front, P back, H head, F feet. "
        "Depth along the shaft from the skin to the metal tip; the active zone lies between the two depths. "
        f"Angles for a patient in {position(treatment_position(case, plan.room))}.",
    )


def _pairs(plan: Plan, catalogue: Catalogue) -> Table:
    rows: tuple[tuple[str, ...], ...] = tuple(
        (
            f"{pair.a} and {pair.b}",
            plain(pair.tip_mm),
            plain(pair.middle_mm),
            plain(pair.back_mm),
            f"{pair.angle_deg:.1f}°",
            plain(pair.closest_mm),
        )
        for pair in pairs(plan, catalogue)
    )
    head: tuple[str, ...] = ("Pair", "Tip", "Middle", "Back", "Angle", "Shafts")
    widths: tuple[float, ...] = (1.2, 0.8, 0.8, 0.8, 0.8, 0.8)
    numbers: tuple[int, ...] = (1, 2, 3, 4, 5)
    if len(rows) > MOST_PAIRS:
        # Eight probes have 28 pairs: read down the left half, then down the right one.
        half = (len(rows) + 1) // 2
        right = (*rows[half:], *(("",) * len(head) for _ in range(2 * half - len(rows))))
        rows = tuple((*a, *b) for a, b in zip(rows[:half], right, strict=True))
        head, widths = head * 2, widths * 2
        numbers = (*numbers, *(n + len(numbers) + 1 for n in numbers))
    return Table(
        title="Spacing of the probes, mm axis to axis",
        head=head,
        rows=rows,
        widths=widths,
        numbers=numbers,
        note="Shafts: least distance of their surfaces. 10 to 20 mm joins the ice at 70 to 100 % power "
        "(PMC4850244).",
    )


def _paths(case: Case, plan: Plan, catalogue: Catalogue) -> Table:
    return Table(
        title="Paths from the skin to the tip",
        head=("Needle", "Passes, mm", "Comes nearest to", "Tip"),
        rows=tuple(_path_row(case, needle) for needle in needles_of(plan, catalogue)),
        widths=(0.75, 3.2, 3.4, 1.2),
        note=f"In the order of the way, along the axis. Nearest: the surface of the needle to that of the "
        f"structures that it does not pass, and how deep below the skin; the {NEAREST} nearest.",
    )


def _path_row(case: Case, needle: Needle) -> tuple[str, ...]:
    shaft = needle.shaft
    path = passes(case, shaft)
    passed = {one.structure for one in path}
    near = sorted(
        (c for c in clearances(case, shaft, needle.diameter_mm) if c.structure not in passed),
        key=lambda c: c.mm,
    )
    beyond = overshoot_mm(case, shaft)
    if beyond is None:
        tip = "axis misses the target" if case.target is not None else ""
    else:
        tip = f"{show_mm(abs(beyond))} {'beyond' if beyond >= 0.0 else 'short of'} the far side of the target"
    return (
        needle.called,
        sentence(case, path, whole_names=True),
        "\n".join(f"{show_mm(c.mm)} {c.structure}, {c.at_depth_mm:.0f} mm deep" for c in near[:NEAREST])
        or "no other structure",
        tip,
    )
