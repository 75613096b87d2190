"""Rules about ids, owners and how recently anybody looked at an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import number_text
from gtm_opt.model.dates import read_dates
from gtm_opt.model.tables import id_text
from gtm_opt.records.prepare import hits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gtm_opt.records.prepare import Records

__all__ = ["left", "missing_id", "not_touched", "overloaded", "repeated_id", "unknown_owner"]

_GONE = {"inactive", "left", "terminated", "false", "no", "0"}


def missing_id(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find records without an id."""
    rows = np.flatnonzero(records.ids == "")
    return hits(rows, "account_id", "", "Export the id, or leave the record out.")


def repeated_id(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find ids of several records."""
    twice = pd.Series(records.ids).duplicated(keep=False).to_numpy() & (records.ids != "")
    rows = np.flatnonzero(twice)
    return hits(rows, "account_id", records.ids[rows], "Keep one record of each id.")


def _owners(records: Records) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the owner of each account, and its position among the reps (-1: in no row)."""
    owner = records.text("owner")
    assert records.reps is not None
    reps = pd.Index(id_text(records.reps["rep_id"]).str.strip())
    where = pd.Series(np.arange(len(reps)), index=reps)
    where = where[~where.index.duplicated(keep="last")]
    return owner, where.reindex(owner).fillna(-1).to_numpy(dtype=np.int64)


def unknown_owner(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find owners that are in no row of the reps; the repair makes the account unowned."""
    if records.reps is None or not records.has("owner"):
        return hits(np.array([]), "owner", "", "")
    owner, rep = _owners(records)
    rows = np.flatnonzero((owner != "") & (rep < 0))
    changes: list[tuple[tuple[str, object], ...]] = [(("owner", None),)] * len(rows)
    return hits(rows, "owner", owner[rows], "Name a rep of the table, or leave it unowned.", changes=changes)


def left(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find owners who left before the day of the inspection, or are inactive; the repair makes the account unowned."""
    if records.reps is None or not records.has("owner"):
        return hits(np.array([]), "owner", "", "")
    owner, rep = _owners(records)
    gone = np.zeros(len(records.reps) + 1, dtype=bool)  # the last place is that of no rep
    if "end_date" in records.reps.columns:
        gone[:-1] |= (read_dates(records.reps["end_date"])[0] < records.as_of).to_numpy()
    for column in ("status", "active"):
        if column in records.reps.columns:
            word = records.reps[column].astype(str).str.strip().str.lower()
            gone[:-1] |= word.isin(_GONE).to_numpy()
    rows = np.flatnonzero(gone[rep])
    changes: list[tuple[tuple[str, object], ...]] = [(("owner", None),)] * len(rows)
    return hits(rows, "owner", owner[rows], "Hand the account on, or leave it unowned.", changes=changes)


def overloaded(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find owners with more accounts than ``times`` the median book, and more than ``at_least``."""
    if not records.has("owner"):
        return hits(np.array([]), "owner", "", "")
    owner = records.text("owner")
    count = pd.Series(owner[owner != ""]).value_counts().sort_index()
    if count.empty:
        return hits(np.array([]), "owner", "", "")
    most = max(limits["times"] * float(count.median()), limits["at_least"])
    over = count[count > most]
    text = [f"{n:,} accounts, more than {number_text(most)}" for n in over]
    remedy = "Look whether this is a person, or a queue for unassigned accounts."
    return hits(np.full(len(over), -1), "owner", np.array(text, dtype=object), remedy, record_id=over.index.to_numpy())


def not_touched(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find accounts that were never touched, or not for ``days``."""
    if not records.has("last_touch"):
        return hits(np.array([]), "last_touch", "", "")
    touched = records.days("last_touch")
    age = (records.as_of - touched).dt.days
    rows = np.flatnonzero(((age > limits["days"]) | touched.isna()).to_numpy())
    text = touched.iloc[rows].dt.strftime("%Y-%m-%d").fillna("never").to_numpy(dtype=object)
    return hits(rows, "last_touch", text, "Ask the owner whether the company still exists.")
