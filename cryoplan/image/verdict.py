"""From findings of an import to yes, yes with a recorded consent, or no."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cryoplan.core.errors import ConsentError, ImageError
from cryoplan.core.finding import Finding, Level, worst

REFUSED = "refused"

VERDICTS = {Level.OK: "ok", Level.WARN: "warn", Level.FAIL: REFUSED}
"""The contract's word for the worst finding of a series."""

_REMEDIES = {
    "missing-slice": "Export the series again with all its slices.",
    "uneven-spacing": "Export or reconstruct the series with one slice distance.",
    "duplicate-slice": "Export one phase and one reconstruction only, each slice once.",
    "gantry-tilt": "Choose a series without gantry tilt.",
    "shifted-slices": "Choose a series whose slices lie straight above each other.",
    "mixed-orientation": "Export the series without images of another orientation.",
    "mixed-size": "Export the series again; all slices must have one matrix.",
    "mixed-spacing": "Export the series again; all slices must have one pixel spacing.",
    "no-position": "Choose a series whose images state position, orientation and pixel spacing.",
    "truncated-file": "Copy the file again from its source.",
    "disc-files-missing": "Copy the disc again, all of it.",
    "not-ct-or-mr": "Choose a CT or MR series.",
    "enhanced-multiframe": "Export the series as classic single-frame images.",
    "mixed-frame-of-reference": "Export the images of one frame of reference only.",
    "localizer": "Choose the series that was planned on it.",
    "bad-rescale": "Export the series again with its rescale values.",
    "inverted-pixels": "Export the series again with MONOCHROME2 pixels.",
    "shifted-bits": "Export the series again; the high bit must be one less than the bits stored.",
    "unreadable-name": "Rename the file or its folder.",
    "colour-image": "Choose the grey-value series, not a screenshot or a colour map.",
    "single-slice": "Choose a series of at least two slices.",
    "too-large": "Crop or resample the image first.",
    "more-dimensions": "Save one time point or channel as an image of its own.",
    "bad-spacing": "Correct the voxel size in the file's header.",
    "sheared-grid": "Resample it to an orthogonal grid in the program that made it.",
    "nan-voxels": "Replace them, for example by -1024 outside a CT, and save the image again.",
    "outside-file": "Save the image as one file, for example .nii.gz, .nrrd or .mha.",
    "bad-units": "Save the image with its voxel size in millimetres.",
    "size-mismatch": "Save the file again in the program that made it.",
    "bad-header": "Save the file again in the program that made it.",
}


def refusal(finding: Finding) -> ImageError:
    """Return the error that says why an image is refused and what to do about it."""
    remedy = _REMEDIES.get(finding.code, "Choose another image.")
    return ImageError(finding.text, remedy, code=finding.code, place=finding.place)


def settle(findings: Iterable[Finding], accept: Collection[str]) -> None:
    """Let an image pass whose findings are all ok, or warnings that the user accepted.

    Raises
    ------
    ImageError
        For the first finding that fails.
    ConsentError
        For all warnings whose codes are not in `accept`; its text is that of the first.
    """
    everything = tuple(findings)
    for finding in everything:
        if finding.level is Level.FAIL:
            raise refusal(finding)
    asked = tuple(f for f in everything if f.level is Level.WARN and f.code not in accept)
    if asked:
        codes = list(dict.fromkeys(f.code for f in asked))
        words = f"the code {codes[0]}" if len(codes) == 1 else f"the codes {', '.join(codes)}"
        raise ConsentError(
            asked[0].text,
            f"Look at the image and accept it with {words}, or choose another.",
            code=asked[0].code,
            place=asked[0].place,
            findings=asked,
        )


def verdict(findings: Iterable[Finding]) -> str:
    """Return ``ok``, ``warn`` or ``refused``."""
    return VERDICTS[worst(findings)]


def check_extent(
    size: tuple[int, ...], spacing_mm: tuple[float, ...], place: str, *, largest_voxels: float = 2e9
) -> tuple[Finding, ...]:
    """Check what a header promises before any memory is asked for.

    Parameters
    ----------
    size : tuple of int
        Voxels along x, y, z.
    spacing_mm : tuple of float
        Voxel distances along x, y, z.
    place : str
        File or series to name.
    largest_voxels : float
        Two thousand million voxels are four gigabytes of a CT: larger than any scanner makes.
    """

    def fail(code: str, text: str) -> tuple[Finding, ...]:
        return (Finding(level=Level.FAIL, code=code, text=text, place=place),)

    shown = " x ".join(str(n) for n in size)
    if len(size) < 3 or any(n < 1 for n in size):
        return fail("single-slice", f"{place} is not a volume: its size is {shown} voxels.")
    if float(size[0]) * float(size[1]) * float(size[2]) > largest_voxels:
        return fail("too-large", f"{place} announces {shown} voxels, more than this program loads.")
    if any(not 0.01 <= s <= 100.0 for s in spacing_mm):  # also catches NaN
        steps = " x ".join(f"{s:g}" for s in spacing_mm)
        return fail("bad-spacing", f"{place} states a voxel size of {steps} mm, which cannot be.")
    if any(n * s > 5000.0 for n, s in zip(size, spacing_mm, strict=True)):
        return fail("bad-spacing", f"{place} would be larger than five metres.")
    if min(size[:3]) < 2:
        return fail("single-slice", f"{place} is a single slice of {shown} voxels, not a volume.")
    return ()
