"""Names become roles: those of real label files, and those that are made to mislead."""

from __future__ import annotations

import json

import pytest

from cryoplan.case import roles
from cryoplan.case.roles import guess, tissue_of_role
from cryoplan.case.structure import Role
from cryoplan.core.errors import StoreError

_TOTAL = """
adrenal_gland_left adrenal_gland_right aorta atrial_appendage_left autochthon_left autochthon_right
brachiocephalic_trunk brachiocephalic_vein_left brachiocephalic_vein_right brain clavicula_left
clavicula_right colon common_carotid_artery_left common_carotid_artery_right costal_cartilages duodenum
esophagus femur_left femur_right gallbladder gluteus_maximus_left gluteus_maximus_right
gluteus_medius_left gluteus_medius_right gluteus_minimus_left gluteus_minimus_right heart hip_left
hip_right humerus_left humerus_right iliac_artery_left iliac_artery_right iliac_vena_left
iliac_vena_right iliopsoas_left iliopsoas_right inferior_vena_cava kidney_cyst_left kidney_cyst_right
kidney_left kidney_right liver lung_lower_lobe_left lung_lower_lobe_right lung_middle_lobe_right
lung_upper_lobe_left lung_upper_lobe_right pancreas portal_vein_and_splenic_vein prostate pulmonary_vein
rib_left_1 rib_left_10 rib_left_11 rib_left_12 rib_left_2 rib_left_3 rib_left_4 rib_left_5 rib_left_6
rib_left_7 rib_left_8 rib_left_9 rib_right_1 rib_right_10 rib_right_11 rib_right_12 rib_right_2
rib_right_3 rib_right_4 rib_right_5 rib_right_6 rib_right_7 rib_right_8 rib_right_9 sacrum scapula_left
scapula_right skull small_bowel spinal_cord spleen sternum stomach subclavian_artery_left
subclavian_artery_right superior_vena_cava thyroid_gland trachea urinary_bladder vertebrae_C1
vertebrae_C2 vertebrae_C3 vertebrae_C4 vertebrae_C5 vertebrae_C6 vertebrae_C7 vertebrae_L1 vertebrae_L2
vertebrae_L3 vertebrae_L4 vertebrae_L5 vertebrae_S1 vertebrae_T1 vertebrae_T10 vertebrae_T11
vertebrae_T12 vertebrae_T2 vertebrae_T3 vertebrae_T4 vertebrae_T5 vertebrae_T6 vertebrae_T7 vertebrae_T8
vertebrae_T9
"""
TOTALSEGMENTATOR = _TOTAL.split()
"""The classes of TotalSegmentator 2.18.0's task total (map_to_binary.py)."""

_OTHERS = """
intervertebral_discs lung_left lung_right vertebrae liver_lesions liver_vessels liver_tumor lung_nodules
kidney_cyst_left pleural_effusion pericardial_effusion liver_segment_4 body_trunc body_extremities
subcutaneous_fat torso_fat skeletal_muscle renal_arteries
"""
OF_MR_AND_OTHER_TASKS = _OTHERS.split()

SOUGHT = {
    "tumour", "organ", "bowel", "gallbladder", "bile-duct", "kidney", "ureter", "nerve", "vessel", "bone",
    "lung", "pleura", "diaphragm", "skin", "fluid", "other",
}  # fmt: skip
"""Every structure has one of these at least."""


@pytest.mark.parametrize(
    ("name", "role", "tissue", "certain"),
    [
        ("liver", "organ", "liver", True),
        ("kidney_left", "kidney", "kidney", True),
        ("Right Kidney", "kidney", "kidney", True),
        ("RightKidney", "kidney", "kidney", True),
        ("liver (parenchyma outside the targets)", "organ", "liver", False),
        ("Liver segment VI", "organ", "liver", True),
        ("gallbladder", "gallbladder", "bile", True),
        ("urinary_bladder", "bladder", "fluid", True),
        ("small_bowel", "bowel", "small-bowel", True),
        ("duodenum", "bowel", "small-bowel", True),
        ("colon", "bowel", "large-bowel", True),
        ("hepatic flexure", "bowel", "large-bowel", True),
        ("portal_vein_and_splenic_vein", "vessel", "blood", True),
        ("inferior_vena_cava", "vessel", "blood", True),
        ("Hepatic veins", "vessel", "blood", True),
        ("liver vessels", "vessel", "blood", True),
        ("common bile duct", "bile-duct", "bile", True),
        ("spinal_cord", "spinal-cord", "spinal-cord", True),
        ("vertebrae_L1", "bone", "bone-cancellous", True),
        ("rib_left_6", "bone", "bone-cancellous", True),
        ("gluteus_maximus_left", "muscle", "muscle", True),
        ("autochthon_right", "muscle", "muscle", True),
        ("lung_lower_lobe_left", "lung", "lung-inflated", True),
        ("heart_atrium_left", "heart", "heart", True),
        ("kidney_cyst_left", "fluid", "fluid", True),
        ("subcutaneous fat", "fat", "fat", True),
        ("skin", "skin", "skin", True),
        ("BODY", "body", "soft-tissue", True),
        ("Tumour", "tumour", "tumour", True),
        ("target_1", "tumour", "tumour", True),
        ("GTV_Mass_CT", "tumour", "tumour", False),
        ("liver tumor", "tumour", "tumour", True),
        ("lung_nodules", "tumour", "tumour-lung", True),
        ("HCC", "tumour", "tumour-hcc", True),
        ("renal mass", "tumour", "tumour-rcc", True),
        ("metastasis 3", "tumour", "tumour", True),
        ("Renal arteries", "vessel", "blood", True),
        ("lung_veins", "vessel", "blood", True),
        ("CBD", "bile-duct", "bile", True),
        ("renal pelvis", "ureter", "fluid", True),
        ("pelvis", "bone", "bone-cancellous", True),
        ("pleura", "pleura", "soft-tissue", True),
        ("pleural effusion", "fluid", "fluid", True),
        ("gallbladder wall", "gallbladder", "gallbladder-wall", True),
        ("bladder wall", "bladder", "bladder-wall", True),
        ("vertebral body L2", "bone", "bone-cancellous", True),
        ("lymph nodes", "other", "soft-tissue", True),
        ("PTV", "other", "soft-tissue", False),
        ("something else", "other", "soft-tissue", False),
        ("collateral", "other", "soft-tissue", False),  # holds "colla", "lateral": words only count whole
        ("123", "other", "soft-tissue", False),
        ("", "other", "soft-tissue", False),
    ],
)
def test_a_name_says_role_and_tissue(name, role, tissue, certain):
    assert guess(name) == (Role(role), tissue, certain)


def test_every_class_of_totalsegmentator_has_a_sure_role():
    assert len(TOTALSEGMENTATOR) == 117
    assert [n for n in (*TOTALSEGMENTATOR, *OF_MR_AND_OTHER_TASKS) if not guess(n)[2]] == []
    roles_of = {n: guess(n)[0].value for n in TOTALSEGMENTATOR}
    assert {n for n, role in roles_of.items() if role in ("other", "tumour", "body", "nerve")} == set()
    assert sum(role == "bone" for role in roles_of.values()) == 24 + 25 + 1 + 1 + 1 + 1 + 10
    assert sum(role == "vessel" for role in roles_of.values()) == 16
    assert {n for n, role in roles_of.items() if role == "kidney"} == {"kidney_left", "kidney_right"}


def test_every_role_of_the_program_can_be_said_by_a_name():
    assert {role.value for role in Role} >= SOUGHT
    said = {phrase.role for phrase in roles._table().phrases}
    assert said == set(Role)


@pytest.mark.parametrize(
    "name",
    [
        "target_1 segment VI, near gallbladder, right kidney and hepatic flexure",
        "target_3 dome, segment VIII, small, below the diaphragm",
        "lesion near portal vein",
        "tumour in kidney",
        "nodule beside aorta",
        "metastasis of colon cancer",
    ],
)
def test_a_tumour_stays_one_whatever_lies_beside_it(name):
    role, tissue, certain = guess(name)
    assert (role, tissue) == (Role.TUMOUR, "tumour")
    assert not certain


@pytest.mark.parametrize("name", ["kidney near tumour", "liver without tumour", "colon (beside the target)"])
def test_what_lies_beside_a_tumour_is_none(name):
    assert guess(name)[0] is not Role.TUMOUR


def test_every_label_of_the_real_files_has_a_role(data_root):
    names: list[str] = []
    for path in sorted(data_root.glob("*/labels.json")):
        table = json.loads(path.read_text(encoding="utf-8"))
        table = table.get("labels", table)
        rows = [v for k, v in table.items() if k.isdigit()]
        names += [v["name"] if isinstance(v, dict) else v for v in rows]
    assert len(names) > 60
    unknown = {n for n in names if guess(n)[0] is Role.OTHER}
    assert unknown == {"intervertebral_discs"}
    assert [n for n in names if n in TOTALSEGMENTATOR and not guess(n)[2]] == []
    tumours = {n.split()[0] for n in names if guess(n)[0] is Role.TUMOUR}
    assert tumours == {"target_1", "target_2", "target_3", "target_4", "lung"}


def test_every_tissue_of_the_table_is_one_of_the_tissue_table():
    import tomllib

    from cryoplan.core.resources import resource

    tissues = tomllib.loads(resource("tissues", "default.toml").read_text(encoding="utf-8"))
    used = {p.tissue for p in roles._table().phrases} | set(tissue_of_role().values())
    assert used <= set(tissues)


def test_every_role_has_a_tissue_and_an_unnamed_organ_gets_no_livers_perfusion():
    assert set(tissue_of_role()) == set(Role)
    assert tissue_of_role()[Role.ORGAN] == "soft-tissue"
    assert tissue_of_role()[Role.VESSEL] == "blood"


def test_a_broken_table_says_so(tmp_path, monkeypatch):
    bad = tmp_path / "roles.toml"
    bad.write_text("phrases = 5", encoding="utf-8")
    monkeypatch.setattr(roles, "resource", lambda *_: bad)
    roles._table.cache_clear()
    try:
        with pytest.raises(StoreError, match=r"roles\.toml"):
            guess("liver")
    finally:
        roles._table.cache_clear()
