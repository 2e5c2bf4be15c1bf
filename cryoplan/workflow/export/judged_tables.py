"""Judged tables: every number of the review: ice, margins, coverage, organs, histograms, curves."""

from __future__ import annotations

from collections.abc import Iterator

from cryoplan.case.case import Case
from cryoplan.case.diameters import measure_diameters
from cryoplan.margins.assessment import Assessment
from cryoplan.margins.histogram import EDGES_DEGC
from cryoplan.simulation.result import ThermalResult
from cryoplan.workflow.export.table import Table, table


def structure_table(case: Case) -> Table:
    """Return the structures of a case with their sizes."""
    rows = []
    for structure in case.structures:
        size = measure_diameters(structure.mask)
        rows.append(
            (
                structure.name, structure.role.value, structure.tissue, structure.name == case.target_name,
                structure.volume_ml, size.longest.mm, size.across.mm, size.cranio_caudal.mm,
            )
        )  # fmt: skip
    columns = "structure role tissue is_target volume:ml longest:mm across:mm cranio_caudal:mm"
    return table("structures", "Structures of the image", columns, rows)


def judged_tables(assessment: Assessment) -> Iterator[Table]:
    """Yield the tables of an assessment."""
    a = assessment
    yield table(
        "isotherms",
        "Size of what was at or below each temperature; when: minimum is the lowest of the whole protocol",
        "when threshold:degC volume:ml length:mm width:mm equivalent_diameter:mm section_area:mm2",
        (
            (str(i.when) if isinstance(i.when, str) else f"{i.when:g} s", i.threshold_degc, i.volume_ml,
             i.length_mm, i.width_mm, i.equivalent_diameter_mm, i.section_area_mm2)
            for i in a.isotherms
        ),
    )  # fmt: skip
    shares = dict(a.qam)
    yield table(
        "margins",
        "Signed distance from the surface of the target to an isotherm; positive where ice lies outside",
        "structure threshold:degC minimum:mm p05:mm median:mm worst_x:mm worst_y:mm worst_z:mm "
        "worst_direction below_0:1 from_0_to_5:1 from_5_up:1 left_out:1 qam_below_0:1 "
        "qam_0_to_5:1 qam_5_up:1 no_ice",
        (
            (m.structure, m.threshold_degc, m.minimum_mm, m.p05_mm, m.median_mm, *m.worst_point_mm,
             m.worst_direction, m.fraction_below_0, m.fraction_0_to_5, m.fraction_5_up, m.fraction_left_out,
             *shares.get(m.threshold_degc, (None, None, None)), m.no_ice)
            for m in a.margins
        ),
    )  # fmt: skip
    yield table(
        "coverage",
        "Share of the target, grown by a rim, that was at or below a temperature",
        "structure rim:mm threshold:degC fraction:1 missed:ml reached:ml whole:ml",
        (
            (c.structure, c.rim_mm, c.threshold_degc, c.fraction, c.missed_ml, c.reached_ml, c.whole_ml)
            for c in a.coverage
        ),
    )
    yield table(
        "organs",
        "Lowest temperature in each structure",
        "structure role minimum:degC at:s x:mm y:mm z:mm inside_grid:1 to_ice:mm near_ice_x:mm near_ice_y:mm "
        "near_ice_z:mm",
        (
            (s.name, s.role, s.minimum_degc, s.at_s, *s.at_mm, s.inside_grid_fraction, s.to_ice_mm,
             *(s.near_ice_mm or (None, None, None)))
            for s in a.structures
        ),
    )  # fmt: skip
    yield table(
        "organ_volumes",
        "Volume of each structure at or below a temperature",
        "structure threshold:degC volume:ml",
        ((s.name, threshold, ml) for s in a.structures for threshold, ml in s.volume_below_ml),
    )
    yield table(
        "by_threshold",
        "By temperature: what froze outside of the target, share of it that two freezes reached, warm core",
        "threshold:degC outside_target:ml twice_below:1 warm_core:ml",
        _by_threshold(a),
    )
    yield table(
        "vessels_beside",
        "Large vessels beside the target",
        "vessel gap:mm side",
        ((v.name, v.gap_mm, v.side) for v in a.vessels),
    )
    yield table(
        "histogram",
        "Volume of each structure at or below each temperature, lowest of the whole protocol",
        "structure role at_or_below:degC volume:ml fraction:1",
        (
            (h.structure, h.role, edge, ml, share)
            for h in a.histograms
            for edge, ml, share in zip(
                EDGES_DEGC.tolist(), h.below_ml.tolist(), h.below_fraction.tolist(), strict=True
            )
        ),
    )
    yield table(
        "thermocouples",
        "Temperature at each thermocouple; each_minute: read from kept fields a minute apart",
        "thermocouple x:mm y:mm z:mm each_minute time:s temperature:degC",
        (
            (t.name, *(t.position_mm or (None, None, None)), t.each_minute, time_s, degc)
            for t in a.thermocouples
            for time_s, degc in zip(t.time_s, t.temperature_degc, strict=True)
        ),
    )
    yield table(
        "findings",
        "What is to be said about the result",
        "level code text place",
        ((f.level.value, f.code, f.text, f.place) for f in a.findings),
    )


def solved_tables(result: ThermalResult) -> Iterator[Table]:
    """Yield what the solver tells beside temperatures: curves of the probes, energy, settings."""
    yield table(
        "probe_curves",
        "Mean temperature of the shaft's surface and heat drawn from the tissue",
        "probe time:s shaft:degC heat:W",
        (
            (p.name, time_s, degc, watt)
            for p in result.probes
            for time_s, degc, watt in zip(
                p.time_s.tolist(), p.shaft_degc.tolist(), p.heat_w.tolist(), strict=True
            )
        ),
    )
    ledger = result.ledger
    yield table(
        "energy",
        "Where the heat went over the whole protocol; stored is the sum of the others within the residual",
        "stored:J probes:J perfusion:J metabolic:J boundary:J vessels:J skin:J warmers:J residual:1",
        [
            (ledger.stored_j, ledger.probes_j, ledger.perfusion_j, ledger.metabolic_j, ledger.boundary_j,
             ledger.vessels_j, ledger.skin_j, ledger.warmers_j, ledger.residual)
        ],
    )  # fmt: skip
    s = result.settings
    yield table(
        "solver",
        "How it was solved",
        "spacing:mm longest_step:s margin:mm frames_every:s stasis:degC precision size_x:1 size_y:1 size_z:1 "
        "origin_x:mm origin_y:mm origin_z:mm steps:1 stages:1",
        [
            (s.spacing_mm, s.step_max_s, s.margin_mm, s.frames_every_s, s.stasis_degc, s.precision,
             *result.grid.size, *result.grid.origin_mm, result.steps, result.stages)
        ],
    )  # fmt: skip


def _by_threshold(a: Assessment) -> Iterator[tuple[float | None, ...]]:
    outside, twice, core = dict(a.healthy_below_ml), dict(a.twice_below), dict(a.warm_core_ml)
    for threshold in sorted({*outside, *twice, *core}, reverse=True):
        yield threshold, outside.get(threshold), twice.get(threshold), core.get(threshold)
