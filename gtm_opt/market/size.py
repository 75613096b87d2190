"""`market_size`: TAM, SAM and SOM of territories and segments, to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings, amount_text, number_text, percent_text
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.read_columns import fraction_column, is_table, key_column
from gtm_opt.model.tables import did_you_mean, label_text, number_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["MarketSize", "market_size", "rake"]

_AMOUNTS = ("tam", "sam", "som", "own", "competitor", "free")


@dataclass(frozen=True, eq=False)
class MarketSize:
    """The market by groups of accounts.

    Attributes
    ----------
    accounts : DataFrame
        ``account_id``, the columns of ``by``, ``source`` (accounts, universe, areas), and in whole cents ``tam, sam,
        som, own, competitor, free``, and ``factor`` (what the top-down figures multiplied it by).
    by : tuple of str
    currency : str
    """

    accounts: pd.DataFrame
    by: tuple[str, ...]
    currency: str = ""

    def table(self, *by: str) -> pd.DataFrame:
        """Return amounts and penetration per group.

        Parameters
        ----------
        by : str
            Columns of ``by``. Default: all of them. Rows without a label are the group "(none)".

        Returns
        -------
        DataFrame
            ``accounts, tam, sam, som, own, competitor, free`` and ``penetration`` (own part of the SAM).
        """
        columns = list(by or self.by)
        unknown = [c for c in columns if c not in self.by]
        if unknown:
            raise DataError(
                f"`by` must name {', '.join(self.by)}, got '{unknown[0]}'. {did_you_mean(unknown[0], self.by)}"
            )
        grouped = self.accounts.groupby(columns, sort=True)
        out = grouped[list(_AMOUNTS)].sum() / 100.0
        out.insert(0, "accounts", grouped.size())
        out["penetration"] = np.where(out["sam"] > 0, out["own"] / out["sam"].where(out["sam"] > 0, 1.0), 0.0)
        return out.reset_index()

    @property
    def total(self) -> dict[str, float]:
        """Sum of each amount over everything."""
        return {name: int(self.accounts[name].sum()) / 100.0 for name in _AMOUNTS}

    def __repr__(self) -> str:
        total = self.total
        text = ", ".join(f"{name.upper()} {amount_text(total[name], self.currency)}" for name in ("tam", "sam", "som"))
        share = percent_text(total["own"] / total["sam"]) if total["sam"] else "0 %"
        return f"MarketSize of {len(self.accounts):,} rows by {', '.join(self.by)}: {text}; own {share} of the SAM"


@takes_tables(either=("accounts", "universe", "matches", "areas"))
def market_size(
    accounts: pd.DataFrame,
    *,
    by: Sequence[str],
    value: str = "potential",
    eligible: str | None = None,
    probability: str | None = None,
    own: str | None = None,
    competitor: str | None = None,
    company: str | None = None,
    universe: pd.DataFrame | None = None,
    matches: pd.DataFrame | None = None,
    areas: pd.DataFrame | None = None,
    top_down: Mapping[str, Mapping[str, float]] | None = None,
    currency: str = "",
) -> MarketSize:
    """Size the market of territories, segments, products.

    Parameters
    ----------
    accounts : DataFrame
        ``account_id``, the columns of ``by`` and those named below.
    by : sequence of str
        Columns to size by. Empty cells are the group "(none)": nothing is lost.
    value : str
        Column with the yearly value of an account: together the TAM.
    eligible : str, optional
        Column of True and False: what can be served (SAM). Default: everything.
    probability : str, optional
        Column with the part that can be won, 0 to 1 (SOM). Default: everything that is eligible.
    own, competitor : str, optional
        Columns with what the account spends with us, and with competitors. What is left of the SAM is free.
    company : str, optional
        Column with the company of a record: the value of the largest record counts, once.
    universe : DataFrame, optional
        Further companies, with ``universe_id`` and the same columns. Those in ``matches`` are accounts already.
    matches : DataFrame, optional
        ``universe_id, account_id``; required with a universe, see `find_duplicates`.
    areas : DataFrame, optional
        Areas of which only counts are known: columns of ``by``, ``count`` and ``value`` (per company).
    top_down : mapping, optional
        Totals of the TAM that must come out, per column of ``by``: ``{"country": {"US": 1e9, "CA": 2e8}}``. All amounts
        are raked to them, see `rake`.
    currency : str

    Returns
    -------
    MarketSize

    Raises
    ------
    DataError
        With every finding.

    Notes
    -----
    Amounts are whole cents per row, so that sums over any groups tie out exactly: territories sum to the total,
    whatever the carve. Top-down totals are met up to half a cent per row.
    """
    found = Findings()
    if not by:
        found.add("`by`", "must name at least one column")
    parts = []
    if is_table(accounts, "accounts", found):
        columns = (value, eligible, probability, own, competitor)
        parts.append(_part(accounts, "account_id", "accounts", by, columns, found))
    if universe is not None and is_table(universe, "universe", found):
        further = _unmatched(universe, accounts, matches, found)
        if further is not None:
            columns = (value, eligible, probability, None, None)
            parts.append(_part(further, "universe_id", "universe", by, columns, found))
    if areas is not None and is_table(areas, "areas", found):
        parts.append(_areas(areas, by, found))
    found.raise_if_any()
    if company is not None:
        parts[0] = _count_once(parts[0], accounts, company)
    table = pd.concat([part for part in parts if part is not None], ignore_index=True)
    table["factor"] = 1.0
    if top_down:
        labels = {c: table[c].to_numpy(dtype=object) for c in by}
        table["factor"] = rake(table["tam"].to_numpy(dtype=np.float64), labels, top_down)
    for name in ("tam", "sam", "som"):
        table[name] = np.rint(table[name] * table["factor"] * 100.0).astype(np.int64)
    table["sam"] = np.minimum(table["sam"], table["tam"])
    table["som"] = np.minimum(table["som"], table["sam"])
    for name in ("own", "competitor"):
        table[name] = np.rint(table[name] * 100.0).astype(np.int64)
    table["free"] = np.maximum(0, table["sam"] - table["own"] - table["competitor"])
    order = ["account_id", *by, "source", *_AMOUNTS, "factor"]
    return MarketSize(table[order], tuple(by), currency)


def _part(
    table: pd.DataFrame,
    key: str,
    source: str,
    by: Sequence[str],
    columns: tuple[str, str | None, str | None, str | None, str | None],
    found: Findings,
) -> pd.DataFrame | None:
    """Return the amounts of accounts or of the universe, None where a column is wrong."""
    value, eligible, probability, own, competitor = columns
    ids = key_column(table, key, found, what=source, unique=True)
    tam = number_column(table, value, found, what=source)
    fits = None if eligible is None else fraction_column(table, eligible, found, what=source)
    odds = None if probability is None else fraction_column(table, probability, found, what=source)
    spent = [None if c is None else number_column(table, c, found, what=source) for c in (own, competitor)]
    labels = {}
    for column in by:
        if column not in table.columns and source == "accounts":
            found.add(f"{source}['{column}']", "must exist", remedy=did_you_mean(column, table.columns))
        labels[column] = label_text(table[column]).to_numpy() if column in table.columns else "(none)"
    if ids is None or tam is None or found:
        return None
    amount = tam.to_numpy(dtype=np.float64)
    sam = amount if fits is None else amount * (fits > 0.5)
    som = sam if odds is None else sam * odds
    ours, theirs = (0.0 if column is None else column.to_numpy(dtype=np.float64) for column in spent)
    return pd.DataFrame(
        {
            "account_id": ids,
            **labels,
            "source": source,
            "tam": amount,
            "sam": sam,
            "som": som,
            "own": ours,
            "competitor": theirs,
        }
    )


def _unmatched(
    universe: pd.DataFrame, accounts: pd.DataFrame, matches: pd.DataFrame | None, found: Findings
) -> pd.DataFrame | None:
    ids = key_column(universe, "universe_id", found, what="universe", unique=True)
    if matches is None:
        remedy = "Pass matches=DataFrame(universe_id, account_id), empty if you know there are none."
        found.add("`matches`", "must say which of the universe are accounts, or they count twice", remedy=remedy)
        return None
    if ids is None or not is_table(matches, "matches", found):
        return None
    known = key_column(matches, "universe_id", found, what="matches", known=ids, known_as="a row of the universe")
    key_column(
        matches, "account_id", found, what="matches", known=accounts["account_id"].astype(str), known_as="an account"
    )
    return None if known is None else universe[~pd.Index(ids).isin(known)]


def _areas(areas: pd.DataFrame, by: Sequence[str], found: Findings) -> pd.DataFrame:
    count = number_column(areas, "count", found, what="areas")
    each = number_column(areas, "value", found, what="areas")
    labels = {c: label_text(areas[c]).to_numpy() if c in areas.columns else "(none)" for c in by}
    amount = np.zeros(len(areas)) if count is None or each is None else (count * each).to_numpy(dtype=np.float64)
    ids = [f"area {number}" for number in range(1, len(areas) + 1)]
    zero = np.zeros(len(areas))
    return pd.DataFrame(
        {
            "account_id": ids,
            **labels,
            "source": "areas",
            "tam": amount,
            "sam": amount,
            "som": zero,
            "own": zero,
            "competitor": zero,
        }
    )


def _count_once(part: pd.DataFrame | None, accounts: pd.DataFrame, company: str) -> pd.DataFrame | None:
    if part is None:
        return None
    if company not in accounts.columns:
        raise DataError(f"accounts['{company}'] must exist. {did_you_mean(company, accounts.columns)}")
    label = label_text(accounts[company]).to_numpy(dtype=object)
    label = np.where(label == "(none)", part["account_id"], label)
    work = part.assign(company=label).sort_values(["tam", "account_id"], ascending=[False, True], kind="stable")
    first = (~work["company"].duplicated()).reindex(part.index)
    out = part.copy()
    for name in ("tam", "sam", "som"):
        out[name] = np.where(first, out[name], 0.0)
    return out


def rake(
    amounts: NDArray[np.float64],
    labels: Mapping[str, NDArray[np.object_]],
    totals: Mapping[str, Mapping[str, float]],
    *,
    tolerance: float = 1e-10,
    most: int = 1_000,
) -> NDArray[np.float64]:
    """Return the factor per row that makes sums by group meet given totals.

    Parameters
    ----------
    amounts : ndarray of shape (n,)
        At least 0.
    labels : mapping of str to ndarray of shape (n,)
        Group of each row per dimension.
    totals : mapping
        Per dimension, the total per group; groups that are not named keep what they have.
    tolerance : float
        Largest relative error of a total.
    most : int
        Rounds.

    Raises
    ------
    DataError
        A total for a group without amounts, totals that contradict each other, or no convergence.

    Notes
    -----
    Iterative proportional fitting (Deming and Stephan, Ann. Math. Statist. 11 (1940), doi:10.1214/aoms/1177731829): one
    dimension after the other is scaled. The ratios between rows of equal labels stay as they are.

    Examples
    --------
    >>> rake(np.array([1.0, 3.0, 4.0]), {"c": np.array(["a", "a", "b"])}, {"c": {"a": 8.0}}).tolist()
    [2.0, 2.0, 1.0]
    """
    found = Findings()
    steps = []
    for name, wanted in totals.items():
        if name not in labels:
            found.add(f"top_down['{name}']", "must be a column to size by", remedy=did_you_mean(name, labels))
            continue
        code, groups = pd.factorize(pd.Series(labels[name], dtype=object), sort=True)
        base = np.bincount(code, weights=amounts, minlength=len(groups))
        goal = np.full(len(groups), np.nan)
        for label, amount in wanted.items():
            place = np.flatnonzero(np.asarray(groups) == str(label))
            where = f"top_down['{name}']['{label}']"
            if not np.isfinite(amount) or amount < 0:
                found.add(where, "must be a number, not negative", got=repr(amount))
            elif amount > 0 and (not len(place) or base[place[0]] <= 0):
                found.add(where, "must have accounts to spread over", got=number_text(amount))
            elif len(place):
                goal[place[0]] = amount
        steps.append((name, code, goal))
    whole = {name: float(goal.sum()) for name, _, goal in steps if not np.isnan(goal).any()}
    if whole and max(whole.values()) - min(whole.values()) > 1e-9 * max(whole.values()):
        got = ", ".join(f"{name} {number_text(total)}" for name, total in whole.items())
        found.add("`top_down`", "must have one total over all dimensions", got=got)
    found.raise_if_any()
    factor = np.ones(len(amounts))
    for _ in range(most):
        worst = 0.0
        for _, code, goal in steps:
            now = np.bincount(code, weights=amounts * factor, minlength=len(goal))
            ratio = np.where(np.isnan(goal) | (now <= 0), 1.0, goal / np.where(now > 0, now, 1.0))
            worst = max(worst, float(np.abs(ratio - 1.0).max(initial=0.0)))
            factor = factor * ratio[code]
        if worst <= tolerance:
            return factor
    raise DataError(f"`top_down` cannot be met: totals still differ by {percent_text(worst, 4)} after {most:,} rounds.")
