"""DICOM slices -> one regular orthogonal stack, or the reason why they are none.

SimpleITK stacks what it is given: measured, a missing slice stretches the others, a tilted gantry becomes a
straight block and a localizer is woven in, all without an error. So the headers are grouped, sorted and
checked here, and only a proven list goes to the reader.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.image.dicom_frames import frames_of
from cryoplan.image.dicom_geometry import (
    axes_of,
    failure,
    frame_of,
    names_of,
    note,
    odd_steps,
    stack_up,
    warning,
    where,
)
from cryoplan.image.dicom_header import Header
from cryoplan.image.dicom_kinds import CT, CT_CLASSES, ENHANCED, LABELMAP_SEG, MR, SEG, kind_in_words
from cryoplan.image.dicom_split import SAME_PLACE_MM, split_by_dimension
from cryoplan.image.path_check import UNREADABLE_NAME, name_trouble, shown_name
from cryoplan.image.verdict import verdict

FloatArray = npt.NDArray[np.float64]

_MOST_LOCALIZERS = 6
# Over a field of view of 400 mm this is a tenth of a millimetre.
_SAME_AXES = 2.5e-4


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
    part : str
        Which of several volumes in one series, such as ``echo=2.3``; empty when there is one.
    is_repair : bool
        True when the slices must be resampled onto `grid` from their true positions.
    """

    headers: tuple[Header, ...]
    grid: Grid | None
    findings: tuple[Finding, ...] = field(default=())
    part: str = ""
    is_repair: bool = False

    @property
    def key(self) -> str:
        """What names this volume: the UID of the series, and the part after ``#`` when it holds several."""
        return self.first.series_uid + (f"#{self.part}" if self.part else "")

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
        part = f"{self.part}, " if self.part else ""
        return f"{name} ({part}{self.first.modality or 'unknown'}, {len(self.headers)} images)"


def make_stacks(headers: Sequence[Header]) -> tuple[Stack, ...]:
    """Group headers into series, in the order in which they first appear, and check each."""
    series: dict[tuple[str, ...], list[Header]] = defaultdict(list)
    for header in headers:
        # Classes are never mixed: a segmentation exported into the series of its CT is still one.
        kind = "slices" if header.is_slice else header.sop_class
        if header.sop_class in ENHANCED and not header.pixels_missing and (frames := frames_of(header)):
            for frame in frames:
                stack_id = dict(frame.dimensions).get("stack", "")
                series[(header.study_uid, header.series_uid, str(header.path), stack_id)].append(frame)
        else:
            series[(header.study_uid, header.series_uid, kind)].append(header)
    return _with_own_keys([stack for group in series.values() for stack in _check_series(group)])


def _with_own_keys(stacks: list[Stack]) -> tuple[Stack, ...]:
    """Tell image stacks apart whose series and part are the same, as stacks of one enhanced file are."""
    seen: Counter[str] = Counter()
    total = Counter(s.key for s in stacks if s.is_image)
    result = []
    for stack in stacks:
        if stack.is_image and total[stack.key] > 1:
            seen[stack.key] += 1
            number = f"volume={seen[stack.key]}"
            stack = replace(stack, part=f"{stack.part},{number}" if stack.part else number)
        result.append(stack)
    return tuple(result)


def _check_series(headers: list[Header]) -> list[Stack]:
    first = headers[0]

    def refused(finding: Finding) -> list[Stack]:
        return [Stack(headers=tuple(headers), grid=None, findings=(*findings, finding))]

    findings: list[Finding] = []
    if odd := next((h.path for h in headers if name_trouble(h.path)), None):
        return refused(failure(UNREADABLE_NAME, name_trouble(odd), shown_name(odd)))
    if broken := [h for h in headers if h.pixels_missing]:
        place = f" ({where(broken[0])})" if broken[0].position_mm else ""
        text = f"The pixels of {names_of(broken)} are cut short{place}."
        return refused(failure("truncated-file", text, broken[0].path.name))
    if not first.is_slice:
        return refused(_why_no_slices(first))
    if all("LOCALIZER" in h.image_type for h in headers):
        text = f"{names_of(headers)} are localizer images (scouts), not a volume."
        return refused(failure("localizer", text, first.path.name))
    if colour := [h for h in headers if h.samples != 1]:
        return refused(failure("colour-image", f"{names_of(colour)} are colour images.", colour[0].path.name))
    if negative := [h for h in headers if h.inverted]:
        text = f"The pixels of {names_of(negative)} are stored inverted (MONOCHROME1)."
        return refused(failure("inverted-pixels", text, negative[0].path.name))
    if shifted := [h for h in headers if h.shifted]:
        text = f"The pixels of {names_of(shifted)} do not begin at the lowest bit of their words."
        return refused(failure("shifted-bits", text, shifted[0].path.name))
    if lost := [h for h in headers if frame_of(h) is None]:
        text = f"{names_of(lost)} state no usable position, orientation or pixel spacing."
        return refused(failure("no-position", text, lost[0].path.name))
    if flat := [h for h in headers if h.slope == 0]:
        text = f"{names_of(flat)} state a rescale slope of 0: every pixel would be the same."
        return refused(failure("bad-rescale", text, flat[0].path.name))
    kept, dropped, mixture = _main_group(headers)
    if mixture is not None:
        return refused(mixture)
    if dropped:
        text = f"{len(dropped)} localizer images of another orientation were left out ({names_of(dropped)})."
        findings.append(note("localizer-dropped", text, dropped[0].path.name))
    frames = {h.frame_of_reference_uid: h for h in reversed(kept)}
    if len(frames) > 1:
        a, *_, b = reversed(frames.values())
        text = (
            f"The slices belong to {len(frames)} frames of reference: {a.label} ({where(a)}) and "
            f"{b.label} ({where(b)}) cannot be placed together."
        )
        return refused(failure("mixed-frame-of-reference", text, b.path.name))
    if parts := _parts(kept):
        text = f"The series holds {len(parts)} volumes, told apart by {_dimensions(parts)}."
        findings.append(note("series-split", text, kept[0].path.name))
        return [_check_volume(part, findings, label) for label, part in parts.items()]
    return [_check_volume(kept, findings, "")]


def _check_volume(headers: list[Header], findings: list[Finding], part: str) -> Stack:
    ordered, grid, geometry = stack_up(headers)
    return Stack(
        headers=tuple(ordered),
        grid=grid,
        findings=(*findings, *geometry, *_values(ordered)),
        part=part,
        is_repair=any(f.level is Level.WARN for f in geometry),
    )


def _values(headers: list[Header]) -> list[Finding]:
    """Say what is to be known about the pixel values before they are trusted."""
    findings = []
    name = headers[0].path.name
    if lossy := [h for h in headers if h.lossy]:
        ratios = sorted({h.lossy for h in lossy})
        text = (
            f"{len(lossy)} of {len(headers)} slices were compressed with loss "
            f"(ratio {', '.join(ratios[:3])}): fine detail may be missing or made up."
        )
        findings.append(warning("lossy-compression", text, lossy[0].path.name))
    bare = [h for h in headers if not h.rescaled]
    if bare and headers[0].sop_class in CT_CLASSES:
        text = f"{names_of(bare)} do not say how pixels become Hounsfield units; they were taken as they are."
        findings.append(warning("no-rescale", text, name))
    return findings


def _parts(headers: list[Header]) -> dict[str, list[Header]]:
    """Return the volumes of a series that holds several, empty when it is one (or no good at all)."""
    normal = axes_of(headers[0])[:, 2]
    if len(headers) < 4:
        return {}
    along = np.sort(np.array([h.position_mm for h in headers], float) @ normal)
    steps = np.diff(along)
    if steps.min() < SAME_PLACE_MM:
        return split_by_dimension(headers, normal)
    if odd_steps(steps).any():
        # Phases whose tables stood at other heights interleave; alone each of them is even.
        return split_by_dimension(headers, normal, lambda part: len(part) > 2 and _is_even(part, normal))
    return {}


def _is_even(headers: list[Header], normal: FloatArray) -> bool:
    along = np.sort(np.array([h.position_mm for h in headers], float) @ normal)
    return not odd_steps(np.diff(along)).any()


def _dimensions(parts: dict[str, list[Header]]) -> str:
    return " and ".join(pair.partition("=")[0] for pair in next(iter(parts)).split(","))


def _why_no_slices(header: Header) -> Finding:
    name = header.path.name
    if header.sop_class in (SEG, LABELMAP_SEG):
        labels = ", ".join(label or "unnamed" for label in header.segments)
        return note("segmentation", f"{name} is a DICOM segmentation of {labels}.", name)
    if header.sop_class in ENHANCED or (header.sop_class in (CT, MR) and header.frames > 1):
        text = f"{name} holds {header.frames} frames, and does not say of each where it lies."
        return failure("enhanced-multiframe", text, name)
    what = kind_in_words(header.sop_class, header.modality)
    return failure("not-ct-or-mr", f"{name} is {what}, not a CT or MR series.", name)


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
        if np.abs(axes_of(here) - axes_of(there)).max() > _SAME_AXES:
            text = f"{names_of(group)} have another orientation than the other {len(kept)} slices."
            return kept, dropped, failure("mixed-orientation", text, name)
        if (here.rows, here.columns) != (there.rows, there.columns):
            sizes = f"{here.columns} x {here.rows} against {there.columns} x {there.rows} pixels"
            return (
                kept,
                dropped,
                failure("mixed-size", f"{names_of(group)} have another matrix: {sizes}.", name),
            )
        text = f"{names_of(group)} have another pixel spacing than the other {len(kept)} slices."
        return kept, dropped, failure("mixed-spacing", text, name)
    return kept, dropped, None


def _alike(a: Header, b: Header) -> bool:
    return (
        (a.rows, a.columns, a.sop_class) == (b.rows, b.columns, b.sop_class)
        and bool(np.abs(axes_of(a) - axes_of(b)).max() <= _SAME_AXES)
        and np.allclose(a.pixel_spacing_mm or (), b.pixel_spacing_mm or (), rtol=2e-4, atol=0.0)
    )


def _is_localizer_of(group: list[Header], kept: list[Header]) -> bool:
    """Tell whether `group` are localizers: they say so, or are a few images across the others."""
    if all("LOCALIZER" in h.image_type for h in group):
        return True
    across = abs(float(axes_of(group[0])[:, 2] @ axes_of(kept[0])[:, 2])) < 0.5
    return across and len(group) <= min(_MOST_LOCALIZERS, max(1, len(kept) // 3 + 1))
