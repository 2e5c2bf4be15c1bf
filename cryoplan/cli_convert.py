"""Convert command: an image as the program sees it, in one file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from cryoplan import RESEARCH_USE
from cryoplan.cli_console import Console
from cryoplan.core.finding import Level


def add_convert_command(commands: Any) -> None:
    """Add ``convert``."""
    convert = commands.add_parser("convert", help="an image as the program sees it: NIfTI, NRRD or MetaImage")
    convert.add_argument(
        "--image", type=Path, required=True, metavar="PATH", help="image file or DICOM folder"
    )
    convert.add_argument("--series", metavar="UID", help="which series of the folder")
    convert.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="ends in .nii, .nii.gz, .nrrd or .mha"
    )
    convert.add_argument("--accept", action="append", default=[], metavar="CODE")
    convert.add_argument("--replace", action="store_true", help="replace FILE if it is there")
    convert.add_argument("--json", action="store_true", help="progress and result as JSON lines")
    convert.set_defaults(command=_convert)


def _convert(options: argparse.Namespace) -> int:
    from cryoplan.workflow.converting import convert_image

    with Console(as_json=options.json) as progress:
        done = convert_image(
            options.image,
            options.out,
            series_uid=options.series,
            accept=options.accept,
            replace=options.replace,
            progress=progress,
        )
    if options.json:
        grid = done.volume.grid
        record = {
            "file": str(options.out),
            "size": list(grid.size),
            "spacing_mm": list(grid.spacing_mm),
            "origin_mm": list(grid.origin_mm),
            "direction": list(grid.direction),
            "voxels": str(done.volume.values.dtype),
            "sha256": done.volume.digest(),
            "findings": [f.to_json() for f in done.findings],
        }
        print(json.dumps({"result": record}))
    else:
        for finding in done.findings:
            if finding.level is not Level.OK:
                print(f"{finding.level.value}: {finding.text}")
        print(f"Wrote {options.out}. {RESEARCH_USE}.")
    return 0
