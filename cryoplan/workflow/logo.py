"""Logo: the picture of a department from a file, if paper can show it."""

from __future__ import annotations

from pathlib import Path

from cryoplan.core.errors import StoreError

LARGEST_LOGO_BYTES = 300_000
"""A logo is a few centimetres wide on paper; the user's settings hold it."""

PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
"""How PNG and JPEG files begin."""


def read_logo(path: Path) -> bytes:
    """Return the bytes of a logo.

    Raises
    ------
    StoreError
        If it cannot be read, is no PNG or JPEG, or is too large.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_LOGO_BYTES + 1)
    except OSError as error:
        raise StoreError(
            f"{path.name} cannot be read ({error.strerror or type(error).__name__}).",
            "Choose a picture that you may read.",
            code="logo-unreadable",
            place=path.name,
        ) from error
    if not data.startswith(PICTURES):
        raise StoreError(
            f"{path.name} is neither a PNG nor a JPEG picture.",
            "Save the logo as PNG and choose that.",
            code="logo-kind",
            place=path.name,
        )
    if len(data) > LARGEST_LOGO_BYTES:
        raise StoreError(
            f"{path.name} is larger than {LARGEST_LOGO_BYTES // 1000} kB.",
            "Save the logo smaller; on paper it is 12 mm high.",
            code="logo-size",
            place=path.name,
        )
    return data
