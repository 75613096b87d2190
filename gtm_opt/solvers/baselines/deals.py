"""The spreadsheet methods: random, round robin, snake draft, and the greedy waterfall of criteria."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.baselines.base import Baseline
from gtm_opt.solvers.protocol import Capabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import Instance
    from gtm_opt.solvers.baselines.base import Work

__all__ = ["RANDOM", "ROUND_ROBIN", "SNAKE_DRAFT", "WATERFALL", "Random", "RoundRobin", "SnakeDraft", "Waterfall"]


_RANDOM_CAN = Capabilities(preferences=False, bands=False, side_rows=False)


@dataclass(frozen=True)
class Random(Baseline):
    """Draw a territory for each account, with the shares as odds.

    Notes
    -----
    O(n K). Keeps pins, forbidden pairs and apart groups. Knows no criterion, no band, no preference.
    """

    name: str = "random"
    source: str = "folklore"
    capabilities: Capabilities = _RANDOM_CAN

    def fill(self, work: Work) -> None:
        """Draw for each unit among the territories open to it."""
        odds = work.instance.shares
        draws = work.rng.random(work.instance.n_units)
        if work.open is None and not work.groups_of:
            inner = np.cumsum(odds)[:-1]
            work.assignment[:] = np.searchsorted(inner, draws, side="right")
            return
        for unit in work.walk(np.arange(work.instance.n_units)):
            edges = np.cumsum(odds * work.options(unit))
            work.place(unit, int(np.searchsorted(edges[:-1], draws[unit] * edges[-1], side="right")))


_ROUND_ROBIN_CAN = Capabilities(several_criteria=False, preferences=False, bands=False, side_rows=False)


@dataclass(frozen=True)
class RoundRobin(Baseline):
    """Deal the accounts in the given order, one territory after the other.

    Notes
    -----
    O(n K). With unequal shares the territory that is furthest behind in count is next (so
    equal shares give 0, 1, 2, ...). Balances the count and nothing else; keeps pins, bars
    and apart groups; knows no band and no preference.
    """

    name: str = "round_robin"
    source: str = "folklore"
    capabilities: Capabilities = _ROUND_ROBIN_CAN

    def fill(self, work: Work) -> None:
        """Give each unit to the territory that is furthest behind."""
        shares = np.maximum(work.instance.shares, 1e-300)
        dealt = np.zeros(work.instance.n_territories)
        for unit in work.walk(np.arange(work.instance.n_units)):
            territory = int(np.where(work.options(unit), (dealt + 1.0) / shares, np.inf).argmin())
            dealt[territory] += 1.0
            work.place(unit, territory)


_SNAKE_DRAFT_CAN = Capabilities(
    several_criteria=False, unequal_shares=False, preferences=False, bands=False, side_rows=False
)


@dataclass(frozen=True)
class SnakeDraft(Baseline):
    """Deal by decreasing revenue, forth and back: 0, 1, ..., K-1, K-1, ..., 1, 0, 0, ...

    Notes
    -----
    O(n log n + n K). Uses the first criterion of the first tier only. Every territory gets the same number of
    accounts, whatever its share. A forbidden pick passes on to the next in line. Keeps pins, forbidden pairs and apart
    groups; knows no band and no preference.
    """

    name: str = "snake_draft"
    source: str = "folklore (drafts of sports leagues)"
    capabilities: Capabilities = _SNAKE_DRAFT_CAN

    def fill(self, work: Work) -> None:
        """Deal in snake order; who cannot take a unit passes."""
        k = work.instance.n_territories
        there = np.arange(k)
        for pick, unit in enumerate(work.walk(work.by_size())):
            turn, step = divmod(pick, k)
            line = there if turn % 2 == 0 else there[::-1]
            line = np.concatenate([line[step:], line[:step][::-1]])
            options = work.options(unit)
            work.place(unit, int(next((t for t in line if options[t]), line[0])))


_WATERFALL_CAN = Capabilities(bands=False, side_rows=False)


@dataclass(frozen=True)
class Waterfall(Baseline):
    """Work through the preferences one after the other, as commercial planning tools do.

    The preference comes first and decides; the criteria only break its ties, in the order of
    their tiers: the least filled territory gets the account.

    Notes
    -----
    O(n log n + n K m). Once a preference has decided, later ones cannot take it back. With one present owner
    and "minimize disruption" first, 12,000 accounts over three territories come out as 12,000 / 0 / 0;
    that this happens is tested. Keeps pins, forbidden pairs and apart groups; bands are not looked at.
    """

    name: str = "waterfall"
    source: str = "product documentation of commercial planning tools (criteria in priority order)"
    capabilities: Capabilities = _WATERFALL_CAN

    def fill(self, work: Work) -> None:
        """Give each unit, large ones first, to the least filled of its cheapest territories."""
        instance = work.instance
        order_of_criteria = np.argsort(instance.tier, kind="stable")
        target = np.where(instance.target > 0, instance.target, 1.0)
        totals = np.zeros_like(instance.target)
        own = instance.activities3()
        cheapest = _cheapest(instance)
        for unit in work.walk(work.by_size()):
            left = work.options(unit)
            if instance.has_cost:
                wanted = left & cheapest[unit]
                left = wanted if wanted.any() else left
            after = totals + own[unit]
            for j in order_of_criteria:
                if left.sum() <= 1:
                    break
                filled = np.where(left, after[:, j] / target[:, j], np.inf)
                left = filled <= filled.min()
            territory = int(left.argmax())
            totals[territory] = after[territory]
            work.place(unit, territory)


def _cheapest(instance: Instance) -> NDArray[np.bool_]:
    """Mark the territories where each unit costs least, ties included, shape (n_units, n_territories)."""
    blocks = [np.ones((0, instance.n_territories), dtype=bool)]
    for rows in instance.chunks():
        cost = instance.cost_block(rows)
        least = cost.min(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            blocks.append(cost <= least + 1e-9 * np.maximum(1.0, np.abs(least)))
    return np.concatenate(blocks)


RANDOM = Random()
ROUND_ROBIN = RoundRobin()
SNAKE_DRAFT = SnakeDraft()
WATERFALL = Waterfall()
