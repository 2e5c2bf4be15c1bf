"""Paths out: what every needle of a plan passes, how near it comes, its angles, and all pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryoplan import RESEARCH_USE
from cryoplan.case.case import Case
from cryoplan.core.finding import Finding, Level
from cryoplan.core.progress import SILENT, PartProgress, Progress, check_cancelled
from cryoplan.core.units import show_mm
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.clash import Needle
from cryoplan.plan.clearance import Clearance, clearances
from cryoplan.plan.file import read_plan
from cryoplan.plan.path import Pass, passes, sentence
from cryoplan.plan.placement import Pair, depth_to_active_mm, pairs
from cryoplan.plan.plan import Plan
from cryoplan.plan.room_view import RoomLine, room_line, slice_words, treatment_position
from cryoplan.plan.rules import check_plan, needles_of
from cryoplan.workflow.loading import load_case

READ = 0.9
"""Share of the progress that reading ends at."""

NEAREST = 8
"""Clearances of a needle that are printed; the JSON has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedlePath:
    """One probe or tool.

    Attributes
    ----------
    needle : Needle
        With its hub.
    active_mm : tuple of float or None
        Depths below the skin where the active zone begins and ends; None for tools and what is unknown.
    room : RoomLine
        Angles, slices, tilt.
    passes, clearances : tuple
        What it passes in order, and how near it comes to every structure.
    sentence : str
        The path as it is dictated.
    findings : tuple of Finding
        What the rules say of it.
    """

    needle: Needle
    active_mm: tuple[float, float] | None
    room: RoomLine
    passes: tuple[Pass, ...]
    clearances: tuple[Clearance, ...]
    sentence: str
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, object]:
        """Return the contract's object, and more."""
        return {
            "name": self.needle.shaft.name,
            **self.room.to_json(),
            "depth_to_active_mm": None if self.active_mm is None else list(self.active_mm),
            "passes": [p.to_json() for p in self.passes],
            "path": self.sentence,
            "clearances": [c.to_json() for c in self.clearances],
            "findings": [f.to_json() for f in self.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """All needles of a plan in one case."""

    position: str
    probes: tuple[NeedlePath, ...]
    tools: tuple[NeedlePath, ...]
    pairs: tuple[Pair, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, object]:
        """Return the contract's object, and more."""
        return {
            "research_use": RESEARCH_USE,
            "position": self.position,
            "probes": [p.to_json() for p in self.probes],
            "tools": [t.to_json() for t in self.tools],
            "pairs": [p.to_json() for p in self.pairs],
            "findings": [f.to_json() for f in self.findings],
        }


def read_paths(
    *,
    image: Path,
    structures: Sequence[Path],
    plan_path: Path,
    probes: Catalogue,
    series_uid: str | None = None,
    target: str | None = None,
    accept: Sequence[str] = (),
    mesh_axes: str = "",
    progress: Progress = SILENT,
) -> Paths:
    """Read image, structures and plan, and describe all paths (contract, ``paths``).

    Raises
    ------
    CryoplanError
        If an input is refused; the message names it.
    Cancelled
        If `progress` says so.
    """
    plan = read_plan(plan_path, probes)
    case = load_case(
        image,
        series_uid=series_uid,
        structures=structures,
        target=target,
        accept=accept,
        mesh_axes=mesh_axes,
        apart=True,
        progress=PartProgress(progress, 0.0, READ),
    )
    return describe_paths(case, plan, probes, progress=PartProgress(progress, READ, 1.0))


def describe_paths(case: Case, plan: Plan, probes: Catalogue, *, progress: Progress = SILENT) -> Paths:
    """Return what every needle of a plan passes in a case.

    Raises
    ------
    PlanError
        If a probe names an unknown model.
    Cancelled
        If `progress` says so.
    """
    findings = check_plan(case, plan, probes)
    of_probe = {p.name: p for p in plan.probes}
    found: dict[str, NeedlePath] = {}
    for needle in needles_of(plan, probes):
        check_cancelled(progress)
        probe = of_probe.get(needle.shaft.name)
        path = passes(case, needle.shaft)
        found[needle.shaft.name] = NeedlePath(
            needle=needle,
            active_mm=None if probe is None else depth_to_active_mm(probe, probes.model(probe.model)),
            room=room_line(case, needle, plan.room),
            passes=path,
            clearances=clearances(case, needle.shaft, needle.diameter_mm),
            sentence=sentence(case, path),
            findings=tuple(f for f in findings if f.place == needle.called),
        )
    return Paths(
        position=treatment_position(case, plan.room),
        probes=tuple(found[p.name] for p in plan.probes if p.name in found),
        tools=tuple(found[t.name] for t in plan.tools),
        pairs=pairs(plan, probes),
        findings=(*case.findings, *findings),
    )


def paths_text(paths: Paths) -> str:
    """Return all of it to be read, without colour."""
    return "\n".join(_lines(paths))


def _lines(paths: Paths) -> Iterator[str]:
    yield RESEARCH_USE
    yield f"Patient {paths.position or 'in an unknown position, taken as supine'}"
    for one in (*paths.probes, *paths.tools):
        room, lie = one.room, one.room.angles
        lean = f" (tip to the {lie.in_plane_toward})" if lie.in_plane_toward else ""
        side = "head" if lie.cranio_caudal_deg > 0.0 else "feet"
        yield ""
        called = one.needle.called
        yield f"{called[:1].upper()}{called[1:]}: {show_mm(room.depth_mm)} deep"
        if one.active_mm is not None:
            yield f"  freezes from {show_mm(one.active_mm[0])} to {show_mm(one.active_mm[1])} below the skin"
        yield f"  in the slice {lie.in_plane_deg:.1f}° from vertical{lean}"
        out = f"{abs(lie.cranio_caudal_deg):.1f}° towards the {side}"
        yield f"  out of the slice {out if abs(lie.cranio_caudal_deg) >= 0.05 else '0°'}"
        yield f"  gantry tilt: {room.tilt_text}"
        yield f"  slices: entry {slice_words(room.entry_z_mm)}, tip {slice_words(room.tip_z_mm)} mm"
        if room.overshoot_mm is not None:
            beyond = "beyond" if room.overshoot_mm >= 0.0 else "short of"
            yield f"  tip {show_mm(abs(room.overshoot_mm))} {beyond} the far side of the target"
        if room.bore_mm is not None:
            yield f"  hub {show_mm(room.bore_mm)} from the bore (body in its middle: a guess)"
        yield f"  passes {one.sentence}"
        near = sorted(one.clearances, key=lambda c: c.mm)
        for clearance in near[:NEAREST]:
            at = f"{clearance.at_depth_mm:.0f} mm deep"
            yield f"    {clearance.mm:7.1f} mm  {clearance.structure}, {at}"
        if len(near) > NEAREST:
            yield f"    and {len(near) - NEAREST} farther away"
        yield from (f"  {f.level.value}: {f.text}" for f in one.findings if f.level is not Level.OK)
    if paths.pairs:
        yield ""
        yield "Pairs, axis to axis: tip, middle and back of the active zone; angle; shafts"
        for pair in paths.pairs:
            yield (
                f"  {pair.a} and {pair.b}: {pair.tip_mm:.1f}, {pair.middle_mm:.1f}, {show_mm(pair.back_mm)}; "
                f"{pair.angle_deg:.1f}°; {show_mm(pair.closest_mm)}"
            )
    own = {f for one in (*paths.probes, *paths.tools) for f in one.findings}
    rest = [f for f in paths.findings if f.level is not Level.OK and f not in own]
    if rest:
        yield ""
        yield from (f"{f.level.value}: {f.text}" for f in rest)
