"""Fuzz the reader: ``python tests/fuzz/import.py --n 2000 --seed 7`` damages nine kinds of good images."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.import_fuzz import run


def main() -> int:
    """Run, print the counts, and return 1 when a mutant was judged a fault or made the child hang."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="number of mutants")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="keep mutants with a fault in this folder")
    options = parser.parse_args()
    tally = run(options.n, options.seed, options.keep)
    print(tally.to_text())
    return 1 if tally.faults or tally.hangs else 0


if __name__ == "__main__":
    sys.exit(main())
