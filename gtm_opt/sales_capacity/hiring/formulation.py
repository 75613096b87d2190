"""The time-expanded integer model: columns, rows with a planner's name, objectives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.mip import Model
from gtm_opt.sales_capacity.hiring.flow import Flow, build_flow
from gtm_opt.sales_capacity.hiring.rules import HiringFreeze, Promotion, RecruitingLimit, Release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["Formulation", "Linear", "Row", "formulate"]

TARGET = "target"
"""Kind of the rows that ask for bookings."""


@dataclass(frozen=True, eq=False)
class Linear:
    """``constant + sum values * columns``."""

    columns: IntArray
    values: FloatArray
    constant: float = 0.0

    @classmethod
    def dense(cls, values: FloatArray, constant: float) -> Linear:
        """Return the linear function with these values on the first columns, zeros left out."""
        used = np.flatnonzero(values)
        return cls(used, values[used], float(constant))

    def plus(self, columns: NDArray[np.int64] | Sequence[int], values: FloatArray | Sequence[float]) -> Linear:
        """Return the function with further terms."""
        return Linear(
            np.concatenate([self.columns, np.asarray(columns, dtype=np.int64)]),
            np.concatenate([self.values, np.asarray(values, dtype=np.float64)]),
            self.constant,
        )

    def at(self, values: FloatArray) -> float:
        """Return the value of the function."""
        return float(np.sum(self.values * values[self.columns])) + self.constant


@dataclass(frozen=True, eq=False)
class Row:
    """``low <= function <= high``, with what a planner calls it.

    Attributes
    ----------
    name : str
        Unique.
    kind : str
        ``"target"``, ``"recruiting"``, ``"support"``, ``"span"``, ``"onboarding"``, ``"budget"``, ``"seats"``,
        ``"pipeline"``, ``"promotion"``, or ``"identity"`` for what merely defines a column.
    period : str
    source : int
        Position of the rule or target, -1 for identities.
    function : Linear
    low, high : float
    """

    name: str
    kind: str
    period: str
    source: int
    function: Linear
    low: float = -np.inf
    high: float = np.inf


@dataclass(eq=False)
class Formulation:
    """A model under construction.

    Attributes
    ----------
    problem : HiringProblem
    flow : Flow
    names, low, high, integer : list
        Of the columns; the first ones are those of ``flow``.
    rows : list of Row
    objectives : dict of str to Linear
        To be minimized.
    extra : dict of str to ndarray of int
        Columns that several rules share: ``"usable"``, bookings by role and month that the pipeline allows.
    misses, keys : dict
        Of a scenario model: the column that lets a target (-1: all) be missed in a path; target and path by row name.
    may_hire : ndarray of bool
        Whether time to fill and freezes let anybody start, by column of a hire.
    """

    problem: HiringProblem
    flow: Flow
    names: list[str] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    objectives: dict[str, Linear] = field(default_factory=dict)
    extra: dict[str, IntArray] = field(default_factory=dict)
    misses: dict[tuple[int, int], int] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    may_hire: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def add_column(self, name: str, *, low: float = 0.0, high: float = np.inf, integer: bool = False) -> int:
        """Add a column and return its position."""
        self.names.append(name)
        self.low.append(low)
        self.high.append(high)
        self.integer.append(integer)
        return len(self.names) - 1

    def add_row(
        self,
        name: str,
        kind: str,
        period: str,
        source: int,
        function: Linear,
        *,
        low: float = -np.inf,
        high: float = np.inf,
    ) -> None:
        """Add a row."""
        self.rows.append(Row(name, kind, period, source, function, low, high))

    def model(
        self, objective: Linear, further: Sequence[Row] = (), skip: frozenset[tuple[str, int]] = frozenset()
    ) -> Model:
        """Return the model that minimizes ``objective``, with further rows and without those of some sources.

        Parameters
        ----------
        objective : Linear
        further : sequence of Row
        skip : set of (kind, source)
        """
        model = Model("hiring")
        cost = np.zeros(len(self.names))
        np.add.at(cost, objective.columns, objective.values)
        model.add_columns(self.names, low=self.low, high=self.high, integer=self.integer, cost=cost)
        model.offset = objective.constant
        for row in (*self.rows, *further):
            if (row.kind, row.source) in skip:
                continue
            shift = row.function.constant
            model.add_row(
                row.name, row.function.columns, row.function.values, low=row.low - shift, high=row.high - shift
            )
        return model

    def heads(self, roles: Sequence[int], month: int, weights: Sequence[float] | None = None) -> Linear:
        """Return the expected heads of some roles in a month, weighted."""
        weight = np.ones(len(roles)) if weights is None else np.asarray(weights, dtype=np.float64)
        at = list(roles)
        return Linear.dense(weight @ self.flow.heads[at, month], float(weight @ self.flow.heads_0[at, month]))

    def heads_less(
        self, more: tuple[Sequence[int], float], less: tuple[Sequence[int], Sequence[float]], months: tuple[int, int]
    ) -> Linear:
        """Return ``factor * heads of more (month 1) - weighted heads of less (month 2)``."""
        a = self.heads(more[0], months[0], [more[1]] * len(more[0]))
        b = self.heads(less[0], months[1], less[1])
        return Linear(a.columns, a.values, a.constant - b.constant).plus(b.columns, -b.values)


def formulate(
    problem: HiringProblem, objectives: Sequence[str] = ("least_cost",), *, soft: bool = False
) -> Formulation:
    """Write the model down.

    Parameters
    ----------
    problem : HiringProblem
    objectives : sequence of str
        Those that need columns of their own get them.
    soft : bool
        Targets are no rows; the part of each that is reached is counted instead.
    """
    from gtm_opt.sales_capacity.hiring import objectives as goals
    from gtm_opt.sales_capacity.hiring import rows

    flow = build_flow(problem)
    out = Formulation(problem, flow, may_hire=may_hire(problem).ravel())
    for name, high in zip(flow.names, _most_hires(problem, flow), strict=True):
        out.add_column(name, high=high)
    _make_integer(out)
    rows.add_identities(out)
    rows.add_rules(out)
    covered = rows.add_targets(out, soft=soft)
    goals.add_objectives(out, objectives, covered)
    return out


def _most_hires(problem: HiringProblem, flow: Flow) -> list[float]:
    """Return the most people that may start, by column: nobody where nobody may, else what recruiting allows."""
    most = np.where(may_hire(problem), np.inf, 0.0)
    for rule in problem.rules:
        if isinstance(rule, RecruitingLimit):
            for at, role in enumerate(problem.roles):
                if rule.roles is None or role.name in rule.roles:
                    inside = month_span(problem, rule.first, rule.last)
                    most[at, inside] = np.minimum(most[at, inside], rule.max_hires)
    most = np.maximum(most, problem.promised)
    return [*most.ravel().tolist(), *[np.inf] * (flow.n_columns - most.size)]


def may_hire(problem: HiringProblem) -> NDArray[np.bool_]:
    """Return whether anybody may start who is not promised, by role and month."""
    open_months = problem.may_start.copy()
    for rule in problem.rules:
        if isinstance(rule, HiringFreeze):
            for at, role in enumerate(problem.roles):
                if rule.roles is None or role.name in rule.roles:
                    open_months[at, month_span(problem, rule.first, rule.last)] = False
    return open_months


def _make_integer(out: Formulation) -> None:
    promised = out.problem.promised.ravel()
    for column in range(promised.size):
        out.integer[column] = True
        out.low[column] = float(promised[column])
    for at, columns in out.flow.decisions.items():
        rule = out.problem.rules[at]
        assert isinstance(rule, Promotion | Release)
        for column in columns.tolist():
            out.integer[column] = True
            if rule.max_per_month is not None:
                out.high[column] = float(rule.max_per_month)


def month_span(problem: HiringProblem, first: str | None, last: str | None) -> NDArray[np.int64]:
    """Return the positions of the months between two labels, inclusive."""
    labels = list(problem.calendar.labels)
    begin = 0 if first is None else labels.index(first)
    end = len(labels) - 1 if last is None else labels.index(last)
    return np.arange(begin, end + 1, dtype=np.int64)
