"""Memory: what an image will take, from its header, what there is, and what was taken at the most."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from cryoplan.core.finding import Finding, Level

# Measured with 300 x 512 x 512: a reader holds the file's voxels, ITK's copy and ours, and one as float.
_COPIES_OF_FILE = 2
_OWN_BYTES = 6


def needed_bytes(size: tuple[int, ...], voxel_bytes: int) -> int:
    """Return the most memory that reading so many voxels of so many bytes takes."""
    voxels = 1
    for number in size[:3]:
        voxels *= int(number)
    return voxels * (_COPIES_OF_FILE * voxel_bytes + _OWN_BYTES)


def free_bytes() -> int | None:
    """Return the memory that this process may still take; None where the system does not say."""
    room: list[int] = []
    if sys.platform == "win32":
        room.extend(_windows())
    elif (about := Path("/proc/meminfo")).is_file():
        lines = [line.split() for line in about.read_text(encoding="ascii").splitlines()]
        room.extend(int(words[1]) * 1024 for words in lines if words[0] == "MemAvailable:")
    elif hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        room.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    room.extend(_limit())
    return min(room) if room else None


def _limit() -> list[int]:
    """Return what the limit on this process's addresses leaves, where it has one."""
    if sys.platform == "win32" or (mapped := mapped_bytes()) is None:
        return []
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return [] if soft == resource.RLIM_INFINITY else [max(soft - mapped, 0)]


def mapped_bytes() -> int | None:
    """Return the addresses that this process has mapped; None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int | None:
    """Return the most memory that this process ever had in use; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage: on Linux a new process inherits the peak of the one that started it.
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _windows() -> list[int]:
    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("all", "free", "b", "c", "d", "e", "f")),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - the name exists on Windows only
    return [int(status.free)] if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else []


def check_memory(size: tuple[int, ...], voxel_bytes: int, place: str) -> tuple[Finding, ...]:
    """Refuse an image that will not fit, with the two numbers.

    Parameters
    ----------
    size : tuple of int
        Voxels along x, y, z.
    voxel_bytes : int
        Bytes of a voxel in the file.
    place : str
        File or series to name.
    """
    needed, free = needed_bytes(size, voxel_bytes), free_bytes()
    if free is None or needed <= free:
        return ()
    text = f"{place} needs about {needed / 1e9:.1f} GB of memory to read, and {free / 1e9:.1f} GB are free."
    return (Finding(level=Level.FAIL, code="too-large", text=text, place=place),)
