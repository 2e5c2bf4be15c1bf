"""Run: image to assessment, pictures, PDF and files in one folder; nothing of it half-written."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cryoplan import RESEARCH_USE, __version__
from cryoplan.core.finding import Finding
from cryoplan.core.progress import SILENT, PartProgress, Progress, ProgressReport, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.dicom_out.study import require_dicom
from cryoplan.image.memory import peak_bytes
from cryoplan.image.write import write_volume
from cryoplan.margins.assessment import Assessment
from cryoplan.margins.histogram import histogram_csv
from cryoplan.plan.catalogue import Catalogue
from cryoplan.plan.plan import Plan
from cryoplan.simulation.settings import STANDARD, SolverSettings
from cryoplan.workflow.converging import check_convergence
from cryoplan.workflow.export import DICOM_KINDS, Subject, kinds_named, write_kinds
from cryoplan.workflow.folder import all_or_nothing, relative_files, write_json
from cryoplan.workflow.loading import load_case, load_plan, save_plan
from cryoplan.workflow.reporting import make_pictures, write_report
from cryoplan.workflow.saving import save_case
from cryoplan.workflow.solving import assess, check, simulate

if TYPE_CHECKING:
    from cryoplan.case.case import Case
    from cryoplan.simulation.result import ThermalResult

MASK_THRESHOLDS_DEGC = (0.0, -20.0, -40.0)

TIMED_THRESHOLDS_DEGC = (-20.0, -40.0)
"""Isotherms whose seconds are written: time matters between them (physics section 10)."""

COUNTED_THRESHOLD_DEGC = -40.0
"""Two freezes below it are recommended (physics section 10)."""

REPORTED_VERSIONS = ("numpy", "scipy", "numba", "SimpleITK", "pydicom", "highdicom", "vtk", "reportlab")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What one run did: the object of ``run.json`` and the findings that decide what is said at the end."""

    run: Mapping[str, object]
    assessment: Assessment
    findings: tuple[Finding, ...]
    files: tuple[str, ...]


@dataclass(slots=True)
class _Clock:
    """Wall time per stage."""

    stages: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.stages[name] = round(time.perf_counter() - start, 3)


def run_case(
    *,
    image: Path,
    structures: Sequence[Path],
    plan_path: Path,
    out: Path,
    probes: Catalogue,
    series_uid: str | None = None,
    target: str | None = None,
    accept: Sequence[str] = (),
    mesh_axes: str = "",
    settings: SolverSettings = STANDARD,
    converge: bool = False,
    export: Sequence[str] = (),
    progress: Progress = SILENT,
) -> RunSummary:
    """Do the whole job for files: load, build, simulate, assess, report, write (contract, ``run``).

    Raises
    ------
    CryoplanError
        If an input is refused or the folder cannot be written; then `out` is as it was.
    Cancelled
        If `progress` says so; then `out` is as it was.
    """
    clock = _Clock()
    kinds = kinds_named(export) if export else ()
    with clock.stage("load"):
        plan = load_plan(plan_path, probes)
        case = load_case(
            image,
            series_uid=series_uid,
            structures=structures,
            target=target,
            accept=accept,
            mesh_axes=mesh_axes,
            apart=True,
            progress=PartProgress(progress, 0.0, 0.1),
        )
    if set(kinds) & set(DICOM_KINDS):
        # Nobody should wait for a solve to hear it.
        require_dicom(case.scan.facts)
    inputs = hash_inputs([image, *structures, plan_path])
    return solve_and_write(
        case,
        plan,
        probes,
        out,
        settings=settings,
        converge=converge,
        export=kinds,
        inputs=inputs,
        clock=clock,
        progress=progress,
    )


def solve_and_write(
    case: Case,
    plan: Plan,
    probes: Catalogue,
    out: Path,
    *,
    settings: SolverSettings = STANDARD,
    converge: bool = False,
    export: Sequence[str] = (),
    inputs: Mapping[str, str] | None = None,
    clock: _Clock | None = None,
    progress: Progress = SILENT,
) -> RunSummary:
    """Solve and judge a loaded case and write everything that the contract lists into `out`.

    With `converge` the plan is solved on another grid and with half the step as well; what that changes is
    written to ``convergence.json``. `export` names kinds of `cryoplan.workflow.export` that
    are written beside the rest.

    Raises
    ------
    CryoplanError, Cancelled
        As `run_case`.
    """
    clock = clock or _Clock()
    with clock.stage("check"):
        rules = check(case, plan, probes)
    refuse_impossible(rules)
    share = 0.15 if converge else 0.75
    with clock.stage("solve"):
        result = simulate(case, plan, probes, settings, progress=PartProgress(progress, 0.1, share))
    with clock.stage("assess"):
        progress.report(ProgressReport(fraction=0.11 + share, text="Judging the margins"))
        assessment = assess(case, plan, probes, result)
    convergence = None
    if converge:
        with clock.stage("converge"):
            part = PartProgress(progress, 0.27, 0.6)
            convergence = check_convergence(case, plan, probes, settings, known=assessment, progress=part)
    with all_or_nothing(out) as folder:
        with clock.stage("pictures"):
            check_cancelled(progress)
            progress.report(ProgressReport(fraction=0.9, text="Drawing the pictures"))
            pictures = make_pictures(case, plan, probes, result, assessment)
            (folder / "pictures").mkdir()
            for picture in pictures:
                (folder / "pictures" / f"{picture.name}.png").write_bytes(picture.png)
        with clock.stage("report"):
            progress.report(ProgressReport(fraction=0.94, text="Printing the PDF"))
            write_report(case, plan, probes, result, assessment, folder / "plan.pdf", pictures=pictures)
        with clock.stage("write"):
            check_cancelled(progress)
            progress.report(ProgressReport(fraction=0.97, text="Writing the files"))
            _write_fields(result, folder)
            save_plan(plan, folder / "plan.json")
            save_case(folder / "case.cryoplan", case, plan, result)
            write_json(folder / "assessment.json", assessment.to_json())
            text = histogram_csv(assessment.histograms)
            (folder / "histogram.csv").write_text(text, encoding="utf-8", newline="")
            if convergence is not None:
                write_json(folder / "convergence.json", convergence.to_json())
        findings = (*case.findings, *rules, *assessment.findings)
        if export:
            with clock.stage("export"):
                # The plan is printed already.
                wanted = [kind for kind in export if kind != "pdf"]
                subject = Subject(case=case, plan=plan, probes=probes, result=result, assessment=assessment)
                findings += write_kinds(subject, wanted, folder, progress=PartProgress(progress, 0.97, 0.03))
        if convergence is not None:
            findings = (*findings, convergence.finding)
        summary = _run_record(result, findings, inputs or {}, clock)
        write_json(folder / "run.json", summary)
        check_cancelled(progress)
        files = relative_files(folder)
    progress.report(ProgressReport(fraction=1.0, text="Done"))
    return RunSummary(run=summary, assessment=assessment, findings=findings, files=files)


def run_block(
    *,
    material: str,
    baseline_degc: float | None,
    size_mm: float,
    plan_path: Path,
    out: Path,
    probes: Catalogue,
    settings: SolverSettings = STANDARD,
    progress: Progress = SILENT,
) -> RunSummary:
    """Solve a plan in a homogeneous block of one material and write the files (contract, ``run --phantom``).

    Raises
    ------
    CryoplanError, Cancelled
        As `run_case`.
    """
    from cryoplan.margins.assess import assess_block
    from cryoplan.simulation.problem import phantom_problem
    from cryoplan.simulation.solver import solve
    from cryoplan.workflow.solving import tissues

    clock = _Clock()
    with clock.stage("load"):
        plan = load_plan(plan_path, probes)
        problem = phantom_problem(material, baseline_degc, size_mm, plan, probes, tissues(), settings)
    inputs = hash_inputs([plan_path])
    with clock.stage("solve"):
        result = solve(problem, key="block", progress=PartProgress(progress, 0.0, 0.9))
    with clock.stage("assess"):
        assessment = assess_block(plan, probes, result)
    with all_or_nothing(out) as folder:
        with clock.stage("write"):
            _write_fields(result, folder)
            write_json(folder / "assessment.json", assessment.to_json())
        summary = _run_record(result, assessment.findings, inputs, clock)
        write_json(folder / "run.json", summary)
        files = relative_files(folder)
    progress.report(ProgressReport(fraction=1.0, text="Done"))
    return RunSummary(run=summary, assessment=assessment, findings=assessment.findings, files=files)


IMPOSSIBLE = ("tip-outside-body", "tip-outside-image")
"""Rule findings that make a plan meaningless to solve; every other one is for the radiologist to weigh."""


def refuse_impossible(rules: Sequence[Finding]) -> None:
    """Raise `PlanError` for the first rule finding that makes solving meaningless."""
    from cryoplan.core.errors import PlanError
    from cryoplan.core.finding import Level

    for finding in rules:
        if finding.level is Level.FAIL and finding.code in IMPOSSIBLE:
            raise PlanError(
                finding.text, "Move the probe into the patient.", code=finding.code, place=finding.place
            )


def hash_inputs(paths: Sequence[Path]) -> dict[str, str]:
    """Return the SHA-256 (hex) of every input file; folders give one line for each file in them.

    Inputs are called by their number, files of a folder by theirs in the order of their names, because the
    names themselves often name the patient: ``input 1``, ``input 1 file 3``.
    """
    found: dict[str, str] = {}
    for number, path in enumerate(paths, 1):
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for position, file in enumerate(files, 1):
            name = f"input {number} file {position}" if path.is_dir() else f"input {number}"
            with file.open("rb") as stream:
                found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def _write_fields(result: ThermalResult, folder: Path) -> None:
    write_volume(result.minimum_degc, folder / "temperature_min.nii.gz")
    for frame in result.frames:
        if frame.label.startswith("end_freeze_"):
            write_volume(frame.temperature_degc, folder / f"temperature_{frame.label}.nii.gz")
    for threshold in MASK_THRESHOLDS_DEGC:
        name = "iceball_0" if threshold == 0.0 else f"isotherm_{threshold:g}"
        mask = (result.minimum_degc.values <= threshold).astype(np.uint8)
        write_volume(Volume(grid=result.grid, values=mask), folder / f"{name}.nii.gz")
    for threshold, seconds in result.time_below:
        if threshold in TIMED_THRESHOLDS_DEGC:
            write_volume(seconds, folder / f"time_below_{threshold:g}.nii.gz")
    for threshold, freezes in result.freezes_below:
        if threshold == COUNTED_THRESHOLD_DEGC:
            write_volume(freezes, folder / f"freezes_below_{threshold:g}.nii.gz")


def _run_record(
    result: ThermalResult, findings: Sequence[Finding], inputs: Mapping[str, str], clock: _Clock
) -> dict[str, object]:
    grid = result.grid
    return {
        "program": "cryoplan",
        "version": __version__,
        "statement": RESEARCH_USE,
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
        "inputs_sha256": dict(inputs),
        "key": result.key,
        "grid": {
            "size": list(grid.size),
            "spacing_mm": list(grid.spacing_mm),
            "origin_mm": list(grid.origin_mm),
        },
        "settings": {
            "spacing_mm": result.settings.spacing_mm,
            "step_max_s": result.settings.step_max_s,
            "margin_mm": result.settings.margin_mm,
            "stasis_degc": result.settings.stasis_degc,
            "skin": result.settings.skin,
        },
        "steps": result.steps,
        "stages": result.stages,
        "wall_s": dict(clock.stages),
        "peak_memory_mb": _peak_memory_mb(),
        "energy_balance_error": result.ledger.residual,
        "energy_j": {
            "stored": result.ledger.stored_j,
            "probes": result.ledger.probes_j,
            "perfusion": result.ledger.perfusion_j,
            "metabolic": result.ledger.metabolic_j,
            "boundary": result.ledger.boundary_j,
            "vessels": result.ledger.vessels_j,
            "skin": result.ledger.skin_j,
            "warmers": result.ledger.warmers_j,
        },
        "findings": [f.to_json() for f in findings],
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in REPORTED_VERSIONS:
        try:
            found[name.lower()] = metadata.version(name)
        except metadata.PackageNotFoundError:  # a frozen program may ship without metadata
            found[name.lower()] = "unknown"
    return found


def _peak_memory_mb() -> float | None:
    peak = peak_bytes()
    return None if peak is None else round(peak / 1024.0**2, 1)
