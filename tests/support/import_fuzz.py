"""Damage good images at random and judge what the reader makes of them, in a child that may fall.

A mutant is refused in one sentence that names a file, or holds the values and stands where an independent
look at its own bytes says (`import_oracle`). A seed names the mutants: nothing in them depends on the clock,
on the folder or on the process.
"""

from __future__ import annotations

import gzip
import multiprocessing
import os
import re
import shutil
import struct
import tempfile
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.uid import ImplicitVRLittleEndian, RLELossless

from tests.support import hostile, hostile_volumes
from tests.support.import_oracle import stated

MEMORY_BYTES = 1 << 30
_WORTH_NAMING_BYTES = 1 << 20
AIR_HU = -1024.0
SILENCE_S = 120.0
"""For a file of some kilobytes, on a machine that is busy with other things."""

_WORST_NUMBERS = ("0", "-1", "nan", "inf", "1e9", "-3.5", "7", "65535", "2147483648", "0.001", "")


# --- good images -------------------------------------------------------------------------------------------


def _dicom(folder: Path) -> Path:
    hostile.Series().write(folder / "s")
    return folder / "s"


def _implicit(folder: Path) -> Path:
    hostile.Series(syntax=ImplicitVRLittleEndian).write(folder / "s")
    return folder / "s"


def _compressed(folder: Path) -> Path:
    series = hostile.Series()
    (folder / "s").mkdir()
    for k in range(hostile.SLICES):
        one = series.slice(k)
        one.compress(RLELossless, generate_instance_uid=False)
        one.save_as(folder / "s" / f"{k:02d}.dcm", enforce_file_format=True)
    return folder / "s"


def _enhanced(folder: Path) -> Path:
    hostile.enhanced(folder / "s")
    return folder / "s"


def _zip(folder: Path) -> Path:
    files = hostile.Series().write(folder.parent / "unzipped")
    return _pack(folder / "a.zip", {path.name: path.read_bytes() for path in files})


def _pack(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, date_time=(2024, 5, 17, 10, 15, 0))
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return path


_TURNED = hostile_volumes.Picture(axes=hostile_volumes.rotation(25.0))
FORMATS: dict[str, Callable[[Path], Path]] = {
    "dicom-explicit": _dicom,
    "dicom-implicit": _implicit,
    "dicom-compressed": _compressed,
    "dicom-enhanced": _enhanced,
    "nifti": lambda folder: hostile_volumes.Nifti(_TURNED).write(folder / "a.nii"),
    "nifti-gz": lambda folder: hostile_volumes.Nifti(_TURNED).write(folder / "a.nii.gz"),
    "nrrd": lambda folder: hostile_volumes.Nrrd(_TURNED).write(folder / "a.nrrd"),
    "metaimage": lambda folder: hostile_volumes.Meta(_TURNED).write(folder / "a.mha"),
    "zip": _zip,
}


# --- damage ------------------------------------------------------------------------------------------------


def _somewhere(rng: np.random.Generator, data: bytearray) -> int:
    """Return a place, three times of four in the first kilobyte, where headers are."""
    end = min(len(data), 1100) if rng.random() < 0.75 else len(data)
    return int(rng.integers(0, max(end, 1)))


def flip(rng: np.random.Generator, data: bytearray) -> bytes:
    for _ in range(int(rng.integers(1, 9))):
        data[_somewhere(rng, data)] ^= 1 << int(rng.integers(0, 8))
    return bytes(data)


def truncate(rng: np.random.Generator, data: bytearray) -> bytes:
    return bytes(data[: int(rng.integers(0, len(data)))])


def edit_number(rng: np.random.Generator, data: bytearray) -> bytes:
    """Replace a number written as text, as DICOM, NRRD and MetaImage have them, or one of a binary header."""
    text = list(re.finditer(rb"-?\d+(\.\d+)?", bytes(data[:3000])))
    if text and rng.random() < 0.7:
        match = text[int(rng.integers(0, len(text)))]
        new = str(rng.choice(_WORST_NUMBERS)).encode()
        if rng.random() < 0.5:  # keep the length, as a field of DICOM needs
            new = new[: len(match[0])].ljust(len(match[0]))
        return bytes(data[: match.start()] + new + data[match.end() :])
    at = min(int(rng.integers(0, 90)) * 4, max(len(data) - 8, 0))
    if len(data) >= 8:
        value = float(rng.choice([0.0, -1.0, np.nan, np.inf, 1e9, 2.5, 1e-9, 40.0]))
        struct.pack_into("<f", data, at, value)
    return bytes(data)


def edit_length(rng: np.random.Generator, data: bytearray) -> bytes:
    at = _somewhere(rng, data)
    how = int(rng.integers(0, 4))
    if how == 0:
        del data[at : at + int(rng.integers(1, 40))]
    elif how == 1:
        data[at:at] = rng.bytes(int(rng.integers(1, 40)))
    elif how == 2:
        data[at : at + 4] = (b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0" * 4, b"\xfe\xff\xff\xff")[
            int(rng.integers(4))
        ]
    else:
        data[at : at + 2] = (b"\xff\xff", b"\xff\x7f", b"\0\0", b"\x01\x00")[int(rng.integers(4))]
    return bytes(data)


DAMAGES = (flip, truncate, edit_number, edit_length)


def damage(rng: np.random.Generator, path: Path) -> str:
    """Damage one file of an image, or now and then all of its files in one way; say how."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    how = DAMAGES[int(rng.integers(0, len(DAMAGES)))]
    everyone = len(files) > 1 and rng.random() < 0.2
    seed = int(rng.integers(0, 2**31))
    if path.suffix in (".gz", ".zip") and rng.random() < 0.6:  # checksums right, what is inside wrong
        _damage_inside(np.random.default_rng(seed), path, how)
        return f"{how.__name__} inside"
    for file in files if everyone else [files[int(rng.integers(0, len(files)))]]:
        data = how(np.random.default_rng(seed), bytearray(file.read_bytes()))
        file.write_bytes(data)
    return how.__name__ + (" in all files" if everyone else "")


def _damage_inside(rng: np.random.Generator, path: Path, how: Callable[..., bytes]) -> None:
    if path.suffix == ".gz":
        data = how(rng, bytearray(gzip.decompress(path.read_bytes())))
        path.write_bytes(gzip.compress(data, mtime=0))
        return
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = sorted(members)[int(rng.integers(0, len(members)))]
    members[name] = how(rng, bytearray(members[name]))
    _pack(path, members)


# --- the child ---------------------------------------------------------------------------------------------


def judge(path: Path) -> tuple[str, str]:
    """Read a mutant and return a verdict (a code of refusal, ``accepted``, or ``FAULT``) and the reason."""
    from cryoplan.core.errors import ImageError
    from cryoplan.image.read import read_scan
    from cryoplan.image.series import describe

    for read in (describe, read_scan):
        try:
            answer: Any = read(path)
        except ImageError as error:
            text = str(error)
            files = {p.name for p in path.iterdir()} if path.is_dir() else set()
            named = any(name in error.what or name == error.place for name in files | {path.name, path.stem})
            if not named or "\n" in text or len(text) > 1500 or not error.code:
                return "FAULT", f"a refusal that names no file or is no sentence: {text}"
            if read is read_scan:
                return error.code, text
        except MemoryError:
            return "FAULT", "memory"
        except Exception:
            return "FAULT", traceback.format_exc()
    try:
        truth = stated(path, answer.facts.kind, answer.facts.series_uid)
    except Exception:
        return "FAULT", f"accepted, but an independent look fails: {traceback.format_exc()}"
    if answer.facts.modality == "CT":  # documented: what lies below air is padding, and shown as air
        truth = replace(truth, values=np.maximum(truth.values, AIR_HU))
    wrong = truth.difference(answer.volume.values, answer.volume.grid.index_to_mm)
    return ("FAULT", f"accepted: {wrong}") if wrong else ("accepted", "")


def _serve(connection: Any) -> None:
    import resource

    import cryoplan.image.read
    import cryoplan.image.series  # noqa: F401
    from cryoplan.image.memory import mapped_bytes, peak_bytes

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    if (mapped := mapped_bytes()) is not None:
        limit = mapped + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    start = peak_bytes() or 0
    connection.send("ready")  # what it takes to start on a busy machine is not the time of the first mutant
    while (path := connection.recv()) is not None:
        verdict = judge(path)
        connection.send((*verdict, (peak_bytes() or 0) - start))


@dataclass
class Tally:
    """What became of the mutants."""

    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    deaths: int = 0
    hangs: int = 0
    peak_bytes: int = 0  # above what the child holds before its first mutant
    peak_of: str = ""

    def to_text(self) -> str:
        lines = []
        for name, verdicts in self.verdicts.items():
            refused = sum(verdicts.values()) - verdicts["accepted"]
            most = ", ".join(f"{code} {n}" for code, n in verdicts.most_common(7))
            lines.append(f"{name:<17} accepted {verdicts['accepted']:4d}  refused {refused:4d}  ({most})")
        lines.append(
            f"faults {len(self.faults)}, deaths of the child {self.deaths}, hangs {self.hangs}, "
            f"largest memory of the child {self.peak_bytes / 1e6:.0f} MB ({self.peak_of})"
        )
        return "\n".join(lines + self.faults[:20])


def mutants(n: int, seed: int, top: Path) -> Iterator[tuple[str, Path, str]]:
    """Make `n` mutants over all formats in a folder, one after the other: format, path, kind of damage.

    Each is gone when the next one is asked for.
    """
    good = {}
    for name, make in FORMATS.items():
        Path(top, name, "good").mkdir(parents=True)
        good[name] = make(Path(top, name, "good"))
    for number in range(n):
        name = list(FORMATS)[number % len(FORMATS)]
        folder = Path(top, name, "mutant")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good[name].parent, folder)
        path = folder / good[name].name
        yield name, path, damage(np.random.default_rng([seed, number]), path)


def run(n: int, seed: int, keep: Path | None = None) -> Tally:
    """Make `n` mutants over all formats, read each in a child, and tally; a fallen child is started anew."""
    context = multiprocessing.get_context("spawn")
    tally, child, ours = Tally(), None, None
    with tempfile.TemporaryDirectory() as top:
        for number, (name, path, how) in enumerate(mutants(n, seed, Path(top))):
            if child is None:
                ours, theirs = context.Pipe()
                child = context.Process(target=_serve, args=(theirs,), daemon=True)
                child.start()
                theirs.close()
                assert ours.recv() == "ready"
            verdict, why = "FAULT", "the child hung"
            try:
                ours.send(path)
                if ours.poll(SILENCE_S):
                    verdict, why, peak = ours.recv()
                    if peak > tally.peak_bytes + _WORTH_NAMING_BYTES:
                        tally.peak_of = f"mutant {number}, {name}, {how}: {verdict}"
                    tally.peak_bytes = max(tally.peak_bytes, peak)
                else:
                    tally.hangs += 1
                    child.kill()
                    child.join()
                    child = None
            except (EOFError, OSError):
                # Allowed: this is what the child is for. The parent says it in one sentence (`read_apart`).
                child.join()
                tally.deaths += 1
                verdict, why = "child-died", f"exit code {child.exitcode}"
                child = None
            tally.verdicts.setdefault(name, Counter())[verdict] += 1
            if verdict in ("FAULT", "child-died") and keep is not None:
                shutil.copytree(path.parent, keep / f"{number}-{name}", dirs_exist_ok=True)
            if verdict == "FAULT":
                tally.faults.append(f"mutant {number} ({name}, {how}): {why}")
        if child is not None:
            ours.send(None)
            child.join()
    return tally
