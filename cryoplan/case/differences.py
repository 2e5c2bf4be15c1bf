"""Differences: what one edit changed in a JSON document, small enough to keep for every step.

One rule covers objects and lists: at a place stand values, none or one in an object, any number in a list
from an index on. A difference says which stood there before and which stand there after, so that it can be
read in both directions and refuses a document that it was not made for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

Json = Any
"""What ``json`` reads and writes; dicts have text keys and numbers are finite."""

Key = str | int


class Difference(NamedTuple):
    """One change at one place.

    Attributes
    ----------
    path : tuple of str or int
        Keys and indices down to the place. The last one is a key of an object, or an index into a list from
        which on `before` stands.
    before, after : tuple
        Values that stand there: none or one in an object, any number in a list.
    """

    path: tuple[Key, ...]
    before: tuple[Json, ...]
    after: tuple[Json, ...]


def canonical(value: Json) -> str:
    """Return the one text of a JSON value that digests are made of: sorted keys, no blanks, ASCII.

    Raises
    ------
    ValueError, TypeError
        If a number is not finite or something is no JSON.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def document_digest(document: Json) -> bytes:
    """Return the SHA-256 (32 bytes) of the canonical text of a document."""
    return hashlib.sha256(canonical(document).encode()).digest()


def same(a: Json, b: Json) -> bool:
    """Return whether two JSON values have the same text; unlike ``==`` it tells 1 from 1.0 and from true."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return repr(a) == repr(b)
    return bool(a == b)


def differences(before: Json, after: Json) -> tuple[Difference, ...]:
    """Return what turns the object `before` into the object `after`, in no order that matters.

    Raises
    ------
    TypeError
        If one of them is not an object: only those have places to speak of.
    """
    if not isinstance(before, dict) or not isinstance(after, dict):
        raise TypeError("documents are JSON objects")
    found: list[Difference] = []
    _compare((), before, after, found)
    return tuple(found)


def applied(document: Json, changes: Sequence[Difference], backwards: bool = False) -> Json:
    """Return a document with `changes` made, or taken back; `document` itself stays as it is.

    Raises
    ------
    ValueError
        If at one of the places stands something else than the change says, so that it is not of this
        document.
    """
    copied: dict[int, Json] = {}
    root = _own(document, copied)
    for path, before, after in changes:
        old, new = (after, before) if backwards else (before, after)
        if not path:
            raise ValueError("a change names no place")
        place = root
        for key in path[:-1]:
            inner = _step(place, key)
            place[key] = mine = _own(inner, copied)
            place = mine
        _put(place, path[-1], list(old), list(new))
    return root


def to_json(changes: Sequence[Difference]) -> str:
    """Return the canonical text of differences."""
    return canonical([list(map(list, change)) for change in changes])


def from_json(text: str) -> tuple[Difference, ...]:
    """Return the differences of `to_json`.

    Raises
    ------
    ValueError, TypeError
        If the text is something else.
    """
    made = tuple(Difference(tuple(p), tuple(b), tuple(a)) for p, b, a in json.loads(text))
    if not all(isinstance(key, str | int) for change in made for key in change.path):
        raise ValueError("a path holds something else than keys and indices")
    return made


def _compare(path: tuple[Key, ...], a: Json, b: Json, found: list[Difference]) -> None:
    """Note what differs inside two containers of one type."""
    if isinstance(a, dict):
        for key in [*a, *(key for key in b if key not in a)]:
            here = (*path, key)
            if key not in a:
                found.append(Difference(here, (), (b[key],)))
            elif key not in b:
                found.append(Difference(here, (a[key],), ()))
            else:
                _compare_values(here, a[key], b[key], found)
        return
    start = 0
    while start < min(len(a), len(b)) and same(a[start], b[start]):
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and same(a[-1 - end], b[-1 - end]):
        end += 1
    old, new = a[start : len(a) - end], b[start : len(b) - end]
    if len(old) == len(new) and all(_both_containers(x, y) for x, y in zip(old, new, strict=True)):
        for index, (x, y) in enumerate(zip(old, new, strict=True), start):
            _compare(((*path, index)), x, y, found)
    else:
        # Three coordinates that move together are one difference, not three.
        found.append(Difference((*path, start), tuple(old), tuple(new)))


def _compare_values(path: tuple[Key, ...], a: Json, b: Json, found: list[Difference]) -> None:
    if _both_containers(a, b):
        _compare(path, a, b, found)
    elif not same(a, b):
        found.append(Difference(path, (a,), (b,)))


def _both_containers(a: Json, b: Json) -> bool:
    return type(a) is type(b) and isinstance(a, dict | list)


def _own(value: Json, copied: dict[int, Json]) -> Json:
    """Return a copy of a container that may be changed; one that was copied already is its own."""
    if id(value) in copied:
        return value
    if not isinstance(value, dict | list):
        raise ValueError("a change reaches into a value that holds nothing")
    mine = value.copy()
    copied[id(mine)] = mine
    return mine


def _step(place: Json, key: Key) -> Json:
    if isinstance(place, dict):
        if key in place:
            return place[key]
    elif isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(place):
        return place[key]
    raise ValueError(f"there is nothing at {key!r}")


def _put(place: Json, key: Key, old: list[Json], new: list[Json]) -> None:
    if isinstance(place, dict):
        there = [place[key]] if key in place else []
        if not isinstance(key, str) or len(new) > 1 or not same(there, old):
            raise ValueError(f"at {key!r} stands something else")
        if new:
            place[key] = new[0]
        elif old:
            del place[key]
        return
    if not isinstance(key, int) or isinstance(key, bool) or key < 0 or key > len(place):
        raise ValueError(f"{key!r} is no index")
    if not same(place[key : key + len(old)], old):
        raise ValueError(f"from {key} on stands something else")
    place[key : key + len(old)] = new
