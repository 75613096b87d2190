"""Routing of leads: whose turn it is, decided the same way for one lead and for a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.frames import as_frame, takes_tables
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RoundRobin"]

_NEVER = -(2**62)


@dataclass(frozen=True, eq=False)
class RoundRobin:
    """A lead goes to the eligible member whose last lead is longest ago.

    Attributes
    ----------
    members : tuple of str
        In the order of their turns, as far as ``last`` does not say otherwise.
    last : mapping of str to Timestamp
        When each member got a lead last; absent: never.
    absences : DataFrame, optional
        ``rep_id``, ``first``, ``last``: moments between which a member gets nothing, inclusive.
    cap : int, optional
        Most leads of a member per calendar day.
    used : mapping of (member, day) to int
        Leads already given on a day, where there is a cap.

    Notes
    -----
    An absent member is passed over and gives no turn to anybody in particular: the others keep their order among
    themselves, and on return the member is next once. O(members) per lead.
    """

    members: tuple[str, ...]
    last: Mapping[str, pd.Timestamp] = field(default_factory=dict)
    absences: pd.DataFrame | None = None
    cap: int | None = None
    used: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(self.members))
        if self.absences is not None:
            object.__setattr__(self, "absences", as_frame(self.absences, "absences"))
        found = Findings()
        if len(set(self.members)) < len(self.members):
            found.add("members", "must be unique")
        strange = [m for m in self.last if m not in self.members]
        if self.absences is not None:
            strange += [str(m) for m in self.absences["rep_id"] if m not in self.members]
        if strange:
            remedy = did_you_mean(strange[0], self.members)
            found.add("last and absences", "must name members", rows=strange, kind="member", remedy=remedy)
        if self.cap is not None and self.cap < 1:
            found.add("cap", "must be at least 1", got=repr(self.cap))
        _one_zone([*self.last.values(), *(_moments(self.absences))], "last and absences", found)
        found.raise_if_any()

    @takes_tables("leads")
    def route(self, leads: pd.DataFrame) -> tuple[pd.DataFrame, RoundRobin]:
        """Give each lead to a member, in the order of time.

        Parameters
        ----------
        leads : DataFrame
            ``lead_id``, ``at`` (moment), optionally ``eligible`` (sequence of members; empty cell: all).

        Returns
        -------
        routed : DataFrame
            ``lead_id``, ``at``, ``rep_id`` (None: nobody is eligible and there), in the order of routing: by
            moment, leads of one moment in the order of the table.
        after : RoundRobin
            The policy with its state after the last lead: routing a further batch from it gives what routing both
            batches at once gives.

        Raises
        ------
        DataError
            Unknown members, moments that cannot be read, moments with and without a time zone, a lead that is older
            than the last one routed.
        """
        found = Findings()
        missing = [c for c in ("lead_id", "at") if c not in leads.columns]
        if missing:
            found.add("leads", f"must have the columns {', '.join(missing)}", got=", ".join(map(str, leads.columns)))
            found.raise_if_any()
        _one_zone([*leads["at"], *self.last.values(), *_moments(self.absences)], "leads['at']", found)
        found.raise_if_any()
        at = pd.to_datetime(leads["at"])
        if at.isna().any():
            found.add("leads['at']", "must not be empty", rows=leads["lead_id"][at.isna()], kind="lead")
        position = {m: i for i, m in enumerate(self.members)}
        allowed = _eligible(leads, position, found)
        stamps = [_stamp(t) for t in at]
        latest = max((_stamp(t) for t in self.last.values()), default=_NEVER)
        early = [str(i) for i, s in zip(leads["lead_id"], stamps, strict=True) if s < latest]
        if early:
            remedy = "Route all leads in one order of time."
            found.add("leads['at']", "must not lie before the last routed lead", rows=early, kind="lead", remedy=remedy)
        found.raise_if_any()
        away: list[list[tuple[int, int]]] = [[] for _ in self.members]
        if self.absences is not None:
            for rep, since, until in self.absences[["rep_id", "first", "last"]].itertuples(index=False, name=None):
                away[position[str(rep)]].append((_stamp(since), _stamp(until)))
        order = np.argsort(np.array(stamps, dtype=np.int64), kind="stable").tolist()
        days = [str(day) for day in at.dt.date]
        queue = sorted(range(len(self.members)), key=lambda m: _stamp(self.last.get(self.members[m])))
        used = dict(self.used)
        last = dict(self.last)
        chosen: list[int] = []
        for lead in order:
            now, day, open_to = stamps[lead], days[lead], allowed[lead]
            best = -1
            for place, member in enumerate(queue):
                if open_to is not None and member not in open_to:
                    continue
                if away[member] and any(a <= now <= b for a, b in away[member]):
                    continue
                if self.cap is not None and used.get((self.members[member], day), 0) >= self.cap:
                    continue
                best = member
                del queue[place]
                queue.append(member)
                break
            chosen.append(best)
            if best >= 0:
                last[self.members[best]] = at.iloc[lead]
                if self.cap is not None:
                    used[self.members[best], day] = used.get((self.members[best], day), 0) + 1
        names = np.array([*self.members, None], dtype=object)
        routed = pd.DataFrame(
            {
                "lead_id": leads["lead_id"].to_numpy(dtype=object)[order],
                "at": at.iloc[order].to_numpy() if at.dt.tz is None else at.iloc[order].array,
                "rep_id": pd.Series(names[np.array(chosen, dtype=np.int64)], dtype=object),
            }
        )
        turns = tuple(self.members[m] for m in queue)
        return routed, RoundRobin(turns, last, self.absences, self.cap, used)


def _moments(absences: pd.DataFrame | None) -> list[object]:
    return [] if absences is None else [*absences["first"], *absences["last"]]


def _stamp(moment: object) -> int:
    """Return nanoseconds, of UTC where there is a zone; None: never."""
    return _NEVER if moment is None or pd.isna(moment) else int(pd.Timestamp(moment).value)  # type: ignore[arg-type, call-overload]


def _one_zone(moments: Sequence[object], where: str, found: Findings) -> None:
    """Record a finding for moments that cannot be read, or of which some have a time zone and some have none."""
    kinds = set()
    for moment in moments:
        try:
            read = pd.Timestamp(moment)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            found.add(where, "must hold moments", got=repr(moment), remedy="Write them as 2027-01-31 13:33.")
            return
        if not pd.isna(read):
            kinds.add(read.tzinfo is None)
    if len(kinds) > 1:
        found.add(where, "must not mix times with and without a time zone", remedy="Give all of them the same zone.")


def _eligible(leads: pd.DataFrame, position: Mapping[str, int], found: Findings) -> list[frozenset[int] | None]:
    """Return the members each lead may go to; None: all."""
    if "eligible" not in leads.columns:
        return [None] * len(leads)
    out: list[frozenset[int] | None] = []
    strange: dict[str, None] = {}
    for cell in leads["eligible"]:
        if cell is None or (isinstance(cell, float) and np.isnan(cell)):
            out.append(None)
            continue
        names = [cell] if isinstance(cell, str) else list(cell)
        strange |= dict.fromkeys(n for n in names if n not in position)
        out.append(frozenset(position[n] for n in names if n in position))
    if strange:
        remedy = did_you_mean(next(iter(strange)), position)
        found.add("leads['eligible']", "must name members", rows=strange, kind="name", remedy=remedy)
    return out
