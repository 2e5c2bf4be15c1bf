"""A TotalSegmentator that is really installed, found and started, and whose network is a file to copy.

Its package has the layout, the names and the function of TotalSegmentator 2.18; what its function does is
told by environment variables, which reach the process that it runs in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

API = """
import json, os, shutil, signal, socket, subprocess, sys, time
from pathlib import Path


def totalsegmentator(input, output=None, ml=False, nr_thr_resamp=1, nr_thr_saving=6, fast=False,
                     nora_tag="None", preview=False, task="total", roi_subset=None, statistics=False,
                     radiomics=False, crop_path=None, body_seg=False, force_split=False, output_type="nifti",
                     quiet=False, verbose=False, test=0, skip_saving=False, device="gpu"):
    does = os.environ["FAKE_TOTALSEG_DOES"]
    told = Path(os.environ["FAKE_TOTALSEG_TOLD"])
    told.write_text(json.dumps({"input": str(input), "task": task, "fast": fast, "device": device, "ml": ml,
                                "pid": os.getpid(), "temp": os.environ["TMPDIR"]}))
    shutil.copy(input, told.with_suffix(".nii"))
    print("No GPU detected. Running on CPU. This can be very slow.")
    print("Resampling...")
    print("Predicting part 2 of 5 ...")
    if does == "wait":
        helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        told.with_suffix(".helper").write_text(str(helper.pid))
        time.sleep(600)
    if does == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if does == "exit":
        os._exit(7)
    if does == "no memory":
        raise MemoryError
    if does == "no gpu memory":
        class OutOfMemoryError(RuntimeError):
            pass
        raise OutOfMemoryError("CUDA")
    if does == "helper died":
        raise RuntimeError("One or more background workers are no longer alive. Exiting.")
    if does == "error":
        raise ValueError("somebody secret")
    if does == "licence":
        sys.exit(1)
    if does == "fetch":
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    if does == "fetch by name":
        socket.create_connection(("weights.example.invalid", 80), timeout=1)
    if does == "fetch by proxy":
        assert not [name for name in os.environ if name.lower().endswith("_proxy")]
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    if does == "statistics":
        try:
            socket.create_connection(("192.0.2.1", 80), timeout=1)
        except Exception as error:
            told.with_suffix(".refused").write_text(str(error))
    if does == "outlive":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("Saving segmentations...")
    if does != "nothing":
        shutil.copy(os.environ["FAKE_TOTALSEG_ANSWER"], output)
"""


class Installed:
    """A fake installation.

    Attributes
    ----------
    site : Path
        Folder on Python's search path that holds the package.
    weights : Path
        Folder of the weights.
    told : Path
        JSON of what the function was called with; beside it copies of what it saw.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.site, self.weights = folder / "site", folder / "home" / "nnunet" / "results"
        self.told = folder / "told.json"
        self._patch = patch
        self.weights.mkdir(parents=True)
        package = self.site / "totalsegmentator"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "python_api.py").write_text(API)
        about = self.site / "TotalSegmentator-2.18.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: TotalSegmentator\nVersion: 2.18.0\n")
        self.name_classes({1: "liver", 2: "kidney_right"})
        patch.syspath_prepend(str(self.site))
        patch.delenv("TOTALSEG_WEIGHTS_PATH", raising=False)
        patch.setenv("TOTALSEG_HOME_DIR", str(folder / "home"))
        patch.setenv("FAKE_TOTALSEG_TOLD", str(self.told))
        self.does("answer")

    def name_classes(self, names: Mapping[int, str], licensed: Sequence[str] = ()) -> None:
        """Write its table of classes."""
        tables = {task: dict(names) for task in ("total", "total_mr", "liver_lesions")}
        (self.site / "totalsegmentator" / "map_to_binary.py").write_text(
            f"class_map = {tables!r}\ncommercial_models = {dict.fromkeys(licensed, 1)!r}\n"
        )

    def answers(self, labels: Path) -> None:
        """Let its function return a label map."""
        self._patch.setenv("FAKE_TOTALSEG_ANSWER", str(labels))

    def does(self, what: str) -> None:
        """Let its function do something else first."""
        self._patch.setenv("FAKE_TOTALSEG_DOES", what)

    def add_weights(self, *datasets: int) -> None:
        """Put weights where it looks for them."""
        for number in datasets:
            fold = (
                self.weights / f"Dataset{number}_some" / "nnUNetTrainer__nnUNetPlans__3d_fullres" / "fold_0"
            )
            fold.mkdir(parents=True)
            (fold / "checkpoint_final.pth").write_bytes(b"weights")

    def was_told(self) -> dict[str, object]:
        """Return what its function was called with."""
        told: dict[str, object] = json.loads(self.told.read_text())
        return told
