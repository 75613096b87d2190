"""Signed adjustments of sellers' quotas, spread over their months."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar

__all__ = ["spread_adjustments"]


def spread_adjustments(
    stints: pd.DataFrame,
    seats: pd.Index,
    calendar: Calendar,
    adjustments: pd.DataFrame | Mapping[str, float] | None,
) -> NDArray[np.float64]:
    """Return what each row of ``stints`` is adjusted by; see `Quotas.sellers`.

    Parameters
    ----------
    stints : DataFrame
        ``rep_id``, ``seller_quota``, ``_seat`` and ``_month``, one row per stint and month.

    Raises
    ------
    DataError
        With every finding: sellers who are not there (in that seat, or in that month), several seats without a
        ``seat_id``, non-numeric amounts.
    """
    out = np.zeros(len(stints))
    if adjustments is None or not len(adjustments):
        return out
    found = Findings()
    table = _read(adjustments, found)
    found.raise_if_any()
    reps = stints["rep_id"].astype(object).to_numpy()
    place = seats.to_numpy(dtype=object)[stints["_seat"].to_numpy()]
    month = np.array(calendar.labels, dtype=object)[stints["_month"].to_numpy()]
    asked = stints["seller_quota"].to_numpy()
    for rep, amount, seat, when in table:
        rows = reps == rep
        if not rows.any():
            known = [r for r in dict.fromkeys(reps) if r is not None]
            remedy = did_you_mean(rep, known)
            found.add("adjustments['rep_id']", "must name sellers with a seat", got=f"'{rep}'", remedy=remedy)
            continue
        if seat is not None:
            rows &= place == seat
        elif len(set(place[rows])) > 1:
            remedy = f"Give seat_id: one of {', '.join(sorted(set(place[rows])))}."
            found.add("adjustments", "must say the seat", got=f"'{rep}' has several", remedy=remedy)
            continue
        if when is not None:
            rows &= month == when
        at = np.flatnonzero(rows)
        if not len(at):
            got = f"'{rep}' in '{seat}', {when or 'any month'}"
            found.add("adjustments", "must fall into days on which the seller is there", got=got)
            continue
        weight = asked[at] if asked[at].sum() > 0 else np.ones(len(at))
        out[at] += amount * weight / weight.sum()
    found.raise_if_any()
    return out


def _read(
    adjustments: pd.DataFrame | Mapping[str, float], found: Findings
) -> list[tuple[str, float, str | None, str | None]]:
    """Return (rep, amount, seat, month) of each row; None: not said."""
    if isinstance(adjustments, Mapping):
        table = pd.DataFrame({"rep_id": list(adjustments), "amount": list(adjustments.values())}, dtype=object)
    else:
        table = adjustments.reset_index(drop=True)
    missing = [c for c in ("rep_id", "amount") if c not in table.columns]
    if missing:
        got = ", ".join(map(str, table.columns))
        found.add("adjustments", f"must have the columns {', '.join(missing)}", got=got)
        return []
    amount = pd.to_numeric(table["amount"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~np.isfinite(amount)
    if bad.any():
        found.add("adjustments['amount']", "must hold finite numbers", rows=table.loc[bad, "rep_id"], kind="seller")
    further = [
        [None if pd.isna(v) else str(v) for v in table[c]] if c in table.columns else [None] * len(table)
        for c in ("seat_id", "month")
    ]
    months = [None if m is None else m[:7] for m in further[1]]
    return list(zip(table["rep_id"].astype(str), amount.tolist(), further[0], months, strict=True))
