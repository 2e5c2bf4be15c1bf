"""Jobs: what the window asks of the background process, and what it hears back; immutable and picklable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryoplan.core.finding import Finding
from cryoplan.core.progress import ProgressReport
from cryoplan.simulation.result import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request. `kind` names the task, `arguments` are its keyword arguments."""

    id: int
    kind: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A job under way as the window keeps it: case and result whole, so that it can be asked again."""

    kind: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a job is."""

    id: int
    report: ProgressReport


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobFrame:
    """A temperature field, sent as soon as it is solved."""

    id: int
    frame: Frame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobDone:
    """The answer to a job."""

    id: int
    kind: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled:
    """A job that stopped because it was asked to."""

    id: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something did not work: what happened, what to do, and details without patient data.

    `to_agree` holds findings that a yes of the user would settle.
    """

    what: str
    remedy: str
    code: str = "internal-error"
    place: str = ""
    details: str = ""
    to_agree: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    """A job that could not be done."""

    id: int
    kind: str
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class JobForgot:
    """A job that named a case or a result which the process does not hold any more: send it whole."""

    id: int
    kind: str


class Forgotten(Exception):  # noqa: N818 - nothing is wrong
    """What a task raises when it was given the key of something that it does not hold any more."""


Answer = JobProgress | JobFrame | JobDone | JobCancelled | JobFailed | JobForgot

CANCEL_SLOTS = 256
"""Jobs that may be waiting at once; each has a slot of its own, so that one can be cancelled by itself."""
