"""Rules: what every plan must keep, whatever it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import pandas as pd

from gtm_opt.errors import DataError, percent_text, shorten
from gtm_opt.model.frames import as_frame, is_table, pass_or_refuse, type_text
from gtm_opt.model.tables import id_text

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Forbid", "KeepApart", "KeepTogether", "MaxMoved", "Pin", "Rule", "Within"]


@dataclass(frozen=True)
class KeepTogether:
    """Accounts of one family go to the same territory.

    Attributes
    ----------
    column : str
        Account column with the id of the parent account, or any group label. Values that are
        account ids are links (children of children belong to the family as well); empty cells
        stand alone.
    missing : {"alone", "together"}, optional
        What becomes of accounts whose value is no account id. In a column of parents (called so,
        or with a value that is an account id) the parent is missing: such accounts stand alone, and
        the carving's notes name them, as two strangers may well name the same missing account. In any
        other column the values are labels, and group the accounts that share them. Say
        ``"together"`` or ``"alone"`` where that guess is wrong.
    """

    column: str = "parent_id"
    missing: str | None = None

    def __post_init__(self) -> None:
        if self.missing not in (None, "alone", "together"):
            raise DataError(f"KeepTogether missing must be 'alone', 'together' or left out, got {self.missing!r}.")

    @property
    def name(self) -> str:
        """Name in tables and messages."""
        return f"keep together by {self.column}"


@dataclass(frozen=True)
class KeepApart:
    """Accounts of one group go to different territories: competitors, say.

    Attributes
    ----------
    groups : tuple of tuple of str
        Account ids; every group at most as large as the number of territories.
    """

    groups: Sequence[Sequence[str]]

    def __post_init__(self) -> None:
        if isinstance(self.groups, str) or any(isinstance(group, str) for group in self.groups):
            raise DataError("KeepApart takes groups of account ids, got single ids. Write KeepApart([['A-1', 'A-2']]).")
        object.__setattr__(self, "groups", tuple(tuple(str(a) for a in group) for group in self.groups))

    @property
    def name(self) -> str:
        """Name in tables and messages."""
        return "keep apart"


def _pairs_of(table: pd.DataFrame, rule: str) -> pd.Series:
    """Return territory by account id out of a table."""
    missing = [c for c in ("account_id", "territory") if c not in table.columns]
    if missing:
        raise DataError(f"{rule} needs the columns 'account_id' and 'territory', lacks {', '.join(missing)}.")
    return pd.Series(table["territory"].to_numpy(), index=pd.Index(id_text(table["account_id"])))


@dataclass(frozen=True)
class Pin:
    """Named accounts are locked into a territory.

    Attributes
    ----------
    accounts : mapping of str to str
        Territory (name or rep id) per account id. A Series does as well, or a table with the columns
        ``account_id`` and ``territory``.
    """

    accounts: Mapping[str, str]

    def __post_init__(self) -> None:
        if is_table(self.accounts):
            object.__setattr__(self, "accounts", _pairs_of(as_frame(self.accounts, "accounts"), "Pin"))
        pass_or_refuse(self.accounts, "accounts")
        if not isinstance(self.accounts, pd.Series | Mapping):
            raise TypeError(
                "Pin takes a mapping or a Series of account id to territory, or a table with the columns account_id "
                f"and territory, got {type_text(self.accounts)}."
            )
        if isinstance(self.accounts, pd.Series) and self.accounts.index.has_duplicates:
            twice = self.accounts.index[self.accounts.index.duplicated()].unique()
            raise DataError(f"Pin must not pin an account twice, got {shorten(twice)}. Keep one row of each.")
        object.__setattr__(self, "accounts", {str(k): str(v) for k, v in self.accounts.items()})

    @property
    def name(self) -> str:
        """Name in tables and messages."""
        return "pin"


@dataclass(frozen=True)
class Forbid:
    """Pairs of an account and a territory that must not come together.

    Attributes
    ----------
    pairs : sequence of (str, str)
        (account id, territory name or rep id). A DataFrame with the columns ``account_id`` and
        ``territory`` does as well.
    by : str, optional
        When given, the first entry of each pair is a value of this account column (a country,
        say) and stands for all its accounts.
    """

    pairs: Sequence[tuple[str, str]]
    by: str | None = None

    def __post_init__(self) -> None:
        if is_table(self.pairs):
            object.__setattr__(self, "pairs", as_frame(self.pairs, "pairs"))
        pass_or_refuse(self.pairs, "pairs")
        if isinstance(self.pairs, pd.DataFrame):
            first = self.by if self.by is not None and self.by in self.pairs.columns else "account_id"
            missing = [c for c in (first, "territory") if c not in self.pairs.columns]
            if missing:
                raise DataError(f"Forbid needs the columns '{first}' and 'territory', lacks {', '.join(missing)}.")
            rows = self.pairs[[first, "territory"]].itertuples(index=False, name=None)
            object.__setattr__(self, "pairs", tuple((str(a), str(t)) for a, t in rows))
        wrong = [pair for pair in self.pairs if isinstance(pair, str) or len(pair) != 2]
        if wrong:
            raise DataError(
                f"Forbid takes pairs (account id, territory), got {wrong[0]!r}. Write Forbid([('A-1', 'T1')])."
            )

    @property
    def name(self) -> str:
        """Name in tables and messages."""
        return "forbid"


@dataclass(frozen=True)
class MaxMoved:
    """At most this share of the owned value may leave its present owner.

    Attributes
    ----------
    share : float
        A fraction from 0 (nothing moves) to 1.
    by : str, optional
        Column the share is measured in; default: the number of accounts.
    owner : str, optional
        Account column with the present owner; default: that of the problem's `KeepOwner`, else
        ``"owner"``. Accounts nobody owns may go anywhere.
    """

    share: float
    by: str | None = None
    owner: str | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.share, Real) and 0.0 <= self.share <= 1.0):
            raise DataError(f"MaxMoved share must be a fraction from 0 to 1 (0.2 is 20 %), got {self.share!r}.")

    @property
    def name(self) -> str:
        """Name in tables and messages."""
        return f"at most {percent_text(self.share, 2)} of {self.by or 'accounts'} moved"


@dataclass(frozen=True)
class Within:
    """Accounts of a group go only to the territories of the group's team: segments, channels, countries.

    `gtm_opt.carve` adds one itself for ``hierarchy=Segments(...)`` and for ``fixed_nodes``: it is part of the
    carving's problem, and so of whatever is made of it.

    Attributes
    ----------
    teams : mapping of str to sequence of str
        Territories (names or rep ids) of each group; teams may overlap.
    by : str
        Account column with the group; empty cells are the group ``"(none)"``. Groups without a team
        are free.
    what : str, optional
        What a group is called in messages; default: the column.

    Examples
    --------
    >>> rule = Within({"enterprise": ["E1", "E2"], "smb": ["S1"]}, by="segment")
    >>> rule.name
    'within segment'
    """

    teams: Mapping[str, Sequence[str]]
    by: str
    what: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.teams, Mapping):
            raise TypeError(f"Within takes a mapping of group to territories, got {type(self.teams).__name__}.")
        single = [str(group) for group, team in self.teams.items() if isinstance(team, str)]
        if single:
            raise DataError(f"Within takes a list of territories per group, got a text for {shorten(single)}.")
        empty = [str(group) for group, team in self.teams.items() if not len(team)]
        if empty or not self.teams:
            raise DataError(
                f"Within needs at least one territory for each group, got none for {shorten(empty) or 'any'}. "
                "Leave groups out that may go anywhere."
            )
        teams = {str(group): tuple(str(t) for t in team) for group, team in self.teams.items()}
        object.__setattr__(self, "teams", teams)

    @property
    def word(self) -> str:
        """What a group is called."""
        return self.by if self.what is None else self.what

    @property
    def name(self) -> str:
        """Name in tables and messages."""
        return f"within {self.word}"


Rule = KeepTogether | KeepApart | Pin | Forbid | MaxMoved | Within
