"""The short way to a data set tells what pydicom's own reader tells, of whole files and of damaged ones."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import RLELossless

from cryoplan.image import dicom_open
from cryoplan.image.dicom_header import Header, read_header
from tests.support.hostile import Series
from tests.support.hostile_dicom import CASES


def by_pydicom(path: Path, monkeypatch: pytest.MonkeyPatch) -> Header | None:
    """Return the header without the short way."""
    with monkeypatch.context() as patch:
        patch.setattr(dicom_open, "_usual_meta", lambda _stream: None)
        return read_header(path)


def written(**changes: object) -> bytes:
    stream = BytesIO()
    pydicom.dcmwrite(stream, Series().slice(3, **changes), enforce_file_format=True)
    return stream.getvalue()


PLAIN = written()


@pytest.mark.parametrize("name", sorted(CASES))
def test_headers_of_every_hostile_case_are_those_of_pydicom(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    CASES[name].make(tmp_path)
    files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    assert files
    for path in files:
        assert read_header(path) == by_pydicom(path, monkeypatch)


def test_a_usual_file_goes_the_short_way_and_its_stream_stands_at_the_pixels(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pydicom, "dcmread", None)
    stream = BytesIO(PLAIN)
    promise, dataset = dicom_open.open_dataset(stream, [])
    assert (promise.syntax, promise.sop_class) == ("1.2.840.10008.1.2.1", Series().sop_class)
    assert promise.instance_uid == Series().slice(3).SOPInstanceUID
    assert dataset.Rows == Series().slice(3).Rows
    assert stream.read(4) == b"\xe0\x7f\x10\x00"


def test_compressed_files_go_the_short_way_and_implicit_deflated_and_big_endian_ones_do_not():
    for syntax, is_usual in (
        (RLELossless, True),
        ("1.2.840.10008.1.2.4.90", True),
        ("1.2.840.10008.1.2", False),
        ("1.2.840.10008.1.2.1.99", False),
        ("1.2.840.10008.1.2.2", False),
        ("1.2.3.4", False),
    ):
        # Longer and shorter UIDs in the place of the one that is there, padded as UIDs are.
        old = b"UI\x14\x001.2.840.10008.1.2.1\0"
        uid = syntax.encode() + b"\0" * (len(syntax) % 2)
        new = b"UI" + len(uid).to_bytes(2, "little") + uid
        length = int.from_bytes(PLAIN[140:144], "little") + len(new) - len(old)
        data = PLAIN[:140] + length.to_bytes(4, "little") + PLAIN[144:].replace(old, new, 1)
        assert (dicom_open._usual_meta(BytesIO(data)) is not None) is is_usual


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(128, len(PLAIN) - 1),
    value=st.integers(0, 255),
    cut=st.one_of(st.none(), st.integers(0, len(PLAIN))),
)
def test_damage_is_seen_as_pydicom_sees_it(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, cut: int | None
):
    data = bytearray(PLAIN)
    # Three times of four where the short way differs: in the file meta and the first elements.
    data[128 + (at - 128) % 400 if at % 4 else at] = value
    path = tmp_path_factory.mktemp("damaged") / "slice.dcm"
    path.write_bytes(bytes(data[:cut]))
    with pytest.MonkeyPatch.context() as patch:
        assert read_header(path) == by_pydicom(path, patch)
