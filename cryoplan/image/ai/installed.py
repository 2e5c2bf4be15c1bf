"""Look whether TotalSegmentator and its weights are on this computer; nothing of it is imported for that."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from cryoplan.image.ai.tasks import Task

PACKAGE = "totalsegmentator"
INSTALL = "pip install cryoplan[ai]"

_DATASET = re.compile(r"Dataset(\d+)_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """TotalSegmentator as it is installed.

    Attributes
    ----------
    version : str
        Of the package; ``of unknown version`` where it does not say.
    weights : Path
        Folder that it reads its weights from, whether there or not.
    datasets : frozenset of int
        Numbers of the data sets whose weights lie there.
    sees_gpu : bool
        Whether a driver that it can compute with is there.
    """

    version: str
    weights: Path
    datasets: frozenset[int]
    sees_gpu: bool

    def lacks(self, task: Task) -> tuple[int, ...]:
        """Return the numbers of the data sets that a task needs and that are not there."""
        return tuple(number for number in task.weights if number not in self.datasets)


def find_installation() -> Installation | None:
    """Return what is installed, None where it is not.

    Raises nothing: a package that is damaged shows when it is run.
    """
    if getattr(sys, "frozen", False):
        return None  # a program made in one piece has no Python that could run another package
    importlib.invalidate_caches()  # it may have been installed since the program began
    try:
        spec = importlib.util.find_spec(PACKAGE)
    except (ImportError, ValueError, AttributeError):
        return None
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    # A folder of that name is not the package.
    if not any((Path(place) / "python_api.py").is_file() for place in places):
        return None
    try:
        version = importlib.metadata.version("TotalSegmentator")
    except importlib.metadata.PackageNotFoundError:
        version = "of unknown version"
    folder = weights_folder()
    return Installation(version=version, weights=folder, datasets=_datasets(folder), sees_gpu=_sees_gpu())


def weights_folder() -> Path:
    """Return the folder of the weights, by the rules of TotalSegmentator's own ``config.py``."""
    if "TOTALSEG_WEIGHTS_PATH" in os.environ:
        return Path(os.environ["TOTALSEG_WEIGHTS_PATH"])
    if "TOTALSEG_HOME_DIR" in os.environ:
        home = Path(os.environ["TOTALSEG_HOME_DIR"])
    else:
        user = Path("~").expanduser()
        # In a container the home folder may be the root of the disk.
        home = (Path("/tmp") if str(user) == "/" else user) / ".totalsegmentator"
    return home / "nnunet" / "results"


def _datasets(folder: Path) -> frozenset[int]:
    """Return the data sets that have a checkpoint; a download that broke off has none."""
    found: set[int] = set()
    try:
        for entry in folder.iterdir():
            match = _DATASET.match(entry.name)
            if match and next(entry.glob("*/fold_*/checkpoint_*.pth"), None) is not None:
                found.add(int(match[1]))
    except OSError:
        return frozenset()
    return frozenset(found)


def _sees_gpu() -> bool:
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "nvcuda.dll").is_file()
    return Path("/dev/nvidiactl").exists()
