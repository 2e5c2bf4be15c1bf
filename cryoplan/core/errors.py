"""Errors that a user can read: what happened, and what to do about it.

They are caught at three places only: the worker's edge, the command line's ``main`` and the window's
exception hook. Everywhere else they fly.
"""

from __future__ import annotations

from cryoplan.core.finding import Finding


class CryoplanError(Exception):
    """Something a user can mend.

    Parameters
    ----------
    what : str
        What happened, naming the file, probe or value; one sentence with its full stop.
    remedy : str
        What to do next; one sentence with its full stop.
    code : str
        Stable kebab-case code of the finding that this error becomes in JSON.
    place : str
        File name, slice, probe or structure that the error is about.
    """

    def __init__(self, what: str, remedy: str, *, code: str = "refused", place: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy
        self.code = code
        self.place = place

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword arguments do not cross a process border by themselves.
        return (_rebuild, (type(self), self.what, self.remedy, self.code, self.place))


def _rebuild(kind: type[CryoplanError], what: str, remedy: str, code: str, place: str) -> CryoplanError:
    return kind(what, remedy, code=code, place=place)


class ImageError(CryoplanError):
    """An image that cannot be read, or not in the right place."""


class ConsentError(ImageError):
    """An image that can be opened once the user agrees to what was found.

    Parameters
    ----------
    findings : tuple of Finding
        What has to be agreed to, each by its code.
    """

    def __init__(
        self,
        what: str,
        remedy: str,
        *,
        code: str = "refused",
        place: str = "",
        findings: tuple[Finding, ...] = (),
    ) -> None:
        super().__init__(what, remedy, code=code, place=place)
        self.findings = findings

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_consent, (self.what, self.remedy, self.code, self.place, self.findings))


def _rebuild_consent(
    what: str, remedy: str, code: str, place: str, findings: tuple[Finding, ...]
) -> ConsentError:
    return ConsentError(what, remedy, code=code, place=place, findings=findings)


class StructureError(CryoplanError):
    """A mask that does not fit its image, or a structure that is not there."""


class PlanError(CryoplanError):
    """A plan that cannot be carried out or read; ``place`` is the path of the bad value."""


class LimitError(CryoplanError):
    """A limit that makes no sense; ``place`` says of what."""


class SimulationError(CryoplanError):
    """A problem that the solver cannot or may not solve."""


class StoreError(CryoplanError):
    """A case file or an output folder that cannot be read or written."""


class StaleError(CryoplanError):
    """A result that does not belong to the plan any more."""
