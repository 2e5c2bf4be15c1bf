"""Canaries: a patient's files with a word of its own in every identifying place, and a search for them."""

from __future__ import annotations

import gzip
import io
import json
import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdf
import pytest

from cryoplan.cli import main
from cryoplan.core.grid import Grid
from cryoplan.core.volume import Volume
from cryoplan.image.write import write_volume
from tests.support.hostile import Series
from tests.support.plans import plan_record

GRID = Grid(size=(50, 50, 40), spacing_mm=(3.0, 3.0, 3.0), origin_mm=(-63.5, -93.5, -28.5))
CENTRE_MM = (10.0, -20.0, 30.0)

TAGS = {
    "PatientName": "Qzfamily^Qzgiven",
    "PatientID": "QZ4711X",
    "PatientBirthDate": "19370419",
    "OtherPatientIDs": "QZOTHER9",
    "OtherPatientNames": "Qzalias",
    "PatientBirthName": "Qzmaiden",
    "PatientMotherBirthName": "Qzmother",
    "IssuerOfPatientID": "QZISSUER",
    "PatientAddress": "Qzstreet 7",
    "PatientTelephoneNumbers": "0048223344556",
    "PatientComments": "Qzcomment",
    "AccessionNumber": "QZACC123",
    "StudyID": "QZSTUDY",
    "StudyDescription": "Qzstudydescription",
    "SeriesDescription": "Abdomen Qzseriesdescription 2.5mm",
    "ReferringPhysicianName": "Qzreferrer",
    "PerformingPhysicianName": "Qzperformer",
    "OperatorsName": "Qzoperator",
    "InstitutionName": "Qzinstitution",
    "InstitutionAddress": "Qzinstitutionaddress",
    "StationName": "QZSTATION",
    "RequestedProcedureDescription": "Qzprocedure",
    "ImageComments": "Qzimagecomment",
    "ProtocolName": "Qzprotocol",
    "DeviceSerialNumber": "QZSERIAL",
}
PRIVATE, FOLDER, SLICES, DAMAGED, MASKS, PLAN = (
    "Qzprivate", "Qzfolder", "Qzslice", "Qzdamaged", "Qzmasks", "Qzplanfile"
)  # fmt: skip

CANARIES = (
    "qzfamily", "qzgiven", "qz4711x", "19370419", "1937-04-19", "qzother", "qzalias", "qzmaiden", "qzmother",
    "qzissuer", "qzstreet", "0048223344556", "qzcomment", "qzacc", "qzstudy", "qzseries", "qzreferrer",
    "qzperformer", "qzoperator", "qzinstitution", "qzstation", "qzprocedure", "qzimagecomment", "qzprotocol",
    "qzserial", "qzprivate", "qzfolder", "qzslice", "qzdamaged", "qzmasks", "qzplanfile",
    Series().series_uid, Series().study_uid, Series().frame_uid,
)  # fmt: skip


class Ward:
    """A patient's files, full of canaries, and everything else apart from them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = root / f"{FOLDER}_Qzfamily"
        self.image = self.source / f"{FOLDER} ct"
        self.work = root / "work"
        self.temporary = root / "temporary"
        for folder in (self.work, self.temporary):
            folder.mkdir(parents=True)
        self._write_series()
        self.masks = self._write_masks()
        self.plan = self.source / f"{PLAN}.json"
        x, y, z = CENTRE_MM
        probe = ((x, y + 18.0, z), (x, y - 64.0, z))
        self.plan.write_text(json.dumps(plan_record([probe])), encoding="utf-8")

    def _write_series(self) -> None:
        self.image.mkdir(parents=True)
        series = Series(origin_mm=GRID.origin_mm, step_mm=(0.0, 0.0, 3.0))
        ct = np.where(self._body(), 60, -1000)
        for k in range(GRID.size[2]):
            ds = series.slice(
                k, Rows=50, Columns=50, PixelSpacing=[3, 3], SliceThickness=3,
                PixelData=(ct[k] + 1024).astype("<i2").tobytes(), **TAGS,
            )  # fmt: skip
            ds.private_block(0x0011, PRIVATE, create=True).add_new(1, "LO", PRIVATE)
            ds.save_as(self.image / f"{SLICES}{k:02d}.dcm", enforce_file_format=True)
        whole = (self.image / f"{SLICES}05.dcm").read_bytes()
        (self.image / f"{DAMAGED}.dcm").write_bytes(whole[:300])

    def _offset(self) -> np.ndarray:
        k, j, i = np.meshgrid(*(np.arange(n) for n in GRID.shape), indexing="ij")
        return GRID.index_to_mm(np.stack([i, j, k], axis=-1)) - np.asarray(CENTRE_MM)

    def _body(self) -> np.ndarray:
        offset = self._offset()
        return np.hypot(offset[..., 0], offset[..., 1]) < 65.0

    def _write_masks(self) -> tuple[Path, Path]:
        tumour = np.linalg.norm(self._offset(), axis=-1) < 10.0
        labels = np.where(tumour, 2, np.where(self._body(), 1, 0)).astype(np.uint8)
        named = self.source / f"{MASKS}_1.nii.gz"
        write_volume(Volume(grid=GRID, values=labels), named)
        names = {"1": {"name": "body", "role": "body"}, "2": {"name": "tumour of Qzgiven", "role": "tumour"}}
        (self.source / f"{MASKS}_1.json").write_text(json.dumps({"labels": names}), encoding="utf-8")
        vein = np.linalg.norm(self._offset() - (25.0, 0.0, 0.0), axis=-1) < 8.0
        single = self.source / "QZFAMILY-portal_vein.nii.gz"
        write_volume(Volume(grid=GRID, values=vein.astype(np.uint8)), single)
        return named, single

    def command(self, *words: object) -> int:
        return main([str(word) for word in words])

    def run(self, out: Path, *more: str) -> int:
        return self.command(
            "run", "--image", self.image, "--structures", *self.masks, "--plan", self.plan, "--out", out,
            "--preview", *more,
        )  # fmt: skip

    def leaks(self) -> list[str]:
        """Return where canaries are outside the patient's own files and cases."""
        return [
            f"{path.relative_to(self.root)}: {found}"
            for path in sorted(self.root.rglob("*"))
            if not path.is_relative_to(self.source)
            for found in leaks_of(path)
        ]


def leaks_of(path: Path) -> list[str]:
    """Return the canaries in a file's name and, however it is packed, in its bytes."""
    texts = [path.name.encode()]
    if path.is_file() and path.suffix != ".cryoplan":
        texts.extend(unpacked(path.read_bytes()))
    return sorted({f"{canary}" for text in texts for canary in CANARIES if holds(text, canary)})


def holds(text: bytes, canary: str) -> bool:
    lowered = text.lower()
    return any(canary.encode(encoding) in lowered for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def unpacked(data: bytes) -> Iterator[bytes]:
    yield data
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
        return
    if data[:5] == b"%PDF-":
        reader = pypdf.PdfReader(io.BytesIO(data))
        yield "\n".join(page.extract_text() for page in reader.pages).encode()
        yield str(reader.metadata).encode()
        for number in range(1, len(reader.xref_objStm) + max(reader.xref[0]) + 1):
            found = reader.get_object(number)
            if hasattr(found, "get_data") and found.get("/Subtype") != "/Image":
                yield found.get_data()
    for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data):
        try:
            yield zlib.decompressobj().decompress(data[start.start() :], 4_000_000)
        except zlib.error:
            continue


def make_ward(root: Path, monkeypatch: pytest.MonkeyPatch) -> Ward:
    """Return the patient's files; temporary files, settings and logs get folders of their own beside them."""
    made = Ward(root)
    monkeypatch.setenv("TMPDIR", str(made.temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(made.temporary))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        folder = made.root / "home" / name.lower()
        folder.mkdir(parents=True)
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder))
    monkeypatch.chdir(made.work)
    return made
