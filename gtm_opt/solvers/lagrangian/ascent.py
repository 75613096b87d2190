"""Prices of the balance bands: ascent through falling temperatures, on a sample first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.lagrangian.blocks import Blocks, read_block
from gtm_opt.solvers.lagrangian.dual import Dual, survey_costs
from gtm_opt.solvers.lagrangian.newton import Climber
from gtm_opt.solvers.lagrangian.sampling import stratified_sample, stretch_of

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, Rows
    from gtm_opt.solvers.protocol import Run

__all__ = ["Prices", "Stage", "reduced_costs", "sample_prices", "solve_prices"]

SAMPLE = 20_000
"""Units in the sample that finds the first prices of a large instance."""

_HOT, _COLD, _FALL = 0.3, 0.0001, 0.4
_WARM = 0.0016
_COLDEST = 1e-6
_SLACK = 1e-5
_LEAST_SPAN = 0.1
_AGREE = 1e-5
"""Where the duals of sample and instance differ by less than this, relatively, the ascent goes on where it ended."""
_STAGES = 9
_STEPS_EACH = 15
_LAST_STEPS = 30
_RELATIVE_TOLERANCE = 2e-7
_VIOLATION = 1e-4
"""Bands of the softmin shares, as a fraction of a target: rounding assigns in proportion to the shares."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Where the ascent stood at one temperature: its softmin shares nearly meet the bands.

    Attributes
    ----------
    prices : ndarray of shape (n_territories, n_criteria)
    side_prices : ndarray of shape (n_side_rows,)
    heat : ndarray of shape (1 + n_criteria + n_side_rows,)
        Temperature of a unit: ``heat[0] + heat[1:] . (its activities, its largest use of each side row)``.
    """

    prices: FloatArray
    side_prices: FloatArray
    heat: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Multipliers of the balance bands and side rows, with the bound they prove.

    Attributes
    ----------
    prices : ndarray of shape (n_territories, n_criteria)
        Per unit of activity; > 0 presses a total down, < 0 draws it up.
    side_prices : ndarray of shape (n_side_rows,)
        Per unit of the side row, >= 0.
    bound : float
        Lower bound on the objective of every assignment that keeps the hard bands and side rows
        (``inf`` when some unit has no allowed territory).
    iterations : int
        Passes over the units.
    proved_infeasible : bool
        The bound exceeds what any assignment can cost: bands, bars and side rows contradict each
        other even if units could be divided.
    sampled : int
        Units of the sample the ascent began on, 0 if it began on all.
    temperature : float
        Last temperature, in units of cost.
    stages : tuple of Stage
        The last few temperatures, coldest first; rounding starts from them.
    """

    prices: FloatArray
    side_prices: FloatArray
    bound: float
    iterations: int = 0
    proved_infeasible: bool = False
    sampled: int = 0
    temperature: float = 0.0
    stages: tuple[Stage, ...] = ()


def reduced_costs(instance: Instance, prices: FloatArray, side_prices: FloatArray, rows: Rows) -> FloatArray:
    """Return preference cost plus the price of what each unit brings, shape (len(rows), n_territories).

    Parameters
    ----------
    instance : Instance
    prices : ndarray of shape (n_territories, n_criteria)
    side_prices : ndarray of shape (n_side_rows,)
    rows : slice or ndarray of int

    Returns
    -------
    ndarray
        ``inf`` where forbidden. At the best prices a unit sits where this is lowest; the distance to the
        second lowest is its margin.
    """
    from gtm_opt.solvers.lagrangian._kernels import reduced

    block = read_block(instance, rows)
    reduced(
        block.cost,
        block.activities,
        block.side,
        np.array(prices, dtype=np.float64, order="C"),
        np.array(side_prices, dtype=np.float64),
    )
    return block.cost


def solve_prices(
    instance: Instance, run: Run, effort: float = 1.0, start: Prices | None = None, workers: int | None = None
) -> Prices:
    """Maximize the Lagrangian dual of bands and side rows.

    Parameters
    ----------
    instance : Instance
        ``apart`` groups and ``evenness`` are not seen by the prices; the bound stays valid for the
        cost objective.
    run : Run
    effort : float
        Multiplies the iteration budget.
    start : Prices, optional
        Prices of a similar instance: the ascent begins cooler.
    workers : int, optional
        Threads; does not change the result.

    Returns
    -------
    Prices

    Notes
    -----
    With multipliers ``y`` of the bands (and ``u >= 0`` of the side rows) every unit decides alone, so

        D(y, u) = sum_i min_k ( c_ik + w_i . y_k + a_ik . u ) - sum_kj ( U_kj y_kj+ - L_kj y_kj- ) - b . u

    bounds the objective from below for every ``y`` with ``|y_kj| <= penalty_j / target_kj``. The inner
    minimum is smoothed by a softmin of falling temperature, and each smooth dual climbed by Newton
    steps whose quadratic model keeps the kinks at ``y = 0`` and the box exactly. The reported bound is
    the plain dual, with compensated sums, less an allowance for rounding.

    One pass costs O(n K m) plus O(m^2) per pair of territories between which a unit is torn. Large
    instances are first solved on a stratified sample that holds the largest units. Deterministic.

    References
    ----------
    Geoffrion (1974), "Lagrangean relaxation for integer programming", doi:10.1007/BFb0120690.
    Nesterov (2005), "Smooth minimization of non-smooth functions", doi:10.1007/s10107-004-0552-5.
    """
    with Blocks(instance, workers=workers) as blocks:
        first = survey_costs(blocks)
        if first.impossible:
            return _nothing(instance)
        scale = first.spread / max(first.n_units, 1.0)
        scale = scale if scale > 0 else 1.0
        unit = scale * first.n_units / instance.n_territories
        sampled, point, slope, hot = 0, None, None, _HOT
        earlier: list[Stage] = []
        if start is not None:
            point = Dual(instance, first.spread).join(start.prices, start.side_prices)
        passes = 0
        if instance.n_units > 3 * SAMPLE and point is None:
            units, weight = stratified_sample(instance, SAMPLE)
            stretch = stretch_of(instance, units, weight)
            sampled = len(units)
            with Blocks(instance, units, weight, workers) as part:
                climber = _climber(Dual(instance, first.spread, stretch), run, None, unit)
                _cool(climber, part, scale, _HOT, effort, report=False)
            point, slope, hot, passes = _hand_over(climber, blocks, Dual(instance, first.spread), scale)
            earlier = [Stage(*climber.dual.split(at), heat) for at, heat in reversed(climber.stages)]
        elif point is not None:
            hot = _WARM
        climber = _climber(Dual(instance, first.spread), run, point, unit)
        climber.slope = slope
        coldest = _cool(climber, blocks, scale, hot, effort)
        dual = climber.dual
    prices, side_prices = dual.split(climber.best_point)
    stages = tuple(Stage(*dual.split(at), heat) for at, heat in climber.stages[: -_STAGES - 1 : -1])
    stages += tuple(stage for stage in earlier if stage.heat[0] > stages[-1].heat[0])[: _STAGES - len(stages)]
    most = first.largest + _largest_penalty(instance)
    proved = climber.bound > most + 1e-9 * max(abs(most), first.spread)
    return Prices(prices, side_prices, climber.bound, passes + climber.passes, proved, sampled, coldest, stages)


def sample_prices(instance: Instance, run: Run, size: int, *, effort: float = 1.0, slack: float = _SLACK) -> Prices:
    """Return prices of a calibrated sample; their bound is minus infinity, because it would be the sample's.

    Parameters
    ----------
    instance : Instance
    run : Run
    size : int
        Units in the sample, see `gtm_opt.solvers.lagrangian.sampling.stratified_sample`.
    effort : float
        Multiplies the iteration budget.
    slack : float
        The ascent ends when smoothing costs at most this fraction of the bound.

    Notes
    -----
    Any prices prove a bound for all units (`gtm_opt.carving.certificate.dual_bound`), at the cost of one pass.
    """
    with Blocks(instance) as blocks:
        first = survey_costs(blocks)
    if first.impossible:
        return _nothing(instance)
    scale = first.spread / max(first.n_units, 1.0)
    scale = scale if scale > 0 else 1.0
    unit = scale * first.n_units / instance.n_territories
    units, weight = stratified_sample(instance, size)
    dual = Dual(instance, first.spread, stretch_of(instance, units, weight))
    with Blocks(instance, units, weight) as part:
        climber = _climber(dual, run, None, unit)
        coldest = _cool(climber, part, scale, _HOT, effort, report=False, enough=slack)
    prices, side_prices = dual.split(climber.best_point)
    return Prices(prices, side_prices, -np.inf, climber.passes, sampled=len(units), temperature=coldest)


def _hand_over(
    sample: Climber, blocks: Blocks, dual: Dual, scale: float
) -> tuple[FloatArray, FloatArray | None, float, int]:
    """Return where all units begin after the sample: point, its slope, temperature, and passes so far.

    A calibrated sample often has the very dual of all units; then nothing is left to do but to confirm it. Else the
    ascent begins again where the sample was at `_COLD`.
    """
    point, heat = sample.stages[-1]
    value = dual.evaluate(blocks, point, heat)
    if abs(value.bound - sample.bound) <= _AGREE * abs(value.bound):
        return point, sample.slope, float(heat[0]) / scale, sample.passes + 1
    cold = [at for at, heat in sample.stages if heat[0] >= _COLD * scale * 0.999]
    return cold[-1] if cold else point, sample.slope, _COLD, sample.passes + 1


def _climber(dual: Dual, run: Run, point: FloatArray | None, unit: float) -> Climber:
    point = np.zeros(dual.n_multipliers) if point is None else point
    point = np.clip(point, dual.limits.low, dual.limits.high)
    return Climber(dual, run, point, point, unit)


def _cool(
    climber: Climber,
    blocks: Blocks,
    scale: float,
    hot: float,
    effort: float,
    *,
    report: bool = True,
    enough: float = 0.0,
) -> float:
    """Climb at temperatures that fall from ``hot`` times ``scale``; return the last one.

    Down to `_COLD`, and on to `_COLDEST` as long as the smoothing still costs more than
    `_SLACK` of the bound: where many units are torn it does, elsewhere this ends at once.
    It ends earlier, at any temperature, where smoothing costs at most ``enough`` of the bound.
    """
    factor, budget = hot, min(effort, 1e6)
    while True:
        last = factor <= _COLD * 1.0001
        steps = max(1, round((_LAST_STEPS if last else _STEPS_EACH) * budget))
        size = max(abs(climber.bound), scale) if np.isfinite(climber.bound) else scale
        tolerance = _RELATIVE_TOLERANCE * (1.0 if last else 300.0) * size
        heat = climber.dual.heat(factor, scale, climber.point, _LEAST_SPAN * climber.unit)
        climber.climb(blocks, heat, steps, tolerance, _VIOLATION)
        climber.keep_stage(heat)
        if report:
            climber.run.report("prices", bound=climber.bound)
        small = climber.slack <= _SLACK * abs(climber.bound) or factor <= _COLDEST
        if climber.run.stop() or (last and small) or climber.slack < enough * abs(climber.bound):
            return factor * scale
        factor = factor * _FALL if last else max(_COLD, factor * _FALL)


def _largest_penalty(instance: Instance) -> float:
    """Return an upper limit on what elastic bands can cost."""
    elastic = np.isfinite(instance.penalty)
    if not elastic.any():
        return 0.0
    most = instance.activities3().max(axis=1).sum(axis=0)
    scale = np.where(instance.target > 0, instance.target, 1.0)
    excess = np.maximum(np.maximum(instance.lower, most - instance.upper), 0.0) / scale
    return float((excess[:, elastic] * instance.penalty[elastic]).sum())


def _nothing(instance: Instance) -> Prices:
    """Return what there is to say when a unit is forbidden everywhere."""
    return Prices(np.zeros(instance.target.shape), np.zeros(len(instance.side)), np.inf, proved_infeasible=True)
