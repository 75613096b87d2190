"""Rules of engagement as data: what may change an owner, who must approve, from which day."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_opt.assignment import ACTIONS
from gtm_opt.errors import DataError, Findings
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.ledger import MONEY_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from gtm_opt.timeline import Event

__all__ = ["Policy", "Trigger"]

_KINDS = tuple(action.__name__ for action in (*ACTIONS, *MONEY_ACTIONS))
OWNERSHIP = ("owner of seat", "cover of seat", "seat of account")


@dataclass(frozen=True)
class Trigger:
    """A reason that a commit may cite.

    Attributes
    ----------
    name : str
        "hire", "account sold": what is cited as the rule.
    allows : sequence of str
        Kinds of events: "Hire", "AccountsMoved"; see `gtm_opt.plan.book`. Empty: all.
    changes_owners : bool
        Whether owners of seats and accounts may change; False for a new address, an employee count, a merger.
    approve_above : int, optional
        Changes of owners in one commit above which somebody must approve.
    """

    name: str
    allows: Sequence[str] = ()
    changes_owners: bool = True
    approve_above: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "allows", (self.allows,) if isinstance(self.allows, str) else (*self.allows,))
        strange = [kind for kind in self.allows if kind not in _KINDS]
        if strange:
            raise DataError(
                f"Trigger '{self.name}' must allow known kinds, got '{strange[0]}'. {did_you_mean(strange[0], _KINDS)}"
            )


@dataclass(frozen=True)
class Policy:
    """What a book accepts.

    Attributes
    ----------
    triggers : sequence of Trigger
        A commit must cite one of them that allows what it does. Empty: everything is allowed.
    prospective : bool
        Nothing may hold from a day before it is recorded, but for corrections that somebody approved.
    closed_until : date, optional
        Last day of the closed period: nothing may change it, not even a correction.
    """

    triggers: Sequence[Trigger] = ()
    prospective: bool = True
    closed_until: date | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "triggers", tuple(self.triggers))

    def judge(
        self, events: Sequence[Event], *, rule: str, recorded: date, approved_by: str | None, found: Findings
    ) -> None:
        """Record what the policy refuses in these events; names the nearest rule."""
        for event in events:
            starts = [c.first for c in event.changes]
            if self.closed_until is not None and starts and min(starts) <= self.closed_until:
                got = f"{min(starts)}, closed until {self.closed_until}"
                found.add(event.kind, "must not change a closed period", got=got)
            elif self.prospective and starts and min(starts) < recorded:
                approved = event.kind == "Correction" and approved_by
                if not approved:
                    got = f"{min(starts)}, recorded {recorded}"
                    remedy = "Use a Correction with `approved_by`."
                    found.add(event.kind, "must not change days before it is recorded", got=got, remedy=remedy)
        if not self.triggers:
            return
        cited = next((t for t in self.triggers if t.name == rule), None)
        kinds = sorted({event.kind for event in events if event.undoes is None})
        if cited is None:
            found.add("rule", "must be one of the policy's", got=f"'{rule}'", remedy=self._nearest(kinds, rule))
            return
        owners = sum(c.relation in OWNERSHIP for event in events for c in event.changes)
        refused = [kind for kind in kinds if cited.allows and kind not in cited.allows]
        if refused:
            remedy = self._nearest(refused, rule)
            found.add(f"rule '{rule}'", "must allow what is done", got=", ".join(refused), remedy=remedy)
        if owners and not cited.changes_owners:
            remedy = self._nearest(kinds, rule, owners=True)
            found.add(f"rule '{rule}'", "never changes an owner", got=f"{owners} changes", remedy=remedy)
        if cited.approve_above is not None and owners > cited.approve_above and not approved_by:
            got = f"{owners} changes of owners"
            remedy = "Name who approved it in `approved_by`."
            found.add(f"rule '{rule}'", f"needs approval above {cited.approve_above}", got=got, remedy=remedy)

    def _nearest(self, kinds: Sequence[str], rule: str, *, owners: bool = False) -> str:
        fits = [
            t.name
            for t in self.triggers
            if all(not t.allows or k in t.allows for k in kinds) and (t.changes_owners or not owners)
        ]
        if fits:
            close = difflib.get_close_matches(rule, fits, n=1, cutoff=0.0)
            return f"The nearest rule that allows it is '{close[0]}'."
        return f"No rule allows {', '.join(kinds)}. There are: {', '.join(t.name for t in self.triggers)}."
