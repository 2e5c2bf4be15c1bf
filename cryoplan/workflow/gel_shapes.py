"""Gel shapes: the solved ice of each probe of the catalogue, its picture, the difference in mm.

Those of the built-in probes come with the program (``resources/gel/shapes.json``), each with a key over all
that it follows from; one whose key is another is not shown but solved again.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryoplan.core.atomic import write_atomic
from cryoplan.core.digest import digest
from cryoplan.core.errors import StoreError
from cryoplan.core.progress import SILENT, Progress
from cryoplan.core.resources import resource
from cryoplan.core.sourced import Sourced
from cryoplan.core.units import show_degc
from cryoplan.plan.probe import ProbeModel
from cryoplan.workflow.solving import MODEL_VERSION

if TYPE_CHECKING:
    from cryoplan.simulation.verification.gel import GelShape, PublishedSize, SolvedIsotherm, Trial

SPACING_MM = 1.0
"""Grid of the shapes that come with the program."""

_NO_INFLUENCE = ("thaw_time_constant", "active_thaw_temperature", "active_thaw_coefficient")
_FILE = ("gel", "shapes.json")


def trial(model: ProbeModel) -> Trial:
    """Return how a probe is frozen for its picture and what is published of it.

    A user's probe has no published size here, whatever its name: its numbers are its own.
    """
    from cryoplan.simulation.verification.gel import trial_of

    return trial_of(model.id)


def gel_key(model: ProbeModel, spacing_mm: float = SPACING_MM) -> str:
    """Return the digest of all that a shape follows from: numbers, medium, freeze, grid, model version."""
    from cryoplan.simulation.verification.gel import ROOM_MM, setup_of

    how = trial(model)
    numbers = {
        f.name: number.value
        for f in fields(model)
        if isinstance(number := getattr(model, f.name), Sourced)
        and f.name not in _NO_INFLUENCE
        and f.name != "electric_thaw_temperature"
    }
    material = setup_of(model, how, spacing_mm).material.numbers()
    return digest(
        MODEL_VERSION, model.kind, numbers, how.medium, how.perfused, how.start_degc, how.freeze_s,
        how.isotherms_degc, [float(n) for n in material], spacing_mm, ROOM_MM,
    )  # fmt: skip


def solve_shape(
    model: ProbeModel, *, spacing_mm: float = SPACING_MM, progress: Progress = SILENT
) -> GelShape:
    """Freeze a probe in its block.

    Raises
    ------
    SimulationError
        If it cannot be solved.
    Cancelled
        If `progress` says so.
    """
    from cryoplan.simulation.verification.gel import solve_in_gel

    key = gel_key(model, spacing_mm)
    return solve_in_gel(model, trial(model), spacing_mm=spacing_mm, key=key, progress=progress)


@cache
def shipped_shapes() -> dict[str, GelShape]:
    """Return the shapes that come with the program, by key.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    path = resource(*_FILE)
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["shapes"]
        shapes = [_shape_of(row) for row in rows.values()]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The shapes of the built-in probes cannot be read ({error}).",
            "Install cryoplan again.",
            code="bad-resource",
            place=path.name,
        ) from error
    return {shape.key: shape for shape in shapes}


def shipped_shape(model: ProbeModel) -> GelShape | None:
    """Return the shipped shape of exactly these numbers, None when it has to be solved."""
    return shipped_shapes().get(gel_key(model))


def shapes_json(models: Iterable[ProbeModel], progress: Progress = SILENT) -> str:
    """Solve the shapes of some probes and return the text of the file that comes with the program."""
    shapes = {model.id: asdict(solve_shape(model, progress=progress)) for model in models}
    lines = [f"{json.dumps(name)}: {json.dumps(shape)}" for name, shape in sorted(shapes.items())]
    return '{"schema": 1, "shapes": {\n' + ",\n".join(lines) + "\n}}\n"


def _shape_of(row: Any) -> GelShape:
    from cryoplan.simulation.verification.gel import GelShape, SolvedIsotherm

    isotherms = tuple(
        SolvedIsotherm(
            degc=float(one["degc"]),
            length_mm=float(one["length_mm"]),
            width_mm=float(one["width_mm"]),
            outline_mm=tuple((float(z), float(r)) for z, r in one["outline_mm"]),
        )
        for one in row["isotherms"]
    )
    return GelShape(key=str(row["key"]), spacing_mm=float(row["spacing_mm"]), isotherms=isotherms)


# In words ---------------------------------------------------------------------------------------------


def conditions_words(model: ProbeModel) -> str:
    """Return in what the probe was frozen and how long."""
    how = trial(model)
    medium = f"perfused {how.medium}" if how.perfused else how.medium
    return f"{medium} of {show_degc(how.start_degc)}, {how.freeze_s / 60.0:g} min freeze"


def size_words(model: ProbeModel, shape: GelShape) -> tuple[str, ...]:
    """Return published and solved sizes and their difference, a line for each isotherm."""
    how = trial(model)
    lines = [] if how.sizes else ["No published size found."]
    for one in shape.isotherms:
        compared = [_difference(size, shape) for size in how.sizes if size.compared_degc == one.degc]
        lines += compared or [_solved(one)]
    return tuple(lines)


def _solved(one: SolvedIsotherm) -> str:
    if one.width_mm <= 0.0:
        return f"{show_degc(one.degc)}: not reached"
    return f"{show_degc(one.degc)}: solved {one.length_mm:.1f} x {one.width_mm:.1f} mm"


def _difference(size: PublishedSize, shape: GelShape) -> str:
    solved = shape.at(size.compared_degc)
    name = show_degc(size.compared_degc)
    if size.isotherm_degc is None:
        name = f"isotherm not stated, beside {name}"
    if size.length_mm is None or size.width_mm is None:
        what, published, got, spread = (
            ("width", size.width_mm, solved.width_mm, size.width_plus_minus_mm)
            if size.length_mm is None
            else ("length", size.length_mm, solved.length_mm, size.length_plus_minus_mm)
        )
        assert published is not None  # a size has one of the two
        around = f" ±{spread:g}" if spread is not None else ""
        return (
            f"{name}: published {what} {published:g} mm{around}; solved {got:.1f}; "
            f"{_signed(got - published)} mm"
        )
    around = ""
    if size.length_plus_minus_mm is not None and size.width_plus_minus_mm is not None:
        around = f" ±{size.length_plus_minus_mm:g}/{size.width_plus_minus_mm:g}"
    return (
        f"{name}: published {size.length_mm:g} x {size.width_mm:g} mm{around}; solved "
        f"{solved.length_mm:.1f} x {solved.width_mm:.1f}; {_signed(solved.length_mm - size.length_mm)} / "
        f"{_signed(solved.width_mm - size.width_mm)} mm"
    )


def _signed(mm: float) -> str:
    return f"{mm:+.1f}".replace("-", "\N{MINUS SIGN}")


# The picture ------------------------------------------------------------------------------------------


def draw_shape(
    model: ProbeModel, shape: GelShape, *, svg: bool = False, width_px: int = 1200, height_px: int = 900
) -> bytes:
    """Return the picture with all words below it, as PNG or SVG."""
    from cryoplan.scene.gel_picture import gel_picture

    how = trial(model)
    said = [*size_words(model, shape), *(text for text in (how.conditions, how.use, how.source) if text)]
    return gel_picture(
        model, shape, how.sizes, conditions=conditions_words(model), words=wrapped(said), svg=svg,
        width_px=width_px, height_px=height_px,
    )  # fmt: skip


def draw_bare(model: ProbeModel, shape: GelShape, *, width_px: int = 1080, height_px: int = 620) -> bytes:
    """Return the picture alone as PNG, for a place that has the words beside it."""
    from cryoplan.scene.gel_picture import gel_picture

    return gel_picture(
        model, shape, trial(model).sizes, conditions=conditions_words(model), width_px=width_px,
        height_px=height_px,
    )  # fmt: skip


def checked_picture_path(path: Path) -> Path:
    """Return the path of a picture if its ending is one that can be drawn.

    Raises
    ------
    StoreError
        ``picture-kind``.
    """
    if path.suffix.lower() not in (".png", ".svg"):
        raise StoreError(
            f"A picture cannot be written as {path.name}.",
            "Use a name that ends in .png or .svg.",
            code="picture-kind",
            place=path.name,
        )
    return path


def write_picture(model: ProbeModel, shape: GelShape, path: Path) -> Path:
    """Write the picture of a probe; the ending of the file says which kind.

    Raises
    ------
    StoreError
        If the ending is neither png nor svg (``picture-kind``), or the file cannot be written.
    """
    is_svg = checked_picture_path(path).suffix.lower() == ".svg"
    write_atomic(path, draw_shape(model, shape, svg=is_svg))
    return path


def wrapped(lines: Iterable[str], letters: int = 150) -> list[str]:
    """Return lines broken where they are longer than the picture is wide."""
    return [part for line in lines for part in textwrap.wrap(line, letters)]
