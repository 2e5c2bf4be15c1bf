"""Pictures: reading an image with its structures, their surfaces, the 3D picture and a slice."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np

from cryoplan.core.progress import Progress, check_cancelled
from cryoplan.core.volume import Volume
from cryoplan.image.write import write_volume
from cryoplan.scene.camera import Preset
from cryoplan.scene.contours import IsothermCutter, OutlineCutter
from cryoplan.scene.meshes import CaseMeshes, build_case_meshes
from cryoplan.scene.offscreen import Render, RenderError, render_apart
from cryoplan.scene.overlays import SHOWN_DEGC
from cryoplan.scene.plane import Orientation
from cryoplan.scene.slices import SliceSampler
from cryoplan.scene.window import default_window, window_to_gray
from cryoplan.simulation.solver import solve
from cryoplan.workflow.benchmark.figures import Row, row
from cryoplan.workflow.benchmark.sizes import Sizes
from cryoplan.workflow.benchmark.subjects import Patient, body_scan
from cryoplan.workflow.benchmark.timing import Quiet, median_time
from cryoplan.workflow.loading import load_case
from cryoplan.workflow.solving import catalogue


def load(sizes: Sizes, progress: Progress) -> Iterator[Row]:
    """Measure reading a compressed NIfTI image and its label map."""
    scan, masks = body_scan(sizes.image_voxels)
    labels = np.zeros(scan.volume.grid.shape, np.uint8)
    for number, mask in enumerate(masks):
        labels[mask.mask.values] = number + 1
    with tempfile.TemporaryDirectory(prefix="cryoplan-bench-") as folder:
        image, structures = Path(folder) / "image.nii.gz", Path(folder) / "masks.nii.gz"
        write_volume(scan.volume, image)
        check_cancelled(progress)
        write_volume(Volume(grid=scan.volume.grid, values=labels), structures)
        names = {str(number + 1): mask.name for number, mask in enumerate(masks)}
        (Path(folder) / "masks.json").write_text(json.dumps(names), encoding="utf-8")
        timed = median_time(
            lambda: load_case(image, structures=(structures,), progress=Quiet(progress)),
            progress,
            sizes.repeats,
        )
    note = f"{sizes.image_voxels}^3 voxels of 16 bits, NIfTI compressed, and {len(masks)} labels, to a case"
    yield row("load", timed.seconds, timed.repeats, note)


def draw(patient: Patient, progress: Progress) -> Iterator[Row]:
    """Measure surfaces, the 3D picture and slices of the patient with ice."""
    sizes = patient.sizes
    ice = solve(patient.preview(patient.one_freeze), progress=Quiet(progress)).minimum_degc
    meshes: list[CaseMeshes] = []

    def mesh() -> None:
        # A copy of the case: what is kept for the old one must not help.
        case = patient.case.changed(
            structures=tuple(
                replace(s, mask=Volume(grid=s.mask.grid, values=s.mask.values.copy()))
                for s in patient.case.structures
            )
        )
        meshes[:] = [build_case_meshes(case)]

    timed = median_time(mesh, progress, min(sizes.repeats, 3))
    yield row("surfaces", timed.seconds, timed.repeats, f"{len(patient.case.structures)} structures, skin")
    render = Render(
        meshes=meshes[0],
        plan=patient.plan,
        models={p.model: catalogue().model(p.model) for p in patient.plan.probes},
        field_degc=ice,
        preset=Preset.OBLIQUE,
        size_px=(sizes.picture_px, sizes.picture_px),
    )
    try:
        timed = median_time(lambda: render_apart(render), progress, min(sizes.repeats, 3))
    except RenderError as error:
        yield row("picture-3d", None, 0, error.what)
    else:
        note = f"{sizes.picture_px} x {sizes.picture_px} pixels, start of the process and of VTK included"
        yield row("picture-3d", timed.seconds, timed.repeats, note)
    yield _slice(patient, ice, progress)


def _slice(patient: Patient, ice: Volume, progress: Progress) -> Row:
    case = patient.case
    sampler, window = SliceSampler(case.scan.volume), default_window(case.scan)
    outlines = [OutlineCutter(s, case) for s in case.structures]
    isotherms = IsothermCutter(ice)
    middle, step = float(ice.grid.centre_mm()[2]), count()

    def cut() -> None:
        at = middle + case.scan.volume.grid.spacing_mm[2] * (next(step) % 5)
        plane = sampler.nearest_plane(Orientation.AXIAL, at)
        window_to_gray(sampler.extract(plane).values, window.width, window.level)
        for outline in outlines:
            outline.cut(plane)
        isotherms.cut(plane, SHOWN_DEGC)

    cut()
    timed = median_time(cut, progress, patient.sizes.repeats)
    note = f"axial, {len(outlines)} outlines, {len(SHOWN_DEGC)} isotherms, another slice each time"
    return row("slice", 1000.0 * timed.seconds, timed.repeats, note)
