"""The nearest plan of a small problem: what is relaxed least, found tier by tier and proven."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint
from scipy.optimize import milp as highs

from gtm_opt.instance import EvennessKind
from gtm_opt.measures import evaluate
from gtm_opt.solvers.exact.formulation import allowed_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.measures import Evaluation
    from gtm_opt.solvers.exact.formulation import Pairs
    from gtm_opt.solvers.protocol import Run

__all__ = ["Nearest", "Stage", "find_nearest", "hard_criteria", "keeps_a_band", "stage_values"]

ROW_TOLERANCE = 1e-6
"""HiGHS keeps rows of a mixed-integer model up to this much."""
SAME = 1e-7
"""Values that differ by less, relatively, are the same: bands grant 1e-9 to every sum, which adds up over many."""
NODES = 20_000
"""Branch-and-bound nodes of one stage."""
SOLVE_ERROR = 4
"""SciPy's status for "the solver failed"."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One quantity of the order in which things are relaxed.

    Attributes
    ----------
    name : str
        ``"rules"`` (relative excess over the limits of side rows), ``"tier 1"`` ... (sum of the relative excess
        of its hard bands), ``"objective"``.
    value : float
        Of the plan, recomputed.
    bound : float
        No assignment that is as good in all stages before has less.
    """

    name: str
    value: float
    bound: float

    @property
    def proven(self) -> bool:
        """Whether nothing is left to gain, up to the tolerance of the models."""
        return self.value - self.bound <= 2 * ROW_TOLERANCE * max(1.0, abs(self.value))


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The nearest plan that was found, and how far each stage is proven.

    Attributes
    ----------
    assignment : ndarray of int, shape (n_units,), or None
        None when no assignment keeps pins, forbids, teams and groups kept apart (see ``rules_impossible``), or
        none was found.
    stages : tuple of Stage
        In the order in which things are relaxed.
    rules_impossible : bool
        Proven: no assignment keeps pins, forbids, teams and groups kept apart, whatever moves.
    infeasible : bool
        Proven: no assignment keeps all rules and hard bands.
    proven : bool
        Every stage is proven: no assignment is nearer, in the order documented.
    """

    assignment: IntArray | None
    stages: tuple[Stage, ...]
    rules_impossible: bool = False
    infeasible: bool = False
    proven: bool = False

    @property
    def kept(self) -> bool:
        """Whether the assignment keeps all rules and hard bands."""
        return self.assignment is not None and all(s.value <= 0.0 for s in self.stages if s.name != "objective")


def hard_criteria(instance: Instance) -> NDArray[np.bool_]:
    """Return which criteria have bands that must hold; "as even as possible" takes two-sided bands as a measure."""
    hard: NDArray[np.bool_] = np.isinf(instance.penalty)
    if instance.evenness is not None:
        hard = hard & ~np.isfinite(instance.evenness.unit).any(axis=0)
    return hard


def stage_values(instance: Instance, found: Evaluation) -> list[tuple[str, float]]:
    """Return what `find_nearest` makes small, in its order, for one assignment."""
    hard, out = hard_criteria(instance), []
    if instance.side:
        upper = np.array([row.upper for row in instance.side])
        over = np.maximum(found.side - upper - 1e-9 * np.maximum(1.0, np.abs(upper)), 0.0)
        out.append(("rules", float((over / _side_scale(instance)).sum())))
    for tier in np.unique(instance.tier[hard]):
        out.append((f"tier {tier}", float(found.excess[:, hard & (instance.tier == tier)].sum())))
    if instance.evenness is not None:
        out.append(("objective", found.evenness))
    else:
        soft = ~np.isinf(instance.penalty)
        out.append(("objective", found.cost + float((found.excess[:, soft] * instance.penalty[soft]).sum())))
    return out


def find_nearest(
    instance: Instance, run: Run, start: IntArray | None = None, *, nodes: int = NODES, stages: int | None = None
) -> Nearest:
    """Find the assignment that is nearest to what was asked for: lexicographically, by one model per stage.

    Parameters
    ----------
    instance : Instance
        Small: columns are units x territories.
    run : Run
    start : ndarray of int, shape (n_units,), optional
        The answer is never worse.
    nodes : int
        Most branch-and-bound nodes of one stage: the only thing that makes an answer unproven, beside the clock.
    stages : int, optional
        Stop after this many stages; the assignment then is the best in these only.

    Notes
    -----
    Lexicographic goal programming [1]_: pins, forbids, teams and groups kept apart always hold. Limits of side rows
    are relaxed only when the model that keeps them is proven infeasible, by the least relative excess. Then the sum of
    the relative excess of the hard bands is minimized tier by tier, each tier's value being kept by those that
    follow; last the objective. Every value is recomputed from the assignment.

    References
    ----------
    .. [1] Ignizio, J. P. (1976). Goal Programming and Extensions. Lexington Books.
    """
    model = _Model(instance, allowed_pairs(instance))
    best = start if start is not None and _obeys(evaluate(instance, start)) else None
    rules_free = not instance.side
    if instance.side:
        # first with all limits kept: they are relaxed only when that is proven impossible
        outcome = model.solve(model.nothing(), run, nodes, free=True)
        if outcome.infeasible and outcome.answer is None:
            model.open_side()
        elif outcome.answer is not None or (best is not None and _rules_hold(instance, best)):
            rules_free = True
            best = _nearer(instance, best, outcome.answer)
        else:
            return Nearest(best, ())
    out: list[Stage] = []
    names = [name for name, _ in stage_values(instance, evaluate(instance, np.zeros(instance.n_units, np.int64)))]
    proven = True
    for at, name in enumerate(names[: stages or len(names)]):
        if name == "rules" and rules_free:
            out.append(Stage(name, 0.0, 0.0))
            continue
        outcome = model.solve(model.goal(name), run, nodes)
        if outcome.infeasible and outcome.answer is None and best is None:
            return Nearest(None, (), rules_impossible=True, infeasible=True, proven=True)
        best = _nearer(instance, best, outcome.answer)
        if best is None:
            return Nearest(None, tuple(out))
        value = stage_values(instance, evaluate(instance, best))[at][1]
        stage = Stage(name, value, min(outcome.bound, value))
        out.append(stage)
        proven &= stage.proven
        if not stage.proven and name != "objective":
            break
        model.keep(name, value)
    # the values of earlier stages may have improved since
    values = [] if best is None else stage_values(instance, evaluate(instance, best))
    out = [replace(s, value=v, bound=min(s.bound, v)) for s, (_, v) in zip(out, values, strict=False)]
    room = ROW_TOLERANCE * max(1, model.n_rows)
    infeasible = any(s.bound > room for s in out if s.name != "objective")
    return Nearest(best, tuple(out), infeasible=infeasible, proven=proven and len(out) == len(names))


def keeps_a_band(instance: Instance, k: int, j: int, run: Run, *, nodes: int = NODES) -> bool:
    """Whether some assignment that keeps the rules may hold the band of one territory and criterion.

    False only by proof.
    """
    model = _Model(instance, allowed_pairs(instance))
    outcome = model.solve(model.one_band(k, j), run, nodes)
    return not (outcome.infeasible or outcome.bound > ROW_TOLERANCE * max(1, model.n_rows))


def _side_scale(instance: Instance) -> FloatArray:
    """Return what excess over side rows is measured by: the limit, or all that could be used where it is zero."""
    out = []
    for row in instance.side:
        most = sum(float(np.where(np.isfinite(b), b, 0.0).max(axis=1).sum()) for b in _blocks(instance, row.term))
        out.append(max(most, abs(row.upper), 1e-12))
    return np.array(out)


def _blocks(instance: Instance, term: Any) -> list[FloatArray]:
    return [term.block(rows) for rows in instance.chunks()]


def _obeys(found: Evaluation) -> bool:
    return bool(np.isfinite(found.cost)) and found.apart_broken == 0


def _rules_hold(instance: Instance, assignment: IntArray) -> bool:
    return evaluate(instance, assignment).rules_kept


def _nearer(instance: Instance, first: IntArray | None, second: IntArray | None) -> IntArray | None:
    """Return the nearer of two assignments; differences below rounding decide nothing."""
    if second is None or not _obeys(evaluate(instance, second)):
        return first
    if first is None:
        return second
    one, other = (stage_values(instance, evaluate(instance, a)) for a in (first, second))
    for (_, a), (_, b) in zip(one, other, strict=True):
        if abs(a - b) > SAME * max(1.0, abs(a)):
            return first if a < b else second
    return first


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    answer: IntArray | None
    bound: float
    infeasible: bool


class _Model:
    """Columns: pairs, then excess over and under each band, then side slacks, then the worst deviation."""

    def __init__(self, instance: Instance, pairs: Pairs) -> None:
        self.instance, self.pairs = instance, pairs
        k, m, p = instance.n_territories, instance.n_criteria, len(pairs.unit)
        self.excess = p + np.arange(2 * k * m).reshape(2, k, m)
        self.side = p + 2 * k * m + np.arange(len(instance.side))
        self.worst = p + 2 * k * m + len(instance.side)
        self.n_columns = self.worst + 1
        self.high = np.full(self.n_columns, np.inf)
        self.high[:p] = 1.0
        self.high[self.side] = 0.0
        self.rows: list[sparse.csr_array] = []
        self.low_rows: list[FloatArray] = []
        self.high_rows: list[FloatArray] = []
        self._assign()
        self._bands()
        self._sides()
        self._apart()
        if instance.evenness is not None:
            self._evenness()

    @property
    def n_rows(self) -> int:
        return sum(block.shape[0] for block in self.rows)

    def _add(self, row: IntArray, column: IntArray, value: FloatArray, low: FloatArray, high: FloatArray) -> None:
        shape = (len(low), self.n_columns)
        self.rows.append(sparse.csr_array((value, (row, column)), shape=shape))
        self.low_rows.append(low)
        self.high_rows.append(high)

    def _assign(self) -> None:
        n = self.instance.n_units
        p = len(self.pairs.unit)
        self._add(self.pairs.unit, np.arange(p), np.ones(p), np.ones(n), np.ones(n))

    def _bands(self) -> None:
        instance, pairs = self.instance, self.pairs
        k, m, p = instance.n_territories, instance.n_criteria, len(pairs.unit)
        scale = np.where(instance.target > 0, instance.target, 1.0)
        row = (pairs.territory[:, None] * m + np.arange(m)).ravel()
        column = np.repeat(np.arange(p), m)
        value = (pairs.activity / scale[pairs.territory]).ravel()
        every = np.arange(k * m)
        over, under = self.excess[0].ravel(), self.excess[1].ravel()
        self._add(
            np.concatenate([row, every, every]),
            np.concatenate([column, over, under]),
            np.concatenate([value, -np.ones(k * m), np.ones(k * m)]),
            (instance.lower / scale).ravel(),
            (instance.upper / scale).ravel(),
        )

    def _sides(self) -> None:
        if not self.instance.side:
            return
        scale = _side_scale(self.instance)
        p, r = len(self.pairs.unit), len(scale)
        upper = np.array([row.upper for row in self.instance.side]) / scale
        self._add(
            np.concatenate([np.tile(np.arange(r), p), np.arange(r)]),
            np.concatenate([np.repeat(np.arange(p), r), self.side]),
            np.concatenate([(self.pairs.side / scale).ravel(), -np.ones(r)]),
            np.full(r, -np.inf),
            upper,
        )

    def _apart(self) -> None:
        k = self.instance.n_territories
        for group in self.instance.apart:
            inside = np.flatnonzero(np.isin(self.pairs.unit, group))
            ones = np.ones(len(inside))
            self._add(self.pairs.territory[inside], inside, ones, np.full(k, -np.inf), np.ones(k))

    def _evenness(self) -> None:
        instance, pairs, evenness = self.instance, self.pairs, self.instance.evenness
        assert evenness is not None
        if evenness.kind is not EvennessKind.DEVIATION:
            raise ValueError(f"nearest plans measure evenness by deviations, got {evenness.kind!r}")
        k, m, p = instance.n_territories, instance.n_criteria, len(pairs.unit)
        unit = evenness.unit
        value = (pairs.activity / unit[pairs.territory]).ravel()
        row = (pairs.territory[:, None] * m + np.arange(m)).ravel()
        column = np.repeat(np.arange(p), m)
        aim = (instance.target / unit).ravel()
        every, worst = np.arange(k * m), np.full(k * m, self.worst)
        for sign in (-1.0, 1.0):
            ends = (np.full(k * m, -np.inf), aim) if sign < 0 else (aim, np.full(k * m, np.inf))
            self._add(
                np.concatenate([row, every]),
                np.concatenate([column, worst]),
                np.concatenate([value, np.full(k * m, sign)]),
                *ends,
            )

    def nothing(self) -> FloatArray:
        """Return the goal of a pure question whether there is any assignment."""
        return np.zeros(self.n_columns)

    def open_side(self) -> None:
        """Let side rows be exceeded."""
        self.high[self.side] = np.inf

    def one_band(self, k: int, j: int) -> FloatArray:
        """Return the goal of the excess of one band."""
        goal = self.nothing()
        goal[self.excess[:, k, j]] = 1.0
        return goal

    def goal(self, name: str) -> FloatArray:
        """Return the objective of a stage."""
        instance, goal = self.instance, self.nothing()
        if name == "rules":
            goal[self.side] = 1.0
        elif name == "objective":
            if instance.evenness is not None:
                goal[self.worst] = 1.0
                return goal
            goal[: len(self.pairs.cost)] = self.pairs.cost
            for j in np.flatnonzero(np.isfinite(instance.penalty)):
                goal[self.excess[:, :, j].ravel()] = instance.penalty[j]
        else:
            tier = int(name.removeprefix("tier "))
            for j in np.flatnonzero(hard_criteria(instance) & (instance.tier == tier)):
                goal[self.excess[:, :, j].ravel()] = 1.0
        return goal

    def keep(self, name: str, value: float) -> None:
        """Hold a stage's value in the stages that follow."""
        goal = self.goal(name)
        used = np.flatnonzero(goal)
        if value <= 0.0:
            self.high[used] = np.minimum(self.high[used], 0.0)
            return
        zeros = np.zeros(len(used), dtype=np.int64)
        self._add(zeros, used, goal[used], np.array([-np.inf]), np.array([value * (1 + SAME)]))

    def solve(self, goal: FloatArray, run: Run, nodes: int, *, free: bool = False) -> _Outcome:
        """Minimize a goal; ``free``: any answer will do."""
        if run.stop():
            return _Outcome(None, -np.inf, False)
        integral = np.zeros(self.n_columns, dtype=np.int64)
        integral[: len(self.pairs.unit)] = 1
        size = np.abs(goal[goal != 0.0])
        scale = float(size.mean()) if len(size) else 1.0
        options: Any = {"mip_rel_gap": 0.0, "node_limit": nodes}
        if np.isfinite(run.remaining):
            options["time_limit"] = max(run.remaining, 0.01)
        matrix = sparse.vstack(self.rows, format="csr")
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
        question: dict[str, Any] = {
            "integrality": integral,
            "bounds": Bounds(np.zeros(self.n_columns), self.high),
            "constraints": LinearConstraint(matrix, np.concatenate(self.low_rows), np.concatenate(self.high_rows)),
        }
        found = highs(goal / scale, options=options, **question)
        if found.status == SOLVE_ERROR:  # HiGHS's presolve stumbles over a few tiny models
            found = highs(goal / scale, options=options | {"presolve": False}, **question)
        bound = -np.inf if found.mip_dual_bound is None else float(found.mip_dual_bound) * scale
        if found.status == 0 and found.fun is not None and free:
            bound = 0.0
        return _Outcome(self._assignment(found.x), bound, found.status == 2)

    def _assignment(self, values: FloatArray | None) -> IntArray | None:
        if values is None:
            return None
        at = np.full(self.instance.n_units, -1, dtype=np.int64)
        chosen = np.asarray(values)[: len(self.pairs.unit)] > 0.5
        at[self.pairs.unit[chosen]] = self.pairs.territory[chosen]
        return at if (at >= 0).all() else None
