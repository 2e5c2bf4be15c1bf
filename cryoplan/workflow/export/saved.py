"""Saved: a case file as something to be printed or exported; only with a current result."""

from __future__ import annotations

from pathlib import Path

from cryoplan.core.errors import StaleError
from cryoplan.report.style import PrintStyle
from cryoplan.workflow.export.subject import Subject
from cryoplan.workflow.saving import open_case
from cryoplan.workflow.solving import catalogue


def open_subject(path: Path, *, style: PrintStyle | None = None, image: Path | None = None) -> Subject:
    """Return what a case file has to print and export.

    Parameters
    ----------
    path : Path
        A case file; it is not changed.
    style : PrintStyle, optional
        For what is printed.
    image : Path, optional
        Where the DICOM files of the scan are, if not where they were read from.

    Raises
    ------
    StaleError
        If it holds no result of its present plan.
    StoreError
        If it cannot be read.
    """
    saved = open_case(path)
    if saved.result is None or saved.assessment is None:
        raise StaleError(
            f"The case {path.name} holds no result of its present plan.",
            "Open it in the window, solve it and save it; then print or export.",
            code="stale-result",
            place=path.name,
        )
    return Subject(
        case=saved.case,
        plan=saved.plan,
        probes=catalogue(),
        result=saved.result,
        assessment=saved.assessment,
        standing=saved.standing,
        image=image,
        style=style or PrintStyle(),
    )
