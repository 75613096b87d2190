"""Count-balanced k-means by min-cost flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import SolverNotAvailableError
from gtm_opt.instance import Distance
from gtm_opt.solvers.baselines.base import Baseline
from gtm_opt.solvers.protocol import Capabilities

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.baselines.base import Work

__all__ = ["BALANCED_KMEANS", "BalancedKMeans", "points_of"]

_SECONDS_PER_ARC = 2e-5  # cautious: decides only whether a flow is begun at all
_LEVELS = 1_000_000


def points_of(instance: Instance) -> Distance | None:
    """Return the first distance term of the cost: that is where accounts and centers lie."""
    return next((term for term in instance.cost if isinstance(term, Distance)), None)


_BALANCED_KMEANS_CAN = Capabilities(
    several_criteria=False, preferences=False, bands=False, side_rows=False, by_territory=False
)


@dataclass(frozen=True)
class BalancedKMeans(Baseline):
    """Assign accounts to centers so that every territory gets its number of accounts; move the centers; repeat.

    Attributes
    ----------
    sweeps : int
        At most so many times, at effort 1.

    Notes
    -----
    Each sweep is one min-cost flow over n K arcs (OR-Tools, exact up to a millionth of the largest cost): 1 s at
    10,000 x 10. Balances the *count* (to within one account of the shares) and nothing else: no revenue, no
    band, no retention. Where the cost has no distance term a single flow over the cost is solved. Keeps pins and
    bars where the counts allow it, and apart groups. A sweep cannot be interrupted, so none is begun
    that would not fit into the time left.

    References
    ----------
    P. S. Bradley, K. P. Bennett, A. Demiriz, "Constrained k-means clustering", report MSR-TR-2000-65 (2000).
    """

    name: str = "balanced_kmeans"
    source: str = "Bradley, Bennett & Demiriz 2000, MSR-TR-2000-65"
    capabilities: Capabilities = _BALANCED_KMEANS_CAN
    sweeps: int = 10

    def fill(self, work: Work) -> None:
        """Alternate between the flow and the centers until nothing changes."""
        instance = work.instance
        place = points_of(instance)
        seconds = _SECONDS_PER_ARC * instance.n_units * instance.n_territories
        centers = None if place is None else np.array(place.centers)
        label: IntArray | None = None
        sweeps = 1 if place is None else max(1, int(min(self.sweeps * work.effort, 1_000)))
        for _ in range(sweeps):
            work.run.report("sweep")
            if not instance.n_units or work.run.stop() or seconds > work.run.remaining:
                break
            found = flow_labels(self._cost(work, centers), instance.shares)
            if found is None or (label is not None and np.array_equal(found, label)):
                break
            label = found
            if place is None or centers is None:
                break
            for t in range(instance.n_territories):
                if (label == t).any():
                    centers[t] = place.points[label == t].mean(axis=0)
        if label is None:
            work.notes.append("no flow in time, or none that keeps the bars")
            return
        work.adopt(label)

    @staticmethod
    def _cost(work: Work, centers: FloatArray | None) -> FloatArray:
        """Squared distance to the centers (or the cost itself), inf where forbidden."""
        instance = work.instance
        place = points_of(instance)
        if place is None or centers is None:
            return instance.cost_block(slice(0, instance.n_units))
        weight = np.ones(instance.n_units)
        cost = Distance(place.points, centers, weight, squared=True, haversine=place.haversine).block(
            slice(0, instance.n_units)
        )
        return cost if work.open is None else np.where(work.open, cost, np.inf)


def flow_labels(cost: FloatArray, shares: FloatArray) -> IntArray | None:
    """Return the cheapest labels with floor or ceiling of ``n * share`` units each; None when there are none.

    Parameters
    ----------
    cost : ndarray of shape (n_units, n_territories)
        ``inf`` where forbidden.
    shares : ndarray of shape (n_territories,)
    """
    try:
        from ortools.graph.python import min_cost_flow
    except ImportError as error:
        raise SolverNotAvailableError(f"`balanced_kmeans` needs ortools, which cannot be imported: {error}.") from error
    n, k = cost.shape
    unit, territory = np.nonzero(np.isfinite(cost))
    value = cost[unit, territory]
    step = max(float(np.ptp(value)) if len(value) else 0.0, 1e-300) / _LEVELS
    price = np.rint((value - value.min(initial=0.0)) / step).astype(np.int64)
    least = np.floor(n * shares + 1e-9).astype(np.int64)
    most = np.ceil(n * shares - 1e-9).astype(np.int64)
    sink = n + k
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(unit, n + territory, np.ones(len(unit), dtype=np.int64), price)
    flow.add_arcs_with_capacity_and_unit_cost(
        n + np.arange(k), np.full(k, sink), most - least, np.zeros(k, dtype=np.int64)
    )
    supply = np.concatenate([np.ones(n, dtype=np.int64), -least, [-(n - int(least.sum()))]])
    flow.set_nodes_supplies(np.arange(n + k + 1), supply)
    if flow.solve() != flow.OPTIMAL:
        return None
    used = flow.flows(arcs) > 0
    label = np.full(n, -1, dtype=np.int64)
    label[unit[used]] = territory[used]
    return label


BALANCED_KMEANS = BalancedKMeans()
