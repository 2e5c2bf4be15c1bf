"""NIfTI's header read from its bytes: two orientations, units and lengths that ITK would mend in silence."""

from __future__ import annotations

import gzip
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding
from cryoplan.core.grid import Grid
from cryoplan.image.raw_header import (
    CHUNK,
    MOST_EXTRA_BYTES,
    RawHeader,
    beside,
    fail,
    length_findings,
    place_grid,
    unoriented,
    warn,
)
from cryoplan.image.verdict import check_extent

ORIENTATION_TOLERANCE_MM = 0.1
"""sform and qform that put no voxel further apart than this are one orientation."""

LEAST_SLOPE = 1e-12
"""A smaller scale of values is taken for damage."""

_LONGEST_HEADER = 64 << 20  # header extensions of real files take kilobytes
_LPS_OF_RAS = np.array([-1.0, -1.0, 1.0])

# nifti1.h: DT_ codes of single values and their bits.
_BITS = {2: 8, 4: 16, 8: 32, 16: 32, 64: 64, 256: 8, 512: 16, 768: 32, 1024: 64, 1280: 64}
_FLOATS = {16: "f4", 64: "f8"}
_COLOUR = {128: 24, 2304: 32}
_COMPLEX = (32, 1792, 2048)
_MM_OF_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}  # NIFTI_UNITS_METER, _MM, _MICRON; none stated means mm


@dataclass(frozen=True, slots=True)
class _Nifti:
    dim: tuple[int, ...]
    datatype: int
    bits: int
    pixdim: tuple[float, ...]
    offset: int
    slope: tuple[float, float]
    units: int
    order: str
    qform_code: int
    sform_code: int
    quatern: tuple[float, ...]  # b, c, d, offset x, y, z
    srow: tuple[float, ...]
    magic: bytes

    @property
    def scale_mm(self) -> float:
        return _MM_OF_UNIT.get(self.units & 7, 1.0)

    @property
    def in_two_files(self) -> bool:
        return self.magic[1:2] == b"i"


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]


def _parse(path: Path) -> _Nifti:
    with _open(path) as stream:
        head = stream.read(540)
    order = "<" if head[0] in (0x5C, 0x1C) else ">"

    def get(code: str, at: int) -> tuple[int | float, ...]:
        return struct.unpack_from(order + code, head, at)

    # Byte offsets of NIfTI-1 (nifti1.h, 2007) and NIfTI-2 (nifti2.h, 2011).
    if head[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c"):
        dim, kind, pixdim, offset = get("8h", 40), get("hh", 70), get("8f", 76), get("f", 108)
        slope, units = get("ff", 112), head[123]
        codes, quatern, srow, magic = get("hh", 252), get("6f", 256), get("12f", 280), head[344:348]
    else:
        dim, kind, pixdim, offset = get("8q", 16), get("hh", 12), get("8d", 104), get("q", 168)
        slope, units = get("dd", 176), int(get("i", 500)[0])
        codes, quatern, srow, magic = get("ii", 344), get("6d", 352), get("12d", 400), head[4:8]
    return _Nifti(
        tuple(int(n) for n in dim),
        int(kind[0]),
        int(kind[1]),
        tuple(float(p) for p in pixdim),
        int(offset[0]),
        (float(slope[0]), float(slope[1])),
        int(units),
        order,
        int(codes[0]),
        int(codes[1]),
        tuple(float(q) for q in quatern),
        tuple(float(s) for s in srow),
        magic,
    )


def _data_file(path: Path, h: _Nifti) -> tuple[Path | None, tuple[Finding, ...]]:
    return beside(path, f"{path.stem}.img") if h.in_two_files else (path, ())


def read_nifti(path: Path) -> RawHeader:
    """Read the header and check what it promises.

    Which orientation holds: the sform where its code is above 0, else the qform; where both are stated and
    differ by more than `ORIENTATION_TOLERANCE_MM` at a corner, the user is asked.
    """
    h = _parse(path)
    _, missing = _data_file(path, h)
    if missing:
        return RawHeader(findings=missing)
    axes = h.dim[0]
    if not 1 <= axes <= 7:
        raise ValueError("dim[0]")
    if not (0 if h.in_two_files else 352) <= h.offset <= _LONGEST_HEADER:
        raise ValueError("vox_offset")
    size, extra = h.dim[1 : 1 + min(axes, 3)], h.dim[4 : 1 + axes]
    # nifti1.h wants them positive; ITK turns the axis of a negative one over, whatever the sform says.
    spacing = tuple(p * h.scale_mm for p in h.pixdim[1 : 1 + len(size)])
    findings = list(check_extent(size, spacing, path.name))
    if any(n != 1 for n in extra):
        shown = " x ".join(str(n) for n in h.dim[1 : 1 + axes])
        findings.append(fail("more-dimensions", f"{path.name} has more than one volume ({shown}).", path))
    findings.extend(_kind_findings(h, path))
    grid, own = None, False
    if not findings:
        grid, own, said = _orientation(h, path)
        findings.extend(said)
    return RawHeader(
        size=size,
        spacing_mm=spacing,
        voxel_bytes=max(h.bits // 8, 1),
        grid=grid,
        own_grid=own,
        findings=tuple(findings),
    )


def _kind_findings(h: _Nifti, path: Path) -> tuple[Finding, ...]:
    if h.datatype in _COLOUR:
        return (fail("colour-image", f"{path.name} is a colour image.", path),)
    if h.datatype in _COMPLEX:
        return (fail("colour-image", f"{path.name} holds complex numbers.", path),)
    if _BITS.get(h.datatype) != h.bits:
        text = f"{path.name} states voxels of kind {h.datatype} with {h.bits} bits, which is not read."
        return (fail("bad-header", text, path),)
    if not all(math.isfinite(number) for number in h.slope):
        text = f"{path.name} states a scale of its values that is no number."
        return (fail("bad-header", text, path),)
    slope, offset = h.slope
    # nifti1.h: a slope of 0 means values as they are. ITK adds the offset all the same, and takes a slope
    # that is next to nothing for 1; other readers do neither.
    if (slope == 0.0 and offset != 0.0) or 0.0 < abs(slope) < LEAST_SLOPE:
        text = f"{path.name} states a scale of {slope:g} with an offset of {offset:g}, read in two ways."
        return (fail("bad-rescale", text, path),)
    return ()


def _orientation(h: _Nifti, path: Path) -> tuple[Grid | None, bool, tuple[Finding, ...]]:
    size = h.dim[1:4]
    if h.qform_code <= 0 and h.sform_code <= 0:
        # Voxel sizes alone. Programs disagree here (nifti1.h, "METHOD 1", has rows to the right), which is
        # why the user is asked; ITK's way, rows to the left and columns to the back, is kept.
        columns = np.diag(np.array(h.pixdim[1:4])) * h.scale_mm
        grid, said = place_grid(size, columns, np.zeros(3), path)
        return grid, False, (*said, unoriented(path))
    rows = np.array(h.srow).reshape(3, 4) if h.sform_code > 0 else _quaternion_rows(h)
    if rows is None:
        return None, False, (fail("bad-header", f"{path.name} states a rotation that is not one.", path),)
    lps = rows * h.scale_mm * _LPS_OF_RAS[:, None]
    grid, said = place_grid(size, lps[:, :3], lps[:, 3], path)
    if grid is None or h.sform_code <= 0:
        return grid, False, said
    stated = np.array(h.pixdim[1:4]) * h.scale_mm
    if np.any(np.abs(np.array(grid.spacing_mm) - stated) > 1e-3 * stated):
        both = [" x ".join(f"{s:g}" for s in values) for values in (grid.spacing_mm, stated)]
        text = f"{path.name} states two voxel sizes, {both[0]} mm (sform) and {both[1]} mm (pixdim)."
        return None, False, (fail("bad-spacing", text, path),)
    if h.qform_code <= 0:
        return grid, False, ()
    second = _quaternion_rows(h)
    gap = math.inf if second is None else _largest_gap(rows, second, size) * h.scale_mm
    if gap <= ORIENTATION_TOLERANCE_MM:
        return grid, False, ()
    how_far = f"that differ by up to {gap:.1f} mm" if math.isfinite(gap) else "of which the second is none"
    text = f"{path.name} states two positions, sform (code {h.sform_code}) and qform (code {h.qform_code}), "
    text += f"{how_far}; the sform is used."
    # Measured: of codes 1 and 2 ITK takes the qform and says nothing, of 2 and 1 the sform.
    return grid, True, (warn("two-orientations", text, path),)


def _quaternion_rows(h: _Nifti) -> npt.NDArray[np.float64] | None:
    """Return the 3 x 4 matrix of the qform (nifti1.h, "METHOD 2"), or None where it is no rotation."""
    b, c, d, x, y, z = h.quatern
    length = b * b + c * c + d * d
    if not all(math.isfinite(q) for q in h.quatern) or length > 1.001:
        return None
    a = math.sqrt(max(0.0, 1.0 - length))
    if a < 1e-4:  # a half turn: rounding has eaten a, so what is left is the axis
        b, c, d = (q / math.sqrt(length) for q in (b, c, d))
        a = 0.0
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    qfac = -1.0 if h.pixdim[0] < 0 else 1.0
    scale = np.array([h.pixdim[1], h.pixdim[2], h.pixdim[3] * qfac])
    return np.column_stack([rotation * scale, [x, y, z]])


def _largest_gap(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], size: tuple[int, ...]) -> float:
    corners = np.array(
        [[i, j, k, 1] for i in (0, size[0] - 1) for j in (0, size[1] - 1) for k in (0, size[2] - 1)], float
    )
    gap = float(np.linalg.norm(corners @ (a - b).T, axis=1).max())
    return gap if math.isfinite(gap) else math.inf


def nifti_voxel_findings(path: Path) -> tuple[Finding, ...]:
    """Read the voxels once: all there, nothing behind them, right checksum, every float a number.

    ITK's reader returns 0 for NaN and for what is missing.
    """
    h = _parse(path)
    source, missing = _data_file(path, h)
    if source is None:
        return missing
    wanted = math.prod(max(n, 1) for n in h.dim[1 : 1 + h.dim[0]]) * (h.bits // 8)
    kind = np.dtype(f"{h.order}{_FLOATS[h.datatype]}") if h.datatype in _FLOATS else None
    have, odd = 0, 0
    with _open(source) as stream:
        stream.read(h.offset)
        # Reading to the end also checks gzip's checksum; the bound stops a file that unpacks without end.
        while have <= wanted + MOST_EXTRA_BYTES and (chunk := stream.read(CHUNK)):
            if kind is not None:
                whole = min(len(chunk), max(wanted - have, 0)) // kind.itemsize * kind.itemsize
                odd += int((~np.isfinite(np.frombuffer(chunk[:whole], kind))).sum())
            have += len(chunk)
    if odd and have >= wanted:
        text = f"{path.name} has {odd} voxels without a number (NaN or infinite)."
        return (fail("nan-voxels", text, path),)
    return length_findings(have, wanted, path)
