"""Centers and assignment as one problem: alternate between both from several starts, keep the best plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from gtm_opt.carving.centers.clusters import first_labels
from gtm_opt.carving.centers.exchange import MOST_UNITS, exchange
from gtm_opt.carving.centers.scope import mean_centers, plan_key, with_centers
from gtm_opt.measures import territory_totals
from gtm_opt.solvers import get_solver

if TYPE_CHECKING:
    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.model import Hierarchy
    from gtm_opt.solvers import Run

__all__ = ["LocationParams", "locate"]

Key = tuple[float, ...]
DRAFT_EFFORT = 0.005
"""Effort of an assignment between two moves of the centers: the last one is carved in full."""


@dataclass(frozen=True)
class LocationParams:
    """How long to look for centers.

    Attributes
    ----------
    cells : tuple of int
        Units x territories up to which each number of starts and rounds applies.
    starts : tuple of int
        Clusterings to begin from, beside the plan given and the present owners.
    rounds : tuple of int
        Most rounds of carving and moving the centers, per start.
    relocations : int
        Centers given up and put elsewhere, per start.
    part : float
        Fraction of the time left that may be spent.
    """

    cells: tuple[int, ...] = (2_000, 20_000, 200_000, 2_000_000)
    starts: tuple[int, ...] = (6, 4, 2, 1, 1)
    rounds: tuple[int, ...] = (30, 20, 10, 4, 1)
    relocations: int = 1
    part: float = 0.4

    def budget(self, instance: Instance) -> tuple[int, int]:
        """Return the number of starts and of rounds for an instance."""
        at = int(np.searchsorted(self.cells, instance.n_units * instance.n_territories))
        return self.starts[at], self.rounds[at]


PARAMS = LocationParams()


def locate(
    compiled: Compiled,
    tree: Hierarchy,
    run: Run,
    seed: int,
    effort: float,
    start: IntArray | None,
    params: LocationParams = PARAMS,
) -> IntArray | None:
    """Return the best plan found, its territories' own means as centers; None where none keeps the rules.

    Parameters
    ----------
    compiled : Compiled
        With open centers.
    tree : Hierarchy
        Leaves below one node are to be neighbors.
    run : Run
    seed : int
    effort : float
        Multiplies the number of starts.
    start : ndarray of int, shape (n_units,), or None
        A plan to begin from; the answer is never worse.
    params : LocationParams

    Notes
    -----
    Location-allocation [1]_ with capacities: units are assigned to the centers by prices of the balance rows,
    each center moves to the mean of its units, until nothing improves. Starts: the plan given, the present plan,
    the centers of pinned and owned units, k-means clusterings. Clusters are given to territories by an assignment
    problem over what they cost there: owners, fit, pins, and how far each is from the territory's own bands. Rows and
    columns are ordered by place before anything is decided, so that neither row order nor names matter.

    References
    ----------
    .. [1] Cooper, L. (1964). Heuristic methods for location-allocation problems. SIAM Review 6, 37-53.
       doi:10.1137/1006005
    """
    search = _Search(compiled, run.within(run.remaining * params.part), seed)
    starts, rounds = params.budget(compiled.instance)
    anchors = _anchors(compiled)
    for plan in (start, anchors):
        if plan is not None and (plan >= 0).all():
            search.offer(plan)
    if compiled.instance.evenness is None:
        if start is not None and (start >= 0).all():
            search.alternate(start, rounds)
        if (anchors >= 0).any():
            search.alternate(anchors, rounds)
    count = max(1, int(starts * min(effort, 4.0))) if np.isfinite(effort) else 4 * starts
    for attempt in range(count):
        if search.run.stop() and search.best is not None:
            break
        labels = first_labels(compiled, tree, np.random.default_rng([seed, attempt]), balanced=attempt % 2 == 0)
        search.alternate(match(compiled, labels), rounds)
    for attempt in range(count * params.relocations):
        if search.best is None or search.run.stop() or compiled.territories.count < 3:
            break
        search.relocate(np.random.default_rng([seed, 7, attempt]), rounds)
    return search.best


@dataclass(eq=False)
class _Search:
    """The best plan so far, and the steps that improve one."""

    compiled: Compiled
    run: Run
    seed: int
    best: IntArray | None = None
    key: Key = ()

    def __post_init__(self) -> None:
        place = self.compiled.open_centers[0]
        heads = self.compiled.units.members[self.compiled.units.start[:-1]]
        keys = [place.points[heads, 1], place.points[heads, 0]]
        totals = self.compiled.instance.activities
        keys += [totals.reshape(len(heads), -1)[:, j] for j in range(totals.reshape(len(heads), -1).shape[1])]
        self.rows = np.lexsort(keys)

    def offer(self, plan: IntArray) -> Key:
        """Keep a plan that is better than the best; return its key."""
        key = plan_key(self.compiled, plan)
        if key[0] == 0.0 and (self.best is None or better(key, self.key)):
            self.best, self.key = plan, key
        return key

    def alternate(self, labels: IntArray, rounds: int) -> None:
        """Assign to the centers of a (partial) plan, move the centers, and so on while that improves."""
        before: Key | None = None
        for _ in range(rounds):
            plan = self._assigned(self._centers(labels))
            if plan is None:
                return
            matched = match(self.compiled, plan)
            if (matched != plan).any() and better(plan_key(self.compiled, matched), plan_key(self.compiled, plan)):
                plan = matched
            key = self.offer(plan)
            if before is not None and not better(key, before):
                break
            done = self.run.stop() or bool((plan == labels).all())
            labels, before = plan, key
            if done:
                break
        small = len(labels) <= MOST_UNITS and not self.compiled.instance.by_territory
        if small and self.compiled.instance.evenness is None and before is not None and before[0] == 0.0:
            self.offer(exchange(self.compiled, labels, self.run, better))

    def relocate(self, rng: np.random.Generator, rounds: int) -> None:
        """Give up one center of the best plan, put it where another territory is wide, and alternate from there.

        A step that alternation cannot make: it only moves centers a little at a time.
        """
        assert self.best is not None
        labels = self.best.copy()
        k = self.compiled.territories.count
        place = self.compiled.open_centers[0]
        heads = self.compiled.units.members[self.compiled.units.start[:-1]]
        points = place.points[heads]
        centers = mean_centers(place, labels[self.compiled.units.of_account], k)
        by_place = np.lexsort((centers[:, 1], centers[:, 0]))
        gone = int(by_place[rng.integers(k)])
        wide = self.rows[int(rng.integers(len(labels)))]
        if labels[wide] == gone:
            return
        # the units of the center given up stay without one, those around the place picked get it
        near = np.argsort(((points - points[wide]) ** 2).sum(axis=1)[self.rows], kind="stable")
        size = max(1, len(labels) // (2 * k))
        labels[labels == gone] = -1
        labels[self.rows[near[:size]]] = gone
        self.alternate(labels, rounds)

    def _centers(self, labels: IntArray) -> list[FloatArray]:
        """Return a center per territory; those without units go where units are farthest from any center."""
        compiled = self.compiled
        k = compiled.territories.count
        of_account = labels[compiled.units.of_account]
        used = np.bincount(labels[labels >= 0], minlength=k) > 0
        out = []
        for place in compiled.open_centers:
            centers = mean_centers(place, of_account, k)
            order = np.lexsort((place.points[:, 1], place.points[:, 0]))
            points = place.points[order]
            known = centers[used]
            distance = ((points[:, None, :] - known[None]) ** 2).sum(axis=2).min(axis=1) if len(known) else None
            for t in np.flatnonzero(~used):
                farthest = 0 if distance is None else int(np.argmax(distance))
                centers[t] = points[farthest]
                own = ((points - centers[t]) ** 2).sum(axis=1)
                distance = own if distance is None else np.minimum(distance, own)
            out.append(centers)
        return out

    def _assigned(self, centers: list[FloatArray]) -> IntArray | None:
        """Return the best assignment to given centers, found by prices; None where none keeps the rules."""
        instance = with_centers(self.compiled, centers).instance
        columns = np.lexsort((centers[0][:, 1], centers[0][:, 0]))
        if instance.evenness is not None:
            instance = replace(instance, evenness=None)
        small = _columns(instance.take(self.rows), columns)
        if not (small.n_criteria or small.side or small.apart):
            # nothing ties the units to each other: each goes to its cheapest place
            cost = small.cost_block(slice(0, small.n_units))
            found: IntArray | None = cost.argmin(axis=1) if np.isfinite(cost.min(axis=1)).all() else None
        else:
            found = get_solver("lagrangian")(
                small, run=self.run.within(np.inf), seed=self.seed, effort=DRAFT_EFFORT
            ).assignment
        if found is None:
            return None
        out = np.empty(instance.n_units, dtype=np.int64)
        out[self.rows] = columns[found]
        return out


def better(key: Key, than: Key) -> bool:
    """Whether a key is smaller by more than rounding in its first place that differs."""
    for a, b in zip(key, than, strict=True):
        if abs(a - b) > 1e-9 * max(1.0, abs(b)) or (np.isinf(a) != np.isinf(b)):
            return a < b
    return False


def _columns(instance: Instance, columns: IntArray) -> Instance:
    """Return the instance with its territories in another order."""
    position = np.argsort(columns)
    previous = instance.previous
    return replace(
        instance,
        activities=instance.activities[:, columns] if instance.by_territory else instance.activities,
        target=instance.target[columns],
        lower=instance.lower[columns],
        upper=instance.upper[columns],
        shares=instance.shares[columns],
        cost=tuple(term.take_territories(columns) for term in instance.cost),
        side=tuple(replace(row, term=row.term.take_territories(columns)) for row in instance.side),
        previous=None if previous is None else np.where(previous >= 0, position[np.maximum(previous, 0)], -1),
    )


def _anchors(compiled: Compiled) -> IntArray:
    """Return where each unit is tied to: its pin, else its present owner; -1: nowhere."""
    position = {name: at for at, name in enumerate(compiled.territories.names)}
    problem, units = compiled.problem, compiled.units
    own = np.array([position[name] for name in problem.territories.names])
    pinned = problem.resolved.pinned
    out = units.first_known(np.where(pinned >= 0, own[pinned], -1))
    if compiled.instance.previous is not None:
        out = np.where(out >= 0, out, compiled.instance.previous)
    return out


def match(compiled: Compiled, labels: IntArray) -> IntArray:
    """Return the clusters given to territories so that they cost least; as they are where nothing is gained.

    Notes
    -----
    What a cluster costs in a territory: preferences other than distance, forbidden pairs, and the relative excess of
    its totals outside the territory's bands, weighed like a unit of preference cost per unit. An assignment problem
    (Kuhn 1955), solved by SciPy.
    """
    instance = compiled.instance
    k = instance.n_territories
    if (labels < 0).any() or instance.by_territory:
        return labels
    cost = np.zeros((k, k))
    for rows in instance.chunks():
        block = instance.cost_block(rows)
        # a forbidden pair costs more than all preferences together
        np.add.at(cost, labels[rows], np.where(np.isfinite(block), block, 100.0 * instance.n_units))
    totals = territory_totals(instance, labels)
    for j in range(instance.n_criteria):
        target = instance.target[:, j]
        own = totals[:, j][:, None]
        outside = np.maximum(own - instance.upper[:, j], 0.0) + np.maximum(instance.lower[:, j] - own, 0.0)
        cost += np.where(np.isfinite(outside), outside, 0.0) / np.where(target > 0, target, 1.0) * instance.n_units
    of_cluster, territory = linear_sum_assignment(cost)
    gain = float(np.trace(cost)) - float(cost[of_cluster, territory].sum())
    if not gain > 1e-9 * max(1.0, float(np.trace(cost))):
        return labels
    to = np.empty(k, dtype=np.int64)
    to[of_cluster] = territory
    return to[labels]
