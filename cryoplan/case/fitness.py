"""Fitness: whether an image is good enough to plan on; every answer with its reason and its limit.

Nothing here stops a plan: a finding of level fail says that numbers of this image cannot be relied on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import numpy as np
import numpy.typing as npt

from cryoplan.case.case import Case
from cryoplan.case.skin import body_mask
from cryoplan.case.structure import Role
from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid
from cryoplan.core.sourced import Sourced
from cryoplan.image.scan import LOWEST_HU, Scan, ScanFacts

THIN_MM = Sourced(
    value=5.0,
    unit="mm",
    source="a margin of 5 mm around the tumour cannot be told in slices thicker than itself",
    how="derived",
)
THICK_MM = Sourced(value=8.0, unit="mm", source="a third of a 25 mm tumour in one slice", how="assumed")
GAP_SHARE = Sourced(value=0.1, unit="", source="a tenth of a slice unseen between two slices", how="assumed")
TILT_DEG = Sourced(value=0.5, unit="deg", source="1 mm over 115 mm of depth", how="derived")
METAL_HU = Sourced(
    value=3000.0,
    unit="HU",
    source="a 12-bit CT ends at 3071 HU; cortical bone and enamel stay below 3000 HU",
    how="recalled",
)
METAL_ML = Sourced(value=0.05, unit="ml", source="a clip or a seed; less is noise", how="assumed")
FRESH_DAYS = Sourced(value=42.0, unit="days", source="six weeks between imaging and treatment", how="assumed")
OLD_DAYS = Sourced(value=180.0, unit="days", source="half a year: a new scan is due", how="assumed")
CUT_SHARE = Sourced(value=0.02, unit="", source="of the slices; less is a finger at the edge", how="assumed")

PADDING_HU = -1900.0
"""Below any CT value of air (-1024): what scanners write outside their round field of view."""

CLIPPED = "padding-clipped"
"""Finding of an image whose padding was raised to the lowest CT value when it was read."""

_ENHANCED = re.compile(r"\b(portal|arterial|art|ven(ous)?|pv|late|delayed|contrast|ce|enhanced|\+c)\b", re.I)
_NATIVE = re.compile(r"\b(native|nativ|unenhanced|non[- ]?contrast|without contrast|nc|w/?o)\b", re.I)


def check_fitness(case: Case, *, today: date) -> tuple[Finding, ...]:
    """Judge an image for planning, without changing anything.

    Parameters
    ----------
    case : Case
        Image and structures.
    today : datetime.date
        What the age of the image is counted to.

    Returns
    -------
    tuple of Finding
        One each for slices, phase, tilt, position, field of view, metal, age and compression. Codes begin
        with ``fit-``; limits that are assumed say so in their text.
    """
    facts = case.scan.facts
    return (
        _slices(case),
        _phase(facts),
        _tilt(facts),
        _position(facts),
        _field(case),
        *_metal(case),
        _age(facts, today),
        _compression(facts),
    )


def _finding(level: Level, code: str, text: str) -> Finding:
    return Finding(level=level, code=f"fit-{code}", text=text)


def _limit(limit: Sourced) -> str:
    unit = f" {limit.unit}" if limit.unit else ""
    return f"limit {limit.value:g}{unit}{', ' + limit.how if limit.is_guess else ''}"


def _slices(case: Case) -> Finding:
    facts = case.scan.facts
    axes, spacing = case.scan.volume.grid.axes, case.scan.volume.grid.spacing_mm
    # The slices of a file without a header are taken across its coarsest axis.
    step = float(spacing[2] if facts.slice_thickness_mm is not None else max(spacing))
    thickness = facts.slice_thickness_mm
    thickest = max(step, thickness or 0.0)
    text = f"Slices of {thickness:g} mm, {step:.3g} mm apart" if thickness else f"Slices {step:.3g} mm apart"
    if abs(axes[2]).max() < 0.99:
        text += ", oblique to the patient"
    if thickest > THICK_MM.value:
        return _finding(Level.FAIL, "slices", f"{text}: too thick to see a margin ({_limit(THICK_MM)}).")
    if thickest > THIN_MM.value:
        return _finding(Level.WARN, "slices", f"{text}: thicker than a usual margin ({_limit(THIN_MM)}).")
    if thickness and step > thickness * (1.0 + GAP_SHARE.value):
        gap = f"{step - thickness:.3g} mm between two slices were not imaged"
        return _finding(Level.WARN, "slices", f"{text}: {gap} (limit a tenth of a slice, {GAP_SHARE.how}).")
    return _finding(Level.OK, "slices", f"{text} ({_limit(THIN_MM)}).")


def _phase(facts: ScanFacts) -> Finding:
    what = facts.description
    if facts.modality and facts.modality != "CT":
        text = f"{facts.modality}, {what}." if what else f"{facts.modality} without a description."
        return _finding(Level.OK if what else Level.WARN, "phase", f"Sequence: {text}")
    if _NATIVE.search(what):
        return _finding(
            Level.WARN, "phase", f"Without contrast ({what}): tumour and vessels may not be seen."
        )
    if _ENHANCED.search(what):
        return _finding(Level.OK, "phase", f"With contrast, by its description: {what}.")
    return _finding(
        Level.WARN, "phase", "Contrast phase unknown: the description does not say. Look at vessels."
    )


def _tilt(facts: ScanFacts) -> Finding:
    tilt = facts.gantry_tilt_deg
    if tilt is not None and abs(tilt) > TILT_DEG.value:
        text = f"Scanned with the gantry tilted by {tilt:.1f}°: angles of the room differ by it."
        return _finding(Level.WARN, "tilt", text.replace("-", "\N{MINUS SIGN}"))
    return _finding(Level.OK, "tilt", "No gantry tilt." if tilt is not None else "No gantry tilt is stated.")


def _position(facts: ScanFacts) -> Finding:
    code = facts.patient_position.strip().upper()
    if not code:
        text = "Patient position unknown: compare with the room before a needle goes in."
        return _finding(Level.WARN, "position", text)
    lying = {"S": "on the back", "P": "on the front", "DL": "on the left side", "DR": "on the right side"}
    words = lying.get(code[2:])
    if code[:2] not in ("HF", "FF") or words is None:
        return _finding(Level.WARN, "position", f"Patient position {code} is not a usual one.")
    feet = ", feet first" if code.startswith("FF") else ""
    text = f"Lay {words}{feet} ({code}): the plan holds for this position only."
    return _finding(Level.OK, "position", text)


def _field(case: Case) -> Finding:
    body = body_mask(case)
    if body is None:
        text = "Nothing tells where the skin is: no CT, and no body is outlined."
        return _finding(Level.WARN, "field", text)
    if not body.values.any():
        return _finding(Level.FAIL, "field", "No body was found in the image.")
    cut = _cut_slices(case)
    share = cut.mean()
    if share <= CUT_SHARE.value:
        return _finding(Level.OK, "field", f"The skin lies wholly in the field of view ({_source(case)}).")
    text = (
        f"The skin is cut off in {cut.sum()} of {cut.size} slices, {100 * share:.0f} %: entries and paths "
        f"there cannot be seen."
    )
    return _finding(Level.FAIL if share > 0.5 else Level.WARN, "field", text)


def _source(case: Case) -> str:
    """Say in a few words where the body comes from."""
    outlined = any(s.role is Role.BODY for s in case.structures)
    return "outlined" if outlined else "by its CT values"


def _cut_slices(case: Case) -> npt.NDArray[np.bool_]:
    """Tell for each slice (across the axis nearest to head-feet) whether the body meets the edge in it."""
    from scipy import ndimage

    body = body_mask(case)
    assert body is not None
    across = 2 - int(np.argmax(np.abs(body.grid.axes[2])))
    values = np.moveaxis(body.values, across, 0)
    cut: npt.NDArray[np.bool_] = np.asarray(
        values[:, 0].any(axis=1)
        | values[:, -1].any(axis=1)
        | values[:, :, 0].any(axis=1)
        | values[:, :, -1].any(axis=1)
    )
    if case.scan.facts.has_hounsfield:
        for n, padding in enumerate(_padding(case.scan, body.grid)):
            if padding.any():
                beside = ndimage.binary_dilation(padding, np.ones((3, 3), bool)) & body.values[n]
                # A layer of the array is one slice, or (when they run another way) a line of each.
                if across == 0:
                    cut[n] |= beside.any()
                else:
                    cut |= beside.any(axis=2 - across)
    return np.asarray(cut)


def _padding(scan: Scan, grid: Grid) -> Iterator[npt.NDArray[np.bool_]]:
    """Tell for each voxel of a grid, layer by layer, whether the image holds no measurement there.

    Padding that was clipped when the image was read is told from air by going on, at exactly the lowest CT
    value, from the edge of the layer: measured air wavers.
    """
    from scipy import ndimage

    image, clipped = scan.volume, any(f.code == CLIPPED for f in scan.facts.findings)
    rows, columns = np.indices(grid.shape[1:])
    for layer in range(grid.shape[0]):
        points = grid.index_to_mm(np.stack([columns, rows, np.full_like(rows, layer)], axis=-1))
        index = np.rint(image.grid.mm_to_index(points)).astype(int)
        index = np.clip(index, 0, np.asarray(image.grid.size) - 1)
        values = image.values[index[..., 2], index[..., 1], index[..., 0]]
        padding = np.asarray(values < PADDING_HU)
        if clipped:
            parts, _ = ndimage.label(values <= LOWEST_HU)
            edge = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
            padding |= np.isin(parts, edge[edge > 0])
        yield padding


def _metal(case: Case) -> Iterator[Finding]:
    if not case.scan.facts.has_hounsfield:
        return
    image = case.scan.volume
    places = np.argwhere(image.values >= METAL_HU.value)
    volume_ml = len(places) * image.grid.voxel_volume_ml
    if volume_ml < METAL_ML.value:
        yield _finding(Level.OK, "metal", f"No metal ({_limit(METAL_HU)}).")
        return
    text = f"Metal, {volume_ml:.1f} ml above {METAL_HU.value:.0f} HU ({METAL_HU.how})"
    target = case.target
    if target is not None:
        own = np.argwhere(target.mask.values)
        centre = target.mask.grid.index_to_mm(own.mean(axis=0)[::-1])
        # A few thousand voxels tell the distance as well as all of them.
        thinned = places[:: max(1, len(places) // 5000)]
        gaps = np.linalg.norm(image.grid.index_to_mm(thinned[:, ::-1]) - centre, axis=1)
        text += f", nearest {gaps.min():.0f} mm from the middle of {target.name}"
    yield _finding(Level.WARN, "metal", f"{text}: streaks may hide the tumour's edge.")


def _age(facts: ScanFacts, today: date) -> Finding:
    try:
        taken = date.fromisoformat(facts.acquired_on)
    except ValueError:
        return _finding(Level.WARN, "age", "The date of the scan is unknown.")
    days = (today - taken).days
    if days < 0:
        return _finding(Level.FAIL, "age", f"The scan is dated in the future ({taken}): check the clock.")
    text = f"The scan is {days} days old"
    if days > OLD_DAYS.value:
        return _finding(Level.FAIL, "age", f"{text}: the tumour may have changed ({_limit(OLD_DAYS)}).")
    if days > FRESH_DAYS.value:
        return _finding(Level.WARN, "age", f"{text}: the tumour may have grown ({_limit(FRESH_DAYS)}).")
    return _finding(Level.OK, "age", f"{text} ({_limit(FRESH_DAYS)}).")


def _compression(facts: ScanFacts) -> Finding:
    for finding in facts.findings:
        if finding.code.startswith("lossy"):
            return _finding(Level.WARN, "compression", finding.text)
    if facts.kind == "dicom-series":
        return _finding(Level.OK, "compression", "Not compressed with loss, as far as the header says.")
    return _finding(Level.OK, "compression", "This kind of file does not compress with loss.")
