"""The result of `assign`: who sits in which seat, from when, who covers meanwhile, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from gtm_opt.assignment.timeline import HIRE, TIMELINE, Timeline
from gtm_opt.errors import DataError, shorten
from gtm_opt.model.json_form import JsonForm
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from gtm_opt.assignment.match_people import Matching
    from gtm_opt.assignment.timeline import Day

__all__ = ["Staffing"]

COVERS = ("territory", "rep_id", "first", "last", "days")


@dataclass(frozen=True, eq=False)
class Staffing(JsonForm):
    """Territories with their people.

    Attributes
    ----------
    table : DataFrame
        One row per territory, in the order of the territories: ``territory``,
        ``rep_id`` (None while open), ``status`` (filled / to be hired / to be replaced),
        ``cover_rep_id`` (temporary owner, the first one), ``effective_from`` (first day of the rep in the
        seat; for an open seat the expected start; NaT: unknown), ``effective_until`` (last day of the rep,
        or of the one to be replaced, within the plan; NaT: stays), ``cover_from``,
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
        The best candidates of each territory: ``territory``, ``rep_id``, ``retained_value``, ``fit``,
        ``forbidden``, ``score`` (what the matching maximizes the sum of).
    fit_weight : float
        Weight of fit against retention in the matching.
    effective : Timestamp or None
        Day from which the plan holds.
    notes : tuple of str
        What the planner should know: seats nobody covers, reps without a seat.
    covers : DataFrame
        Every interval on which a seat is vacant: ``territory``, ``rep_id`` (who covers; None: nobody),
        ``first``, ``last`` (inclusive; NaT: open end), ``days``.
    until : Timestamp or None
        Last day of the plan.
    employment : DataFrame
        First and last day of everybody in the rep table, by ``rep_id``: ``start_date``, ``end_date``.
    accounts : DataFrame or None
        ``account_id`` and ``territory`` of the carving. Not saved with a plan, which holds the carving itself.
    matching : Matching or None
        Status, bound, reasons and costs of seats and rules; not saved with a plan.
    """

    table: pd.DataFrame
    unstaffed: pd.DataFrame
    roster: pd.DataFrame
    pairs: pd.DataFrame
    fit_weight: float = 1.0
    effective: pd.Timestamp | None = None
    notes: tuple[str, ...] = ()
    covers: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*COVERS]))
    until: pd.Timestamp | None = None
    employment: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["start_date", "end_date"]))
    accounts: pd.DataFrame | None = field(default=None, metadata={"stored": False})
    matching: Matching | None = field(default=None, metadata={"stored": False})

    @property
    def uncovered(self) -> pd.DataFrame:
        """Intervals on which nobody sits in a seat or covers it: ``territory, first, last, days``.

        Recomputed from the roster and the covers day by day, not taken from the matching. Only within the plan:
        without a first day (`effective`) it says which seats have neither rep nor cover.
        """
        if self.effective is None:
            bare = self.table[self.table["rep_id"].isna() & self.table["cover_rep_id"].isna()]
            none = bare["effective_from"].where(pd.Series(False, index=bare.index))
            return pd.DataFrame({"territory": bare["territory"], "first": none, "last": none, "days": pd.NA})
        gaps = self.seat_timeline.proof.table
        gaps = gaps.loc[(gaps["rule"] == "no owner") & (gaps["what"] == "seat"), ["id", "first", "last", "days"]]
        gaps = gaps.rename(columns={"id": "territory"})
        rank = {name: at for at, name in enumerate(self.table["territory"])}
        return gaps.sort_values("territory", key=lambda s: s.map(rank), kind="stable", ignore_index=True)

    @cached_property
    def timeline(self) -> Timeline:
        """Every assignment of the plan as an interval: seats and, where they are known, the accounts in them."""
        return self.seat_timeline if self.accounts is None else self.seat_timeline.with_accounts(self.accounts)

    @cached_property
    def seat_timeline(self) -> Timeline:
        """Who holds which seat: owners, covers, and the people's employment.

        Made of the roster and the covers alone; expected hires count from their start date on as "to be hired".
        """
        held = self.roster
        hire = held["rep_id"].isna() & held["from_date"].notna()
        people = held.dropna(subset=["rep_id"]).drop_duplicates("rep_id").set_index("rep_id")
        people = people.drop(columns=["seat_id", "status", "from_date"], errors="ignore")
        covering = self.employment.reindex([r for r in self.employment.index if r not in people.index])
        people = people if covering.empty else pd.concat([people, covering])
        rows = pd.DataFrame(
            {
                "what": "seat",
                "id": held["seat_id"],
                "rep_id": held["rep_id"].where(~hire, HIRE),
                "first": held["from_date"],
                "last": held["end_date"],
                "share": held["assignment_frac"].fillna(1.0) if "assignment_frac" in held else 1.0,
                "kind": "owner",
                "reason": held["status"],
            }
        )[held["rep_id"].notna() | hire]
        rows["kind"] = rows["kind"].where(rows["share"] >= 1.0, "split")
        cover = self.covers[self.covers["rep_id"].notna()].rename(columns={"territory": "id"})
        cover = cover.assign(what="seat", share=1.0, kind="interim", reason="covers an empty seat")
        pieces = [piece for piece in (rows, cover[[*TIMELINE]]) if len(piece)] or [rows]
        table = pd.concat(pieces, ignore_index=True).sort_values(["id", "first"], kind="stable", ignore_index=True)
        subjects = pd.DataFrame({"what": "seat", "id": self.table["territory"]})
        return Timeline(table, people, subjects, self.effective, self.until, {HIRE: float("inf")}, held[hire])

    def as_of(self, day: Day) -> pd.DataFrame:
        """Return who holds which seat and account on a day; see `Timeline.table`."""
        return self.timeline.as_of(day)

    def between(self, first: Day, last: Day) -> pd.DataFrame:
        """Return who holds which seat and account on the days from ``first`` to ``last``."""
        return self.timeline.between(first, last)

    def history(self, name: str) -> pd.DataFrame:
        """Return every interval of a seat, an account or a person."""
        return self.timeline.history(name)

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
                "open without cover": int(self.uncovered["territory"].nunique()),
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
        if "score" not in pairs.columns:  # of a plan that an earlier version saved
            mean = float(self.table["value"].mean())
            pairs["score"] = pairs["retained_value"] / (mean if mean > 0 else 1.0) + self.fit_weight * pairs["fit"]
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
            since = f" from {row['cover_from']:%Y-%m-%d}" if not pd.isna(row["effective_until"]) else ""
            lines.append(f"{row['cover_rep_id']} covers it{since}{until}.")
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
