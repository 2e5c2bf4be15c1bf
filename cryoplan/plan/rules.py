"""Rules: what can be said about a plan before anything is solved - reach, spacing, the way in.

Limits and their sources are in ``resources/limits/placement.toml``. A plan that breaks
nothing has no finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.skin import body_mask, body_source, sample_mask
from cryoplan.case.structure import Role, Structure
from cryoplan.core.finding import Finding, Level
from cryoplan.core.units import show_mm
from cryoplan.core.volume import Volume
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.clash import Needle, clash_findings, needle
from cryoplan.plan.clearance import clearances
from cryoplan.plan.limits import PlacementLimits, placement_limits
from cryoplan.plan.path import active_zone_gap_mm
from cryoplan.plan.placement import Pair, depth_to_active_mm, pair
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.protocol import PhaseKind, ThawMode
from cryoplan.plan.room_view import room_findings
from cryoplan.plan.spacing import neighbours, width_limits
from cryoplan.plan.tool import Tool

_SEARCH_MM = 60.0
_STEP_MM = 0.5


def check_plan(case: Case, plan: Plan, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Return what is wrong or doubtful about a plan, heaviest first; ``place`` names the probe.

    Parameters
    ----------
    case : Case
        Scan and structures. Where the body ends comes from the structure of role *body*, else from the
        Hounsfield values of a CT; without either, tips are checked against the edge of the image only and
        a finding says so.
    plan : Plan
        Probes and protocol.
    catalogue : Catalogue
        Probe models.
    """
    limits = placement_limits()
    findings: list[Finding] = []
    if not any(p.model not in catalogue or not catalogue[p.model].is_warmer for p in plan.probes):
        findings.append(
            Finding(
                level=Level.WARN,
                code="no-probes",
                text="The plan has no probe that freezes. Place one on the target.",
            )
        )
    body = body_mask(case)
    if body is None and plan.probes:
        findings.append(
            Finding(
                level=Level.WARN,
                code="body-unknown",
                text="Nothing tells where the body ends: the image is no CT and no body is outlined. Tips "
                "were checked against the edge of the image only, skin entries not at all.",
            )
        )
    known: list[tuple[Probe, ProbeModel]] = []
    for probe in plan.probes:
        findings += _position_findings(case, probe, body, limits)
        findings += _time_findings(plan, probe)
        if probe.model not in catalogue:
            findings.append(
                _fail(
                    "model-unknown",
                    probe,
                    f"has the unknown model {probe.model}. Choose one of the catalogue.",
                )
            )
            continue
        model = catalogue[probe.model]
        known.append((probe, model))
        if model.is_warmer:
            # It lies in a natural duct and freezes nothing: no way in, no ice at the skin, no thaw.
            continue
        findings += _reach_findings(case, probe, model, limits)
        findings += _path_findings(case, probe, model, limits)
        findings += _thaw_findings(plan, probe, model)
    freezing = [both for both in known if not both[1].is_warmer]
    findings += _pair_findings(plan, freezing, limits)
    findings += _warmer_findings(known)
    needles = needles_of(plan, catalogue)
    findings += _tool_findings(case, plan.tools, limits)
    findings += clash_findings(needles)
    findings += room_findings(case, needles, plan.room, limits)
    return tuple(sorted(findings, key=lambda f: -f.level.rank))


def _warmer_findings(known: Sequence[tuple[Probe, ProbeModel]]) -> Iterator[Finding]:
    """Say which probes run into a warmer."""
    for warmer, warm_model in known:
        for probe, model in known:
            if not warm_model.is_warmer or model.is_warmer:
                continue
            found = pair(warmer, probe, warm_model, model)
            if found.closest_mm < 0.0:
                yield _fail("shafts-collide", probe, f"runs into the warmer {warmer.name} inside the body.")


def needles_of(plan: Plan, catalogue: Catalogue) -> list[Needle]:
    """Return all probes of known models but warmers, then all tools, each with its hub."""
    limits = placement_limits()
    models = ((p, catalogue[p.model]) for p in plan.probes if p.model in catalogue)
    probes = [
        needle(p, "probe", m.outer_diameter.value, m.shaft_length.value, limits)
        for p, m in models
        if not m.is_warmer
    ]
    return probes + [needle(t, "tool", t.diameter_mm, t.length_mm, limits) for t in plan.tools]


def _tool_findings(case: Case, tools: Sequence[Tool], limits: PlacementLimits) -> Iterator[Finding]:
    """Say what tools pass that they should not, and which are too short; near organs they are on purpose."""
    structures = {s.name: s for s in case.structures}
    for tool in tools:
        place = f"tool {tool.name}"
        if tool.length_mm < tool.depth_mm:
            yield Finding(
                level=Level.FAIL,
                code="shaft-too-short",
                text=f"Tool {tool.name} is too short: its depth is {show_mm(tool.depth_mm)}, its length "
                f"{show_mm(tool.length_mm)}. Choose a nearer entry.",
                place=place,
            )
        for clearance in clearances(case, tool, tool.diameter_mm, roles=limits.forbidden | limits.doubtful):
            structure = structures[clearance.structure]
            level = clearance_level(structure.role, clearance.mm, limits)
            if clearance.mm <= 0.0 and level is not Level.OK:
                text = f"Tool {tool.name} passes through {structure.name}, deepest "
                text += f"{show_mm(clearance.at_depth_mm)} below the entry."
                yield Finding(level=level, code=_path_code(structure), text=text, place=place)


def _fail(code: str, probe: Probe, text: str) -> Finding:
    return Finding(
        level=Level.FAIL, code=code, text=f"Probe {probe.name} {text}", place=f"probe {probe.name}"
    )


def _warn(code: str, probe: Probe, text: str) -> Finding:
    return Finding(
        level=Level.WARN, code=code, text=f"Probe {probe.name} {text}", place=f"probe {probe.name}"
    )


def _position_findings(
    case: Case, probe: Probe, body: Volume | None, limits: PlacementLimits
) -> Iterator[Finding]:
    grid = case.scan.volume.grid
    if not grid.contains_mm(probe.tip_mm):
        yield _fail("tip-outside-image", probe, "has its tip outside the image. Move the tip.")
        return
    if not grid.contains_mm(probe.entry_mm):
        yield _warn(
            "entry-outside-image", probe, "enters outside the image: what it passes there cannot be seen."
        )
    if body is None:
        return
    if not _inside(body, probe.tip_mm):
        yield _fail(
            "tip-outside-body",
            probe,
            f"has its tip outside the body (judged by {body_source(case)}). Move the tip.",
        )
        return
    if not grid.contains_mm(probe.entry_mm):
        return
    off_mm = _off_skin_mm(body, probe)
    allowed = limits["entry_off_skin_warn"]
    if off_mm is not None and abs(off_mm) > allowed:
        where = "below" if off_mm > 0.0 else "above"
        yield _warn(
            "entry-off-skin",
            probe,
            f"enters {show_mm(abs(off_mm))} {where} the skin: its depth is wrong. Put the entry on the skin.",
        )
    elif off_mm is None:
        yield _warn(
            "entry-off-skin",
            probe,
            f"enters more than {_SEARCH_MM:.0f} mm away from the skin. Put the entry on the skin.",
        )


def _inside(body: Volume, point_mm: Sequence[float]) -> bool:
    return bool(sample_mask(body, np.asarray(point_mm, float)[None, :])[0])


def _off_skin_mm(body: Volume, probe: Probe) -> float | None:
    """Return how far the entry lies below the skin along the shaft; negative above, None if far away."""
    below = _inside(body, probe.entry_mm)
    steps = np.arange(0.0, _SEARCH_MM, _STEP_MM)
    toward_skin = -probe.direction if below else probe.direction
    inside = sample_mask(body, np.asarray(probe.entry_mm) + steps[:, None] * toward_skin)
    changed = np.flatnonzero(inside != below)
    if changed.size == 0:
        return None
    distance = float(steps[changed[0]]) - 0.5 * _STEP_MM
    return distance if below else -distance


def _time_findings(plan: Plan, probe: Probe) -> Iterator[Finding]:
    stop = plan.protocol.duration_s if probe.stop_s is None else probe.stop_s
    freezes = any(
        phase.kind is PhaseKind.FREEZE and probe.start_s < end and stop > start
        for start, end, phase in plan.protocol.spans()
    )
    if not freezes:
        yield _warn(
            "probe-never-freezes",
            probe,
            "is on in no freeze of the protocol. Change its times or remove it.",
        )


def _reach_findings(
    case: Case, probe: Probe, model: ProbeModel, limits: PlacementLimits
) -> Iterator[Finding]:
    spare = model.shaft_length.value - probe.depth_mm
    shaft = show_mm(model.shaft_length.value)
    length = f"its depth is {show_mm(probe.depth_mm)}, the shaft of {model.name} {shaft}"
    if spare < 0.0:
        yield _fail("shaft-too-short", probe, f"is too short: {length}. Choose a nearer entry.")
    elif spare < limits["hub_reserve_warn"]:
        yield _warn("shaft-short", probe, f"leaves {show_mm(spare)} of shaft outside the skin: {length}.")
    begin, _ = depth_to_active_mm(probe, model)
    if begin < 0.0:
        yield _fail(
            "active-zone-outside",
            probe,
            f"has {show_mm(-begin)} of its active zone outside the skin. Place it deeper.",
        )
    elif begin < limits["active_to_skin_warn"]:
        yield _warn(
            "active-zone-near-skin",
            probe,
            f"freezes from {show_mm(begin)} below the skin on: the skin may freeze. Warm it or go deeper.",
        )
    target = case.target
    if target is not None:
        gap = active_zone_gap_mm(probe, model, target)
        if gap > limits["target_gap_warn"]:
            yield _warn(
                "probe-misses-target",
                probe,
                f"has its active zone {show_mm(gap)} away from {target.name}.",
            )


def _path_findings(case: Case, probe: Probe, model: ProbeModel, limits: PlacementLimits) -> Iterator[Finding]:
    structures = {s.name: s for s in case.structures}
    for clearance in clearances(
        case, probe, model.outer_diameter.value, roles=limits.forbidden | limits.doubtful
    ):
        structure = structures[clearance.structure]
        if structure.name == case.target_name:
            continue
        level = clearance_level(structure.role, clearance.mm, limits)
        if level is Level.OK:
            continue
        at = f"{show_mm(clearance.at_depth_mm)} below the entry"
        if clearance.mm <= 0.0:
            how = f"for {show_mm(clearance.crossed_mm)}" if clearance.crossed_mm > 0.0 else "by touching it"
            text = f"passes through {structure.name} {how}, deepest {at}."
            yield (_fail if level is Level.FAIL else _warn)(_path_code(structure), probe, text)
        else:
            yield _warn(
                "path-near-organ", probe, f"passes {show_mm(clearance.mm)} from {structure.name}, {at}."
            )


def clearance_level(role: Role, clearance_mm: float, limits: PlacementLimits) -> Level:
    """Return how much it weighs that a shaft passes a structure of that role at that distance."""
    if role in limits.forbidden:
        if clearance_mm <= 0.0:
            return Level.FAIL
        return Level.WARN if clearance_mm < limits["near_organ_warn"] else Level.OK
    return Level.WARN if role in limits.doubtful and clearance_mm <= 0.0 else Level.OK


def _path_code(structure: Structure) -> str:
    return f"path-through-{structure.role.value}"


def _thaw_findings(plan: Plan, probe: Probe, model: ProbeModel) -> Iterator[Finding]:
    modes = {phase.mode for phase in plan.protocol.phases if phase.kind is PhaseKind.THAW}
    if ThawMode.HELIUM in modes and model.active_thaw_temperature is None:
        yield _warn("thaw-not-possible", probe, f"cannot thaw with gas ({model.name}). Choose another thaw.")
    if ThawMode.ELECTRIC in modes and model.electric_thaw_temperature is None:
        yield _warn("thaw-not-possible", probe, f"has no heater ({model.name}). Choose another thaw.")


def _pair_findings(
    plan: Plan, known: Sequence[tuple[Probe, ProbeModel]], limits: PlacementLimits
) -> Iterator[Finding]:
    table = [pair(a[0], b[0], a[1], b[1]) for a, b in combinations(known, 2)]
    joined = neighbours(table)
    for found in table:
        if (found.a, found.b) in joined:
            yield from _width_findings(plan, found, limits)
    for found in table:
        # Probes that run into one another have been reported as such.
        if found.closest_mm >= 0.0 and found.narrowest_mm < limits["close_warn"]:
            yield Finding(
                level=Level.WARN,
                code="spacing-close",
                text=f"Probes {found.a} and {found.b} are {show_mm(found.narrowest_mm)} apart; "
                f"from {show_mm(limits['close_warn'])} on each freezes tissue of its own.",
                place=f"probes {found.a} and {found.b}",
            )


def _width_findings(plan: Plan, found: Pair, limits: PlacementLimits) -> Iterator[Finding]:
    weakest = min(plan.probe(found.a).intensity, plan.probe(found.b).intensity)
    warn, fail = width_limits(plan, found, limits)
    if found.widest_mm <= warn:
        return
    power = f" at {100.0 * weakest:.0f} % power" if weakest < limits["reduced_below"] else ""
    apart = f"{show_mm(found.widest_mm)} apart{power}"
    level = Level.FAIL if found.widest_mm > fail else Level.WARN
    yield Finding(
        level=level,
        code="spacing-wide",
        text=f"Neighbours {found.a} and {found.b} are {apart}; joint ice needs at most {show_mm(warn)}, "
        f"and over {show_mm(fail)} a warm core is likely (Shah 2016, PMC4850244).",
        place=f"probes {found.a} and {found.b}",
    )
