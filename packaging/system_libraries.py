"""What the operating system must bring on Linux, what of it is missing, and how to install it.

Wheels carry nearly everything; the rest is the graphics driver's front, the X client libraries of Qt's
xcb plugin, one font, and for the tests a virtual display. Whether a library is there is asked by loading
it, because that is what the program will do: a package list differs between distributions and releases
(Debian's names with and without ``t64``), a library's own name does not.

Windows and macOS bring all of it, so nothing is asked there.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Need(NamedTuple):
    """One thing of the operating system, and the package that has it.

    ``test`` names what to look for: ``lib:SONAME``, ``program:NAME`` or ``fonts:``. Package names are
    those of apt (Debian, Ubuntu), dnf (Fedora, RHEL), zypper (openSUSE) and pacman (Arch).
    """

    test: str
    apt: str
    dnf: str
    zypper: str
    pacman: str


WINDOW = (
    Need("lib:libGL.so.1", "libgl1", "libglvnd-glx", "Mesa-libGL1", "libglvnd"),
    Need("lib:libEGL.so.1", "libegl1", "libglvnd-egl", "Mesa-libEGL1", "libglvnd"),
    Need("lib:libglib-2.0.so.0", "libglib2.0-0", "glib2", "libglib-2_0-0", "glib2"),
    Need("lib:libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "libdbus-1-3", "dbus"),
    Need("lib:libfontconfig.so.1", "libfontconfig1", "fontconfig", "libfontconfig1", "fontconfig"),
    Need(
        "lib:libxkbcommon-x11.so.0",
        "libxkbcommon-x11-0",
        "libxkbcommon-x11",
        "libxkbcommon-x11-0",
        "libxkbcommon-x11",
    ),
    Need("lib:libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor", "libxcb-cursor0", "xcb-util-cursor"),
    Need("lib:libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "libxcb-icccm4", "xcb-util-wm"),
    Need(
        "lib:libxcb-keysyms.so.1",
        "libxcb-keysyms1",
        "xcb-util-keysyms",
        "libxcb-keysyms1",
        "xcb-util-keysyms",
    ),
    Need("lib:libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb-shape0", "libxcb"),
    Need("lib:libxcb-xkb.so.1", "libxcb-xkb1", "libxcb", "libxcb-xkb1", "libxcb"),
    Need(
        "lib:libxcb-render-util.so.0",
        "libxcb-render-util0",
        "xcb-util-renderutil",
        "libxcb-render-util0",
        "xcb-util-renderutil",
    ),
    Need("fonts:", "fonts-dejavu-core", "dejavu-sans-fonts", "dejavu-fonts", "ttf-dejavu"),
)
"""For the window and for the pictures of the report."""

TESTS = (
    Need("program:Xvfb", "xvfb", "xorg-x11-server-Xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb"),
    Need("program:xauth", "xauth", "xorg-x11-xauth", "xauth", "xorg-xauth"),
)
"""For the tests of the window, which run on a display of their own."""

SECOND_OPINIONS = (
    Need("program:dcm2niix", "dcm2niix", "dcm2niix", "dcm2niix", ""),
    Need("program:desktop-file-validate", *("desktop-file-utils",) * 4),
    Need("program:update-mime-database", *("shared-mime-info",) * 4),
    Need("program:xdg-mime", *("xdg-utils",) * 4),
    Need("program:gio", "libglib2.0-bin", "glib2", "glib2-tools", "glib2"),
    Need("program:strace", *("strace",) * 4),
    Need("program:dciodvfy", "dicom3tools", "", "", ""),
    Need("program:dcmdump", *("dcmtk",) * 4),
    Need("program:plastimatch", "plastimatch", "", "", ""),
    Need("program:pdftotext", "poppler-utils", "poppler-utils", "poppler-tools", "poppler"),
)
"""Other programs that tests compare with; without one its tests are skipped, and say so."""

ARCHIVE = (Need("program:Orthanc", "orthanc", "", "", ""),)
"""An archive for one test. Its package brings a service: see `may_have_services`."""

INSTALL = {
    "apt": ["apt-get", "install", "-y", "--no-install-recommends"],
    "dnf": ["dnf", "install", "-y"],
    "zypper": ["zypper", "--non-interactive", "install"],
    "pacman": ["pacman", "-S", "--needed", "--noconfirm"],
}

FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


def is_there(test: str) -> bool:
    """Say whether one thing of a :class:`Need` is on this machine."""
    kind, _, name = test.partition(":")
    if kind == "program":
        return shutil.which(name) is not None
    if kind == "fonts":
        folders = [Path(folder).expanduser() for folder in FONT_FOLDERS]
        endings = (".ttf", ".otf", ".ttc")
        return any(path.suffix.lower() in endings for folder in folders for path in folder.rglob("*"))
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def may_have_services() -> bool:
    """Say whether a package that brings a service may be installed: in CI, where nothing would start it."""
    return bool(os.environ.get("CI")) and not Path("/run/systemd/system").exists()


def package_manager() -> str:
    """Return the name of this system's package manager, or an empty text."""
    for manager, command in INSTALL.items():
        if shutil.which(command[0]):
            return manager
    return ""


def packages(needs: tuple[Need, ...] | list[Need], manager: str) -> list[str]:
    """Return the package names of some needs for one package manager, each once, in order."""
    return list(dict.fromkeys(str(getattr(need, manager)) for need in needs))


def install_line(names: list[str], manager: str) -> str:
    """Return the one line that a person can paste to install packages."""
    update = "sudo apt-get update && " if manager == "apt" else ""
    return update + " ".join(["sudo", *INSTALL[manager], *names])


def as_root() -> list[str] | None:
    """Return what to put before a command so that it runs as root without asking, or None."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def install(names: list[str], manager: str) -> bool:
    """Install packages if that needs no question; say whether it worked.

    Only apt is driven from here: it is the one that the project is tested on. For the others the line is
    printed, since ``dnf`` and ``pacman`` may upgrade more than was asked for.
    """
    prefix = as_root()
    if manager != "apt" or prefix is None:
        return False
    print(f"Installing {' '.join(names)}", file=sys.stderr, flush=True)
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    for command in (["apt-get", "update", "-qq"], [*INSTALL["apt"], "-qq", *names]):
        done = subprocess.run(
            [*prefix, *quiet, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            print(done.stdout.decode("utf-8", "replace")[-2000:], file=sys.stderr)
            return False
    return True


def provide(needs: tuple[Need, ...]) -> bool:
    """Install what is missing of some needs, or print the line that does; say whether all is there now."""
    if not sys.platform.startswith("linux"):
        return True
    missing = [need for need in needs if not is_there(need.test)]
    if not missing:
        return True
    manager = package_manager()
    if not manager:
        names = ", ".join(need.test.partition(":")[2] or "a TrueType font" for need in missing)
        print(f"Missing on this system: {names}. Install them with its package manager.", file=sys.stderr)
        return False
    names_of = packages(missing, manager)
    if install(names_of, manager):
        missing = [need for need in missing if not is_there(need.test)]
        if not missing:
            return True
        names_of = packages(missing, manager)
    print(
        "Some system libraries are missing and could not be installed from here. Run this line, then "
        f"try again:\n    {install_line(names_of, manager)}",
        file=sys.stderr,
        flush=True,
    )
    return False


def offer(needs: tuple[Need, ...]) -> bool:
    """Install what a few tests alone ask for, where that needs no question; say whether all is there now."""
    missing = [need for need in needs if not is_there(need.test)]
    if not missing:
        return True
    manager = package_manager() if sys.platform.startswith("linux") else ""
    if manager == "apt" and install(packages(missing, manager), manager):
        missing = [need for need in missing if not is_there(need.test)]
    if missing:
        names = ", ".join(need.test.partition(":")[2] for need in missing)
        print(f"Not on this system: {names}. The tests that compare with it are skipped.", file=sys.stderr)
    return not missing
