"""The numbers of an assignment, recomputed from the instance: the one source of reported figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from gtm_opt.instance import EvennessKind

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray

__all__ = ["Evaluation", "better", "evaluate", "evenness_by_criterion", "rank", "territory_totals"]

TOLERANCE = 1e-9
"""Relative slack granted to floating-point sums when a limit is checked."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What an assignment is worth on an instance.

    Attributes
    ----------
    totals : ndarray of shape (n_territories, n_criteria)
    cost : float
        Preference cost; ``inf`` when a forbidden pair is used.
    excess : ndarray of shape (n_territories, n_criteria)
        Relative excess outside the band, ``>= 0``, as a fraction of the target.
    evenness : float
        The evenness objective (``nan`` where the instance has none).
    side : ndarray of shape (n_side_rows,)
        Use of each side row.
    apart_broken : int
        Pairs of units of one apart group in the same territory.
    objective : float
        What is minimised: cost plus penalties of elastic bands, or the evenness; ``inf`` when
        a rule is broken (hard bands out of their limits do not make it infinite: see ``in_band``).
    rules_kept : bool
        No forbidden pair, side rows and apart groups hold.
    in_band : bool
        Every hard band holds.
    """

    totals: FloatArray
    cost: float
    excess: FloatArray
    evenness: float
    side: FloatArray
    apart_broken: int
    objective: float
    rules_kept: bool
    in_band: bool

    @property
    def feasible(self) -> bool:
        """Whether all rules and hard bands hold."""
        return self.rules_kept and self.in_band


def territory_totals(instance: Instance, assignment: IntArray) -> FloatArray:
    """Return the totals per territory and criterion, shape (n_territories, n_criteria)."""
    k = instance.n_territories
    own = instance.activities
    if instance.by_territory:
        own = own[np.arange(instance.n_units), assignment]
    return (
        np.stack([np.bincount(assignment, weights=own[:, j], minlength=k) for j in range(instance.n_criteria)], axis=1)
        if instance.n_criteria
        else np.zeros((k, 0))
    )


def evenness_by_criterion(instance: Instance, totals: FloatArray) -> FloatArray:
    """Return the evenness measure of each criterion, shape (n_criteria,)."""
    if instance.evenness is None:
        return np.full(instance.n_criteria, np.nan)
    unit = instance.evenness.unit
    if instance.evenness.kind is EvennessKind.DEVIATION:
        out: FloatArray = (np.abs(totals - instance.target) / unit).max(axis=0)
        return out
    per_share = totals / (instance.n_territories * instance.shares[:, None])
    if instance.evenness.kind is EvennessKind.SPREAD:
        spread: FloatArray = (per_share.max(axis=0) - per_share.min(axis=0)) / unit[0]
        return spread
    peak: FloatArray = per_share.max(axis=0) / unit[0]
    return peak


def evaluate(instance: Instance, assignment: IntArray) -> Evaluation:
    """Recompute everything about ``assignment``.

    Parameters
    ----------
    instance : Instance
    assignment : ndarray of int, shape (n_units,)
        Territory positions.

    Returns
    -------
    Evaluation

    Notes
    -----
    One chunked pass over the units: O(n_units * (n_criteria + terms)) time.
    """
    totals = territory_totals(instance, assignment)
    cost, side = 0.0, np.zeros(len(instance.side))
    for rows in instance.chunks():
        here = assignment[rows]
        position = np.arange(len(here))
        if instance.cost:
            cost += float(instance.cost_block(rows)[position, here].sum())
        for r, row in enumerate(instance.side):
            side[r] += float(row.term.block(rows)[position, here].sum())
    scale = np.where(instance.target > 0, instance.target, 1.0)
    above = np.maximum(totals - instance.upper - TOLERANCE * scale, 0.0)
    below = np.maximum(instance.lower - totals - TOLERANCE * scale, 0.0)
    excess = (above + below) / scale
    broken = 0
    for group in instance.apart:
        counts = np.bincount(assignment[group])
        broken += int((counts * (counts - 1) // 2).sum())
    side_ok = all(side[r] <= row.upper + TOLERANCE * max(1.0, abs(row.upper)) for r, row in enumerate(instance.side))
    hard = np.isinf(instance.penalty)
    rules = bool(np.isfinite(cost)) and side_ok and broken == 0
    worst = float(evenness_by_criterion(instance, totals).max()) if instance.evenness is not None else np.nan
    elastic = float((excess[:, ~hard] * instance.penalty[~hard]).sum())
    value = worst if instance.evenness is not None else cost + elastic
    return Evaluation(
        totals=totals,
        cost=cost,
        excess=excess,
        evenness=worst,
        side=side,
        apart_broken=broken,
        objective=value if rules else np.inf,
        rules_kept=rules,
        in_band=not bool((excess[:, hard] > 0).any()),
    )


@overload
def better(instance: Instance, one: IntArray, other: IntArray | None) -> IntArray: ...
@overload
def better(instance: Instance, one: IntArray | None, other: IntArray | None) -> IntArray | None: ...
def better(instance: Instance, one: IntArray | None, other: IntArray | None) -> IntArray | None:
    """Return the better of two assignments in the order of `rank`; the first where they tie, None where both are."""
    if one is None or other is None:
        return other if one is None else one
    first, second = (rank(instance, evaluate(instance, candidate)) for candidate in (one, other))
    return one if first <= second else other


def rank(instance: Instance, found: Evaluation) -> tuple[float, ...]:
    """Return a key that orders assignments, smaller is better: the one order of plans of the library.

    Rules first, then the relative excess of the hard bands tier by tier, then the objective:
    the order in which a planner would relax things. Its first entry is 0 where all rules are
    kept, its last the objective.
    """
    hard = np.isinf(instance.penalty)
    by_tier = [
        round(float(found.excess[:, hard & (instance.tier == t)].sum()), 12) for t in np.unique(instance.tier[hard])
    ]
    return (0.0 if found.rules_kept else 1.0, *by_tier, found.objective)
