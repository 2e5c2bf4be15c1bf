"""Numbers: everything that was planned, computed and judged, as CSV tables and one JSON, with units."""

from __future__ import annotations

from pathlib import Path

from cryoplan import RESEARCH_USE, __version__
from cryoplan.core.progress import Progress, ProgressReport, check_cancelled
from cryoplan.workflow.export.judged_tables import judged_tables, solved_tables, structure_table
from cryoplan.workflow.export.plan_tables import plan_tables
from cryoplan.workflow.export.subject import Subject
from cryoplan.workflow.export.table import Table
from cryoplan.workflow.folder import write_json
from cryoplan.workflow.paths_out import describe_paths

FOLDER = "numbers"
JSON_NAME = "numbers.json"
ASSESSMENT_NAME = "assessment.json"


def number_tables(subject: Subject, progress: Progress) -> tuple[Table, ...]:
    """Return all tables of a case, those of the review first."""
    paths = describe_paths(subject.case, subject.plan, subject.probes, progress=progress)
    return (
        *judged_tables(subject.assessment),
        structure_table(subject.case),
        *plan_tables(subject.plan, subject.probes, paths),
        *solved_tables(subject.result),
    )


def write_numbers(subject: Subject, folder: Path, progress: Progress) -> None:
    """Write the tables into ``numbers``: each as CSV, all of them as `JSON_NAME`, and ``assessment.json``.

    Tables without a row are in the JSON only. CSV files are UTF-8 with a byte-order mark, by which
    spreadsheets know it.

    Raises
    ------
    Cancelled
        If `progress` says so.
    """
    here = folder / FOLDER
    here.mkdir()
    progress.report(ProgressReport(fraction=0.0, text="Every number"))
    tables = number_tables(subject, progress)
    for one in tables:
        check_cancelled(progress)
        if one.rows:
            (here / f"{one.name}.csv").write_text(one.to_csv(), encoding="utf-8-sig", newline="")
    record: dict[str, object] = {
        "research_use": RESEARCH_USE,
        "cryoplan": __version__,
        "case": subject.case.code,
        "plan": subject.plan.name,
        "target": subject.case.target_name,
        "standing": subject.standing,
        "result": subject.result.key,
        "axes": "LPS: x to the patient's left, y to the back, z to the head",
        "tables": {one.name: one.to_json() for one in tables},
    }
    write_json(here / JSON_NAME, record)
    write_json(here / ASSESSMENT_NAME, subject.assessment.to_json())
