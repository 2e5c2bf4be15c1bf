"""DICOM objects of a plan: valid, of the right patient, and read alike by other programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from cryoplan.core.errors import ImageError
from cryoplan.core.progress import Cancelled
from cryoplan.image.dicom_out.contours import level_contours, mask_contours
from cryoplan.image.labels import read_structures
from cryoplan.image.scan import Scan
from cryoplan.workflow.export import DICOM_KINDS, Subject
from cryoplan.workflow.export.dicom import write_dicom
from cryoplan.workflow.export.segments import lowest_on_image, segments_of
from cryoplan.workflow.solving import assess, simulation_key
from tests.support.dicom_exports import GRIDS, dicom_subject, needs, run, slices_of, subject_of, write_slices

OBJECTS = {"seg.dcm", "rtstruct.dcm", "measurements.dcm", "plan_pdf.dcm", "sheet_pdf.dcm", "key_1.dcm"}


@pytest.fixture(scope="module", params=GRIDS)
def written(request, tmp_path_factory) -> tuple[Subject, Path]:
    subject = dicom_subject(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    assert write_dicom(subject, DICOM_KINDS, folder) == ()
    return subject, folder


def header_of(subject: Subject):
    return pydicom.dcmread(next(iter(sorted(Path(subject.case.scan.facts.path).iterdir()))))


def drawn(subject: Subject):
    return [segment for segment in segments_of(subject) if segment.mask.values.any()]


def test_all_objects_are_there(written):
    _, folder = written
    assert {path.name for path in folder.iterdir()} >= OBJECTS


def test_every_object_belongs_to_the_patient_and_study_of_the_scan_in_a_series_of_its_own(written):
    subject, folder = written
    source = header_of(subject)
    series, instances = {}, set()
    for path in folder.iterdir():
        ds = pydicom.dcmread(path)
        for word in (
            "PatientID",
            "PatientBirthDate",
            "PatientSex",
            "StudyInstanceUID",
            "StudyDate",
            "StudyID",
        ):
            assert ds.get(word) == source.get(word), (path.name, word)
        assert str(ds.PatientName) == str(source.PatientName)
        assert ds.SeriesInstanceUID != source.SeriesInstanceUID
        series.setdefault(ds.SeriesInstanceUID, set()).add(ds.Modality)
        instances.add(ds.SOPInstanceUID)
        assert "Research use" in ds.SeriesDescription
    assert all(len(kinds) == 1 for kinds in series.values())
    assert len(instances) == len(list(folder.iterdir()))


def test_dciodvfy_finds_no_error_in_any_object(written):
    program = needs("dciodvfy")
    _, folder = written
    for path in sorted(folder.iterdir()):
        said = run(program, path)
        assert not [line for line in said.splitlines() if line.startswith("Error")], (path.name, said)


def test_dcmtk_reads_every_object(written):
    program = needs("dcmdump")
    _, folder = written
    for path in folder.iterdir():
        assert "StudyInstanceUID" in run(program, path)


def test_highdicom_reads_every_segment_with_its_voxels_name_colour_and_code(written):
    import highdicom

    subject, folder = written
    seg = highdicom.seg.segread(folder / "seg.dcm")
    segments = drawn(subject)
    assert [seg.get_segment_description(n).segment_label for n in seg.segment_numbers] == [
        s.name for s in segments
    ]
    for number, segment in enumerate(segments, 1):
        frames = seg.get_pixels_by_source_instance(
            [h.SOPInstanceUID for h in _headers(subject)],
            segment_numbers=[number],
            assert_missing_frames_are_empty=True,
            ignore_spatial_locations=True,
        )
        assert np.array_equal(frames[..., 0] > 0, segment.mask.values)
        described = seg.get_segment_description(number)
        if segment.code is not None:
            assert described.segmented_property_type.value == segment.code.value
        red, green, blue = highdicom.color.CIELabColor.from_dicom_value(
            list(described.RecommendedDisplayCIELabValue)
        ).to_rgb()
        assert np.abs(np.subtract((red, green, blue), segment.colour)).max() <= 2


def _headers(subject: Subject):
    files = [pydicom.dcmread(path) for path in sorted(Path(subject.case.scan.facts.path).iterdir())]
    normal = subject.case.scan.volume.grid.axes[:, 2]
    return sorted(files, key=lambda ds: float(np.dot(normal, ds.ImagePositionPatient)))


def test_our_own_importer_reads_the_segments_back_where_they_were(written):
    subject, folder = written
    back = {m.name: m.mask for m in read_structures(folder / "seg.dcm", subject.case.scan).masks}
    for segment in drawn(subject):
        assert np.array_equal(back[segment.name].values, segment.mask.values), segment.name


def test_dcmqi_counts_the_same_voxels(written, tmp_path):
    program = needs("segimage2itkimage")
    import SimpleITK

    subject, folder = written
    run(
        program,
        "--inputDICOM",
        folder / "seg.dcm",
        "--outputDirectory",
        tmp_path,
        "--prefix",
        "s",
        "-t",
        "nrrd",
    )
    for number, segment in enumerate(drawn(subject), 1):
        image = SimpleITK.ReadImage(str(tmp_path / f"s-{number}.nrrd"))
        values = SimpleITK.GetArrayViewFromImage(image)
        assert np.count_nonzero(values) == np.count_nonzero(segment.mask.values), segment.name
        k, j, i = np.argwhere(values)[0]
        place = image.TransformIndexToPhysicalPoint((int(i), int(j), int(k)))
        found = subject.case.scan.volume.grid.mm_to_index(place)
        # Where dcmqi says that a voxel is, ours is drawn: within a twentieth of a voxel.
        assert np.abs(found - np.round(found)).max() < 0.05
        x, y, z = np.round(found).astype(int)
        assert segment.mask.values[z, y, x]


def test_simpleitk_reads_as_many_frames_as_were_written(written):
    import SimpleITK

    _, folder = written
    image = SimpleITK.ReadImage(str(folder / "seg.dcm"))
    assert image.GetSize()[2] == pydicom.dcmread(folder / "seg.dcm", stop_before_pixels=True).NumberOfFrames


def test_the_contours_come_back_as_the_voxels_they_were_drawn_around(written):
    subject, folder = written
    back = {m.name: m.mask for m in read_structures(folder / "rtstruct.dcm", subject.case.scan).masks}
    grid = subject.case.scan.volume.grid
    for segment in drawn(subject):
        ours, theirs = segment.mask.values, back[segment.name].values
        if segment.threshold_degc is None:
            assert np.array_equal(ours, theirs), segment.name
        else:
            # An isotherm runs between the voxels, so its own volume is that of the field.
            assert abs(int(theirs.sum()) - int(ours.sum())) <= 0.01 * ours.sum() + 4
        middle = [np.asarray(grid.index_to_mm(np.argwhere(v)[:, ::-1].mean(axis=0))) for v in (ours, theirs)]
        assert np.linalg.norm(middle[0] - middle[1]) < 0.1


def test_plastimatch_finds_the_same_volumes_within_one_per_cent(tmp_path):
    program = needs("plastimatch")
    import SimpleITK

    subject = dicom_subject("axial")
    write_dicom(subject, ["rtstruct"], tmp_path)
    run(
        program, "convert", "--input", tmp_path / "rtstruct.dcm", "--referenced-ct",
        subject.case.scan.facts.path, "--output-prefix", tmp_path / "masks", "--prefix-format", "nrrd",
    )  # fmt: skip
    read = {path.stem: SimpleITK.ReadImage(str(path)) for path in (tmp_path / "masks").iterdir()}
    compared = 0
    for segment in drawn(subject):
        name = next((n for n in read if _plain(n) == _plain(segment.name)), None)
        if name is None:
            continue  # plastimatch makes its file names of ASCII only
        count = int(np.count_nonzero(SimpleITK.GetArrayViewFromImage(read[name])))
        ours = int(segment.mask.values.sum())
        assert abs(count - ours) <= max(0.01 * ours, 4), (segment.name, count, ours)
        compared += 1
    assert compared >= 3


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isascii() and c.isalnum())


def test_contours_enclose_the_volume_of_their_voxels_and_holes_are_left_open():
    segment = next(s for s in drawn(dicom_subject("oblique")) if s.kind == "tumour")
    values = segment.mask.values.copy()
    k, j, i = (int(n) for n in np.argwhere(values).mean(axis=0))
    values[k, j, i] = values[k, j + 1, i + 1] = False  # two holes that touch at a corner
    mask = replace(segment.mask, values=values)
    assert volume_ml(mask_contours(mask), mask.grid) == pytest.approx(
        values.sum() * mask.grid.voxel_volume_ml, rel=1e-6
    )


def volume_ml(contours, grid) -> float:
    """Return the volume within contours: holes run the other way round."""
    normal = grid.axes[:, 2]
    area = sum(
        0.5 * float(np.dot(normal, np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)))
        for _, points in contours
    )
    return abs(area) * grid.spacing_mm[2] / 1000.0


@pytest.mark.parametrize("threshold", [0.0, -20.0, -40.0])
def test_an_isotherm_encloses_the_volume_of_the_field(threshold):
    subject = dicom_subject("oblique")
    lowest = lowest_on_image(subject.case, subject.result)
    found = volume_ml(level_contours(lowest, threshold), lowest.grid)
    # The review measures the same isotherm on the solver's own grid, finer than these slices of 2.6 mm.
    assert found == pytest.approx(subject.assessment.volume_ml(threshold), rel=0.02)


def test_probes_are_lines_from_skin_to_tip(written):
    subject, folder = written
    ds = pydicom.dcmread(folder / "rtstruct.dcm")
    names = {roi.ROINumber: roi.ROIName for roi in ds.StructureSetROISequence}
    lines = {names[c.ReferencedROINumber]: c.ContourSequence for c in ds.ROIContourSequence}
    for probe in subject.plan.probes:
        (line,) = lines[f"Probe {probe.name}"]
        points = np.reshape(np.asarray(line.ContourData, float), (2, 3))
        assert np.allclose(points, [probe.entry_mm, probe.tip_mm], atol=1e-3)
        assert line.ContourGeometricType == "OPEN_NONPLANAR"


def test_the_report_holds_the_numbers_of_the_assessment_on_their_segments(written):
    import highdicom

    subject, folder = written
    report = highdicom.sr.srread(folder / "measurements.dcm")
    groups = {g.tracking_identifier: g for g in report.content.get_volumetric_roi_measurement_groups()}
    target = groups[subject.case.target_name]
    numbers = {m.name.meaning: (m.value, m.unit.value) for m in target.get_measurements()}
    for margin in subject.assessment.margins:
        at = f"{margin.threshold_degc:g} °C"
        assert numbers[f"Least margin to the {at} isotherm"] == (
            pytest.approx(margin.minimum_mm, abs=1e-4),
            "mm",
        )
    assert numbers["Volume"][0] == pytest.approx(subject.case.target.volume_ml, rel=1e-4)
    seg = pydicom.dcmread(folder / "seg.dcm", stop_before_pixels=True)
    assert target.referenced_segment.referenced_sop_instance_uid == seg.SOPInstanceUID
    assert "Ice 0 °C" in groups


def test_the_pdf_inside_is_a_whole_pdf(written):
    from io import BytesIO

    from pypdf import PdfReader

    _, folder = written
    for name in ("plan_pdf.dcm", "sheet_pdf.dcm"):
        ds = pydicom.dcmread(folder / name)
        data = ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength]
        assert "Research use" in PdfReader(BytesIO(data)).pages[0].extract_text()


def test_key_images_are_pictures_in_colour_that_say_what_they_are(written):
    _, folder = written
    for path in folder.glob("key_*.dcm"):
        ds = pydicom.dcmread(path)
        assert ds.pixel_array.shape[2] == 3
        assert ds.pixel_array.std() > 5.0
        assert "Research use" in ds.ImageComments


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Jürgen"),
        ("\\ISO 2022 IR 87", "Yamada^Tarou=山田^太郎"),
        ("ISO_IR 144", "Люкceмбypг"),
    ],
)
def test_names_of_every_script_stay_what_they_were(tmp_path, charset, name):
    slices = slices_of(GRIDS["axial"])
    for header in slices:
        header.SpecificCharacterSet = charset.split("\\") if "\\" in charset else charset
        header.PatientName = name
    subject = subject_of(write_slices(tmp_path / "scan", slices))
    out = tmp_path / "out"
    out.mkdir()
    write_dicom(subject, ["seg", "rtstruct", "sr"], out)
    for path in out.iterdir():
        ds = pydicom.dcmread(path)
        assert str(ds.PatientName) == name
        assert ds.SpecificCharacterSet == "ISO_IR 192"
    labels = [s.SegmentLabel for s in pydicom.dcmread(out / "seg.dcm").SegmentSequence]
    assert labels == [segment.name for segment in drawn(subject)]


def test_names_that_agree_in_their_first_letters_keep_their_own_numbers(tmp_path):
    import highdicom

    subject = dicom_subject("axial")
    long = "a very long name of a structure that agrees with another one in all of its first "
    renamed = {s.name: f"{long}{n}" for n, s in enumerate(subject.case.structures) if s.role != "tumour"}
    structures = tuple(replace(s, name=renamed.get(s.name, s.name)) for s in subject.case.structures)
    case = subject.case.changed(structures=structures)
    result = replace(
        subject.result, key=simulation_key(case, subject.plan, subject.probes, subject.result.settings)
    )
    judged = assess(case, subject.plan, subject.probes, result)
    write_dicom(replace(subject, case=case, result=result, assessment=judged), ["sr", "rtstruct"], tmp_path)
    seg = pydicom.dcmread(tmp_path / "seg.dcm", stop_before_pixels=True)
    labels = [item.SegmentLabel for item in seg.SegmentSequence]
    assert len(set(labels)) == len(labels)
    assert max(map(len, labels)) == 64
    report = highdicom.sr.srread(tmp_path / "measurements.dcm")
    groups = {g.tracking_identifier: g for g in report.content.get_volumetric_roi_measurement_groups()}
    for number, structure in enumerate(case.structures):
        volume = next(
            m.value for m in groups[labels[number]].get_measurements() if m.name.meaning == "Volume"
        )
        assert volume == pytest.approx(structure.volume_ml, rel=1e-4)
    rois = pydicom.dcmread(tmp_path / "rtstruct.dcm").StructureSetROISequence
    assert len({roi.ROIName for roi in rois}) == len(rois)


# --- refusals ---------------------------------------------------------------------------------------------


def with_facts(subject: Subject, **facts: object) -> Subject:
    scan = subject.case.scan
    case = subject.case.changed(scan=Scan(volume=scan.volume, facts=replace(scan.facts, **facts)))
    return replace(subject, case=case)


@pytest.mark.parametrize(
    ("facts", "code"),
    [({"kind": "nifti"}, "not-dicom-source"), ({"path": "/nowhere/scan"}, "dicom-source-missing")],
)
def test_without_the_files_of_the_scan_nothing_is_written_and_the_reason_is_said(tmp_path, facts, code):
    subject = with_facts(dicom_subject("axial"), **facts)
    with pytest.raises(ImageError) as raised:
        write_dicom(subject, DICOM_KINDS, tmp_path)
    assert raised.value.code == code
    assert not list(tmp_path.iterdir())


def test_files_of_another_image_are_refused(tmp_path):
    slices = slices_of(GRIDS["axial"])
    changed = np.frombuffer(slices[3].PixelData, np.int16).copy()
    changed[77] += 1
    slices[3].PixelData = changed.tobytes()
    other = write_slices(tmp_path / "other", slices)
    subject = replace(dicom_subject("axial"), image=other)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ImageError) as raised:
        write_dicom(subject, ["seg"], out)
    assert raised.value.code == "dicom-source-differs"
    assert not list(out.iterdir())


def test_files_that_were_moved_are_taken_from_where_they_are_now(tmp_path):
    moved = write_slices(tmp_path / "moved", slices_of(GRIDS["axial"]))
    subject = replace(with_facts(dicom_subject("axial"), path="/nowhere"), image=moved)
    out = tmp_path / "out"
    out.mkdir()
    write_dicom(subject, ["rtstruct"], out)
    assert (out / "rtstruct.dcm").exists()


class StopAfter:
    """Progress that asks to stop after so many questions."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def report(self, report) -> None:
        del report

    def cancelled(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("questions", [0, 2, 5])
def test_it_can_be_cancelled_between_its_parts(tmp_path, questions):
    with pytest.raises(Cancelled):
        write_dicom(dicom_subject("axial"), DICOM_KINDS, tmp_path, StopAfter(questions))
