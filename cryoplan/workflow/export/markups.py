"""Markups: probes and tools as lines, thermocouples and skin marks as points, the way 3D Slicer loads them.

Fields: Slicer's own schema of markups, version 1.0.3. One file for each line, so that each keeps its name and
colour in any version of Slicer; the axes are stated in each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cryoplan import RESEARCH_USE
from cryoplan.core.geometry import Point, distance_mm
from cryoplan.image.mesh_out import AXES, LPS, RAS
from cryoplan.plan.mark import MARK_WORDS
from cryoplan.plan.probe import Probe, ProbeModel
from cryoplan.plan.tool import WORDS, Tool
from cryoplan.scene.style import rgb, theme
from cryoplan.workflow.export.stems import Stems
from cryoplan.workflow.export.subject import Subject
from cryoplan.workflow.folder import write_json

SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
ENDING = ".mrk.json"

_Markup = dict[str, object]


def write_markups(subject: Subject, folder: Path, *, axes: str = LPS) -> None:
    """Write one file for each probe and tool, one for all thermocouples, and one for all skin marks.

    Parameters
    ----------
    axes : str
        ``LPS`` or ``RAS``: what the numbers in the files mean; Slicer reads both.
    """
    here = folder / "markups"
    here.mkdir()
    stems, look, plan = Stems(), theme(), subject.plan
    for probe in plan.probes:
        colour = look.probes.colour(plan.colour_number(probe))
        markup = probe_markup(probe, subject.probes.model(probe.model), colour, axes)
        _write(here, stems.of(f"probe_{probe.name}", "probe"), markup)
    for tool in plan.tools:
        _write(here, stems.of(f"tool_{tool.name}", "tool"), tool_markup(tool, look.probes.shaft_3d, axes))
    if plan.thermocouples:
        points = [(t.name, t.position_mm, "thermocouple") for t in plan.thermocouples]
        markup = _markup("Fiducial", "Thermocouples", points, look.marks.thermocouple, axes)
        _write(here, stems.of("thermocouples"), markup)
    if plan.marks:
        points = [(m.name, m.position_mm, MARK_WORDS[m.kind]) for m in plan.marks]
        markup = _markup("Fiducial", "Skin marks", points, look.marks.text, axes)
        _write(here, stems.of("skin_marks"), markup)


def probe_markup(probe: Probe, model: ProbeModel, colour: str, axes: str = LPS) -> _Markup:
    """Return the line of a probe, from the skin to the metal tip."""
    front = model.tip_offset.value
    what = (
        f"{model.name}; active zone from {front:g} to {front + model.active_length.value:g} mm behind the tip"
    )
    points = [("entry", probe.entry_mm, "at the skin"), ("tip", probe.tip_mm, what)]
    return _line(f"Probe {probe.name}", points, colour, axes)


def tool_markup(tool: Tool, colour: str, axes: str = LPS) -> _Markup:
    """Return the line of a tool, from the skin to its tip."""
    points = [("entry", tool.entry_mm, "at the skin"), ("tip", tool.tip_mm, WORDS[tool.kind])]
    return _line(tool.name, points, colour, axes)


def _line(name: str, points: Sequence[tuple[str, Point, str]], colour: str, axes: str) -> _Markup:
    markup = _markup("Line", name, points, colour, axes)
    length = distance_mm(points[0][1], points[1][1])
    markup["fixedNumberOfControlPoints"] = True
    markup["measurements"] = [
        {"name": "length", "enabled": True, "value": length, "units": "mm", "printFormat": "%-#4.4g%s"}
    ]
    return markup


def _markup(
    kind: str, name: str, points: Sequence[tuple[str, Point, str]], colour: str, axes: str
) -> _Markup:
    factors = AXES[axes]
    # The axes of a point are Slicer's world axes, which are RAS: a row for each axis of the file.
    upright = [a * b for a, b in zip(factors, AXES[RAS], strict=True)]
    orientation = [upright[row] if row == column else 0.0 for row in range(3) for column in range(3)]
    return {
        "type": kind,
        "name": name,
        "coordinateSystem": axes,
        "coordinateUnits": "mm",
        "locked": True,
        "labelFormat": "%N-%d",
        "controlPoints": [
            {
                "id": str(number),
                "label": label,
                "description": description,
                "associatedNodeID": "",
                # Adding zero turns -0.0 into 0.0.
                "position": [factor * x + 0.0 for factor, x in zip(factors, position, strict=True)],
                "orientation": orientation,
                "selected": True,
                "locked": True,
                "visibility": True,
                "positionStatus": "defined",
            }
            for number, (label, position, description) in enumerate(points, start=1)
        ],
        "display": {
            "visibility": True,
            "propertiesLabelVisibility": kind == "Line",
            "pointLabelsVisibility": kind == "Fiducial",
            "sliceProjection": True,
            "color": [round(part, 4) for part in rgb(colour)],
            "selectedColor": [round(part, 4) for part in rgb(colour)],
        },
    }


def _write(folder: Path, stem: str, markup: Mapping[str, object]) -> None:
    write_json(
        folder / f"{stem}{ENDING}",
        {"@schema": SCHEMA, "description": f"cryoplan. {RESEARCH_USE}.", "markups": [markup]},
    )
