"""What a plan assumes about people's time: leaves, partial months, cover, seasonality, adjustments of quotas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.attainment import Attainment
from gtm_opt.model.attrition import Attrition
from gtm_opt.model.frames import as_frame, is_table, pass_or_refuse, takes_tables
from gtm_opt.model.spelling import likely_spelling
from gtm_opt.model.tables import did_you_mean, id_text
from gtm_opt.sales_capacity.clock import Proration

if TYPE_CHECKING:
    from typing import Any

    from gtm_opt.model.backfill import Backfill
__all__ = ["PeopleOptions"]

_SEASONS = ("flat", "calendar", "selling_days")


@dataclass(frozen=True, eq=False)
class PeopleOptions:
    """How `gtm_opt.build_plan` counts people's time, for capacity and for the quotas of sellers alike.

    Attributes
    ----------
    proration : {"days", "selling_days", "15th", "next_month"}
        What a partial month counts.
    leaves : DataFrame, optional
        ``rep_id``, ``start_date``, ``end_date`` and optionally ``capacity_frac``, the part that remains: lowers
        capacity.
    relieve_quota : bool
        Whether leaves also lower the quotas of sellers (what is relieved is held by the manager).
    interim_frac : float
        Part of a ramped rep's productivity that a covered or empty seat yields, 0 to 1.
    judgment : DataFrame, Series or mapping, optional
        Signed override of capacity, an amount by month or quarter.
    seasonality : {"flat", "calendar", "selling_days"}
        How productivity is spread over the year. Quotas follow the calendar's season whatever is said here.
    pause_after_days : int
        Longer leaves stop the tenure clock.
    adjustments : DataFrame or mapping, optional
        Signed amounts by seller: ``rep_id`` and ``amount``, optionally ``seat_id`` and ``month``.
    whole_months : bool
        Take monthly quotas rounded to the unit of yearly ones, instead of exact parts of the year.
    attrition, backfill : optional
        Who is expected to leave and how seats are filled again: the plan's capacity then has the expected one beside
        it (`gtm_opt.Capacity.expected`).
    attainment : Attainment, optional
        How results spread: the plan's tables then have the odds of the target.

    Raises
    ------
    DataError
        With everything that is out of range. Leaves, judgment and adjustments are checked with the people they name.

    See Also
    --------
    gtm_opt.capacity, gtm_opt.Quotas.sellers : Take the same words.

    Examples
    --------
    >>> PeopleOptions(proration="15th", adjustments={"Ann": -20_000}).interim_frac
    0.0
    """

    proration: Proration = "days"
    leaves: pd.DataFrame | None = None
    relieve_quota: bool = False
    interim_frac: float = 0.0
    judgment: pd.DataFrame | pd.Series[float] | Mapping[str, float] | None = None
    seasonality: Literal["flat", "calendar", "selling_days"] = "flat"
    pause_after_days: int = 30
    adjustments: pd.DataFrame | Mapping[str, float] | None = None
    whole_months: bool = False
    attrition: Attrition | None = None
    backfill: Backfill | Mapping[str, Backfill | None] | None = None
    attainment: Attainment | None = None

    def __post_init__(self) -> None:
        found = Findings()
        for name, known in (("proration", get_args(Proration)), ("seasonality", _SEASONS)):
            if getattr(self, name) not in known:
                found.add(f"`{name}`", f"must be one of {', '.join(known)}", got=repr(getattr(self, name)))
        if not 0 <= self.interim_frac <= 1:
            found.add("`interim_frac`", "must lie between 0 and 1", got=repr(self.interim_frac))
        if not self.pause_after_days >= 0:
            found.add("`pause_after_days`", "must be days, not negative", got=repr(self.pause_after_days))
        if self.leaves is not None:
            object.__setattr__(self, "leaves", as_frame(self.leaves, "leaves"))
        if self.attrition is not None and not isinstance(self.attrition, Attrition):
            found.add("`attrition`", "must be an Attrition", got=type(self.attrition).__name__)
        if self.attainment is not None and not isinstance(self.attainment, Attainment):
            found.add("`attainment`", "must be an Attainment", got=type(self.attainment).__name__)
        if self.backfill is not None and self.attrition is None:
            found.add("`backfill`", "needs `attrition`", got="none")
        for name in ("judgment", "adjustments"):
            value = pass_or_refuse(getattr(self, name), name)
            object.__setattr__(self, name, as_frame(value, name) if is_table(value) else value)
        found.raise_if_any()

    @classmethod
    def of(cls, options: PeopleOptions | Mapping[str, Any] | None) -> PeopleOptions:
        """Return options as they are, a mapping as options, None as the standard ones.

        Raises
        ------
        TypeError
            For words that are no options.
        """
        if isinstance(options, cls):
            return options
        if options is None:
            return cls()
        if not isinstance(options, Mapping):
            raise TypeError(f"`people` takes PeopleOptions, got {type(options).__name__}.")
        known = {f.name for f in fields(cls)}
        strange = [name for name in options if name not in known]
        if strange:
            raise TypeError(f"'{strange[0]}' is no option of people. There are: {', '.join(sorted(known))}.")
        return cls(**options)

    @takes_tables("reps")
    def check_names(self, reps: pd.DataFrame) -> None:
        """Refuse leaves and adjustments of people who are not among ``reps``, before a long carve.

        Raises
        ------
        DataError
        """
        found = Findings()
        known = set(id_text(reps["rep_id"])) if "rep_id" in reps.columns else None
        changed = self.adjustments
        if isinstance(changed, Mapping):
            changed = pd.DataFrame({"rep_id": list(changed)})
        for name, table in (("leaves", self.leaves), ("adjustments", changed)):
            if table is None or known is None or "rep_id" not in table.columns:
                continue
            strange = [rep for rep in pd.unique(id_text(table["rep_id"])) if rep not in known]
            if strange:
                remedy = likely_spelling(strange, known, "names") or did_you_mean(strange[0], sorted(known))
                found.add(f"{name}['rep_id']", "must name people of the team", rows=strange, kind="name", remedy=remedy)
        found.raise_if_any()

    @property
    def for_capacity(self) -> dict[str, Any]:
        """The keywords of `gtm_opt.capacity`."""
        names = (
            *("proration", "leaves", "interim_frac", "judgment", "seasonality", "pause_after_days"),
            *("attrition", "backfill"),
        )
        return {name: getattr(self, name) for name in names}

    @property
    def for_sellers(self) -> dict[str, Any]:
        """The keywords of `gtm_opt.Quotas.sellers`."""
        leaves = self.leaves if self.relieve_quota else None
        return {
            "proration": self.proration,
            "leaves": leaves,
            "adjustments": self.adjustments,
            "whole_months": self.whole_months,
        }
