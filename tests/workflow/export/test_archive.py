"""An archive takes what is exported and gives it back: Orthanc, started here, in a network of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest

from cryoplan.workflow.export.dicom import write_dicom
from tests.support.dicom_exports import dicom_subject, needs

SETTINGS = {
    "Plugins": [],
    "HttpBindAddresses": ["127.0.0.1"],
    "RemoteAccessAllowed": False,
    "AuthenticationEnabled": False,
    "DicomAlwaysAllowStore": True,
    "DicomAlwaysAllowEcho": True,
    "HttpPort": 8042,
    "DicomPort": 4242,
}

SCRIPT = """
ip link set lo up || exit 77
"{orthanc}" "{settings}" >"{log}" 2>&1 &
archive=$!
"{python}" "{client}" "{objects}" "{back}"
done=$?
kill $archive
wait $archive
exit $done
"""

CLIENT = """
import json, pathlib, sys, time, urllib.request
ROOT = "http://127.0.0.1:8042"
def ask(path, data=None):
    with urllib.request.urlopen(ROOT + path, data=data, timeout=30) as answer:
        return answer.read()
for _ in range(150):
    try:
        ask("/system")
        break
    except OSError:
        time.sleep(0.1)
objects, back = map(pathlib.Path, sys.argv[1:])
for path in sorted(objects.iterdir()):
    stored = json.loads(ask("/instances", path.read_bytes()))
    (back / path.name).write_bytes(ask("/instances/" + stored["ID"] + "/file"))
(back / "studies.json").write_bytes(ask("/studies?expand"))
"""


def test_an_archive_gives_back_what_it_was_given_as_one_study(tmp_path):
    orthanc, unshare = needs("Orthanc"), needs("unshare")
    if os.geteuid() != 0:
        pytest.skip("a network of one's own needs root here")
    subject = dicom_subject("oblique")
    objects, back = tmp_path / "objects", tmp_path / "back"
    for folder in (objects, back, tmp_path / "archive"):
        folder.mkdir()
    write_dicom(subject, ["seg", "rtstruct", "dicompdf", "sr", "keyimages"], objects)
    for path in Path(subject.case.scan.facts.path).iterdir():
        (objects / f"scan_{path.name}").write_bytes(path.read_bytes())
    settings, client, log = tmp_path / "o.json", tmp_path / "client.py", tmp_path / "o.log"
    settings.write_text(json.dumps({**SETTINGS, "StorageDirectory": str(tmp_path / "archive"),
                                    "IndexDirectory": str(tmp_path / "archive")}))  # fmt: skip
    client.write_text(CLIENT)
    script = SCRIPT.format(
        orthanc=orthanc, settings=settings, log=log, python=sys.executable, client=client, objects=objects,
        back=back,
    )  # fmt: skip
    done = subprocess.run(
        [unshare, "-n", "bash", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("this system gives us no network of our own")
    assert done.returncode == 0, done.stderr + log.read_text(errors="replace")[-2000:]
    for path in sorted(objects.iterdir()):
        given, taken = pydicom.dcmread(path), pydicom.dcmread(back / path.name)
        assert given == taken, path.name
        if "PixelData" in given:
            assert np.array_equal(given.pixel_array, taken.pixel_array)
    (study,) = json.loads((back / "studies.json").read_text())
    # Scan, segmentation, contours, measurements, two papers and key images.
    assert len(study["Series"]) == 7
