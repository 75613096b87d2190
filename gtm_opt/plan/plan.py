"""The plan: carving, staffing, capacity and quotas under one roof."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from gtm_opt.errors import DataError
from gtm_opt.model.json_form import JsonForm
from gtm_opt.plan.checks import check_plan
from gtm_opt.plan.compare import compare_plans
from gtm_opt.plan.parts import plan_tables
from gtm_opt.plan.summary import summarize

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    import pandas as pd

    from gtm_opt.assignment import Staffing, Timeline
    from gtm_opt.carving import Carving
    from gtm_opt.model.attainment import Attainment
    from gtm_opt.model.roles import Roles
    from gtm_opt.plan.checks import PlanCheck
    from gtm_opt.plan.compare import PlanComparison
    from gtm_opt.plan.people import PeopleOptions
    from gtm_opt.quota import Quotas
    from gtm_opt.sales_capacity import Capacity, Odds

__all__ = ["Plan"]


@dataclass(frozen=True, eq=False)
class Plan(JsonForm):
    """A whole go-to-market plan. Everything but the carving is optional.

    Attributes
    ----------
    carving : Carving
        Who covers which accounts.
    staffing : Staffing, optional
        Who sits in which territory, from when, and who covers meanwhile.
    capacity : Capacity, optional
        What these people can book, month by month.
    quotas : Quotas, optional
        What is asked of every node of the hierarchy.
    roles : Roles, optional
        The roles behind the capacity. With them quotas are also told per seller (ramp, open seats).
    people : PeopleOptions, optional
        How people's time was counted; the quotas of sellers follow it.

    See Also
    --------
    gtm_opt.build_plan : Makes all four in one call.

    Examples
    --------
    >>> import pandas as pd
    >>> from gtm_opt.carving import carve
    >>> from gtm_opt.model import Balance, CarvingProblem
    >>> accounts = pd.DataFrame({"account_id": list("abcd"), "arr": [4.0, 3.0, 2.0, 1.0]})
    >>> plan = Plan(carve(CarvingProblem(accounts, 2, [Balance("arr")]), solver="lpt"))
    >>> plan.check().ok
    True
    """

    carving: Carving
    staffing: Staffing | None = None
    capacity: Capacity | None = None
    quotas: Quotas | None = None
    roles: Roles | None = None
    people: PeopleOptions | None = None

    def __post_init__(self) -> None:
        if self.capacity is not None and self.quotas is not None:
            labels = {self.capacity.currency, self.quotas.currency} - {""}
            if len(labels) > 1:
                raise DataError(
                    f"capacity is in {self.capacity.currency}, quotas are in {self.quotas.currency}: amounts of two "
                    "currencies cannot be compared. Convert one of them, at a stated rate, before planning."
                )

    @property
    def currency(self) -> str:
        """Label of the amounts, from the quotas or the capacity; empty where none was given."""
        stages = (self.quotas, self.capacity)
        return next((stage.currency for stage in stages if stage is not None and stage.currency), "")

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of the plan by name; which there are depends on the stages it has.

        Always: accounts, assignment, territories, balance, criteria, moved, preferences,
        violations, hierarchy, nodes, prices. With staffing: staffing, roster, unstaffed. With capacity:
        capacity, capacity_by_quarter; with attrition expected_by_quarter, capacity_waterfall; with attainment and
        a target odds. With quotas: quotas, over_assignment; with a calendar also
        quotas_by_quarter; with staffing and roles also sellers (quota, carried, held, by stint and month).
        """
        return plan_tables(self)

    def odds(self, *, target: float | None = None, attainment: Attainment | None = None, **options: Any) -> Odds:
        """Simulate how likely the people of the plan make its target.

        Parameters
        ----------
        target : float, optional
            A fiscal year's bookings. Default: the target of the quotas.
        attainment : Attainment, optional
            Default: that of the plan's people.
        **options
            Further words of `gtm_opt.simulate`: ``by``, ``paths``, ``seed``, ``executor``.

        Raises
        ------
        DataError
            For a plan without people, roles and capacity, without a target or an attainment.
        """
        from gtm_opt.plan.people import PeopleOptions
        from gtm_opt.sales_capacity import simulate

        people = PeopleOptions.of(self.people)
        spread = attainment or people.attainment
        number = target if target is not None or self.quotas is None else float(self.quotas.target)
        if self.staffing is None or self.capacity is None or self.roles is None:
            raise DataError("a plan has odds only with reps, roles and a calendar. Build it with them.")
        if number is None or spread is None:
            missing = "`target`" if number is None else "`attainment`"
            raise DataError(f"{missing} is needed for the odds, and the plan has none. Pass it.")
        words = {**people.for_capacity, "currency": self.currency, **options}
        return simulate(self.staffing, self.roles, self.capacity.calendar, number, attainment=spread, **words)

    @cached_property
    def timeline(self) -> Timeline:
        """Who owns which seat and account on which days.

        Raises
        ------
        DataError
            For a plan without people.
        """
        if self.staffing is None:
            raise DataError("a plan without people has no timeline. Build it with `reps`.")
        return self.staffing.seat_timeline.with_accounts(self.carving.assignment)

    def check(self) -> PlanCheck:
        """Return everything that does not hold, recomputed from the raw tables.

        Checks the rules and bands of the carving; that every territory has a rep or a cover
        and no rep two seats; that people, capacity and quotas are about the same territories;
        that quotas tie out at every node; and how much of the quotas capacity covers.
        """
        return check_plan(self)

    def summary(self) -> str:
        """Return the plan in one screen of text."""
        return summarize(self)

    def as_changed(self) -> Plan:
        """Return this for numbers that were edited: nothing is shown as proven that they do not prove."""
        return replace(self, carving=self.carving.as_changed())

    def compare(self, other: Plan) -> PlanComparison:
        """Return what is different in ``other``: accounts that moved, balance, quotas.

        Parameters
        ----------
        other : Plan
            The later plan; this one is the "before".
        """
        return compare_plans(self, other)

    def save(
        self,
        folder: str | PathLike[str],
        *,
        format: Literal["csv", "parquet"] = "csv",
        excel: bool = False,
        raw_cells: bool = False,
    ) -> Path:
        """Save the plan in a folder: ``manifest.json`` and one file per table.

        Parameters
        ----------
        folder : path
            Made when missing. A plan saved there before is replaced as a whole; a folder that
            holds anything else is refused.
        format : {"csv", "parquet"}
            CSV can be read by anybody; Parquet is smaller and faster and needs pyarrow
            (``pip install "gtm-opt[parquet]"``).
        excel : bool
            Also write ``plan.xlsx`` into the folder.
        raw_cells : bool
            Write the text cells of CSV files byte for byte, for programs that read them. By default
            ids and names that a spreadsheet would compute as a formula (``=``, ``+``, ``-`` or ``@``
            first) get an apostrophe in front; the manifest says so (``text_cells``, and ``marked`` per
            column), and `load` takes it off again.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        DataError
            When the folder holds files that are not a saved plan's.

        Notes
        -----
        All files are written into a temporary folder beside the target, which then takes its place
        by a rename: a crash leaves the old plan or the new one, never half of each. The
        manifest has the version of the schema and a SHA-256 checksum per file.
        """
        from gtm_opt.plan.store import save_plan

        return save_plan(self, folder, format, excel, raw_cells)

    @classmethod
    def load(cls, folder: str | PathLike[str], *, verify: bool = True) -> Plan:
        """Load a plan that `save` wrote.

        Parameters
        ----------
        folder : path
        verify : bool
            Refuse files whose checksum differs from the manifest's. With ``False`` a table that
            was edited by hand is taken as it is; all measures are recomputed from it.

        Returns
        -------
        Plan

        Raises
        ------
        DataError
            When the folder holds no plan, a file is missing or was changed, or the plan was
            saved by a newer version of the schema.

        Notes
        -----
        Restored: the problem as it was asked (accounts, territories, criteria, preferences,
        rules), the hierarchy, the assignment, status, termination, certificate, prices, notes and
        provenance; staffing, capacity (with its calendar) and quotas as they were. Balance,
        violations, moves and preference scores are recomputed from the accounts and the
        assignment. So `check`, `summary`, `compare`, `tables` and the questions a carving answers
        (``explain``, ``roll_up``) work as before saving.

        Not restored: a solver that was passed as an object (its name is kept), and the row index
        of the account table (it becomes the account ids, as in every problem).
        """
        from gtm_opt.plan.restore import load_plan

        return load_plan(folder, verify)

    def to_excel(self, path: str | PathLike[str]) -> Path:
        """Write one workbook: a summary sheet, then a sheet per table with filters and formats.

        Parameters
        ----------
        path : path
            Ends in ``.xlsx``. An existing file is replaced at the end, in one step.

        Returns
        -------
        Path

        Notes
        -----
        A sheet holds 1,048,575 rows; of longer tables the first ones are written and the
        summary sheet says so.
        """
        from gtm_opt.plan.excel import write_workbook

        return write_workbook(self, path)

    @classmethod
    def build(cls, *args: Any, **options: Any) -> Plan:
        """Carve, assign, compute capacity and cascade quotas: see `gtm_opt.plan.build_plan`."""
        from gtm_opt.plan.build import build_plan

        return build_plan(*args, **options)

    def __repr__(self) -> str:
        return self.summary()
