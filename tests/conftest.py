"""Fixtures that every ring of tests shares."""

from __future__ import annotations

import gc
import itertools
import os
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]

TESTS_A_SEARCH = 25
"""A full search for unreachable objects takes some tenths of a second."""

_ENDED = itertools.count()


@pytest.fixture(autouse=True)
def _loud_arithmetic():
    """Overflow and invalid operations are errors: a silent NaN is the worst number of all."""
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        yield


@pytest.fixture(autouse=True)
def _own_user_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """Each test has settings and data folders of its own, so that none sees another's leftovers."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))


@pytest.fixture(autouse=True)
def _objects_of_qt_end_in_this_thread():
    """What a test leaves is freed here, as `cryoplan.app.tidying` does it, and not by another thread."""
    if "PySide6.QtCore" in sys.modules:
        gc.disable()
    yield
    if not gc.isenabled():
        gc.collect(2 if next(_ENDED) % TESTS_A_SEARCH == 0 else 1)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the real CT and MR; tests that need it are skipped where it is absent."""
    root = Path(os.environ.get("CRYOPLAN_DATA", ROOT.parent / "shared" / "data"))
    if not (root / "liver_ct_crlm1006").is_dir():
        pytest.skip("the real images are not here (set CRYOPLAN_DATA to their folder)")
    return root
