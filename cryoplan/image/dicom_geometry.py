"""Where the slices of one volume are: even and straight, mendable with consent, or no volume at all.

SimpleITK stacks what it is given: measured, a missing slice stretches the others and a tilted gantry becomes
a straight block, both without an error. So the positions are judged here first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import ImageError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.image.dicom_header import Header
from cryoplan.image.dicom_pixels import pixel_digest
from cryoplan.image.dicom_repair import offer, repaired_grid
from cryoplan.image.dicom_split import SAME_PLACE_MM
from cryoplan.image.verdict import check_extent

FloatArray = npt.NDArray[np.float64]

# Scanners and anonymisers round positions to 0.01 mm or worse; table feeds vary by hundredths.
_STEP_TOLERANCE = 0.02
_STEP_TOLERANCE_MM = 0.02
# Sideways drift over the whole stack that rounding of positions and direction cosines can explain.
_DRIFT_TOLERANCE_MM = 0.1
# A whole stack may stretch by less than a tenth of a millimetre before it counts as uneven.
_MOST_STRETCH_MM = 0.1
# Wider holes hide whole vessels and lesions; nobody should plan through one.
_WIDEST_HOLE_MM = 30.0
# Gantries of CT scanners tilt by 30 degrees at most.
_MOST_TILT_DEG = 40.0


def failure(code: str, text: str, place: str) -> Finding:
    """Return a finding that refuses the series."""
    return Finding(level=Level.FAIL, code=code, text=text, place=place)


def note(code: str, text: str, place: str) -> Finding:
    """Return a finding that is only mentioned."""
    return Finding(level=Level.OK, code=code, text=text, place=place)


def names_of(headers: Sequence[Header]) -> str:
    """Return the names of the first slices, and how many more there are."""
    names = [h.label for h in headers[:3]]
    return ", ".join(names) + (f" and {len(headers) - 3} more" if len(headers) > 3 else "")


def where(header: Header) -> str:
    """Return the LPS position of a slice in words."""
    return "at " + ", ".join(f"{x:.1f}" for x in header.position_mm or ()) + " mm"


def warning(code: str, text: str, place: str) -> Finding:
    """Return a finding that needs a yes."""
    return Finding(level=Level.WARN, code=code, text=text, place=place)


def frame_of(header: Header) -> tuple[FloatArray, FloatArray] | None:
    """Return 3 x 3 axes (columns: row, column, normal) and position, or None when they cannot be used."""
    if header.row is None or header.column is None or header.position_mm is None:
        return None
    spacing = header.pixel_spacing_mm
    if spacing is None or min(spacing) <= 0 or min(header.rows, header.columns) < 1:
        return None
    axes = _axes(header.row, header.column)
    return None if axes is None else (axes, np.array(header.position_mm))


@lru_cache(maxsize=256)
def _axes(along_row: tuple[float, ...], along_column: tuple[float, ...]) -> FloatArray | None:
    """Return axes from the two direction vectors of a slice; all slices of a series share them."""
    row, column = np.array(along_row), np.array(along_column)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if abs(lengths[0] - 1) > 1e-2 or abs(lengths[1] - 1) > 1e-2 or abs(row @ column) > 5e-4:
        return None
    row = row / lengths[0]
    column = column - row * float(row @ column)
    column = column / np.linalg.norm(column)
    axes = np.column_stack([row, column, np.cross(row, column)])
    axes.flags.writeable = False
    return axes


def axes_of(header: Header) -> FloatArray:
    """Return the 3 x 3 axes of a slice whose place is known to be usable."""
    frame = frame_of(header)
    assert frame is not None  # looked at before
    return frame[0]


def stack_up(headers: list[Header]) -> tuple[list[Header], Grid | None, list[Finding]]:
    """Sort along the normal and check that the slices are one straight, even, complete stack."""
    axes = axes_of(headers[0])
    positions = np.array([h.position_mm for h in headers], float)
    along_mm = positions @ axes[:, 2]
    order = np.argsort(along_mm, kind="stable")
    headers = [headers[n] for n in order]
    positions, along_mm = positions[order], along_mm[order]
    if len(headers) < 2:
        text = f"The series has one slice only ({headers[0].path.name})."
        return headers, None, [failure("single-slice", text, headers[0].path.name)]
    headers, doubled = _without_copies(headers, along_mm)
    if doubled and doubled[0].level is Level.FAIL:
        return headers, None, doubled
    positions = np.array([h.position_mm for h in headers], float)
    along_mm = positions @ axes[:, 2]
    if len(headers) < 2:
        text = f"The series has one slice only ({headers[0].path.name}), stored more than once."
        return headers, None, [failure("single-slice", text, headers[0].path.name)]
    gaps, spacing_mm = _gaps(headers, along_mm)
    findings = [*doubled, *gaps, *_drift(headers, positions, axes)]
    if any(f.level is Level.FAIL for f in findings):
        return headers, None, findings
    if any(f.level is Level.WARN for f in findings):
        grid = repaired_grid(headers, axes, spacing_mm)
    else:
        x_mm, y_mm = headers[0].pixel_spacing_mm or (0.0, 0.0)
        grid_spacing = (x_mm, y_mm, float(along_mm[-1] - along_mm[0]) / (len(headers) - 1))
        grid = Grid(
            size=(headers[0].columns, headers[0].rows, len(headers)),
            spacing_mm=grid_spacing,
            origin_mm=tuple(float(p) for p in positions[0]),  # type: ignore[arg-type]  # three of them
            direction=tuple(float(d) for d in axes.ravel()),
        )
    findings.extend(check_extent(grid.size, grid.spacing_mm, headers[0].path.name))
    return headers, None if any(f.level is Level.FAIL for f in findings) else grid, findings


def _without_copies(headers: list[Header], along_mm: FloatArray) -> tuple[list[Header], list[Finding]]:
    """Leave out images that another of the same place equals pixel by pixel; others of one place conflict."""
    kept, copies = [headers[0]], []
    for n in range(1, len(headers)):
        here, there = headers[n], kept[-1]
        if along_mm[n] - float(np.asarray(there.position_mm) @ axes_of(headers[0])[:, 2]) >= SAME_PLACE_MM:
            kept.append(here)
            continue
        sideways_mm = float(np.abs(np.subtract(here.position_mm or (), there.position_mm or ())).max())
        if sideways_mm < SAME_PLACE_MM and _equal_pixels(here, there):
            copies.append(here)
            continue
        twice = int((np.diff(along_mm) < SAME_PLACE_MM).sum())
        several = (
            "several phases" if here.dimensions != there.dimensions else "other pixels at the same place"
        )
        text = (
            f"{twice} positions hold more than one image ({several}), first {there.label} and "
            f"{here.label} at {along_mm[n]:.1f} mm along their normal ({where(here)})."
        )
        return headers, [failure("duplicate-slice", text, here.path.name)]
    if not copies:
        return kept, []
    text = (
        f"{len(copies)} slices were there twice with the same pixels; the copies were left out "
        f"({names_of(copies)})."
    )
    return kept, [note("duplicate-dropped", text, copies[0].path.name)]


def _equal_pixels(here: Header, there: Header) -> bool:
    try:
        return pixel_digest(here) == pixel_digest(there)
    except ImageError:  # what cannot be read cannot be shown to be a copy
        return False


def odd_steps(steps: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell which slice distances are not the usual one."""
    usual = float(np.median(steps))
    return np.asarray(np.abs(steps - usual) > max(_STEP_TOLERANCE * usual, _STEP_TOLERANCE_MM))


def _gaps(headers: list[Header], along_mm: FloatArray) -> tuple[list[Finding], float]:
    """Return what is odd about the slice distances, and the distance that even slices should have."""
    steps = np.diff(along_mm)
    usual = float(np.median(steps))
    odd = np.flatnonzero(odd_steps(steps))
    even = np.linspace(along_mm[0], along_mm[-1], len(along_mm))
    stretch_mm = float(np.abs(along_mm - even).max())
    if len(odd) == 0 and stretch_mm <= _MOST_STRETCH_MM:
        return [], usual
    n = int(odd[0]) if len(odd) else int(np.argmax(np.abs(along_mm - even)[:-1]))
    name = headers[n].path.name
    between = "; ".join(
        f"between {headers[m].label} at {along_mm[m]:.1f} mm and {headers[m + 1].label} "
        f"at {along_mm[m + 1]:.1f} mm"
        for m in (odd[:5] if len(odd) else [n])
    ) + (f" and {len(odd) - 5} more places" if len(odd) > 5 else "")
    multiples = np.rint(steps[odd] / usual)
    tolerance = 2 * max(_STEP_TOLERANCE * usual, _STEP_TOLERANCE_MM)
    missing = len(odd) > 0 and bool(
        np.all(multiples >= 2) and np.all(np.abs(steps[odd] - multiples * usual) <= tolerance)
    )
    if missing:
        lost = int((multiples - 1).sum())
        words = "1 slice is" if lost == 1 else f"{lost} slices are"
        text = f"{words} missing, {between}; the others are {usual:g} mm apart."
        code, spacing_mm = "missing-slice", usual
    elif len(odd):
        text = f"The slices are not evenly spaced: {steps[n]:.2f} mm {between}, {usual:.2f} mm elsewhere."
        code, spacing_mm = "uneven-spacing", float(np.quantile(steps, 0.25))
    else:
        text = (
            f"The slices are not evenly spaced: {name} lies {stretch_mm:.2f} mm from its place in an even "
            "stack."
        )
        code, spacing_mm = "uneven-spacing", usual
    if steps.max() > _WIDEST_HOLE_MM and steps.max() > 1.5 * usual:
        text += f" A hole of {steps.max():.0f} mm is too wide to interpolate."
        return [failure(code, text, name)], spacing_mm
    return [warning(code, f"{text} {offer(code)}", name)], spacing_mm


def _drift(headers: list[Header], positions: FloatArray, axes: FloatArray) -> list[Finding]:
    """Check that the slices lie straight above each other along their normal."""
    from_first = positions - positions[0]
    along = from_first @ axes[:, 2]
    sideways = from_first - np.outer(along, axes[:, 2])
    drift_mm = np.linalg.norm(sideways, axis=1)
    name = headers[0].path.name
    if drift_mm.max() <= _DRIFT_TOLERANCE_MM:
        stated = headers[0].gantry_tilt_deg
        if stated is not None and abs(stated) > 0.05:
            return [note("gantry-tilt-stated", f"The header states a gantry tilt of {stated:g} degrees; the "
                        "slices lie straight above each other.", name)]  # fmt: skip
        return []
    straight = np.outer(along / along[-1], sideways[-1])
    beside_mm = np.linalg.norm(sideways - straight, axis=1)
    if beside_mm.max() > _DRIFT_TOLERANCE_MM:
        worst = int(np.argmax(beside_mm))
        text = (
            f"{headers[worst].label} ({where(headers[worst])}) lies {beside_mm[worst]:.1f} mm beside the "
            f"line from the first slice {headers[0].label} to the last."
        )
        return [failure("shifted-slices", text, headers[worst].path.name)]
    angle = float(np.degrees(np.arctan2(drift_mm[-1], along[-1])))
    text = (
        f"The slices are sheared by a gantry tilt of {angle:.1f} degrees: the last slice "
        f"({headers[-1].label}) lies {drift_mm[-1]:.1f} mm beside the first ({headers[0].label})."
    )
    if angle > _MOST_TILT_DEG:
        return [failure("gantry-tilt", f"{text} No gantry tilts so far.", name)]
    return [warning("gantry-tilt", f"{text} {offer('gantry-tilt')}", name)]
