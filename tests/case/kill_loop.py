"""Kill loop: programs that edit a case file are killed at random moments, and the file is opened again.

Run ``python -m tests.case.kill_loop --kills 500 --seed 7`` from the root of the tree.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from cryoplan.case.store import CaseStore
from cryoplan.case.structure import Role
from cryoplan.core.errors import CryoplanError
from tests.support.cases import ball, case, grid, scan, structure

ROOT = Path(__file__).parents[2]
WHERE = grid(size=(14, 12, 10))
LONGEST_S = 0.06
"""An edit takes about a millisecond, so that most programs are killed after some dozen of them."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the file.

    Attributes
    ----------
    kills, edits : int
        Programs killed, and entries written by all of them.
    damaged : int
        How often the file could not be opened for writing or its history did not fit.
    most_lost : int
        Most entries that a program had reported as stored and that were not there.
    most_unreported : int
        Most entries that were there and had not been reported: the one in flight.
    """

    kills: int
    edits: int
    damaged: int
    most_lost: int
    most_unreported: int


def plan(n: int) -> str:
    """Return the n-th plan; its text tells its number."""
    return json.dumps({"name": f"Plan {n}", "probes": [{"tip_mm": [n / 7, n / 3, -n]}] * (n % 4)})


def edit_forever(path: Path, seed: int) -> None:
    """Edit, undo, redo and go, and report the number of each entry once it is stored."""
    rng = random.Random(seed)
    with CaseStore.open(path) as store:
        some = store.load_case()
        print("open", flush=True)
        while True:
            history = store.history()
            choice = rng.random()
            if choice < 0.15 and history.can_undo:
                store.undo()
            elif choice < 0.25 and history.can_redo:
                store.redo()
            elif choice < 0.3:
                store.go_to(rng.randint(1, 1 + len(history) // 2) if len(history) < 3 else history.line[0])
            elif choice < 0.4:
                cyst = structure("cyst", ball(WHERE, WHERE.centre_mm(), rng.uniform(4, 9)))
                store.record("Cyst outlined", case=some.changed(structures=(some.structures[0], cyst)))
            elif choice < 0.43:
                store.approve("Dr. A")
            else:
                store.record("Plan changed", plan_text=plan(len(history) + 1))
            print(len(store.history()), flush=True)


def kill_loop(folder: Path, *, kills: int, seed: int) -> Report:
    """Kill `kills` programs that edit one file in `folder`, and look at the file after each."""
    rng = random.Random(seed)
    path = folder / "killed.cryoplan"
    tumour = structure("tumour", ball(WHERE, WHERE.centre_mm(), 6), Role.TUMOUR)
    CaseStore.create(path, case(scan(WHERE), tumour, target="tumour"), plan(0))
    known, damaged, most_lost, most_unreported = 1, 0, 0, 0
    for _ in range(kills):
        reported = max(known, _edited_until_killed(path, rng))
        try:
            with CaseStore.open(path) as store:
                store.load_case()
                damaged += bool(store.findings) or not _every_state_fits(store)
                there = len(store.history())
        except CryoplanError as error:
            print(f"damaged: {error}")
            damaged += 1
            continue
        # One commit may be two entries: an edit and the withdrawal that it brings.
        commits = there - reported
        if commits == 2 and store.history().entries[-1].kind == "withdraw":
            commits = 1
        most_lost = max(most_lost, reported - there)
        most_unreported = max(most_unreported, commits)
        known = there
    return Report(kills, known, damaged, most_lost, most_unreported)


def _edited_until_killed(path: Path, rng: random.Random) -> int:
    command = [sys.executable, "-m", "tests.case.kill_loop", "--edit", str(path), "--seed", str(rng.random())]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it has opened the file
        timer = threading.Timer(rng.uniform(0.0, LONGEST_S), child.kill)
        timer.start()
        lines = child.stdout.read().splitlines(keepends=True)
        timer.cancel()
        timer.join()
    if child.returncode == 1 and sys.platform != "win32":
        raise RuntimeError("the program that edits ended by itself, so nothing was killed")
    # A line that was cut by the kill was not reported.
    return max((int(line) for line in lines if line.endswith("\n")), default=0)


def _every_state_fits(store: CaseStore) -> bool:
    history = store.history()
    return history.verify_chain() is None and all(history.has_state(s) for s in history.line)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=float, default=7)
    parser.add_argument("--edit", type=Path, help="edit this file until killed")
    options = parser.parse_args()
    if options.edit is not None:
        edit_forever(options.edit, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        report = kill_loop(Path(folder), kills=options.kills, seed=options.seed)
    print(
        f"{report.kills} kills, {report.edits} entries, {report.damaged} damaged; "
        f"{report.most_lost} stored entries lost, {report.most_unreported} unreported at most"
    )
    return int(report.damaged > 0 or report.most_lost > 0 or report.most_unreported > 1)


if __name__ == "__main__":
    sys.exit(main())
