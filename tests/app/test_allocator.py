"""Large blocks are given back, even from between others that are still needed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

KEPT = """
import os, sys, threading
import numpy as np
from cryoplan.app.allocator import give_back_what_is_freed

def resident_mb():
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2.0**20

def work():
    large = np.ones(31 << 20, np.uint8)
    del large  # from it the C library learns what is large here
    blocks = [np.ones(4 << 20, np.uint8) for _ in range(50)]
    del blocks[:-1]
    print(resident_mb() - before)

if sys.argv[1] == "given back" and not give_back_what_is_freed():
    sys.exit(3)
before = resident_mb()
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def kept_mb(how: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", KEPT, how],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == 3:
        pytest.skip("this C library has no such switch")
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems give large blocks back by themselves")
def test_of_fifty_large_blocks_in_a_thread_only_the_one_that_is_needed_stays():
    assert kept_mb("given back") < 10.0 < kept_mb("as it is")
