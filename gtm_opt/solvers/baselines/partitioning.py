"""Classics for one criterion: LPT, multifit and k-way Karmarkar-Karp differencing."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.solvers.baselines.base import Baseline
from gtm_opt.solvers.protocol import Capabilities

if TYPE_CHECKING:
    from gtm_opt.instance import IntArray
    from gtm_opt.solvers.baselines.base import Work

__all__ = ["KARMARKAR_KARP", "LPT", "MULTIFIT", "KarmarkarKarp", "LongestFirst", "Multifit"]


_LONGEST_FIRST_CAN = Capabilities(several_criteria=False, preferences=False, bands=False, side_rows=False)


@dataclass(frozen=True)
class LongestFirst(Baseline):
    """Place accounts by decreasing size where the total relative to the share is smallest afterwards.

    Notes
    -----
    O(n log n + n K). With equal shares the largest total is at most 4/3 - 1/(3K) times the
    best possible one. Uses the first criterion of the first tier only. Keeps pins, forbidden pairs and apart groups
    (the guarantee then no longer holds); knows no band and no preference.

    References
    ----------
    R. L. Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17 (1969) 416-429,
    https://doi.org/10.1137/0117039
    """

    name: str = "lpt"
    source: str = "Graham 1969, doi:10.1137/0117039"
    capabilities: Capabilities = _LONGEST_FIRST_CAN

    def fill(self, work: Work) -> None:
        """Give each unit to the territory that is least filled with it."""
        shares = np.maximum(work.instance.shares, 1e-300)
        loads = np.zeros(work.instance.n_territories)
        sizes = work.sizes
        for unit in work.walk(work.by_size()):
            after = (loads + sizes[unit]) / shares
            territory = int(np.where(work.options(unit), after, np.inf).argmin())
            loads[territory] += sizes[unit]
            work.place(unit, territory)


_MULTIFIT_CAN = Capabilities(several_criteria=False, preferences=False, bands=False, rules=False, side_rows=False)


@dataclass(frozen=True)
class Multifit(Baseline):
    """Search by bisection for the smallest bin size at which first-fit decreasing needs no more than K bins.

    Attributes
    ----------
    bisections : int

    Notes
    -----
    O(n log n + bisections * n K), compiled. With equal shares the largest total is at most
    13/11 of the best possible one (Yue 1990). Bins are as large as the shares say. Uses the first
    criterion of the first tier only; keeps pins and bars, not apart groups; knows no band and no preference.

    References
    ----------
    E. G. Coffman, M. R. Garey, D. S. Johnson, "An application of bin-packing to multiprocessor
    scheduling", SIAM J. Comput. 7 (1978) 1-17, https://doi.org/10.1137/0207001
    """

    name: str = "multifit"
    source: str = "Coffman, Garey & Johnson 1978, doi:10.1137/0207001"
    capabilities: Capabilities = _MULTIFIT_CAN
    bisections: int = 20

    def fill(self, work: Work) -> None:
        """Bisect between the mean load and the load at which everything fits for sure."""
        from gtm_opt.solvers.baselines import _kernels

        first_fit: Any = _kernels.first_fit
        instance, sizes = work.instance, np.ascontiguousarray(work.sizes, dtype=np.float64)
        if work.groups_of:
            work.notes.append("first fit does not keep apart groups")
        order = work.by_size()
        allowed = np.zeros((0, instance.n_territories), dtype=np.bool_) if work.open is None else work.open
        total, share = float(sizes.sum()), instance.shares
        low = max(total, float(sizes.max(initial=0.0)) / float(share.max()))
        high = 2.0 * max(total, float(sizes.max(initial=0.0)) / float(share.min()))
        kept: IntArray | None = None
        for _ in range(self.bisections):
            if work.run.stop():
                break
            middle = 0.5 * (low + high)
            trial = np.full(instance.n_units, -1, dtype=np.int64)
            if first_fit(order, sizes, middle * share * (1 + 1e-12), allowed, trial):
                high, kept = middle, trial
            else:
                low = middle
        if kept is not None:
            work.assignment[:] = kept
            work.notes.append(f"bin size {high:,.6g} for the whole")


_KARMARKAR_KARP_CAN = Capabilities(
    several_criteria=False, unequal_shares=False, preferences=False, bands=False, rules=False, side_rows=False
)


@dataclass(frozen=True)
class KarmarkarKarp(Baseline):
    """Largest differencing method: merge the two partial solutions with the largest spread, large on small.

    Notes
    -----
    O(n (log n + K log K)). Largest total at most 4/3 - 1/(3K) times the best possible one. Equal shares and
    one criterion (the first of the first tier). Knows no pins, bars, apart groups, bands or preferences.

    References
    ----------
    N. Karmarkar, R. M. Karp, "The differencing method of set partitioning", report UCB/CSD 82/113 (1982).
    W. Michiels, J. Korst, E. Aarts, J. van Leeuwen, "Performance ratios of the Karmarkar-Karp differencing
    method", J. Comb. Optim. 13 (2007) 19-32, https://doi.org/10.1007/s10878-006-9010-z
    """

    name: str = "karmarkar_karp"
    source: str = "Karmarkar & Karp 1982; k-way: Michiels et al. 2007, doi:10.1007/s10878-006-9010-z"
    capabilities: Capabilities = _KARMARKAR_KARP_CAN

    def fill(self, work: Work) -> None:
        """Merge until one partial solution is left, then read the sets off the merge tree."""
        k, sizes = work.instance.n_territories, work.sizes.tolist()
        if not sizes:
            return
        # a partial solution: its K sums and set labels, decreasing; a set is a unit, or a pair of sets
        empty = -1
        pairs: list[tuple[int, int]] = []
        heap = [(-s, i, [s] + [0.0] * (k - 1), [i] + [empty] * (k - 1)) for i, s in enumerate(sizes)]
        heapq.heapify(heap)
        count = len(sizes)
        while len(heap) > 1:
            if len(pairs) % 1024 == 0 and work.run.stop():
                return
            _, _, sums, sets = heapq.heappop(heap)
            _, _, other_sums, other_sets = heapq.heappop(heap)
            merged = []
            for i in range(k):
                first, second = sets[i], other_sets[k - 1 - i]
                label = first if second == empty else second
                if first != empty and second != empty:
                    pairs.append((first, second))
                    label = len(sizes) + len(pairs) - 1
                merged.append((sums[i] + other_sums[k - 1 - i], label))
            merged.sort(key=lambda pair: -pair[0])
            base = merged[-1][0]
            heapq.heappush(
                heap, (base - merged[0][0], count, [s - base for s, _ in merged], [label for _, label in merged])
            )
            count += 1
        self._read(work, heap[0][3], pairs)

    @staticmethod
    def _read(work: Work, sets: list[int], pairs: list[tuple[int, int]]) -> None:
        n = work.instance.n_units
        for territory, label in enumerate(sets):
            stack = [label] if label >= 0 else []
            while stack:
                top = stack.pop()
                if top < n:
                    work.assignment[top] = territory
                else:
                    stack.extend(pairs[top - n])


LPT = LongestFirst()
MULTIFIT = Multifit()
KARMARKAR_KARP = KarmarkarKarp()
