"""What a backend answers, and what is reported after everything was recomputed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gtm_opt.mip.model import Program

__all__ = ["Answer", "Features", "Solution", "Status", "status_of"]


class Status(StrEnum):
    """How good an answer is; follows from objective and bound, never from a backend's word."""

    OPTIMAL = "optimal"
    """The bound meets the objective, up to the rounding error that `Solution.tolerance` states."""
    WITHIN_GAP = "within_gap"
    """The proven gap is not larger than the one asked for."""
    FEASIBLE = "feasible"
    """All rows hold; how far from the best is known up to ``gap`` only."""
    INFEASIBLE = "infeasible"
    """Proven: no values keep all rows and bounds."""
    UNBOUNDED = "unbounded"
    """The objective has no limit."""
    UNKNOWN = "unknown"
    """Neither values nor a proof that there are none."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a backend can do.

    Attributes
    ----------
    name : str
    warm_start, duals, node_limit, exact_integers : bool
        Takes a start; returns row duals of linear programs; stops after a number of nodes; computes in
        whole numbers, without tolerances.
    """

    name: str
    warm_start: bool = False
    duals: bool = False
    node_limit: bool = False
    exact_integers: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a backend says about the program it was handed, in that program's numbers.

    Attributes
    ----------
    values : ndarray of shape (n_columns,) or None
    bound : float
        Lower bound on the objective without its offset; ``inf`` where nothing is feasible.
    error : float
        Absolute error of ``bound``, already proven by the backend itself (0: exact).
    exhausted : bool
        The search ended by itself: the bound is as good as the backend's tolerances.
    unbounded, limit_reached : bool
    clock : bool
        It was a time limit, or a cancellation: the answer need not be repeatable.
    duals : ndarray of shape (n_rows,) or None
        Row duals of a linear program: change of the objective per unit of the row's limit.
    nodes : int
    notes : tuple of str
    """

    values: NDArray[np.float64] | None = None
    bound: float = -np.inf
    error: float = 0.0
    exhausted: bool = False
    unbounded: bool = False
    limit_reached: bool = False
    clock: bool = False
    duals: NDArray[np.float64] | None = None
    nodes: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The answer in the user's numbers, recomputed from the model.

    Attributes
    ----------
    status : Status
    values : ndarray of shape (n_columns,) or None
        Integer columns hold whole numbers.
    objective : float
        Recomputed from ``values``; ``nan`` without values.
    bound : float
        No feasible values have a better objective. Rounding errors of the backend are already taken off.
    gap : float
        ``|objective - bound| / |objective|``; ``inf`` while either is missing, 0 where both are 0.
    tolerance : float
        Rounding error that the bound allows for, in the unit of the objective.
    violation : float
        Largest violation of a row or bound, relative to the largest number in it.
    limit_reached : bool
        A time or node limit cut the search.
    backend : str
    seconds : float
    nodes : int
    clock : bool
        The limit was one of time, or a cancellation: only then may the same call give another answer.
    duals : ndarray of shape (n_rows,) or None
        For linear programs solved by HiGHS.
    notes : tuple of str
        Scaling, rounding, and what else deserves a word.
    """

    status: Status
    values: NDArray[np.float64] | None
    objective: float
    bound: float
    gap: float
    tolerance: float
    violation: float
    limit_reached: bool
    backend: str
    seconds: float
    nodes: int = 0
    clock: bool = False
    duals: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()
    column_names: tuple[str, ...] = field(default=(), repr=False)

    @property
    def has_values(self) -> bool:
        """Whether there are values that keep all rows."""
        return self.values is not None

    def of(self, columns: ArrayLike) -> NDArray[np.float64]:
        """Return the values of the columns at these positions.

        Raises
        ------
        DataError
            When there are no values.
        """
        if self.values is None:
            raise DataError(f"the model has no solution to read from: its status is '{self.status.value}'")
        out: NDArray[np.float64] = self.values[np.asarray(columns, dtype=np.int64)]
        return out

    def by_name(self) -> dict[str, float]:
        """Return values by column name."""
        return dict(zip(self.column_names, self.of(np.arange(len(self.column_names))).tolist(), strict=True))


def status_of(objective: float, bound: float, tolerance: float, rel_gap: float, *, unbounded: bool) -> Status:
    """Return the status that objective and bound allow, both for minimization.

    Parameters
    ----------
    objective : float
        ``nan`` where there are no values.
    bound : float
        ``inf``: proven infeasible.
    tolerance : float
        Difference that counts as none.
    rel_gap : float
        The gap asked for.
    unbounded : bool
    """
    if unbounded:
        return Status.UNBOUNDED
    if np.isnan(objective):
        return Status.INFEASIBLE if bound == np.inf else Status.UNKNOWN
    if objective - bound <= tolerance:
        return Status.OPTIMAL
    if objective - bound <= rel_gap * abs(objective) + tolerance:
        return Status.WITHIN_GAP
    return Status.FEASIBLE


def gap_of(objective: float, bound: float) -> float:
    """Return the relative gap, ``inf`` while a number is missing."""
    if not (np.isfinite(objective) and np.isfinite(bound)):
        return np.inf
    return abs(objective - bound) / abs(objective) if objective != 0.0 else (0.0 if bound == objective else np.inf)


def integral_step(program: Program) -> float:
    """Return the step between possible objective values (without offset), 0 where there is none.

    All columns with a cost must be integer and their costs whole multiples of one decimal fraction:
    a bound may then be rounded up to the next multiple, which turns a proof up to tolerances into an exact one.
    """
    used = program.cost != 0.0
    if not used.any() or not program.integer[used].all():
        return 0.0
    cost = np.abs(program.cost[used])
    for digits in range(5):
        factor = 10.0**digits
        whole = np.rint(cost * factor)
        if whole.max() > 2.0**52:
            return 0.0
        if np.array_equal(whole / factor, cost):
            return float(np.gcd.reduce(whole.astype(np.int64))) / factor
    return 0.0
