"""Privacy of the window: with the real background process, nothing beside the case names the patient."""

from __future__ import annotations

from pathlib import Path

import pytest

from cryoplan.app import crash
from cryoplan.app.log import listen_to_qt, log_folder, start_log, stop_log
from cryoplan.app.recent import RecentCases
from cryoplan.app.settings import Settings
from cryoplan.app.workspace import Workspace
from tests.support.canaries import CANARIES, DAMAGED, Ward, make_ward

WAIT_MS = 60_000


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ward:
    return make_ward(tmp_path / "ward", monkeypatch)


def test_a_session_of_the_window_leaves_the_canaries_in_the_case_alone(ward: Ward, qtbot):
    from PySide6.QtCore import qInstallMessageHandler, qWarning

    start_log()
    listen_to_qt()
    failures = []
    (ward.image / f"{DAMAGED}.dcm").unlink()
    workspace = Workspace()
    workspace.failed.connect(failures.append)
    try:
        with crash.Net():
            workspace.open_image(ward.image, None)
            qtbot.waitUntil(lambda: workspace.case is not None or bool(failures), timeout=WAIT_MS)
            assert not failures
            for path in ward.masks:
                before = len(workspace.case.structures)
                workspace.add_structures(path)
                qtbot.waitUntil(lambda n=before: len(workspace.case.structures) > n, timeout=WAIT_MS)
            workspace.add_structures(ward.plan)  # refused, and told on the screen only
            qtbot.waitUntil(lambda: bool(failures), timeout=WAIT_MS)
            qWarning(f"cannot watch {ward.image}")
            target = ward.source / "case.cryoplan"
            workspace.save_case_file(target)
            qtbot.waitUntil(target.exists, timeout=WAIT_MS)
            RecentCases(Settings()).note(ward.work / "a.cryoplan", workspace.case.code, "draft")
            qtbot.waitUntil(lambda: not workspace.is_busy, timeout=WAIT_MS)
    finally:
        workspace.close()
        qInstallMessageHandler(None)
        stop_log()
    log = (log_folder() / "cryoplan.log").read_text("utf-8")
    assert "Qt: cannot" in log
    assert ward.leaks() == []
    assert list(log_folder().glob("*.trace")) == []
    assert not [c for c in CANARIES if c in workspace.case.code.lower()]
