"""The carving problem: accounts, territories, what to balance, what to prefer, what to keep."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.balance import Balance, Count, Criterion, Limit, Mix, Objective
from gtm_opt.model.preferences import Fit, KeepOwner, Near, Preference
from gtm_opt.model.resolve import Resolved, resolve
from gtm_opt.model.rules import Forbid, KeepApart, KeepTogether, MaxMoved, Pin, Rule
from gtm_opt.model.tables import did_you_mean, rename_columns
from gtm_opt.model.territories import Territories

__all__ = ["CarvingProblem"]


@dataclass(frozen=True, eq=False)
class CarvingProblem:
    """What shall be carved, in the planner's words. Validated as a whole, never changed.

    Attributes
    ----------
    accounts : DataFrame
        One row per account. Copied; the caller's table is not touched.
    territories : Territories or int or sequence of str
        A number or names stand for equal territories.
    balance : sequence of Balance, Count, Mix, Limit
    prefer : sequence of KeepOwner, Fit, Near
    rules : sequence of KeepTogether, KeepApart, Pin, Forbid, MaxMoved
    account_id : str
        Column with the account ids: unique, not empty.
    columns : mapping of str to str, optional
        ``{name used here: name in the table}`` for tables with other column names.
    objective : {"preferences", "even"}, optional
        ``"preferences"``: best preferences within the bands. ``"even"``: as even as possible, the
        largest deviation (in units of its tolerance) first, preferences break ties. Default:
        preferences where there are any.
    previous : str, optional
        Column with today's territory or owner, for what counts as moved; default: the owner
        column of the first `KeepOwner` or `MaxMoved`.

    Raises
    ------
    DataError
        With everything that is wrong, rows and remedies.

    Examples
    --------
    >>> accounts = pd.DataFrame({"account_id": list("abcd"), "arr_usd": [4.0, 3.0, 2.0, 1.0]})
    >>> problem = CarvingProblem(accounts, ["East", "West"], [Balance("arr_usd")])
    >>> problem.territories.shares
    (0.5, 0.5)
    """

    accounts: pd.DataFrame
    territories: Territories
    balance: Sequence[Criterion] = ()
    prefer: Sequence[Preference] = ()
    rules: Sequence[Rule] = ()
    account_id: str = "account_id"
    columns: Mapping[str, str] | None = None
    objective: Objective | None = None
    previous: str | None = None
    resolved: Resolved = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = Findings()
        if isinstance(self.territories, int | Sequence):
            object.__setattr__(self, "territories", Territories.equal(self.territories))
        for name, kinds in (
            ("balance", (Balance, Count, Mix, Limit)),
            ("prefer", (KeepOwner, Fit, Near)),
            ("rules", (KeepTogether, KeepApart, Pin, Forbid, MaxMoved)),
        ):
            self._take_list(name, kinds)
        object.__setattr__(self, "accounts", rename_columns(self.accounts, self.columns, found, "accounts").copy())
        object.__setattr__(self, "columns", None)
        self._check_ids(found)
        found.raise_if_any()
        self.accounts.index = pd.Index(self.accounts[self.account_id].astype(str), name=None)
        self._check_words(found)
        found.raise_if_any()
        if self.previous is None:
            object.__setattr__(self, "previous", self._default_previous())
        if self.objective is None:
            object.__setattr__(self, "objective", "preferences" if self.prefer else "even")
        object.__setattr__(self, "resolved", resolve(self, found))
        found.raise_if_any()

    def _take_list(self, name: str, kinds: tuple[type, ...]) -> None:
        given = getattr(self, name)
        items = (given,) if isinstance(given, kinds) else tuple(given)
        wrong = [i for i in items if not isinstance(i, kinds)]
        if wrong:
            allowed = ", ".join(k.__name__ for k in kinds)
            raise TypeError(f"`{name}` takes {allowed}, got {type(wrong[0]).__name__}.")
        object.__setattr__(self, name, items)

    def _check_ids(self, found: Findings) -> None:
        if self.account_id not in self.accounts.columns:
            found.add(
                f"accounts['{self.account_id}']",
                "must exist",
                got="no such column",
                remedy=did_you_mean(self.account_id, self.accounts.columns)
                + " Pass account_id= to name the column of ids.",
            )
            return
        if not len(self.accounts):
            found.add("accounts", "must have at least one row", got="an empty table")
            return
        ids = self.accounts[self.account_id]
        empty = ids.isna() | (ids.astype(str).str.strip() == "")
        if empty.any():
            found.add(
                f"accounts['{self.account_id}']",
                "must not be empty",
                rows=[f"row {i}" for i in np.flatnonzero(empty)],
                remedy="Give every account an id, or drop the rows.",
            )
        text = ids.astype(str)
        twice = text[text.duplicated(keep=False) & ~empty]
        if len(twice):
            found.add(
                f"accounts['{self.account_id}']",
                "must be unique",
                got=f"{twice.nunique():,} ids that occur several times",
                rows=pd.unique(twice),
                remedy="Merge or drop the duplicates; gtm_opt will not choose for you.",
            )

    def _check_words(self, found: Findings) -> None:
        if not self.balance and not self.prefer:
            found.add(
                "problem",
                "needs at least one balance criterion or preference",
                remedy="Add Balance('your column') or Count().",
            )
        names = pd.Series([c.name for c in self.balance], dtype=object)
        if names.duplicated().any():
            found.add(
                "balance",
                "must name each criterion once",
                rows=names[names.duplicated()].unique(),
                remedy="Keep one of them.",
            )
        if self.objective not in (None, "preferences", "even"):
            found.add("objective", "must be 'preferences' or 'even'", got=repr(self.objective))
        if self.objective == "even" and not any(not isinstance(c, Limit) for c in self.balance):
            found.add("objective='even'", "needs something to balance", remedy="Add Balance('your column') or Count().")

    def _default_previous(self) -> str | None:
        for preference in self.prefer:
            if isinstance(preference, KeepOwner):
                return preference.owner
        for rule in self.rules:
            if isinstance(rule, MaxMoved):
                return self.moved_owner(rule)
        return None

    def moved_owner(self, rule: MaxMoved) -> str:
        """Return the owner column a `MaxMoved` rule is about."""
        if rule.owner is not None:
            return rule.owner
        return next((p.owner for p in self.prefer if isinstance(p, KeepOwner)), "owner")

    @property
    def n_accounts(self) -> int:
        """Number of accounts."""
        return len(self.accounts)

    @property
    def home(self) -> pd.Series | None:
        """Today's territory per account id (None where nobody's); None when no owner is named."""
        if self.previous is None:
            return None
        names = np.array([*self.territories.names, None], dtype=object)
        return pd.Series(names[self.resolved.home[self.previous]], index=self.resolved.ids, name="previous_territory")

    def replace(self, **changes: Any) -> CarvingProblem:
        """Return a validated copy with some arguments changed."""
        return replace(self, **changes)

    @property
    def fingerprint(self) -> str:
        """Short hash of the accounts and of everything asked for: same input, same fingerprint."""
        digest = hashlib.sha256(pd.util.hash_pandas_object(self.accounts, index=False).to_numpy().tobytes())
        words = (self.territories, self.balance, self.prefer, self.rules, self.objective, self.previous)
        digest.update(repr(words).encode())
        return digest.hexdigest()[:16]

    def __repr__(self) -> str:
        return (
            f"CarvingProblem({self.n_accounts:,} accounts, {self.territories.count} territories, "
            f"{len(self.balance)} criteria, {len(self.prefer)} preferences, {len(self.rules)} rules, objective '{self.objective}')"
        )
