"""`simulate`: bookings of a team, path by path, in blocks that any executor can take."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gtm_opt.errors import DataError
from gtm_opt.model.frames import takes_tables
from gtm_opt.sales_capacity.odds.arrays import Compiled, compile_request, group_stints
from gtm_opt.sales_capacity.odds.request import OddsRequest
from gtm_opt.sales_capacity.odds.result import Odds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    import pandas as pd
    from numpy.typing import NDArray

    from gtm_opt.model.attainment import Attainment
    from gtm_opt.model.attrition import Attrition
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.roles import Role, Roles
    from gtm_opt.sales_capacity.clock import Proration
    from gtm_opt.sales_capacity.exits import Backfills
    from gtm_opt.sales_capacity.result import ByPeriod
    from gtm_opt.sales_capacity.roster import HasRoster

    FloatArray = NDArray[np.float64]

__all__ = ["run_request", "sample", "simulate"]

_BLOCK = 512
_MOST_NUMBERS = 60_000_000


@takes_tables("leaves", either=("staffing", "target", "judgment"))
def simulate(
    staffing: pd.DataFrame | HasRoster,
    roles: Role | Roles | Sequence[Role],
    calendar: Calendar,
    target: ByPeriod,
    *,
    attainment: Attainment,
    attrition: Attrition | None = None,
    backfill: Backfills = None,
    by: str | Sequence[str] = (),
    paths: int = 20_000,
    seed: int = 0,
    proration: Proration = "days",
    leaves: pd.DataFrame | None = None,
    interim_frac: float = 0.0,
    judgment: ByPeriod | None = None,
    seasonality: Literal["flat", "calendar", "selling_days"] = "flat",
    pause_after_days: int = 30,
    currency: str = "",
    executor: Executor | None = None,
) -> Odds:
    """Simulate what a team books, and how likely it makes the number.

    Parameters
    ----------
    staffing, roles, calendar, proration, leaves, interim_frac, judgment, seasonality, pause_after_days, currency
        As in `capacity`. Judgment is added to every path.
    target : float, mapping, Series or DataFrame
        Bookings to make. A number is one fiscal year's, spread by the calendar's season; otherwise amounts by
        quarter or month.
    attainment : Attainment
        How far results spread, and how much of it sellers share.
    attrition : Attrition, optional
        Default: nobody leaves.
    backfill : Backfill or mapping of str to Backfill, optional
        Default: nobody is replaced.
    by : str or sequence of str
        Columns of the roster for which bookings are kept apart, for example ``"segment"`` or ``"manager"``.
    paths : int
        Number of simulated years, 100 to 2,000,000.
    seed : int
        Not negative. Two simulations with one seed have the same luck wherever their inputs agree: the same seat and
        person, the same path.
    executor : concurrent.futures.Executor, optional
        Takes blocks of paths: a thread or process pool, Dask's ``client.get_executor()``. Default: a thread per
        core. The result does not depend on it.

    Returns
    -------
    Odds

    Raises
    ------
    DataError
        With the findings of roster, roles, calendar, attrition, backfill, attainment and target.

    Notes
    -----
    Each path draws for every seller the month of exit (from the survival that `capacity` uses), the months of
    vacancy, the speed of the ramp and the result; successors alike. The mean of all paths is the expected capacity
    of `capacity`, within the standard error, whatever the spread (without `Attainment.ramp_cv`, which changes the
    mean). O(paths * stints * months); about 0.1 microseconds per stint and path of a year.
    """
    request = OddsRequest(
        staffing=staffing,
        roles=roles,  # type: ignore[arg-type]
        calendar=calendar,
        target=target,
        attrition=attrition,
        backfill=backfill,
        attainment=attainment,
        by=by,  # type: ignore[arg-type]
        paths=paths,
        seed=seed,
        proration=proration,
        leaves=leaves,
        interim_frac=interim_frac,
        judgment=judgment,
        seasonality=seasonality,
        pause_after_days=pause_after_days,
        currency=currency,
    )
    return run_request(request, executor)


def run_request(request: OddsRequest, executor: Executor | None = None) -> Odds:
    """Simulate a request; see `simulate`."""
    target = request.target_by_month
    compiled = compile_request(request)
    codes, groups = group_stints(compiled.labels, request.by)
    periods = request.calendar.n_periods
    if len(groups) * request.paths * periods > _MOST_NUMBERS:
        raise DataError(
            f"`by` must not ask for more than {_MOST_NUMBERS:,} numbers, got {len(groups):,} groups x "
            f"{request.paths:,} paths x {periods} periods.\n"
            "    Take fewer paths or coarser groups; Odds.seats() needs no groups."
        )
    bookings = sample(compiled, request, codes, len(groups), np.arange(periods), executor)
    return Odds(request, bookings, groups, target)


def sample(
    compiled: Compiled,
    request: OddsRequest,
    codes: NDArray[np.int64],
    n_groups: int,
    bucket: NDArray[np.int64],
    executor: Executor | None = None,
) -> FloatArray:
    """Return bookings by group, path and bucket of periods, judgment left out.

    Parameters
    ----------
    compiled : Compiled
    request : OddsRequest
    codes : ndarray of int, shape (n_stints,)
        Group of each stint, below ``n_groups``.
    bucket : ndarray of int, shape (n_periods,)
        Bucket of each period.
    """
    stints = compiled.stints._replace(group=codes, bucket=bucket.astype(np.int64))
    n_buckets = int(bucket.max()) + 1
    starts = range(0, request.paths, _BLOCK)
    tasks = [
        (compiled.hires, compiled.noise, request.seed, start, min(_BLOCK, request.paths - start), n_groups, n_buckets)
        for start in starts
    ]
    out = np.empty((n_groups, request.paths, n_buckets))
    own = ThreadPoolExecutor(os.cpu_count() or 1) if executor is None else None
    try:
        pool: Any = executor if own is None else own
        for task, done in zip(tasks, pool.map(_sample_block, [stints] * len(tasks), tasks), strict=True):
            out[:, task[3] : task[3] + task[4], :] = done
    finally:
        if own is not None:
            own.shutdown()
    certain = np.zeros((n_groups, n_buckets))
    np.add.at(certain, (codes[:, None], bucket[None, :]), compiled.cover)
    out += certain[:, None, :]
    return out


def _sample_block(stints: Any, task: tuple[Any, ...]) -> FloatArray:
    """Simulate one block of paths; runs in whichever thread or process the executor has."""
    from gtm_opt.sales_capacity.odds._kernels import simulate_paths

    hires, noise, seed, first, count, n_groups, n_buckets = task
    out = np.zeros((n_groups, count, n_buckets))
    simulate_paths(np.uint64(seed), first, stints, hires, noise, out)
    return out
