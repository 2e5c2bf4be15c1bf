"""NamedMask: one labelled region of a file, before the case gives it a role."""

from __future__ import annotations

from dataclasses import dataclass

from cryoplan.core.volume import Volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedMask:
    """A mask as a file holds it.

    Attributes
    ----------
    name : str
        Name in the file, never empty.
    mask : Volume
        bool voxels, on the grid of its file.
    source : str
        File (and label value or segment number) that it came from.
    role : str
        Role that the file states (one of `cryoplan.case.structure.Role`), empty when it states none.
    tissue : str
        Tissue that the file states (a key of the tissue table), empty when it states none.
    code : str
        What the file says that it is by a code, as ``SCT 10200004``; empty when it states none.
    """

    name: str
    mask: Volume
    source: str
    role: str = ""
    tissue: str = ""
    code: str = ""
