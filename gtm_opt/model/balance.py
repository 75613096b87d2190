"""Balance criteria: what to balance, how closely, and what is relaxed first."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal

from gtm_opt.errors import DataError
from gtm_opt.model.frames import as_labelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["Balance", "Count", "Criterion", "Limit", "Mix"]


def _take_matrix(criterion: Balance | Limit) -> None:
    """Turn `by_territory` into a pandas table with the account ids as row names."""
    if criterion.by_territory is not None:
        object.__setattr__(criterion, "by_territory", as_labelled(criterion.by_territory, "by_territory"))


def _check(what: str, tolerance: float, priority: int, penalty: float | None) -> None:
    if not (isinstance(tolerance, Real) and 0.0 <= tolerance <= 1.0):
        raise DataError(f"{what} tolerance must be a fraction from 0 to 1 (0.05 is 5 %), got {tolerance!r}.")
    if not (isinstance(priority, Integral) and priority >= 1):
        raise DataError(f"{what} priority must be a whole number from 1 (first), got {priority!r}.")
    if penalty is not None and not (isinstance(penalty, Real) and penalty > 0):
        raise DataError(f"{what} penalty must be positive or None (a hard band), got {penalty!r}.")


@dataclass(frozen=True)
class Balance:
    """Each territory's total of a column shall be its share of the whole, within a tolerance.

    Attributes
    ----------
    column : str
        Numeric account column, >= 0, for example revenue.
    tolerance : float
        Allowed relative deviation from the target, a fraction from 0 to 1: 0.05 is +-5 %.
    priority : int
        Tier, 1 first. When not all bands can be met, those of a later tier are relaxed first.
    penalty : float, optional
        Makes the band elastic: preference score paid per 100 % of relative excess. Default: hard.
    by_territory : DataFrame, optional
        Activity that depends on the territory (travel hours, say): index account ids, columns
        territory names. Replaces the column of that name.
    shares : mapping of str to float, optional
        Shares for this criterion only (fixed percentages such as 50/20/20/5/5), by territory name.

    Notes
    -----
    Columns of 0 and 1 count accounts: their band is never narrower than the two whole numbers around the
    target, since nothing between them exists. No other band is widened: if no choice of whole accounts meets it, that
    is said.
    """

    column: str
    tolerance: float = 0.05
    priority: int = 1
    penalty: float | None = None
    by_territory: pd.DataFrame | None = None
    shares: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        _check(f"Balance('{self.column}')", self.tolerance, self.priority, self.penalty)
        _take_matrix(self)

    @property
    def name(self) -> str:
        """Name in tables: the column."""
        return self.column


@dataclass(frozen=True)
class Count:
    """Each territory's number of accounts shall be its share of all, within a tolerance.

    Attributes are those of `Balance`.
    """

    tolerance: float = 0.10
    priority: int = 1
    penalty: float | None = None
    shares: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        _check("Count", self.tolerance, self.priority, self.penalty)

    @property
    def name(self) -> str:
        """Name in tables."""
        return "accounts"


@dataclass(frozen=True)
class Mix:
    """Each territory shall have its share of every category of a column (industry, size, status).

    Attributes
    ----------
    column : str
        Categorical account column; empty cells form the category ``"(none)"``.
    tolerance : float
        Allowed relative deviation of each category's count; never narrower than the two whole
        numbers around the target.
    priority : int
    penalty : float, optional
    value : str, optional
        Balance this column's total within each category instead of the count.
    max_categories : int
        More distinct values than this are refused: such a column is an id, not a mix.
    """

    column: str
    tolerance: float = 0.25
    priority: int = 2
    penalty: float | None = None
    value: str | None = None
    max_categories: int = 30

    def __post_init__(self) -> None:
        _check(f"Mix('{self.column}')", self.tolerance, self.priority, self.penalty)

    @property
    def name(self) -> str:
        """Name in tables: the column; each category appears as ``column=category``."""
        return self.column


@dataclass(frozen=True)
class Limit:
    """A territory's total of a column must stay within absolute limits: a workload, a book size.

    Attributes
    ----------
    column : str
        Numeric account column, or ``"accounts"`` for their number.
    at_most, at_least : float or mapping of str to float, optional
        In the unit of the column; one number for all territories or one per territory name.
    priority : int
        Tier in which it is relaxed, when a nearest plan is asked for.
    by_territory : DataFrame, optional
        As in `Balance`.
    """

    column: str
    at_most: float | Mapping[str, float] | None = None
    at_least: float | Mapping[str, float] | None = None
    priority: int = 1
    by_territory: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        _check(f"Limit('{self.column}')", 0.0, self.priority, None)
        if self.at_most is None and self.at_least is None:
            raise DataError(f"Limit('{self.column}') needs at_most or at_least, got neither.")
        _take_matrix(self)

    @property
    def name(self) -> str:
        """Name in tables."""
        return f"limit {self.column}"


Criterion = Balance | Count | Mix | Limit
Objective = Literal["preferences", "even"]
