"""Technique: the last part of the report; protocol, uncertainty, tissue, solver, and what was assumed."""

from __future__ import annotations

from collections.abc import Iterable

from cryoplan.case.case import Case
from cryoplan.core.finding import Level
from cryoplan.core.sourced import Sourced
from cryoplan.core.units import show_clock, show_degc
from cryoplan.margins.assessment import Assessment
from cryoplan.margins.judgement import isotherm_name
from cryoplan.margins.limits import Limits
from cryoplan.margins.uncertainty import NOT_IN_IT, margin_uncertainty
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import ProbeModel
from cryoplan.plan.protocol import Phase, PhaseKind, ThawMode
from cryoplan.report.decision import LARGEST_CARDS, WARM_DEGC
from cryoplan.report.parts import Bar, Fact, Segment, Table
from cryoplan.report.wording import (
    gas_times,
    measured,
    place,
    plain,
    sourced,
)
from cryoplan.simulation.result import ThermalResult
from cryoplan.simulation.tissue import Tissue, TissueTable

_THAWS = {ThawMode.PASSIVE: "passive thaw", ThawMode.HELIUM: "gas thaw", ThawMode.ELECTRIC: "electric thaw"}

SOLVER_ERROR = (
    "Predicted, not measured. Published solvers of this kind differ from gel by 2.3 mm on average and 4.1 mm "
    "at most, from the ice of patients by 2.6 mm in the kidney and 3.1 mm in the lung on average and up to "
    "10.8 mm (doi 10.1080/02656736.2020.1845402). It does not replace imaging during the procedure."
)


def tables(
    case: Case, plan: Plan, tissues: TissueTable, assessment: Assessment, *, spacing_mm: float
) -> tuple[Table, ...]:
    """Return uncertainty, thermocouples and tissues; those without rows are left out."""
    found = (
        _uncertainty(case, assessment, spacing_mm),
        _thermocouples(plan, assessment),
        _tissues(case, tissues, assessment),
    )
    return tuple(table for table in found if table.rows)


def _uncertainty(case: Case, assessment: Assessment, spacing_mm: float) -> Table:
    """Return step by step how sure the two margins are that are shown large."""
    sure = [
        (margin, found)
        for threshold in LARGEST_CARDS
        if (margin := assessment.margin(threshold)) is not None
        and (found := margin_uncertainty(case, margin, spacing_mm=spacing_mm)) is not None
    ]
    rows: list[tuple[str, ...]] = []
    # The steps are the same for each margin, in the same order.
    for steps in zip(*(found.shares for _, found in sure), strict=True):
        why = " ".join(dict.fromkeys(s.why for s in steps))
        rows.append((steps[0].name, *(f"± {plain(s.mm)}" for s in steps), why))
    if sure:
        rows.append(("all together", *(f"± {plain(found.mm)}" for _, found in sure), NOT_IN_IT))
    return Table(
        title="How sure the margins are, mm (1 SD)",
        head=("Step", *(isotherm_name(m.threshold_degc) for m, _ in sure), "Why"),
        rows=tuple(rows),
        widths=(1.0, *(1.15 for _ in sure), 6.0),
        numbers=tuple(range(1, len(sure) + 1)),
    )


def _thermocouples(plan: Plan, assessment: Assessment) -> Table:
    places = {t.name: t.position_mm for t in plan.sensors}
    rows = []
    for curve in assessment.thermocouples:
        lowest = min(range(len(curve.time_s)), key=lambda n: curve.temperature_degc[n])
        rows.append(
            (
                f"{curve.name} *" if curve.each_minute else curve.name,
                place(places[curve.name]) if curve.name in places else "",
                f"{plain(curve.temperature_degc[lowest])} °C",
                show_clock(curve.time_s[lowest]),
            )
        )
    late = any(curve.each_minute for curve in assessment.thermocouples)
    return Table(
        title="Thermocouples",
        head=("Name", "Place, mm", "Lowest", "At"),
        rows=tuple(rows),
        widths=(0.8, 2.0, 0.8, 0.6),
        numbers=(2, 3),
        note="* read once a minute and at the end of each phase" if late else "",
    )


def _tissues(case: Case, tissues: TissueTable, assessment: Assessment) -> Table:
    rows = []
    for tissue, names in _tissues_used(case, tissues, assessment):
        rows.append(
            (
                ", ".join(names),
                tissue.title,
                sourced(tissue.conductivity),
                sourced(tissue.latent_heat),
                f"{plain(tissue.freezing_begins.value)} to {plain(tissue.freezing_ends.value)}",
                sourced(tissue.perfusion),
            )
        )
    return Table(
        title=f"Tissues cooled below {show_degc(WARM_DEGC)}",
        head=(
            "Structures",
            "Tissue",
            "Conductivity, W/(m·K)",
            "Latent heat, MJ/m³",
            "Freezes, °C",
            "Perfusion, kW/(m³·K)",
        ),
        rows=tuple(rows),
        widths=(2.0, 1.4, 1.1, 1.1, 1.0, 1.1),
        numbers=(2, 3, 4, 5),
        note="Assumed and recalled numbers are marked; the others come from the sources below. "
        "Structures that stay warmer are left out.",
    )


def _tissues_used(case: Case, tissues: TissueTable, assessment: Assessment) -> list[tuple[Tissue, list[str]]]:
    """Return the tissues of the structures that the cold reaches, with the structures' names."""
    reached = {organ.name for organ in assessment.structures if organ.minimum_degc < WARM_DEGC}
    used: dict[str, list[str]] = {}
    for structure in case.structures:
        if structure.name in reached:
            used.setdefault(structure.tissue, []).append(structure.name)
    return [(tissues.tissue(name), names) for name, names in used.items()]


def protocol_bar(plan: Plan) -> Bar:
    """Return the protocol as a bar, with the times of each probe."""
    total = plan.protocol.duration_s
    return Bar(
        title=f"Protocol {plan.protocol.describe()}, {show_clock(total)} in all",
        total_s=total,
        phases=tuple(
            Segment(
                start_s=start, end_s=end, label=_phase_name(phase), freezes=phase.kind is PhaseKind.FREEZE
            )
            for start, end, phase in plan.protocol.spans()
        ),
        probes=tuple(
            (
                probe.name,
                Segment(
                    start_s=min(probe.start_s, total),
                    end_s=total if probe.stop_s is None else min(probe.stop_s, total),
                    label=gas_times(probe),
                    freezes=True,
                ),
            )
            for probe in plan.probes
        ),
    )


def _phase_name(phase: Phase) -> str:
    return "freeze" if phase.kind is PhaseKind.FREEZE else _THAWS[phase.mode]


def solver_facts(
    case: Case, catalogue: Catalogue, tissues: TissueTable, limits: Limits, result: ThermalResult
) -> tuple[Fact, ...]:
    """Return how it was computed and the digests of all that went in."""
    settings, grid = result.settings, result.grid
    i, j, k = grid.size
    return (
        Fact(label="Model", value="enthalpy form of the Pennes equation, all probes together"),
        Fact(
            label="Grid",
            value=f"{i} × {j} × {k} cells of {settings.spacing_mm:g} mm, {settings.margin_mm:g} mm around",
        ),
        Fact(
            label="Steps",
            value=f"{result.steps} of at most {settings.step_max_s:g} s, {result.stages} stages",
        ),
        Fact(label="Perfusion", value=f"stops for good below {plain(settings.stasis_degc, 0)} °C"),
        Fact(label="Energy balance", value=f"closes to {result.ledger.residual:.1e}".replace("-", "−")),
        Fact(label="Heat drawn", value=f"{-result.ledger.probes_j / 1000.0:.1f} kJ by the probes"),
        Fact(label="Result key", value=result.key[:32]),
        Fact(
            label="Digests",
            value=f"case {case.digest()[:12]}, probes {catalogue.digest()[:12]}, "
            f"tissues {tissues.digest()[:12]}, limits {limits.digest()[:12]}",
        ),
    )


def notes(
    case: Case,
    plan: Plan,
    catalogue: Catalogue,
    tissues: TissueTable,
    limits: Limits,
    result: ThermalResult,
    assessment: Assessment,
) -> tuple[str, ...]:
    """Return what the models rest on, their sources, and what the whole cannot tell."""
    models = [catalogue.model(name) for name in dict.fromkeys(p.model for p in plan.probes)]
    used = _tissues_used(case, tissues, assessment)
    numbers = [n for tissue, _ in used for n in (tissue.conductivity, tissue.latent_heat, tissue.perfusion)]
    judged = [side for m in limits.margins for side in (m.limit.warn, m.limit.fail) if side is not None]
    return (
        *(_model_note(model) for model in models),
        "Tissue numbers: " + _sources(numbers) if numbers else "Tissue numbers: none used.",
        "Margin limits: " + _sources(judged) if judged else "Margin limits: none set.",
        # What the solver did on its own account is no warning, but has to be known.
        *_computed_with(result),
        SOLVER_ERROR,
    )


def _computed_with(result: ThermalResult) -> tuple[str, ...]:
    said = " ".join(f.text for f in result.findings if f.level is Level.OK)
    return (f"Computed with: {said}",) if said else ()


def _model_note(model: ProbeModel) -> str:
    parts = [
        f"diameter {measured(model.outer_diameter, 'mm')}",
        f"active zone {measured(model.active_length, 'mm')}",
        f"begin behind the tip {measured(model.tip_offset, 'mm')}",
        f"coolant {measured(model.coolant_temperature, '°C')}",
        f"exchange {measured(model.exchange_coefficient, 'W/(m²·K)')}",
    ]
    tail = " ".join(text for text in (model.note, model.calibration) if text)
    return f"{model.name}: {'; '.join(parts)}. {tail}".rstrip()


def _sources(numbers: Iterable[Sourced]) -> str:
    """Return the distinct sources, each with how the numbers were obtained from it."""
    known: dict[str, dict[str, None]] = {}
    for number in numbers:
        known.setdefault(number.source.rstrip("."), {})[number.how] = None
    return "; ".join(f"{source} ({', '.join(ways)})" for source, ways in known.items()) + "."
