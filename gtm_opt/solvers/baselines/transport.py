"""Transport problem with split resolution: the classic of districting by linear programming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import SolverError
from gtm_opt.instance import EvennessKind
from gtm_opt.solvers.baselines.base import Baseline
from gtm_opt.solvers.baselines.lookahead import GreedyLookahead
from gtm_opt.solvers.protocol import Capabilities

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.baselines.base import Work

__all__ = ["TRANSPORT", "Transport"]

_MOST_PAIRS = 5_000_000
_SHAVE = 1e-7


_TRANSPORT_CAN = Capabilities(side_rows=False, evenness=True, proof=True, lower_bound=True)


@dataclass(frozen=True)
class Transport(Baseline):
    """Solve the LP relaxation over fractions of accounts, then give each split account to one of its territories.

    Large split accounts go first, to the territory among their fractions that gets least full. An LP
    vertex splits at most K m accounts.

    Notes
    -----
    LP by HiGHS through SciPy: seconds at 1,000 accounts, minutes at 10,000 with four criteria; more
    than five million pairs are refused. The LP value (shaved by the solver's tolerance) is a lower bound, an infeasible
    LP proves the bands impossible. After resolution bands may be missed by about one account. Side
    rows are left out; pins, forbidden pairs and apart groups hold. When time runs out before the LP is done
    the answer is that of `greedy_lookahead`, and the step says so.

    References
    ----------
    S. W. Hess, S. A. Samuels, "Experiences with a sales districting model", Management Science 18 (1971)
    P41-P54, https://doi.org/10.1287/mnsc.18.4.P41
    """

    name: str = "transport"
    source: str = "Hess & Samuels 1971, doi:10.1287/mnsc.18.4.P41"
    capabilities: Capabilities = _TRANSPORT_CAN

    def fill(self, work: Work) -> None:
        """Solve the LP, keep the whole accounts, resolve the split ones."""
        pairs = work.instance.n_units * work.instance.n_territories
        if not work.instance.n_units:
            return
        fractions = self._relax(work) if pairs <= _MOST_PAIRS else None
        if fractions is None:
            work.notes.append("no LP solution in time, placed by greedy look-ahead")
            GreedyLookahead().fill(work)
            return
        self._resolve(work, fractions)

    def _relax(self, work: Work) -> FloatArray | None:
        """Return the LP's fractions, shape (n_units, n_territories), or None."""
        from scipy.optimize import linprog

        instance = work.instance
        unit, territory, cost = _pairs(instance)
        rows, right, extra_cost = _rows(instance, unit, territory)
        n_pairs, n_extra = len(unit), len(extra_cost)
        once = _once(unit, instance.n_units, n_extra)
        if work.run.stop():
            return None
        found: Any = linprog(
            np.concatenate([cost if instance.evenness is None else np.zeros(n_pairs), extra_cost]),
            A_ub=rows if rows.shape[0] else None,
            b_ub=right if rows.shape[0] else None,
            A_eq=once,
            b_eq=np.ones(instance.n_units),
            bounds=(0, None),
            method="highs",
            options={"time_limit": work.run.remaining} if np.isfinite(work.run.remaining) else {},
        )
        if found.status == 2:
            work.proved_infeasible = True
            work.notes.append("the LP relaxation is infeasible")
        if found.status == 1:
            work.run.cut()
        if found.status != 0:
            return None
        work.bound = float(found.fun) - _SHAVE * max(1.0, abs(float(found.fun)))
        fractions = np.zeros((instance.n_units, instance.n_territories))
        fractions[unit, territory] = found.x[:n_pairs]
        return fractions

    @staticmethod
    def _resolve(work: Work, fractions: FloatArray) -> None:
        instance = work.instance
        target = np.where(instance.target > 0, instance.target, 1.0)
        own = instance.activities3()
        filled = np.zeros_like(target)
        largest = fractions.max(axis=1)
        whole = np.flatnonzero(largest > 1 - 1e-6)
        split = np.flatnonzero(largest <= 1 - 1e-6)
        work.notes.append(f"{len(split)} of {instance.n_units} accounts split")
        order = np.concatenate(
            [whole, split[np.argsort(-work.relative[split].max(axis=1, initial=0.0), kind="stable")]]
        )
        for unit in work.queue(order).tolist():
            options = work.options(unit)
            wanted = options & (fractions[unit] > 1e-6)
            wanted = wanted if wanted.any() else options
            after = filled + own[unit] / target
            place = int(np.where(wanted, after.max(axis=1, initial=0.0), np.inf).argmin())
            filled[place] = after[place]
            work.place(unit, place)


def _pairs(instance: Instance) -> tuple[IntArray, IntArray, FloatArray]:
    """Return unit, territory and cost of all allowed pairs."""
    found = []
    for rows in instance.chunks():
        cost = instance.cost_block(rows)
        unit, territory = np.nonzero(np.isfinite(cost))
        found.append((unit + rows.start, territory, cost[unit, territory]))
    unit, territory, cost = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return unit.astype(np.int64), territory.astype(np.int64), cost


def _once(unit: IntArray, n_units: int, n_extra: int) -> Any:
    """Every unit in exactly one territory."""
    from scipy.sparse import csr_array

    place = (unit, np.arange(len(unit)))
    return csr_array((np.ones(len(unit)), place), shape=(n_units, len(unit) + n_extra))


def _stacked(blocks: list[list[Any]]) -> Any:
    from scipy.sparse import block_array

    return block_array(blocks, format="csr")


def _sparse(values: FloatArray) -> Any:
    from scipy.sparse import csr_array

    return csr_array(values)


def _totals(instance: Instance, unit: IntArray, territory: IntArray, scale: FloatArray) -> Any:
    """Totals relative to the target, one row per (territory, criterion), one column per pair."""
    from scipy.sparse import coo_array

    k, m = instance.target.shape
    own = instance.activities3()[unit, territory if instance.by_territory else 0] / scale[territory]
    row = territory[:, None] * m + np.arange(m)[None, :]
    column = np.broadcast_to(np.arange(len(unit))[:, None], row.shape)
    return coo_array((own.ravel(), (row.ravel(), column.ravel())), shape=(k * m, len(unit))).tocsr()


def _rows(instance: Instance, unit: IntArray, territory: IntArray) -> tuple[Any, FloatArray, FloatArray]:
    """Return balance rows ``A x <= b`` scaled by the targets, and the costs of the extra columns behind x."""
    k, m = instance.target.shape
    scale = np.where(instance.target > 0, instance.target, 1.0)
    totals = _totals(instance, unit, territory, scale)
    if instance.evenness is not None:
        return _even_rows(instance, totals, scale)
    elastic = np.flatnonzero(np.isfinite(instance.penalty))
    slack = np.zeros((k * m, k * len(elastic)))  # one excess per territory and elastic criterion
    for at, j in enumerate(elastic):
        slack[np.arange(k) * m + j, np.arange(k) * len(elastic) + at] = -1.0
    upper, lower = (np.flatnonzero(np.isfinite(limit).ravel()) for limit in (instance.upper, instance.lower))
    blocks = [[totals[upper], _sparse(slack[upper])], [-totals[lower], _sparse(slack[lower])]]
    right = np.concatenate([(instance.upper / scale).ravel()[upper], -(instance.lower / scale).ravel()[lower]])
    return _stacked(blocks), right, np.tile(instance.penalty[elastic], k)


def _even_rows(instance: Instance, totals: Any, scale: FloatArray) -> tuple[Any, FloatArray, FloatArray]:
    """Return the rows of "the worst evenness is at most t"; t is the last extra column."""
    if instance.evenness is None:
        raise SolverError("evenness rows need an instance with an evenness objective.")
    k, m = instance.target.shape
    kind, unit = instance.evenness.kind, instance.evenness.unit
    if kind is EvennessKind.DEVIATION:
        t = _sparse((unit / scale).reshape(-1, 1))
        even = (instance.target / scale).ravel()
        return _stacked([[totals, -t], [-totals, -t]]), np.concatenate([even, -even]), np.ones(1)
    per = scale / (k * instance.shares[:, None] * unit[0][None, :])  # totals per share, in units of the criterion
    shared, t = totals.multiply(per.reshape(-1, 1)).tocsr(), _sparse(np.ones((k * m, 1)))
    if kind is EvennessKind.PEAK:
        return _stacked([[shared, -t]]), np.zeros(k * m), np.ones(1)
    low = _sparse(np.tile(np.eye(m), (k, 1)))  # the smallest total of each criterion
    rows = _stacked([[shared, -low, -t], [-shared, low, None]])
    return rows, np.zeros(2 * k * m), np.concatenate([np.zeros(m), np.ones(1)])


TRANSPORT = Transport()
