"""What a simulation is asked: the roster, the assumptions, the target, the seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.attainment import Attainment
from gtm_opt.model.attrition import Attrition
from gtm_opt.model.roles import Roles
from gtm_opt.model.tables import did_you_mean
from gtm_opt.sales_capacity.capacity import shares_of
from gtm_opt.sales_capacity.result import read_by_period

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.sales_capacity.clock import Proration
    from gtm_opt.sales_capacity.exits import Backfills
    from gtm_opt.sales_capacity.result import ByPeriod
    from gtm_opt.sales_capacity.roster import HasRoster

    FloatArray = NDArray[np.float64]

__all__ = ["OddsRequest"]

_CALM = Attrition(0.0, kind="cohort")
_MOST_PATHS = 2_000_000


@dataclass(frozen=True, eq=False)
class OddsRequest:
    """The inputs of `gtm_opt.simulate`, as given; see there."""

    staffing: pd.DataFrame | HasRoster
    roles: Roles
    calendar: Calendar
    target: ByPeriod
    attrition: Attrition | None
    backfill: Backfills
    attainment: Attainment
    by: tuple[str, ...]
    paths: int
    seed: int
    proration: Proration
    leaves: pd.DataFrame | None
    interim_frac: float
    judgment: Any
    seasonality: str
    pause_after_days: int
    currency: str

    def __post_init__(self) -> None:
        found = Findings()
        object.__setattr__(self, "roles", Roles.of(self.roles))
        object.__setattr__(self, "by", (self.by,) if isinstance(self.by, str) else tuple(self.by))
        if self.attrition is not None and not isinstance(self.attrition, Attrition):
            found.add("attrition", "must be an Attrition", got=type(self.attrition).__name__)
        if not isinstance(self.attainment, Attainment):
            remedy = "For example Attainment(0.5, correlation=0.1)."
            found.add("attainment", "must be an Attainment", got=type(self.attainment).__name__, remedy=remedy)
        for name, value, least, most in (("paths", self.paths, 100, _MOST_PATHS), ("seed", self.seed, 0, 2**63 - 1)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
                found.add(name, f"must be a whole number from {least:,} to {most:,}", got=repr(value))
        found.raise_if_any()

    @property
    def known_attrition(self) -> Attrition:
        """The attrition, or one under which nobody leaves."""
        return self.attrition or _CALM

    @cached_property
    def shares(self) -> FloatArray:
        """Share of a year's productivity in each period."""
        return shares_of(self.calendar, self.seasonality)

    @cached_property
    def target_by_month(self) -> FloatArray:
        """Target of each period."""
        if isinstance(self.target, int | float | np.number):
            if not np.isfinite(self.target):
                raise DataError(f"`target` must be a finite amount, got {self.target!r}.")
            return np.asarray(float(self.target) * self.calendar.shares)
        return read_by_period(self.target, self.calendar, "target")

    @cached_property
    def judgment_by_month(self) -> FloatArray:
        """Judgment of each period."""
        return read_by_period(self.judgment, self.calendar, "judgment")

    def vary(self, **changes: Any) -> OddsRequest:
        """Return the request with some inputs changed.

        Raises
        ------
        DataError
            For an input that there is not.
        """
        known = self.__dataclass_fields__
        unknown = [name for name in changes if name not in known]
        if unknown:
            hint = did_you_mean(unknown[0], known)
            raise DataError(f"a simulation has no input '{unknown[0]}'. {hint}")
        return replace(self, **changes)
