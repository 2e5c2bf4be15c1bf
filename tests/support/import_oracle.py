"""An independent look at an image's bytes: where its voxels are, and what they hold.

Read here with struct, regular expressions, scipy and plain pydicom, by none of the program's code. What the
program accepted is held against it voxel by voxel, so that an axis that was turned round, two that changed
places, a shift or a wrong slope cannot pass.
"""

from __future__ import annotations

import gzip
import re
import struct
import tempfile
import zipfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

TOLERANCE_MM = 0.1


@dataclass(frozen=True)
class Stated:
    """An image as its bytes state it: LPS mm of voxel (i, j, k) are ``columns @ (i, j, k) + origin``."""

    columns: np.ndarray
    origin: np.ndarray
    values: np.ndarray  # [k, j, i]

    def difference(self, values: np.ndarray, index_to_mm: Any) -> str:
        """Say how an image differs from this one; empty when it does not, whatever order its axes have."""
        size = np.array(values.shape[::-1])
        ends = np.array(list(product(*[(0, n - 1) for n in size])), float)
        inverse = np.linalg.inv(self.columns)
        corners = (np.asarray(index_to_mm(ends)) - self.origin) @ inverse.T
        off = float(np.linalg.norm((corners - np.rint(corners)) @ self.columns.T, axis=1).max())
        if not off <= TOLERANCE_MM:
            return f"{off:.2f} mm beside where its bytes put it"
        # Where voxels along our axes lie along the axes of the file: whole steps, one axis each.
        own = np.asarray(index_to_mm(np.vstack([np.zeros(3), np.eye(3)])))
        steps = np.rint((own[1:] - own[0]) @ inverse.T).astype(int)
        first = np.rint((own[0] - self.origin) @ inverse.T).astype(int)
        there = np.abs(steps) @ np.array(self.values.shape[::-1])
        if (
            not (np.abs(steps).sum(0) == 1).all()
            or not (np.abs(steps).sum(1) == 1).all()
            or (there != size).any()
        ):
            return f"{size} voxels that step {steps.tolist()} along those of the file"
        i, j, k = (np.arange(n) for n in size)
        index = (
            first
            + i[None, None, :, None] * steps[0]
            + j[None, :, None, None] * steps[1]
            + k[:, None, None, None] * steps[2]
        )
        if (index < 0).any() or (index >= np.array(self.values.shape[::-1])).any():
            return "shifted by whole voxels against its bytes"
        wanted = self.values[index[..., 2], index[..., 1], index[..., 0]]
        wrong = np.abs(np.asarray(values, float) - wanted) > 1e-3 + 1e-5 * np.abs(wanted)
        if wrong.any():
            return f"{np.count_nonzero(wrong)} of {wrong.size} voxels hold other values than its bytes"
        return ""


def _order(big: bool) -> str:
    return ">" if big else "<"


def _block(data: bytes, offset: int, kind: str, size: tuple[int, ...]) -> np.ndarray:
    count = int(np.prod(size))
    return np.frombuffer(data, kind, count, offset).reshape(size[::-1]).astype(float)


def _nifti(data: bytes) -> Stated:
    order = _order(data[0] != 0x5C)
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
    (kind,) = struct.unpack_from(order + "h", data, 70)
    code = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4"}[kind]
    offset, slope, intercept = struct.unpack_from(order + "3f", data, 108)
    values = _block(data, int(offset), order + code, size)
    if slope != 0.0 and np.isfinite(slope):
        values = values * slope + intercept
    return Stated(turn[:, None] * columns * scale, turn * np.array(origin) * scale, values)


def _numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", text)]


def _line(text: str, key: str, mark: str) -> str:
    found = re.findall(rf"^\s*{key}\s*{mark}(.*)$", text, re.MULTILINE | re.IGNORECASE)
    assert len(found) == 1, (key, found)
    return str(found[0]).strip()


def _nrrd(data: bytes) -> Stated:
    top, body = data.split(b"\n\n", 1)
    text = top.decode("latin-1")
    # A blank within a number is not the end of it: vectors are told apart by brackets and commas.
    columns = np.array(_numbers(_line(text, "space directions", ":").replace(" ", ""))).reshape(3, 3).T
    origin = np.array(_numbers(_line(text, "space origin", ":")))
    size = tuple(int(n) for n in _line(text, "sizes", ":").split())
    space = _line(text, "space", ":").lower()
    to_left = -1.0 if space[0] == "r" else 1.0
    to_back = -1.0 if "anterior" in space or space in ("ras", "las") else 1.0
    turn = np.array([to_left, to_back, 1.0])
    code = {"uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "float": "f4"}[
        _line(text, "type", ":")
    ]
    assert _line(text, "encoding", ":").lower() == "raw"
    big = _line(text, "endian", ":").lower() == "big"
    values = _block(body, 0, _order(big) + code, size)
    return Stated(turn[:, None] * columns, turn * origin, values)


def _meta(data: bytes) -> Stated:
    head, rest = data.split(b"ElementDataFile", 1)
    text, body = head.decode("latin-1"), rest.split(b"\n", 1)[1]
    axes = np.array(_numbers(_line(text, "TransformMatrix", "="))).reshape(3, 3).T
    axes = axes / np.linalg.norm(axes, axis=0)
    steps = np.abs(_numbers(_line(text, "ElementSpacing", "=")))
    size = tuple(int(n) for n in _line(text, "DimSize", "=").split())
    code = {"MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_FLOAT": "f4"}
    # Without the key a file is little-endian (MetaIO's documentation).
    order = re.findall(r"^\s*(?:BinaryData|Element)ByteOrderMSB\s*=\s*(.)", text, re.MULTILINE)
    big = order[-1:] in (["T"], ["t"], ["1"])
    values = _block(body, 0, _order(big) + code[_line(text, "ElementType", "=")], size)
    return Stated(axes * steps, np.array(_numbers(_line(text, "Offset", "="))), values)


def _letters(text: str) -> str:
    """Return the text as the reader keeps it: without what is no sign of a UID at its ends."""
    return re.sub(r"[^0-9A-Za-z]", "", text)


@dataclass(frozen=True)
class _Frame:
    uid: str
    position: np.ndarray
    cosines: np.ndarray
    spacing: np.ndarray
    values: np.ndarray


def _frames(file: Path) -> list[_Frame]:
    import pydicom

    ds = pydicom.dcmread(file)
    groups = getattr(ds, "PerFrameFunctionalGroupsSequence", None)
    shared = getattr(ds, "SharedFunctionalGroupsSequence", [None])[0]
    pixels = ds.pixel_array.astype(float).reshape(-1, int(ds.Rows), int(ds.Columns))

    def get(frame: Any, sequence: str, name: str, default: Any = None) -> Any:
        if frame is None:
            holder = ds
        else:
            holder = frame if sequence in frame else shared
            holder = getattr(holder, sequence)[0] if default is None or sequence in holder else ds
        return getattr(holder, name) if default is None else getattr(holder, name, default)

    return [
        _Frame(
            uid=str(getattr(ds, "SeriesInstanceUID", "")),
            position=np.array(get(frame, "PlanePositionSequence", "ImagePositionPatient"), float),
            cosines=np.array(get(frame, "PlaneOrientationSequence", "ImageOrientationPatient"), float),
            spacing=np.array(get(frame, "PixelMeasuresSequence", "PixelSpacing"), float),
            values=plane * float(get(frame, "PixelValueTransformationSequence", "RescaleSlope", 1.0))
            + float(get(frame, "PixelValueTransformationSequence", "RescaleIntercept", 0.0)),
        )
        for frame, plane in zip(groups or [None], pixels, strict=True)
    ]


def _dicom(folder: Path, uid: str) -> Stated:
    frames: list[_Frame] = []
    reasons = []
    for file in sorted(folder.rglob("*")):
        try:
            frames += _frames(file)
        except Exception as error:  # a file that nobody understands is no slice
            reasons.append(f"{file.name}: {error!r}"[:200])
    assert frames, reasons
    exact = [f for f in frames if f.uid == uid]
    # The reader cleans damaged UIDs; where none is equal as it stands, those with equal letters are meant.
    frames = exact or [f for f in frames if _letters(f.uid) == _letters(uid)]
    across, down = frames[0].cosines[:3], frames[0].cosines[3:]
    normal = np.cross(across, down)
    frames.sort(key=lambda f: float(f.position @ normal))
    # A slice that is there twice, place and pixels, is one slice; the program says so.
    frames = [
        f
        for n, f in enumerate(frames)
        if n == 0
        or np.linalg.norm(f.position - frames[n - 1].position) > TOLERANCE_MM
        or not np.array_equal(f.values, frames[n - 1].values)
    ]
    step = (frames[-1].position - frames[0].position) / max(len(frames) - 1, 1)
    for n, frame in enumerate(frames):  # an image of this program is a lattice: nothing else may be accepted
        beside = np.linalg.norm(frames[0].position + n * step - frame.position)
        assert beside <= TOLERANCE_MM, f"slice {n} lies {beside:.2f} mm beside its place; {reasons}"
        reach = np.array([np.hypot(*frame.values.shape) * max(frame.spacing)])
        assert np.abs(frame.cosines - frames[0].cosines).max() * reach <= TOLERANCE_MM, "a turned slice"
    height, width = frames[0].spacing
    columns = np.stack([across * width, down * height, step], axis=1)
    return Stated(columns, frames[0].position, np.stack([f.values for f in frames]))


def stated(path: Path, kind: str, uid: str) -> Stated:
    """Return what the bytes of an image state; raises whatever comes where they state nothing.

    Parameters
    ----------
    kind, uid : str
        Which reading the program chose: its ``ScanFacts.kind``, and the series.
    """
    if path.suffix == ".zip":
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
            for number, member in enumerate(archive.infolist()):
                Path(folder, str(number)).write_bytes(archive.read(member))
            return _dicom(Path(folder), uid)
    if kind == "dicom-series":
        return _dicom(path, uid)
    data = path.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    return {"nifti": _nifti, "nrrd": _nrrd, "metaimage": _meta}[kind](data)
