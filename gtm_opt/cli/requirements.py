"""Criteria, preferences and rules of a config as the library's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.joins import expand_name
from gtm_opt.cli.sources import read_source
from gtm_opt.cli.tables import column_of, expand, read_table
from gtm_opt.errors import shorten
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
    words: Sequence[Preference], accounts: pd.DataFrame, account_id: str, territories: Territories, base: Path
) -> list[Any]:
    """Return the preferences, with the scores that files hold."""
    out: list[Any] = []
    for w in words:
        if w.kind == "keep_owner":
            out.append(KeepOwner(**w.model_dump(exclude={"kind"})))
        elif w.kind == "near":
            out.append(Near(**w.model_dump(exclude={"kind"})))
        elif w.kind == "fit":
            out.append(Fit(_score_matrix(w, base), by=w.by, value=w.value, weight=w.weight))
        else:
            scores = _relationship(w, accounts[account_id].astype(str), territories, base)
            out.append(Fit(scores, value=w.value, weight=w.weight))
    return out


def _score_matrix(words: FitWords, base: Path) -> pd.DataFrame:
    table = read_source(words, base, "[[prefer]] fit")
    first = table.columns[0]
    return table.set_index(table[first].astype(str)).drop(columns=first)


def _relationship(words: RelationshipWords, ids: pd.Series, territories: Territories, base: Path) -> pd.DataFrame:
    """Return one row per account and one column per territory: its rep's part of the account's deals.

    The best-known rep of an account scores 1, the others in proportion; accounts without deals
    score 1 with everybody, so that they favor no place.
    """
    where = f"[[prefer]] relationship '{expand_name(words.file)}'"
    deals = read_source(words, base, "[[prefer]] relationship", text=[words.key, words.rep])
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
            f"the territories {shorten(names, shown=3)}."
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
    return [(str(a), str(t)) for a, t in zip(accounts, territories, strict=True) if a is not None and t is not None]
