"""Surfaces: structures, isotherms and probes as closed meshes in STL, PLY or OBJ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryoplan import RESEARCH_USE
from cryoplan.core.finding import Finding, Level
from cryoplan.core.progress import Progress, ProgressReport, check_cancelled
from cryoplan.image.mesh_out import LPS, MATERIALS, MeshOut, materials_text, mesh_bytes
from cryoplan.scene.closed_mesh import (
    ClosedMesh,
    active_zone_mesh,
    isotherm_mesh,
    probe_mesh,
    structure_surface,
    tool_mesh,
)
from cryoplan.scene.style import rgb, theme
from cryoplan.workflow.export.segments import THRESHOLDS_DEGC, isotherm_label
from cryoplan.workflow.export.stems import Stems, isotherm_stem
from cryoplan.workflow.export.subject import Subject
from cryoplan.workflow.folder import write_json

LIST_NAME = "surfaces.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedSurface:
    """One surface on its way out.

    Attributes
    ----------
    name, kind : str
        What it is called, and a role, ``isotherm``, ``probe``, ``active zone`` or ``tool``.
    out : MeshOut
        What is written.
    mesh : ClosedMesh
        What it encloses.
    expected_ml : float
        Volume that it stands for: of the voxels, of the isotherm as the assessment tells it, of the needle.
    """

    name: str
    kind: str
    out: MeshOut
    mesh: ClosedMesh
    expected_ml: float


def surfaces_of(
    subject: Subject, thresholds_degc: Sequence[float] = THRESHOLDS_DEGC
) -> Iterator[NamedSurface]:
    """Yield the surfaces of all structures, of the isotherms of the lowest temperature, and of all needles.

    An isotherm that encloses nothing is left out.
    """
    stems = Stems()
    look = theme()
    for structure in subject.case.structures:
        yield _named(
            structure.name, structure.role.value, structure_surface(structure, subject.case),
            stems.of(structure.name), look.outline(structure.role).colour, structure.volume_ml,
        )  # fmt: skip
    for threshold in thresholds_degc:
        mesh = isotherm_mesh(subject.result.minimum_degc, threshold)
        if not mesh.is_empty:
            yield _named(
                isotherm_label(threshold), "isotherm", mesh, stems.of(isotherm_stem(threshold)),
                look.isotherm(threshold).colour,
            )  # fmt: skip
    for probe in subject.plan.probes:
        model = subject.probes.model(probe.model)
        colour = look.probes.colour(subject.plan.colour_number(probe))
        stem = stems.of(f"probe_{probe.name}", "probe")
        yield _named(f"Probe {probe.name}", "probe", probe_mesh(probe, model), stem, colour)
        yield _named(
            f"Probe {probe.name}, active zone", "active zone", active_zone_mesh(probe, model),
            stems.of(f"{stem}_active_zone"), look.probes.active_3d,
        )  # fmt: skip
    for tool in subject.plan.tools:
        stem = stems.of(f"tool_{tool.name}", "tool")
        yield _named(tool.name, "tool", tool_mesh(tool), stem, look.probes.shaft_3d)


def write_surfaces(
    subject: Subject, endings: Sequence[str], folder: Path, progress: Progress, *, axes: str = LPS
) -> tuple[Finding, ...]:
    """Write all surfaces in some formats, each in a folder of its own with a list of what is there.

    Parameters
    ----------
    endings : sequence of str
        Of `cryoplan.image.mesh_out.FORMATS`.
    axes : str
        ``LPS`` or ``RAS``: what the numbers in the files mean; said in each file and in its name.

    Returns
    -------
    tuple of Finding
        What could not be made watertight or within a hundredth of its volume.

    Raises
    ------
    Cancelled
        If `progress` says so.
    """
    for ending in endings:
        (folder / ending).mkdir()
    rows: list[dict[str, object]] = []
    findings: list[Finding] = []
    colours: dict[str, tuple[int, int, int]] = {}
    count = len(subject.case.structures) + 2 * len(subject.plan.probes) + len(subject.plan.tools) + 3
    for number, surface in enumerate(surfaces_of(subject)):
        check_cancelled(progress)
        progress.report(ProgressReport(fraction=min(number / count, 1.0), text=f"Surface of {surface.name}"))
        stem = f"{surface.out.stem}_{axes}"
        for ending in endings:
            (folder / ending / f"{stem}.{ending}").write_bytes(mesh_bytes(surface.out, ending, axes))
        colours[surface.out.stem] = surface.out.colour
        rows.append(
            {
                "name": surface.name,
                "kind": surface.kind,
                "file": stem,
                "colour": list(surface.out.colour),
                "volume_ml": surface.mesh.volume_ml(),
                "expected_ml": surface.expected_ml,
                "triangles": len(surface.mesh.triangles),
                "is_watertight": surface.mesh.is_watertight,
            }
        )
        findings += _remarks(surface)
    for ending in endings:
        record = {
            "research_use": RESEARCH_USE,
            "axes": axes,
            "unit": "mm",
            "what": "Closed surfaces. LPS: x to the patient's left, y to the back, z to the head. RAS: x to "
            "the right, y to the front, z to the head.",
            "surfaces": [{**row, "file": f"{row['file']}.{ending}"} for row in rows],
        }
        write_json(folder / ending / LIST_NAME, record)
    if "obj" in endings:
        (folder / "obj" / MATERIALS).write_text(materials_text(colours), encoding="ascii", newline="\n")
    return tuple(findings)


def _named(
    name: str, kind: str, mesh: ClosedMesh, stem: str, colour: str, expected_ml: float | None = None
) -> NamedSurface:
    red, green, blue = (round(255 * part) for part in rgb(colour))
    out = MeshOut(stem=stem, points_mm=mesh.points_mm, triangles=mesh.triangles, colour=(red, green, blue))
    return NamedSurface(
        name=name, kind=kind, out=out, mesh=mesh,
        expected_ml=mesh.volume_ml() if expected_ml is None else expected_ml,
    )  # fmt: skip


def _remarks(surface: NamedSurface) -> Iterator[Finding]:
    if not surface.mesh.is_watertight:
        yield Finding(
            level=Level.WARN,
            code="mesh-not-watertight",
            text=f"The surface of {surface.name} has edges where voxels touch only there; it is closed, but "
            "some programs will not take it as a solid.",
            place=surface.name,
        )
    off = surface.mesh.volume_ml() / surface.expected_ml - 1.0
    if abs(off) > 0.01:
        yield Finding(
            level=Level.WARN,
            code="mesh-volume-off",
            text=f"The surface of {surface.name} encloses {surface.mesh.volume_ml():.2f} ml, not the "
            f"{surface.expected_ml:.2f} ml of its voxels.",
            place=surface.name,
        )
