"""`plan_hiring`: whom to hire and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from gtm_opt.errors import DataError, Findings
from gtm_opt.mip import Options
from gtm_opt.model.frames import takes_tables
from gtm_opt.sales_capacity.hiring.confidence import Confidence
from gtm_opt.sales_capacity.hiring.formulation import formulate
from gtm_opt.sales_capacity.hiring.objectives import OBJECTIVES
from gtm_opt.sales_capacity.hiring.read import read_problem
from gtm_opt.sales_capacity.hiring.result import HiringPlan
from gtm_opt.sales_capacity.hiring.rules import HiringBudget
from gtm_opt.sales_capacity.hiring.stages import solve_stages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from gtm_opt.model.attrition import Attrition
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.roles import Role, Roles
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem
    from gtm_opt.sales_capacity.hiring.rules import HiringRule

__all__ = ["plan_hiring", "solve_problem"]


@takes_tables("promised", "approved", either=("heads", "targets"))
def plan_hiring(
    roles: Role | Roles | Sequence[Role],
    heads: pd.DataFrame | Mapping[str, float],
    targets: pd.DataFrame | Mapping[str, float],
    calendar: Calendar,
    *,
    rules: Sequence[HiringRule] = (),
    attrition: Attrition | Mapping[str, float | Sequence[float]] | None = None,
    objective: str | Sequence[str] = "least_cost",
    promised: pd.DataFrame | None = None,
    approved: pd.DataFrame | None = None,
    time_to_fill_m: float | Mapping[str, float] = 0,
    cumulative: bool = False,
    seasonality: str = "flat",
    currency: str = "",
    backend: str = "highs",
    max_gap: float = 0.0,
    time_limit: float | None = None,
    seed: int = 0,
    confidence: float | Confidence | None = None,
    method: Literal["direct", "prices"] = "direct",
) -> HiringPlan:
    """Decide how many people of each role start in each month.

    Parameters
    ----------
    roles : Role, Roles or sequence of Role
        ``R`` roles with productivity, ramp, ``cost_pm`` and ``hire_cost``. Overlay roles (sales engineers, managers)
        book nothing themselves.
    heads : DataFrame or mapping
        Who is there in the first month: ``role``, ``heads`` (>= 0) and optionally ``tenure_m``, the tenure month in
        the first month of the calendar (empty: ramped). A mapping of roles to heads is enough where all are ramped.
    targets : DataFrame or mapping
        Bookings to reach: ``quarter`` (``"FY2026-Q1"``; ``"Q1"`` in a calendar of one year), ``target`` (an amount),
        optionally ``segment`` (empty or "ALL": everybody's bookings) and ``min_coverage`` (a factor on the target).
    calendar : Calendar
        ``T`` months.
    rules : sequence of HiringRule
        `RecruitingLimit`, `HiringFreeze`, `SupportRatio`, `ManagerSpan`, `OnboardingLimit`, `HiringBudget`,
        `SeatLimit`, `PipelineLimit`, `Promotion`, `Release`.
    attrition : Attrition, or mapping of str to float or sequence of float, optional
        An `Attrition` with annual rates; or monthly exit hazards by role, in [0, 1): one number, or one per tenure
        month, of which the last one holds from there on. Exits are at the end of a month.
    objective : str or sequence of str
        ``"least_cost"`` (payroll, hiring cost and severance of what is decided), ``"most_coverage"`` (the largest part
        of the targets, within budgets and limits), ``"least_change"`` (fewest starts that differ from ``approved``),
        ``"smooth"`` (even hiring: the sum of changes from month to month), ``"fewest_hires"``, ``"latest"``. Several:
        each later one decides among the plans that are best in the earlier ones.
    promised : DataFrame, optional
        Hires that are certain: ``role``, ``month``, ``hires``. They use recruiting slots.
    approved : DataFrame, optional
        The plan in force, as ``promised``.
    time_to_fill_m : float or mapping of str to float
        Months between a decision in the first month and the first possible start, by role.
    cumulative : bool
        A target counts all bookings of its year up to its quarter: an early surplus may carry forward.
    seasonality : {"flat", "calendar", "selling_days"}
        As in `gtm_opt.capacity`.
    currency : str
        Label of amounts, for display.
    backend : {"highs", "cpsat", "pulp"}
        CP-SAT needs a `RecruitingLimit` on every role.
    max_gap : float
        Stop at this proven relative gap; 0: prove the optimum.
    time_limit : float, optional
        Seconds for all objectives together.
    seed : int
    confidence : float or Confidence, optional
        Meet the targets with this probability instead of in expectation; a `Confidence` says what is uncertain, by
        which method, and whether all targets together. The plan's ``odds`` are measured on fresh paths.
    method : {"direct", "prices"}
        One model; or prices on the rows that segments share, with a small model per segment: its bound can be
        recomputed from the prices (HiGHS only).

    Returns
    -------
    HiringPlan
        Its status is ``infeasible`` where that is proven; `HiringPlan.diagnosis` then says why, and what is nearest.

    Raises
    ------
    DataError
        With every finding.

    Notes
    -----
    The time-expanded integer model of manpower planning (Williams, Model Building in Mathematical Programming; Jaillet,
    Loke and Sim 2022, doi:10.1287/opre.2021.2142, treat it under uncertainty). With hires ``x_kc`` of role k that
    start in month c, survival S, ramp r, productivity P and seasonality sigma::

        heads     H_kt = E_kt + sum_{c <= t} S_k(t - c) x_kc
        bookings  sum_k sum_{t in q} P_k sigma_t (E^ramped_kt + sum_c S_k(t - c) r_k(t - c + 1) x_kc) >= target_q
        cost      sum_t sum_k cost_k H_kt + sum hire_cost_k x_kc

    Heads are expectations. A plan that meets every expected quarter exactly misses about every second one.
    Status, bound and gap follow from the objective and the bound that is recomputed in your numbers (`gtm_opt.mip`).
    """
    names = (objective,) if isinstance(objective, str) else tuple(objective)
    _check_objectives(names, approved is not None)
    if method not in ("direct", "prices") or (method == "prices" and (backend != "highs" or confidence is not None)):
        raise DataError(f"`method` must be 'direct', or 'prices' with highs and without confidence, got {method!r}.")
    promise = None if confidence is None else Confidence.of(confidence)
    if promise is not None and names != ("least_cost",):
        raise DataError(f"`confidence` needs the objective least_cost alone, got {', '.join(names)}.")
    problem = read_problem(
        roles,
        heads,
        targets,
        calendar,
        rules=rules,
        attrition=attrition,
        promised=promised,
        approved=approved,
        time_to_fill_m=time_to_fill_m,
        cumulative=cumulative,
        seasonality=seasonality,
        currency=currency,
        needs_cost="least_cost" in names or any(isinstance(rule, HiringBudget) for rule in rules),
    )
    options = Options(time_limit=time_limit, rel_gap=max_gap, seed=seed, own_process=False)
    if promise is not None:
        from gtm_opt.sales_capacity.hiring.certain import plan_with_confidence

        return plan_with_confidence(problem, promise, options, backend)
    return solve_problem(problem, names, options, backend, method=method)


def solve_problem(
    problem: HiringProblem,
    objectives: Sequence[str],
    options: Options,
    backend: str = "highs",
    start: NDArray[np.float64] | None = None,
    method: str = "direct",
) -> HiringPlan:
    """Solve a checked problem; ``start`` holds values of the columns to begin from."""
    form = formulate(problem, objectives, soft=objectives[0] == "most_coverage")
    stages, values, notes = solve_stages(form, objectives, options, backend, start, method)
    return HiringPlan(problem, stages, form, values, options, backend, notes)


def _check_objectives(names: tuple[Any, ...], has_approved: bool) -> None:
    found = Findings()
    known = ", ".join(OBJECTIVES)
    if not names or len(set(names)) < len(names):
        found.add("objective", "must name one or more objectives, each once", got=repr(names))
    for name in names:
        if name not in OBJECTIVES:
            found.add("objective", f"must be of {known}", got=repr(name))
    if "most_coverage" in names[1:]:
        remedy = "Put it first; without it targets are limits."
        found.add("objective", "must begin with most_coverage where that is wanted", got=repr(names), remedy=remedy)
    if "least_change" in names and not has_approved:
        remedy = "Pass approved=: a table with role, month, hires."
        found.add("approved", "must be given for the objective least_change", got="none", remedy=remedy)
    found.raise_if_any()
