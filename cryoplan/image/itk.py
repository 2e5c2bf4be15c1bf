"""The one converter between `Volume` and SimpleITK images, and the one ear for what ITK says.

Both sides speak LPS millimetres and keep the unit vectors of the axes in the columns of the direction, so
nothing is flipped here; arrays are ``[k, j, i]`` on both sides.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its own manual uses

from cryoplan.core.errors import ImageError
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume

_log = logging.getLogger(__name__)


def to_sitk(volume: Volume) -> Any:
    """Return a SimpleITK image with the same voxels in the same place; bool becomes uint8."""
    values = volume.values
    image: Any = sitk.GetImageFromArray(values.astype(np.uint8) if values.dtype == bool else values)
    image.SetSpacing(volume.grid.spacing_mm)
    image.SetOrigin(volume.grid.origin_mm)
    image.SetDirection(volume.grid.direction)
    return image


def from_sitk(image: Any, *, place: str = "") -> Volume:
    """Return the volume that a three-dimensional SimpleITK image holds.

    Raises
    ------
    ImageError
        If the image is not a three-dimensional scalar image on an orthogonal grid.
    """
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise ImageError(
            f"{place or 'The image'} is not one volume of single values.",
            "Choose a three-dimensional grey-value image.",
            code="not-a-volume",
            place=place,
        )
    return Volume(grid=grid_of(image, place=place), values=sitk.GetArrayFromImage(image))


def grid_of(image: Any, *, place: str = "") -> Grid:
    """Return the grid of a three-dimensional SimpleITK image, or of a reader that has read its header.

    Raises
    ------
    ImageError
        If its axes are not orthogonal or its numbers are not finite.
    """
    try:
        return Grid(
            size=tuple(image.GetSize()),
            spacing_mm=tuple(image.GetSpacing()),
            origin_mm=tuple(image.GetOrigin()),
            direction=tuple(image.GetDirection()),
        )
    except ValueError as error:
        raise ImageError(
            f"The voxels of {place or 'the image'} are not a regular orthogonal grid ({error}).",
            "Resample it to an orthogonal grid in the program that made it.",
            code="sheared-grid",
            place=place,
        ) from error


_heard = threading.local()


class _Listener(sitk.LoggerBase):
    """Takes ITK's messages away from stderr: into the list of the thread that listens, or the log."""

    def _take(self, text: str) -> None:
        heard: list[str] | None = getattr(_heard, "messages", None)
        if heard is None:
            _log.info("ITK: %s", text.strip())
        else:
            heard.append(" ".join(text.split()))

    DisplayText = DisplayErrorText = DisplayWarningText = _take
    DisplayGenericOutputText = DisplayDebugText = _take


# ITK drops the listener when its Python object goes, so the module keeps it.
_listener: Any = cast(Any, _Listener)()
_former_listener = _listener.SetAsGlobalITKLogger()


@contextmanager
def hear_itk() -> Iterator[list[str]]:
    """Give a list that fills with the warnings ITK says in this thread while the block runs.

    What the C libraries inside ITK print to stderr by themselves goes to the log.
    """
    before: list[str] | None = getattr(_heard, "messages", None)
    messages: list[str] = []
    _heard.messages = messages
    try:
        with _hushed:
            yield messages
    finally:
        _heard.messages = before


class _Hush:
    """Turns the process's stderr into the log while at least one thread is inside.

    The NIfTI and MetaImage libraries print their errors with ``fprintf`` where no listener hears them; the
    command line promises one line on stderr, and the program says the same in better words.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._stderr: int | None = None
        self._file: Any = None

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                # A windowed program may have no stderr at all: then there is nothing to hush.
                with suppress(OSError):
                    if sys.stderr is not None:
                        sys.stderr.flush()
                    self._stderr = os.dup(2)
                    self._file = tempfile.TemporaryFile()
                    os.dup2(self._file.fileno(), 2)

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._stderr is not None:
                os.dup2(self._stderr, 2)
                os.close(self._stderr)
                self._stderr = None
                self._file.seek(0)
                said = self._file.read().decode(errors="replace").strip()
                self._file.close()
                if said:
                    _log.info("image library: %s", said)


_hushed = _Hush()
