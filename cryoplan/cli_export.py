"""Export commands: what leaves the program, asked for on the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryoplan import RESEARCH_USE
from cryoplan.cli_console import Console
from cryoplan.core.errors import CryoplanError
from cryoplan.core.finding import Level

if TYPE_CHECKING:
    from cryoplan.report.style import PrintStyle
    from cryoplan.workflow.export import Subject

KINDS_TEXT = (
    "pdf, sheet (for the CT room); seg, rtstruct, sr, dicompdf, keyimages (DICOM, in the study of the scan); "
    "nifti, nrrd, stl, ply, obj, markups (3D Slicer), csv (and JSON), movie"
)
"""The words of ``--only``; written out, so that no command loads the whole program for its help."""


def add_export_commands(commands: Any) -> None:
    """Add ``report``, ``sheet`` and ``export``."""
    report = commands.add_parser(
        "report",
        help="the plan PDF of a saved case; refuses a stale result",
        description=f"First the decision, then the probes, then how it was computed. {RESEARCH_USE}.",
    )
    _add_paper(report, "plan.pdf")
    report.set_defaults(command=_report)

    sheet = commands.add_parser(
        "sheet",
        help="one page for the CT room: slices, angles, depths, skin marks; refuses a stale result",
        description=f"Big type, black on white, up to four probes a page. {RESEARCH_USE}.",
    )
    _add_paper(sheet, "sheet.pdf")
    sheet.set_defaults(command=_sheet)

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
    _add_style(export)
    export.add_argument("--json", action="store_true", help="progress and result as JSON lines")
    export.set_defaults(command=_export)


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _add_paper(command: Any, name: str) -> None:
    command.add_argument("case", type=Path, metavar="CASE")
    command.add_argument("-o", "--out", type=Path, required=True, metavar=name)
    command.add_argument("--replace", action="store_true", help="replace a file that holds something else")
    _add_style(command)


def _add_style(command: Any) -> None:
    command.add_argument("--paper", choices=("A4", "Letter"), default="A4")
    command.add_argument("--language", choices=("en", "de"), default="en", help="of what is printed")
    command.add_argument("--department", default="", metavar="TEXT", help="one line in the head of each page")
    command.add_argument("--logo", type=Path, metavar="FILE", help="a PNG or JPEG picture beside it")


def _style(options: argparse.Namespace) -> PrintStyle:
    from cryoplan.report.style import Paper, PrintStyle
    from cryoplan.workflow.logo import read_logo

    return PrintStyle(
        paper=Paper(options.paper),
        language=options.language,
        department=" ".join(options.department.split()),
        logo=b"" if options.logo is None else read_logo(options.logo),
    )


def _report(options: argparse.Namespace) -> int:
    from cryoplan.workflow.export import print_plan

    return _print(options, print_plan)


def _sheet(options: argparse.Namespace) -> int:
    from cryoplan.workflow.export import print_sheet

    return _print(options, print_sheet)


def _print(options: argparse.Namespace, write: Callable[[Subject, Path], Path]) -> int:
    from cryoplan.workflow.export import open_subject, print_new

    subject = open_subject(options.case, style=_style(options))
    if options.replace:
        write(subject, options.out)
    else:
        print_new(subject, options.out, write)
    print(f"Wrote {options.out}. {RESEARCH_USE}.")
    return 0


def _export(options: argparse.Namespace) -> int:
    from cryoplan.workflow.export import export_case, open_subject

    if options.image is not None and not options.image.exists():
        raise CryoplanError(
            f"{options.image} does not exist.",
            "Name the folder or file with the DICOM images of the scan.",
            code="no-such-path",
            place="--image",
        )
    subject = open_subject(options.case, style=_style(options), image=options.image)
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
