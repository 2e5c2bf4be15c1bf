"""Slices: loading a CT from DICOM files, with every check, against a bare read of the same files."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cryoplan.core.progress import Progress, check_cancelled
from cryoplan.image.read import read_scan
from cryoplan.image.yardstick import read_bare, write_series
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.sizes import Sizes
from cryoplan.workflow.benchmark.timing import Quiet


def loading(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure both in turn, so that a busy moment of the machine strikes both."""
    with tempfile.TemporaryDirectory(prefix="cryoplan-bench-") as folder:
        files = write_series(Path(folder), sizes.series_slices, sizes.series_pixels, progress)
        bare, checked = [], []
        # The first read of both is no measure: it imports, and takes memory that later ones find at hand.
        for _ in range(1 + sizes.repeats):
            check_cancelled(progress)
            began = time.perf_counter()
            read_bare(files)
            between = time.perf_counter()
            read_scan(Path(folder), progress=Quiet(progress))
            bare.append(between - began)
            checked.append(time.perf_counter() - between)
    what = f"{sizes.series_slices} files of {sizes.series_pixels} x {sizes.series_pixels} pixels, 16 bits"
    ours, theirs = (statistics.median(times[1:]) for times in (checked, bare))
    ratio = statistics.median(a / b for a, b in zip(checked[1:], bare[1:], strict=True))
    yield row("series", ours, sizes.repeats, f"{what}; headers read, sorted and checked, voxels in HU")
    yield row(
        "series-bare", theirs, sizes.repeats, "SimpleITK's series reader; files already sorted, no check"
    )
    yield row("series-ratio", ratio, sizes.repeats, "each read by the bare one just before it, median")
