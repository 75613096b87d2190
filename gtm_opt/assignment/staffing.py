"""The result of `assign`: who sits in which seat, from when, who covers meanwhile, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from gtm_opt.errors import DataError, shorten
from gtm_opt.model.tables import did_you_mean

__all__ = ["Staffing"]


@dataclass(frozen=True, eq=False)
class Staffing:
    """Territories with their people.

    Attributes
    ----------
    table : DataFrame
        One row per territory, in the order of the territories: ``territory``,
        ``rep_id`` (None while open), ``status`` (filled / to be hired / to be replaced),
        ``cover_rep_id`` (temporary owner), ``effective_from`` (first day of the rep in the
        seat; for an open seat the expected start; NaT: unknown), ``cover_from``,
        ``cover_until`` (last day, NaT: open end), ``value``, ``retained_value``,
        ``retained_frac`` (part of the territory's value the rep owns already), ``fit``,
        ``reason``.
    unstaffed : DataFrame
        Reps without a seat: ``rep_id``, ``reason``.
    roster : DataFrame
        What `gtm_opt.capacity` reads: one row per stint of a rep in a seat
        (``seat_id``, ``rep_id``, ``status``, ``start_date``, ``from_date``,
        ``end_date`` and every further column of the rep table).
    pairs : DataFrame
        Rep and territory pairs with something in common: ``territory``, ``rep_id``,
        ``retained_value``, ``fit``, ``forbidden``.
    fit_weight : float
        Weight of fit against retention in the matching.
    effective : Timestamp or None
        Day from which the plan holds.
    notes : tuple of str
        What the planner should know: seats nobody covers, reps without a seat.
    """

    table: pd.DataFrame
    unstaffed: pd.DataFrame
    roster: pd.DataFrame
    pairs: pd.DataFrame
    fit_weight: float = 1.0
    effective: pd.Timestamp | None = None
    notes: tuple[str, ...] = ()

    @property
    def retained_frac(self) -> float:
        """Part of all value that stays with the rep who owns it; NaN where the value is zero."""
        total = float(self.table["value"].sum())
        return float(self.table["retained_value"].sum()) / total if total > 0 else float("nan")

    @property
    def open_seats(self) -> tuple[str, ...]:
        """Territories without a rep."""
        return tuple(self.table.loc[self.table["rep_id"].isna(), "territory"])

    def summary(self) -> pd.Series[Any]:
        """Return the counts a planner asks for first."""
        status = self.table["status"].value_counts()
        is_open = self.table["rep_id"].isna()
        return pd.Series(
            {
                "territories": len(self.table),
                "filled": int((~is_open).sum()),
                "to be hired": int(status.get("to be hired", 0)),
                "to be replaced": int(status.get("to be replaced", 0)),
                "open without cover": int((is_open & self.table["cover_rep_id"].isna()).sum()),
                "reps without a seat": len(self.unstaffed),
                "retained_frac": self.retained_frac,
            },
            dtype=object,
        )

    def candidates(self, territory: str, *, top: int | None = 5) -> pd.DataFrame:
        """Return the reps with something in common with a territory, the best first.

        Columns ``rep_id``, ``retained_value``, ``fit``, ``score`` (what the matching
        maximizes the sum of), ``forbidden``, ``seat`` (where the rep sits now).
        """
        self._row(territory)
        pairs = self.pairs[self.pairs["territory"] == territory].drop(columns="territory").copy()
        mean = float(self.table["value"].mean())
        scale = mean if mean > 0 else 1.0
        pairs["score"] = pairs["retained_value"] / scale + self.fit_weight * pairs["fit"]
        held = self.table.dropna(subset=["rep_id"]).set_index("rep_id")["territory"]
        pairs["seat"] = pairs["rep_id"].map(held)
        pairs = pairs.sort_values(["forbidden", "score", "rep_id"], ascending=[True, False, True], ignore_index=True)
        return pairs if top is None else pairs.head(top)

    def explain(self, territory: str) -> str:
        """Return in words why this rep (or nobody) sits here, and who else came near."""
        row = self._row(territory)
        who = f"{row['rep_id']} sits in it" if not pd.isna(row["rep_id"]) else f"nobody yet ({row['status']})"
        lines = [f"{territory}: {who}. {row['reason']}."]
        if not pd.isna(row["cover_rep_id"]):
            until = f" until {row['cover_until']:%Y-%m-%d}" if not pd.isna(row["cover_until"]) else ""
            lines.append(f"{row['cover_rep_id']} covers it{until}.")
        others = self.candidates(territory)
        others = others[others["rep_id"] != row["rep_id"]].head(3)
        lines.extend(_describe(other) for _, other in others.iterrows())
        return "\n".join(lines)

    def _row(self, territory: str) -> pd.Series[Any]:
        hit = self.table[self.table["territory"] == territory]
        if hit.empty:
            raise DataError(
                f"`territory` must be one of the plan's, got '{territory}'. "
                f"{did_you_mean(territory, self.table['territory'])}"
            )
        return hit.iloc[0]

    def __repr__(self) -> str:
        counts = self.summary()
        text = f"Staffing: {counts['filled']} of {counts['territories']} territories filled"
        if counts["open without cover"]:
            text += f", {counts['open without cover']} open without cover"
        if len(self.unstaffed):
            text += f", reps without a seat: {shorten(list(self.unstaffed['rep_id']), shown=3)}"
        return text


def _describe(other: pd.Series[Any]) -> str:
    seat = f"sits in {other['seat']}" if not pd.isna(other["seat"]) else "has no seat"
    if other["forbidden"]:
        return f"  {other['rep_id']} is forbidden here ({seat})."
    return f"  {other['rep_id']} would retain {other['retained_value']:,.0f} at fit {other['fit']:.2f}, but {seat}."
