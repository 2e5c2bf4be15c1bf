"""Kill window: programs whose window is edited are killed at random moments, and the case is opened again.

Run ``python -m tests.e2e.kill_window --kills 100 --seed 7`` from the root of the tree.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from cryoplan import workflow
from cryoplan.core.errors import CryoplanError
from cryoplan.plan import edits
from tests.support.killing import Report, edited_until_killed, main

LONGEST_S = 1.5


def edit_forever(path: Path, seed: float) -> int:
    """Start the program on a case, edit it from its event loop, and say each edit once it is recorded."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from cryoplan.gui.main_window import MainWindow
    from cryoplan.gui.start import start_window

    rng = random.Random(seed)
    number = _number(workflow.open_case(path).plan.name)
    application = QApplication([sys.argv[0]])

    def edit() -> None:
        nonlocal number
        window = next((w for w in application.topLevelWidgets() if isinstance(w, MainWindow)), None)
        if window is None or window.workspace.keeper.kept.path != path:
            return
        workspace, is_first = window.workspace, timer.interval() != 1
        if is_first:
            timer.setInterval(1)
            print("open", flush=True)
        number += 1
        plan = edits.rename_plan(workspace.plan, f"edit {number}")
        if rng.random() < 0.2:  # a drag is one edit, recorded when the hand lets go
            gesture = f"drag {number}"
            workspace.edit("Drag", edits.rename_plan(workspace.plan, f"edit {number} begun"), gesture=gesture)
            workspace.keeper.settle(rng.choice([0.0, 1.0]))
            workspace.edit("Drag", plan, gesture=gesture)
            workspace.keeper.settle()
        else:
            workspace.edit(f"Edit {number}", plan)
        if workspace.plan != plan:
            application.exit(1)
        elif workspace.keeper.settle(0.0):
            print(number, flush=True)

    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(edit)
    timer.start()
    return start_window(path, demo=False)


def kill_loop(folder: Path, *, kills: int, seed: float) -> Report:
    """Kill `kills` windows on one case in `folder`, and look at its file after each."""
    from tests.support.scenes import make_case, make_plan

    rng = random.Random(seed)
    path = folder / "killed.cryoplan"
    workflow.save_case(path, make_case(), edits.rename_plan(make_plan(), "edit 0"))
    known, edits_made, damaged, most_lost, most_unreported = 0, 0, 0, 0, 0
    for _ in range(kills):
        reported = max(known, _window_edited_until_killed(path, folder, rng))
        try:
            with workflow.CaseFile.open(path) as file:
                damaged += bool(file.store.findings) or file.history.verify_chain() is not None
                there = _number(file.plan.name)
        except CryoplanError as error:
            print(f"damaged: {error}")
            damaged += 1
            continue
        edits_made += reported - known
        most_lost = max(most_lost, reported - there)
        most_unreported = max(most_unreported, there - reported)
        known = there
    return Report(kills, edits_made, damaged, most_lost, most_unreported)


def _window_edited_until_killed(path: Path, folder: Path, rng: random.Random) -> int:
    homes = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CONFIG", "DATA", "STATE")}
    environment = {**os.environ, **homes, "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("DISPLAY", None)
    return edited_until_killed("tests.e2e.kill_window", path, rng, LONGEST_S, environment)


def _number(name: str) -> int:
    """Return the number of the last edit that a plan's name tells; one that is begun does not count."""
    words = name.split()
    return int(words[1]) - (words[-1] == "begun")


if __name__ == "__main__":
    sys.exit(main(__doc__.splitlines()[0], edit_forever, kill_loop, kills=100))
