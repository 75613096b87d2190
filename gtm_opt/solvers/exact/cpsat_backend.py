"""The full model by CP-SAT, in integers."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import SolverError, SolverNotAvailableError
from gtm_opt.instance import EvennessKind
from gtm_opt.measures import better
from gtm_opt.solvers.exact.answer import finish, keeps_start_on_interrupt, needs_mending
from gtm_opt.solvers.exact.formulation import allowed_pairs
from gtm_opt.solvers.exact.integers import scale_costs, scale_sums
from gtm_opt.solvers.protocol import Capabilities, SolverResult

if TYPE_CHECKING:
    from gtm_opt.instance import Evenness, Instance, IntArray
    from gtm_opt.solvers.exact.integers import Scaled
    from gtm_opt.solvers.protocol import Run

__all__ = ["CpSatSolver", "cpsat"]

_FINE = 2.0**24
"""Steps per unit of an evenness measure."""
_PART = 2.0**24
"""Shares are known to one part in this many."""


def _import_cp_model() -> Any:
    try:
        from ortools.sat.python import cp_model
    except ImportError as error:
        import sys

        if "highspy" in sys.modules or "undefined symbol" in str(error):
            raise SolverNotAvailableError(
                "solver='cpsat' needs ortools, which cannot be loaded into a process that has loaded highspy "
                "(both bring their own HiGHS). Use solver='milp' here, or carve in a "
                "fresh process that does not import highspy."
            ) from error
        raise SolverNotAvailableError(
            "solver='cpsat' needs the package ortools, which is not installed. Install 'ortools', or use solver='milp'."
        ) from error
    return cp_model


class _Model:
    """The integer model; ``side`` +1 widens limits by the rounding error (for bounds), -1 narrows them.

    Notes
    -----
    Columns: ``x_ik`` boolean for allowed pairs, ``over_kj, under_kj >= 0`` integer, ``worst`` (and
    ``top_j, bottom_j``) with evenness. Minimize as `gtm_opt.solvers.exact.formulation.formulate` does:

    1. every unit in exactly one territory;
    2. bands; 3. side rows; 4. apart groups; 5. evenness: the same numbers as there.

    Activities and side rows are rounded to nearest, costs down. With limits widened by the error that
    makes, every plan of the true model is a plan of this one, at no more than its true cost.
    """

    def __init__(self, instance: Instance, direction: int) -> None:
        self.cp = _import_cp_model()
        self.instance, self.direction = instance, direction
        self.model = self.cp.CpModel()
        self.pairs = pairs = allowed_pairs(instance)
        self.x = [self.model.new_bool_var("") for _ in range(len(pairs.unit))]
        self.in_territory = [np.flatnonzero(pairs.territory == k) for k in range(instance.n_territories)]
        self.activity = [
            scale_sums(pairs.activity[:, j], pairs.unit, instance.n_units, fine=bool(np.isfinite(instance.penalty[j])))
            for j in range(instance.n_criteria)
        ]
        self.cost_factor = 1.0
        self.exact = all(scaled.error == 0.0 for scaled in self.activity)
        self.terms: list[tuple[Any, int]] = []
        self._units_once()
        self._rows()
        self._apart()
        if instance.evenness is None:
            self._bands(self._costs())
            self.model.minimize(
                self.cp.LinearExpr.weighted_sum([t for t, _ in self.terms], [c for _, c in self.terms])
                if self.terms
                else 0
            )
        else:
            self._bands(None)
            self.model.minimize(self._evenness(instance.evenness))

    def _sum(self, columns: IntArray, scaled: Scaled) -> Any:
        weights = scaled.values[columns]
        used = np.flatnonzero(weights)
        return self.cp.LinearExpr.weighted_sum([self.x[c] for c in columns[used].tolist()], weights[used].tolist())

    def _units_once(self) -> None:
        # (1) every unit in one territory
        starts = np.searchsorted(self.pairs.unit, np.arange(self.instance.n_units + 1)).tolist()
        for first, last in itertools.pairwise(starts):
            self.model.add_exactly_one(self.x[first:last])

    def _limit(self, value: float, scaled: Scaled, side: int, *, elastic: bool = False) -> int:
        """Return an upper (side 1) or lower (side -1) limit in scaled units, rounded inwards.

        Elastic limits are rounded outwards: their excess is then never more than the true one.
        """
        margin = scaled.error + 1e-9 * abs(value) * scaled.factor
        if self.direction < 0 and scaled.error == 0.0:
            margin = 0.0  # exact data needs no narrowing
        shifted = value * scaled.factor + side * self.direction * margin
        return math.floor(shifted) if (side > 0) != elastic else math.ceil(shifted)

    def _costs(self) -> float:
        """Put costs into the objective; return their factor."""
        instance, pairs = self.instance, self.pairs
        penalties = 0.0  # what the objective could reach with every excess at the end of its domain
        for j in np.flatnonzero(np.isfinite(instance.penalty)).tolist():
            most = np.bincount(pairs.territory, weights=pairs.activity[:, j], minlength=instance.n_territories)
            target = np.where(instance.target[:, j] > 0, instance.target[:, j], 1.0)
            span = most + np.maximum(np.maximum(most, instance.lower[:, j]), 0.0)
            penalties += float((instance.penalty[j] * span / target).sum())
        values, factor = scale_costs(pairs.cost, pairs.unit, instance.n_units, penalties)
        self.terms += [(self.x[p], v) for p, v in enumerate(values.tolist()) if v]
        self.cost_factor = factor
        return factor

    def _bands(self, cost_factor: float | None) -> None:
        # (2) bands
        instance = self.instance
        for k, columns in enumerate(self.in_territory):
            for j, scaled in enumerate(self.activity):
                low, high = float(instance.lower[k, j]), float(instance.upper[k, j])
                if low <= 0.0 and high == np.inf:
                    continue
                total = self._sum(columns, scaled)
                if np.isfinite(instance.penalty[j]):
                    if cost_factor is None:
                        continue  # evenness: an elastic band costs nothing
                    most = int(scaled.values[columns].sum()) + 1
                    target = float(instance.target[k, j]) if instance.target[k, j] > 0 else 1.0
                    weight = math.floor(float(instance.penalty[j]) / target / scaled.factor * cost_factor)
                    over = self.model.new_int_var(0, most, "")
                    under = self.model.new_int_var(0, max(most, math.ceil(max(low, 0.0) * scaled.factor)), "")
                    self.terms += [(over, weight), (under, weight)]
                    total = total + under - over
                elastic = bool(np.isfinite(instance.penalty[j]))
                if high < np.inf:
                    self.model.add(total <= self._limit(high, scaled, 1, elastic=elastic))
                if low > 0.0:
                    self.model.add(total >= self._limit(low, scaled, -1, elastic=elastic))

    def _rows(self) -> None:
        # (3) side rows
        for r, row in enumerate(self.instance.side):
            scaled = scale_sums(self.pairs.side[:, r], self.pairs.unit, self.instance.n_units)
            self.exact &= scaled.error == 0.0
            self.model.add(self._sum(np.arange(len(self.x)), scaled) <= self._limit(row.upper, scaled, 1))

    def _apart(self) -> None:
        # (4) apart groups
        for group in self.instance.apart:
            for columns in self.in_territory:
                together = columns[np.isin(self.pairs.unit[columns], group)]
                if len(together) > 1:
                    self.model.add_at_most_one([self.x[c] for c in together.tolist()])

    def _evenness(self, evenness: Evenness) -> Any:
        # (5) evenness; ``worst`` counts steps of 1 / _FINE
        worst = self.model.new_int_var(0, self._largest_measure(evenness), "worst")
        for j, scaled in enumerate(self.activity):
            if evenness.kind is EvennessKind.DEVIATION:
                self._deviation(worst, evenness, j, scaled)
            else:
                self._ends(worst, evenness, j, scaled)
        return worst

    def _largest_measure(self, evenness: Evenness) -> int:
        """Return what ``worst`` cannot exceed."""
        instance = self.instance
        share = min(1.0, instance.n_territories * float(instance.shares.min()))
        totals = np.array([s.values.sum() / s.factor for s in self.activity]) / share
        return math.ceil(_FINE * float(((totals + instance.target.max(axis=0)) / evenness.unit.min(axis=0)).max())) + 2

    def _deviation(self, worst: Any, evenness: Evenness, j: int, scaled: Scaled) -> None:
        slack = math.ceil(scaled.error)
        for k, columns in enumerate(self.in_territory):
            unit, sharpness = _sharpened(float(evenness.unit[k, j]) * scaled.factor)
            fine = int(_FINE) * sharpness
            aim = float(self.instance.target[k, j]) * scaled.factor * fine
            total = self._sum(columns, scaled)
            self.model.add(unit * worst >= fine * total - math.ceil(aim) - fine * slack)
            self.model.add(unit * worst >= math.floor(aim) - fine * slack - fine * total)

    def _ends(self, worst: Any, evenness: Evenness, j: int, scaled: Scaled) -> None:
        # total / (K s) = total * part / _PART, rounded down for the top and up for the bottom
        slack, n_k = math.ceil(scaled.error), self.instance.n_territories
        parts = [_PART / (n_k * float(share)) for share in self.instance.shares]
        unit, sharpness = _sharpened(float(evenness.unit[0, j]) * scaled.factor)
        per_part = int(_FINE / _PART) * sharpness
        tops, bottoms = [], []
        for columns, part in zip(self.in_territory, parts, strict=True):
            total = self._sum(columns, scaled)
            tops.append(math.floor(part) * (total - slack))
            bottoms.append(math.ceil(part) * (total + slack))
        if evenness.kind is EvennessKind.PEAK:
            for top in tops:
                self.model.add(unit * worst >= per_part * top)
            return
        most = math.ceil(max(parts)) * (int(scaled.values.sum()) + slack + 1)
        least = self.model.new_int_var(0, most, f"bottom_{j}")
        for top, bottom in zip(tops, bottoms, strict=True):
            self.model.add(least <= bottom)
            self.model.add(unit * worst >= per_part * (top - least))

    def value(self, scaled_objective: float) -> float:
        """Return the objective in the instance's unit; for evenness one step less, as ``worst`` is rounded up."""
        if self.instance.evenness is not None:
            return max(0.0, (scaled_objective - 1.0) / _FINE)
        return scaled_objective / self.cost_factor


def _sharpened(unit: float) -> tuple[int, int]:
    """Return ``ceil(unit * p)`` and the power of two ``p`` that makes it exact to one part in a million."""
    sharpness = 1 << max(0, 20 - math.floor(math.log2(max(unit, 1e-9))))
    return math.ceil(unit * sharpness), sharpness


_CAPABILITIES = Capabilities(evenness=True, proof=True, lower_bound=True)


@dataclass(frozen=True, slots=True)
class CpSatSolver:
    """Constraint programming with learning on the full model, by OR-tools CP-SAT, one worker.

    Attributes
    ----------
    name : str
    capabilities : Capabilities
    source : str
    work : float or None
        Limit in CP-SAT's deterministic units, about seconds: what it cuts is repeatable.
    """

    name: str = "cpsat"
    capabilities: Capabilities = _CAPABILITIES
    source: str = "Perron, Didier, Gay (2023), doi:10.4230/LIPIcs.CP.2023.3"
    work: float | None = None

    @keeps_start_on_interrupt
    def __call__(
        self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        """Solve ``instance`` to proven optimality, or to the time limit; see `gtm_opt.solvers.Solver`.

        Notes
        -----
        The scaling of each criterion is in the step's note. Where data cannot be made integer exactly,
        limits are widened by the rounding error first, so that the bound holds; an answer that then
        breaks a true limit is replaced by one with narrowed limits.
        """
        since = run.seconds
        answer, bound, status, model = _solve(instance, run, seed, 1, start, self.work)
        if needs_mending(instance, answer) and not run.stop():
            answer = better(instance, answer, _solve(instance, run, seed, -1, answer, self.work)[0])
        run.stop()
        factors = ", ".join(f"{scaled.factor:g}" for scaled in model.activity)
        errors = max((s.error / s.factor for s in model.activity), default=0.0)
        run.note("cpsat", since, f"{status}; activities times {factors}; rounding error of a total {errors:.2g}")
        return finish(
            instance,
            run,
            better(instance, start, answer),
            bound,
            proved=status in ("OPTIMAL", "INFEASIBLE"),
            infeasible=status == "INFEASIBLE",
            clock=self.work is None,
        )


def _solve(
    instance: Instance, run: Run, seed: int, direction: int, start: IntArray | None, work: float | None = None
) -> tuple[IntArray | None, float, str, _Model]:
    """Return assignment, bound, CP-SAT's status name and the model."""
    model = _Model(instance, direction)
    cp = model.cp
    if start is not None:
        hinted = np.asarray(start)[model.pairs.unit] == model.pairs.territory
        for variable, value in zip(model.x, hinted.tolist(), strict=True):
            model.model.add_hint(variable, value)
    solver = cp.CpSolver()
    solver.parameters.num_workers = 1
    # One presolve step (linear rows over exactly-one groups) cuts off optimal solutions when coefficients are
    # large and then certifies a wrong optimum, in 9.15 at least: github.com/google/or-tools/issues/5293
    solver.parameters.presolve_inclusion_work_limit = 0
    solver.parameters.random_seed = seed & 0x7FFFFFFF  # CP-SAT takes 31 bits
    if work is not None:
        solver.parameters.max_deterministic_time = work
    if np.isfinite(run.remaining):
        solver.parameters.max_time_in_seconds = max(run.remaining, 0.01)

    class _Watch(cp.CpSolverSolutionCallback):  # type: ignore[misc, name-defined]
        def on_solution_callback(self) -> None:
            run.report("cpsat", bound=model.value(self.best_objective_bound))
            if run.stop():
                self.stop_search()

    status = solver.status_name(solver.solve(model.model, _Watch()))
    if status == "MODEL_INVALID":
        raise SolverError(
            "solver='cpsat': the numbers of this instance are too large for CP-SAT's 64-bit integers "
            f"({model.model.validate()[:200]}). Use larger units for the activities, or solver='milp'."
        )
    if status in ("INFEASIBLE", "UNKNOWN"):
        bound = np.inf if status == "INFEASIBLE" else model.value(solver.best_objective_bound)
        return None, bound, status, model
    chosen = np.array([solver.boolean_value(v) for v in model.x], dtype=bool)
    answer = np.zeros(instance.n_units, dtype=np.int64)
    answer[model.pairs.unit[chosen]] = model.pairs.territory[chosen]
    return answer, model.value(solver.best_objective_bound), status, model


cpsat = CpSatSolver()
