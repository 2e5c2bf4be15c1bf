"""Elements of one DICOM header as plain texts and numbers: nothing where they make no sense."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

_LONGEST_TEXT = 256  # four times what a description may have
_MOST_KEPT_BYTES = 256


@lru_cache(maxsize=8)
def tags_of(names: tuple[str, ...]) -> list[Any]:
    """Return the tags of elements, as pydicom's reader takes them with the least work."""
    from pydicom.tag import Tag  # slow to import, and not needed for other files

    return [Tag(_number_of(name)) for name in names]


@lru_cache(maxsize=256)
def _number_of(name: str) -> int:
    from pydicom.datadict import tag_for_keyword

    number = tag_for_keyword(name)
    assert number is not None  # the names are ours, and those of the standard
    return number


class Elements:
    """The elements of one data set that pydicom has read.

    Most of them are the same bytes in each file of a series, so each is turned into a value once; measured,
    that takes a third off a pass over the headers of 300 slices.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        # By plain numbers: comparing pydicom's tags is slower than all the rest here.
        self._raw = {int(element.tag): element for element in dataset.values()}
        charset = dataset.original_character_set
        self._charset = charset if isinstance(charset, str) else tuple(charset)

    def value(self, name: str) -> Any:
        """Return the value of an element, None where it is not there or is not what its kind allows."""
        raw = self._raw.get(_number_of(name))
        if raw is None:
            return None
        try:
            if not raw.is_raw or not isinstance(raw.value, bytes) or len(raw.value) > _MOST_KEPT_BYTES:
                return self._dataset.get(name)
            return _converted(
                int(raw.tag), raw.VR, raw.value, raw.is_implicit_VR, raw.is_little_endian, self._charset
            )
        except (ValueError, TypeError, ArithmeticError):  # text that is no number, such as 1,5
            return None

    def text(self, name: str) -> str:
        """Return a value as one printable line, several with backslashes between, or nothing."""
        value = self.value(name)
        if value is None:
            return ""
        if not isinstance(value, str) and hasattr(value, "__iter__"):
            return "\\".join(str(part) for part in value)
        return _printable(str(value)[:_LONGEST_TEXT])

    def numbers(self, name: str, count: int) -> tuple[float, ...] | None:
        """Return a value of so many finite numbers."""
        value = self.value(name)
        try:
            numbers = tuple(float(part) for part in value)
        except (TypeError, ValueError):
            return None
        return numbers if len(numbers) == count and all(np.isfinite(numbers)) else None

    def number(self, name: str) -> float | None:
        """Return a value that is one finite number."""
        try:
            number = float(self.value(name))
        except (TypeError, ValueError):
            return None
        return number if np.isfinite(number) else None

    def number_or(self, name: str, default: float) -> float:
        """Return a number, or `default` where there is none."""
        number = self.number(name)
        return default if number is None else number

    def whole(self, name: str) -> int:
        """Return a whole number, 0 where there is none."""
        number = self.number(name)
        return 0 if number is None else int(number)

    def items(self, name: str) -> Iterable[Any]:
        """Return the data sets of a sequence."""
        return self._dataset.get(name) or ()


@lru_cache(maxsize=4096)
def _converted(
    tag: int, kind: str | None, value: bytes, implicit: bool, little: bool, charset: str | tuple[str, ...]
) -> Any:
    """Return the value of one short element as pydicom reads it."""
    from pydicom.dataelem import RawDataElement, convert_raw_data_element
    from pydicom.tag import BaseTag

    raw = RawDataElement(BaseTag(tag), kind, len(value), value, 0, implicit, little)
    encoding = charset if isinstance(charset, str) else list(charset)
    return convert_raw_data_element(raw, encoding=encoding).value


@lru_cache(maxsize=4096)
def _printable(text: str) -> str:
    # Damaged lengths put half a file, names and line ends included, into one text.
    return "".join(c if c.isprintable() else " " for c in text).strip()
