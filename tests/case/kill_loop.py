"""Kill loop: programs that edit a case file are killed at random moments, and the file is opened again.

Run ``python -m tests.case.kill_loop --kills 500 --seed 7`` from the root of the tree.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import NoReturn

from cryoplan.case.store import CaseStore
from cryoplan.case.structure import Role
from cryoplan.core.errors import CryoplanError
from tests.support.cases import ball, case, grid, scan, structure
from tests.support.killing import Report, edited_until_killed, main

WHERE = grid(size=(14, 12, 10))
LONGEST_S = 0.06
"""An edit takes about a millisecond, so that most programs are killed after some dozen of them."""


def plan(n: int) -> str:
    """Return the n-th plan; its text tells its number."""
    return json.dumps({"name": f"Plan {n}", "probes": [{"tip_mm": [n / 7, n / 3, -n]}] * (n % 4)})


def edit_forever(path: Path, seed: float) -> NoReturn:
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


def kill_loop(folder: Path, *, kills: int, seed: float) -> Report:
    """Kill `kills` programs that edit one file in `folder`, and look at the file after each."""
    rng = random.Random(seed)
    path = folder / "killed.cryoplan"
    tumour = structure("tumour", ball(WHERE, WHERE.centre_mm(), 6), Role.TUMOUR)
    CaseStore.create(path, case(scan(WHERE), tumour, target="tumour"), plan(0))
    known, damaged, most_lost, most_unreported = 1, 0, 0, 0
    for _ in range(kills):
        reported = max(known, edited_until_killed("tests.case.kill_loop", path, rng, LONGEST_S))
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


def _every_state_fits(store: CaseStore) -> bool:
    history = store.history()
    return history.verify_chain() is None and all(history.has_state(s) for s in history.line)


if __name__ == "__main__":
    sys.exit(main(__doc__.splitlines()[0], edit_forever, kill_loop, kills=500))
