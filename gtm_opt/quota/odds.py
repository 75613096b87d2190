"""The odds of the letter: the chance that each seller, manager and the company make their number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.quota.layers import Layers
from gtm_opt.quota.weights import read_metric
from gtm_opt.sales_capacity import plan_probability, required_coverage, share_at_quota

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.quota.result import Quotas
    from gtm_opt.sales_capacity import Odds

    FloatArray = NDArray[np.float64]

__all__ = ["QuotaOdds", "least_over_assignment", "over_assignment_odds", "quota_odds"]


@dataclass(frozen=True, eq=False)
class QuotaOdds:
    """Chances under one set of quotas.

    Attributes
    ----------
    table : DataFrame
        One row per node: ``node_id``, ``level``, ``seats`` (leaves at or below), ``quota``, ``expected`` (bookings),
        ``sd``, ``coverage`` (expected over quota), ``p_attain``, ``expected_at_quota`` and ``sd_at_quota`` (number
        of seats at or below that make their quota).
    method : str
        "closed form" or "simulation of N paths".
    """

    table: pd.DataFrame
    method: str

    @property
    def p_plan(self) -> float:
        """Chance that the root makes its number."""
        return float(self.table.loc[self.table["seats"] == self.table["seats"].max(), "p_attain"].iloc[0])

    @property
    def share_at_quota(self) -> float:
        """Expected share of the seats that make their quota."""
        top = self.table.sort_values("seats", ascending=False, kind="stable").iloc[0]
        return float(top["expected_at_quota"] / top["seats"])

    def summary(self) -> pd.DataFrame:
        """Return per level: nodes, mean chance, and the expected number that make it."""
        levels = self.table.groupby("level", sort=False)["p_attain"].agg(["size", "mean", "min", "max", "sum"])
        levels.columns = pd.Index(["nodes", "mean_p", "lowest_p", "highest_p", "expected_to_make_it"])
        return levels.reset_index()

    def __repr__(self) -> str:
        return f"QuotaOdds ({self.method}): plan {self.p_plan:.1%}, {self.share_at_quota:.0%} of sellers at quota"


@takes_tables("expected")
def quota_odds(
    quotas: Quotas,
    expected: pd.DataFrame | None = None,
    *,
    correlation: float = 0.0,
    simulation: Odds | None = None,
) -> QuotaOdds:
    """Return the chance that each seller, manager and the company make their number.

    Parameters
    ----------
    quotas : Quotas
    expected : DataFrame, optional
        One row per seat: ``node_id``, ``capacity`` (expected bookings of the year), ``attain_cv`` (coefficient of
        variation of a seller's result, > 0). For closed forms.
    correlation : float
        Of the results of two sellers, 0 to 1 (not included). For closed forms; errors are never independent, and 0
        makes every total look safer than it is.
    simulation : Odds, optional
        From `gtm_opt.simulate`: its paths are used instead of closed forms, seat by seat, so that these odds and
        those of capacity rest on the same random numbers. Seats of the tree that it does not know book nothing.

    Returns
    -------
    QuotaOdds

    Raises
    ------
    DataError
        With every finding: both or neither source, seats without numbers, a correlation out of range.

    Notes
    -----
    A seat's result is lognormal: ``P = Phi(-(ln(Q / mu) + s^2 / 2) / s)`` with ``s^2 = ln(1 + cv^2)`` (5). A total is
    taken as normal with variance ``(1 - rho) sum sd_i^2 + rho (sum sd_i)^2`` (8), which is good for ten seats or
    more and light in the tail for fewer: simulate those. The number at quota has the spread of independent seats in
    closed form, the simulated one with a simulation.
    """
    found = Findings()
    if (expected is None) == (simulation is None):
        found.add(
            "quota_odds", "must be given either expected or simulation", got="both" if expected is not None else ""
        )
    number = isinstance(correlation, int | float | np.number) and not isinstance(correlation, bool)
    if not number or not 0 <= float(correlation) < 1:
        found.add("correlation", "must lie within 0 and 1, 1 not included", got=repr(correlation))
    found.raise_if_any()
    layers = Layers.of(quotas)
    quota = quotas.table["quota"].to_numpy(dtype=np.float64)[layers.row]
    if simulation is not None:
        columns = _simulate(layers, quota, simulation)
        method = f"simulation of {simulation.paths:,} paths"
    else:
        columns = _close(layers, quota, expected, float(correlation), found)
        method = "closed form"
    mean, sd, chance, at_quota, sd_at_quota = columns
    seats = layers.roll_up(layers.is_leaf.astype(np.float64), ~layers.is_leaf)
    frame = pd.DataFrame(
        {
            "node_id": layers.ids,
            "level": layers.level,
            "seats": seats.astype(np.int64),
            "quota": quota.astype(np.int64),
            "expected": mean,
            "sd": sd,
            "coverage": np.divide(mean, quota, out=np.full(len(quota), np.inf), where=quota > 0),
            "p_attain": chance,
            "expected_at_quota": at_quota,
            "sd_at_quota": sd_at_quota,
        }
    )
    return QuotaOdds(frame, method)


def _close(
    layers: Layers, quota: FloatArray, expected: pd.DataFrame | None, correlation: float, found: Findings
) -> tuple[FloatArray, ...]:
    from scipy.special import ndtr

    mean = read_metric("capacity", layers, "capacity", expected, found)
    cv = read_metric("attain_cv", layers, "attain_cv", expected, found)
    leaf = layers.is_leaf
    wrong = leaf & (mean > 0) & ~(cv > 0)
    if wrong.any() and not found:
        ids = np.array(layers.ids, dtype=object)[wrong]
        found.add("expected['attain_cv']", "must be above 0", rows=ids, kind="seat")
    found.raise_if_any()
    mean = layers.roll_up(np.where(leaf, mean, 0.0), ~leaf)
    own_sd = np.where(leaf, mean * cv, 0.0)
    linear = layers.roll_up(own_sd, ~leaf)
    square = layers.roll_up(own_sd**2, ~leaf)
    sd = np.sqrt(np.where(leaf, own_sd**2, (1.0 - correlation) * square + correlation * linear**2))
    s = np.sqrt(np.log1p(np.where(leaf & (cv > 0), cv, 1.0) ** 2))
    ratio = np.divide(quota, mean, out=np.full(len(quota), np.inf), where=mean > 0)
    with np.errstate(divide="ignore"):
        seat_chance = ndtr(-(np.log(ratio) + s * s / 2.0) / s)
    margin = np.divide(mean - quota, sd, out=np.where(mean >= quota, np.inf, -np.inf), where=sd > 0)
    chance = np.where(quota <= 0, 1.0, np.where(leaf, seat_chance, ndtr(margin)))
    at_quota = layers.roll_up(np.where(leaf, chance, 0.0), ~leaf)
    spread = layers.roll_up(np.where(leaf, chance * (1.0 - chance), 0.0), ~leaf)
    return mean, sd, chance, at_quota, np.sqrt(spread)


def _simulate(layers: Layers, quota: FloatArray, simulation: Odds) -> tuple[FloatArray, ...]:
    from gtm_opt.sales_capacity.odds.seats import seat_totals

    calendar = simulation.request.calendar
    year = np.arange(calendar.n_periods, dtype=np.int64) // calendar.periods_py
    index = {node: n for n, node in enumerate(layers.ids)}
    n, paths = len(layers), simulation.paths
    inner = np.flatnonzero(~layers.is_leaf)
    place = np.full(n, -1, dtype=np.int64)
    place[inner] = np.arange(len(inner))
    totals, hits = np.zeros((len(inner), paths)), np.zeros((len(inner), paths))
    mean, sd, chance = np.zeros(n), np.zeros(n), np.where(quota > 0, 0.0, 1.0)
    for seat, bookings in seat_totals(simulation.request, year):
        if seat not in index:
            continue
        node, result = index[seat], bookings[:, 0]
        made = result >= quota[node]
        mean[node], sd[node], chance[node] = result.mean(), result.std(), made.mean()
        above = int(layers.parent[node])
        while above >= 0:
            totals[place[above]] += result
            hits[place[above]] += made
            above = int(layers.parent[above])
    mean[inner], sd[inner] = totals.mean(axis=1), totals.std(axis=1)
    chance[inner] = (totals >= quota[inner, None]).mean(axis=1)
    at_quota, spread = chance.copy(), np.sqrt(chance * (1.0 - chance))
    at_quota[inner], spread[inner] = hits.mean(axis=1), hits.std(axis=1)
    return mean, sd, chance, at_quota, spread


def over_assignment_odds(
    over_assign: Sequence[float] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25),
    *,
    attainment: float,
    cv: float,
    n: int,
    correlation: float,
) -> pd.DataFrame:
    """Return what over-assignment buys at one level, and what it costs in sellers at quota.

    Parameters
    ----------
    over_assign : sequence of float
        Fractions to compare.
    attainment : float
        Expected bookings over quota without over-assignment, > 0.
    cv, n, correlation
        Spread of a seller's result, number of sellers below, correlation of two results; see `plan_probability`.

    Returns
    -------
    DataFrame
        ``over_assign``; ``break_even_attainment``: what sellers must reach of their quotas on average for the node
        above to make its number; and under two opposite assumptions the chance of the node above and the share of
        sellers at quota. ``p_plan_if_effort_follows``, ``at_quota_if_effort_follows``: sellers reach the same part of
        a higher quota. ``p_plan_if_capacity_fixed``, ``at_quota_if_capacity_fixed``: they book what they would have
        booked; over-assignment then buys nothing and costs winners. The truth lies between.

    Examples
    --------
    >>> table = over_assignment_odds([0.0, 0.1], attainment=1.0, cv=0.5, n=50, correlation=0.1)
    >>> table["p_plan_if_effort_follows"].round(4).tolist()
    [0.5, 0.7017]
    >>> table["at_quota_if_capacity_fixed"].round(4).tolist()
    [0.4066, 0.3307]
    """
    found = Findings()
    for value in over_assign:
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not -1 < float(value) <= 10:
            found.add("over_assign", "must be fractions above -1 and up to 10", got=repr(value))
    found.raise_if_any()
    rows = []
    for value in over_assign:
        factor = 1.0 + float(value)
        rows.append(
            {
                "over_assign": float(value),
                "break_even_attainment": 1.0 / factor,
                "p_plan_if_effort_follows": plan_probability(attainment * factor, cv, n=n, correlation=correlation),
                "at_quota_if_effort_follows": share_at_quota(1.0 / attainment, cv),
                "p_plan_if_capacity_fixed": plan_probability(attainment, cv, n=n, correlation=correlation),
                "at_quota_if_capacity_fixed": share_at_quota(factor / attainment, cv),
            }
        )
    return pd.DataFrame(rows)


def least_over_assignment(
    probability: float, *, attainment: float, cv: float, n: int, correlation: float, digits: int = 4
) -> float:
    """Return the least over-assignment with which the node above makes its number with a probability.

    Parameters
    ----------
    probability : float
        Strictly between 0 and 1.
    attainment : float
        Expected bookings of the sellers over their quotas, > 0, taken as the same for every over-assignment.
    cv, n, correlation
        As in `over_assignment_odds`.
    digits : int
        Digits of the fraction; rounded up, so that the probability is reached.

    Returns
    -------
    float
        0 where none is needed.

    Raises
    ------
    DataError
        For numbers out of range, and where no over-assignment is enough.

    Examples
    --------
    >>> least_over_assignment(0.9, attainment=1.0, cv=0.5, n=50, correlation=0.1)
    0.2823
    """
    found = Findings()
    if isinstance(attainment, bool) or not isinstance(attainment, int | float | np.number) or not attainment > 0:
        found.add("attainment", "must be a number above 0", got=repr(attainment))
    found.raise_if_any()
    needed = required_coverage(probability, cv, n=n, correlation=correlation) / attainment - 1.0
    scale = 10.0**digits
    return max(0.0, math.ceil(round(needed * scale, 6)) / scale)
