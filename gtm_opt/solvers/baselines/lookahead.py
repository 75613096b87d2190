"""Greedy construction over all criteria at once, one account ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.baselines.base import Baseline
from gtm_opt.solvers.protocol import Capabilities

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance
    from gtm_opt.solvers.baselines.base import Work

__all__ = ["GREEDY_LOOKAHEAD", "GreedyLookahead"]

_WINDOW = 4_096


_GREEDY_LOOKAHEAD_CAN = Capabilities(bands=False, side_rows=False, evenness=True)


@dataclass(frozen=True)
class GreedyLookahead(Baseline):
    """Place accounts by decreasing size where the fill levels, to the power of four, grow least with the next one.

    With preferences: the cheapest territory among those that stay below the upper end of their band with
    this account; where there is none, as without preferences.

    Notes
    -----
    O(n log n + n K m). No guarantee over several criteria. The fourth power weighs full territories much
    and still sees all criteria; the fill level of the worst criterion alone is a far weaker guide. Keeps
    pins, forbidden pairs and apart groups. Aims at the upper side of bands only, does not know side rows.
    """

    name: str = "greedy_lookahead"
    source: str = "vector greedy in the manner of Graham 1969, one step of look-ahead"
    capabilities: Capabilities = _GREEDY_LOOKAHEAD_CAN

    def fill(self, work: Work) -> None:
        """Place the units of the queue, each with a look at its successor."""
        instance = work.instance
        queue = work.queue(work.by_size(work.relative.max(axis=1, initial=0.0)))
        target = np.where(instance.target > 0, instance.target, 1.0)
        own = instance.activities3()
        filled = np.zeros_like(target)
        full = self._full(instance)
        costly = instance.has_cost and instance.evenness is None
        for start in range(0, len(queue), _WINDOW):
            window = queue[start : start + _WINDOW]
            cost = instance.cost_block(window) if costly else None
            for position, unit in enumerate(window.tolist()):
                if position % 256 == 0:
                    work.run.report("placing")
                    if work.run.stop():
                        return
                follower = queue[min(start + position + 1, len(queue) - 1)]
                step = own[unit] / target
                open_here = work.options(unit)
                roomy = open_here & ((filled + step).max(axis=1, initial=0.0) <= full)
                if cost is not None and roomy.any():
                    territory = int(np.where(roomy, cost[position], np.inf).argmin())
                else:
                    growth = self._ahead(filled, step, own[follower] / target)
                    territory = int(np.where(open_here, growth, np.inf).argmin())
                filled[territory] += step[territory]
                work.place(unit, territory)

    @staticmethod
    def _full(instance: Instance) -> float:
        """How far a territory may be filled, as a multiple of its target."""
        with np.errstate(invalid="ignore", divide="ignore"):
            room = np.where(instance.target > 0, instance.upper / instance.target, np.inf)
        least = float(room.min(initial=np.inf))
        return least if np.isfinite(least) else 1.0

    @staticmethod
    def _ahead(filled: FloatArray, step: FloatArray, following: FloatArray) -> FloatArray:
        """Return per territory how much the fourth powers grow with this unit there and the next at its best."""
        before = (filled**4).sum(axis=1)
        with_this = ((filled + step) ** 4).sum(axis=1)
        same = ((filled + step + following) ** 4).sum(axis=1) - with_this
        other = ((filled + following) ** 4).sum(axis=1) - before
        elsewhere = np.full(len(before), np.inf)
        if len(before) > 1:
            low = np.partition(other, 1)[:2]
            elsewhere = np.where(other == low[0], low[1], low[0])
        growth: FloatArray = with_this - before + np.minimum(same, elsewhere)
        return growth


GREEDY_LOOKAHEAD = GreedyLookahead()
