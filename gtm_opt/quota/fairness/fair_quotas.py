"""`fair_quotas`: the allocation whose worst-placed seat is best off, with the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import Findings, InfeasibleError, shorten
from gtm_opt.model.frames import takes_tables
from gtm_opt.quota.bounds import own_bounds, read_bounds
from gtm_opt.quota.edges import Edges, find_ceilings
from gtm_opt.quota.fairness.certificate import build_certificate
from gtm_opt.quota.fairness.levelling import level_ratios
from gtm_opt.quota.fairness.problem import FairProblem
from gtm_opt.quota.fairness.result import FairQuotas
from gtm_opt.quota.fairness.scales import OddsScale, RatioScale
from gtm_opt.quota.inputs import read_edges, read_plan_units
from gtm_opt.quota.layers import Layers, TreeLike
from gtm_opt.quota.node_table import build_node_table
from gtm_opt.quota.result import Quotas
from gtm_opt.quota.rounding import UNBOUNDED
from gtm_opt.quota.weights import read_metric

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    import pandas as pd
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.quota.fairness.scales import Scale

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float64]

__all__ = ["fair_quotas"]

_SMALLEST_CV = 0.01


@takes_tables("metrics", "bounds")
def fair_quotas(
    tree: TreeLike,
    target: float,
    *,
    by: str | pd.Series[float] = "share",
    metrics: pd.DataFrame | None = None,
    over_assign: float | Mapping[str, float] | None = None,
    bounds: pd.DataFrame | None = None,
    unit: int = 1_000,
    calendar: Calendar | None = None,
    currency: str = "",
) -> FairQuotas:
    """Hand a plan down so that the worst-placed seller is as well off as any allocation allows, and prove it.

    Parameters
    ----------
    tree : Hierarchy
        Seats are its leaves.
    target : float
        Quota of the root; a multiple of `unit`.
    by : str or Series
        What a seat's quota is compared with: a column of `metrics` ("potential", "capacity", last year), ``"share"``
        of the hierarchy, a Series by node id, or ``"odds"``: the chance to miss the quota, from the columns
        ``capacity`` (expected bookings) and ``attain_cv`` (coefficient of variation, at least 0.01) of `metrics`.
        Seats where it is 0 cannot be compared: they get their floor, and the result says so.
    metrics : DataFrame, optional
        One row per seat (``node_id``, as column or index).
    over_assign, bounds, unit, calendar, currency
        As for `cascade`.

    Returns
    -------
    FairQuotas
        With ``quotas``, ``worst_ratio``, ``certificate``.

    Raises
    ------
    DataError
        With every finding in the arguments.
    InfeasibleError
        If no allocation keeps the bounds; with the reachable range.

    Notes
    -----
    The ratio is quota over base. First the highest ratio is minimized, then the next highest, and so on (leximax).
    For a threshold every seat has a largest whole number of units; carried up the edges these caps decide exactly
    whether an allocation exists, floors, caps, pins and over-assignment at any node included. Bisection then gives
    the worst ratio, and the caps just below it are the proof that it is the lowest.

    The ratios after the worst are exact as well where no edge below the root's children has over-assignment or a
    reserve (`FairQuotas.order_is_exact`): the feasible quotas then are the whole points of a base polyhedron, where
    the greedy order is optimal. O(depth * 60 * n).
    """
    found = Findings()
    layers = Layers.of(tree)
    plan = read_plan_units(target, unit, found)
    factors = read_edges(over_assign, layers, found)
    scale = _read_scale(by, metrics, layers, unit, found)
    if not found:
        read_bounds(bounds, layers, unit, factors, plan, found)
    own = None if found else own_bounds(bounds, layers, unit, found, factors)
    found.raise_if_any()
    ceilings = find_ceilings(layers, factors, plan)
    floors, own_caps = (np.zeros(len(layers), np.int64), np.full(len(layers), UNBOUNDED)) if own is None else own[:2]
    notes = _exclude_seats(scale, layers, floors, own_caps)
    edges = Edges.of(factors, int(ceilings.max(initial=0)))
    problem = FairProblem(layers, edges, floors, own_caps, ceilings, scale, plan)
    worst = problem.worst_ratio()
    if not np.isfinite(worst):
        text = "no allocation keeps the bounds: the seats with something to compare cannot take the plan."
        raise InfeasibleError([text + (f" {notes[0]}" if notes else "")], "Raise caps, or give the others a base.")
    units = level_ratios(problem, worst)
    at_bound = np.where(units == own_caps, 1, np.where((floors > 0) & (units == floors), -1, 0)).astype(np.int64)
    base = scale.columns()["base"]
    weight = _shares_of_siblings(layers, np.where(np.isinf(base), 0.0, base))
    quotas = Quotas(
        table=build_node_table(tree, layers, units * unit, weight, factors, at_bound),
        target=plan * unit,
        unit=unit,
        calendar=None if calendar is None else calendar.first_year(),
        notes=tuple(notes),
        currency=currency,
    )
    quotas.tie_out()
    name = by if isinstance(by, str) else str(by.name or "base")
    return FairQuotas(quotas, name, worst, build_certificate(problem, worst), _order_is_exact(layers, factors), problem)


def _read_scale(
    by: str | pd.Series[float], metrics: pd.DataFrame | None, layers: Layers, unit: int, found: Findings
) -> Scale:
    if isinstance(by, str) and by == "odds":
        mean = read_metric("capacity", layers, "capacity", metrics, found)
        cv = read_metric("attain_cv", layers, "attain_cv", metrics, found)
        narrow = layers.is_leaf & (cv < _SMALLEST_CV) & (mean > 0)
        if narrow.any() and not found:
            ids = np.array(layers.ids, dtype=object)[narrow]
            found.add("metrics['attain_cv']", f"must be at least {_SMALLEST_CV}", rows=ids, kind="seat")
        return OddsScale(np.where(mean > 0, mean, np.inf), np.sqrt(np.log1p(np.maximum(cv, _SMALLEST_CV) ** 2)), unit)
    name = by if isinstance(by, str) else "weights"
    base = read_metric(name, layers, by, metrics, found)
    if not found and not (base[layers.is_leaf] > 0).any():
        found.add("by", "must be positive for at least one seat", got="nothing but zeros")
    return RatioScale(np.where(base > 0, base, np.inf), unit)


def _exclude_seats(scale: Scale, layers: Layers, floors: IntArray, caps: IntArray) -> list[str]:
    """Give seats without a base their floor, in place, and say so."""
    blank = layers.is_leaf & np.isinf(scale.columns()["base"])
    if not blank.any():
        return []
    caps[blank] = floors[blank]
    ids = np.array(layers.ids, dtype=object)[blank].tolist()
    return [f"Nothing to compare with for {shorten(ids)}: these seats get their floor."]


def _shares_of_siblings(layers: Layers, base: FloatArray) -> FloatArray:
    sums = layers.roll_up(base, ~layers.is_leaf)
    out = np.ones(len(layers))
    for layer in layers.down():
        total = np.add.reduceat(sums[layer.nodes], layer.starts)[layer.group]
        out[layer.nodes] = np.divide(sums[layer.nodes], total, out=np.zeros(len(total)), where=total > 0)
    return out


def _order_is_exact(layers: Layers, factors: list[Fraction]) -> bool:
    """Whether no edge skips totals where a parent's own quota is still open."""
    inner = np.flatnonzero(~layers.is_leaf)
    return all(factors[n] == 1 for n in inner.tolist() if n != 0)
