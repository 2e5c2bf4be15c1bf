"""A zip of images is unpacked into a private folder within limits, or refused and the reason named.

Names of members are made plain, so that no name of the archive reaches outside, hides or grows too long.
"""

from __future__ import annotations

import lzma
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryoplan.core.errors import ImageError
from cryoplan.core.progress import SILENT, Progress, check_cancelled
from cryoplan.image.formats import DICOM, VOLUME_KINDS, kind_of

_CHUNK = 1 << 20
_PLAIN = re.compile(r"[^\w.+=@#-]+")
_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
    NotImplementedError, RuntimeError, struct.error, IndexError, KeyError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipLimits:
    """What an archive may ask for.

    Attributes
    ----------
    total_bytes : int
        Of all files when unpacked.
    files : int
        Number of members.
    ratio : float
        Unpacked over packed bytes of the whole; CT packs to a half, a mask to a hundredth.
    free_ratio_bytes : int
        An archive that unpacks to less than this may have any ratio.
    depth : int
        Folders within folders.
    name_bytes : int
        A longer name of a file or folder is cut.
    """

    total_bytes: int = 8 << 30
    files: int = 20_000
    ratio: float = 300.0
    free_ratio_bytes: int = 64 << 20
    depth: int = 20
    name_bytes: int = 120


LIMITS = ZipLimits()


@contextmanager
def unpacked(path: Path, *, limits: ZipLimits = LIMITS, progress: Progress = SILENT) -> Iterator[Path]:
    """Give what `read_scan` takes in place of the archive: its folder, or the one image file in it.

    The folder is readable by this user only and goes when the block ends.

    Raises
    ------
    ImageError
        If the archive is damaged, locked or beyond a limit, names a place outside, or the disk is full.
    Cancelled
        If the caller asked to stop.
    """
    with tempfile.TemporaryDirectory(prefix="cryoplan-", ignore_cleanup_errors=True) as top:
        folder = Path(top, _plain(path.stem, limits) or "zip")
        folder.mkdir()
        try:
            with zipfile.ZipFile(path) as archive:
                members = _checked(archive, path, limits)
                _room(members, folder, path)
                for number, (member, parts) in enumerate(members):
                    check_cancelled(progress)
                    _extract(archive, member, _target(folder, parts, number), path)
        except _DAMAGE as error:
            raise _refusal(
                path,
                f"{path.name} is a damaged zip archive.",
                "zip-damaged",
                "Copy it again from its source.",
            ) from error
        yield _only_image(folder)


def _refusal(path: Path, what: str, code: str, remedy: str) -> ImageError:
    return ImageError(what, remedy, code=code, place=path.name)


def _checked(
    archive: zipfile.ZipFile, path: Path, limits: ZipLimits
) -> list[tuple[zipfile.ZipInfo, list[str]]]:
    """Return the files of an archive with their plain names, if all that it announces is within limits."""
    unpack = "Unpack it yourself, look at what is in it, and open the folder."
    infos = archive.infolist()
    if len(infos) > limits.files:
        what = f"{path.name} holds {len(infos)} files, more than {limits.files}."
        raise _refusal(path, what, "zip-too-large", unpack)
    total = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if total > limits.total_bytes:
        what = f"{path.name} unpacks to {total / 1e9:.1f} GB, more than {limits.total_bytes / 1e9:.1f} GB."
        raise _refusal(path, what, "zip-too-large", unpack)
    if packed > path.stat().st_size:
        what = f"{path.name} is no honest zip archive: its members lie over one another."
        raise _refusal(path, what, "zip-bomb", unpack)
    if total > limits.free_ratio_bytes and total > limits.ratio * max(packed, 1):
        what = f"{path.name} unpacks to {total / max(packed, 1):.0f} times its size, as no image does."
        raise _refusal(path, what, "zip-bomb", unpack)
    members = []
    for info in infos:
        parts = _parts(info, path, limits)
        if info.flag_bits & 1:
            remedy = "Unpack it with its password and open the folder."
            raise _refusal(path, f"{path.name} is locked with a password.", "zip-locked", remedy)
        if parts and not info.is_dir():
            members.append((info, parts))
    if not members:
        raise _refusal(path, f"{path.name} is an empty zip archive.", "empty-file", "Choose another file.")
    return members


def _parts(info: zipfile.ZipInfo, path: Path, limits: ZipLimits) -> list[str]:
    """Return the plain names of folders and file of a member that stays inside."""
    name = info.filename.replace("\\", "/")
    pieces = name.split("/")
    mode = info.external_attr >> 16
    is_link = stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)
    if name.startswith("/") or ".." in pieces or re.match(r"[A-Za-z]:", name) or is_link:
        what = f"{path.name} holds {info.filename[:80]!r}, which is a link or lies outside of it."
        raise _refusal(path, what, "zip-unsafe", "Ask who sent it; a program for images makes no such zip.")
    if len(pieces) > limits.depth:
        what = f"{path.name} holds folders more than {limits.depth} deep."
        raise _refusal(path, what, "zip-too-large", "Unpack it yourself and open the folder of the images.")
    return [plain for piece in pieces if piece not in ("", ".") and (plain := _plain(piece, limits))]


def _plain(name: str, limits: ZipLimits) -> str:
    """Return a name that every file system takes: its letters stay, its length and odd signs do not."""
    text = _PLAIN.sub("_", name).strip(". ")
    ending = Path(text).suffix[:20]
    while len(text.encode("utf-8", "replace")) > limits.name_bytes:
        text = text[: len(text) // 2 - len(ending)] + ending if len(text) > 60 else text[:20]
    return text


def _target(folder: Path, parts: list[str], number: int) -> Path:
    place = folder.joinpath(*parts[:-1])
    if place.is_file() or any(above.is_file() for above in place.parents):
        place = folder / f"folder-{number}"
    place.mkdir(parents=True, exist_ok=True)
    target = place / parts[-1]
    # Two members of one name: both are kept, so that a slice that is there twice is noticed.
    return place / f"{number}-{parts[-1]}" if target.exists() else target


def _room(members: list[tuple[zipfile.ZipInfo, list[str]]], folder: Path, path: Path) -> None:
    needed, free = sum(info.file_size for info, _ in members), shutil.disk_usage(folder).free
    if needed > 0.9 * free:
        what = f"{path.name} needs {needed / 1e9:.1f} GB of disk to unpack, and {free / 1e9:.1f} GB are free."
        raise _refusal(path, what, "disk-full", "Free some space, or unpack it elsewhere.")


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, path: Path) -> None:
    written = 0
    with archive.open(member) as source, target.open("wb") as out:
        # The reader checks length and checksum at the end; the count stops one that announces too little.
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > member.file_size:
                what = f"{path.name} holds a file that is longer than it announces."
                raise _refusal(path, what, "zip-bomb", "Ask who sent it.")
            out.write(chunk)
    if written != member.file_size:
        raise zipfile.BadZipFile(member.filename)


def _only_image(folder: Path) -> Path:
    """Return the one volume file of a folder without DICOM, else the folder."""
    volumes = []
    for file in sorted(folder.rglob("*")):
        kind = kind_of(file) if file.is_file() else ""
        if kind == DICOM:
            return folder
        if kind in VOLUME_KINDS:
            volumes.append(file)
    return volumes[0] if len(volumes) == 1 else folder
