"""Checks of a plan file: what is wrong in which place, in words that name the value and what to do."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from cryoplan.core.errors import PlanError

FURTHEST_MM = 10_000.0
"""No scanner room is larger; a number beyond it is a mistake of units."""

Triple = tuple[float, float, float]
_WORD = re.compile(r"[A-Za-z0-9_]+")


class _Pairs(list[tuple[str, object]]):
    """A JSON object as parsed, equal keys and all."""


@dataclass(frozen=True, slots=True)
class Where:
    """Messages about one text: names the file, the path of the value, the value, and what to do."""

    file: str

    def refuse(self, path: str, value: object, what: str, remedy: str, code: str) -> NoReturn:
        """Say what is wrong with the value at a path."""
        where = f"{path} = " if path else ""
        raise PlanError(
            f"{self.file}: {where}{_show(value)} {what}.", remedy, code=code, place=path or self.file
        )

    def moved(self, error: PlanError, prefix: str, inner: str) -> PlanError:
        """Return `error` of a record, with the path that its value has in the file."""
        path = f"{prefix}.{inner}" if prefix and inner else prefix or inner
        return PlanError(f"{self.file}: {path}: {error.what}", error.remedy, code=error.code, place=path)

    def parse(self, text: str) -> object:
        """Return the tree of a JSON text."""
        try:
            raw: object = json.loads(
                text, object_pairs_hook=_Pairs, parse_constant=_Constant, parse_int=_whole_number
            )
            return self.plain(raw, "")
        except json.JSONDecodeError as error:
            raise PlanError(
                f"{self.file} is not JSON (line {error.lineno}, column {error.colno}: {error.msg}).",
                "Mend that place or choose a plan file.",
                code="plan-not-json",
                place=self.file,
            ) from error
        except RecursionError as error:
            raise PlanError(
                f"{self.file} is nested too deeply to be a plan.",
                "Choose a plan file.",
                code="plan-not-json",
                place=self.file,
            ) from error

    def plain(self, node: object, path: str) -> object:
        """Return dicts and lists; refuse equal keys and numbers that are none."""
        if isinstance(node, _Pairs):
            result: dict[str, object] = {}
            for key, value in node:
                # All keys of a plan are plain words; others would also make paths that cannot be read.
                word = key if _WORD.fullmatch(key) else json.dumps(key)
                inner = f"{path}.{word}" if path else word
                if word != key:
                    self.refuse(
                        inner, _bare(value), "is not a key of a plan", "Remove it.", "plan-key-unknown"
                    )
                if key in result:
                    self.refuse(inner, _bare(value), "is there twice", "Keep one of them.", "plan-key-twice")
                result[key] = self.plain(value, inner)
            return result
        if isinstance(node, list):
            return [self.plain(value, f"{path}[{n}]") for n, value in enumerate(node)]
        if isinstance(node, _Constant) or (isinstance(node, float) and not math.isfinite(node)):
            # The path of a coordinate is that of its point, as for every other fault of a point.
            self.refuse(_of_point(path), node, "is not a finite number", "Write a number.", "plan-number")
        return node

    def refuse_invalid(self, message: str, tree: object) -> NoReturn:
        """Turn msgspec's message into ours: same path notation, the value, and a remedy."""
        text, _, tail = message.partition(" - at `$")
        path = tail.rstrip("`").lstrip(".")
        key = re.search(r"(unknown|required) field `(.*)`", text)
        if key:
            full = f"{path}.{key[2]}" if path else key[2]
            if key[1] == "unknown":
                self.refuse(full, _look_up(tree, full), "is not a key of a plan",
                            "Remove it or mend its spelling.", "plan-key-unknown")  # fmt: skip
            raise PlanError(
                f"{self.file}: {full} is missing.", "Add it.", code="plan-key-missing", place=full
            )
        value = _look_up(tree, path)
        path = _of_point(path)
        if not path:
            raise PlanError(
                f"{self.file} holds no plan ({_lower(text)}).",
                "Choose a plan file.",
                code="plan-not-json",
                place=self.file,
            )
        if path.endswith("_mm"):
            self.refuse(path, _look_up(tree, path), "is not three finite numbers",
                        "Give x, y and z in LPS millimetres.", "plan-value")  # fmt: skip
        self.refuse(path, value, f"does not fit ({_lower(text)})", "Mend the value.", "plan-value")

    def limit(self, key: str, rows: Sequence[object], most: int) -> None:
        """Refuse a list that is longer than any plan needs."""
        if len(rows) > most:
            raise PlanError(
                f"{self.file}: {key} has {len(rows)} entries.",
                f"Use at most {most}.",
                code="plan-too-many",
                place=key,
            )

    def point(self, path: str, value: Triple) -> Triple:
        """Return a position, refused where it is out of any room."""
        if max(abs(x) for x in value) > FURTHEST_MM:
            self.refuse(path, list(value), "is further than 10 m away",
                        "Give LPS millimetres.", "plan-position-far")  # fmt: skip
        return value


class _Constant(str):
    """``NaN`` or ``Infinity`` in the text: Python reads them although JSON has no such words."""

    __slots__ = ()


def _whole_number(digits: str) -> int | float:
    # int() refuses thousands of digits with a ValueError; float() turns them into inf, refused by name later.
    return int(digits) if len(digits) < 400 else float(digits)


def is_whole(value: object) -> bool:
    """Tell whether a value of the tree is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def _of_point(path: str) -> str:
    return re.sub(r"(_mm)\[\d+\]$", r"\1", path)


def _look_up(tree: Any, path: str) -> object:
    """Return the value at a path that msgspec has just walked."""
    node = tree
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        node = node[int(index)] if index else node[key]
    return node


def _bare(value: object) -> object:
    return dict(value) if isinstance(value, _Pairs) else value


def _show(value: object) -> str:
    if isinstance(value, _Constant):
        return str.__str__(value)
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
