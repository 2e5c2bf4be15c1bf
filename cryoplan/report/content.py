"""Content: everything a report says, decided; the page only has to draw it.

The parts are those of workflow section 4.5: first the decision (target, both margins, coverage, organs,
findings, pictures), then the probes (places, paths, spacing, a picture of each), then the technique
(protocol, temperatures by volume, uncertainty, tissue, solver, sources).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any
from typing import Protocol as Shape

from cryoplan import RESEARCH_USE, __version__
from cryoplan.case.case import Case
from cryoplan.core.errors import StaleError
from cryoplan.core.finding import Finding, Level
from cryoplan.core.language import say
from cryoplan.margins.assessment import Assessment
from cryoplan.margins.case_limits import CHANGED_CODE, limits_of
from cryoplan.margins.limits import Limits
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.report import decision, probe_tables, technique
from cryoplan.report.fonts import REPLACED_NOTE, has_replacements, printable
from cryoplan.report.histogram_plot import histogram_plot
from cryoplan.report.parts import Bar, Card, Fact, Picture, Plot, Statement, Table
from cryoplan.report.translate import translated
from cryoplan.report.wording import counted, position
from cryoplan.simulation.result import ThermalResult
from cryoplan.simulation.tissue import TissueTable


class PictureLike(Shape):
    """What the report needs of a picture; `cryoplan.scene` makes them."""

    @property
    def name(self) -> str:
        """Which view it is."""

    @property
    def caption(self) -> str:
        """What is seen."""

    @property
    def png(self) -> bytes:
        """The picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """All texts, numbers and pictures of a report, in the order in which they are read.

    Attributes
    ----------
    title, subtitle : str
        Case code and plan name; what counts as the outcome of all checks.
    header, footer : tuple of str
        Header left and right; footer lines, without page numbers.
    facts, target : tuple of Fact
        Series and target.
    cards : tuple of Card
        The margins, ice edge first, never merged.
    control_rates : str
        Which of the margins the published control rates belong to.
    decision_tables, probe_tables, technique_tables : tuple of Table
        Tables of the three parts.
    statements : tuple of Statement
        What failed or warned.
    statements_note : str
        What is left to say about the findings.
    pictures, probe_pictures : tuple of Picture
        In the order of the scene; in that of the plan, one for each probe.
    bar : Bar
        The protocol.
    plot : Plot or None
        Temperatures by volume; None when none were measured.
    solver : tuple of Fact
        Grid, steps, balance, digests.
    notes : tuple of str
        Sources and limits.
    """

    title: str
    subtitle: str
    header: tuple[str, str]
    footer: tuple[str, str]
    facts: tuple[Fact, ...]
    target: tuple[Fact, ...]
    cards: tuple[Card, ...]
    control_rates: str
    decision_tables: tuple[Table, ...]
    statements: tuple[Statement, ...]
    statements_note: str
    pictures: tuple[Picture, ...]
    probe_tables: tuple[Table, ...]
    probe_pictures: tuple[Picture, ...]
    technique_tables: tuple[Table, ...]
    bar: Bar
    plot: Plot | None
    solver: tuple[Fact, ...]
    notes: tuple[str, ...]


PROBE_PICTURE = "probe-"
"""How the names of pictures begin that belong to one probe."""

AGREED = "Agreed to when the image was opened: "
"""Before a warning of the import: an image with one is loaded only after a yes."""


def build_content(
    *,
    case: Case,
    plan: Plan,
    catalogue: Catalogue,
    tissues: TissueTable,
    result: ThermalResult,
    assessment: Assessment,
    pictures: Sequence[PictureLike],
    rules: Sequence[Finding] = (),
    limits: Limits | None = None,
    current_key: str | None = None,
    standing: str = "",
) -> ReportContent:
    """Decide what the report says.

    Parameters
    ----------
    case, plan, catalogue, tissues, result, assessment
        What is reported; the assessment must be that of the result.
    pictures : sequence
        Pictures of the scene; those whose name begins with `PROBE_PICTURE` stand with the probes, the others
        on the first page.
    rules : sequence of Finding
        Checks of the plan that need no simulation.
    limits : Limits, optional
        Those that the assessment was judged by; those of the case when left out.
    current_key : str, optional
        Key of case and plan as they are now; a result of another key is refused.
    standing : str
        Whether the plan is approved, and which state of the case file this is; empty where there is no file.

    Raises
    ------
    StaleError
        If the result is not that of the current case and plan, or the assessment not that of the result.
    """
    if assessment.key != result.key or current_key not in (None, result.key):
        raise StaleError(
            "The temperatures belong to another plan, case or table.",
            "Solve again, then print.",
            code="stale-result",
        )
    limits = limits_of(case) if limits is None else limits
    agreed = case.second.findings(decision.second_name(case)) if case.second is not None else ()
    findings = tuple(dict.fromkeys([*rules, *assessment.findings, *case.findings, *agreed]))
    content = ReportContent(
        title=f"Cryoablation plan “{plan.name}”, case {case.code}",
        subtitle=" · ".join(filter(None, [standing, f"Checks: {counted([f.level for f in findings])}"])),
        header=(f"cryoplan · case {case.code} · plan {plan.name}", RESEARCH_USE),
        footer=_footer(case, result),
        facts=decision.series_facts(case),
        target=decision.target_facts(case, assessment),
        cards=decision.margin_cards(case, assessment, limits, result.settings.spacing_mm),
        control_rates=decision.CONTROL_RATES if assessment.margins else "",
        decision_tables=decision.tables(case, assessment, limits),
        statements=tuple(
            Statement(level=f.level, text=f"{AGREED}{f.text}" if f in case.scan.facts.findings else f.text)
            for f in sorted(findings, key=lambda f: -f.level.rank)
            if _is_said(f)
        ),
        statements_note=_statements_note(findings),
        pictures=_shown(p for p in pictures if not p.name.startswith(PROBE_PICTURE)),
        probe_tables=probe_tables.tables(case, plan, catalogue),
        probe_pictures=_shown(p for p in pictures if p.name.startswith(PROBE_PICTURE)),
        technique_tables=technique.tables(
            case, plan, tissues, assessment, spacing_mm=result.settings.spacing_mm
        ),
        bar=technique.protocol_bar(plan),
        plot=histogram_plot(assessment, limits),
        solver=technique.solver_facts(case, catalogue, tissues, limits, result),
        notes=technique.notes(case, plan, catalogue, tissues, limits, result, assessment),
    )
    return _printable(translated(content))


def _shown(pictures: Iterable[PictureLike]) -> tuple[Picture, ...]:
    return tuple(Picture(caption=p.caption, png=p.png) for p in pictures)


def _footer(case: Case, result: ThermalResult) -> tuple[str, str]:
    facts, settings = case.scan.facts, result.settings
    date = facts.acquired_on or "unknown date"
    return (
        f"Planned on scan of {date} in {position(facts.patient_position)}; re-check on today's CT",
        f"{RESEARCH_USE} · cryoplan {__version__} · input {result.key[:12]} · "
        f"{settings.spacing_mm:g} mm grid, steps up to {settings.step_max_s:g} s",
    )


def _is_said(finding: Finding) -> bool:
    """Tell whether a finding is printed: what is wrong, and each limit that is not the ordinary one."""
    return finding.level is not Level.OK or finding.code == CHANGED_CODE


def _statements_note(findings: Sequence[Finding]) -> str:
    passed = sum(1 for f in findings if not _is_said(f))
    if passed == len(findings):
        return f"Nothing failed and nothing warned; {passed} checks passed."
    return f"{passed} more checks passed; their numbers stand in the tables."


def _printable(content: ReportContent) -> ReportContent:
    """Return the content with every text in letters that the font has, and say so where one was replaced."""
    replaced = False

    def clean(value: Any, in_lines: bool = False) -> Any:
        nonlocal replaced
        if isinstance(value, str) and not isinstance(value, Level):
            replaced = replaced or has_replacements(value)
            lines = value.split("\n") if in_lines else [value]
            return "\n".join(printable(line) for line in lines)
        if isinstance(value, tuple):
            return tuple(clean(part, in_lines) for part in value)
        if isinstance(value, Table):
            # Cells have lines of their own, such as entry and tip.
            return replace(clean_fields(value), rows=clean(value.rows, in_lines=True))
        if is_dataclass(value) and not isinstance(value, type):
            return clean_fields(value)
        return value

    def clean_fields(value: Any) -> Any:
        return replace(value, **{f.name: clean(getattr(value, f.name)) for f in fields(value)})

    cleaned: ReportContent = clean(content)
    return replace(cleaned, notes=(*cleaned.notes, say(REPLACED_NOTE))) if replaced else cleaned
