"""`build_plan`: carve, assign, compute capacity and cascade quotas in one call."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from gtm_opt.assignment import assign
from gtm_opt.carving import CarveOptions, Segments, carve
from gtm_opt.errors import Findings, shorten
from gtm_opt.model import MAX_BUCKETS, CarvingProblem, Hierarchy, KeepOwner, Territories
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.renamed import accept_renamed
from gtm_opt.model.roles import Roles
from gtm_opt.model.tables import did_you_mean
from gtm_opt.plan.people import PeopleOptions
from gtm_opt.quota import cascade
from gtm_opt.sales_capacity import capacity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from typing import Unpack

    from gtm_opt.assignment import Staffing
    from gtm_opt.carving import Carving
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.problem import ProblemKeywords
    from gtm_opt.model.roles import Role
    from gtm_opt.plan.plan import Plan
    from gtm_opt.quota import Quotas
    from gtm_opt.sales_capacity import Capacity

__all__ = ["build_plan", "rep_hierarchy"]

_log = logging.getLogger(__name__)


@accept_renamed(target_usd="target", carve_options="options")
@takes_tables("reps", either=("accounts", "start"), labelled=("skills",))
def build_plan(
    accounts: pd.DataFrame | CarvingProblem,
    reps: pd.DataFrame | None = None,
    *,
    territories: Territories | int | Sequence[str] | None = None,
    levels: Sequence[str] = (),
    hierarchy: Hierarchy | Segments | Literal["flat"] | None = None,
    start: pd.DataFrame | pd.Series | Mapping[str, str] | None = None,
    skills: pd.DataFrame | None = None,
    effective: str | date | pd.Timestamp | None = None,
    roles: Role | Roles | Sequence[Role] | None = None,
    calendar: Calendar | None = None,
    target: float | None = None,
    over_assign: float | Mapping[str, float] | None = None,
    quota_weights: str | Mapping[str, float] | None = None,
    unit: int = 1_000,
    currency: str = "",
    people: PeopleOptions | Mapping[str, Any] | None = None,
    options: CarveOptions | None = None,
    **problem_keywords: Unpack[ProblemKeywords],
) -> Plan:
    """Make a whole plan; each stage runs when its input is there.

    Parameters
    ----------
    accounts : DataFrame or CarvingProblem
        A problem is taken as it is; then ``territories`` and ``words`` must not be given.
    reps : DataFrame, optional
        One row per rep or seat with ``rep_id``. Read where present: ``capacity`` (share),
        ``status``, ``start_date``, ``end_date``, ``role``. Without it there is no staffing. People whose role
        holds no accounts (`Role.owns_accounts`) get no territory.
    territories : Territories, int or sequence of str, optional
        Default: one per row of ``reps``.
    levels : sequence of str
        Columns of ``reps`` from the top down, for example ``["region", "manager"]``: the
        hierarchy to carve and to cascade quotas down.
    hierarchy : Hierarchy, Segments or "flat", optional
        Instead of ``levels``; see `gtm_opt.carve`.
    start : DataFrame, Series or mapping, optional
        A plan to begin from; the answer is never worse.
    skills : DataFrame, optional
        Fit of rep (rows) and territory (columns) for the staffing, 0 to 1.
    effective : date, optional
        First day of the plan; default: the start of the calendar.
    roles : Role, Roles or sequence of Role, optional
        With a calendar and reps: capacity is computed.
    calendar : Calendar, optional
    target : float, optional
        The number to cascade; without it there are no quotas.
    over_assign : float or mapping, optional
        See `gtm_opt.cascade`.
    quota_weights : str or mapping, optional
        Default: ``"capacity"`` where the plan has it (a seat that nobody fills is asked for
        nothing), else ``"share"``. Or ``"share"``, ``"equal"``, ``"capacity"``, a numeric account
        column (its total in each territory), or a mapping of several of the latter two to parts that sum to 1.
    unit : int
        Quotas are multiples of this amount.
    currency : str
        Label of all amounts, for display only: "EUR".
    people : PeopleOptions or mapping, optional
        Proration, leaves, interim cover, seasonality and judgment for the capacity; the same proration, relief
        and signed adjustments for the quotas of sellers.
    options : CarveOptions, optional
        How to carve: solver, time_limit, seed, effort, on_infeasible, progress, ...
    **problem_keywords
        Passed to `gtm_opt.CarvingProblem`: balance, prefer, rules, account_id, columns, ...

    Returns
    -------
    Plan

    Raises
    ------
    DataError
        For wrong input. What is raised after the carve carries it as its attribute ``carving``.

    Examples
    --------
    >>> from gtm_opt.model import Balance
    >>> accounts = pd.DataFrame({"account_id": list("abcd"), "arr": [4.0, 3.0, 2.0, 1.0]})
    >>> reps = pd.DataFrame({"rep_id": ["r1", "r2"]})
    >>> plan = build_plan(accounts, reps, balance=[Balance("arr")], target=1_000_000)
    >>> plan.quotas.quota("r1"), plan.check().ok
    (500000, True)
    """
    from gtm_opt.plan.plan import Plan

    words = dict(problem_keywords)
    chosen = _read_options(options, words)
    max_buckets = chosen.tree.max_buckets
    known = None if roles is None else Roles.of(roles)
    time = PeopleOptions.of(people)
    if reps is not None:
        time.check_names(reps)
    reps, support = _split_support(reps, known)
    if levels and reps is None:
        found = Findings()
        found.add("levels", "needs `reps`, whose columns they name", remedy="Pass reps, or a hierarchy instead.")
        found.raise_if_any()
    if levels and hierarchy is None and reps is not None:
        hierarchy = rep_hierarchy(reps, levels, max_buckets)
    problem = _problem(accounts, reps, territories, hierarchy, words)
    if target is not None:
        _try_quota_words(problem, hierarchy, max_buckets, target, over_assign, unit, calendar)
    carving = carve(problem, hierarchy=hierarchy, start=start, options=chosen)
    try:
        if effective is None and calendar is not None:
            effective = calendar.start
        staffing = None if reps is None else _staff(carving, reps, skills, effective, calendar, support)
        able = None
        if staffing is not None and known is not None and calendar is not None:
            able = capacity(staffing, known, calendar, currency=currency, **time.for_capacity)
            _log.info("computed the capacity of %d seats", able.table["seat_id"].nunique())
        quotas = None
        if target is not None:
            weights = quota_weights or ("share" if able is None or able.total <= 0 else "capacity")
            quotas = _quotas(carving, able, target, over_assign, weights, unit, calendar, currency)
            _log.info("cascaded %s to %d nodes", quotas.target, len(quotas.table))
    except Exception as error:
        error.carving = carving  # type: ignore[attr-defined]  # a long carve is not lost to what comes after it
        raise
    return Plan(carving, staffing, able, quotas, known, time)


def _read_options(options: CarveOptions | Mapping[str, Any] | None, words: dict[str, Any]) -> CarveOptions:
    """Return the options; a mapping and ``max_buckets`` beside it are the form of the last release."""
    moved = {"max_buckets": words.pop("max_buckets")} if "max_buckets" in words else {}
    if isinstance(options, Mapping):
        return CarveOptions.of(None, {**options, **moved})
    return CarveOptions.of(options, moved)


def _split_support(reps: pd.DataFrame | None, roles: Roles | None) -> tuple[pd.DataFrame | None, list[str]]:
    """Return the people who hold territories, and the ids of those whose role supports others."""
    if reps is None or roles is None or "role" not in reps.columns or "rep_id" not in reps.columns:
        return reps, []
    support = {role.name for role in roles if not role.holds_territories}
    aside = reps["role"].astype(str).isin(support)
    return reps[~aside], [str(r) for r in reps.loc[aside, "rep_id"]]


def rep_hierarchy(reps: pd.DataFrame, levels: Sequence[str], max_buckets: int = MAX_BUCKETS) -> Hierarchy:
    """Return the hierarchy of a rep table, weighed by its column ``capacity`` where there is one."""
    share = "capacity" if "capacity" in reps.columns else None
    return Hierarchy.from_reps(reps, list(levels), share=share, max_buckets=max_buckets)


def _problem(
    accounts: pd.DataFrame | CarvingProblem,
    reps: pd.DataFrame | None,
    territories: Territories | int | Sequence[str] | None,
    hierarchy: Hierarchy | Segments | Literal["flat"] | None,
    words: dict[str, Any],
) -> CarvingProblem:
    if isinstance(accounts, CarvingProblem):
        if territories is not None or words:
            given = ", ".join(["territories"] * (territories is not None) + sorted(words))
            raise TypeError(f"build_plan takes either a CarvingProblem or its parts, got a problem and {given}.")
        return accounts
    if territories is None:
        if reps is not None:
            territories = Territories.from_reps(reps)
        elif isinstance(hierarchy, Hierarchy):
            territories = Territories.from_hierarchy(hierarchy)
        else:
            raise TypeError("build_plan needs `reps`, `territories` or a hierarchy to carve into.")
    return CarvingProblem(accounts, territories, **words)  # type: ignore[arg-type]


def _staff(
    carving: Carving,
    reps: pd.DataFrame,
    skills: pd.DataFrame | None,
    effective: str | date | pd.Timestamp | None,
    calendar: Calendar | None,
    support: Sequence[str],
) -> Staffing:
    problem = carving.problem
    keeper = next((p for p in problem.prefer if isinstance(p, KeepOwner)), None)
    value = None if keeper is None else keeper.value
    until = None if calendar is None else calendar.end
    staffing = assign(
        carving, reps, owner=problem.previous, value=value, skills=skills, effective=effective, until=until
    )
    if not support:
        return staffing
    text = f"{len(support)} people in roles that hold no accounts got no territory: {shorten(support)}."
    return replace(staffing, notes=(*staffing.notes, text))


def _quotas(
    carving: Carving,
    able: Capacity | None,
    target: float,
    over_assign: float | Mapping[str, float] | None,
    weights: str | Mapping[str, float],
    unit: int,
    calendar: Calendar | None,
    currency: str,
) -> Quotas:
    names = [weights] if isinstance(weights, str) else list(weights)
    wanted = [name for name in names if name not in ("share", "equal")]
    metrics = _metrics(carving, able, wanted) if wanted else None
    return cascade(
        carving.hierarchy,
        target,
        over_assign=over_assign,
        weights=weights,
        metrics=metrics,
        unit=unit,
        calendar=calendar,
        currency=currency,
    )


def _try_quota_words(
    problem: CarvingProblem,
    hierarchy: Hierarchy | Segments | Literal["flat"] | None,
    max_buckets: int,
    target: float,
    over_assign: float | Mapping[str, float] | None,
    unit: int,
    calendar: Calendar | None,
) -> None:
    """Raise for what is wrong with the quota words before a long carve, not after it."""
    if isinstance(hierarchy, Hierarchy):
        tree = hierarchy
    elif isinstance(hierarchy, Segments):
        tree = hierarchy.hierarchy(problem)
    else:
        names = problem.territories.names
        buckets = max_buckets if hierarchy is None else max(2, len(names))
        tree = Hierarchy.split(names, root="all" if "all" not in names else "(all)", max_buckets=buckets)
    cascade(tree, target, over_assign=over_assign, weights="equal", unit=unit, calendar=calendar)


def _metrics(carving: Carving, able: Capacity | None, names: Sequence[str]) -> pd.DataFrame:
    """Return one row per territory and one column per metric: totals of account columns, or capacity."""
    leaves = list(carving.hierarchy.leaves)
    table = pd.DataFrame({"node_id": leaves})
    columns = carving.problem.accounts.columns
    found = Findings()
    for name in names:
        if name == "capacity" and able is not None:
            totals = able.by("seat_id").set_index("seat_id")["capacity"]
            table[name] = totals.reindex(leaves).fillna(0.0).to_numpy()
        elif name == "capacity":
            found.add("quota_weights", "can be 'capacity' only with reps, roles and a calendar", remedy="Pass them.")
        elif name not in columns:
            found.add(
                "quota_weights",
                "must be 'share', 'equal', 'capacity' or an account column",
                got=f"'{name}'",
                remedy=did_you_mean(name, columns),
            )
        else:
            rolled = carving.roll_up(name).set_index("node_id")[name]
            table[name] = rolled.reindex(leaves).to_numpy()
    found.raise_if_any()
    return table
