"""Prices on shared rows and a small model per segment: a bound to recompute, plans made of segment plans."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.mip import Model, Options, Program, Solution, Status, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.hiring.formulation import Formulation, Linear

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["Blocks", "lagrangian_bound", "solve_with_prices", "split_blocks"]

_ROUNDS = 40
_SMALL_GAP = 1e-4
_NODES = 2000
_ENOUGH = 1e-3


@dataclass(frozen=True, eq=False)
class Blocks:
    """A program taken apart: one block of columns per segment, and the rows that tie them together.

    Attributes
    ----------
    columns, rows : list of ndarray of int
        By block: its columns, and the rows that hold no other column.
    rest : ndarray of int
        Columns of no block: support.
    shared : ndarray of int
        All other rows.
    """

    columns: list[IntArray]
    rows: list[IntArray]
    rest: IntArray
    shared: IntArray


@dataclass(eq=False)
class _Pool:
    """Segment plans found so far: values on the columns of their block."""

    plans: list[list[FloatArray]] = field(default_factory=list)

    def add(self, block: int, plan: FloatArray) -> bool:
        known = self.plans[block]
        if any(np.array_equal(plan, other) for other in known):
            return False
        known.append(plan)
        return True


def split_blocks(form: Formulation, program: Program) -> Blocks:
    """Take a program apart by the segments of the roles that sell."""
    problem, flow = form.problem, form.flow
    block_of = np.full(program.n_columns, -1, dtype=np.int64)
    names: dict[str, int] = {}
    for role in problem.sellers():
        kind = problem.roles.roles[role]
        block = names.setdefault(kind.segment or f"role {kind.name}", len(names))
        block_of[flow.hires[role]] = block
    matrix = program.matrix
    owner = np.full(program.n_rows, -1, dtype=np.int64)
    for row in range(program.n_rows):
        blocks = np.unique(block_of[matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]])
        if len(blocks) == 1:
            owner[row] = blocks[0]
    n = len(names)
    return Blocks(
        [np.flatnonzero(block_of == b) for b in range(n)],
        [np.flatnonzero(owner == b) for b in range(n)],
        np.flatnonzero(block_of == -1),
        np.flatnonzero(owner == -1),
    )


def lagrangian_bound(
    program: Program, blocks: Blocks, prices: FloatArray, high: FloatArray, options: Options
) -> tuple[float, list[FloatArray | None]]:
    """Return a lower bound on the program's cost, and the plan of each block at these prices.

    Parameters
    ----------
    program : Program
    blocks : Blocks
    prices : ndarray of shape (n_shared,)
        Per unit of each shared row's limit.
    high : ndarray of shape (n_columns,)
        Upper bounds that no better plan exceeds, finite for columns of no block.
    options : Options
        For each small model; its proven bound is what counts.

    Notes
    -----
    With prices y on the shared rows ``l <= A x <= u``, for any y ::

        cost >= sum_r (y_r > 0 ? l_r : u_r) y_r + sum_b min {(c - y A) x : x in block b} + sum_rest min (c - y A) x

    so whoever has the prices can check the bound by solving the small models again (Geoffrion 1974,
    doi:10.1007/BFb0120690). A price that presses against a missing limit counts as 0.
    """
    y = np.where((prices > 0) & np.isinf(program.row_low[blocks.shared]), 0.0, prices)
    y = np.where((y < 0) & np.isinf(program.row_high[blocks.shared]), 0.0, y)
    limit = np.where(y > 0, program.row_low[blocks.shared], program.row_high[blocks.shared])
    total = float(np.sum(y * np.where(y != 0.0, limit, 0.0)))
    reduced = program.cost - program.matrix[blocks.shared].T @ y
    rest = blocks.rest
    used = rest[reduced[rest] != 0.0]
    total += float(np.sum(reduced[used] * np.where(reduced[used] > 0, program.low[used], high[used])))
    plans: list[FloatArray | None] = []
    for block in range(len(blocks.columns)):
        answer = solve(_block_program(program, blocks, block, reduced), options)
        total += answer.bound
        plans.append(answer.values)
    return total + program.offset, plans


def _block_program(program: Program, blocks: Blocks, block: int, cost: FloatArray) -> Program:
    columns, rows = blocks.columns[block], blocks.rows[block]
    return Program(
        name=f"block {block}",
        cost=cost[columns],
        low=program.low[columns],
        high=program.high[columns],
        integer=program.integer[columns],
        matrix=program.matrix[rows][:, columns].tocsr(),
        row_low=program.row_low[rows],
        row_high=program.row_high[rows],
        column_names=tuple(program.column_names[c] for c in columns),
        row_names=tuple(program.row_names[r] for r in rows),
    )


def solve_with_prices(form: Formulation, objective: Linear, options: Options, start: FloatArray | None) -> Solution:
    """Solve by prices on shared rows, plans made of segment plans, and the whole model with what is known.

    Notes
    -----
    Column generation (Dantzig and Wolfe 1960, doi:10.1287/opre.8.1.101): prices begin with the duals of the linear
    relaxation; each round solves the small models, keeps their plans, and takes new prices from the best mixture of
    the plans kept. Then whole plans are chosen among those kept, and the whole model is solved for the time that is
    left, never to a worse plan. Bound: the best of the Lagrangian bounds and that of the whole model.
    """
    since = time.perf_counter()
    program = form.model(objective).program()
    blocks = split_blocks(form, program)
    whole = Options(rel_gap=max(options.rel_gap, _SMALL_GAP), node_limit=_NODES, own_process=False)
    if start is None or program.violation(start) > 1e-6:
        first = replace(options, time_limit=_part(options, 0.2, since), rel_gap=0.02, node_limit=200)
        answer = solve(program, first)
    else:
        answer = solve(program, replace(options, time_limit=_part(options, 0.05, since), node_limit=1), start=start)
    if answer.values is None or len(blocks.columns) < 2 or answer.status is Status.OPTIMAL:
        left = replace(options, time_limit=_part(options, 1.0, since))
        return answer if answer.status in (Status.OPTIMAL, Status.INFEASIBLE) else solve(program, left)
    best, bound = answer.values, answer.bound
    pool = _Pool([[best[columns]] for columns in blocks.columns])
    relaxed = solve(replace(program, integer=np.zeros_like(program.integer)))
    prices = np.zeros(len(blocks.shared)) if relaxed.duals is None else relaxed.duals[blocks.shared]
    for _ in range(_ROUNDS):
        at_most, plans = lagrangian_bound(program, blocks, prices, _limits(program, best), whole)
        bound = max(bound, at_most)
        new = [pool.add(b, plan) for b, plan in enumerate(plans) if plan is not None]
        cost = program.objective(best)
        if not any(new) or cost - bound <= max(options.rel_gap, _ENOUGH) * abs(cost):
            break
        if options.time_limit is not None and time.perf_counter() - since > 0.6 * options.time_limit:
            break
        prices = _mixed_prices(program, blocks, pool, prices)
    chosen = _choose(program, blocks, pool, replace(options, time_limit=_part(options, 0.5, since), node_limit=_NODES))
    if chosen is not None and program.objective(chosen) < program.objective(best):
        best = chosen
    return _finish(program, best, bound, options, since)


def _finish(program: Program, best: FloatArray, bound: float, options: Options, since: float) -> Solution:
    """Solve the whole program from the best plan for the time that is left; keep the better bound."""
    left = replace(options, time_limit=_part(options, 1.0, since))
    last = solve(program, left, start=best)
    proven = max(bound, last.bound) if last.values is not None else bound
    proven = min(proven, last.objective)
    gap = (last.objective - proven) / abs(last.objective) if last.objective else 0.0
    status = last.status
    if last.objective - proven <= last.tolerance:
        status = Status.OPTIMAL
    elif gap <= options.rel_gap:
        status = Status.WITHIN_GAP
    note = f"bound of prices on shared rows {bound:.8g}"
    return replace(last, bound=proven, gap=gap, status=status, notes=(*last.notes, note))


def _limits(program: Program, best: FloatArray) -> FloatArray:
    """Return upper bounds that no cheaper plan exceeds: a column alone would cost more than the best plan."""
    cost = program.objective(best) - program.offset
    safe = np.where(program.cost > 0, np.maximum(cost, 0.0) / np.maximum(program.cost, 1e-300) + 1.0, np.inf)
    # only where no column can lower the cost does a single one bound it
    usable = bool((program.cost >= 0).all() and (program.low >= 0).all())
    return np.minimum(program.high, safe) if usable else program.high


def _mixed_prices(program: Program, blocks: Blocks, pool: _Pool, before: FloatArray) -> FloatArray:
    """Return the duals of the shared rows for the best mixture of the plans kept."""
    model = Model("mixture")
    weights, entries = _weights(model, program, blocks, pool, integer=False)
    rest = model.add_columns(
        [f"rest{j}" for j in blocks.rest], low=program.low[blocks.rest], high=program.high[blocks.rest],
        cost=program.cost[blocks.rest],
    )  # fmt: skip
    _tie(model, program, blocks, weights, entries, rest)
    found = solve(model)
    return before if found.duals is None else found.duals[: len(blocks.shared)]


def _choose(program: Program, blocks: Blocks, pool: _Pool, options: Options) -> FloatArray | None:
    """Return the cheapest plan that takes one of the plans kept for each segment, with whole support."""
    model = Model("choice")
    weights, entries = _weights(model, program, blocks, pool, integer=True)
    rest = model.add_columns(
        [f"rest{j}" for j in blocks.rest], low=program.low[blocks.rest], high=program.high[blocks.rest],
        cost=program.cost[blocks.rest], integer=program.integer[blocks.rest],
    )  # fmt: skip
    _tie(model, program, blocks, weights, entries, rest)
    found = solve(model, options)
    if found.values is None:
        return None
    values = np.zeros(program.n_columns)
    values[blocks.rest] = found.of(rest)
    for block, members in enumerate(weights):
        taken = int(np.argmax(found.of(members)))
        values[blocks.columns[block]] = pool.plans[block][taken]
    return values if program.violation(values) <= 1e-6 else None


def _weights(
    model: Model, program: Program, blocks: Blocks, pool: _Pool, *, integer: bool
) -> tuple[list[IntArray], list[FloatArray]]:
    """Add a column per plan kept; return them by block, and what each does to the shared rows."""
    weights, entries = [], []
    for block, plans in enumerate(pool.plans):
        columns = blocks.columns[block]
        values = np.stack(plans)
        names = [f"plan{block}_{k}" for k in range(len(plans))]
        weights.append(model.add_columns(names, high=1.0, integer=integer, cost=values @ program.cost[columns]))
        entries.append(np.asarray(program.matrix[blocks.shared][:, columns] @ values.T))
    return weights, entries


def _tie(
    model: Model,
    program: Program,
    blocks: Blocks,
    weights: list[IntArray],
    entries: list[FloatArray],
    rest: IntArray,
) -> None:
    support = program.matrix[blocks.shared][:, blocks.rest].toarray()
    columns = np.concatenate([*weights, rest])
    for k, row in enumerate(blocks.shared.tolist()):
        values = np.concatenate([*(table[k] for table in entries), support[k]])
        model.add_row(
            program.row_names[row], columns, values, low=float(program.row_low[row]), high=float(program.row_high[row])
        )
    for block, members in enumerate(weights):
        model.add_row(f"one plan of block {block}", members, 1.0, low=1.0, high=1.0)


def _part(options: Options, part: float, since: float) -> float | None:
    if options.time_limit is None:
        return None
    return max(0.1, part * (options.time_limit - (time.perf_counter() - since)))
