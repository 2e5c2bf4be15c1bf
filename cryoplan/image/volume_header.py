"""Headers of NIfTI, NRRD and MetaImage files, read without ITK for what ITK would mend in silence.

Measured with ITK 5: a voxel size of zero or NaN becomes 1, a missing orientation becomes the identity, a
truncated NIfTI file reads as zeros, a damaged compressed MetaImage reads as wrong voxels, and a header may
name any other file of the disk.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding, Level
from cryoplan.image.formats import METAIMAGE, NIFTI
from cryoplan.image.verdict import check_extent

_CHUNK = 1 << 20
_LONGEST_HEADER = 64 << 20  # header extensions of real files take kilobytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RawHeader:
    """What the file itself says.

    Attributes
    ----------
    size : tuple of int
        Voxels along the spatial axes; empty when the header cannot be understood.
    spacing_mm : tuple of float
        Absolute voxel size as written, NaN or 0 included.
    findings : tuple of Finding
        What is wrong or missing.
    """

    size: tuple[int, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    findings: tuple[Finding, ...] = field(default=())


def read_raw_header(path: Path, kind: str) -> RawHeader:
    """Read the header of a volume file and check what it promises; reads no voxel."""
    try:
        if kind == NIFTI:
            return _nifti(path)
        return _metaimage(path) if kind == METAIMAGE else _nrrd(path)
    except (ValueError, KeyError, IndexError, struct.error, EOFError, OSError, zlib.error, OverflowError):
        return RawHeader(findings=(_fail("bad-header", f"The header of {path.name} is damaged.", path),))


def check_voxels_whole(path: Path, kind: str) -> tuple[Finding, ...]:
    """Check that the voxels are all there and undamaged, as far as ITK would not notice itself."""
    try:
        if kind == NIFTI:
            return _nifti_problem(path)
        if kind != METAIMAGE or _metaimage_is_whole(path):
            return ()
    except (EOFError, OSError, zlib.error):
        pass
    return (_cut_short(path),)


def _cut_short(path: Path) -> Finding:
    return _fail("truncated-file", f"{path.name} is cut short or damaged.", path)


def _fail(code: str, text: str, path: Path) -> Finding:
    return Finding(level=Level.FAIL, code=code, text=text, place=path.name)


def _warn(code: str, text: str, path: Path) -> Finding:
    return Finding(level=Level.WARN, code=code, text=text, place=path.name)


def _unoriented(path: Path) -> Finding:
    return _warn(
        "orientation-unknown",
        f"{path.name} does not say how it lies in the patient: left and right may be swapped.",
        path,
    )


# --- NIfTI -------------------------------------------------------------------------------------------------


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class _Nifti:
    dim: tuple[int, ...]
    datatype: int
    bits: int
    pixdim: tuple[float, ...]
    offset: int
    order: str
    qform_code: int
    sform_code: int
    quatern: tuple[float, ...]  # b, c, d, offset x, y, z
    srow: tuple[float, ...]
    magic: bytes


def _order(head: bytes) -> str:
    return "<" if head[0] in (0x5C, 0x1C) else ">"


def _parse_nifti(path: Path) -> _Nifti:
    with _open(path) as stream:
        head = stream.read(540)
    order = _order(head)

    def get(code: str, at: int) -> tuple[int | float, ...]:
        return struct.unpack_from(order + code, head, at)

    # Byte offsets of NIfTI-1 (nifti1.h, 2007) and NIfTI-2 (nifti2.h, 2011).
    if head[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c"):
        dim, kind, pixdim, offset = get("8h", 40), get("hh", 70), get("8f", 76), get("f", 108)
        codes, quatern, srow, magic = get("hh", 252), get("6f", 256), get("12f", 280), head[344:348]
    else:
        dim, kind, pixdim, offset = get("8q", 16), get("hh", 12), get("8d", 104), get("q", 168)
        codes, quatern, srow, magic = get("ii", 344), get("6d", 352), get("12d", 400), head[4:8]
    return _Nifti(
        tuple(int(n) for n in dim),
        int(kind[0]),
        int(kind[1]),
        tuple(float(p) for p in pixdim),
        int(offset[0]),
        order,
        int(codes[0]),
        int(codes[1]),
        tuple(float(q) for q in quatern),
        tuple(float(s) for s in srow),
        magic,
    )


def _nifti(path: Path) -> RawHeader:
    h = _parse_nifti(path)
    if h.magic[1:2] == b"i":
        text = f"{path.name} keeps its voxels in a second file."
        return RawHeader(findings=(_fail("outside-file", text, path),))
    axes = h.dim[0]
    if not 1 <= axes <= 7:
        raise ValueError("dim[0]")
    if not 348 <= h.offset <= _LONGEST_HEADER:
        raise ValueError("vox_offset")
    size, extra = h.dim[1 : 1 + min(axes, 3)], h.dim[4 : 1 + axes]
    spacing = tuple(abs(p) for p in h.pixdim[1:4])
    findings = list(check_extent(size, spacing[: len(size)], path.name))
    if any(n > 1 for n in extra):
        shown = " x ".join(str(n) for n in h.dim[1 : 1 + axes])
        findings.append(_fail("more-dimensions", f"{path.name} has more than one volume ({shown}).", path))
    if h.datatype in (128, 2304):
        findings.append(_fail("colour-image", f"{path.name} is a colour image.", path))
    elif h.datatype in (32, 1792, 2048):
        findings.append(_fail("colour-image", f"{path.name} holds complex numbers.", path))
    if not findings:
        findings.extend(_nifti_orientation(h, path))
    return RawHeader(size=size, spacing_mm=spacing, findings=tuple(findings))


def _nifti_orientation(h: _Nifti, path: Path) -> Iterator[Finding]:
    if h.qform_code <= 0 and h.sform_code <= 0:
        yield _unoriented(path)
        return
    rows = np.array(h.srow).reshape(3, 4)
    if h.sform_code > 0:
        lengths = np.linalg.norm(rows[:, :3], axis=0)
        if not np.all(np.isfinite(rows)) or not np.all(lengths > 0):
            yield _fail("bad-header", f"{path.name} states an orientation that is not one.", path)
            return
        cosines = rows[:, :3] / lengths
        if np.abs(cosines.T @ cosines - np.eye(3)).max() > 1e-3:
            yield _fail(
                "sheared-grid", f"The voxels of {path.name} are sheared, not a rectangular grid.", path
            )
            return
        wrong = np.abs(lengths - np.abs(h.pixdim[1:4])) > 1e-3 * lengths
        if wrong.any():
            both = [" x ".join(f"{s:g}" for s in values) for values in (lengths, np.abs(h.pixdim[1:4]))]
            text = f"{path.name} states two voxel sizes, {both[0]} mm (sform) and {both[1]} mm (pixdim)."
            yield _fail("bad-spacing", text, path)
            return
    if h.qform_code > 0 and h.sform_code > 0:
        gap = _largest_gap_mm(rows, _quaternion_rows(h), h.dim[1:4])
        if gap > 0.5:
            yield _warn(
                "two-orientations",
                f"{path.name} states two positions (sform and qform) that differ by up to {gap:.1f} mm; "
                "the sform is used.",
                path,
            )


def _quaternion_rows(h: _Nifti) -> npt.NDArray[np.float64]:
    """Return the 3 x 4 matrix of the qform (nifti1.h, "METHOD 2")."""
    b, c, d, x, y, z = h.quatern
    a = math.sqrt(max(0.0, 1.0 - b * b - c * c - d * d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    factor = -1.0 if h.pixdim[0] < 0 else 1.0
    scale = np.array([h.pixdim[1], h.pixdim[2], h.pixdim[3] * factor])
    return np.column_stack([rotation * scale, [x, y, z]])


def _largest_gap_mm(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], size: tuple[int, ...]) -> float:
    corners = np.array(
        [[i, j, k, 1] for i in (0, size[0] - 1) for j in (0, size[1] - 1) for k in (0, size[2] - 1)], float
    )
    return float(np.abs(corners @ (a - b).T).max())


def _nifti_problem(path: Path) -> tuple[Finding, ...]:
    """Read the voxels once to see that all are there, that the checksum is right and every float a number.

    ITK's reader returns 0 for NaN and for what is missing.
    """
    h = _parse_nifti(path)
    wanted = math.prod(max(n, 1) for n in h.dim[1 : 1 + h.dim[0]]) * (h.bits // 8)
    kind = {16: np.dtype(f"{h.order}f4"), 64: np.dtype(f"{h.order}f8")}.get(h.datatype)
    have, odd = 0, 0
    with _open(path) as stream:
        stream.read(h.offset)
        # Reading to the end also checks gzip's checksum; the bound stops a file that unpacks without end.
        while have <= wanted + 64 * _CHUNK and (chunk := stream.read(_CHUNK)):
            if kind is not None and have + len(chunk) <= wanted and len(chunk) % kind.itemsize == 0:
                odd += int((~np.isfinite(np.frombuffer(chunk, kind))).sum())
            have += len(chunk)
    if have < wanted:
        return (_cut_short(path),)
    if odd:
        text = f"{path.name} has {odd} voxels without a number (NaN or infinite)."
        return (_fail("nan-voxels", text, path),)
    return ()


# --- NRRD --------------------------------------------------------------------------------------------------

_NRRD_SPACES = {
    "left-posterior-superior", "lps", "right-anterior-superior", "ras", "left-anterior-superior", "las",
}  # fmt: skip


def _fields(path: Path, separator: str) -> tuple[dict[str, str], int]:
    """Return the ``key separator value`` lines of a text header, and where the header ends in the file."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while line := stream.readline(65536):
            text = line.decode("latin-1").strip()
            if not text and separator == ":":
                break
            if separator not in text or text.startswith("#"):
                continue
            key, value = text.split(separator, 1)
            if value.startswith("="):  # NRRD's key/value pairs (:=) say nothing about the voxels
                continue
            fields[key.strip().lower()] = value.strip()
            if key.strip() == "ElementDataFile":
                break
        return fields, stream.tell()


def _stays_home(name: str) -> bool:
    """Tell whether a file name of a header stays in the header's own folder."""
    return bool(name) and PurePosixPath(name).name == name and PureWindowsPath(name).name == name


def _nrrd(path: Path) -> RawHeader:
    fields, _ = _fields(path, ":")
    size = tuple(int(n) for n in fields["sizes"].split())
    findings: list[Finding] = []
    data = fields.get("data file", fields.get("datafile", ""))
    if data and not (_stays_home(data) and data.upper() != "LIST"):
        text = f"{path.name} keeps its voxels elsewhere ({data})."
        return RawHeader(findings=(_fail("outside-file", text, path),))
    if data and not (path.parent / data).is_file():
        text = f"The voxels of {path.name} are missing: there is no file {data} beside it."
        return RawHeader(findings=(_fail("truncated-file", text, path),))
    if fields["type"] == "block":
        raise ValueError("block")
    directions = fields.get("space directions", "")
    vectors = [_vector(text) for text in directions.replace("none", " none ").replace(")", ") ").split()]
    spatial = [n for n, v in zip(size, vectors, strict=True) if v is not None] if vectors else list(size)
    if len(spatial) != len(size) or len(size) > 3:
        others = len(size) - len(spatial) if vectors else len(size) - 3
        text = f"{path.name} has {others} more axes than a volume (channels or time points)."
        findings.append(_fail("more-dimensions", text, path))
        return RawHeader(size=size, findings=tuple(findings))
    if vectors:
        matrix = np.array([v for v in vectors if v is not None]).T
        lengths = np.linalg.norm(matrix, axis=0)
        spacing = tuple(float(s) for s in lengths)
        findings.extend(check_extent(size, spacing, path.name))
        if not findings:
            cosines = matrix / lengths
            if np.abs(cosines.T @ cosines - np.eye(3)).max() > 1e-3:
                text = f"The voxels of {path.name} are sheared, not a rectangular grid."
                findings.append(_fail("sheared-grid", text, path))
            elif fields.get("space", "").lower() not in _NRRD_SPACES:
                findings.append(_unoriented(path))
    else:
        spacing = tuple(abs(float(s)) for s in fields.get("spacings", "nan nan nan").split())
        findings.extend(check_extent(size, spacing, path.name))
        findings.append(_unoriented(path))
    return RawHeader(size=size, spacing_mm=spacing, findings=tuple(findings))


def _vector(text: str) -> list[float] | None:
    if text == "none":
        return None
    numbers = [float(n) for n in text.strip("()").split(",")]
    if len(numbers) != 3:
        raise ValueError("space directions")
    return numbers


# --- MetaImage ---------------------------------------------------------------------------------------------

_META_BYTES = {
    "CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "LONG": 8, "ULONG": 8,
    "LONG_LONG": 8, "ULONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8,
}  # fmt: skip


def _metaimage(path: Path) -> RawHeader:
    fields, _ = _fields(path, "=")
    size = tuple(int(n) for n in fields["dimsize"].split())
    data = fields["elementdatafile"]
    if data.upper() != "LOCAL":
        if not _stays_home(data) or data.upper() == "LIST" or "%" in data:
            text = f"{path.name} keeps its voxels elsewhere ({data})."
            return RawHeader(findings=(_fail("outside-file", text, path),))
        if not (path.parent / data).is_file():
            text = f"The voxels of {path.name} are missing: there is no file {data} beside it."
            return RawHeader(findings=(_fail("truncated-file", text, path),))
    if len(size) > 3 and any(n > 1 for n in size[3:]):
        text = f"{path.name} has {len(size)} axes."
        return RawHeader(size=size, findings=(_fail("more-dimensions", text, path),))
    if int(fields.get("elementnumberofchannels", "1")) != 1:
        text = f"{path.name} has several values in each voxel."
        return RawHeader(size=size, findings=(_fail("colour-image", text, path),))
    steps = fields.get("elementspacing", fields.get("elementsize", "nan nan nan"))
    spacing = tuple(abs(float(s)) for s in steps.split())
    findings = list(check_extent(size[:3], spacing[:3], path.name))
    matrix = fields.get("transformmatrix", fields.get("rotation", fields.get("orientation", "")))
    if not matrix and not any(key in fields for key in ("offset", "position", "origin")):
        findings.append(_unoriented(path))
    elif matrix and not findings and len(size) == 3:
        cosines = np.array([float(n) for n in matrix.split()]).reshape(3, 3)
        if np.abs(cosines @ cosines.T - np.eye(3)).max() > 1e-3:
            text = f"The voxels of {path.name} are sheared, not a rectangular grid."
            findings.append(_fail("sheared-grid", text, path))
    return RawHeader(size=size, spacing_mm=spacing, findings=tuple(findings))


def _metaimage_is_whole(path: Path) -> bool:
    fields, end = _fields(path, "=")
    data = fields["elementdatafile"]
    voxels = math.prod(int(n) for n in fields["dimsize"].split())
    wanted = voxels * _META_BYTES[fields["elementtype"].removeprefix("MET_").removesuffix("_ARRAY")]
    source = path if data.upper() == "LOCAL" else path.parent / data
    start = end if data.upper() == "LOCAL" else max(int(fields.get("headersize", "0")), 0)
    if fields.get("compresseddata", "false").lower() != "true":
        return source.stat().st_size - start >= wanted
    unpack, have = zlib.decompressobj(), 0
    with source.open("rb") as stream:
        stream.seek(start)
        # zlib unpacks at most a thousandfold, so small bites keep a hostile file from filling the memory.
        while have <= wanted and (chunk := stream.read(_CHUNK // 16)):
            have += len(unpack.decompress(chunk))
    return have >= wanted and (unpack.eof or have > wanted)
