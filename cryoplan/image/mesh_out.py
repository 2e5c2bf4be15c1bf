"""Mesh out: points and triangles as STL, PLY or OBJ, with the axes stated where each format has room for it.

Most readers take a mesh as it stands and know nothing of a patient. So the axes are said twice, in the file
(``SPACE=LPS`` or ``SPACE=RAS``, the words that 3D Slicer writes and that are read here too) and in its name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan import RESEARCH_USE

LPS, RAS = "LPS", "RAS"
AXES = {LPS: (1.0, 1.0, 1.0), RAS: (-1.0, -1.0, 1.0)}
"""Factors that take x, y, z from LPS. Two axes change their sign, so that outsides stay outside."""

FORMATS = ("stl", "ply", "obj")
MATERIALS = "materials.mtl"
"""Name of the file of colours that OBJ files of one folder share."""

_STL_HEADER = 80


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeshOut:
    """One closed surface to be written.

    Attributes
    ----------
    stem : str
        What the object is called in the file: plain ASCII, without spaces.
    points_mm : ndarray
        float32 ``(n, 3)``, LPS millimetres.
    triangles : ndarray
        int ``(m, 3)``, counter-clockwise seen from outside.
    colour : tuple of int
        sRGB, 0 to 255.
    """

    stem: str
    points_mm: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.integer]
    colour: tuple[int, int, int]


def mesh_bytes(mesh: MeshOut, ending: str, axes: str = LPS) -> bytes:
    """Return a mesh as the bytes of a file.

    Parameters
    ----------
    ending : str
        One of `FORMATS`; STL and PLY are binary and little-endian.
    axes : str
        `LPS` or `RAS`: what the numbers of the file mean.

    Raises
    ------
    ValueError
        If the ending or the axes are none of these.
    """
    if axes not in AXES:
        raise ValueError(f"axes are LPS or RAS, not {axes!r}")
    points = (mesh.points_mm * np.asarray(AXES[axes], np.float32) + np.float32(0.0)).astype("<f4")
    if ending == "stl":
        return _stl(mesh, points, axes)
    if ending == "ply":
        return _ply(mesh, points, axes)
    if ending == "obj":
        return _obj(mesh, points, axes)
    raise ValueError(f"a mesh is written as one of {', '.join(FORMATS)}, not {ending!r}")


def materials_text(colours: dict[str, tuple[int, int, int]]) -> str:
    """Return the text of `MATERIALS`: the colour of each object by its stem."""
    lines = [f"# {RESEARCH_USE}"]
    for stem, colour in colours.items():
        lines += [f"newmtl {stem}", "Kd " + " ".join(f"{part / 255:.4f}" for part in colour)]
    return "\n".join(lines) + "\n"


def _said(mesh: MeshOut, axes: str) -> str:
    return f"cryoplan {mesh.stem}. SPACE={axes}; UNIT=mm"


def _stl(mesh: MeshOut, points: npt.NDArray[np.float32], axes: str) -> bytes:
    # The axes first: the stem may be too long for the 80 bytes.
    head = f"SPACE={axes}; UNIT=mm; cryoplan {mesh.stem}".encode("ascii")[:_STL_HEADER]
    records = np.zeros(
        len(mesh.triangles), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")])
    )
    corners = points[mesh.triangles]
    across = np.cross(
        (corners[:, 1] - corners[:, 0]).astype(float), (corners[:, 2] - corners[:, 0]).astype(float)
    )
    length = np.linalg.norm(across, axis=1, keepdims=True)
    records["normal"] = across / np.where(length > 0.0, length, 1.0)
    records["corners"] = corners
    return head.ljust(_STL_HEADER, b" ") + len(records).to_bytes(4, "little") + records.tobytes()


def _ply(mesh: MeshOut, points: npt.NDArray[np.float32], axes: str) -> bytes:
    header = "\n".join(
        (
            "ply", "format binary_little_endian 1.0", f"comment {_said(mesh, axes)}",
            f"comment {RESEARCH_USE}",
            f"element vertex {len(points)}",
            *(f"property float {axis}" for axis in "xyz"),
            *(f"property uchar {part}" for part in ("red", "green", "blue")),
            f"element face {len(mesh.triangles)}", "property list uchar int vertex_indices", "end_header", "",
        )
    )  # fmt: skip
    vertices = np.zeros(len(points), np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)]))
    vertices["xyz"], vertices["rgb"] = points, mesh.colour
    faces = np.zeros(len(mesh.triangles), np.dtype([("count", "u1"), ("corners", "<i4", 3)]))
    faces["count"], faces["corners"] = 3, mesh.triangles
    return header.encode("ascii") + vertices.tobytes() + faces.tobytes()


def _obj(mesh: MeshOut, points: npt.NDArray[np.float32], axes: str) -> bytes:
    lines = [
        f"# {_said(mesh, axes)}",
        f"# {RESEARCH_USE}",
        f"mtllib {MATERIALS}",
        f"o {mesh.stem}",
        f"usemtl {mesh.stem}",
    ]
    # Nine significant digits give every float32 back.
    lines += [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in points.tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (mesh.triangles + 1).tolist()]
    return ("\n".join(lines) + "\n").encode("ascii")
