"""The carving problem: accounts, territories, what to balance, what to prefer, what to keep."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.balance import Balance, Count, Criterion, Limit, Mix, Objective
from gtm_opt.model.frames import as_frame, type_text
from gtm_opt.model.hierarchy import Hierarchy
from gtm_opt.model.json_form import JsonForm
from gtm_opt.model.preferences import Fit, KeepOwner, Near, Preference
from gtm_opt.model.resolve import Resolved, resolve
from gtm_opt.model.rules import Forbid, KeepApart, KeepTogether, MaxMoved, Pin, Rule, Within
from gtm_opt.model.tables import did_you_mean, id_text, rename_columns
from gtm_opt.model.territories import Territories

__all__ = ["CarvingProblem", "ProblemKeywords", "require_problem"]


class ProblemKeywords(TypedDict, total=False):
    """The fields of `CarvingProblem` beside accounts and territories, as keywords."""

    balance: Sequence[Criterion]
    prefer: Sequence[Preference]
    rules: Sequence[Rule]
    account_id: str
    columns: Mapping[str, str] | None
    objective: Objective | None
    previous: str | None


@dataclass(frozen=True, eq=False)
class CarvingProblem(JsonForm):
    """What shall be carved, in the planner's words. Validated as a whole, never changed.

    Attributes
    ----------
    accounts : DataFrame
        One row per account, in any kind of table (`gtm_opt.model.frames.as_frame`). Copied; the caller's table is
        not touched.
    territories : Territories or int or sequence of str or Hierarchy
        A number or names stand for equal territories, a hierarchy for its leaves.
    balance : sequence of Balance, Count, Mix, Limit
    prefer : sequence of KeepOwner, Fit, Near
    rules : sequence of KeepTogether, KeepApart, Pin, Forbid, MaxMoved, Within
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
    >>> accounts = pd.DataFrame({"account_id": list("abcd"), "arr": [4.0, 3.0, 2.0, 1.0]})
    >>> problem = CarvingProblem(accounts, ["East", "West"], [Balance("arr")])
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
    _left_open: tuple[str, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        found = Findings()
        object.__setattr__(self, "accounts", as_frame(self.accounts, "accounts"))
        if not isinstance(self.territories, Territories):
            object.__setattr__(self, "territories", _read_territories(self.territories))
        for name, kinds in (
            ("balance", (Balance, Count, Mix, Limit)),
            ("prefer", (KeepOwner, Fit, Near)),
            ("rules", (KeepTogether, KeepApart, Pin, Forbid, MaxMoved, Within)),
        ):
            self._take_list(name, kinds)
        self._check_columns(found)
        object.__setattr__(self, "accounts", rename_columns(self.accounts, self.columns, found, "accounts").copy())
        object.__setattr__(self, "columns", None)
        has_ids = self._check_ids(found)
        self._check_words(found)
        if not has_ids:
            found.raise_if_any()
        self.accounts.index = _row_names(id_text(self.accounts[self.account_id]))
        object.__setattr__(self, "_left_open", tuple(n for n in ("objective", "previous") if getattr(self, n) is None))
        if self.previous is None:
            object.__setattr__(self, "previous", self._default_previous())
        if self.objective is None:
            object.__setattr__(self, "objective", "preferences" if self.prefer else "even")
        object.__setattr__(self, "resolved", resolve(self, found))
        found.raise_if_any()

    def _take_list(self, name: str, kinds: tuple[type, ...]) -> None:
        given = getattr(self, name)
        items = (given,) if isinstance(given, kinds) else tuple(given or ())
        wrong = [i for i in items if not isinstance(i, kinds)]
        if wrong:
            allowed = ", ".join(k.__name__ for k in kinds)
            raise TypeError(f"`{name}` takes {allowed}, got {type(wrong[0]).__name__}.")
        object.__setattr__(self, name, items)

    def _check_columns(self, found: Findings) -> None:
        names = self.accounts.columns
        if names.has_duplicates:
            found.add(
                "accounts",
                "must have unique column names",
                got="repeated names",
                rows=names[names.duplicated()].unique(),
                kind="column",
                remedy="Drop or rename one of them.",
            )
            found.raise_if_any()

    def _check_ids(self, found: Findings) -> bool:
        """Record what is wrong with the ids; return whether there are rows and ids at all."""
        if self.account_id not in self.accounts.columns:
            found.add(
                f"accounts['{self.account_id}']",
                "must exist",
                got="no such column",
                remedy=did_you_mean(self.account_id, self.accounts.columns)
                + " Pass account_id= to name the column of ids.",
            )
            return False
        if not len(self.accounts):
            remedy = "Check the filter or the file that made it."
            found.add("accounts", "must have at least one row", got="an empty table", remedy=remedy)
            return False
        text = id_text(self.accounts[self.account_id])
        empty = text.str.strip() == ""
        if empty.any():
            found.add(
                f"accounts['{self.account_id}']",
                "must not be empty",
                rows=[f"row {i}" for i in np.flatnonzero(empty)],
                remedy="Give every account an id, or drop the rows.",
            )
        padded = text[(text != text.str.strip()) & ~empty]
        if len(padded):
            found.add(
                f"accounts['{self.account_id}']",
                "must not begin or end with blanks",
                rows=padded,
                remedy="Strip them, here and wherever the ids are used.",
            )
        twice = text[text.duplicated(keep=False) & ~empty]
        if len(twice):
            found.add(
                f"accounts['{self.account_id}']",
                "must be unique",
                rows=pd.unique(twice),
                kind="account",
                remedy="Merge or drop the duplicates; gtm_opt will not choose for you.",
            )
        return True

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
                kind="name",
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
        """Today's territory per account id (None where unassigned); None when no owner is named."""
        if self.previous is None:
            return None
        names = np.array([*self.territories.names, None], dtype=object)
        at = self.resolved.home[self.previous]
        return pd.Series(names[at], index=self.resolved.ids, name="previous_territory", dtype=object)

    def replace(self, **changes: Any) -> CarvingProblem:
        """Return a validated copy with some arguments changed; what was left open is chosen anew."""
        return replace(self, **{**dict.fromkeys(self._left_open), **changes})

    @property
    def fingerprint(self) -> str:
        """Short hash of the accounts and of everything asked for: same input, same fingerprint."""
        digest = hashlib.sha256(_table_hash(self.accounts))
        for part in (*self.balance, *self.prefer, *self.rules):
            tables = [v for v in vars(part).values() if isinstance(v, pd.DataFrame)]
            words = {k: v for k, v in vars(part).items() if not isinstance(v, pd.DataFrame)}
            digest.update(f"{type(part).__name__}{words!r}".encode())
            for table in tables:
                digest.update(_table_hash(table))
        digest.update(repr((self.territories, self.objective, self.previous)).encode())
        return digest.hexdigest()[:16]

    def __repr__(self) -> str:
        return (
            f"CarvingProblem({self.n_accounts:,} accounts, {self.territories.count} territories, "
            f"{len(self.balance)} criteria, {len(self.prefer)} preferences, {len(self.rules)} rules, "
            f"objective '{self.objective}')"
        )


def _read_territories(given: object) -> Territories:
    if isinstance(given, Hierarchy):
        return Territories.from_hierarchy(given)
    if isinstance(given, pd.DataFrame | Mapping) or not isinstance(given, Integral | Iterable):
        what = type(given).__name__
        raise TypeError(f"`territories` takes Territories, a number or a list of names, got {what}.")
    return Territories.equal(int(given) if isinstance(given, Integral) else given)  # type: ignore[arg-type]


def _row_names(text: pd.Series) -> pd.Index:
    """Return a name for each row: its id; where ids are missing or repeated, one that tells the rows apart.

    The checks that follow need unique names to look up; with such ids they end in an error anyway.
    """
    names = text.str.strip()
    if names.is_unique and bool((names != "").all()) and bool((names == text).all()):
        return pd.Index(names.to_numpy())
    again = (names == "") | names.duplicated()
    rows = pd.Series([f"row {at}" for at in range(len(names))], index=names.index)
    told = rows.where(names == "", names + " (" + rows + ")")
    return pd.Index(names.where(~again, told).to_numpy())


def _table_hash(table: pd.DataFrame) -> bytes:
    """Hash the cells; what pandas cannot hash (lists, dicts) is hashed as it is written."""
    try:
        hashes = pd.util.hash_pandas_object(table, index=True)
    except TypeError:
        hashes = pd.util.hash_pandas_object(table.astype(object).map(repr), index=True)
    return bytes(hashes.to_numpy().tobytes())


def require_problem(problem: object) -> None:
    """Refuse what is no problem by its name, where a table or a plan was passed instead.

    Raises
    ------
    TypeError
    """
    if not isinstance(problem, CarvingProblem):
        raise TypeError(
            f"`problem` must be a CarvingProblem, got {type_text(problem)}. Make one: gtm_opt.CarvingProblem(accounts, "
            "territories, balance=[...])."
        )
