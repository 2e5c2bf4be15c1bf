"""Calls: what the thread of the case file is asked for, and when it may do that."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cryoplan.core.errors import CryoplanError, StoreError


class When(Enum):
    """When something is done with the file."""

    AT_ONCE = "whether steps can be written or not"
    AFTER_STEPS = "after the steps that wait; refused while they can not be written"
    LEAVING = "after the steps that wait, without them if they can not be written"


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Something to do with the file."""

    function: Callable[[], Any]
    future: Future[Any]
    when: When

    def turn_away(self, error: CryoplanError | None) -> None:
        """Say that it is not done."""
        with suppress(InvalidStateError):  # it was answered or given up
            if self.future.running() or self.future.set_running_or_notify_cancel():
                self.future.set_exception(error or StoreError("The case was closed.", "Open it again."))
