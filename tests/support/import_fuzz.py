"""Damage good images at random and judge what the reader makes of them, in a child that may fall.

A mutant is refused in one sentence that names a file, or stands where an independent look at its own bytes
says. Geometry is read here with struct, regular expressions, scipy and plain pydicom, by none of the
program's code.
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
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.uid import ImplicitVRLittleEndian, RLELossless
from scipy.spatial.transform import Rotation

from tests.support import hostile, hostile_volumes

TOLERANCE_MM = 0.1
MEMORY_BYTES = 1 << 30
SILENCE_S = 30.0
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
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in hostile.Series().write(folder.parent / "unzipped"):
            archive.write(path, path.name)
    return folder / "a.zip"


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
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)


# --- an independent look -----------------------------------------------------------------------------------


def _corners(columns: np.ndarray, origin: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    ends = np.array(list(product(*[(0, n - 1) for n in size])), float)
    return ends @ columns.T + origin


def _nifti_corners(data: bytes) -> np.ndarray:
    order = "<" if data[0] == 0x5C else ">"
    size = struct.unpack_from(order + "3h", data, 42)
    pixdim = struct.unpack_from(order + "4f", data, 76)
    scale = {1: 1000.0, 3: 0.001}.get(data[123] & 7, 1.0)
    q, s = struct.unpack_from(order + "2h", data, 252)
    if s > 0:
        rows = np.array(struct.unpack_from(order + "12f", data, 280)).reshape(3, 4)
        columns, origin = rows[:, :3], rows[:, 3]
    else:
        assert q > 0
        b, c, d, *origin = struct.unpack_from(order + "6f", data, 256)
        a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
        steps = np.array(pixdim[1:]) * [1, 1, -1 if pixdim[0] < 0 else 1]
        columns = Rotation.from_quat([b, c, d, a]).as_matrix() * steps
    turn = np.array([-1.0, -1.0, 1.0])
    return _corners(turn[:, None] * columns * scale, turn * np.array(origin) * scale, size)


def _numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", text)]


def _line(text: str, key: str, mark: str) -> str:
    found = re.findall(rf"^\s*{key}\s*{mark}(.*)$", text, re.MULTILINE | re.IGNORECASE)
    assert len(found) == 1, (key, found)
    return str(found[0])


def _nrrd_corners(data: bytes) -> np.ndarray:
    text = data.split(b"\n\n", 1)[0].decode("latin-1")
    columns = np.array(_numbers(_line(text, "space directions", ":"))).reshape(3, 3).T
    origin = np.array(_numbers(_line(text, "space origin", ":")))
    size = tuple(int(n) for n in _line(text, "sizes", ":").split())
    space = _line(text, "space", ":").strip().lower()
    to_left = -1.0 if space[0] == "r" else 1.0
    to_back = -1.0 if "anterior" in space or space in ("ras", "las") else 1.0
    turn = np.array([to_left, to_back, 1.0])
    return _corners(turn[:, None] * columns, turn * origin, size)


def _meta_corners(data: bytes) -> np.ndarray:
    text = data.split(b"ElementDataFile", 1)[0].decode("latin-1")
    axes = np.array(_numbers(_line(text, "TransformMatrix", "="))).reshape(3, 3).T
    axes = axes / np.linalg.norm(axes, axis=0)
    steps = np.abs(_numbers(_line(text, "ElementSpacing", "=")))
    size = tuple(int(n) for n in _line(text, "DimSize", "=").split())
    return _corners(axes * steps, np.array(_numbers(_line(text, "Offset", "="))), size)


def _letters(text: str) -> str:
    """Return the text without signs: a damaged UID may hold any, and the reader makes them blanks."""
    return re.sub(r"[^0-9A-Za-z]", "", text)


def _dicom_corners(folder: Path, uid: str) -> np.ndarray:
    import pydicom

    frames: list[tuple[np.ndarray, np.ndarray, np.ndarray, int, int]] = []
    for file in sorted(folder.rglob("*")):
        try:
            ds = pydicom.dcmread(file, stop_before_pixels=True)
            if _letters(str(ds.SeriesInstanceUID)) != _letters(uid):
                continue
            groups = getattr(ds, "PerFrameFunctionalGroupsSequence", None)
            shared = getattr(ds, "SharedFunctionalGroupsSequence", [None])[0]
            for frame in groups or [None]:

                def get(
                    sequence: str, name: str, frame: Any = frame, ds: Any = ds, shared: Any = shared
                ) -> Any:
                    if frame is None:
                        return getattr(ds, name)
                    holder = frame if sequence in frame else shared
                    return getattr(getattr(holder, sequence)[0], name)

                frames.append(
                    (
                        np.array(get("PlanePositionSequence", "ImagePositionPatient"), float),
                        np.array(get("PlaneOrientationSequence", "ImageOrientationPatient"), float),
                        np.array(get("PixelMeasuresSequence", "PixelSpacing"), float),
                        int(ds.Rows),
                        int(ds.Columns),
                    )
                )
        except Exception:  # a file that nobody understands is no slice
            continue
    normal = np.cross(frames[0][1][:3], frames[0][1][3:])
    frames.sort(key=lambda f: float(f[0] @ normal))
    ends = []
    for position, cosines, steps, rows, columns in (frames[0], frames[-1]):
        across, down = cosines[:3] * steps[1] * (columns - 1), cosines[3:] * steps[0] * (rows - 1)
        ends += [position, position + across, position + down, position + across + down]
    return np.array(ends)


def stated_corners(path: Path, kind: str, uid: str) -> np.ndarray:
    """Return the corner voxels' places (8, 3) that the bytes of an image state."""
    if path.suffix == ".zip":
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
            for number, member in enumerate(archive.infolist()):
                Path(folder, str(number)).write_bytes(archive.read(member))
            return _dicom_corners(Path(folder), uid)
    if kind == "dicom-series":
        return _dicom_corners(path, uid)
    data = path.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    return {"nifti": _nifti_corners, "nrrd": _nrrd_corners, "metaimage": _meta_corners}[kind](data)


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
    grid, facts = answer.volume.grid, answer.facts
    ends = np.array(list(product(*[(0, n - 1) for n in grid.size])), float)
    ours = grid.index_to_mm(ends)
    try:
        uid = facts.series_uid.split("#")[0]
        theirs = stated_corners(path, facts.kind, uid)
    except Exception:
        return "FAULT", f"accepted, but an independent look fails: {traceback.format_exc()}"
    gap = np.linalg.norm(ours[:, None] - theirs[None], axis=-1)
    worst = float(max(gap.min(axis=0).max(), gap.min(axis=1).max()))
    if not worst <= TOLERANCE_MM:
        return "FAULT", f"accepted {worst:.2f} mm beside where its bytes put it"
    return "accepted", ""


def _serve(connection: Any) -> None:
    import resource

    import cryoplan.image.read
    import cryoplan.image.series  # noqa: F401
    from cryoplan.image.memory import mapped_bytes

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    limit = (mapped_bytes() or 0) + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while (path := connection.recv()) is not None:
        verdict = judge(path)
        connection.send((*verdict, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


@dataclass
class Tally:
    """What became of the mutants."""

    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    deaths: int = 0
    hangs: int = 0
    peak_bytes: int = 0

    def to_text(self) -> str:
        lines = []
        for name, verdicts in self.verdicts.items():
            refused = sum(verdicts.values()) - verdicts["accepted"]
            most = ", ".join(f"{code} {n}" for code, n in verdicts.most_common(7))
            lines.append(f"{name:<17} accepted {verdicts['accepted']:4d}  refused {refused:4d}  ({most})")
        lines.append(
            f"faults {len(self.faults)}, deaths of the child {self.deaths}, hangs {self.hangs}, "
            f"largest memory of the child {self.peak_bytes / 1e6:.0f} MB"
        )
        return "\n".join(lines + self.faults[:20])


def run(n: int, seed: int, keep: Path | None = None) -> Tally:
    """Make `n` mutants over all formats, read each in a child, and tally; a fallen child is started anew."""
    context = multiprocessing.get_context("spawn")
    tally, child, ours = Tally(), None, None
    with tempfile.TemporaryDirectory() as top:
        good = {}
        for name, make in FORMATS.items():
            Path(top, name, "good").mkdir(parents=True)
            good[name] = make(Path(top, name, "good"))
        for number in range(n):
            rng = np.random.default_rng([seed, number])
            name = list(FORMATS)[number % len(FORMATS)]
            folder = Path(top, name, "mutant")
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(good[name].parent, folder)
            path = folder / good[name].name
            how = damage(rng, path)
            if child is None:
                ours, theirs = context.Pipe()
                child = context.Process(target=_serve, args=(theirs,), daemon=True)
                child.start()
                theirs.close()
            verdict, why = "FAULT", "the child hung"
            try:
                ours.send(path)
                if ours.poll(SILENCE_S):
                    verdict, why, peak = ours.recv()
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
                shutil.copytree(folder, keep / f"{number}-{name}", dirs_exist_ok=True)
            if verdict == "FAULT":
                tally.faults.append(f"mutant {number} ({name}, {how}): {why}")
        if child is not None:
            ours.send(None)
            child.join()
    return tally
