"""``python -m cryoplan``: the command line, also the entry of the frozen program."""

from __future__ import annotations

import multiprocessing
import sys

from cryoplan.cli import main

if __name__ == "__main__":
    # A frozen program starts its child processes through this very file.
    multiprocessing.freeze_support()
    sys.exit(main())
