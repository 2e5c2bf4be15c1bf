"""What the open dialog says of a series: one line of the tree, and all of it for the one that is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryoplan.core.finding import Finding, Level
from cryoplan.gui.parts import DASH, SIGNS
from cryoplan.gui.top_bar import POSITIONS
from cryoplan.image.series import SeriesDescription
from cryoplan.image.survey import Sketch
from cryoplan.image.verdict import REFUSED, refusal
from cryoplan.scene.plane import axes_in_words
from cryoplan.workflow import consent

VOLUMES = {"nifti": "NIfTI", "nrrd": "NRRD", "metaimage": "MetaImage"}
NOT_FOR_PLANNING = "not for planning"
_SHORT = {"dicom-seg": "segmentation", "rtstruct": "contours"}
NO_PATIENT = "Files that name no patient"
NO_STUDY = "Examination without a date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the tree, what it stands under, and where.

    Attributes
    ----------
    key : tuple of str
        Tells it from the others while more is read.
    patient, study : str
        Pseudonym, and the examination in words; what it stands under.
    order : tuple
        Among its fellows: images that can be opened first, then refused ones, then the rest.
    cells : tuple of str
        By the columns of the tree.
    tone : str
        Of the last cell; ``muted`` for the whole line where it is not for planning.
    """

    key: tuple[str, str]
    patient: str
    study_uid: str
    study: str
    order: tuple[int, int, str]
    cells: tuple[str, ...]
    tone: str = "text"


def row_of_sketch(sketch: Sketch) -> Row:
    """Return the line of a series that is still being read."""
    return Row(
        key=(sketch.study_uid, sketch.series_uid),
        patient=sketch.patient_code,
        study_uid=sketch.study_uid,
        study=_study(sketch.studied_on, sketch.study_description),
        order=(0, 0, ""),
        cells=(
            sketch.description or "no description",
            sketch.modality,
            str(sketch.images),
            "",
            "",
            "reading ...",
        ),
        tone="muted",
    )


def row_of(series: SeriesDescription) -> Row:
    """Return the line of a series that has been judged."""
    is_dicom = series.kind not in VOLUMES
    word, tone = check_in_words(series)
    rank = (0 if series.is_usable else 1) if not series.what else 2
    number = int(series.series_number) if series.series_number.isdigit() else 10**6
    step = series.grid.spacing_mm[2] if series.grid is not None else None
    return Row(
        key=(series.study_uid, series.uid) if is_dicom else ("", series.path),
        patient=series.patient_code if is_dicom else "",
        study_uid=series.study_uid,
        study=_study(series.studied_on, series.study_description) if is_dicom else "",
        order=(rank, number, title_of(series)),
        cells=(
            _two_lines(series),
            kind_in_short(series),
            str(series.grid.size[2] if series.grid is not None else series.images),
            f"{_mm(series.thickness_mm)} / {_mm(step)}" if not series.what or step else DASH,
            POSITIONS.get(series.patient_position, series.patient_position or DASH)
            if not series.what
            else DASH,
            word,
        ),
        tone=tone,
    )


def title_of(series: SeriesDescription) -> str:
    """Return the name of a series, without its part."""
    return series.description or series.what or "no description"


def kind_in_short(series: SeriesDescription) -> str:
    """Return the modality, or for what is not for planning what it is."""
    if series.what:
        return _SHORT.get(series.kind, series.what.removeprefix("a ").removeprefix("an "))
    return series.modality or VOLUMES.get(series.kind, series.kind)


def check_in_words(series: SeriesDescription) -> tuple[str, str]:
    """Return what the check found in few words with its sign, and a tone."""
    if series.what:
        return f"{DASH} {NOT_FOR_PLANNING}", "muted"
    if series.verdict == REFUSED:
        code = next(f.code for f in series.findings if f.level is Level.FAIL)
        return f"{SIGNS[Level.FAIL]} refused: {code.replace('-', ' ')}", "fail"
    asked = consent.to_agree(series.findings)
    if asked:
        titles = ", ".join(dict.fromkeys(consent.terms(f.code).title for f in asked))
        return f"{SIGNS[Level.WARN]} after a yes: {titles}", "warn"
    return f"{SIGNS[Level.OK]} ok", "ok"


def details_of(series: SeriesDescription) -> list[tuple[str, str]]:
    """Return lines with their tones: what is known, then every finding with what can be done."""
    facts = [kind_in_short(series)]
    if series.grid is not None:
        facts.append(" × ".join(str(n) for n in series.grid.size) + " voxels")
        facts.append(" × ".join(f"{s:.3g}" for s in series.grid.spacing_mm) + " mm")
        facts.append(f"towards {axes_in_words(series.grid.axes)}")
    if series.has_contrast:
        facts.append("contrast agent given")
    if series.gantry_tilt_deg:
        facts.append(f"tilt {series.gantry_tilt_deg:g}°")
    if series.acquired_on:
        facts.append(series.acquired_on)
    lines = [(" · ".join(facts), "muted")]
    if series.what and series.is_usable:
        lines.append(
            (f"By its name this is {series.what}; add it to a case in the Structures step.", "muted")
        )
    lines += [_finding_line(finding) for finding in series.findings]
    return lines


def _finding_line(finding: Finding) -> tuple[str, str]:
    text = f"{SIGNS[finding.level]} {finding.text}"
    if finding.level is Level.FAIL:
        text += f" {refusal(finding).remedy}"
    return text, {Level.OK: "muted", Level.WARN: "warn", Level.FAIL: "fail"}[finding.level]


def _two_lines(series: SeriesDescription) -> str:
    more = [f"in {Path(series.path).parent.name}"] if series.kind in VOLUMES else []
    if series.series_number and not series.what:
        more.append(f"series {series.series_number}")
    more.append(series.part.replace("=", " ").replace(",", ", "))
    more.append("contrast" if series.has_contrast else "")
    second = ", ".join(part for part in more if part)
    return title_of(series) + (f"\n{second}" if second else "")


def _study(date: str, description: str) -> str:
    return " · ".join(part for part in (date, description) if part) or NO_STUDY


def _mm(value: float | None) -> str:
    return DASH if value is None else f"{value:.3g}"
