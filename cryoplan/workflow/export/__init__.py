"""Export: a solved case leaves the program in formats that every other tool opens; whole or not at all.

`export_case` is the one way out for window and commands. It refuses a stale result before anything is
written, writes into a folder of its own, and moves that into place when all of it is there.
"""

from cryoplan.workflow.export.kinds import DICOM_KINDS, KINDS, Kind, kinds_named
from cryoplan.workflow.export.printed import print_new, print_plan, print_sheet
from cryoplan.workflow.export.saved import open_subject
from cryoplan.workflow.export.subject import Subject
from cryoplan.workflow.export.writing import Exported, export_case, files_in_the_way, write_kinds

__all__ = [
    "DICOM_KINDS",
    "KINDS",
    "Exported",
    "Kind",
    "Subject",
    "export_case",
    "files_in_the_way",
    "kinds_named",
    "open_subject",
    "print_new",
    "print_plan",
    "print_sheet",
    "write_kinds",
]
