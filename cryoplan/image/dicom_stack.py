"""DICOM slices -> one regular orthogonal stack, or the reason why they are none.

SimpleITK stacks what it is given: measured, a missing slice stretches the others, a tilted gantry becomes a
straight block and a localizer is woven in, all without an error. So the headers are grouped, sorted and
checked here, and only a proven list goes to the reader.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.image.dicom_header import CT, ENHANCED, LABELMAP_SEG, MR, RTSTRUCT, SEG, Header
from cryoplan.image.verdict import check_extent, verdict

FloatArray = npt.NDArray[np.float64]

# Scanners and anonymisers round positions to 0.01 mm or worse; table feeds vary by hundredths.
_STEP_TOLERANCE = 0.02
_STEP_TOLERANCE_MM = 0.02
# Sideways drift over the whole stack that rounding of positions and direction cosines can explain.
_DRIFT_TOLERANCE_MM = 0.2
_MOST_LOCALIZERS = 6

_OTHER_KINDS = {
    SEG: "a DICOM segmentation",
    LABELMAP_SEG: "a DICOM label map segmentation",
    RTSTRUCT: "a DICOM structure set (contours)",
    "1.2.840.10008.5.1.4.1.1.481.2": "a radiotherapy dose",
    "1.2.840.10008.5.1.4.1.1.481.5": "a radiotherapy plan",
    "1.2.840.10008.5.1.4.1.1.7": "a screenshot (secondary capture)",
    "1.2.840.10008.5.1.4.1.1.104.1": "a PDF",
    "1.2.840.10008.5.1.4.1.1.128": "a PET series",
    "1.2.840.10008.5.1.4.1.1.1": "an X-ray image",
    "1.2.840.10008.5.1.4.1.1.1.1": "an X-ray image",
    "1.2.840.10008.5.1.4.1.1.11.1": "a presentation state",
    "1.2.840.10008.5.1.4.1.1.88.67": "a dose report",
    "1.2.840.10008.5.1.4.1.1.66.1": "a spatial registration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One series of a folder: its slices in order along their normal, and what was found.

    Attributes
    ----------
    headers : tuple of Header
        The slices that make the volume (or, for a refused series, all its files).
    grid : Grid or None
        Where the voxels are, from the headers; None when they are no regular orthogonal stack.
    findings : tuple of Finding
        A series with a finding that fails is refused.
    """

    headers: tuple[Header, ...]
    grid: Grid | None
    findings: tuple[Finding, ...] = field(default=())

    @property
    def first(self) -> Header:
        """The first slice, which speaks for the series."""
        return self.headers[0]

    @property
    def is_image(self) -> bool:
        """True for CT and MR images, single-frame or enhanced; false for segmentations and the like."""
        return self.first.sop_class in (CT, MR) or self.first.sop_class in ENHANCED

    @property
    def is_localizer(self) -> bool:
        """True when all its images say that they are localizers."""
        return all("LOCALIZER" in h.image_type for h in self.headers)

    @property
    def verdict(self) -> str:
        """``ok``, ``warn`` or ``refused``."""
        return verdict(self.findings)

    @property
    def title(self) -> str:
        """Series in a few words for messages."""
        name = self.first.description or "series without a description"
        return f"{name} ({self.first.modality or 'unknown'}, {len(self.headers)} images)"


def make_stacks(headers: Sequence[Header]) -> tuple[Stack, ...]:
    """Group headers into series, in the order in which they first appear, and check each."""
    series: dict[tuple[str, str, str], list[Header]] = defaultdict(list)
    for header in headers:
        # Classes are never mixed: a segmentation exported into the series of its CT is still one.
        kind = header.sop_class if not header.is_slice else "slices"
        series[(header.study_uid, header.series_uid, kind)].append(header)
    return tuple(_check_series(group) for group in series.values())


def _check_series(headers: list[Header]) -> Stack:
    first = headers[0]

    def refused(finding: Finding) -> Stack:
        return Stack(headers=tuple(headers), grid=None, findings=(*findings, finding))

    findings: list[Finding] = []
    if broken := [h for h in headers if h.pixels_missing]:
        names = _names(broken)
        return refused(_fail("truncated-file", f"The pixels of {names} are cut short.", broken[0].path.name))
    if not first.is_slice:
        return refused(_why_no_slices(first))
    if colour := [h for h in headers if h.samples != 1]:
        return refused(_fail("colour-image", f"{_names(colour)} are colour images.", colour[0].path.name))
    if lost := [h for h in headers if _frame(h) is None]:
        text = f"{_names(lost)} state no usable position, orientation or pixel spacing."
        return refused(_fail("no-position", text, lost[0].path.name))
    kept, dropped, mixture = _main_group(headers)
    if mixture is not None:
        return refused(mixture)
    if dropped:
        text = f"{len(dropped)} localizer images of another orientation were left out ({_names(dropped)})."
        findings.append(_ok("localizer-dropped", text, dropped[0].path.name))
    ordered, grid, geometry = _stack_up(kept)
    findings.extend(geometry)
    if first.frame_of_reference_uid and len({h.frame_of_reference_uid for h in kept}) > 1:
        text = "The slices belong to different frames of reference."
        findings.append(_fail("mixed-orientation", text, kept[0].path.name))
    return Stack(headers=tuple(ordered), grid=grid, findings=tuple(findings))


def _fail(code: str, text: str, place: str) -> Finding:
    return Finding(level=Level.FAIL, code=code, text=text, place=place)


def _ok(code: str, text: str, place: str) -> Finding:
    return Finding(level=Level.OK, code=code, text=text, place=place)


def _names(headers: Sequence[Header]) -> str:
    names = [h.path.name for h in headers[:3]]
    return ", ".join(names) + (f" and {len(headers) - 3} more" if len(headers) > 3 else "")


def _why_no_slices(header: Header) -> Finding:
    name = header.path.name
    if header.sop_class in (SEG, LABELMAP_SEG):
        labels = ", ".join(label or "unnamed" for label in header.segments)
        return _ok("segmentation", f"{name} is a DICOM segmentation of {labels}.", name)
    if header.sop_class in ENHANCED or header.frames > 1:
        return _fail("enhanced-multiframe", f"{name} is an enhanced multi-frame image.", name)
    what = _OTHER_KINDS.get(header.sop_class)
    if what is None:
        what = f"a DICOM object of class {header.sop_class or 'unknown'} ({header.modality or 'no modality'})"
    return _fail("not-ct-or-mr", f"{name} is {what}, not a CT or MR series.", name)


def _frame(header: Header) -> tuple[FloatArray, FloatArray] | None:
    """Return 3 x 3 axes (columns: row, column, normal) and position, or None when they cannot be used."""
    if header.row is None or header.column is None or header.position_mm is None:
        return None
    spacing = header.pixel_spacing_mm
    if spacing is None or min(spacing) <= 0 or min(header.rows, header.columns) < 1:
        return None
    row, column = np.array(header.row), np.array(header.column)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if abs(lengths[0] - 1) > 1e-2 or abs(lengths[1] - 1) > 1e-2 or abs(row @ column) > 1e-3:
        return None
    row = row / lengths[0]
    column = column - row * float(row @ column)
    column = column / np.linalg.norm(column)
    return np.column_stack([row, column, np.cross(row, column)]), np.array(header.position_mm)


def _axes(header: Header) -> FloatArray:
    frame = _frame(header)
    assert frame is not None  # looked at before
    return frame[0]


def _main_group(headers: list[Header]) -> tuple[list[Header], list[Header], Finding | None]:
    """Split off the localizers of a series; a finding says why the rest still does not fit together."""
    groups: list[list[Header]] = []
    for header in headers:
        for group in groups:
            if _alike(group[0], header):
                group.append(header)
                break
        else:
            groups.append([header])
    groups.sort(key=len, reverse=True)
    kept, dropped = groups[0], []
    for group in groups[1:]:
        if _is_localizer_of(group, kept):
            dropped.extend(group)
            continue
        here, there = group[0], kept[0]
        name = here.path.name
        if np.abs(_axes(here) - _axes(there)).max() > 1e-3:
            text = f"{_names(group)} have another orientation than the other {len(kept)} slices."
            return kept, dropped, _fail("mixed-orientation", text, name)
        if (here.rows, here.columns) != (there.rows, there.columns):
            sizes = f"{here.columns} x {here.rows} against {there.columns} x {there.rows} pixels"
            return kept, dropped, _fail("mixed-size", f"{_names(group)} have another matrix: {sizes}.", name)
        text = f"{_names(group)} have another pixel spacing than the other {len(kept)} slices."
        return kept, dropped, _fail("mixed-spacing", text, name)
    return kept, dropped, None


def _alike(a: Header, b: Header) -> bool:
    return (
        (a.rows, a.columns, a.sop_class) == (b.rows, b.columns, b.sop_class)
        and bool(np.abs(_axes(a) - _axes(b)).max() <= 1e-3)
        and np.allclose(a.pixel_spacing_mm or (), b.pixel_spacing_mm or (), rtol=1e-3)
    )


def _is_localizer_of(group: list[Header], kept: list[Header]) -> bool:
    """Tell whether `group` are localizers: they say so, or are a few images across the others."""
    if all("LOCALIZER" in h.image_type for h in group):
        return True
    across = abs(float(_axes(group[0])[:, 2] @ _axes(kept[0])[:, 2])) < 0.5
    return across and len(group) <= min(_MOST_LOCALIZERS, max(1, len(kept) // 3 + 1))


def _stack_up(headers: list[Header]) -> tuple[list[Header], Grid | None, list[Finding]]:
    """Sort along the normal and check that the slices are one straight, even, complete stack."""
    axes = _axes(headers[0])
    positions = np.array([h.position_mm for h in headers], float)
    along_mm = positions @ axes[:, 2]
    order = np.argsort(along_mm, kind="stable")
    headers = [headers[n] for n in order]
    positions, along_mm = positions[order], along_mm[order]
    if len(headers) < 2:
        text = f"The series has one slice only ({headers[0].path.name})."
        return headers, None, [_fail("single-slice", text, headers[0].path.name)]
    steps = np.diff(along_mm)
    if problems := _duplicates(headers, steps, along_mm) or _gaps(headers, steps, along_mm):
        return headers, None, problems
    spacing_mm = float(along_mm[-1] - along_mm[0]) / (len(headers) - 1)
    findings = _drift(headers, positions, axes)
    x_mm, y_mm = headers[0].pixel_spacing_mm or (0.0, 0.0)
    size = (headers[0].columns, headers[0].rows, len(headers))
    findings.extend(check_extent(size, (x_mm, y_mm, spacing_mm), headers[0].path.parent.name or "The series"))
    if any(f.level is Level.FAIL for f in findings):
        return headers, None, findings
    grid = Grid(
        size=size,
        spacing_mm=(x_mm, y_mm, spacing_mm),
        origin_mm=tuple(float(p) for p in positions[0]),  # type: ignore[arg-type]  # three of them
        direction=tuple(float(d) for d in axes.ravel()),
    )
    return headers, grid, findings


def _duplicates(headers: list[Header], steps: FloatArray, along_mm: FloatArray) -> list[Finding]:
    twice = np.flatnonzero(steps < 0.01)
    if len(twice) == 0:
        return []
    a, b = headers[twice[0]], headers[twice[0] + 1]
    several = "several phases" if a.phase != b.phase else "the same slice"
    text = (
        f"{len(twice)} positions hold more than one image ({several}), first {a.path.name} and "
        f"{b.path.name} at {along_mm[twice[0]]:.1f} mm."
    )
    return [_fail("duplicate-slice", text, b.path.name)]


def _gaps(headers: list[Header], steps: FloatArray, along_mm: FloatArray) -> list[Finding]:
    usual = float(np.median(steps))
    tolerance = max(_STEP_TOLERANCE * usual, _STEP_TOLERANCE_MM)
    odd = np.flatnonzero(np.abs(steps - usual) > tolerance)
    if len(odd) == 0:
        return []
    n = int(odd[0])
    between = (
        f"between {headers[n].path.name} at {along_mm[n]:.1f} mm and {headers[n + 1].path.name} "
        f"at {along_mm[n + 1]:.1f} mm"
    )
    multiples = np.rint(steps[odd] / usual)
    missing = bool(np.all(multiples >= 2) and np.all(np.abs(steps[odd] - multiples * usual) <= tolerance * 2))
    if missing:
        lost = int((multiples - 1).sum())
        text = f"{lost} slices are missing, first {between}; the others are {usual:g} mm apart."
        return [_fail("missing-slice", text.replace("1 slices are", "1 slice is", 1) if lost == 1 else text,
                      headers[n].path.name)]  # fmt: skip
    text = f"The slices are not evenly spaced: {steps[n]:.2f} mm {between}, {usual:.2f} mm elsewhere."
    return [_fail("uneven-spacing", text, headers[n].path.name)]


def _drift(headers: list[Header], positions: FloatArray, axes: FloatArray) -> list[Finding]:
    """Check that the slices lie straight above each other along their normal."""
    from_first = positions - positions[0]
    sideways = from_first - np.outer(from_first @ axes[:, 2], axes[:, 2])
    drift_mm = np.linalg.norm(sideways, axis=1)
    name = headers[0].path.name
    if drift_mm.max() <= _DRIFT_TOLERANCE_MM:
        stated = headers[0].gantry_tilt_deg
        if stated is not None and abs(stated) > 0.05:
            return [_ok("gantry-tilt-stated", f"The header states a gantry tilt of {stated:g} degrees; the "
                        "slices lie straight above each other.", name)]  # fmt: skip
        return []
    last = from_first[-1]
    straight = np.outer(np.linspace(0.0, 1.0, len(headers)), sideways[-1])
    if np.linalg.norm(sideways - straight, axis=1).max() > _DRIFT_TOLERANCE_MM:
        worst = int(np.argmax(np.linalg.norm(sideways - straight, axis=1)))
        text = f"{headers[worst].path.name} lies {drift_mm[worst]:.1f} mm beside the first slice {name}."
        return [_fail("shifted-slices", text, headers[worst].path.name)]
    angle = float(np.degrees(np.arctan2(drift_mm[-1], abs(float(last @ axes[:, 2])))))
    text = (
        f"The slices are sheared by a gantry tilt of {angle:.1f} degrees: the last slice lies "
        f"{drift_mm[-1]:.1f} mm beside the first."
    )
    return [_fail("gantry-tilt", text, name)]
