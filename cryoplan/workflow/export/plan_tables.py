"""Plan tables: probes, tools, their paths and pairs, the protocol and what protects."""

from __future__ import annotations

from collections.abc import Iterator

from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.workflow.export.table import Cell, Table, table
from cryoplan.workflow.paths_out import NeedlePath, Paths

_ROOM = (
    "depth:mm in_plane:deg in_plane_toward cranio_caudal:deg gantry_tilt:deg gantry_tilt_text entry_slice:mm "
    "tip_slice:mm entry_from_target:mm tip_from_target:mm overshoot:mm outside:mm bore:mm"
)
_ENDS = "tip_x:mm tip_y:mm tip_z:mm entry_x:mm entry_y:mm entry_z:mm"


def plan_tables(plan: Plan, probes: Catalogue, paths: Paths) -> Iterator[Table]:
    """Yield the tables of a plan.

    Parameters
    ----------
    paths : Paths
        Of this plan in its case, see `cryoplan.workflow.paths_out.describe_paths`.
    """
    found = {p.needle.shaft.name: p for p in (*paths.probes, *paths.tools)}
    yield table(
        "probes",
        "Probes; LPS: x to the patient's left, y to the back, z to the head",
        f"probe model model_name channel order:1 intensity:1 start:s stop:s {_ENDS} active_begins:mm "
        f"active_ends:mm outer_diameter:mm active_length:mm tip_offset:mm shaft_length:mm {_ROOM} path",
        (
            (p.name, p.model, model.name, p.channel, p.order, p.intensity, p.start_s, p.stop_s, *p.tip_mm,
             *p.entry_mm, *(found[p.name].active_mm or (None, None)), model.outer_diameter.value,
             model.active_length.value, model.tip_offset.value, model.shaft_length.value,
             *_room(found[p.name]), found[p.name].sentence)
            for p, model in ((p, probes.model(p.model)) for p in plan.probes)
        ),
    )  # fmt: skip
    yield table(
        "tools",
        "Needles that do not freeze; LPS",
        f"tool kind diameter:mm length:mm {_ENDS} {_ROOM} path",
        (
            (t.name, t.kind.value, t.diameter_mm, t.length_mm, *t.tip_mm, *t.entry_mm, *_room(found[t.name]),
             found[t.name].sentence)
            for t in plan.tools
        ),
    )  # fmt: skip
    yield table(
        "passes",
        "What each needle runs through, from skin to tip",
        "needle number:1 structure from:mm length:mm looks_like",
        (
            (name, number, one.structure, one.from_mm, one.length_mm, one.looks_like)
            for name, path in found.items()
            for number, one in enumerate(path.passes, start=1)
        ),
    )
    yield table(
        "clearances",
        "How near each needle comes to each structure, surface to surface; negative inside",
        "needle structure clearance:mm at_depth:mm crossed:mm",
        (
            (name, one.structure, one.mm, one.at_depth_mm, one.crossed_mm)
            for name, path in found.items()
            for one in path.clearances
        ),
    )
    yield table(
        "pairs",
        "Pairs of probes: axis to axis at tip, middle and back of the active zone; closest: shaft to shaft",
        "a b tip:mm middle:mm back:mm angle:deg closest:mm",
        ((p.a, p.b, p.tip_mm, p.middle_mm, p.back_mm, p.angle_deg, p.closest_mm) for p in paths.pairs),
    )
    yield table(
        "protocol",
        "Phases of the protocol",
        "number:1 phase mode start:s end:s duration:s",
        (
            (number, phase.kind.value, phase.mode.value, start, end, phase.duration_s)
            for number, (start, end, phase) in enumerate(plan.protocol.spans(), start=1)
        ),
    )
    yield table(
        "skin_marks",
        "Points on the skin that the room finds again; LPS",
        "mark kind x:mm y:mm z:mm",
        ((m.name, m.kind.value, *m.position_mm) for m in plan.marks),
    )
    yield table(
        "warmers",
        "What keeps tissue warm",
        "warmer kind temperature:degC coefficient:W/(m2.K) structure x:mm y:mm z:mm radius:mm is_on",
        (
            (w.name, w.kind.value, w.temperature_degc, w.coefficient, w.structure,
             *(w.centre_mm or (None, None, None)), w.radius_mm, w.is_on)
            for w in plan.warmers
        ),
    )  # fmt: skip
    yield table(
        "flows",
        "Flow that the plan gives to vessels",
        "vessel speed:m/s",
        ((f.structure, f.speed_m_s) for f in plan.flows),
    )
    yield table(
        "plan_findings",
        "What is to be said about images, structures and plan",
        "level code text place",
        ((f.level.value, f.code, f.text, f.place) for f in paths.findings),
    )


def _room(path: NeedlePath) -> tuple[Cell, ...]:
    line = path.room
    lie = line.angles
    return (
        line.depth_mm, lie.in_plane_deg, lie.in_plane_toward, lie.cranio_caudal_deg, lie.gantry_tilt_deg,
        line.tilt_text, line.entry_z_mm, line.tip_z_mm, line.entry_from_target_mm, line.tip_from_target_mm,
        line.overshoot_mm, line.outside_mm, line.bore_mm,
    )  # fmt: skip
