"""Columns of the account table that are made of another table: opportunities, subscriptions, tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.sources import read_source
from gtm_opt.cli.tables import column_of, only_rows
from gtm_opt.errors import percent_text, shorten
from gtm_opt.model.dates import likely_format, read_dates
from gtm_opt.model.spelling import likely_spelling

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from gtm_opt.cli.config import Join, Measure

__all__ = ["add_measures", "read_days", "refuse_loss"]


def add_measures(
    accounts: pd.DataFrame,
    account_id: str,
    join: Join,
    base: Path,
    notes: list[str],
    used: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return the accounts with one more column per measure of ``join``.

    Parameters
    ----------
    accounts : DataFrame
    account_id : str
    join : Join
    base : Path
        Folder of the config.
    notes : list of str
        Takes what the planner should know: what was matched, and rows that belong to no account.
    used : collection of str, optional
        See `read_source`.
    """
    owners = {
        m.column for m in join.measures.values() if m.how in ("most_frequent", "most_value", "latest") and m.column
    }
    where = f"[[accounts.join]] '{expand_name(join.file)}'"
    table = read_source(join, base, "[[accounts.join]]", text=[join.key, *sorted(owners)], key=join.key, used=used)
    to = join.to or account_id
    ids = column_of(accounts, to, f"{where}, to").astype(str)
    table[join.key] = column_of(table, join.key, f"{where}, key")
    _note_strangers(table[join.key], ids, where, notes)
    whole = table
    table = table[table[join.key].notna()].reset_index(drop=True)
    days = read_days(table, join.date, join.date_format, where) if join.date else None
    out = accounts.copy()
    for name, measure in join.measures.items():
        label = f"{where}, measures.{name}"
        if name in accounts.columns:
            raise UserMistakeError(f"{label}: the account table has a column of that name already. Choose another.")
        made = _measure(table, days, join.key, measure, label)
        column = made.reindex(ids).set_axis(out.index)
        if measure.empty is not None:
            column = column.where(column.notna(), measure.empty)
        elif measure.how in ("sum", "count"):
            column = column.fillna(0)
        out[name] = column
    sums = [m.column for m in join.measures.values() if m.how == "sum" and m.column is not None]
    refuse_loss(whole, ids, join.key, sums, join.max_loss, where, notes)
    return out


def expand_name(file: str) -> str:
    """Return the last part of a path."""
    return file.replace("\\", "/").rsplit("/", 1)[-1]


def read_days(table: pd.DataFrame, name: str, date_format: str | None, where: str) -> pd.Series:
    """Return a column as days; cells that are no dates are refused."""
    column = column_of(table, name, where)
    if date_format is None or pd.api.types.is_datetime64_any_dtype(column.dtype):
        days, wrong = read_dates(column)
    else:
        days = pd.to_datetime(column.astype(object), format=date_format, errors="coerce")
        days = days.dt.tz_localize(None) if getattr(days.dtype, "tz", None) is not None else days
        wrong = days.isna() & column.notna()
    bad = list(pd.unique(column[wrong]))
    if bad:
        likely = likely_format(column.dropna()) or "%d-%m-%Y"
        raise UserMistakeError(
            f"{where}: {int(wrong.sum())} cells of '{name}' are not dates in the format {date_format or 'YYYY-MM-DD'}: "
            f'{shorten(bad)}.\n    Say how they are written, for example date_format = "{likely}".'
        )
    return days


def _note_strangers(keys: pd.Series, ids: pd.Series, where: str, notes: list[str]) -> None:
    if not keys.isin(ids).any():
        example = next(iter(keys.dropna()), "")
        hint = likely_spelling(list(pd.unique(keys.dropna())), set(ids))
        raise UserMistakeError(
            f"{where}: no row belongs to an account. '{keys.name}' holds values such as '{example}', the accounts are "
            f"{shorten(list(ids), shown=2)}. {hint or 'Name the right columns in key and to.'}"
        )
    empty = int(keys.isna().sum())
    if empty:
        notes.append(f"{where}: {empty:,} of {len(keys):,} rows name no account and are not counted")
    strange = keys[keys.notna() & ~keys.isin(ids)]
    if len(strange):
        notes.append(
            f"{where}: {len(strange):,} rows name accounts that are not in the account table: "
            f"{shorten(list(pd.unique(strange)), shown=3)}"
        )


def refuse_loss(
    table: pd.DataFrame,
    ids: pd.Series,
    key: str,
    amounts: Sequence[str],
    max_loss: float,
    where: str,
    notes: list[str],
) -> None:
    """Refuse a join that leaves out more than the config allows: rows, or the total of a column that counts.

    Raises
    ------
    UserMistakeError
    """
    named = table[key].notna()
    matched = table[key].isin(ids)
    lost = named & ~matched
    weights = {"rows": pd.Series(1.0, index=table.index)}
    weights |= {name: pd.to_numeric(table[name], errors="coerce").abs().fillna(0.0) for name in amounts}
    shares = {name: float(w[lost].sum()) / max(float(w[named].sum()), 1e-300) for name, w in weights.items()}
    worst = max(shares, key=lambda name: shares[name])
    if shares[worst] <= max_loss:
        found = {name: float(w[matched].sum()) / max(float(w.sum()), 1e-300) for name, w in weights.items()}
        count = f"{int(matched.sum()):,} of {len(table):,} rows"
        notes.append(f"{where}: {count} matched an account ({_shares_text(found)})")
        return
    keys = list(pd.unique(table.loc[lost, key]))
    counts = f"{int(lost.sum()):,} of {int(named.sum()):,} rows"
    hint = likely_spelling(keys, set(ids))
    hint = f"{hint} " if hint else ""
    enough = np.ceil(100.0 * shares[worst]) / 100.0
    raise UserMistakeError(
        f"{where}: {counts} found no account ({_shares_text(shares)}): {shorten(keys, shown=3)}.\n"
        f"    {hint}Correct the ids, or allow the loss with max_loss = {enough:g}."
    )


def _shares_text(shares: dict[str, float]) -> str:
    return ", ".join(f"{percent_text(share)} of {name}" for name, share in shares.items())


def _measure(table: pd.DataFrame, days: pd.Series | None, key: str, measure: Measure, where: str) -> pd.Series:
    if days is not None:
        table = table.assign(_day=days)
    elif measure.since or measure.until or measure.how == "latest":
        raise UserMistakeError(f"{where} looks at dates: name the column of dates in [[accounts.join]] date.")
    rows = only_rows(table, measure.where, measure.where_not, where)
    for edge, word in ((measure.since, "since"), (measure.until, "until")):
        if edge is not None:
            day = pd.to_datetime(edge, errors="coerce")
            if pd.isna(day):
                raise UserMistakeError(f"{where}: {word} = '{edge}' is not a date. Write it as 2027-01-31.")
            # both days count as a whole, whatever the time of day in the cells
            days_only = rows["_day"].dt.normalize()
            rows = rows[days_only >= day] if word == "since" else rows[days_only <= day]
    if measure.how == "count":
        return rows.groupby(key).size().astype(float)
    assert measure.column is not None
    column = column_of(rows, measure.column, where)
    if measure.how in ("sum", "mean", "max", "min"):
        if not pd.api.types.is_numeric_dtype(column.dtype) and column.notna().any():
            example = column.dropna().iloc[0]
            raise UserMistakeError(
                f"{where}: '{measure.column}' holds text such as '{example}'. List it under parse of [[accounts.join]]."
            )
        made: pd.Series = rows.groupby(key)[measure.column].agg(measure.how)
        return made
    return _winner(rows, key, measure, where)


def _winner(rows: pd.DataFrame, key: str, measure: Measure, where: str) -> pd.Series:
    """Return the most frequent, largest or latest value per account; ties go to the first by name."""
    assert measure.column is not None
    rows = rows[rows[measure.column].notna()]
    if measure.how == "latest":
        dated = rows[rows["_day"].notna()].sort_values(["_day", measure.column], ascending=[False, True], kind="stable")
        return dated.drop_duplicates(key).set_index(key)[measure.column]
    if measure.how == "most_value":
        assert measure.by is not None
        weight = pd.to_numeric(column_of(rows, measure.by, where), errors="coerce").fillna(0.0)
    else:
        weight = pd.Series(1.0, index=rows.index)
    sums = weight.groupby([rows[key], rows[measure.column]]).sum().rename("_weight").reset_index()
    sums = sums.sort_values(["_weight", measure.column], ascending=[False, True], kind="stable")
    return sums.drop_duplicates(key).set_index(key)[measure.column]
