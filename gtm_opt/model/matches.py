"""What the labels of accounts match: owners that sit nowhere, parents that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import number_text, percent_text, shorten
from gtm_opt.model.families import missing_parents
from gtm_opt.model.preferences import KeepOwner
from gtm_opt.model.rules import KeepTogether
from gtm_opt.model.spelling import likely_spelling
from gtm_opt.model.tables import id_text

if TYPE_CHECKING:
    from gtm_opt.model.problem import CarvingProblem

__all__ = ["match_notes", "owner_notes", "parent_notes", "unmatched_owners"]

_LOOKED_AT = 200_000
"""Accounts up to which likely spellings of parents are searched."""


def match_notes(problem: CarvingProblem) -> list[str]:
    """Return what a planner should know about labels that match nothing: nobody should have to guess that."""
    return [*parent_notes(problem), *owner_notes(problem)]


def unmatched_owners(problem: CarvingProblem, column: str) -> pd.Series:
    """Return the number of accounts per owner who sits in no territory, most first."""
    owners = id_text(problem.accounts[column]).str.strip()
    known = problem.territories.position
    strange = owners[(owners != "") & ~owners.isin(list(known))]
    counts = strange.value_counts()
    return counts.sort_index().sort_values(ascending=False, kind="stable")


def owner_notes(problem: CarvingProblem) -> list[str]:
    """Count and name the accounts that ``KeepOwner(..., unknown="unowned")`` sets free."""
    out = []
    for column, value in _free_columns(problem).items():
        counts = unmatched_owners(problem, column)
        if not len(counts):
            continue
        free = id_text(problem.accounts[column]).str.strip().isin(counts.index)
        owned = int((id_text(problem.accounts[column]).str.strip() != "").sum())
        share = percent_text(int(free.sum()) / owned)
        what = f"{int(free.sum()):,} of {owned:,} owned accounts ({share})"
        if value is not None:
            amounts = pd.to_numeric(problem.accounts[value], errors="coerce").fillna(0.0)
            what += f" with {number_text(float(amounts[free].sum()))} of {value}"
        named = ", ".join(f"'{name}' ({count:,})" for name, count in counts.head(5).items())
        more = f" and {len(counts) - 5:,} more" if len(counts) > 5 else ""
        hint = likely_spelling(list(counts.index), set(_names(problem)), "owners")
        out.append(
            f"{column}: {what} are free, for their owners sit in no territory: {named}{more}."
            + (f" {hint}" if hint else "")
        )
    return out


def parent_notes(problem: CarvingProblem) -> list[str]:
    """Name accounts whose parent is not in the table, and links that keep nothing together."""
    out = []
    ids = problem.resolved.ids
    for rule in problem.rules:
        if not isinstance(rule, KeepTogether):
            continue
        lost = missing_parents(ids, problem.accounts[rule.column], rule)
        hint = ""
        if len(lost):
            one = len(lost) == 1
            what = "1 account names a parent that is" if one else f"{len(lost):,} accounts name parents that are"
            values = id_text(problem.accounts[rule.column]).str.strip().iloc[lost]
            if len(ids) <= _LOOKED_AT:
                hint = likely_spelling(list(pd.unique(values)), set(ids), "parents")
            out.append(
                f"{rule.name}: {what} not in the table, and stand{'s' if one else ''} alone: "
                f"{shorten(list(ids[lost]))}. Add the parents, or use KeepTogether(..., missing='together')"
                + (f". {hint}" if hint else "")
            )
        filled = (id_text(problem.accounts[rule.column]).str.strip() != "").to_numpy(dtype=bool)
        if filled.any() and len(np.unique(problem.resolved.family)) == len(ids):
            out.append(
                f"{rule.name}: keeps nothing together: none of its {int(filled.sum()):,} values names an account of "
                "the table or stands in a second row"
            )
    return out


def _free_columns(problem: CarvingProblem) -> dict[str, str | None]:
    return {p.owner: p.value for p in reversed(problem.prefer) if isinstance(p, KeepOwner) and p.unknown == "unowned"}


def _names(problem: CarvingProblem) -> list[str]:
    return [str(name) for name in problem.territories.position]
