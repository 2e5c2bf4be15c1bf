"""Technique: the second part of the report; probes, protocol, tissue, solver, and what was assumed."""

from __future__ import annotations

from collections.abc import Iterable

from cryoplan.case.case import Case
from cryoplan.core.finding import Level
from cryoplan.core.sourced import Sourced
from cryoplan.core.units import show_clock, show_degc
from cryoplan.margins.assessment import Assessment
from cryoplan.margins.limits import Limits
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.placement import angles, depth_to_active_mm, pairs
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import ProbeModel
from cryoplan.plan.protocol import Phase, PhaseKind, ThawMode
from cryoplan.plan.room_view import treatment_position
from cryoplan.report.decision import WARM_DEGC
from cryoplan.report.parts import Bar, Fact, Segment, Table
from cryoplan.report.room_tables import room_tables
from cryoplan.report.wording import (
    NO_BREAK,
    cranio_caudal,
    gantry,
    gas_times,
    in_plane,
    measured,
    place,
    plain,
    position,
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
    case: Case, plan: Plan, catalogue: Catalogue, tissues: TissueTable, assessment: Assessment
) -> tuple[Table, ...]:
    """Return probes, handling, tools, pairs, thermocouples and tissues; those without rows are left out."""
    found = (
        _probes(case, plan, catalogue),
        *room_tables(plan),
        _pairs(plan, catalogue),
        _thermocouples(plan, assessment),
        _tissues(case, tissues, assessment),
    )
    return tuple(table for table in found if table.rows)


def _probes(case: Case, plan: Plan, catalogue: Catalogue) -> Table:
    rows = []
    for probe in plan.probes:
        model = catalogue.model(probe.model)
        lie = angles(probe, treatment_position(case, plan.room), plan.room.gantry_tilt_limit_deg)
        begin, end = depth_to_active_mm(probe, model)
        rows.append(
            (
                probe.name,
                model.name + (" (assumed)" if model.is_guess else ""),
                f"entry{NO_BREAK}{place(probe.entry_mm)}\ntip{NO_BREAK}{place(probe.tip_mm)}",
                f"{probe.depth_mm:.1f}",
                f"{plain(begin)} to {plain(end)}",
                in_plane(lie),
                cranio_caudal(lie),
                gantry(lie),
                gas_times(probe),
            )
        )
    return Table(
        title="Probes",
        head=(
            "No.",
            "Model",
            "Entry and tip, mm",
            "Depth, mm",
            "Freezes at, mm",
            "In the slice, from vertical",
            "Out of the slice",
            "Gantry tilt",
            "Power, gas",
        ),
        rows=tuple(rows),
        widths=(0.35, 1.0, 2.5, 0.6, 0.95, 1.0, 1.05, 0.95, 1.05),
        numbers=(3, 4),
        note="Places in mm from the origin of the scan: L left, R right, A front, P back, H head, F feet. "
        "Depth along the shaft from the skin to the metal tip; the active zone lies between the two depths. "
        f"Angles for a patient in {position(treatment_position(case, plan.room))}.",
    )


def _pairs(plan: Plan, catalogue: Catalogue) -> Table:
    rows = tuple(
        (
            f"{pair.a} and {pair.b}",
            plain(pair.tip_mm),
            plain(pair.middle_mm),
            plain(pair.back_mm),
            f"{pair.angle_deg:.1f}°",
            plain(pair.closest_mm),
        )
        for pair in pairs(plan, catalogue)
    )
    return Table(
        title="Spacing of the probes, mm axis to axis",
        head=("Pair", "Tip", "Middle", "Back", "Angle", "Shafts"),
        rows=rows,
        widths=(1.2, 0.8, 0.8, 0.8, 0.8, 0.8),
        numbers=(1, 2, 3, 4, 5),
        note="Shafts: least distance of their surfaces. 10 to 20 mm joins the ice at 70 to 100 % power "
        "(PMC4850244).",
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
    """Return the protocol as a bar, with the probes that do not run through all of it."""
    total = plan.protocol.duration_s
    special = [p for p in plan.probes if p.start_s > 0.0 or p.stop_s is not None or p.intensity < 1.0]
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
            for probe in special
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
