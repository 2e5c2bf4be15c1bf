"""NRRD's header read from its lines: the space, the axes and where the voxels lie."""

from __future__ import annotations

import bz2
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

# Factor that takes x, y, z of a space to LPS (NRRD definition, "space").
_TO_LPS = {
    "left-posterior-superior": (1.0, 1.0, 1.0), "lps": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0), "ras": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0), "las": (1.0, -1.0, 1.0),
}  # fmt: skip

# Names of types as the NRRD definition lists them, by the bytes they take.
_BYTES = {
    1: "signed char, int8, int8_t, uchar, unsigned char, uint8, uint8_t",
    2: "short, short int, signed short, signed short int, int16, int16_t, "
    "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    4: "int, signed int, int32, int32_t, uint, unsigned int, uint32, uint32_t, float",
    8: "longlong, long long, long long int, signed long long, signed long long int, int64, int64_t, "
    "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t, double",
}
_TYPE_BYTES = {name.strip(): size for size, names in _BYTES.items() for name in names.split(",")}
_SPATIAL_KINDS = ("domain", "space", "???", "none")
_MM = ("mm", "millimeter", "millimetre", "millimeters", "millimetres", "???", "")


def read_nrrd(path: Path, *, layered: bool = False) -> RawHeader:
    """Read the header and check what it promises.

    With `layered`, a first axis of the kind ``list`` may be there: the layers of a segmentation.
    """
    fields, _ = text_fields(path, ":")
    size = tuple(int(n) for n in fields["sizes"].split())
    if len(size) != int(fields["dimension"]):
        raise ValueError("dimension")
    layers = 0
    if layered and len(size) == 4 and fields.get("kinds", "").lower().split()[:1] == ["list"]:
        layers, size = size[0], size[1:]
        fields["kinds"] = " ".join(fields["kinds"].split()[1:])
        others, _, own = fields.get("space directions", "").partition(" ")
        if others.lower() not in ("none", "(nan,nan,nan)") or layers < 1:
            raise ValueError("space directions")
        fields["space directions"] = own.strip()
    data = fields.get("data file", fields.get("datafile"))
    if data is not None and (outside := beside(path, data)[1]):
        return RawHeader(findings=outside)
    voxel_bytes = _TYPE_BYTES[fields["type"].lower()]
    binary = voxel_bytes > 1 and _encoding(fields) in ("raw", "gzip", "bzip2")
    if binary and fields["endian"].lower() not in ("little", "big"):
        raise ValueError("endian")
    findings = list(_axis_findings(fields, size, path))
    if findings:
        return RawHeader(size=size, findings=tuple(findings))
    vectors = _vectors(fields, size)
    factor = np.array(_TO_LPS.get(fields.get("space", "").lower(), (1.0, 1.0, 1.0)))
    origin, place_known = np.zeros(3), "space origin" in fields
    if place_known:
        origin = factor * np.array(_vector(fields["space origin"]))
    if vectors is not None:
        matrix = np.array(vectors).T
        spacing = tuple(float(s) for s in np.linalg.norm(matrix, axis=0))
        columns = factor[:, None] * matrix
    else:
        spacing = tuple(abs(float(s)) for s in fields.get("spacings", "nan nan nan").split())
        columns = np.diag(spacing)
    findings.extend(check_extent(size, spacing, path.name))
    grid = None
    if not findings:
        grid, said = place_grid(size, columns, origin, path)
        findings.extend(said)
        if vectors is None or fields.get("space", "").lower() not in _TO_LPS:
            findings.append(unoriented(path))
        elif not place_known:
            text = f"{path.name} does not say where in the patient it lies."
            findings.append(warn("position-unknown", text, path))
    return RawHeader(
        size=size,
        spacing_mm=spacing,
        voxel_bytes=voxel_bytes,
        grid=grid,
        layers=layers,
        findings=tuple(findings),
    )


def _encoding(fields: dict[str, str]) -> str:
    word = fields["encoding"].lower()
    return {"gz": "gzip", "bz2": "bzip2", "txt": "ascii", "text": "ascii"}.get(word, word)


def _axis_findings(fields: dict[str, str], size: tuple[int, ...], path: Path) -> tuple[Finding, ...]:
    kinds = fields.get("kinds", "").lower().split()
    colours = [kind for kind in kinds if "color" in kind or "vector" in kind or "complex" in kind]
    if colours:
        text = f"{path.name} has several values in each voxel ({colours[0]})."
        return (fail("colour-image", text, path),)
    directions = fields.get("space directions", "")
    others = directions.count("none") if directions else len(size) - 3
    others = max(others, sum(kind not in _SPATIAL_KINDS for kind in kinds), len(size) - 3)
    if others > 0:
        text = f"{path.name} has {others} more axes than a volume (channels or time points)."
        return (fail("more-dimensions", text, path),)
    units = {unit.strip().lower() for unit in fields.get("space units", "").split('"')[1::2]}
    if strange := sorted(units - set(_MM)):
        text = f"{path.name} states its voxel size in {strange[0]!r} and not in millimetres."
        return (fail("bad-units", text, path),)
    return ()


def _vectors(fields: dict[str, str], size: tuple[int, ...]) -> list[list[float]] | None:
    text = fields.get("space directions", "")
    if not text:
        return None
    vectors = [_vector(part) for part in text.replace(" ", "").replace(")(", ") (").split()]
    if len(vectors) != len(size):
        raise ValueError("space directions")
    return vectors


def _vector(text: str) -> list[float]:
    if not (text.startswith("(") and text.endswith(")")):
        raise ValueError("vector")
    numbers = [float(n) for n in text[1:-1].split(",")]
    if len(numbers) != 3:
        raise ValueError("vector")
    return numbers


def nrrd_voxel_findings(path: Path) -> tuple[Finding, ...]:
    """Count the bytes of the voxels; gzip and bzip2 are unpacked in bites and checked to their end."""
    fields, end = text_fields(path, ":")
    data = fields.get("data file", fields.get("datafile"))
    source, start = (path, end) if data is None else (path.parent / data, 0)
    wanted = math.prod(int(n) for n in fields["sizes"].split()) * _TYPE_BYTES[fields["type"].lower()]
    lines = int(fields.get("line skip", fields.get("lineskip", "0")))
    skip = int(fields.get("byte skip", fields.get("byteskip", "0")))
    encoding = _encoding(fields)
    if lines or skip < -1 or (skip and encoding != "raw"):
        return (fail("bad-header", f"{path.name} skips bytes in a way that is not read here.", path),)
    if encoding == "raw":
        if skip == -1:  # the voxels are the last bytes of the file, whatever stands before
            return () if source.stat().st_size >= start + wanted else (cut_short(path),)
        return length_findings(source.stat().st_size - start - skip, wanted, path)
    if encoding not in ("gzip", "bzip2"):
        return ()  # ITK counts the numbers of text itself
    unpack = zlib.decompressobj(31) if encoding == "gzip" else bz2.BZ2Decompressor()
    have = 0
    with source.open("rb") as stream:
        stream.seek(start)
        # A bite unpacks at most a thousandfold, so a hostile file cannot fill the memory.
        while not unpack.eof and have <= wanted + MOST_EXTRA_BYTES and (chunk := stream.read(CHUNK // 64)):
            have += len(unpack.decompress(chunk))
    if not unpack.eof and have <= wanted + MOST_EXTRA_BYTES:
        return (cut_short(path),)
    return length_findings(have, wanted, path)
