"""Is a DICOM file whole? Its pixels go on as far as it says, and it ends well behind them."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

DEFLATED = "1.2.840.10008.1.2.1.99"
_IMPLICIT, _BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"

_LONG_FORMS = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
"""Kinds of values whose length takes four bytes (PS3.5 7.1.2)."""

_LONGEST_FILLING = 1 << 20


def pixels_whole(stream: BinaryIO, path: Path, syntax: str, expected: int) -> bool:
    """Tell whether the file goes on to the end of its pixels; `stream` stands at their tag.

    Reads lengths only. A deflated file cannot be judged without unpacking it; its reader will.
    """
    if syntax == DEFLATED:
        return True
    end = path.stat().st_size
    order = ">" if syntax == _BIG_ENDIAN else "<"
    tag = stream.read(4)
    if len(tag) < 4 or struct.unpack(order + "HH", tag) != (0x7FE0, 0x0010):
        return False
    if syntax == _IMPLICIT:
        length = struct.unpack("<I", stream.read(4))[0]
    else:
        stream.read(4)  # value representation and two reserved bytes
        length = struct.unpack(order + "I", stream.read(4))[0]
    if length != 0xFFFFFFFF:
        if length < expected or stream.tell() + length > end:
            return False
        stream.seek(length, os.SEEK_CUR)
        return _ends_well(stream, order, syntax, end)
    while True:
        item = stream.read(8)
        if len(item) < 8:
            return False
        group, element, length = struct.unpack("<HHI", item)
        if (group, element) == (0xFFFE, 0xE0DD):
            return _ends_well(stream, order, syntax, end)
        if (group, element) != (0xFFFE, 0xE000) or stream.tell() + length > end:
            return False
        stream.seek(length, os.SEEK_CUR)


def _ends_well(stream: BinaryIO, order: str, syntax: str, end: int) -> bool:
    """Tell whether what follows the pixels is whole elements, or zeros that fill a block.

    Bytes that were lost or added within the pixels show here and nowhere else: the length of the pixels still
    fits, and every one behind the place stands where its neighbour was.
    """
    while end - stream.tell() >= 12:
        start = stream.tell()
        head = stream.read(12)
        if struct.unpack_from(order + "HH", head) <= (0x7FE0, 0x0010):
            stream.seek(start)
            break
        if syntax == _IMPLICIT:
            (length,), size = struct.unpack_from("<I", head, 4), 8
        elif head[4:6] in _LONG_FORMS:
            (length,), size = struct.unpack_from(order + "I", head, 8), 12
        else:
            (length,), size = struct.unpack_from(order + "H", head, 6), 8
        if length == 0xFFFFFFFF:  # a sequence, such as that of signatures: its items are not looked at
            return True
        stream.seek(start + size + length)
    return stream.tell() <= end and not any(stream.read(_LONGEST_FILLING))
