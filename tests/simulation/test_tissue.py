"""Tissue table: sources everywhere, and materials whose curves are what physics says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryoplan.core.errors import SimulationError, StoreError
from cryoplan.simulation.tissue import Material, load_tissues, read_tissues

TISSUES = load_tissues().tissues
NEEDED = (
    "liver", "tumour", "tumour-hcc", "tumour-crlm", "tumour-rcc", "tumour-lung", "kidney",
    "lung-inflated", "lung-flooded", "fat", "muscle", "bone-cortical", "bone-cancellous", "skin",
    "blood", "bile", "gallbladder-wall", "stomach", "small-bowel", "large-bowel", "pancreas", "spleen",
    "diaphragm", "nerve", "prostate", "gas", "fluid", "gel", "agar", "saline", "water", "soft-tissue",
)  # fmt: skip


def test_every_tissue_that_a_structure_may_name_is_there():
    assert set(NEEDED) <= set(load_tissues().names())


@pytest.mark.parametrize("tissue", TISSUES, ids=lambda t: t.name)
def test_every_number_has_unit_source_and_how(tissue):
    numbers = tissue.numbers()
    assert len(numbers) >= 10
    for name, number in numbers.items():
        assert len(number.source) > 5, name
        assert number.unit, name
        assert number.low is None or number.low <= number.value <= number.high, name


def test_a_missing_source_is_refused(tmp_path):
    text = "\n".join(
        line if not line.startswith("density") else line.replace('source = "', 'sauce = "')
        for line in _one_tissue().splitlines()
    )
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(StoreError, match=r"liver\.density"):
        read_tissues(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("perfusion =", "perfusio =", "unknown keys"),
        ('unit = "kg/m3"', 'unit = "g/ml"', "density"),
        ("frozen_ratio", "frozen_heat_capacity", "frozen_"),
    ],
)
def test_a_table_with_a_wrong_key_or_unit_is_refused(tmp_path, old, new, said):
    path = tmp_path / "bad.toml"
    path.write_text(_one_tissue().replace(old, new))
    with pytest.raises(StoreError, match=said):
        read_tissues(path)


def _one_tissue() -> str:
    from cryoplan.core.resources import resource

    text = resource("tissues", "default.toml").read_text(encoding="utf-8")
    return text[text.index("[liver]") : text.index("[tumour]")]


def test_an_unknown_tissue_is_named_with_what_there_is():
    with pytest.raises(SimulationError, match="liver"):
        load_tissues().tissue("cheese")


def test_liver_has_the_stated_defaults():
    liver = load_tissues().tissue("liver").material()
    assert liver.w == 40e3
    assert liver.latent == 250e6
    assert liver.k_u == 0.519
    # kappa was chosen for the literature's frozen conductivity at -20 degC.
    assert 2.0 <= float(liver.conductivity(-20.0)) <= 2.1
    assert load_tissues().tissue("tumour").material().w == 20e3


@pytest.mark.parametrize("tissue", TISSUES, ids=lambda t: t.name)
def test_temperature_is_the_inverse_of_enthalpy(tissue):
    material = tissue.material()
    t = np.linspace(-190.0, 60.0, 501)
    h = material.enthalpy(t)
    assert np.all(np.diff(h) > 0)
    np.testing.assert_allclose(material.temperature(h), t, atol=1e-9)


@pytest.mark.parametrize("name", ["liver", "fat", "gel", "lung-inflated"])
def test_enthalpy_and_potential_are_the_integrals_of_c_and_k(name):
    material = load_tissues().tissue(name).material()
    t = np.linspace(-150.0, 30.0, 36001)
    middle, dt = 0.5 * (t[1:] + t[:-1]), t[1] - t[0]
    summed = np.cumsum(material.conductivity(middle)) * dt
    np.testing.assert_allclose(
        material.potential(t[1:]) - material.potential(t[0]), summed, rtol=1e-5, atol=1e-3
    )
    cold = middle < material.t_l
    c = np.diff(material.enthalpy(t)) / dt
    np.testing.assert_allclose(c[cold], (material.cf_a + material.cf_b * middle)[cold], rtol=1e-6)
    between = material.enthalpy(material.t_u) - material.enthalpy(material.t_l)
    assert between >= material.latent


@given(st.floats(-180, 50), st.floats(0.01, 30))
def test_warmer_tissue_never_holds_less_heat(t, step):
    material = load_tissues().tissue("muscle").material()
    assert float(material.enthalpy(t + step)) > float(material.enthalpy(t))


def test_a_material_that_freezes_upwards_cannot_exist():
    with pytest.raises(SimulationError):
        Material(name="x", t_u=-8, t_l=-1, latent=1e8, c_u=3e6, cf_a=2e6, cf_b=0, k_u=0.5, k_l=2)


def _material(name: str) -> Material:
    return load_tissues().tissue(name).material()


@given(st.sampled_from(TISSUES), st.sampled_from(TISSUES), st.floats(0.0, 1.0), st.floats(-150.0, 45.0))
def test_a_mixture_stores_what_its_parts_store_and_conducts_between_them(one, other, fraction, t):
    a, b = one.material(), other.material()
    mixed = a.blend(b, fraction)
    for name in ("latent", "c_u", "cf_a", "cf_b", "w", "q_m"):
        mean = (1.0 - fraction) * getattr(a, name) + fraction * getattr(b, name)
        assert getattr(mixed, name) == pytest.approx(mean, rel=1e-9, abs=1e-9)
    assert (mixed.t_u, mixed.t_l) in {(a.t_u, a.t_l), (b.t_u, b.t_l)}
    # Wiener's bounds: layers across and along the flow, in the unfrozen state where both are unfrozen.
    if t > max(a.t_u, b.t_u):
        along = (1.0 - fraction) * a.k_u + fraction * b.k_u
        across = 1.0 / ((1.0 - fraction) / a.k_u + fraction / b.k_u)
        assert across * (1 - 1e-9) <= float(mixed.conductivity(t)) <= along * (1 + 1e-9)


def test_the_order_of_the_parts_does_not_matter():
    a, b = _material("fat"), _material("liver")
    assert a.blend(b, 0.25).same_as(b.blend(a, 0.75))
    assert a.blend(b, 0.0) is a
    assert a.blend(b, 1.0) is b


def test_frozen_parts_with_other_freezing_ranges_mix_between_their_conductivities():
    # Water is all ice at -0.5, liver at -8 degC.
    water, liver = _material("water"), _material("liver")
    for fraction in (0.25, 0.75):
        mixed = water.blend(liver, fraction)
        for t in (-20.0, -100.0):
            both = sorted((float(water.conductivity(t)), float(liver.conductivity(t))))
            assert both[0] <= float(mixed.conductivity(t)) <= both[1]


def test_liver_and_its_tumour_differ_by_blood_alone():
    liver, tumour = _material("liver"), _material("tumour")
    mixed = liver.blend(tumour, 0.5)
    assert mixed.w == pytest.approx(30e3)
    assert mixed.k_u == pytest.approx(liver.k_u)
    assert not liver.resembles(tumour)
    assert liver.resembles(liver.blend(_material("spleen"), 0.0))


@pytest.mark.parametrize(
    ("key", "value"),
    [("density", "nan"), ("conductivity", "-0.5"), ("latent_heat", "250e3"), ("density", "1.08")],
)
def test_an_absurd_property_is_refused_by_name(tmp_path, key, value):
    text = "\n".join(
        line
        if not line.startswith(key)
        else f'{key} = {{ value = {value}, unit = "{_unit(line)}", source = "made", how = "assumed" }}'
        for line in _one_tissue().splitlines()
    )
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(StoreError, match=f"liver gives {key}"):
        read_tissues(path)


def _unit(line: str) -> str:
    return line.split('unit = "')[1].split('"')[0]


def test_injected_fluid_starts_at_room_temperature_and_that_of_the_body_does_not():
    table = load_tissues()
    assert table.tissue("hydrodissection").start_temperature.value == 21.0
    assert table.tissue("fluid").start_temperature is None
