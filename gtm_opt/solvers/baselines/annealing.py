"""Plain simulated annealing: one temperature, moves and swaps, a fixed penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import SolverError
from gtm_opt.instance import EvennessKind
from gtm_opt.measures import evaluate, rank, territory_totals
from gtm_opt.solvers.baselines.base import Baseline
from gtm_opt.solvers.protocol import Capabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.baselines.base import Work

__all__ = ["ANNEALING", "Annealing"]

_SLICE = 50_000
_MOST_PAIRS = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Energy:
    """What is annealed: cost plus weighted distances of totals from [low, high], squared for evenness."""

    cost: FloatArray
    low: FloatArray
    high: FloatArray
    weight: FloatArray
    squared: bool
    hot: float
    cold: float


_ANNEALING_CAN = Capabilities(side_rows=False, evenness=True)


@dataclass(frozen=True)
class Annealing(Baseline):
    """Anneal from an assignment by shares; geometric cooling, restarts from the best with twice the moves.

    Attributes
    ----------
    moves_per_unit : int
        Proposals per unit at effort 1, between 300,000 and 20 million in all.

    Notes
    -----
    One proposal costs O(m), about five million a second compiled; needs a dense cost matrix (n x K). Bands
    enter through a fixed penalty, evenness as the sum of squared deviations, so it may stop
    out of band and does not aim at the worst criterion itself. Keeps pins, forbidden pairs and
    apart groups; no side rows.

    References
    ----------
    S. Kirkpatrick, C. D. Gelatt, M. P. Vecchi, "Optimization by simulated annealing", Science 220 (1983)
    671-680, https://doi.org/10.1126/science.220.4598.671
    """

    name: str = "annealing"
    source: str = "Kirkpatrick, Gelatt & Vecchi 1983, doi:10.1126/science.220.4598.671"
    capabilities: Capabilities = _ANNEALING_CAN
    moves_per_unit: int = 100

    def fill(self, work: Work) -> None:
        """Deal, anneal, keep the best of all rounds."""
        instance = work.instance
        if instance.n_units * instance.n_territories > _MOST_PAIRS:
            raise SolverError(
                f"`annealing` stores one cost per unit and territory, at most {_MOST_PAIRS:,}; got "
                f"{instance.n_units:,} units x {instance.n_territories:,} territories. Carve level by level."
            )
        work.complete()
        if not instance.n_units or instance.n_territories < 2:
            return
        best, key = work.assignment.copy(), rank(instance, evaluate(instance, work.assignment))
        energy = _energy(instance)
        state = np.array([np.random.SeedSequence(work.seed).generate_state(1, np.uint64)[0] | 1], dtype=np.uint64)
        base = float(np.clip(self.moves_per_unit * instance.n_units, 300_000, 20_000_000))
        left, moves, rounds = work.effort * base, base if np.isinf(work.effort) else base * work.effort, 0
        while left > 0 and not work.run.stop():
            current = best.copy()
            try:
                _anneal(work, energy, current, state, int(max(1, moves)))
            finally:
                found = rank(instance, evaluate(instance, current))
                if found < key:
                    best, key = current, found
                work.assignment[:] = best
            work.run.report(self.name, value=key[-1] if not key[0] else None)
            left -= moves
            moves, rounds = moves * 2, rounds + 1
        work.notes.append(f"{rounds} rounds")


def _energy(instance: Instance) -> _Energy:
    """Return the energy of ``instance`` with penalties and temperatures scaled to its data."""
    k = instance.n_territories
    target = np.where(instance.target > 0, instance.target, 1.0)
    cost = np.zeros((0, k))
    spread = 1.0
    if instance.has_cost:
        cost = instance.cost_block(slice(0, instance.n_units))
        finite = np.isfinite(cost)
        low, high = cost.min(axis=1), np.where(finite, cost, -np.inf).max(axis=1)
        differences = (high - low)[finite.any(axis=1)]
        spread = (float(differences.mean()) if len(differences) else 0.0) or 1.0
    if instance.evenness is not None:
        center, unit = _center(instance)
        weight = 1.0 / unit
        steps = instance.activities3() * weight[None, :, :]
        hot = 2.0 * float((steps**2).sum(axis=2).mean())
        free = np.where(np.isfinite(cost), 0.0, cost)
        return _Energy(free, center, center, weight, True, max(hot, 1e-300), 1e-7)
    exact = 4.0 * spread * instance.n_units / k
    weight = np.where(np.isinf(instance.penalty), exact, instance.penalty)[None, :] / target
    return _Energy(cost, instance.lower, instance.upper, weight, False, 0.5 * spread, 2e-3)


def _center(instance: Instance) -> tuple[FloatArray, FloatArray]:
    """Return what totals are pulled to, and the unit of a deviation, both (n_territories, n_criteria)."""
    if instance.evenness is None:
        raise SolverError("the center of evenness needs an instance with an evenness objective.")
    unit = instance.evenness.unit
    if instance.evenness.kind is EvennessKind.DEVIATION or instance.by_territory:
        return instance.target, np.broadcast_to(unit, instance.target.shape)
    even = instance.shares[:, None] * instance.activities.sum(axis=0)[None, :]
    return even, instance.n_territories * instance.shares[:, None] * unit[0][None, :]


def _groups(instance: Instance, assignment: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the apart groups of each unit in compressed rows, and how often each group is in each territory."""
    unit = np.concatenate([*instance.apart, np.zeros(0, dtype=np.int64)])
    group = np.concatenate(
        [np.full(len(g), i, dtype=np.int64) for i, g in enumerate(instance.apart)] + [np.zeros(0, dtype=np.int64)]
    )
    order = np.argsort(unit, kind="stable")
    start = np.searchsorted(unit[order], np.arange(instance.n_units + 1)).astype(np.int64)
    taken = np.zeros((len(instance.apart) + 1, instance.n_territories), dtype=np.int64)
    np.add.at(taken, (group, assignment[unit]), 1)
    return start, group[order], taken


def _anneal(work: Work, energy: _Energy, current: IntArray, state: NDArray[np.uint64], moves: int) -> None:
    """Anneal ``current`` in place, in slices of a fixed number of moves."""
    from gtm_opt.solvers.baselines import _kernels

    anneal: Any = _kernels.anneal
    instance = work.instance
    own = np.ascontiguousarray(instance.activities3())
    start, groups, taken = _groups(instance, current)
    totals = np.ascontiguousarray(territory_totals(instance, current), dtype=np.float64)
    fixed = [np.ascontiguousarray(a, dtype=np.float64) for a in (energy.cost, energy.low, energy.high, energy.weight)]
    hot, cool, done = energy.hot, energy.cold ** (1.0 / moves), 0
    while done < moves:
        work.run.report("annealing")
        stopping = work.run.stop()
        if stopping:  # a short quench, so that a cut run does not end in disorder
            hot = min(hot, energy.hot * energy.cold)
        step = min(_SLICE, moves - done)
        hot = anneal(own, *fixed, energy.squared, start, groups, taken, current, totals, state, hot, cool, step)
        if stopping:
            return
        done += step


ANNEALING = Annealing()
