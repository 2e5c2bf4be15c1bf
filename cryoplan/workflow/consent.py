"""Consent: what a user agrees to when an image is opened in spite of a warning, in plain words.

An image with a warning is loaded only after a yes (`cryoplan.image.verdict.settle`), so the warnings of a
loaded scan are what was agreed to: they go with the case file, stand above the views and in the report.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cryoplan.case.case import Case
from cryoplan.core.finding import Finding, Level
from cryoplan.image.dicom_repair import without_offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a yes to one code means.

    Attributes
    ----------
    title : str
        What is wrong, in few words.
    does : str
        What the program will do.
    means : str
        What follows for the accuracy of a plan.
    done : str
        What was done, in few words, for the history and above the views.
    """

    title: str
    does: str
    means: str
    done: str


TERMS = {
    "gantry-tilt": Terms(
        title="Tilted gantry",
        does="Each slice is shifted within its own plane to where it truly lies, onto one straight grid.",
        means="Positions stay right to a tenth of a millimetre. Edges become softer by less than a pixel. "
        "Angles read from the plan are those of the patient; the room's differ by the tilt.",
        done="gantry tilt straightened",
    ),
    "missing-slice": Terms(
        title="Missing slices",
        does="The gaps are filled with values interpolated between the slices on both sides; the slices that "
        "are there stay as they are.",
        means="Positions stay right, but nothing was measured in a gap: a vessel or the edge of a tumour "
        "there cannot be seen. Do not plan where a gap meets the tumour or the path.",
        done="missing slices filled in",
    ),
    "uneven-spacing": Terms(
        title="Uneven slice distances",
        does="Evenly spaced slices are interpolated from the true positions of those that are there.",
        means="Positions stay right. Between two slices that lie far apart, values are estimates and small "
        "things may be missed.",
        done="uneven slices made even",
    ),
    "images-left-out": Terms(
        title="Images that do not fit",
        does="The series is opened without these images.",
        means="The volume may end early or miss a part: check that it covers the tumour, the way in and the "
        "skin.",
        done="images left out",
    ),
    "damaged-file": Terms(
        title="Damaged files",
        does="The series is opened without these files.",
        means="Slices may be missing at an end: check that it covers the tumour, the way in and the skin.",
        done="damaged files left out",
    ),
    "disc-files-missing": Terms(
        title="Files missing on the disc",
        does="The series is opened without these files.",
        means="Slices may be missing at an end: check that it covers the tumour, the way in and the skin.",
        done="opened without files that the disc lacks",
    ),
    "lossy-compression": Terms(
        title="Compressed with loss",
        does="Nothing can be repaired; the image is opened as it is.",
        means="Positions are right. Fine detail and values may be wrong: a thin vessel, a small lesion, the "
        "edge of a tumour.",
        done="compressed with loss",
    ),
    "no-rescale": Terms(
        title="No scale for Hounsfield units",
        does="The stored numbers are taken as Hounsfield units.",
        means="Positions are right. Skin, fat, lung and metal are told by their values, so compare air "
        "(about -1000) and water (about 0) in the image before you plan.",
        done="Hounsfield scale not stated",
    ),
    "two-orientations": Terms(
        title="Two positions stated",
        does="The first of the two (the sform) is used.",
        means="If it is the wrong one, everything lies displaced or turned. Compare with an image of which "
        "you know the position.",
        done="one of two stated positions used",
    ),
    "orientation-unknown": Terms(
        title="Orientation unknown",
        does="The usual orientation of such files is assumed.",
        means="Left and right, or front and back, may be swapped. Find the liver or the heart first and do "
        "not plan unless you are sure.",
        done="orientation assumed",
    ),
    "position-unknown": Terms(
        title="Position unknown",
        does="The first voxel is taken as the origin.",
        means="Distances within the image are right. Coordinates of the scanner are not known.",
        done="position assumed",
    ),
    "extra-bytes": Terms(
        title="More data than announced",
        does="The bytes beyond the announced voxels are left out.",
        means="The image is probably right, but was written by a careless program: look at its last slices.",
        done="extra bytes left out",
    ),
}
"""By the code of a finding that `settle` asks about."""

_ANY = Terms(
    title="Unusual image",
    does="The image is opened as it is.",
    means="Look at it closely before you rely on it.",
    done="opened in spite of a warning",
)


def terms(code: str) -> Terms:
    """Return what a yes to a code means."""
    return TERMS.get(code, _ANY)


def to_agree(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return those findings that need a yes before an image is loaded."""
    return tuple(f for f in dict.fromkeys(findings) if f.level is Level.WARN)


def what_is_wrong(finding: Finding) -> str:
    """Return what was found, with files and positions, without what can be done about it."""
    return without_offer(finding)


def codes(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return the codes that say yes to findings, each once."""
    return tuple(dict.fromkeys(f.code for f in findings))


def agreed(case: Case) -> tuple[Finding, ...]:
    """Return what was agreed to when the image of a case was opened."""
    return to_agree(case.scan.facts.findings)


def agreed_in_words(findings: Collection[Finding]) -> str:
    """Return in one line what was agreed to, such as ``gantry tilt straightened``."""
    return ", ".join(dict.fromkeys(terms(code).done for code in codes(findings)))


def created_text(case: Case) -> str:
    """Return the first sentence of a history: that the case was made, and what was agreed to for it."""
    findings = agreed(case)
    if not findings:
        return "Case created"
    words = f"{agreed_in_words(findings)} ({', '.join(codes(findings))})"
    return f"Case created. Agreed to when the image was opened: {words}"
