"""State: the few words for what the window shows, and what the background process is doing."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What the state chip says."""

    EMPTY = "NO CASE"
    READY = "NOT SOLVED"
    SOLVING = "SOLVING"
    PREVIEW = "PREVIEW"
    CURRENT = "CURRENT"
    OUT_OF_DATE = "OUT OF DATE"


BUSY_TEXT = {
    "load": "Reading the scan",
    "demo": "Making the demonstration case",
    "structures": "Reading the structures",
    "target": "Choosing the target",
    "second": "Reading the second image",
    "second-again": "Reading the second image",
    "propose": "Looking for structures",
    "meshes": "Making the surfaces",
    "solve": "Solving",
    "preview": "Following the probe",
    "converge": "Checking the grid",
    "verify": "Checking the solver",
    "shape": "Freezing a probe in gel",
    "report": "Printing the PDF",
    "sheet": "Printing the sheet",
    "export": "Exporting",
    "save": "Saving the case",
    "open": "Opening the case",
    "recall": "Reading the stored result",
}
"""By the kind of a job."""

QUIET = frozenset({"preview"})
"""Kinds of jobs that come and go many times a second: nobody is told that something is being done."""
