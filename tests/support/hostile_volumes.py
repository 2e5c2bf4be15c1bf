"""Hostile NIfTI, NRRD and MetaImage files: one thing wrong or unusual each, and balls at known places.

The bytes are written here and not by ITK, so that the truth does not depend on the reader under test. Three
balls of different values lie at the patient's left, front and head of a dark block.
"""

from __future__ import annotations

import bz2
import gzip
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SIZE = (30, 26, 22)
SPACING_MM = (1.5, 1.7, 2.0)
MIDDLE_MM = np.array([7.0, -12.0, 40.0])
RADIUS_MM = 5.0
MARKERS = {  # name: (LPS offset from the middle, value)
    "left": ((13.0, 0.0, 0.0), 200),
    "front": ((0.0, -13.0, 0.0), 400),
    "head": ((0.0, 0.0, 13.0), 600),
}
DARK = -100
RAS = np.diag([-1.0, -1.0, 1.0])


def rotation(degrees: float = 0.0) -> np.ndarray:
    """Return the axes of a grid turned about the patient's long axis, then about the left."""
    a = np.radians(degrees)
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(a / 2), -np.sin(a / 2)], [0, np.sin(a / 2), np.cos(a / 2)]])
    return about_z @ about_x


def quaternion(axes_ras: np.ndarray) -> tuple[float, float, float, float]:
    """Return qfac, b, c, d of RAS axes in columns (the rotation's largest eigenvector)."""
    qfac = 1.0 if np.linalg.det(axes_ras) > 0 else -1.0
    r = axes_ras * np.array([1.0, 1.0, qfac])
    k = np.array(
        [
            [r[0, 0] + r[1, 1] + r[2, 2], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]],
            [r[0, 2] - r[2, 0], r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], r[1, 2] + r[2, 1]],
            [r[1, 0] - r[0, 1], r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1]],
        ]
    )
    q = np.linalg.eigh(k)[1][:, -1]
    q = q if q[0] >= 0 else -q
    return qfac, float(q[1]), float(q[2]), float(q[3])


@dataclass
class Picture:
    """What a made-up volume file holds; change a field, then write it."""

    axes: np.ndarray = field(default_factory=rotation)  # LPS unit vectors in columns
    spacing_mm: tuple[float, float, float] = SPACING_MM
    kind: str = "i2"
    order: str = "<"
    plain: bool = False  # no negative voxel

    @property
    def columns(self) -> np.ndarray:
        return self.axes * np.array(self.spacing_mm)

    @property
    def origin(self) -> np.ndarray:
        return MIDDLE_MM - self.columns @ ((np.array(SIZE) - 1) / 2)

    def values(self) -> np.ndarray:
        """Return the voxels ``[k, j, i]``."""
        k, j, i = np.meshgrid(*(np.arange(n) for n in SIZE[::-1]), indexing="ij")
        points = np.stack([i, j, k], axis=-1) @ self.columns.T + self.origin
        # Noise, so that compressed voxels have a middle that can be damaged.
        values = np.random.default_rng(5).integers(0, 20, SIZE[::-1]) + (0.0 if self.plain else DARK)
        for offset, value in MARKERS.values():
            inside = np.linalg.norm(points - MIDDLE_MM - np.array(offset), axis=-1) < RADIUS_MM
            values[inside] = value / 5 if self.kind in ("u1", "i1") else value
        return values

    def data(self) -> bytes:
        """Return the bytes of the voxels."""
        return self.values().astype(self.order + self.kind).tobytes()


_NIFTI_KIND = {
    "u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280,
}  # fmt: skip


@dataclass
class Nifti:
    """A NIfTI-1 file; `patch` holds bytes to write over the header: offset, struct code, values."""

    picture: Picture = field(default_factory=Picture)
    codes: tuple[int, int] = (1, 1)  # qform, sform
    sform: np.ndarray | None = None
    unit: int = 2
    scale: float = 1.0
    magic: bytes = b"n+1\0"
    patch: list[tuple] = field(default_factory=list)
    pad: bytes = b""

    def header(self) -> bytearray:
        p, o = self.picture, self.picture.order
        head = bytearray(352)
        width = int(p.kind[1])
        axes, origin = RAS @ p.axes, RAS @ p.origin
        qfac, b, c, d = quaternion(axes)
        rows = np.column_stack([axes * np.array(p.spacing_mm), origin])
        rows = (rows if self.sform is None else self.sform) * self.scale
        struct.pack_into(o + "i", head, 0, 348)
        struct.pack_into(o + "8h", head, 40, 3, *SIZE, 1, 1, 1, 1)
        struct.pack_into(o + "hh", head, 70, _NIFTI_KIND[p.kind], 8 * width)
        struct.pack_into(o + "4f", head, 76, qfac, *(s * self.scale for s in p.spacing_mm))
        struct.pack_into(o + "f", head, 108, 0.0 if self.magic[1:2] == b"i" else 352.0)
        head[123] = self.unit
        struct.pack_into(o + "hh", head, 252, *self.codes)
        struct.pack_into(o + "6f", head, 256, b, c, d, *(origin * self.scale))
        struct.pack_into(o + "12f", head, 280, *rows.ravel())
        head[344:348] = self.magic
        for offset, code, *values in self.patch:
            struct.pack_into(o + code, head, offset, *values)
        return head

    def write(self, path: Path, *, cut: int = 0) -> Path:
        data = self.picture.data() + self.pad
        if self.magic[1:2] == b"i":
            path.write_bytes(self.header())
            path.with_suffix(".img").write_bytes(data[: len(data) - cut])
            return path
        whole = bytes(self.header()) + data
        whole = whole[: len(whole) - cut]
        path.write_bytes(gzip.compress(whole, mtime=0) if path.suffix == ".gz" else whole)
        return path


_NRRD_KIND = {
    "i1": "int8", "u1": "uchar", "i2": "short", "u2": "ushort", "i4": "int", "u4": "uint", "f4": "float",
    "f8": "double",
}  # fmt: skip
_TO = {"left-posterior-superior": (1, 1, 1), "RAS": (-1, -1, 1), "left-anterior-superior": (1, -1, 1)}


@dataclass
class Nrrd:
    """A NRRD file; `fields` replaces header fields, None takes one out."""

    picture: Picture = field(default_factory=Picture)
    space: str = "left-posterior-superior"
    encoding: str = "raw"
    fields: dict[str, str | None] = field(default_factory=dict)
    data_name: str = ""
    pad: bytes = b""

    def write(self, path: Path, *, cut: int = 0) -> Path:
        p = self.picture
        factor = np.array(_TO.get(self.space, (1, 1, 1)))[:, None]
        columns, origin = factor * p.columns, factor[:, 0] * p.origin
        lines: dict[str, str | None] = {
            "type": _NRRD_KIND[p.kind],
            "dimension": "3",
            "space": self.space,
            "sizes": " ".join(str(n) for n in SIZE),
            "space directions": " ".join(
                f"({','.join(repr(float(x)) for x in column)})" for column in columns.T
            ),
            "kinds": "domain domain domain",
            "endian": "little" if p.order == "<" else "big",
            "encoding": self.encoding,
            "space origin": f"({','.join(repr(float(x)) for x in origin)})",
        }
        if self.data_name:
            lines["data file"] = self.data_name
        lines.update(self.fields)
        head = "NRRD0005\n" + "".join(f"{k}: {v}\n" for k, v in lines.items() if v is not None) + "\n"
        data = p.data() + self.pad
        data = {"gzip": gzip.compress, "bzip2": bz2.compress}.get(self.encoding, bytes)(data)
        data = data[: len(data) - cut]
        if self.data_name:
            if "/" not in self.data_name and "\\" not in self.data_name:
                (path.parent / self.data_name).write_bytes(data)
            data = b""
        path.write_bytes(head.encode() + data)
        return path


_META_KIND = {
    "i1": "MET_CHAR", "u1": "MET_UCHAR", "i2": "MET_SHORT", "u2": "MET_USHORT", "i4": "MET_INT",
    "u4": "MET_UINT", "f4": "MET_FLOAT", "f8": "MET_DOUBLE",
}  # fmt: skip


@dataclass
class Meta:
    """A MetaImage; `fields` replaces header fields, None takes one out."""

    picture: Picture = field(default_factory=Picture)
    packed: bool = False
    fields: dict[str, str | None] = field(default_factory=dict)
    data_name: str = "LOCAL"
    pad: bytes = b""

    def write(self, path: Path, *, cut: int = 0) -> Path:
        p = self.picture
        data = p.data() + self.pad
        data = zlib.compress(data) if self.packed else data
        lines: dict[str, str | None] = {
            "ObjectType": "Image",
            "NDims": "3",
            "BinaryData": "True",
            "BinaryDataByteOrderMSB": str(p.order == ">"),
            "CompressedData": str(self.packed),
            "TransformMatrix": " ".join(repr(float(x)) for x in p.axes.T.ravel()),
            "Offset": " ".join(repr(float(x)) for x in p.origin),
            "ElementSpacing": " ".join(repr(s) for s in p.spacing_mm),
            "DimSize": " ".join(str(n) for n in SIZE),
            "ElementType": _META_KIND[p.kind],
        }
        if self.packed:
            lines["CompressedDataSize"] = str(len(data))
        lines.update(self.fields)
        lines.setdefault("ElementDataFile", self.data_name)
        head = "".join(f"{k} = {v}\n" for k, v in lines.items() if v is not None)
        data = data[: len(data) - cut]
        if self.data_name != "LOCAL":
            if "/" not in self.data_name and "\\" not in self.data_name:
                (path.parent / self.data_name).write_bytes(data)
            data = b""
        path.write_bytes(head.encode() + data)
        return path


def marker_errors_mm(
    values: np.ndarray, index_to_mm: Callable[[np.ndarray], np.ndarray], picture: Picture | None = None
) -> dict[str, float]:
    """Return how far the voxels of each ball lie from where they were painted, infinity where they differ."""
    picture = picture or Picture()
    fifth = picture.kind in ("u1", "i1")
    truth, errors = picture.values(), {}
    for name, (_, value) in MARKERS.items():
        wanted = value / 5 if fifth else value
        painted = np.argwhere(truth == wanted)[:, ::-1]
        found = np.argwhere(values == wanted)[:, ::-1]
        if len(found) != len(painted):
            errors[name] = float("inf")
            continue
        there = picture.columns @ painted.mean(axis=0) + picture.origin
        errors[name] = float(np.linalg.norm(index_to_mm(found.mean(axis=0)) - there))
    return errors
