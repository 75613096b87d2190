"""Preferences: what an assignment should do once the balance holds.

Every preference is scored as an average per account on a scale of its own, so that a
``weight`` of 1 means the same for all of them: the share of value that moves (`KeepOwner`), the
average misfit (`Fit`), the average distance in units of the accounts' spread (`Near`).
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Literal

from gtm_opt.errors import DataError
from gtm_opt.model.frames import as_labelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["Fit", "KeepOwner", "Near", "Preference"]


def _check_weight(what: str, weight: float) -> None:
    if not (isinstance(weight, Real) and 0.0 < weight < float("inf")):
        raise DataError(
            f"{what} weight must be a positive number, got {weight!r}. Leave the preference out instead of 0."
        )


@dataclass(frozen=True)
class KeepOwner:
    """Leave accounts with the rep who owns them today; what moves is measured in a column.

    Attributes
    ----------
    owner : str
        Account column with the id of the owning rep or territory; empty: nobody owns it.
    value : str, optional
        Column that measures disruption (revenue, open pipeline, months of tenure); default:
        every account counts the same.
    weight : float
    unknown : {"error", "unowned"}
        What to do with owners that are no territory's rep: people who left. ``"unowned"``
        treats their accounts as free.
    per_account : float
        With a ``value`` column: what the plain number of accounts counts beside it, >= 0. Without it
        accounts of no value (prospects, where the value is revenue) would move for nothing.
    """

    owner: str = "owner"
    value: str | None = None
    weight: float = 1.0
    unknown: Literal["error", "unowned"] = "error"
    per_account: float = 0.01

    def __post_init__(self) -> None:
        _check_weight(f"KeepOwner('{self.owner}')", self.weight)
        if self.unknown not in ("error", "unowned"):
            raise DataError(f"KeepOwner unknown must be 'error' or 'unowned', got {self.unknown!r}.")
        if not (0.0 <= self.per_account < float("inf")):
            raise DataError(f"KeepOwner per_account must be a number >= 0, got {self.per_account!r}.")

    @property
    def name(self) -> str:
        """Name in tables."""
        return f"keep {self.owner}"


@dataclass(frozen=True)
class Fit:
    """Give accounts to territories that suit them: skills, languages, industries.

    Attributes
    ----------
    scores : DataFrame
        1 suits perfectly, 0 not at all; columns are territory names (or rep ids), the index holds
        the values of the account column ``by``.
    by : str, optional
        Account column that ``scores`` is indexed by (industry, say); default: the account id.
    value : str, optional
        Column that weighs the accounts; default: all the same.
    weight : float
    """

    scores: pd.DataFrame
    by: str | None = None
    value: str | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "scores", as_labelled(self.scores, "scores"))
        _check_weight("Fit", self.weight)

    @property
    def name(self) -> str:
        """Name in tables."""
        return "fit" if self.by is None else f"fit {self.by}"


@dataclass(frozen=True)
class Near:
    """Keep accounts near their territory's center.

    Attributes
    ----------
    lat, lon : str
        Account columns: degrees, or plane coordinates with ``metric="euclidean"``.
    centers : mapping of str to (float, float), optional
        Center per territory name; default: the territories' own centers; where there are none
        they are found along with the territories.
    metric : {"haversine", "euclidean"}
        Great-circle kilometers, or plane distance.
    squared : bool
        Squared distances give round, compact territories (a balanced power diagram).
    value : str, optional
        Column that weighs the accounts (visits, say); default: all the same.
    weight : float
    """

    lat: str = "lat"
    lon: str = "lon"
    centers: Mapping[str, tuple[float, float]] | None = None
    metric: Literal["haversine", "euclidean"] = "haversine"
    squared: bool = False
    value: str | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        _check_weight("Near", self.weight)
        if self.metric not in ("haversine", "euclidean"):
            raise DataError(f"Near metric must be 'haversine' or 'euclidean', got {self.metric!r}.")

    @property
    def name(self) -> str:
        """Name in tables."""
        return "near"


Preference = KeepOwner | Fit | Near
