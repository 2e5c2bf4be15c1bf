"""Script that runs TotalSegmentator in a process of its own: one image in, one label map out, no network.

It is started by `cryoplan.image.ai.running` with the path of a job file and stands on nothing of cryoplan, so
that it starts in any surroundings that TotalSegmentator starts in. What it has to say goes to its output as
lines of JSON behind a mark; other lines are TotalSegmentator's own words. It ends, and takes the folder of
the job with it, as soon as the pipe to its input closes: the program that started it has gone.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

MARK = "\x1ecryoplan "


def say(word: str, **facts: object) -> None:
    """Tell the program something."""
    sys.stdout.flush()
    sys.__stdout__.write(f"\n{MARK}{json.dumps({'word': word, **facts})}\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


class Offline:
    """Refuses every connection that would leave this computer, and remembers that one was wanted."""

    def __init__(self) -> None:
        self.wanted = False

    def begin(self) -> None:
        """Take the place of what opens connections."""
        for name in list(os.environ):
            if name.lower().endswith("_proxy"):
                del os.environ[name]  # a proxy on this computer would be a way out
        plain_connect, plain_connect_ex, plain_find = (
            socket.socket.connect,
            socket.socket.connect_ex,
            socket.getaddrinfo,
        )

        def connect(self_: socket.socket, address: Any) -> None:
            self._refuse(self_.family, address)
            plain_connect(self_, address)

        def connect_ex(self_: socket.socket, address: Any) -> int:
            self._refuse(self_.family, address)
            return plain_connect_ex(self_, address)

        def getaddrinfo(host: Any, *words: Any, **named: Any) -> Any:
            self._refuse(socket.AF_INET, (host,))
            return plain_find(host, *words, **named)

        socket.socket.connect = connect  # type: ignore[method-assign, assignment]
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign, assignment]
        socket.getaddrinfo = getaddrinfo

    def _refuse(self, family: int, address: Any) -> None:
        if family not in (socket.AF_INET, socket.AF_INET6):
            return
        host = address[0].decode() if isinstance(address[0], bytes) else str(address[0])
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host.split("%")[0]).is_loopback:
                return
        if host in ("localhost", "None", ""):
            return
        self.wanted = True
        raise OSError("cryoplan runs this without a network")


def end_with_input(folder: Path) -> None:
    """End this process, those that it started and the folder of its job when the input closes."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 64):
                pass
        shutil.rmtree(folder, ignore_errors=True)
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(os.getpid())], check=False)
            os._exit(1)
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def kind_of(error: BaseException, offline: Offline) -> str:
    """Tell why a run ended: memory, weights, licence, package, or error."""
    names = {kind.__name__ for kind in type(error).__mro__}
    words = str(error).lower()
    if "OutOfMemoryError" in names or "MemoryError" in names:
        return "memory"
    # PyTorch's and nnU-Net's words where memory ran out on the processor, or the system ended a helper.
    if any(w in words for w in ("out of memory", "can't allocate memory", "background worker", "feet under")):
        return "memory"
    if offline.wanted:
        return "weights"
    if isinstance(error, SystemExit):
        return "licence"
    if isinstance(error, ImportError | TypeError):
        return "package"
    return "error"


def main() -> int:
    """Do the job whose file is named on the command line."""
    path = Path(sys.argv[1])
    job = json.loads(path.read_text(encoding="utf-8"))
    end_with_input(path.parent)
    offline = Offline()
    offline.begin()
    sys.path.extend(place for place in job["search"] if place not in sys.path)
    try:
        from totalsegmentator import map_to_binary

        if job["task"] in getattr(map_to_binary, "commercial_models", {}):
            say("failed", kind="licence", name="")
            return 3
        if job["task"] not in map_to_binary.class_map:
            say("failed", kind="package", name="")
            return 3
        names = {str(number): name for number, name in map_to_binary.class_map[job["task"]].items()}
        say("names", names=names)
        from totalsegmentator.python_api import totalsegmentator

        say("loaded")
        totalsegmentator(
            job["image"],
            job["labels"],
            ml=True,
            fast=job["fast"],
            task=job["task"],
            device=job["device"],
            nr_thr_saving=1,
        )
    except BaseException as error:
        say("failed", kind=kind_of(error, offline), name=type(error).__name__)
        return 3
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
