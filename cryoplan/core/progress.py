"""Progress and cancel, without Qt: long work takes a `Progress` and asks it whether to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Cancelled(Exception):  # noqa: N818 - a wish, not an error
    """The user asked to stop; nothing is wrong and nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressReport:
    """One word on how far the work is.

    Attributes
    ----------
    fraction : float
        0 to 1 of the whole job.
    text : str
        What is being done, in the user's words.
    remaining_s : float or None
        Estimated wall time left, None while it is not known.
    """

    fraction: float
    text: str
    remaining_s: float | None = None


class Progress(Protocol):
    """What long work needs from its caller."""

    def report(self, report: ProgressReport) -> None:
        """Show how far the work is; must be cheap and must not raise."""

    def cancelled(self) -> bool:
        """Return True when the work should stop at the next chunk."""


@dataclass(frozen=True, slots=True)
class PartProgress:
    """Progress of one stage as a share of the whole work.

    Attributes
    ----------
    whole : Progress
        Progress of the whole.
    start, share : float
        The stage's begin and length as fractions of the whole.
    """

    whole: Progress
    start: float
    share: float

    def report(self, report: ProgressReport) -> None:
        """Report to the whole at this stage's place."""
        fraction = self.start + self.share * report.fraction
        self.whole.report(ProgressReport(fraction=fraction, text=report.text, remaining_s=report.remaining_s))

    def cancelled(self) -> bool:
        """Ask the whole."""
        return self.whole.cancelled()


class Silent:
    """Progress that shows nothing and never cancels."""

    def report(self, report: ProgressReport) -> None:
        """Drop the report."""

    def cancelled(self) -> bool:
        """Return False."""
        return False


SILENT = Silent()


def check_cancelled(progress: Progress) -> None:
    """Raise `Cancelled` when the caller wants to stop."""
    if progress.cancelled():
        raise Cancelled
