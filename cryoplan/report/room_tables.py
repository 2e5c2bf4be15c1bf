"""Room tables: what the room has to lay out and do - order, ports, notes, other needles, and protection."""

from __future__ import annotations

from cryoplan.plan.plan import Plan
from cryoplan.plan.tool import WORDS
from cryoplan.plan.warmer import Warmer
from cryoplan.plan.warmer_kinds import load_warmers
from cryoplan.report.parts import Table
from cryoplan.report.wording import NO_BREAK, place


def room_tables(plan: Plan) -> tuple[Table, ...]:
    """Return handling, tools and protection; a table that nobody has filled in has no rows."""
    return _handling(plan), _tools(plan), _protection(plan)


def _handling(plan: Plan) -> Table:
    said = [p for p in plan.probes if p.order is not None or p.channel or p.note]
    # In the order of the hands; probes without a place in it come last, as in the plan.
    ordered = sorted(said, key=lambda p: (p.order is None, p.order or 0))
    rows = ((p.name, "" if p.order is None else str(p.order), p.channel, p.note) for p in ordered)
    return Table(
        title="Handling",
        head=("Probe", "Goes in as", "Console port", "Note"),
        rows=tuple(rows),
        widths=(0.9, 1.0, 1.2, 5.0),
    )


def _tools(plan: Plan) -> Table:
    rows = (
        (
            tool.name,
            WORDS[tool.kind],
            f"entry{NO_BREAK}{place(tool.entry_mm)}\ntip{NO_BREAK}{place(tool.tip_mm)}",
            f"{tool.depth_mm:.1f}",
            f"{tool.diameter_mm:.1f} × {tool.length_mm:.0f}",
            tool.note,
        )
        for tool in plan.tools
    )
    return Table(
        title="Other needles",
        head=("Name", "Kind", "Entry and tip, mm", "Depth, mm", "Size, mm", "Note"),
        rows=tuple(rows),
        widths=(0.7, 1.4, 2.5, 0.7, 0.9, 2.2),
        numbers=(3,),
        note="They do not freeze. Size: outer diameter and length to the hub.",
    )


def _protection(plan: Plan) -> Table:
    usual = load_warmers()
    rows = [
        (
            usual[w.kind].title,
            _where(w),
            f"{w.temperature_degc:g} °C" if w.is_on else "not used",
            f"{w.coefficient:g} W/(m²·K)",
        )
        for w in plan.warmers
    ]
    rows += [
        (
            "Blood stands still" if f.speed_m_s == 0.0 else "Flow of blood",
            f.structure,
            f"{f.speed_m_s:g} m/s",
            "",
        )
        for f in plan.flows
    ]
    return Table(
        title="Protection",
        head=("What", "Where", "At", "Heat exchange"),
        rows=tuple(rows),
        widths=(2.0, 3.2, 1.2, 1.6),
        note="Warmers run from before the first freeze to the end; their heat exchange is an assumption.",
    )


def _where(warmer: Warmer) -> str:
    if warmer.centre_mm is None:
        return warmer.structure
    return f"skin within {warmer.radius_mm:g} mm of{NO_BREAK}{place(warmer.centre_mm)}"
