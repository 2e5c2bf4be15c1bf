"""Export commands: what leaves the program, asked for on the command line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from cryoplan import RESEARCH_USE
from cryoplan.cli_console import Console
from cryoplan.core.errors import CryoplanError, StaleError
from cryoplan.core.finding import Level

KINDS_TEXT = (
    "pdf, sheet (for the CT room); seg, rtstruct, sr, dicompdf, keyimages (DICOM, in the study of the scan); "
    "nifti, nrrd, stl, ply, obj, markups (3D Slicer), csv (and JSON), movie"
)
"""The words of ``--only``; written out, so that no command loads the whole program for its help."""


def add_export_command(commands: Any) -> None:
    """Add ``export``."""
    export = commands.add_parser(
        "export",
        help="a solved case as DICOM, NIfTI, STL, markups, CSV, PDF ...; refuses a stale result",
        description=f"Writes all that can be exported, or what --only names: {KINDS_TEXT}. {RESEARCH_USE}.",
    )
    export.add_argument("case", type=Path, metavar="CASE")
    export.add_argument("--out", type=Path, required=True, metavar="DIR")
    export.add_argument("--only", type=words, default=(), metavar="KIND,KIND,...")
    export.add_argument(
        "--image", type=Path, metavar="PATH", help="where the DICOM files of the scan are, if they were moved"
    )
    export.add_argument("--replace", action="store_true", help="replace files of the same names in DIR")
    export.add_argument(
        "--axes", choices=("LPS", "RAS"), default="LPS", help="of surfaces and markups; each file says which"
    )
    export.add_argument("--json", action="store_true", help="progress and result as JSON lines")
    export.set_defaults(command=_export)


def add_sheet_command(commands: Any) -> None:
    """Add ``sheet``."""
    sheet = commands.add_parser(
        "sheet",
        help="one page for the CT room: slices, angles, depths, skin marks; refuses a stale result",
        description=f"Big type, black on white, up to four probes a page. {RESEARCH_USE}.",
    )
    sheet.add_argument("case", type=Path, metavar="CASE")
    sheet.add_argument("-o", "--out", type=Path, required=True, metavar="sheet.pdf")
    sheet.add_argument("--paper", choices=("A4", "Letter"), default="A4")
    sheet.add_argument("--department", default="", metavar="TEXT", help="one line in the head")
    sheet.set_defaults(command=_sheet)


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _sheet(options: argparse.Namespace) -> int:
    from cryoplan import workflow
    from cryoplan.report.style import Paper, PrintStyle

    saved = workflow.open_case(options.case)
    if saved.result is None or saved.assessment is None:
        raise StaleError(
            f"The case {options.case.name} holds no result of its present plan.",
            "Open it in the window, solve it and save it; then print.",
            code="stale-result",
            place=options.case.name,
        )
    workflow.write_room_sheet(
        saved.case,
        saved.plan,
        workflow.catalogue(),
        saved.result,
        saved.assessment,
        options.out,
        standing=saved.standing,
        style=PrintStyle(paper=Paper(options.paper), department=options.department),
    )
    print(f"Wrote {options.out}. {RESEARCH_USE}.")
    return 0


def _export(options: argparse.Namespace) -> int:
    from cryoplan import workflow
    from cryoplan.workflow.export import Subject, export_case

    if options.image is not None and not options.image.exists():
        raise CryoplanError(
            f"{options.image} does not exist.",
            "Name the folder or file with the DICOM images of the scan.",
            code="no-such-path",
            place="--image",
        )
    saved = workflow.open_case(options.case)
    if saved.result is None or saved.assessment is None:
        raise StaleError(
            f"The case {options.case.name} holds no result of its present plan.",
            "Open it in the window, solve it and save it; then export.",
            code="stale-result",
            place=options.case.name,
        )
    subject = Subject(
        case=saved.case,
        plan=saved.plan,
        probes=workflow.catalogue(),
        result=saved.result,
        assessment=saved.assessment,
        standing=saved.standing,
        image=options.image,
    )
    with Console(as_json=options.json) as progress:
        done = export_case(
            subject,
            options.out,
            only=options.only,
            replace=options.replace,
            axes=options.axes,
            progress=progress,
        )
    if options.json:
        print(json.dumps({"files": list(done.files), "findings": [f.to_json() for f in done.findings]}))
    else:
        for finding in done.findings:
            if finding.level is not Level.OK:
                print(f"{finding.level.value}: {finding.text}")
        print(f"Wrote {len(done.files)} files to {options.out}. {RESEARCH_USE}.")
    return 0
