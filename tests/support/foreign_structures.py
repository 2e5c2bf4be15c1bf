"""Shapes with known volume and centre, and the files that other programs would write of them."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import contourpy
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ImplicitVRLittleEndian, generate_uid
from scipy.spatial.transform import Rotation

from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.scan import Scan, ScanFacts
from tests.support import hostile
from tests.support.grids import grid_of, places

FloatArray = npt.NDArray[np.float64]
FRAME = "1.2.826.0.1.3680043.8.498.77"
TURN = Rotation.from_rotvec([0.4, -0.7, 0.3]).as_matrix()


@dataclass(frozen=True)
class Shape:
    """A shape around a middle: `level` is below 0 inside, `parts` are closed surfaces of triangles."""

    name: str
    level: Callable[[FloatArray], FloatArray]
    volume_ml: float
    surface_mm2: float
    parts: tuple[tuple[FloatArray, npt.NDArray[np.int64]], ...]
    middle_mm: FloatArray

    def inside(self, grid: Grid) -> npt.NDArray[np.bool_]:
        return self.level(places(grid) - self.middle_mm) < 0.0

    def share(self, grid: Grid, parts: int = 4) -> npt.NDArray[np.float32]:
        """Return the share of each voxel that lies inside."""
        fine = grid_of(
            np.array(grid.size) * parts,
            np.array(grid.spacing_mm) / parts,
            grid.index_to_mm(np.full(3, (1.0 / parts - 1.0) / 2.0)),
            grid.axes,
        )
        nk, nj, ni = grid.shape
        blocks = self.inside(fine).reshape(nk, parts, nj, parts, ni, parts)
        return blocks.mean(axis=(1, 3, 5)).astype(np.float32)


def tube(
    point: Callable[[FloatArray, FloatArray], FloatArray], n: int, m: int, *, poles: bool
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return a closed surface: round in u, and in v either round too or with a pole at both ends."""
    u = np.arange(n) * 2.0 * np.pi / n
    v = np.linspace(0.0, np.pi, m + 1) if poles else np.arange(m) * 2.0 * np.pi / m
    uu, vv = np.meshgrid(u, v)
    points = point(uu.ravel(), vv.ravel())
    if poles:  # all points of a pole are one, to the last bit
        points[:n], points[-n:] = points[:n].mean(axis=0), points[-n:].mean(axis=0)
    number = np.arange(len(points)).reshape(len(v), n)
    if not poles:
        number = np.vstack([number, number[:1]])
    a, b = number[:-1], np.roll(number, -1, axis=1)[:-1]
    c, d = number[1:], np.roll(number, -1, axis=1)[1:]
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    if poles:  # at a pole one of two triangles has no area
        place = np.unique(points, axis=0, return_inverse=True)[1].ravel()[faces]
        faces = faces[
            (place[:, 0] != place[:, 1]) & (place[:, 1] != place[:, 2]) & (place[:, 2] != place[:, 0])
        ]
    return points, faces


def _ball_surface(
    radii: Sequence[float], *, inward: bool = False
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    def point(u: FloatArray, v: FloatArray) -> FloatArray:
        unit = np.stack([np.sin(v) * np.cos(u), np.sin(v) * np.sin(u), np.cos(v)], axis=-1)
        return (unit * np.asarray(radii)) @ TURN.T

    points, faces = tube(point, 160, 100, poles=True)
    return points, faces[:, ::-1] if inward else faces


def shapes(middle_mm: FloatArray) -> dict[str, Shape]:
    """Return the four shapes around a place."""
    middle = np.asarray(middle_mm, float)
    radii = np.array([23.0, 15.0, 11.0])
    major, minor = 18.0, 6.5

    def ring(p: FloatArray) -> FloatArray:
        q = p @ TURN
        return np.hypot(np.hypot(q[..., 0], q[..., 1]) - major, q[..., 2]) - minor

    def ring_point(u: FloatArray, v: FloatArray) -> FloatArray:
        out = major + minor * np.cos(v)
        return np.stack([out * np.cos(u), out * np.sin(u), -minor * np.sin(v)], axis=-1) @ TURN.T

    def radius(p: FloatArray) -> FloatArray:
        return np.asarray(np.linalg.norm(p, axis=-1))

    p = 1.6075  # Knud Thomsen's formula for the surface of an ellipsoid
    a, b, c = radii**p
    ellipsoid_mm2 = 4.0 * np.pi * ((a * b + a * c + b * c) / 3.0) ** (1.0 / p)
    ball_ml = 4.0 / 3.0 * np.pi / 1000.0
    every = (
        Shape("sphere", lambda q: radius(q) - 20.0, ball_ml * 20.0**3, 4 * np.pi * 20.0**2,
              (_ball_surface((20.0,) * 3),), middle),
        Shape("ring", ring, 2 * np.pi**2 * major * minor**2 / 1000.0, 4 * np.pi**2 * major * minor,
              (tube(ring_point, 200, 80, poles=False),), middle),
        Shape("thin shell", lambda q: np.abs(radius(q) - 19.5) - 0.5, ball_ml * (20.0**3 - 19.0**3),
              4 * np.pi * (20.0**2 + 19.0**2),
              (_ball_surface((20.0,) * 3), _ball_surface((19.0,) * 3, inward=True)), middle),
        Shape("ellipsoid", lambda q: (radius((q @ TURN) / radii) - 1.0) * 11.0, ball_ml * float(radii.prod()),
              float(ellipsoid_mm2), (_ball_surface(radii),), middle),
    )  # fmt: skip
    return {shape.name: shape for shape in every}


def scan_of(grid: Grid, frame: str = FRAME) -> Scan:
    facts = ScanFacts(path="", kind="nifti", code="P-1", modality="CT", frame_of_reference_uid=frame)
    return Scan(volume=Volume(grid=grid, values=np.zeros(grid.shape, np.int16)), facts=facts)


# --- contours -----------------------------------------------------------------------------------------------


def contours(shape: Shape, planes: Grid, *, step_mm: float = 0.4) -> list[FloatArray]:
    """Return closed LPS outlines of a shape in the k planes of a grid, holes as contours of their own."""
    ni, nj, nk = planes.size
    u = np.arange(-0.5, ni, step_mm / planes.spacing_mm[0])
    v = np.arange(-0.5, nj, step_mm / planes.spacing_mm[1])
    uu, vv = np.meshgrid(u, v)
    found = []
    for k in range(nk):
        at = planes.index_to_mm(np.stack([uu, vv, np.full_like(uu, k)], axis=-1))
        level = shape.level(at - shape.middle_mm)
        if level.min() >= 0.0:
            continue
        for line in contourpy.contour_generator(u, v, level).lines(0.0):
            ijk = np.column_stack([line[:-1], np.full(len(line) - 1, k)])
            if len(ijk) > 2:
                found.append(planes.index_to_mm(ijk))
    return found


def keyhole(outer: FloatArray, inner: FloatArray) -> FloatArray:
    """Return one outline that goes round, in through a channel of no width, round the hole and out again."""
    gaps = np.linalg.norm(outer[:, None] - inner[None], axis=-1)
    a, b = np.unravel_index(int(np.argmin(gaps)), gaps.shape)
    normal = np.cross(outer - outer.mean(axis=0), np.roll(outer, -1, axis=0) - outer.mean(axis=0)).sum(axis=0)
    other = np.cross(inner - inner.mean(axis=0), np.roll(inner, -1, axis=0) - inner.mean(axis=0)).sum(axis=0)
    hole = np.roll(inner, -int(b), axis=0)
    if normal @ other > 0:
        hole = np.roll(hole[::-1], 1, axis=0)
    around = np.roll(outer, -int(a), axis=0)
    return np.concatenate([around, around[:1], hole, hole[:1]])


def rtstruct(
    structures: dict[str, Sequence[FloatArray]],
    path: Path,
    *,
    frame: str = FRAME,
    kind: str = "CLOSED_PLANAR",
    patient_id: str = "SECRET-ID-77",
    birth: str = "19500203",
    change: Callable[[Dataset], None] | None = None,
) -> Path:
    """Write an RTSTRUCT with the contours of each structure."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.StudyInstanceUID, ds.SeriesInstanceUID = "RTSTRUCT", generate_uid(), generate_uid()
    ds.PatientID, ds.PatientName, ds.PatientBirthDate = patient_id, "Kowalska", birth
    ds.FrameOfReferenceUID, ds.StructureSetLabel = frame, "test"
    names, drawn = Items(), Items()
    for number, (name, lines) in enumerate(structures.items(), start=1):
        roi = Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, frame
        roi.ROIGenerationAlgorithm = "MANUAL"
        names.append(roi)
        item = Dataset()
        item.ReferencedROINumber, item.ROIDisplayColor = number, [255, 0, 0]
        item.ContourSequence = Items()
        for line in lines:
            contour = Dataset()
            contour.ContourGeometricType = kind
            contour.NumberOfContourPoints = len(line)
            contour.ContourData = [f"{x:.3f}" for x in np.asarray(line).ravel()]
            item.ContourSequence.append(contour)
        drawn.append(item)
    ds.StructureSetROISequence, ds.ROIContourSequence = names, drawn
    if change is not None:
        change(ds)
    ds.save_as(path, enforce_file_format=True)
    return path


# --- segmentations ------------------------------------------------------------------------------------------


def slicer(
    layers: npt.NDArray[np.uint8],
    segments: Sequence[dict[str, object]],
    grid: Grid,
    path: Path,
    *,
    space: str = "left-posterior-superior",
) -> Path:
    """Write a ``.seg.nrrd`` as Slicer does; `layers` is ``(layers, k, j, i)``, or ``(k, j, i)`` for one."""
    factor = np.array([1.0, 1.0, 1.0] if space.startswith("left") else [-1.0, -1.0, 1.0])
    vectors = (grid.axes * np.asarray(grid.spacing_mm)).T * factor

    def vector(v: FloatArray) -> str:
        return "(" + ",".join(repr(float(x)) for x in v) + ")"

    many = layers.ndim == 4
    sizes = ([layers.shape[0]] if many else []) + list(grid.size)
    lines = [
        "NRRD0004", "# Complete NRRD file format specification at:", "type: unsigned char",
        f"dimension: {len(sizes)}", f"space: {space}", "sizes: " + " ".join(map(str, sizes)),
        "space directions: " + ("none " if many else "") + " ".join(vector(v) for v in vectors),
        "kinds: " + ("list " if many else "") + "domain domain domain", "encoding: gzip",
        "space origin: " + vector(np.asarray(grid.origin_mm) * factor),
    ]  # fmt: skip
    for number, segment in enumerate(segments):
        lines += [f"Segment{number}_{key}:={value}" for key, value in segment.items()]
    lines += [
        "Segmentation_ReferenceImageExtentOffset:=3 4 5",
        "Segmentation_MasterRepresentation:=Binary labelmap",
    ]
    values = np.moveaxis(layers, 0, -1) if many else layers
    packed = gzip.compress(np.ascontiguousarray(values, np.uint8).tobytes(), mtime=0)
    path.write_bytes(("\n".join(lines) + "\n\n").encode() + packed)
    return path


def source_slices(grid: Grid, frame: str = FRAME) -> list[FileDataset]:
    """Return CT slices on a (right-handed) grid."""
    axes = grid.axes
    series = hostile.Series(row=tuple(axes[:, 0]), column=tuple(axes[:, 1]), frame_uid=frame)
    return [
        series.slice(
            k,
            Rows=grid.size[1],
            Columns=grid.size[0],
            PixelSpacing=[grid.spacing_mm[1], grid.spacing_mm[0]],
            SliceThickness=grid.spacing_mm[2],
            ImagePositionPatient=[round(float(x), 6) for x in grid.index_to_mm((0, 0, k))],
            ImageOrientationPatient=[round(float(x), 9) for x in (*axes[:, 0], *axes[:, 1])],
            PixelData=np.zeros((grid.size[1], grid.size[0]), np.int16).tobytes(),
        )
        for k in range(grid.size[2])
    ]


def dicom_seg(
    masks: npt.NDArray[np.floating], grid: Grid, path: Path, kind: str = "BINARY", **more: object
) -> Path:
    """Write a DICOM SEG; `masks` is ``(k, j, i, segments)``, or ``(k, j, i)`` of labels for a label map."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    count = int(masks.max()) if kind == "LABELMAP" else masks.shape[-1]
    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=n + 1,
            segment_label=f"thing {n + 1}",
            segmented_property_category=codes.SCT.Organ,
            segmented_property_type=codes.SCT.Liver,
            algorithm_type="MANUAL",
        )
        for n in range(count)
    ]
    hd.seg.Segmentation(
        source_images=source_slices(grid),
        pixel_array=masks.astype(np.float32) if kind == "FRACTIONAL" else masks.astype(np.uint8),
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid=generate_uid(),
        series_number=5,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="0",
        device_serial_number="0",
        **more,
    ).save_as(path)
    return path


# --- meshes -------------------------------------------------------------------------------------------------


def surface(shape: Shape) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return all surfaces of a shape as one mesh in LPS."""
    points, faces, first = [], [], 0
    for part, triangles in shape.parts:
        points.append(part + shape.middle_mm)
        faces.append(triangles + first)
        first += len(part)
    return np.concatenate(points), np.concatenate(faces)


def mesh(
    points: FloatArray, faces: npt.NDArray[np.int64], path: Path, *, form: str = "binary", space: str = ""
) -> Path:
    """Write a mesh by the ending of its path; `form` is binary, big (endian) or ascii."""
    said = f"SPACE={space}" if space else "made by hand"
    if path.suffix == ".stl" and form == "binary":
        record = np.zeros(len(faces), np.dtype([("n", "<f4", 3), ("p", "<f4", (3, 3)), ("a", "<u2")]))
        record["p"] = points[faces]
        path.write_bytes(said.encode().ljust(80) + len(faces).to_bytes(4, "little") + record.tobytes())
    elif path.suffix == ".stl":
        facets = "".join(
            "facet normal 0 0 0\nouter loop\n"
            + "".join(f"vertex {x:.6e} {y:.6e} {z:.6e}\n" for x, y, z in points[face])
            + "endloop\nendfacet\n"
            for face in faces
        )
        path.write_text(f"solid {said}\n{facets}endsolid\n")
    elif path.suffix == ".obj":
        lines = [f"# {said}"] + [f"v {x:.7g} {y:.7g} {z:.7g}" for x, y, z in points]
        lines += [f"f {a}//1 {b}//1 {c}//1" for a, b, c in faces + 1]
        path.write_text("\n".join(lines) + "\n")
    else:
        kind = {"binary": "binary_little_endian", "big": "binary_big_endian", "ascii": "ascii"}[form]
        head = (
            f"ply\nformat {kind} 1.0\ncomment {said}\nelement vertex {len(points)}\nproperty float x\n"
            f"property float y\nproperty float z\nelement face {len(faces)}\n"
            "property list uchar int vertex_indices\nend_header\n"
        )
        if form == "ascii":
            body = "".join(f"{x:.7g} {y:.7g} {z:.7g}\n" for x, y, z in points)
            path.write_text(head + body + "".join(f"3 {a} {b} {c}\n" for a, b, c in faces))
        else:
            order = ">" if form == "big" else "<"
            record = np.zeros(len(faces), np.dtype([("n", "u1"), ("f", order + "i4", 3)]))
            record["n"], record["f"] = 3, faces
            path.write_bytes(head.encode() + points.astype(order + "f4").tobytes() + record.tobytes())
    return path
