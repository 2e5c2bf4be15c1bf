"""MetaImage's header read from its lines, and its voxels counted before ITK trusts them."""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np

from cryoplan.core.finding import Finding
from cryoplan.image.raw_header import (
    CHUNK,
    MOST_EXTRA_BYTES,
    RawHeader,
    beside,
    cut_short,
    fail,
    length_findings,
    place_grid,
    text_fields,
    unoriented,
    warn,
)
from cryoplan.image.verdict import check_extent

_BYTES = {
    "CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "LONG": 8, "ULONG": 8,
    "LONG_LONG": 8, "ULONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8,
}  # fmt: skip
_MATRIX_KEYS = ("transformmatrix", "rotation", "orientation")
_POSITION_KEYS = ("offset", "position", "origin")
_SPACING_KEYS = ("elementspacing", "elementsize")


def read_metaimage(path: Path) -> RawHeader:
    """Read the header and check what it promises."""
    fields, _ = text_fields(path, "=")
    size = tuple(int(n) for n in fields["dimsize"].split())
    if len(size) != int(fields["ndims"]):
        raise ValueError("ndims")
    data = fields["elementdatafile"]
    if data != "LOCAL" and (outside := beside(path, data)[1]):
        return RawHeader(findings=outside)
    if len(size) > 3:
        shown = " x ".join(str(n) for n in size)
        text = f"{path.name} has {len(size)} axes ({shown}), more than a volume."
        return RawHeader(size=size, findings=(fail("more-dimensions", text, path),))
    kind = fields["elementtype"]
    if int(fields.get("elementnumberofchannels", "1")) != 1 or kind.endswith("_ARRAY"):
        text = f"{path.name} has several values in each voxel."
        return RawHeader(size=size, findings=(fail("colour-image", text, path),))
    voxel_bytes = _BYTES[kind.removeprefix("MET_")]
    unit = fields.get("distanceunits", "mm").lower()
    if unit not in ("mm", "?", "unknown"):
        text = f"{path.name} states its voxel size in {unit!r} and not in millimetres."
        return RawHeader(size=size, findings=(fail("bad-units", text, path),))
    for key in ("elementtointensityfunctionslope", "elementtointensityfunctionoffset"):
        if not math.isfinite(float(fields.get(key, "1"))):
            raise ValueError(key)
    return _placed(path, fields, size, voxel_bytes)


def _one_of(fields: dict[str, str], keys: tuple[str, ...]) -> list[float] | None:
    """Return the numbers of the one key that is there; two names for one thing are a contradiction."""
    there = [fields[key] for key in keys if key in fields]
    if len({tuple(text.split()) for text in there}) > 1:
        raise ValueError(keys[0])
    return [float(n) for n in there[0].split()] if there else None


def _placed(path: Path, fields: dict[str, str], size: tuple[int, ...], voxel_bytes: int) -> RawHeader:
    # ElementSpacing is the distance of voxels; ElementSize, their extent, stands in where that is missing.
    steps = _one_of(fields, _SPACING_KEYS[:1]) or _one_of(fields, _SPACING_KEYS[1:]) or [math.nan] * 3
    spacing = tuple(abs(s) for s in steps)
    findings = list(check_extent(size, spacing, path.name))
    if findings:
        return RawHeader(size=size, spacing_mm=spacing, findings=tuple(findings))
    matrix, position = _one_of(fields, _MATRIX_KEYS), _one_of(fields, _POSITION_KEYS)
    # Each three numbers are the direction of one axis (MetaIO), so columns are rows here.
    cosines = np.eye(3) if matrix is None else np.array(matrix).reshape(3, 3).T
    origin = np.zeros(3) if position is None else np.array(position)
    if origin.shape != (3,):
        raise ValueError("offset")
    lengths = np.linalg.norm(cosines, axis=0)
    if np.abs(lengths - 1.0).max() > 1e-2:
        raise ValueError("transformmatrix")  # a direction is a unit vector
    grid, said = place_grid(size, cosines / lengths * np.array(spacing), origin, path)
    findings.extend(said)
    if matrix is None:
        findings.append(unoriented(path))
    elif position is None:
        text = f"{path.name} does not say where in the patient it lies."
        findings.append(warn("position-unknown", text, path))
    return RawHeader(
        size=size, spacing_mm=spacing, voxel_bytes=voxel_bytes, grid=grid, findings=tuple(findings)
    )


def metaimage_voxel_findings(path: Path) -> tuple[Finding, ...]:
    """Count the bytes of the voxels; compressed ones are unpacked in bites and checked to their end."""
    fields, end = text_fields(path, "=")
    data = fields["elementdatafile"]
    local = data == "LOCAL"
    wanted = math.prod(int(n) for n in fields["dimsize"].split())
    wanted *= _BYTES[fields["elementtype"].removeprefix("MET_")]
    source = path if local else path.parent / data
    skip = 0 if local else int(fields.get("headersize", "0"))
    if fields.get("compresseddata", "false").lower() not in ("true", "1", "t"):
        if skip == -1:  # the voxels are the last bytes of the file
            return () if source.stat().st_size >= wanted else (cut_short(path),)
        return length_findings(source.stat().st_size - (end if local else max(skip, 0)), wanted, path)
    unpack, have = zlib.decompressobj(47), 0
    with source.open("rb") as stream:
        stream.seek(end if local else max(skip, 0))
        # zlib unpacks at most a thousandfold, so small bites keep a hostile file from filling the memory.
        while not unpack.eof and have <= wanted + MOST_EXTRA_BYTES and (chunk := stream.read(CHUNK // 64)):
            have += len(unpack.decompress(chunk))
    if not unpack.eof and have <= wanted + MOST_EXTRA_BYTES:
        return (cut_short(path),)
    return length_findings(have, wanted, path)
