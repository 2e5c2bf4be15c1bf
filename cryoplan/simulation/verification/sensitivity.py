"""Sensitivity: what the numbers that are not fitted would do to an experiment, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cryoplan.core.units import ZERO_CELSIUS_K
from cryoplan.simulation.tissue import ICE_CONDUCTIVITY, Material
from cryoplan.simulation.verification.experiments import shaft_trace
from cryoplan.simulation.verification.single_probe import Setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """What one number does to one figure: the figure at the number's low and high value, h kept."""

    number: str
    low: float
    high: float
    unit: str
    figure: str
    at_low: float
    at_high: float
    figure_unit: str = "mm"

    def to_text(self) -> str:
        """Return the line of the table."""
        return (
            f"    {self.number} {self.low:g} / {self.high:g} {self.unit}: {self.figure} "
            f"{self.at_low:.1f} / {self.at_high:.1f} {self.figure_unit}"
        )


def sensitivities(
    setup: Setup,
    *,
    isotherms_degc: tuple[float, ...],
    starts_degc: tuple[float, float],
    look: Callable[[str], None],
) -> Iterator[Sensitivity]:
    """Compute an experiment at the low and high value of every number that is not fitted, and of h.

    Parameters
    ----------
    setup : Setup
    isotherms_degc : tuple of float
        Whose diameters are shown.
    starts_degc : tuple of two float
        Start temperatures, blood and outer faces with them.
    look : callable
        Told what is being computed; may raise `Cancelled`.
    """
    material = setup.material
    ice = material.k_l / (ICE_CONDUCTIVITY * ZERO_CELSIUS_K / (material.t_l + ZERO_CELSIUS_K))
    h, cold = setup.model.exchange_coefficient, setup.model.coolant_temperature
    length = setup.model.active_length

    def medium(value: Material) -> Setup:
        return replace(setup, material=value)

    def kappa(value: float) -> Setup:
        return medium(replace(material, k_l=material.k_l * value / ice))

    lower, upper = 0.8 * h.value, 1.25 * h.value
    rows: list[tuple[str, float, float, str, Setup, Setup]] = [
        ("h", lower, upper, "W/(m2 K)", setup.changed(exchange_coefficient=lower),
         setup.changed(exchange_coefficient=upper)),
        ("T_c", cold.low or cold.value, cold.high or cold.value, "degC",
         setup.changed(coolant_temperature=cold.low or cold.value),
         setup.changed(coolant_temperature=cold.high or cold.value)),
        ("taper", 2.0, 10.0, "mm", setup.changed(taper=2.0), setup.changed(taper=10.0)),
        ("active length", length.value - 5.0, length.value + 5.0, "mm",
         setup.changed(active_length=length.value - 5.0), setup.changed(active_length=length.value + 5.0)),
        ("start and blood", starts_degc[0], starts_degc[1], "degC",
         replace(setup, start_degc=starts_degc[0]), replace(setup, start_degc=starts_degc[1])),
    ]  # fmt: skip
    if material.w > 0.0:
        rows += [
            ("W", 20.0, 58.7, "kW/(m3 K)", medium(replace(material, w=20e3)),
             medium(replace(material, w=58.7e3))),
            ("L", 160.0, 250.0, "MJ/m3", medium(replace(material, latent=160e6)),
             medium(replace(material, latent=250e6))),
            ("kappa", 0.7, 1.0, "1", kappa(0.7), kappa(1.0)),
        ]  # fmt: skip
    else:
        rows.append(("kappa", 0.9, 1.0, "1", kappa(0.9), kappa(1.0)))
    for number, low, high, unit, one, two in rows:
        look(f"sensitivity to {number}")
        below, above = one.run(), two.run()
        for degc in isotherms_degc:
            yield Sensitivity(
                number=number, low=low, high=high, unit=unit, figure=f"{degc:g} degC diameter",
                at_low=below.size(degc).width_mm, at_high=above.size(degc).width_mm,
            )  # fmt: skip


def trace_sensitivities(setup: Setup, look: Callable[[str], None]) -> Iterator[Sensitivity]:
    """Compute the shaft trace at the ends of the time constants' ranges; they are derived from it."""
    ranges = {
        "cooling_time_constant": setup.model.cooling_time_constant,
        "thaw_time_constant": setup.model.thaw_time_constant,
    }
    for number, constant in ranges.items():
        if constant is None or constant.low is None or constant.high is None:
            continue
        look(f"sensitivity to {number}")
        low, high = (
            shaft_trace(setup.changed(**{number: value}).run()).rmse_degc
            for value in (constant.low, constant.high)
        )
        yield Sensitivity(
            number=number, low=constant.low, high=constant.high, unit="s", figure="shaft trace, RMSE",
            at_low=low, at_high=high, figure_unit="degC",
        )  # fmt: skip
