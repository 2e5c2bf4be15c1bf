"""Tasks of the background process: one for each kind of job, each a few calls of `cryoplan.workflow`.

The process keeps the last case and results, so that moving a probe does not send 100 MB through the
pipe again.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cryoplan import workflow
from cryoplan.app.jobs import Forgotten
from cryoplan.app.known_roles import KnownRoles
from cryoplan.app.parcel import ChangedCase, HeldCase
from cryoplan.case.case import Case
from cryoplan.case.reviews import with_reviews
from cryoplan.case.second_image import SecondImage
from cryoplan.case.skin import body_mask
from cryoplan.core.errors import CryoplanError
from cryoplan.core.progress import Progress, ProgressReport, check_cancelled
from cryoplan.image.anatomy.found import Part
from cryoplan.image.scan import Scan, ScanFacts
from cryoplan.margins.assessment import Assessment
from cryoplan.plan.plan import Plan
from cryoplan.plan.probe import ProbeModel
from cryoplan.report.style import PrintStyle
from cryoplan.simulation.result import ThermalResult
from cryoplan.simulation.settings import SolverSettings
from cryoplan.workflow.export import Exported, Subject, export_case, print_plan, print_sheet
from cryoplan.workflow.run import refuse_impossible

if TYPE_CHECKING:
    from cryoplan.app.child import Line
    from cryoplan.case.store import StoredResult
    from cryoplan.scene.meshes import CaseMeshes
    from cryoplan.simulation.verification.gel import GelShape
    from cryoplan.simulation.verification.suite import Verification

Kept = TypeVar("Kept")

SentCase = Case | HeldCase | ChangedCase
"""A case as it comes through the pipe."""

KEPT = 3
_CASES: OrderedDict[str, Case] = OrderedDict()
_RESULTS: OrderedDict[str, tuple[ThermalResult, Assessment]] = OrderedDict()


_PREPARED: set[str] = set()


def idle(pause: Progress) -> None:
    """Do before somebody waits for it: compile the kernels, and cut the newest case's tissues to the grid.

    Raises
    ------
    Cancelled
        When `pause` says that a job waits; what is left is done in the next pause.
    """
    from cryoplan.simulation.solver import warm_up

    workflow.catalogue()
    workflow.tissues()
    warm_up()
    key = next(reversed(_CASES), None)
    if key is not None and key not in _PREPARED:
        # The hand waits for a preview, so its grid comes first. What is wrong with a case is told when it is
        # solved.
        with contextlib.suppress(CryoplanError):
            workflow.prepare_preview(_CASES[key], progress=pause)
            workflow.prepare(_CASES[key], progress=pause)
        _PREPARED.add(key)


def load(
    line: Line,
    path: Path,
    series_uid: str | None,
    structures: Sequence[Path],
    accept: Sequence[str] = (),
) -> Case:
    """Read an image and its structures; `accept` holds the codes that the user agreed to."""
    case = workflow.load_case(
        path, series_uid=series_uid, structures=structures, accept=accept, progress=line
    )
    return _ready(KnownRoles().apply(case))


def demo(_line: Line) -> tuple[Case, Plan]:
    """Make the built-in case and its plan."""
    case = _ready(workflow.built_in_case())
    return case, workflow.built_in_plan(case)


def structures(_line: Line, case: SentCase, path: Path, mesh_axes: str = "") -> Case:
    """Add the structures of a file."""
    return _ready(KnownRoles().apply(workflow.add_structures(_case(case), path, mesh_axes=mesh_axes)))


def target(_line: Line, case: SentCase, name: str) -> Case:
    """Choose the tumour."""
    return _ready(workflow.choose_target(_case(case), name))


def propose(line: Line, case: SentCase, which: Sequence[Part]) -> tuple[workflow.Proposal, ...]:
    """Look for structures; of the local diameters only their range goes through the pipe."""
    found = workflow.propose_structures(_case(case), which, line)
    for proposal in found:
        proposal.mask.digest()  # travels with the mask
    return tuple(replace(p, diameter_mm=None) for p in found)


def second(
    line: Line,
    case: SentCase,
    facts: ScanFacts,
    path: Path,
    series_uid: str | None,
    accept: Sequence[str],
) -> workflow.Partner:
    """Read a second image and compare it with the first, whose facts are those of the window."""
    first = Scan(volume=_case(case).scan.volume, facts=facts)
    partner = workflow.read_partner(first, path, series_uid=series_uid, accept=accept, progress=line)
    partner.scan.volume.digest()  # travels with the volume
    return partner


def second_again(line: Line, second: SecondImage, case_file: Path | None) -> Scan:
    """Read the second image of a case that was opened."""
    from cryoplan.case.store_link import read_second

    return read_second(second, case_file, progress=line)


def meshes(_line: Line, case: SentCase) -> CaseMeshes:
    """Make the surfaces of the 3D view."""
    from cryoplan.scene.meshes import build_case_meshes

    return build_case_meshes(_case(case))


def solve(
    line: Line, case: SentCase, plan: Plan, settings: SolverSettings
) -> tuple[ThermalResult, Assessment]:
    """Solve and judge; the frames have gone ahead one by one, so the answer leaves them out."""
    patient = _case(case)
    probes = workflow.catalogue()
    refuse_impossible(workflow.check(patient, plan, probes))
    result = workflow.simulate(patient, plan, probes, settings, progress=line, on_frame=line.frame)
    check_cancelled(line)
    assessment = workflow.assess(patient, plan, probes, result)
    _keep(_RESULTS, result.key, (result, assessment))
    return replace(result, frames=()), assessment


@dataclass(frozen=True, slots=True)
class _Unheard:
    """Progress that only asks: a preview is over before anybody could read how far it is."""

    line: Line

    def report(self, report: ProgressReport) -> None:
        """Tell nobody."""

    def cancelled(self) -> bool:
        """Tell whether to stop."""
        return self.line.cancelled()


def preview(line: Line, case: SentCase, plan: Plan, settings: SolverSettings) -> workflow.Preview:
    """Solve the first freeze on a coarse grid, for the hand that moves a probe."""
    return workflow.preview(_case(case), plan, workflow.catalogue(), settings, progress=_Unheard(line))


def converge(
    line: Line, case: SentCase, plan: Plan, settings: SolverSettings, known: Assessment | None
) -> workflow.ConvergenceReport:
    """Solve on another grid and with half the step, and tell what that changes."""
    patient = _case(case)
    probes = workflow.catalogue()
    refuse_impossible(workflow.check(patient, plan, probes))
    return workflow.check_convergence(patient, plan, probes, settings, known=known, progress=line)


def verify(line: Line) -> Verification:
    """Run the quick checks of the solver."""
    from cryoplan.workflow.verifying import verify as run

    return run(quick=True, progress=line)


def shape(line: Line, model: ProbeModel) -> GelShape:
    """Freeze one probe in its block of gel, for the catalogue."""
    from cryoplan.workflow.gel_shapes import solve_shape

    return solve_shape(model, progress=line)


def report(_line: Line, path: Path, **what: Any) -> Path:
    """Print the plan PDF."""
    return print_plan(_subject(**what), path)


def sheet(_line: Line, path: Path, **what: Any) -> Path:
    """Print the sheet for the CT room."""
    return print_sheet(_subject(**what), path)


def export(line: Line, path: Path, kinds: Sequence[str], replace: bool, **what: Any) -> Exported:
    """Write exports into a folder."""
    return export_case(_subject(**what), path, only=kinds, replace=replace, progress=line)


def _subject(
    case: SentCase,
    plan: Plan,
    solved: tuple[ThermalResult, Assessment] | str,
    standing: str,
    style: PrintStyle,
    second: SecondImage | None,
    reviews: Mapping[str, str],
    image: Path | None = None,
) -> Subject:
    """Return what leaves the program; second image and reviews are no part of what we know a case by."""
    result, assessment = _solved(solved)
    return Subject(
        case=with_reviews(_case(case).changed(second=second), reviews),
        plan=plan,
        probes=workflow.catalogue(),
        result=result,
        assessment=assessment,
        standing=standing,
        style=style,
        image=image,
    )


def save(
    _line: Line,
    case: SentCase,
    plan: Plan,
    solved: tuple[ThermalResult, Assessment] | str | None,
    path: Path,
) -> Path:
    """Write the case file."""
    result = None if solved is None else _solved(solved)[0]
    workflow.save_case(path, _case(case), plan, result)
    return path


def open_file(_line: Line, path: Path) -> workflow.SavedCase:
    """Read a case file."""
    saved = workflow.open_case(path)
    _ready(saved.case)
    if saved.result is not None and saved.assessment is not None:
        _keep(_RESULTS, saved.result.key, (saved.result, saved.assessment))
    return saved


def recall(_line: Line, case: SentCase, plan: Plan, stored: StoredResult) -> tuple[ThermalResult, Assessment]:
    """Unpack and judge a result that the window read from the case file."""
    result, assessment = workflow.recall(stored, _case(case), plan)
    _keep(_RESULTS, result.key, (result, assessment))
    return result, assessment


TASKS: dict[str, Callable[..., object]] = {
    "load": load,
    "demo": demo,
    "structures": structures,
    "target": target,
    "propose": propose,
    "second": second,
    "second-again": second_again,
    "meshes": meshes,
    "solve": solve,
    "preview": preview,
    "converge": converge,
    "verify": verify,
    "shape": shape,
    "report": report,
    "sheet": sheet,
    "export": export,
    "save": save,
    "open": open_file,
    "recall": recall,
}


def _ready(case: Case) -> Case:
    # The digest travels with the volumes, and finding the body takes a while: both are done here.
    _keep(_CASES, case.digest(), case)
    body_mask(case)
    return case


def _case(case: SentCase) -> Case:
    if isinstance(case, HeldCase):
        return case.case(_held(_CASES, case.key))
    if isinstance(case, ChangedCase):
        return _ready(case.case(_held(_CASES, case.base)))
    return _ready(case)


def _solved(solved: tuple[ThermalResult, Assessment] | str) -> tuple[ThermalResult, Assessment]:
    return _held(_RESULTS, solved) if isinstance(solved, str) else solved


def _held(store: OrderedDict[str, Kept], key: str) -> Kept:
    if key not in store:
        raise Forgotten
    store.move_to_end(key)
    return store[key]


def _keep(store: OrderedDict[str, Kept], key: str, value: Kept) -> None:
    store[key] = value
    store.move_to_end(key)
    while len(store) > KEPT:
        store.popitem(last=False)
