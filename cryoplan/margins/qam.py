"""QAM: the margin as the literature counts it, voxel by voxel, so that a plan can be compared with it.

The quantitative ablation margin of Sandu et al. (Front Oncol 11, 2021, 623098; their program is open) goes
from the centres of the outermost voxels of the tumour to those of the ablation, positive inside it. This is
an own implementation of the published method. Its classes differ from the true ones by some percent of the
surface on usual voxels, because the outermost centres lie half a voxel within: measured on spheres 1 to 6
percent at 0.5 mm, where `cryoplan.margins.margin_map` is off by 0.4 at most. So the review is judged by the
latter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion, distance_transform_edt, generate_binary_structure

from cryoplan.core.volume import Volume

STEPS_MM = (0.0, 5.0)


def qam_classes(tumour: Volume, ablation: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return the shares of the tumour's outermost voxels with margins below 0, from 0 to 5, of 5 mm and up.

    Parameters
    ----------
    tumour : Volume
        bool, at least one voxel.
    ablation : ndarray
        bool, on the same grid; what is beyond the grid counts as outside of both.

    Raises
    ------
    ValueError
        If the two have different shapes.
    """
    if tumour.values.shape != ablation.shape:
        raise ValueError("tumour and ablation live on different grids")
    outermost = _outermost(tumour.values)
    border = _outermost(ablation)
    if not border.any():
        return (1.0, 0.0, 0.0)
    distance = distance_transform_edt(~border, sampling=tuple(reversed(tumour.grid.spacing_mm)))
    signed = np.where(ablation, distance, -distance)[outermost]
    low, high = STEPS_MM
    below, up = float(np.mean(signed < low)), float(np.mean(signed >= high))
    return (below, max(0.0, 1.0 - below - up), up)


def _outermost(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the voxels of a mask with a face towards the outside."""
    inner = binary_erosion(mask, generate_binary_structure(3, 1))
    return np.asarray(mask & ~inner)
