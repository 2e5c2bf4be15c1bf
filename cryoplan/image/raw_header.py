"""What the header of a volume file says by itself: the record that the readers of three formats fill."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import numpy.typing as npt

from cryoplan.core.finding import Finding, Level
from cryoplan.core.grid import Grid

CHUNK = 1 << 20
MOST_EXTRA_BYTES = 1 << 20
"""A file that goes on this far behind its voxels is no image with a few bytes too many."""

SHEAR_TOLERANCE = 1e-3
"""Largest cosine between two axes of a grid that counts as rectangular (0.06 degrees)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawHeader:
    """What the file itself says.

    Attributes
    ----------
    size : tuple of int
        Voxels along the spatial axes; empty when the header cannot be understood.
    spacing_mm : tuple of float
        Absolute voxel size as written, NaN or 0 included.
    voxel_bytes : int
        Bytes of one voxel in the file.
    grid : Grid or None
        Where the header puts the voxels, worked out here and not by ITK; None when a finding fails.
    own_grid : bool
        True where ITK is known to read another place than the one chosen here (two orientations).
    layers : int
        Volumes of labels side by side in a segmentation; 0 for a plain volume.
    findings : tuple of Finding
        What is wrong or missing.
    """

    size: tuple[int, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    voxel_bytes: int = 2
    grid: Grid | None = None
    own_grid: bool = False
    layers: int = 0
    findings: tuple[Finding, ...] = field(default=())


def fail(code: str, text: str, path: Path) -> Finding:
    """Return a finding that refuses the file."""
    return Finding(level=Level.FAIL, code=code, text=text, place=path.name)


def warn(code: str, text: str, path: Path) -> Finding:
    """Return a finding that needs the user's yes."""
    return Finding(level=Level.WARN, code=code, text=text, place=path.name)


def unoriented(path: Path) -> Finding:
    """Return the finding of a file that leaves left and right open."""
    return warn(
        "orientation-unknown",
        f"{path.name} does not say how it lies in the patient: left and right may be swapped.",
        path,
    )


def cut_short(path: Path) -> Finding:
    """Return the finding of a file whose voxels are not all there."""
    return fail("truncated-file", f"{path.name} is cut short or damaged.", path)


def length_findings(have: int, wanted: int, path: Path) -> tuple[Finding, ...]:
    """Compare the bytes of the voxels with what the header announces."""
    if have < wanted:
        return (cut_short(path),)
    if have > wanted + MOST_EXTRA_BYTES:
        text = f"{path.name} holds far more than the {wanted} bytes of voxels that its header announces."
        return (fail("size-mismatch", text, path),)
    if have > wanted:
        text = f"{path.name} holds {have - wanted} bytes more than its header announces."
        return (warn("extra-bytes", text, path),)
    return ()


def sheared(cosines: npt.NDArray[np.float64]) -> bool:
    """Tell whether unit vectors in columns are not at right angles."""
    return not bool(np.abs(cosines.T @ cosines - np.eye(3)).max() <= SHEAR_TOLERANCE)


def place_grid(
    size: tuple[int, ...],
    columns_mm: npt.NDArray[np.float64],
    origin_mm: npt.NDArray[np.float64],
    path: Path,
) -> tuple[Grid | None, tuple[Finding, ...]]:
    """Make a grid of LPS step vectors (in columns) and the centre of the first voxel, or say why not."""
    lengths = np.linalg.norm(columns_mm, axis=0)
    numbers = np.concatenate([columns_mm.ravel(), origin_mm])
    if not np.isfinite(numbers).all() or not np.all(lengths > 0):
        return None, (fail("bad-header", f"{path.name} states an orientation that is not one.", path),)
    if np.abs(origin_mm).max() > 1e5:
        return None, (fail("bad-header", f"{path.name} states a position 100 metres away.", path),)
    cosines = columns_mm / lengths
    if sheared(cosines):
        text = f"The voxels of {path.name} are sheared, not a rectangular grid."
        return None, (fail("sheared-grid", text, path),)
    # The nearest rotation (polar decomposition), so that rounding of the header is no shear.
    u, _, v = np.linalg.svd(cosines)
    grid = Grid(
        size=(size[0], size[1], size[2]),
        spacing_mm=(float(lengths[0]), float(lengths[1]), float(lengths[2])),
        origin_mm=(float(origin_mm[0]), float(origin_mm[1]), float(origin_mm[2])),
        direction=tuple(float(c) for c in (u @ v).ravel()),
    )
    return grid, ()


def text_fields(path: Path, separator: str) -> tuple[dict[str, str], int]:
    """Return the ``key separator value`` lines of a text header, and where the header ends in the file.

    Raises
    ------
    ValueError
        If a key stands twice, or the header has no end within 64 kB lines and 1 MB.
    """
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while line := stream.readline(65536):
            if stream.tell() > CHUNK:
                raise ValueError("endless header")
            text = line.decode("latin-1").strip()
            if not text and separator == ":":
                break
            if separator not in text or text.startswith("#"):
                continue
            key, value = text.split(separator, 1)
            if value.startswith("="):  # NRRD's key/value pairs (:=) say nothing about the voxels
                continue
            name = key.strip().lower()
            if name in fields:
                raise ValueError(f"{name} twice")
            fields[name] = value.strip()
            if name == "elementdatafile":
                break
        return fields, stream.tell()


def stays_home(name: str) -> bool:
    """Tell whether a file name of a header stays in the header's own folder."""
    return bool(name) and PurePosixPath(name).name == name and PureWindowsPath(name).name == name


def beside(path: Path, name: str) -> tuple[Path | None, tuple[Finding, ...]]:
    """Return the file of voxels that a header names, if it lies in the header's own folder."""
    data = path.parent / name
    if not stays_home(name) or name.upper().startswith("LIST") or "%" in name:
        text = f"{path.name} keeps its voxels elsewhere ({name[:80]})."
        return None, (fail("outside-file", text, path),)
    if not data.is_file():
        text = f"The voxels of {path.name} are missing: there is no file {name[:80]} beside it."
        return None, (fail("truncated-file", text, path),)
    if data.resolve().parent != path.resolve().parent:
        text = f"{path.name} keeps its voxels elsewhere: {name[:80]} is a link out of its folder."
        return None, (fail("outside-file", text, path),)
    return data, ()
