"""The core: the few units worth deciding together, as an elastic mixed-integer program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, Instance, IntArray

__all__ = ["Core", "solve_core"]

_ROW_SCALE = 10.0
"""Band rows are written in tenths of a target: HiGHS keeps rows to 1e-6, so bands to 1e-7."""
_INSIDE = 3e-7
"""Bands are drawn in by this share of the target, so that the solver's tolerance stays inside them."""


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """The units to decide together, the others being fixed.

    Attributes
    ----------
    instance : Instance
        The core units only (`Instance.take`): bands less the totals of the fixed units.
    target : ndarray of shape (n_territories, n_criteria)
        Full targets: the unit of relative excess.
    side_left : ndarray of shape (n_side_rows,)
        What the fixed units leave of each side row.
    reduced : ndarray of shape (n_core, n_territories)
        Reduced costs at the prices; decide which territories are candidates.
    closed : ndarray of bool, shape (n_core, n_territories)
        Pairs that apart groups with fixed units forbid.
    locked : ndarray of bool, shape (n_core,)
        Members of apart groups: only the MIP moves them.
    start : ndarray of int, shape (n_core,)
        Where the core units sit now.
    price : ndarray of shape (n_territories, n_criteria)
        Multiplier times target: cost of 100 %.
    side_price : ndarray of shape (n_side_rows,)
    floor : float
        Least cost of 100 % excess where prices are zero.
    side_floor : float
    base : float
        Cost of all that is fixed: gaps are relative to the whole.
    """

    instance: Instance
    target: FloatArray
    side_left: FloatArray
    reduced: FloatArray
    closed: NDArray[np.bool_]
    locked: NDArray[np.bool_]
    start: IntArray
    price: FloatArray
    side_price: FloatArray
    floor: float
    side_floor: float
    base: float


def candidates(core: Core, most: int) -> tuple[IntArray, IntArray]:
    """Return (core unit, territory) pairs, at most ``most`` per unit, cheapest reduced cost first, sorted."""
    reduced = np.where(core.closed, np.inf, core.reduced)
    order = np.argsort(reduced, axis=1, kind="stable")[:, :most]
    keep = np.zeros(reduced.shape, dtype=bool)
    np.put_along_axis(keep, order, True, axis=1)
    keep[np.arange(len(keep)), core.start] = True
    keep &= np.isfinite(reduced)
    unit, territory = np.nonzero(keep)
    return unit, territory


def solve_core(
    core: Core, *, most: int = 4, gap: float = 1e-5, nodes: int = 500, seconds: float = np.inf
) -> IntArray | None:
    """Return territories of the core units, or None when the program has no answer.

    Notes
    -----
    Minimize ``sum c x + sum excess_cost (over + under) / target`` subject to

    1. every core unit in one of its candidate territories;
    2. totals of fixed and core units inside the bands, but for ``over`` and ``under``;
    3. side rows, but for an overuse at a heavy price;
    4. at most one unit of an apart group in a territory.

    Solved by HiGHS through `scipy.optimize.milp`: one thread of search, node limit first, clock second.
    """
    part = core.instance
    unit, territory = candidates(model, most)
    if len(np.unique(unit)) < part.n_units:
        return None
    pairs, n, m, k = len(unit), part.n_units, part.n_criteria, part.n_territories
    cost = part.cost_block(slice(0, n))
    pair_cost = cost[unit, territory]
    act = part.activities3()[unit, territory if part.by_territory else 0]
    # excess columns, two per band; then one per side row; then a constant
    bands, sides = k * m, len(part.side)
    columns = pairs + 2 * bands + sides + 1
    column = np.arange(pairs)
    rows: list[sparse.csr_array] = []
    lows: list[FloatArray] = []
    highs: list[FloatArray] = []

    def add(matrix: sparse.sparray, low: FloatArray, high: FloatArray) -> None:
        rows.append(sparse.csr_array(matrix))
        lows.append(low)
        highs.append(high)

    # (1) every core unit once
    add(sparse.coo_array((np.ones(pairs), (unit, column)), shape=(n, columns)), np.ones(n), np.ones(n))
    # (2) bands
    if bands:
        factor = _ROW_SCALE / core.target
        band = territory[:, None] * m + np.arange(m)
        values = act * factor[territory]
        slack = pairs + np.arange(bands)
        entries = np.concatenate([values.ravel(), np.full(bands, -_ROW_SCALE), np.full(bands, _ROW_SCALE)])
        at_row = np.concatenate([band.ravel(), np.arange(bands), np.arange(bands)])
        at_column = np.concatenate([np.repeat(column, m), slack, slack + bands])
        inside = np.minimum(_INSIDE * core.target, np.nan_to_num(part.upper - part.lower, posinf=np.inf) / 4.0)
        add(
            sparse.coo_array((entries, (at_row, at_column)), shape=(bands, columns)),
            ((part.lower + inside) * factor).ravel(),
            ((part.upper - inside) * factor).ravel(),
        )
    hard = np.isinf(part.penalty)
    heavy = 20.0 * (core.price.max(initial=0.0) + core.floor)
    excess_cost = np.where(hard, heavy, np.where(hard, 0.0, part.penalty))
    # (3) side rows
    for r, row in enumerate(part.side):
        use = row.term.block(slice(0, n))[unit, territory]
        scale = 1.0 / max(abs(row.upper), 1e-12)
        entries = np.append(use * scale, -1.0)
        at = np.append(column, pairs + 2 * bands + r)
        matrix = sparse.coo_array((entries, (np.zeros(pairs + 1, dtype=np.int64), at)), shape=(1, columns))
        add(matrix, np.array([-np.inf]), np.array([core.side_left[r] * scale - 1e-7]))
    # (4) apart groups
    for group in part.apart:
        member = np.isin(unit, group)
        matrix = sparse.coo_array((np.ones(int(member.sum())), (territory[member], column[member])), shape=(k, columns))
        add(matrix, np.full(k, -np.inf), np.ones(k))
    price = np.tile(excess_cost, 2 * k)
    objective = np.concatenate([pair_cost, price, _overuse_cost(core), [core.base]])
    scale = max(float(np.abs(pair_cost).mean()), 1e-300) if pair_cost.any() else 1.0
    integral = np.zeros(columns)
    integral[:pairs] = 1
    low, high = np.zeros(columns), np.full(columns, np.inf)
    high[:pairs] = 1.0
    low[-1] = high[-1] = 1.0
    options: dict[str, float | bool] = {"mip_rel_gap": gap, "node_limit": nodes, "presolve": True}
    if np.isfinite(seconds):
        options["time_limit"] = max(seconds, 0.01)
    result = milp(
        objective / scale,
        integrality=integral,
        bounds=Bounds(low, high),
        constraints=LinearConstraint(sparse.vstack(rows, format="csc"), np.concatenate(lows), np.concatenate(highs)),
        options=options,
    )
    if result.x is None:
        return None
    answer = np.full(n, -1, dtype=np.int64)
    chosen = result.x[:pairs] > 0.5
    answer[unit[chosen]] = territory[chosen]
    return answer if (answer >= 0).all() else None


def _overuse_cost(core: Core) -> FloatArray:
    """Return the cost of overusing each side row by its own limit."""
    limit = np.array([max(abs(row.upper), 1e-12) for row in core.instance.side])
    cost: FloatArray = 20.0 * np.maximum(core.side_price, core.side_floor) * limit
    return cost
