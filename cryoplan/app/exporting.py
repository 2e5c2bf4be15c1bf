"""Exporting: everything that leaves the window as a file for others; only of a current result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryoplan import workflow
from cryoplan.app.jobs import Asked
from cryoplan.app.print_choice import print_style
from cryoplan.app.travel import PATIENCE_S
from cryoplan.case.history import Kind
from cryoplan.case.reviews import reviews_of
from cryoplan.core.errors import StaleError

if TYPE_CHECKING:
    from cryoplan.app.workspace import Workspace
    from cryoplan.workflow.export import Exported

UNSAVED_STANDING = "Not approved · last steps not saved"
"""What a PDF says that is printed while the disk does not take the steps that it shows."""

KINDS = ("report", "sheet", "export")
"""Kinds of jobs that this asks for."""


class Exporting:
    """Prints and exports in the background; each is an entry of the history of its case."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        # Tenure of the keeper in which each was asked for: another patient may be shown when it is done.
        self._tenures: dict[tuple[str, Path], int] = {}

    def print_plan(self, path: Path) -> None:
        """Print the plan PDF.

        Raises
        ------
        StaleError
            If the result is not the answer to this plan: then nothing is printed.
        """
        self._ask("report", path)

    def print_sheet(self, path: Path) -> None:
        """Print the sheet for the CT room.

        Raises
        ------
        StaleError
            As `print_plan`.
        """
        self._ask("sheet", path)

    def export(
        self, folder: Path, kinds: Sequence[str], *, replace: bool = False, image: Path | None = None
    ) -> None:
        """Write kinds of `cryoplan.workflow.export.KINDS` into a folder.

        Parameters
        ----------
        replace : bool
            Whether files of the same names may be replaced.
        image : Path, optional
            Where the DICOM files of the scan are, if they were moved.

        Raises
        ------
        StaleError
            As `print_plan`.
        """
        self._ask("export", folder, kinds=tuple(kinds), replace=replace, image=image)

    def take(self, asked: Asked, value: Any) -> None:
        """Say that something is there, in the history of the case too that it was made of."""
        path: Path = asked.arguments["path"]
        if asked.kind == "export":
            said, entry = self._exported(path, value), "Exported: " + ", ".join(asked.arguments["kinds"])
        else:
            said = f"Printed {path.name}"
            entry = "Plan printed as PDF" if asked.kind == "report" else "CT-room sheet printed"
        workspace = self._workspace
        if self._tenures.pop((asked.kind, path), None) != workspace.keeper.tenure:
            workspace.message.emit(f"{said}; its case was closed before, so its history lacks that")
            return
        workspace.message.emit(said)
        if workspace.keeper.may_edit:
            workspace.keeper.call(lambda file: file.record(entry, kind=Kind.EXPORT))

    def _exported(self, folder: Path, done: Exported) -> str:
        for finding in done.findings:
            if finding.level.rank:
                self._workspace.message.emit(finding.text)
        return f"Exported {len(done.files)} files to {folder.name}"

    def _ask(self, kind: str, path: Path, **more: object) -> None:
        workspace = self._workspace
        workspace.finish_strokes()
        if not workspace.is_current:
            raise StaleError(
                "The plan has not been solved." if workspace.result is None else "The result is out of date.",
                "Solve first, then print or export.",
                code="stale-result",
            )
        # An approval that a step in memory withdraws may not be printed.
        is_saved = workspace.keeper.settle(PATIENCE_S)
        standing = workflow.standing(workspace.keeper.kept.history) if is_saved else UNSAVED_STANDING
        case = workspace.case
        self._tenures[kind, path] = workspace.keeper.tenure
        workspace.ask_background(
            kind,
            case=case,
            plan=workspace.plan,
            solved=workspace.solved,
            path=path,
            standing=standing,
            style=print_style(),
            second=None if case is None else case.second,
            reviews={} if case is None else reviews_of(case),
            **more,
        )
