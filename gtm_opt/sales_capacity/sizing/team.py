"""How large a team has to be: by workload, by coverage, by revenue, and which of them binds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean, number_column

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TeamSize", "size_team"]

_GROUPS = {
    "workload": ("accounts", "calls_py", "hours_per_call"),
    "coverage": ("accounts", "accounts_per_rep"),
    "revenue": ("target", "productivity_py"),
    "market": ("potential", "obtainable_share", "viable_territory"),
}
_OPTIONAL = ("travel_hours_per_call", "seat_factor")
_FILL = "Fill in the number, or leave the column out of the table."


@dataclass(frozen=True, eq=False)
class TeamSize:
    """Heads by segment and what decides them.

    Attributes
    ----------
    table : DataFrame
        One row per segment (its tiers summed): ``segment``, ``workload``, ``coverage``, ``revenue`` (full-time
        equivalents by each way; nan: not given), ``heads`` (the largest, rounded up), ``binds`` (which), ``market``
        (most territories the market can feed; nan: not given), ``beyond_market`` (heads above it).
    """

    table: pd.DataFrame

    @property
    def heads(self) -> int:
        """Heads of all segments."""
        return int(self.table["heads"].sum())

    def __repr__(self) -> str:
        columns = zip(self.table["segment"], self.table["heads"], self.table["binds"], strict=True)
        return f"TeamSize: {self.heads} heads ({', '.join(f'{s} {h} by {b}' for s, h, b in columns)})"


@takes_tables("segments")
def size_team(
    segments: pd.DataFrame,
    *,
    weeks_py: float = 46.0,
    hours_per_week: float = 40.0,
    selling_share: float = 1.0,
    ways: Sequence[str] | None = None,
) -> TeamSize:
    """Size the team of each segment by every way for which there are numbers.

    Parameters
    ----------
    segments : DataFrame
        ``segment``; one row per segment, or several (tiers), which add up. Workload: ``accounts``, ``calls_py`` (per
        account), ``hours_per_call``, optionally ``travel_hours_per_call``. Coverage: ``accounts``,
        ``accounts_per_rep``. Revenue: ``target`` (new bookings per year), ``productivity_py`` of a ramped seller,
        optionally ``seat_factor`` (long-run output of a seat under attrition, see `gtm_opt.seat_factor`; default
        1). Market: ``potential``, ``obtainable_share``, ``viable_territory`` (an amount per seat).
    weeks_py, hours_per_week : float
        Working time of a seller, > 0.
    selling_share : float
        Part of it that goes into calls, in (0, 1].
    ways : sequence of {"workload", "coverage", "revenue"}, optional
        Which to use. Default: all whose columns are there.

    Returns
    -------
    TeamSize

    Raises
    ------
    DataError
        With every finding.

    Notes
    -----
    Talley's build-up (1961, doi:10.1177/002224296102500302)::

        FTE = sum_tiers accounts * calls * (hours + travel) / (weeks * hours per week * selling share)

    coverage is ``sum accounts / accounts per rep``, revenue ``target / (productivity * seat factor)``. Rounded up per
    segment: nobody sells half a week in two segments. The market is a ceiling, not a need.

    Examples
    --------
    >>> table = pd.DataFrame({"segment": ["A"], "accounts": [200], "calls_py": [24], "hours_per_call": [1.0]})
    >>> size_team(table, weeks_py=48, hours_per_week=40, selling_share=0.5).table["workload"].tolist()
    [5.0]
    """
    found = Findings()
    for name, value, most in (
        ("weeks_py", weeks_py, 53.0),
        ("hours_per_week", hours_per_week, 168.0),
        ("selling_share", selling_share, 1.0),
    ):
        if not isinstance(value, int | float | np.number) or not 0 < value <= most:
            found.add(name, f"must be above 0 and at most {most:g}", got=repr(value))
    if "segment" not in segments.columns or segments["segment"].isna().any():
        found.add("segments['segment']", "must exist and not be empty")
        found.raise_if_any()
    chosen = _choose(segments, ways, found)
    numbers = _read(segments, chosen, found)
    found.raise_if_any()
    hours = weeks_py * hours_per_week * selling_share
    fte = pd.DataFrame({"segment": segments["segment"].astype(str).to_numpy()})
    one, none = np.ones(len(segments)), np.zeros(len(segments))
    if "workload" in chosen:
        spent = numbers["hours_per_call"] + numbers.get("travel_hours_per_call", none)
        fte["workload"] = numbers["accounts"] * numbers["calls_py"] * spent / hours
    if "coverage" in chosen:
        fte["coverage"] = numbers["accounts"] / numbers["accounts_per_rep"]
    if "revenue" in chosen:
        fte["revenue"] = numbers["target"] / (numbers["productivity_py"] * numbers.get("seat_factor", one))
    if "market" in chosen:
        fte["market"] = numbers["potential"] * numbers["obtainable_share"] / numbers["viable_territory"]
    table = fte.groupby("segment", sort=False).sum().reset_index()
    for way in _GROUPS:
        if way not in table.columns:
            table[way] = np.nan
    needs = table[["workload", "coverage", "revenue"]]
    table["heads"] = np.ceil(needs.max(axis=1).fillna(0.0) - 1e-9).astype(np.int64)
    table["binds"] = needs.fillna(-np.inf).idxmax(axis=1)
    beyond = table["heads"] - np.floor(table["market"] + 1e-9)
    table["beyond_market"] = beyond.clip(lower=0).fillna(0).astype(np.int64)
    order = ["segment", "workload", "coverage", "revenue", "heads", "binds", "market", "beyond_market"]
    return TeamSize(table[order])


def _choose(segments: pd.DataFrame, ways: Sequence[str] | None, found: Findings) -> list[str]:
    """Return the ways for which the columns are there, recording what is missing or unknown."""
    known = {"segment", *_OPTIONAL, *(column for columns in _GROUPS.values() for column in columns)}
    for column in segments.columns:
        if str(column) not in known:
            remedy = did_you_mean(column, sorted(known))
            found.add(f"segments[{str(column)!r}]", "is no column of segments", remedy=f"{remedy} Or leave it out.")
    for way in ways or ():
        if way not in _GROUPS:
            found.add("ways", f"must be of {', '.join(_GROUPS)}", got=repr(way))
    here = [w for w, columns in _GROUPS.items() if all(c in segments.columns for c in columns)]
    if ways is None:
        if not set(here) - {"market"}:
            lists = "; ".join(f"{way}: {', '.join(columns)}" for way, columns in _GROUPS.items() if way != "market")
            found.add("segments", "must have the columns of at least one way", remedy=lists)
        return here
    for way in ways:
        lacking = [c for c in _GROUPS.get(way, ()) if c not in segments.columns]
        if lacking:
            found.add("segments", f"must have the columns {', '.join(lacking)} for {way}")
    return [way for way in ways if way in here]


def _read(segments: pd.DataFrame, chosen: Sequence[str], found: Findings) -> dict[str, np.ndarray]:
    """Return the columns that are used, all positive where something is divided by them."""
    used = {column for way in chosen for column in _GROUPS[way]} | {c for c in _OPTIONAL if c in segments.columns}
    numbers = {}
    for column in [c for c in segments.columns if c in used]:
        values = number_column(segments, column, found, what="segments", fill=_FILL)
        if values is None:
            continue
        divides = column in ("accounts_per_rep", "productivity_py", "seat_factor", "viable_territory")
        zero = values == 0
        if divides and zero.any():
            found.add(f"segments[{column!r}]", "must be above 0", rows=segments.index[zero])
        share = column in ("obtainable_share", "seat_factor")
        if share and (values > 1).any():
            found.add(f"segments[{column!r}]", "must lie in (0, 1]", rows=segments.index[values > 1])
        numbers[column] = values.to_numpy(dtype=np.float64)
    return numbers
