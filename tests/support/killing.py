"""Killing: programs that edit a case are killed at random moments, and what became of the file is counted.

A module that is run with ``--edit FILE`` prints ``open``, edits the file for ever, and prints the number of
each edit once that is stored.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the file.

    Attributes
    ----------
    kills, edits : int
        Programs killed, and edits that all of them stored.
    damaged : int
        How often the file could not be opened for writing or its history did not fit.
    most_lost : int
        Most edits that a program had reported as stored and that were not there.
    most_unreported : int
        Most edits that were there and had not been reported: the one in flight.
    """

    kills: int
    edits: int
    damaged: int
    most_lost: int
    most_unreported: int

    @property
    def is_sound(self) -> bool:
        """True when nothing but an edit in flight is other than it was reported."""
        return self.damaged == 0 and self.most_lost == 0 and self.most_unreported <= 1

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.edits} edits, {self.damaged} damaged; "
            f"{self.most_lost} stored edits lost, {self.most_unreported} unreported at most"
        )


def edited_until_killed(
    module: str,
    path: Path,
    rng: random.Random,
    longest_s: float,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Let `module` edit `path` for at most `longest_s`, kill it, and return the last edit that it reported.

    Raises
    ------
    RuntimeError
        If it did not open the file or ended by itself: nothing was killed then.
    """
    command = [sys.executable, "-m", module, "--edit", str(path), "--seed", str(rng.random())]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        if child.stdout.readline() != "open\n":
            child.kill()
            raise RuntimeError(f"{module} did not open the case")
        timer = threading.Timer(rng.uniform(0.0, longest_s), child.kill)
        timer.start()
        lines = child.stdout.read().splitlines(keepends=True)
        timer.cancel()
        timer.join()
    if child.returncode == 1 and os.name == "posix":
        raise RuntimeError(f"{module} ended by itself, so nothing was killed")
    # A line that was cut by the kill was not reported.
    return max((int(line) for line in lines if line.endswith("\n")), default=0)


def main(
    what: str, edit_forever: Callable[[Path, float], int], kill_loop: Callable[..., Report], kills: int
) -> int:
    """Run a kill loop, or the program that it kills, from the command line."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--kills", type=int, default=kills)
    parser.add_argument("--seed", type=float, default=7)
    parser.add_argument("--edit", type=Path, help="edit this file until killed")
    options = parser.parse_args()
    if options.edit is not None:
        return edit_forever(options.edit, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        report = kill_loop(Path(folder), kills=options.kills, seed=options.seed)
    print(report)
    return int(not report.is_sound)
