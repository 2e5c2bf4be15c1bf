"""The real liver CT as a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.real import liver_ct_case


@pytest.fixture(scope="session")
def liver_case(data_root: Path):
    return liver_ct_case(data_root)
