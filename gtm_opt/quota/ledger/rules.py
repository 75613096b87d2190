"""What every rule of quota needs: balances, periods, who sat where, and how entries are booked."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.ledger.balances import Balances, Entry
from gtm_opt.quota.ledger.settings import QuotaPolicy, Year, cumulate
from gtm_opt.quota.ledger.stints import Stints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_opt.errors import Findings
    from gtm_opt.quota.ledger.flows import Flows
    from gtm_opt.timeline import Facts

__all__ = ["CENTS", "Rules"]

_DAY = timedelta(days=1)
CENTS = 100


class Rules:
    """Balances and facts before an event, and what all rules share; changes neither.

    Parameters
    ----------
    balances : Balances
    year : Year
    policy : QuotaPolicy
    accounts : mapping of str to int
        Yearly target of accounts, in hundredths.
    frozen : date or None
        Last day of the frozen periods.
    facts : Facts
    found : Findings
    """

    def __init__(
        self,
        balances: Balances,
        year: Year,
        policy: QuotaPolicy,
        accounts: Mapping[str, int],
        frozen: date | None,
        facts: Facts,
        found: Findings,
    ) -> None:
        self.balances, self.year, self.policy, self.accounts = balances, year, policy, accounts
        self.frozen, self.stints, self.found = frozen, Stints(facts), found
        self.where = ""
        self._added: set[str] = set()

    def _between(self, flows: Flows, source: str, seat: str, amounts: list[int]) -> None:
        short = [p for p, x in enumerate(amounts) if x > flows.at_seat(source, p)]
        if short:
            have = sum(flows.at_seat(source, p) for p in range(len(self.year)))
            got = f"{sum(amounts) / CENTS:,.2f} from '{source}', which has {have / CENTS:,.2f} in all"
            self.found.add(
                self.where, "must not take more than a seat has in any period", got=got,
                rows=[self.year.labels[p] for p in short], kind="period",
            )  # fmt: skip
            return
        for p, x in enumerate(amounts):
            flows.carry(source, seat, p, x)

    def _seat(self, seat: str) -> bool:
        if self.balances.is_seat(seat) or seat in self._added:
            return True
        seats = [n for n, below in self.balances.children.items() if not below]
        self.found.add(
            self.where, "must name a seat of the quota tree", got=f"'{seat}'", remedy=did_you_mean(seat, seats)
        )
        return False

    def _after(self, amounts: list[int], first: date, since: date) -> list[int]:
        """Return the part of each period's amount from a day on, where the amount began on ``since`` or earlier."""
        exact = []
        for p, x in enumerate(amounts):
            there = self.year.days(p, since, self.year.last)
            exact.append(
                Fraction(x * min(there, self.year.days(p, first, self.year.last)), there) if there else Fraction(0)
            )
        rounded = cumulate(exact)
        # never more than there is, and nothing where nothing is
        return [min(max(r, min(x, 0)), max(x, 0)) for r, x in zip(rounded, amounts, strict=True)]

    def _book(self, flows: Flows) -> tuple[Entry, ...]:
        """Return the entries, those of frozen periods in the first open one."""
        opened = 0
        if self.frozen is not None:
            opened = self.year.period(self.frozen + _DAY)
        lines = flows.lines()
        if opened >= len(self.year) and lines:
            rule = "must fall into a year with an open period"
            self.found.add(self.where, rule, got=f"closed until {self.frozen}", remedy="Open the next year's book.")
            return ()
        return tuple(Entry(*key, due, max(due, opened), x) for (key, due), x in sorted(lines.items()))
