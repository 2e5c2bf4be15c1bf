"""PackedMask: a mask that waits in memory as compressed bits, whole only while somebody looks at it."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from cryoplan.core.box import VoxelBox
from cryoplan.core.volume import Volume

_LEVEL = 1


class PackedMask(Volume):
    """The same mask in a hundredth of the memory or less; each look at `values` unpacks it anew.

    Parameters
    ----------
    mask : Volume
        bool voxels.
    """

    __slots__ = ("_bits", "_box", "_digest")
    _bits: bytes
    _box: VoxelBox | None
    _digest: str

    def __init__(self, mask: Volume) -> None:
        box = VoxelBox.drawn(mask.values)
        packed = b"" if box is None else zlib.compress(np.packbits(mask.values[box.place]).data, _LEVEL)
        for name, value in (
            ("grid", mask.grid), ("_box", box), ("_bits", packed), ("_digest", mask.digest())
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    @property
    def values(self) -> npt.NDArray[Any]:
        """The voxels, unpacked: keep them while you work with them."""
        values = np.zeros(self.grid.shape, bool)
        if self._box is not None:
            bits = np.frombuffer(zlib.decompress(self._bits), np.uint8)
            part = np.unpackbits(bits, count=math.prod(self._box.shape)).view(bool)
            values[self._box.place] = part.reshape(self._box.shape)
        values.flags.writeable = False
        return values

    @property
    def packed_bytes(self) -> int:
        """What it takes in memory."""
        return len(self._bits)

    def digest(self) -> str:
        """Return the digest of the mask."""
        return self._digest

    def unpacked(self) -> Volume:
        """Return the mask as an ordinary one."""
        return Volume(grid=self.grid, values=self.values)
