"""The built-in case: a synthetic portal-phase CT of the upper abdomen, made in seconds, always the same.

It is the demo, the test bench and the first screen of a new user. Not a patient: every shape is a formula,
and the volumes and distances that a test can ask for are computed from the formulas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cryoplan.core.geometry import Point, point_to_segment_mm
from cryoplan.core.volume import Volume
from cryoplan.image import phantom_anatomy as anatomy
from cryoplan.image.named_mask import NamedMask
from cryoplan.image.phantom_canvas import Canvas, Part, among
from cryoplan.image.phantom_frame import paint_frame
from cryoplan.image.phantom_liver import paint_liver
from cryoplan.image.phantom_organs import paint_organs
from cryoplan.image.scan import Scan, ScanFacts

SEED = 20261122


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomTruth:
    """What is known about the phantom without counting a voxel.

    Attributes
    ----------
    tumour_volume_ml : float
        From the formula of its surface.
    tumour_centre_mm : tuple of float
        LPS centre of its formula.
    tumour_to_gallbladder_mm : float
        Surface to surface.
    vein_diameter_mm : float
        Portal branch beside the tumour.
    vein_start_mm, vein_end_mm : tuple of float
        Axis of its straight piece.
    tumour_to_vein_mm : float
        Surface to surface.
    skin_right_mm, skin_front_mm, skin_back_mm : float
        From the tumour's centre to the skin towards -x, -y and +y.
    """

    tumour_volume_ml: float
    tumour_centre_mm: Point
    tumour_to_gallbladder_mm: float
    vein_diameter_mm: float
    vein_start_mm: Point
    vein_end_mm: Point
    tumour_to_vein_mm: float
    skin_right_mm: float
    skin_front_mm: float
    skin_back_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Phantom:
    """The synthetic scan, its structures and the truth about them."""

    scan: Scan
    masks: tuple[NamedMask, ...]
    truth: PhantomTruth


def make_phantom() -> Phantom:
    """Make the synthetic abdomen; the same voxels on every call.

    Returns
    -------
    Phantom
        int16 HU on an axial grid, head first supine. The masks do not overlap except ``body``, which is all
        within the skin; ``liver`` is the parenchyma without tumour and vessels.
    """
    rng = np.random.default_rng(SEED)
    canvas = Canvas(rng)
    paint_frame(canvas)
    paint_organs(canvas)
    paint_liver(canvas)
    values = canvas.to_hu()
    truth = phantom_truth()
    volume = Volume(grid=anatomy.GRID, values=values)
    facts = ScanFacts(
        path="",
        kind="phantom",
        code="DEMO-1",
        modality="CT",
        description="Synthetic abdomen (not a patient)",
        patient_position="HFS",
        gantry_tilt_deg=0.0,
        slice_thickness_mm=anatomy.GRID.spacing_mm[2],
    )
    return Phantom(scan=Scan(volume=volume, facts=facts), masks=_masks(canvas.parts), truth=truth)


def phantom_truth() -> PhantomTruth:
    """Return the volumes and distances of the phantom, from its formulas alone."""
    tumour, bladder = anatomy.TUMOUR, anatomy.gallbladder()
    start, end, radius, _ = anatomy.tumour_vein()
    surface = tumour.surface_mm(100_000)
    centre = tumour.centre_mm
    return PhantomTruth(
        tumour_volume_ml=tumour.volume_ml(),
        tumour_centre_mm=centre,
        tumour_to_gallbladder_mm=float(bladder.distance_mm(surface).min()),
        vein_diameter_mm=2 * radius,
        vein_start_mm=start,
        vein_end_mm=end,
        tumour_to_vein_mm=float(point_to_segment_mm(surface, start, end).min()) - radius,
        skin_right_mm=anatomy.skin_distance_mm(centre, (-1.0, 0.0, 0.0)),
        skin_front_mm=anatomy.skin_distance_mm(centre, (0.0, -1.0, 0.0)),
        skin_back_mm=anatomy.skin_distance_mm(centre, (0.0, 1.0, 0.0)),
    )


# name, parts, role, tissue, in drawing order
_STRUCTURES: tuple[tuple[str, tuple[Part, ...], str, str], ...] = (
    ("tumour", (Part.TUMOUR, Part.TUMOUR_RIM), "tumour", "tumour"),
    ("liver", (Part.LIVER,), "organ", "liver"),
    ("portal vein", (Part.PORTAL_VEIN,), "vessel", "blood"),
    ("hepatic veins", (Part.HEPATIC_VEIN,), "vessel", "blood"),
    ("vena cava", (Part.CAVA,), "vessel", "blood"),
    ("aorta", (Part.AORTA,), "vessel", "blood"),
    ("gallbladder", (Part.GALLBLADDER,), "gallbladder", "bile"),
    ("right kidney", (Part.RIGHT_KIDNEY, Part.MEDULLA_RIGHT), "kidney", "kidney"),
    ("colon", (Part.COLON_WALL, Part.COLON_GAS, Part.STOOL), "bowel", "large-bowel"),
    ("stomach", (Part.STOMACH_WALL, Part.STOMACH_FLUID, Part.STOMACH_GAS), "stomach", "stomach"),
    ("lung", (Part.LUNG, Part.LUNG_VESSEL), "lung", "lung-inflated"),
    ("diaphragm", (Part.DIAPHRAGM,), "diaphragm", "diaphragm"),
    ("bones", (Part.CORTEX, Part.MARROW, Part.CARTILAGE), "bone", "bone-cancellous"),
    ("fat", (Part.FAT, Part.VISCERAL_FAT), "fat", "fat"),
)


def _masks(parts: npt.NDArray[np.uint8]) -> tuple[NamedMask, ...]:
    masks = [
        NamedMask(
            name=name,
            mask=Volume(grid=anatomy.GRID, values=among(parts, members)),
            source="synthetic",
            role=role,
            tissue=tissue,
        )
        for name, members, role, tissue in _STRUCTURES
    ]
    body = Volume(grid=anatomy.GRID, values=parts >= Part.SKIN)
    masks.append(NamedMask(name="body", mask=body, source="synthetic", role="body", tissue="muscle"))
    return tuple(masks)
