"""Measured: the numbers of an assessment as groups of named measurements, one group for each segment."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cryoplan.core.units import show_degc
from cryoplan.image.dicom_out.measurements import VOLUME, Group, Measure, own
from cryoplan.image.segment import Segment
from cryoplan.workflow.export.subject import Subject

MINUS = "\N{MINUS SIGN}"


def groups_of(subject: Subject, segments: Sequence[Segment]) -> tuple[Group, ...]:
    """Return the measurements of every segment: volume, margins, coverage, temperatures."""
    return tuple(
        Group(segment=segment.name, code=segment.code, measures=tuple(_measures(subject, segment)))
        for segment in segments
    )


def _measures(subject: Subject, segment: Segment) -> list[Measure]:
    found = subject.assessment
    if segment.threshold_degc is not None:
        return [Measure(name=VOLUME, value=found.volume_ml(segment.threshold_degc), unit="mL")]
    measures = [Measure(name=VOLUME, value=subject.case.structure(segment.name).volume_ml, unit="mL")]
    for margin in found.margins:
        if margin.structure != segment.name or margin.no_ice:
            continue
        at = _degc(margin.threshold_degc)
        short = f"{margin.threshold_degc:g}"
        for value, word, meaning in (
            (margin.minimum_mm, "least", "Least margin"),
            (margin.p05_mm, "5th", "Margin, 5th percentile"),
            (margin.median_mm, "median", "Margin, median"),
        ):
            if math.isfinite(value):
                name = own(f"margin{word}{short}", f"{meaning} to the {at} isotherm")
                measures.append(Measure(name=name, value=value, unit="mm"))
    for part in found.coverage:
        if part.structure == segment.name:
            name = own(
                f"cover{part.rim_mm:g}_{part.threshold_degc:g}",
                f"Share of it{_rim(part.rim_mm)} below {_degc(part.threshold_degc)}",
            )
            measures.append(Measure(name=name, value=100.0 * part.fraction, unit="%"))
    for organ in found.structures:
        if organ.name == segment.name:
            lowest = own("lowest", "Lowest temperature")
            measures.append(Measure(name=lowest, value=organ.minimum_degc, unit="Cel"))
            measures.append(
                Measure(name=own("lowest-at", "Time of the lowest temperature"), value=organ.at_s, unit="s")
            )
            for threshold, volume_ml in organ.volume_below_ml:
                name = own(f"below{threshold:g}", f"Volume of it below {_degc(threshold)}")
                measures.append(Measure(name=name, value=volume_ml, unit="mL"))
    return measures


def _rim(rim_mm: float) -> str:
    return f" and {rim_mm:g} mm around" if rim_mm else ""


def _degc(threshold_degc: float) -> str:
    return show_degc(threshold_degc).replace(MINUS, "-")
