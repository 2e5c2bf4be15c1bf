"""Console: progress of a command on the terminal or as JSON lines, and Ctrl+C as a wish to stop."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from types import FrameType
from typing import Any

from cryoplan.core.progress import ProgressReport


class Console:
    """Progress on the terminal (or as JSON lines); Ctrl+C asks the work to stop at its next chunk."""

    def __init__(self, *, as_json: bool) -> None:
        self._json = as_json
        self._asked_to_stop = False
        self._last = -1
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Console:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Elsewhere than on the main thread, whoever calls us owns the signals.
            with contextlib.suppress(ValueError):
                self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if not self._json and sys.stderr.isatty() and self._last >= 0:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop = True

    def report(self, report: ProgressReport) -> None:
        """Show one line; each whole percent at most once."""
        percent = int(100.0 * report.fraction)
        if percent == self._last:
            return
        self._last = percent
        left = "" if report.remaining_s is None else f", {report.remaining_s:.0f} s left"
        if self._json:
            record = {"progress": report.fraction, "text": report.text, "remaining_s": report.remaining_s}
            print(json.dumps(record), flush=True)
        elif sys.stderr.isatty():
            print(f"\r\x1b[K{percent:3d} %  {report.text}{left}", end="", file=sys.stderr, flush=True)

    def cancelled(self) -> bool:
        """Tell whether Ctrl+C was pressed."""
        return self._asked_to_stop
