"""`HiringPlan`: whom to hire and when, what it costs and covers, and how good that is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, percent_text
from gtm_opt.mip import Options, Status, write_model
from gtm_opt.sales_capacity.hiring.questions import PlanQuestions
from gtm_opt.sales_capacity.hiring.rules import Promotion, Release
from gtm_opt.sales_capacity.hiring.stages import relax

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.hiring.confidence import Confidence
    from gtm_opt.sales_capacity.hiring.formulation import Formulation
    from gtm_opt.sales_capacity.hiring.odds import HiringOdds
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem
    from gtm_opt.sales_capacity.hiring.stages import Stage

    FloatArray = NDArray[np.float64]

__all__ = ["HiringPlan"]

_BINDING = 1e-7
_ORDER = (Status.OPTIMAL, Status.WITHIN_GAP, Status.FEASIBLE, Status.UNBOUNDED, Status.UNKNOWN, Status.INFEASIBLE)


@dataclass(frozen=True, eq=False)
class HiringPlan(PlanQuestions):
    """The result of `gtm_opt.plan_hiring`.

    Attributes
    ----------
    problem : HiringProblem
    stages : tuple of Stage
        One per objective, in order: value, bound, gap, status.
    formulation : Formulation
        The model that was solved.
    values : ndarray or None
        Values of its columns; None: no plan was found, or there is none.
    options : Options
    backend : str
    notes : tuple of str
    confidence : Confidence or None
        What was promised.
    odds : HiringOdds or None
        How often the targets are met on fresh paths, where something was promised; see also `measure`.
    """

    problem: HiringProblem
    stages: tuple[Stage, ...]
    formulation: Formulation = field(repr=False)
    values: FloatArray | None = field(repr=False)
    options: Options = field(repr=False, default_factory=Options)
    backend: str = "highs"
    notes: tuple[str, ...] = ()
    confidence: Confidence | None = None
    odds: HiringOdds | None = None

    # --- how good ---------------------------------------------------------------

    @property
    def status(self) -> Status:
        """The worst of all stages: ``optimal`` says that every objective's bound meets its value."""
        return max((stage.status for stage in self.stages), key=_ORDER.index)

    @property
    def objective(self) -> float:
        """Value of the first objective, recomputed from the plan."""
        return self.stages[0].value

    @property
    def bound(self) -> float:
        """No plan that keeps the rules is better than this in the first objective."""
        return self.stages[0].bound

    @property
    def gap(self) -> float:
        """Relative distance of `objective` and `bound`."""
        return self.stages[0].gap

    @property
    def objectives(self) -> tuple[str, ...]:
        """Names of the objectives, in order."""
        return tuple(stage.objective for stage in self.stages)

    @cached_property
    def relaxation(self) -> float:
        """The first objective when people may be hired in fractions; ``nan`` where even that is impossible."""
        name = self.objectives[0]
        answer = relax(self.formulation, self.formulation.objectives[name])
        return (-1.0 if name == "most_coverage" else 1.0) * answer.objective

    # --- tables -----------------------------------------------------------------

    @property
    def table(self) -> pd.DataFrame:
        """The hires; see `hires`."""
        return self.hires

    @cached_property
    def hires(self) -> pd.DataFrame:
        """One row per role and month with hires: role, segment, month, hires, promised."""
        counts = self.hire_counts
        role, month = np.nonzero(counts)
        table = self._keys(role, month)
        table["hires"] = counts[role, month]
        table["promised"] = self.problem.promised[role, month]
        return table

    @cached_property
    def hire_counts(self) -> NDArray[np.int64]:
        """Hires, shape (n_roles, n_months)."""
        values = self.solved
        return np.rint(values[self.formulation.flow.hires]).astype(np.int64)

    @cached_property
    def roster(self) -> pd.DataFrame:
        """The hires as seats to be hired, one row each, as `gtm_opt.capacity` reads them below a roster.

        Columns: ``seat_id`` (role, month and number), ``rep_id`` (None), ``role``, ``segment``, ``status`` ("to be
        hired"), ``start_date`` (first day of the month).
        """
        table = self.hires.loc[self.hires.index.repeat(self.hires["hires"])].reset_index(drop=True)
        labels = list(self.problem.calendar.labels)
        months = table["month"].astype(str)
        number = table.groupby(["role", "month"], sort=False).cumcount() + 1
        seats = [f"{r} {m} {n}" for r, m, n in zip(table["role"], months, number, strict=True)]
        days = pd.to_datetime(self.problem.calendar.edges[[labels.index(month) for month in months]])
        return pd.DataFrame(
            {
                "seat_id": pd.Series(seats, dtype=object),
                "rep_id": pd.Series([None] * len(table), dtype=object),
                "role": table["role"],
                "segment": table["segment"],
                "status": "to be hired",
                "start_date": days,
            }
        )

    @cached_property
    def moves(self) -> pd.DataFrame:
        """Promotions and releases: kind, role, destination, month, heads."""
        rows = []
        for at, columns in self.formulation.flow.decisions.items():
            rule = self.problem.rules[at]
            assert isinstance(rule, Promotion | Release)
            kind, role, destination = "release", getattr(rule, "role", ""), ""
            if isinstance(rule, Promotion):
                kind, role, destination = "promotion", rule.source, rule.destination
            for month, count in enumerate(np.rint(self.solved[columns]).astype(int).tolist()):
                if count:
                    rows.append((kind, role, destination, self.problem.calendar.periods[month], count))
        return pd.DataFrame(rows, columns=["kind", "role", "destination", "month", "heads"])

    @cached_property
    def heads(self) -> pd.DataFrame:
        """One row per role and month: role, segment, month, heads, ramping, rre, bookings, pay.

        Ramped-rep equivalents (rre) weigh each head by its ramp. All are expectations: exits are already inside.
        """
        flow, x = self.formulation.flow, self.flow_values
        roles, months = flow.heads_0.shape
        table = self._keys(np.repeat(np.arange(roles), months), np.tile(np.arange(months), roles))
        for name, change, base in (
            ("heads", flow.heads, flow.heads_0),
            ("ramping", flow.ramping, flow.ramping_0),
            ("rre", flow.productive, flow.productive_0),
            ("bookings", flow.bookings, flow.bookings_0),
        ):
            table[name] = (base + change @ x).ravel()
        pay = (
            np.repeat([role.cost_pm or 0.0 for role in self.problem.roles], months)
            * 12.0
            / self.problem.calendar.periods_py
        )
        table["pay"] = pay * table["heads"]
        return table

    @cached_property
    def coverage(self) -> pd.DataFrame:
        """One row per target: quarter, segment, target, bookings, slack, coverage_frac, from_present (without hires).

        Bookings are what the heads can book, whatever the pipeline allows; see `rows` for the pipeline.
        """
        flow, x = self.formulation.flow, self.flow_values
        total = flow.bookings_0 + flow.bookings @ x
        rows = []
        for target in self.problem.targets:
            roles, months = self.problem.sellers(target.segment), list(target.months)
            booked, before = (float(table[roles][:, months].sum()) for table in (total, flow.bookings_0))
            part = booked / target.amount if target.amount > 0 else np.inf
            rows.append((target.quarter, target.segment, target.amount, booked, booked - target.amount, part, before))
        columns = ["quarter", "segment", "target", "bookings", "slack", "coverage_frac", "from_present"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def cost(self) -> pd.DataFrame:
        """One row per quarter: quarter, present (pay of those who are there), decided (what the plan adds), total."""
        flow, x = self.formulation.flow, self.flow_values
        labels = [str(label) for label in self.problem.calendar.table["quarter"]]
        table = pd.DataFrame({"quarter": labels, "present": flow.cost_0, "decided": flow.cost @ x})
        table = table.groupby("quarter", sort=False, as_index=False).sum()
        table["total"] = table["present"] + table["decided"]
        return table

    @cached_property
    def seats(self) -> pd.DataFrame:
        """Seats to carve: role, segment, seats (most expected heads of any month, rounded up), month (the first)."""
        rows = []
        for name, group in self.heads.groupby("role", sort=False):
            role = self.problem.roles[str(name)]
            if role.holds_territories:
                most = int(np.argmax(group["heads"].to_numpy()))
                seats = int(np.ceil(group["heads"].to_numpy()[most] - 1e-9))
                rows.append((name, role.segment, seats, group["month"].to_numpy()[most]))
        return pd.DataFrame(rows, columns=["role", "segment", "seats", "month"])

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Every row of the model: row, kind, period, value, low, high, slack, binds."""
        table = []
        for row in self.formulation.rows:
            if row.kind == "identity":
                continue
            value = row.function.at(self.solved)
            size = max(1.0, abs(value), *(abs(v) for v in (row.low, row.high) if np.isfinite(v)))
            slack = min(value - row.low, row.high - value)
            table.append((row.name, row.kind, row.period, value, row.low, row.high, slack, slack <= _BINDING * size))
        return pd.DataFrame(table, columns=["row", "kind", "period", "value", "low", "high", "slack", "binds"])

    @property
    def binding(self) -> pd.DataFrame:
        """The rows that bind."""
        return self.rows[self.rows["binds"]].reset_index(drop=True)

    # --- other ------------------------------------------------------------------

    def write(self, path: str | Path) -> Path:
        """Write the model of the first objective as .lp or .mps, for audit or another solver."""
        return write_model(self.formulation.model(self.formulation.objectives[self.objectives[0]]), path)

    def summary(self) -> str:
        """Return the plan in a few lines; where there is none, the reasons."""
        lines = [repr(self)]
        if self.status is Status.INFEASIBLE and self.confidence is None:
            return "\n".join([*lines, self.diagnosis.summary()])
        if self.values is None:
            return "\n".join([*lines, *self.notes])
        names = self.hires.groupby("role", sort=False)
        for role, group in names:
            starts = ", ".join(f"{month} {hires}" for month, hires in zip(group["month"], group["hires"], strict=True))
            lines.append(f"  hire {role}: {starts}")
        for move in self.moves.to_dict("records"):
            place = f" to {move['destination']}" if move["destination"] else ""
            lines.append(f"  {move['kind']} {move['role']}{place}: {move['month']} {move['heads']}")
        reached = zip(self.problem.targets, self.coverage["bookings"], self.coverage["coverage_frac"], strict=True)
        for target, booked, part in reached:
            money = f"{self.problem.money(booked)} of {self.problem.money(target.amount)}"
            lines.append(f"  {target.name}: {money} ({percent_text(part)})")
        bind = self.binding
        if len(bind):
            lines.append(f"  binding: {', '.join(bind['row'])}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def __repr__(self) -> str:
        stage = self.stages[0]
        if self.values is None:
            return f"HiringPlan: {self.status.value}, no plan"
        gap = "" if self.status is Status.OPTIMAL else f", gap {percent_text(self.gap, 2)}"
        hires = int(self.hire_counts.sum())
        return (
            f"HiringPlan: {hires} hires, {stage.objective} {self._amount(stage.value)} "
            f"(bound {self._amount(stage.bound)}), {self.status.value}{gap}"
        )

    def _amount(self, value: float) -> str:
        money = self.objectives[0] in ("least_cost", "most_coverage")
        return self.problem.money(value) if money else f"{value:g}"

    @property
    def solved(self) -> FloatArray:
        """Values of the model's columns.

        Raises
        ------
        DataError
            Where there is no plan.
        """
        if self.values is None:
            raise DataError(
                f"there is no plan to read from: the status is '{self.status.value}'.\n"
                "    See summary() for what stands in the way."
            )
        return self.values

    @property
    def flow_values(self) -> FloatArray:
        """Values of the hires, promotions and releases."""
        return self.solved[: self.formulation.flow.n_columns]

    def _keys(self, role: NDArray[np.int64], month: NDArray[np.int64]) -> pd.DataFrame:
        known = self.problem.roles.roles
        return pd.DataFrame(
            {
                "role": pd.Series([known[r].name for r in role], dtype=object),
                "segment": pd.Series([known[r].segment for r in role], dtype=object),
                "month": self.problem.calendar.periods[month],
            }
        )
