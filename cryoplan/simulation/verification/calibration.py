"""Calibration: h of each probe model, fitted to its own single-probe experiment and to nothing else.

The cost of an h is the sum of squares of (computed - published) / scale over the figures of the experiment;
the scale is the published scatter, or the requirement's bound where no scatter is published. It is evaluated
on fixed values of h, then on finer ones around the best (a parabola in ln h), so that two runs give the same
number. The range of h is where every figure stays within its scale. Tissue, coolant temperature and latent
heat are never fitted; the sensitivity table says what they would do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import numpy as np

from cryoplan.core.progress import SILENT, Progress, ProgressReport, check_cancelled
from cryoplan.plan.catalogue import load_catalogue
from cryoplan.plan.probe import ProbeModel
from cryoplan.simulation.verification import experiments
from cryoplan.simulation.verification.published import Figure
from cryoplan.simulation.verification.rig import Rig
from cryoplan.simulation.verification.sensitivity import Sensitivity, sensitivities, trace_sensitivities
from cryoplan.simulation.verification.single_probe import Setup

COEFFICIENTS = (500.0, 700.0, 1000.0, 1400.0, 2000.0, 2800.0, 4000.0, 5000.0, 6000.0)
"""W/(m2 K); the whole range in which h may lie is 500 to 6000 (physics section 8)."""

STEP = 0.08
"""Relative width of the parabola around the best h."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """One figure: computed beside published, both in `unit`, and the scale a difference is counted in."""

    name: str
    computed: float
    published: float
    scale: float
    unit: str

    @property
    def counted(self) -> float:
        """Difference in scales."""
        return (self.computed - self.published) / self.scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What the calibration of one probe model found.

    Attributes
    ----------
    model : str
        Id of the probe model.
    source, conditions : str
        Of the experiment.
    shipped, fitted : float
        h as shipped and as fitted now, W/(m2 K).
    low, high : float
        Range in which every figure stays within its scale; both are `fitted` if none does there.
    taper_mm : float
        Length of the taper, as shipped or chosen.
    cost : float
        Sum of squares at `fitted`.
    residuals : tuple of Residual
        At `fitted`.
    sensitivities : tuple of Sensitivity
    """

    model: str
    source: str
    conditions: str
    shipped: float
    fitted: float
    low: float
    high: float
    taper_mm: float
    cost: float
    residuals: tuple[Residual, ...]
    sensitivities: tuple[Sensitivity, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the fit as plain values."""
        return asdict(self)

    def to_text(self) -> str:
        """Return the fit as lines of a table."""
        lines = [
            f"{self.model}: h = {self.fitted:.0f} W/(m2 K), range {self.low:.0f} to {self.high:.0f} "
            f"(shipped {self.shipped:.0f}), taper {self.taper_mm:g} mm; cost {self.cost:.2f}",
            f"  {self.conditions}. {self.source}",
        ]
        lines += [
            f"  {r.name}: computed {r.computed:.2f} {r.unit}, published {r.published:g} "
            f"({r.computed - r.published:+.2f}, scale {r.scale:g})"
            for r in self.residuals
        ]
        if self.sensitivities:
            lines.append("  sensitivity, all else kept:")
        lines += [s.to_text() for s in self.sensitivities]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one model is fitted to.

    Attributes
    ----------
    model : str
    conditions : str
        What was computed, with what the source leaves open.
    source : str
    setup : callable (Rig) -> Setup
        The experiment whose figures the sensitivity table shows.
    residuals : callable (Rig) -> iterable of Residual
    isotherms : tuple of float
        degC, of the sensitivity table.
    starts_degc : tuple of two float
        Start temperatures (and blood) of the sensitivity table.
    tapers_mm : tuple of float
        Lengths of the taper to choose from; empty to keep the shipped one.
    """

    model: str
    conditions: str
    source: str
    setup: Callable[[Rig], Setup]
    residuals: Callable[[Rig], Iterable[Residual]]
    isotherms: tuple[float, ...]
    starts_degc: tuple[float, float]
    tapers_mm: tuple[float, ...] = ()


def _residual(name: str, computed: float, found: Figure, scale: float) -> Residual:
    assert found.value is not None  # the rows used here are numbers
    return Residual(name=name, computed=computed, published=found.value, scale=scale, unit=found.unit)


def _icesphere(rig: Rig) -> Iterable[Residual]:
    size = experiments.icesphere_in_gel(rig).run().size(0.0)
    width, length = experiments.icesphere_ball()
    yield _residual("ice width", size.width_mm, width, width.uncertainty or 1.0)
    yield _residual("ice length", size.length_mm, length, length.uncertainty or 1.0)
    sensor = experiments.shaft_trace(experiments.icesphere_in_saline(rig).run())
    yield Residual(
        name=f"shaft trace, RMSE, sensor {sensor.bead_mm:.2f} mm outside the wall", computed=sensor.rmse_degc,
        published=0.0, scale=experiments.DEGREES_TRACE, unit="degC",
    )  # fmt: skip


def _endocare(rig: Rig) -> Iterable[Residual]:
    size = experiments.littrup_in_agar(rig).run().size(-30.0)
    yield _residual("-30 degC diameter", size.width_mm, experiments.lethal_diameter(), experiments.LETHAL_MM)


@lru_cache(maxsize=4)
def _lethal_width(setup: Setup) -> float:
    return setup.run().size(-30.0).width_mm


def _endocare_thin(rig: Rig) -> Iterable[Residual]:
    # The thick probe stays the same while h of the thin one is tried.
    thick = _lethal_width(experiments.littrup_in_agar(rig))
    thin = experiments.littrup_in_agar(rig, "endocare-1.7mm").run().size(-30.0).width_mm
    ratio = experiments.lethal_ratio()
    # Its scale: the 1 mm that the diameter itself is known to, of 12.
    yield _residual("-30 degC diameter against the 2.4 mm probe", 100.0 * thin / thick, ratio, 100.0 / 12.0)


def _accuprobe(rig: Rig) -> Iterable[Residual]:
    outcome = experiments.seifert_in_liver(rig).run()
    for found in experiments.seifert_diameters():
        degc = found.isotherm_degc or 0.0
        assert found.value is not None
        yield _residual(
            f"{degc:g} degC diameter", outcome.size(degc).width_mm, found,
            experiments.LIVER_PART * found.value,
        )  # fmt: skip


TARGETS = (
    Target(
        model="icesphere-17g",
        conditions=f"gel {experiments.GEL_DEGC:g} degC, 10 min (both assumed); saline 30.7 degC, 190 s, thaw",
        source=experiments.icesphere_ball()[0].source,
        setup=experiments.icesphere_in_gel,
        residuals=_icesphere,
        isotherms=(0.0, -40.0),
        starts_degc=(25.0, 37.0),
        tapers_mm=(2.0, 5.0, 10.0),
    ),
    Target(
        model="endocare-2.4mm",
        conditions="agar 39 degC, 15 min",
        source=experiments.lethal_diameter().source,
        setup=experiments.littrup_in_agar,
        residuals=_endocare,
        isotherms=(0.0, -30.0),
        starts_degc=(35.0, 39.0),
    ),
    Target(
        model="endocare-1.7mm",
        conditions="agar 39 degC, 15 min, against the fitted 2.4 mm probe (published: 1-4 probes pooled)",
        source=experiments.lethal_ratio().source,
        setup=lambda rig: experiments.littrup_in_agar(rig, "endocare-1.7mm"),
        residuals=_endocare_thin,
        isotherms=(0.0, -30.0),
        starts_degc=(35.0, 39.0),
    ),
    Target(
        model="accuprobe-8mm-ln2",
        conditions="perfused liver, liver and blood 37 degC, 20 min",
        source=experiments.seifert_diameters()[0].source,
        setup=experiments.seifert_in_liver,
        residuals=_accuprobe,
        isotherms=(0.0, -38.0),
        starts_degc=(33.0, 37.0),
    ),
)
"""In this order: the thin Endocare probe is compared with the fitted thick one."""


def calibrate(
    *,
    only: str | None = None,
    spacing_mm: float = 1.0,
    sensitivity: bool = True,
    models: Mapping[str, ProbeModel] | None = None,
    progress: Progress = SILENT,
) -> tuple[Fit, ...]:
    """Fit every model that has single-probe data, or only one.

    Parameters
    ----------
    only : str, optional
        Id of a probe model.
    spacing_mm : float
        1 for the shipped numbers, 2 for a quick look.
    sensitivity : bool
        Also compute the sensitivity tables.
    models : mapping, optional
        Where the other numbers of the models are from; the shipped catalogue by default.
    progress : Progress

    Raises
    ------
    KeyError
        If there is no single-probe experiment of `only`.
    Cancelled
        When `progress` says so.
    """
    targets = [t for t in TARGETS if only in (None, t.model)]
    if not targets:
        raise KeyError(only)
    rig = Rig(models=dict(models or load_catalogue()), spacing_mm=spacing_mm)
    fits = []
    for number, target in enumerate(targets):

        def look(text: str, target: Target = target, number: int = number) -> None:
            check_cancelled(progress)
            progress.report(ProgressReport(fraction=number / len(targets), text=f"{target.model}: {text}"))

        fit = _fit(target, rig, look)
        rig = _with(rig, target.model, fit.fitted, fit.taper_mm)
        if sensitivity:
            look("sensitivity")
            found = sensitivities(
                target.setup(rig), isotherms_degc=target.isotherms, starts_degc=target.starts_degc, look=look
            )
            fit = replace(fit, sensitivities=(*found, *_of_trace(target, rig, look)))
        fits.append(fit)
    progress.report(ProgressReport(fraction=1.0, text="Done"))
    return tuple(fits)


def _with(rig: Rig, model: str, h: float, taper_mm: float) -> Rig:
    old = rig.models[model]
    new = replace(
        old,
        exchange_coefficient=replace(old.exchange_coefficient, value=h),
        taper=replace(old.taper, value=taper_mm),
    )
    return replace(rig, models={**rig.models, model: new})


def _cost(residuals: Iterable[Residual]) -> float:
    return float(sum(r.counted**2 for r in residuals))


def _fit(target: Target, rig: Rig, look: Callable[[str], None]) -> Fit:
    shipped = rig.models[target.model]
    known: dict[tuple[float, float], tuple[Residual, ...]] = {}

    def at(h: float, taper: float) -> tuple[Residual, ...]:
        if (h, taper) not in known:
            look(f"h {h:.0f}, taper {taper:g} mm")
            known[h, taper] = tuple(target.residuals(_with(rig, target.model, h, taper)))
        return known[h, taper]

    tapers = target.tapers_mm or (shipped.taper.value,)
    # The taper is chosen in the middle of the range of h: its effect hardly depends on h.
    taper = min(tapers, key=lambda mm: (_cost(at(COEFFICIENTS[6], mm)), mm)) if len(tapers) > 1 else tapers[0]
    best = min(COEFFICIENTS, key=lambda h: _cost(at(h, taper)))
    for _ in range(3):
        best = _parabola(best, lambda h: _cost(at(h, taper)))
    fitted = float(np.clip(10.0 * round(best / 10.0), COEFFICIENTS[0], COEFFICIENTS[-1]))
    residuals = at(fitted, taper)
    low, high = _range(fitted, sorted(h for h, mm in known if mm == taper), lambda h: at(h, taper))
    return Fit(
        model=target.model, source=target.source, conditions=target.conditions,
        shipped=shipped.exchange_coefficient.value, fitted=fitted, low=low, high=high, taper_mm=taper,
        cost=_cost(residuals), residuals=residuals,
    )  # fmt: skip


def _parabola(h: float, cost: Callable[[float], float]) -> float:
    """Return the bottom of the parabola in ln h through three costs, at most three steps away."""
    # Rounded, so that rounding errors of an earlier step give no new value of h.
    lower, upper = round(h * (1.0 - STEP), 1), round(h * (1.0 + STEP), 1)
    x = np.log([lower, h, upper])
    y = np.array([cost(lower), cost(h), cost(upper)])
    curve, slope, _ = np.polyfit(x - x[1], y, 2)
    width = x[2] - x[0]
    move = -0.5 * slope / curve if curve > 0.0 else -np.sign(slope) * width
    bottom = float(np.exp(x[1] + np.clip(move, -1.5 * width, 1.5 * width)))
    return round(float(np.clip(bottom, COEFFICIENTS[0], COEFFICIENTS[-1])), 1)


def _range(
    fitted: float, tried: list[float], at: Callable[[float], tuple[Residual, ...]]
) -> tuple[float, float]:
    """Return the h, on both sides of `fitted`, at which the first figure leaves its scale."""

    def excess(h: float) -> float:
        return max(abs(r.counted) for r in at(h)) - 1.0

    if excess(fitted) > 0.0:
        return fitted, fitted
    ends = []
    for side in (sorted((h for h in tried if h < fitted), reverse=True), [h for h in tried if h > fitted]):
        inside, end = fitted, None
        for h in side:
            over = excess(h)
            if over > 0.0:
                # Between two tried values the figures are lines in ln h.
                under = excess(inside)
                part = under / (under - over)
                end = inside * (h / inside) ** part
                break
            inside = h
        ends.append(round(inside if end is None else end, -1))
    return ends[0], ends[1]


def _of_trace(target: Target, rig: Rig, look: Callable[[str], None]) -> Iterable[Sensitivity]:
    if target.residuals is not _icesphere:
        return ()
    return trace_sensitivities(experiments.icesphere_in_saline(rig), look)
