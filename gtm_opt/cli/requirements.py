"""Criteria, preferences and rules of a config as the library's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.joins import expand_name, refuse_loss
from gtm_opt.cli.sources import read_source
from gtm_opt.cli.tables import column_of, expand, read_table
from gtm_opt.errors import percent_text, shorten
from gtm_opt.model import (
    Balance,
    Count,
    Fit,
    Forbid,
    KeepApart,
    KeepOwner,
    KeepTogether,
    Limit,
    MaxMoved,
    Mix,
    Near,
    Pin,
    Within,
)
from gtm_opt.model.spelling import likely_spelling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gtm_opt.cli.config import (
        Criterion,
        FitWords,
        ForbidWords,
        PinWords,
        Preference,
        RelationshipWords,
        Rule,
    )
    from gtm_opt.model import Territories

__all__ = ["criteria", "preferences", "rules"]

_CRITERIA: dict[str, Any] = {"balance": Balance, "count": Count, "mix": Mix, "limit": Limit}


def criteria(words: Sequence[Criterion]) -> list[Any]:
    """Return the balance criteria."""
    return [_CRITERIA[w.kind](**w.model_dump(exclude={"kind"})) for w in words]


def preferences(
    words: Sequence[Preference],
    accounts: pd.DataFrame,
    account_id: str,
    territories: Territories,
    base: Path,
    notes: list[str],
) -> list[Any]:
    """Return the preferences, with the scores that files hold; ``notes`` takes what of the files matched."""
    out: list[Any] = []
    for w in words:
        if w.kind == "keep_owner":
            out.append(KeepOwner(**w.model_dump(exclude={"kind"})))
        elif w.kind == "near":
            out.append(Near(**w.model_dump(exclude={"kind"})))
        elif w.kind == "fit":
            out.append(Fit(_score_matrix(w, base), by=w.by, value=w.value, weight=w.weight))
        else:
            scores = _relationship(w, accounts[account_id].astype(str), territories, base, notes)
            out.append(Fit(scores, value=w.value, weight=w.weight))
    return out


def _score_matrix(words: FitWords, base: Path) -> pd.DataFrame:
    table = read_source(words, base, "[[prefer]] fit")
    first = table.columns[0]
    return table.set_index(table[first].astype(str)).drop(columns=first)


def _relationship(
    words: RelationshipWords, ids: pd.Series, territories: Territories, base: Path, notes: list[str]
) -> pd.DataFrame:
    """Return one row per account and one column per territory: its rep's part of the account's deals.

    The best-known rep of an account scores 1, the others in proportion; accounts without deals
    score 1 with everybody, so that they favor no place.
    """
    where = f"[[prefer]] relationship '{expand_name(words.file)}'"
    deals = read_source(words, base, "[[prefer]] relationship", text=[words.key, words.rep], key=words.key)
    key, rep = (column_of(deals, name, where) for name in (words.key, words.rep))
    if words.deal_value is None:
        weight = pd.Series(1.0, index=deals.index)
    else:
        weight = pd.to_numeric(column_of(deals, words.deal_value, where), errors="coerce").fillna(0.0)
    known = territories.position
    at = rep.map(known)
    if at.notna().sum() == 0:
        got, names = list(pd.unique(rep.dropna())), list(territories.names)
        raise UserMistakeError(
            f"{where}: no '{words.rep}' is a territory or its rep. They are {shorten(got, shown=3)}, "
            f"the territories {shorten(names, shown=3)}. {likely_spelling(got, set(known), 'reps')}".rstrip()
        )
    amounts = [] if words.deal_value is None else [words.deal_value]
    refuse_loss(deals, ids, words.key, amounts, words.max_loss, where, notes)
    gone = rep[rep.notna() & at.isna()]
    if len(gone):
        hint = likely_spelling(list(pd.unique(gone)), set(known), "reps")
        share = percent_text(float(weight[gone.index].sum()) / max(float(weight.sum()), 1e-300))
        notes.append(
            f"{where}: {len(gone):,} of {len(deals):,} rows ({share}) are of reps without a territory: "
            f"{shorten(list(pd.unique(gone)), shown=3)}. {hint}".rstrip()
        )
    use = at.notna() & key.notna() & (weight > 0)
    sums = weight[use].groupby([key[use], at[use].astype(int)]).sum().unstack(fill_value=0)
    table = sums.reindex(index=pd.Index(ids), columns=range(territories.count)).fillna(0.0)
    top = table.max(axis=1)
    scores = table.div(top.where(top > 0), axis=0).fillna(1.0)
    return scores.set_axis(list(territories.names), axis=1)


def rules(words: Sequence[Rule], base: Path) -> list[Any]:
    """Return the rules, with the pins and forbids that files hold."""
    out: list[Any] = []
    for w in words:
        if w.kind == "keep_together":
            out.append(KeepTogether(w.column, missing=w.missing))
        elif w.kind == "keep_apart":
            out.append(KeepApart(tuple(tuple(g) for g in w.groups)))
        elif w.kind == "pin":
            pairs = _pairs_file(w, base, "pin")
            twice = sorted({a for a, _ in pairs if dict(pairs)[a] != dict(reversed(pairs))[a]})
            if twice:
                raise UserMistakeError(
                    f"[[rules]] pin: {shorten(twice)} are pinned to several territories. Keep one row."
                )
            out.append(Pin({**w.accounts, **dict(pairs)}))
        elif w.kind == "forbid":
            out.append(Forbid((*w.pairs, *_pairs_file(w, base, "forbid")), by=w.by))
        elif w.kind == "within":
            out.append(Within(w.teams, by=w.by))
        else:
            out.append(MaxMoved(w.share, by=w.by, owner=w.owner))
    return out


def _pairs_file(words: PinWords | ForbidWords, base: Path, kind: str) -> list[tuple[str, str]]:
    if words.file is None:
        return []
    path = expand(words.file, base)
    table = read_table(path, sheet=words.sheet, text=[words.account, words.territory])
    where = f"[[rules]] {kind} '{path.name}'"
    accounts, territories = (column_of(table, name, where) for name in (words.account, words.territory))
    half = np.flatnonzero((accounts.isna() != territories.isna()).to_numpy())
    if len(half):
        rows = ", ".join(str(at + 1) for at in half[:5])
        many = f"{len(half)} rows of the data name" if len(half) > 1 else "1 row of the data names"
        raise UserMistakeError(
            f"{where}: {many} only one of '{words.account}' and '{words.territory}' (row {rows}). "
            "Fill in both, or delete the rows."
        )
    filled = accounts.notna()
    return [(str(a), str(t)) for a, t in zip(accounts[filled], territories[filled], strict=True)]
