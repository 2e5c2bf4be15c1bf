"""Exporting: how long a solved plan takes to become paper, and to become every file that needs no study."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryoplan.core.progress import Progress
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.subjects import Patient
from cryoplan.workflow.benchmark.timing import Quiet, median_time
from cryoplan.workflow.export import Subject, export_case, print_plan
from cryoplan.workflow.solving import assess, catalogue, simulate


def exporting(patient: Patient, progress: Progress) -> Iterator[Row]:
    """Measure the plan PDF with its pictures, and an export of everything but DICOM."""
    case, plan, models = patient.case, patient.plan, catalogue()
    result = simulate(case, plan, models, patient.standard, progress=Quiet(progress))
    found = assess(case, plan, models, result)
    subject = Subject(case=case, plan=plan, probes=models, result=result, assessment=found)
    with tempfile.TemporaryDirectory(prefix="cryoplan-bench-") as folder:
        out = Path(folder)
        printed = median_time(lambda: print_plan(subject, out / "plan.pdf"), progress, patient.sizes.repeats)
        written = median_time(
            lambda: export_case(subject, out / "all", replace=True, progress=Quiet(progress)), progress, 1
        )
    i, j, k = case.scan.volume.grid.size
    note = f"{len(plan.probes)} probes, {len(case.structures)} structures, image of {i} x {j} x {k}"
    yield row("print", printed.seconds, printed.repeats, f"{note}; 3D picture and slices drawn anew")
    yield row("export", written.seconds, written.repeats, f"{note}; all kinds but DICOM, which needs a study")
