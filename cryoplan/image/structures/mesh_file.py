"""STL, OBJ and PLY files -> points and triangles; a file that promises what it lacks is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cryoplan.core.errors import StructureError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ENDINGS = (".stl", ".obj", ".ply")

_MOST_BYTES = 2_000_000_000
_MOST_TRIANGLES = 20_000_000
_AGAIN = "Export the mesh again from the program that made it."
_SPACE = re.compile(rb"SPACE\s*=\s*(LPS|RAS)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """A surface of triangles as a file holds it.

    Attributes
    ----------
    name : str
        Of the object in the file, empty when it has none.
    points : array (n, 3)
        In the axes of the file, millimetres by convention.
    triangles : array (m, 3)
        Numbers of points, from 0.
    """

    name: str
    points: FloatArray
    triangles: IntArray


def read_mesh_file(path: Path) -> tuple[tuple[Mesh, ...], str]:
    """Return the meshes of a file and the axes that it states: ``LPS``, ``RAS`` or empty.

    Raises
    ------
    StructureError
        If the file is damaged, cut short, or no mesh.
    """
    ending = path.suffix.lower()
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _bad(path, "is larger than 2 GB")
        data = path.read_bytes()
    except OSError as error:
        raise _bad(path, f"cannot be opened ({error.strerror})") from error
    try:
        meshes = {".stl": _stl, ".obj": _obj, ".ply": _ply}[ending](data)
    except (ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError) as error:
        raise _bad(path, f"is damaged or cut short ({error})") from error
    for mesh in meshes:
        if len(mesh.triangles) == 0:
            raise _bad(path, "has no triangle")
        if len(mesh.triangles) > _MOST_TRIANGLES:
            raise _bad(path, f"has {len(mesh.triangles)} triangles, more than {_MOST_TRIANGLES}")
        if mesh.triangles.min() < 0 or mesh.triangles.max() >= len(mesh.points):
            raise _bad(path, "has a triangle with a corner that is not there")
        used = mesh.points[np.unique(mesh.triangles)]
        if not np.isfinite(used).all() or np.abs(used).max() > 1e5:
            raise _bad(path, "has points that are no places")
    stated = _SPACE.search(data[:4096])
    return meshes, stated[1].decode().upper() if stated else ""


def _bad(path: Path, why: str) -> StructureError:
    return StructureError(f"The mesh {path.name} {why}.", _AGAIN, code="bad-mesh", place=path.name)


def _stl(data: bytes) -> tuple[Mesh, ...]:
    count = int.from_bytes(data[80:84], "little") if len(data) >= 84 else -1
    if count >= 0 and len(data) == 84 + 50 * count:
        records = np.frombuffer(
            data, np.dtype([("n", "<f4", 3), ("p", "<f4", (3, 3)), ("a", "<u2")]), count, 84
        )
        corners = records["p"].reshape(-1, 3)
    elif data.lstrip()[:5].lower() == b"solid" and b"facet" in data[:100_000]:
        text = data.decode("ascii", "replace").lower()
        if text.count("endfacet") != len(re.findall(r"\bfacet\b", text)) or "endsolid" not in text:
            raise ValueError("not all facets end")
        found = re.findall(r"\bvertex\s+(\S+)\s+(\S+)\s+(\S+)", text)
        if len(found) != text.count("vertex") or len(found) != 3 * text.count("endfacet"):
            raise ValueError("a facet has not three corners")
        corners = np.array(found, dtype=float).astype(np.float32)
    else:
        raise ValueError(f"{len(data)} bytes do not hold {max(count, 0)} triangles")
    # STL writes each corner anew: equal numbers are one point.
    points, index = np.unique(corners, axis=0, return_inverse=True)
    return (Mesh(name="", points=points.astype(float), triangles=index.reshape(-1, 3).astype(np.int64)),)


def _obj(data: bytes) -> tuple[Mesh, ...]:
    points: list[tuple[float, float, float]] = []
    objects: dict[str, list[tuple[int, int, int]]] = {}
    name = ""
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if line.rstrip().endswith("\\"):
            raise ValueError(f"line {number} goes on in the next")
        if words[0] == "v":
            if len(words) < 4:
                raise ValueError(f"line {number} is no point")
            points.append((float(words[1]), float(words[2]), float(words[3])))
        elif words[0] == "o":
            name = " ".join(words[1:])
        elif words[0] == "f":
            corners = [int(word.split("/")[0]) for word in words[1:]]
            if len(corners) < 3 or 0 in corners:
                raise ValueError(f"line {number} is no face")
            # Negative numbers count back from the last point so far.
            corners = [c - 1 if c > 0 else len(points) + c for c in corners]
            faces = objects.setdefault(name, [])
            faces.extend((corners[0], b, c) for b, c in pairwise(corners[1:]))
    table = np.array(points, float).reshape(-1, 3)
    meshes = [
        Mesh(name=key if len(objects) > 1 else "", points=table, triangles=np.array(faces, np.int64))
        for key, faces in objects.items()
    ]
    if not meshes:
        raise ValueError("it has no face")
    return tuple(meshes)


_PLY_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip


@dataclass(slots=True)
class _Element:
    name: str
    count: int
    properties: list[tuple[str, str, str]]  # name, type of the value, type of the count of a list


def _ply_header(data: bytes) -> tuple[str, list[_Element], int]:
    end = data.find(b"end_header")
    if not data.startswith(b"ply") or end < 0:
        raise ValueError("no header")
    start = data.index(b"\n", end) + 1
    form, elements = "", []
    for line in data[:end].decode("ascii", "replace").splitlines():
        words = line.split()
        if words[:1] == ["format"]:
            form = words[1]
        elif words[:1] == ["element"]:
            elements.append(_Element(words[1], int(words[2]), []))
        elif words[:1] == ["property"]:
            if words[1] == "list":
                elements[-1].properties.append((words[4], _PLY_TYPES[words[3]], _PLY_TYPES[words[2]]))
            else:
                elements[-1].properties.append((words[2], _PLY_TYPES[words[1]], ""))
    if form not in ("ascii", "binary_little_endian", "binary_big_endian"):
        raise ValueError("format")
    if any(not 0 <= e.count <= _MOST_TRIANGLES for e in elements):
        raise ValueError("count")
    return form, elements, start


def _ply(data: bytes) -> tuple[Mesh, ...]:
    form, elements, at = _ply_header(data)
    points = triangles = None
    words = data[at:].split() if form == "ascii" else []
    place = at if form != "ascii" else 0
    order = ">" if form == "binary_big_endian" else "<"
    for element in elements:
        lists = [p for p in element.properties if p[2]]
        if element.name == "face":
            if len(lists) != 1 or lists[0][0] not in ("vertex_indices", "vertex_index"):
                raise ValueError("faces")
            triangles, place = _ply_faces(element, data, words, place, order)
        elif lists:
            raise ValueError(f"a list in {element.name}")
        else:
            columns, place = _ply_table(element, data, words, place, order)
            if element.name == "vertex":
                points = np.stack([columns[c] for c in "xyz"], axis=1).astype(float)
    if points is None or triangles is None:
        raise ValueError("no points or faces")
    return (Mesh(name="", points=points, triangles=triangles),)


def _ply_table(
    element: _Element, data: bytes, words: list[bytes], place: int, order: str
) -> tuple[dict[str, FloatArray], int]:
    names = [p[0] for p in element.properties]
    if words:
        size = element.count * len(names)
        part = words[place : place + size]
        if len(part) < size:
            raise ValueError("too few numbers")
        table = np.array([float(w) for w in part]).reshape(element.count, len(names))
        return {n: table[:, c] for c, n in enumerate(names)}, place + size
    kind = np.dtype([(n, order + t) for n, t, _ in element.properties])
    table = np.frombuffer(data, kind, element.count, place)
    return {n: table[n].astype(float) for n in names}, place + element.count * kind.itemsize


def _ply_faces(
    element: _Element, data: bytes, words: list[bytes], place: int, order: str
) -> tuple[IntArray, int]:
    # Nearly every file has triangles only: then a face is a record of one length.
    if not words:
        fields: list[tuple[str, str] | tuple[str, str, int]] = []
        for n, t, c in element.properties:
            fields += [(n + "#", order + c), (n, order + t, 3)] if c else [(n, order + t)]
        kind = np.dtype(fields)
        name = next(n for n, _, c in element.properties if c)
        if place + element.count * kind.itemsize <= len(data):
            table = np.frombuffer(data, kind, element.count, place)
            if (table[name + "#"] == 3).all():
                return table[name].astype(np.int64).reshape(-1, 3), place + element.count * kind.itemsize
    faces: list[tuple[int, int, int]] = []
    for _ in range(element.count):
        for _name, value, count in element.properties:
            number = 1
            if count:
                read, place = _ply_numbers(data, words, place, order + count, 1)
                number = int(read[0])
                if not 3 <= number <= 1000:
                    raise ValueError(f"a face of {number} corners")
            read, place = _ply_numbers(data, words, place, order + value, number)
            if count:
                corners = [int(c) for c in read]
                faces.extend((corners[0], b, c) for b, c in pairwise(corners[1:]))
    return np.array(faces, np.int64).reshape(-1, 3), place


def _ply_numbers(
    data: bytes, words: list[bytes], place: int, kind: str, number: int
) -> tuple[list[float], int]:
    if words:
        part = words[place : place + number]
        if len(part) < number:
            raise ValueError("too few numbers")
        return [float(w) for w in part], place + number
    read = np.frombuffer(data, kind, number, place)
    return [float(x) for x in read], place + number * read.itemsize
