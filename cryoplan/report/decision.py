"""Decision: the first part of the report; is the whole tumour cold enough, and what else freezes."""

from __future__ import annotations

import numpy as np

from cryoplan.case.case import Case
from cryoplan.case.planning import mask_box_mm
from cryoplan.case.second_image import image_name
from cryoplan.case.source_words import source_words
from cryoplan.core.finding import Level
from cryoplan.core.units import show_clock, show_degc, show_ml, show_mm
from cryoplan.image.deidentify import clean_description
from cryoplan.margins.assessment import Assessment, Margin, OrganTemperature
from cryoplan.margins.judgement import isotherm_name
from cryoplan.margins.limits import Limit, Limits
from cryoplan.margins.uncertainty import Uncertainty, margin_uncertainty
from cryoplan.report.parts import Card, Fact, Table
from cryoplan.report.wording import SYMBOLS, WORDS, millilitres, plain, position, share, signed

CONTROL_RATES = (
    "Published control rates belong to the ice edge, not to a lethal isotherm: 42.9 % with an ice margin "
    "below 3 mm, 92.6 % from 3 mm and 100 % from 6 mm on (PMID 26123809). The lethal isotherms lie 3 to 10 "
    "mm further in, and the sources do not agree on one of them."
)

WARM_DEGC = 30.0
"""Structures without a limit that never fall below this are summed up in one sentence."""

LARGEST_CARDS = (0.0, -40.0)
"""The ice edge and the strictest lethal isotherm are shown large, side by side."""


def series_facts(case: Case) -> tuple[Fact, ...]:
    """Return what is known about the scan, without anything that names the patient."""
    facts, grid = case.scan.facts, case.scan.volume.grid
    i, j, k = grid.spacing_mm
    thickness = facts.slice_thickness_mm
    tilt = facts.gantry_tilt_deg
    return (
        Fact(label="Series", value=_series(facts.description)),
        Fact(label="Modality", value=f"{facts.modality or 'unknown'}, {facts.acquired_on or 'date unknown'}"),
        Fact(label="Position", value=position(facts.patient_position)),
        Fact(
            label="Slices",
            value=f"{grid.size[2]} of {'unknown thickness' if thickness is None else f'{thickness:g} mm'}, "
            f"{k:.2f} mm apart; pixel {i:.2f} × {j:.2f} mm",
        ),
        Fact(label="Gantry tilt", value="unknown" if tilt is None else f"{plain(tilt)}°"),
        *_second_fact(case),
    )


def second_name(case: Case) -> str:
    """Return what the second image is called in print; empty where there is none."""
    second = case.second
    if second is None:
        return ""
    # Cleaning may leave the letter of a number behind: T of T2 says nothing.
    words = [word for word in clean_description(second.description).split() if len(word) > 1]
    return image_name(second.modality, " ".join(words))


def _second_fact(case: Case) -> tuple[Fact, ...]:
    second = case.second
    if second is None:
        return ()
    date = second.acquired_on or "date unknown"
    return (
        Fact(
            label="Second image",
            value=f"{second_name(case)}, {date}; only looked at. {second.registration}",
        ),
    )


def _series(description: str) -> str:
    """Return what may be printed of a series' description: it is free text, and may name the patient."""
    return clean_description(description) or ("described in the case" if description else "no description")


def target_facts(case: Case, assessment: Assessment) -> tuple[Fact, ...]:
    """Return name, size and frozen volumes of the target."""
    target = case.target
    frozen = [
        Fact(
            label="Ice volumes",
            value=", ".join(
                f"{show_degc(t)} {show_ml(assessment.volume_ml(t))}" for t in (0.0, -20.0, -40.0)
            ),
        )
    ]
    if assessment.healthy_frozen_ml is not None:
        frozen.append(
            Fact(label="Healthy ice", value=f"{show_ml(assessment.healthy_frozen_ml)} outside the target")
        )
    if target is None:
        return (Fact(label="Target", value="none chosen"), *frozen)
    x, y, z = np.subtract(*reversed(mask_box_mm(target.mask)))
    guess = ", role guessed from the name" if target.role_is_guess else ""
    return (
        Fact(label="Target", value=f"{target.name}{guess}"),
        Fact(
            label="Outlined",
            value=f"{show_ml(target.volume_ml)}, source {source_words(target.source)}, "
            f"{'reviewed' if target.is_reviewed else 'not reviewed'}",
        ),
        Fact(
            label="Extent",
            value=f"{x:.0f} × {y:.0f} × {z:.0f} mm (left-right, front-back, head-feet)",
        ),
        *frozen,
    )


def margin_cards(case: Case, assessment: Assessment, limits: Limits, spacing_mm: float) -> tuple[Card, ...]:
    """Return the margins, ice edge first; the two that are argued about are always there."""
    order = sorted(
        assessment.margins, key=lambda m: (m.threshold_degc not in LARGEST_CARDS, -m.threshold_degc)
    )
    return tuple(
        _card(
            margin,
            limits.margin(margin.threshold_degc),
            margin_uncertainty(case, margin, spacing_mm=spacing_mm),
        )
        for margin in order
    )


def _card(margin: Margin, limit: Limit | None, sure: Uncertainty | None) -> Card:
    name = isotherm_name(margin.threshold_degc)
    if margin.no_ice:
        value = "not reached"
        lines: tuple[Fact, ...] = (Fact(label="Worst spot", value=margin.worst_direction),)
    else:
        value = f"{signed(margin.minimum_mm)} mm"
        lines = (
            Fact(label="Worst spot", value=margin.worst_direction),
            Fact(
                label="5th percentile, median",
                value=f"{signed(margin.p05_mm)} mm, {signed(margin.median_mm)} mm",
            ),
            Fact(
                label="Share < 0, 0–5, ≥ 5 mm",
                value=f"{share(margin.fraction_below_0)}, {share(margin.fraction_0_to_5)}, "
                f"{share(margin.fraction_5_up)}",
            ),
        )
        if margin.fraction_left_out:
            lines += (
                Fact(label="Left out of it", value=f"{share(margin.fraction_left_out)} of the surface"),
            )
        if sure is not None:
            below = "; less than the images tell" if sure.is_below_images(margin.minimum_mm) else ""
            lines += (
                Fact(
                    label="Uncertainty (1 SD)",
                    value=f"± {plain(sure.mm)} mm, images {plain(sure.images_mm)}{below}",
                ),
            )
    return Card(
        title=name[0].upper() + name[1:],
        value=value,
        level=None if limit is None else limit.level(margin.minimum_mm),
        verdict="no limit set" if limit is None else f"wanted {limit.describe()}",
        lines=lines,
    )


def tables(case: Case, assessment: Assessment, limits: Limits) -> tuple[Table, ...]:
    """Return coverage and organ temperatures; tables without rows are left out."""
    found = (_coverage(assessment, limits), _organs(case, assessment, limits))
    return tuple(table for table in found if table.rows)


def _coverage(assessment: Assessment, limits: Limits) -> Table:
    thresholds = list(dict.fromkeys(c.threshold_degc for c in assessment.coverage))
    rims = list(dict.fromkeys(c.rim_mm for c in assessment.coverage))
    rows = []
    for rim in rims:
        cells = []
        for threshold in thresholds:
            covered = assessment.covered(threshold, rim)
            assert covered is not None  # measured for every pair
            limit = limits.covered(threshold, rim)
            mark = "" if limit is None else f"{SYMBOLS[limit.level(covered.fraction)]} "
            percent = 100.0 * covered.fraction
            shown = "100 %" if percent == 100.0 else f"{min(percent, 99.9):.1f} %"
            cells.append(f"{mark}{shown}, {millilitres(covered.missed_ml)} missed")
        rows.append((f"Target + {rim:g} mm" if rim else "Target", *cells))
    return Table(
        title="Coverage by the lowest temperature",
        head=("", *(show_degc(t) for t in thresholds)),
        rows=tuple(rows),
        widths=(0.8, *(1.0 for _ in thresholds)),
        numbers=tuple(range(1, len(thresholds) + 1)),
        note=_marks_note("Marked where a limit is set") + _twice_note(assessment),
    )


def _twice_note(assessment: Assessment) -> str:
    """Say how much of the target two freezes brought below the coldest threshold."""
    if not assessment.twice_below:
        return ""
    threshold, fraction = min(assessment.twice_below)
    return f" In two freezes {share(fraction)} of the target came below {show_degc(threshold)}."


def _marks_note(begin: str) -> str:
    return f"{begin}: " + ", ".join(f"{SYMBOLS[level]} {WORDS[level]}" for level in Level) + "."


def _organs(case: Case, assessment: Assessment, limits: Limits) -> Table:
    shown, warm = [], []
    for organ in sorted(assessment.structures, key=lambda o: o.minimum_degc):
        if organ.name == case.target_name or organ.role == "body":
            continue
        limit = limits.organ(organ.role, organ.name)
        if organ.minimum_degc >= WARM_DEGC and (limit is None or limit.level(organ.minimum_degc) is Level.OK):
            warm.append(organ.name)
        else:
            shown.append(_organ_row(organ, limit))
    note = f"Never below {show_degc(WARM_DEGC)}: {', '.join(warm)}." if warm else ""
    return Table(
        title="Lowest temperature of structures",
        head=("Structure", "Lowest", "At", "Below 0 °C", "To the ice", "Limit", ""),
        rows=tuple(shown),
        widths=(1.6, 0.65, 0.5, 0.75, 0.7, 2.9, 0.6),
        numbers=(1, 2, 3, 4),
        note=note,
    )


def _organ_row(organ: OrganTemperature, limit: Limit | None) -> tuple[str, ...]:
    part = organ.inside_grid_fraction
    name = organ.name if part >= 0.995 else f"{organ.name} ({share(part)} computed)"
    level = None if limit is None else limit.level(organ.minimum_degc)
    return (
        name,
        f"{plain(organ.minimum_degc)} °C",
        show_clock(organ.at_s),
        millilitres(dict(organ.volume_below_ml)[0.0]),
        "" if organ.to_ice_mm is None else show_mm(organ.to_ice_mm),
        "none set" if limit is None else limit.describe(),
        "" if level is None else f"{SYMBOLS[level]} {WORDS[level]}",
    )
