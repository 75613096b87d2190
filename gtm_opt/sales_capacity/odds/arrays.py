"""The inputs of a simulation as arrays, in groups that the compiled code takes as they are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError
from gtm_opt.model.tables import did_you_mean
from gtm_opt.sales_capacity.capacity import check_options, tabulate_slots, vacant_rows
from gtm_opt.sales_capacity.clock import presence, ramp_fractions
from gtm_opt.sales_capacity.exits import read_backfills, tenure_ramp
from gtm_opt.sales_capacity.roster import read_leaves, read_roster
from gtm_opt.sales_capacity.slots import follow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.model.ramp import Ramp
    from gtm_opt.sales_capacity.clock import Presence
    from gtm_opt.sales_capacity.odds.request import OddsRequest
    from gtm_opt.sales_capacity.roster import Roster
    from gtm_opt.sales_capacity.slots import Flow

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["Compiled", "Hires", "Noise", "Stints", "compile_request", "group_stints"]

_LONGEST_M, _PER_MONTH = 120, 8


class Stints(NamedTuple):
    """The stints of direct roles; arrays of shape (n, T) unless said otherwise."""

    key: NDArray[np.uint64]  # (n,) identity, for common random numbers
    group: IntArray  # (n,)
    role: IntArray  # (n,)
    first: IntArray  # (n,) first and last month in which somebody is there; last -1: never
    last: IntArray
    planned: FloatArray  # amount with the person of the roster
    full: FloatArray  # amount with an average ramped seller
    unramped: FloatArray  # amount with the person of the roster, ramped
    begin: FloatArray  # months in the role at the first and last moment of the month
    end: FloatArray
    ramping: NDArray[np.bool_]
    missing: FloatArray  # (n_roles, k) productive months lost up to eighths of a month
    stay: FloatArray  # (2, n, T + 1) survival of low performers and others
    bucket: IntArray  # (T,) into which output period each month goes


class Hires(NamedTuple):
    """What successors do, by role."""

    stay: FloatArray  # (n_roles, 2, T, T + 1) survival by hire month
    ramp: FloatArray  # (n_roles, T)
    ramping: IntArray  # (n_roles,) periods after which a ramp is over
    lag: FloatArray  # (n_roles, k) cumulative probability of k months of vacancy; -1: never filled
    missing: FloatArray  # (n_roles, k)
    months_per_period: float


class Noise(NamedTuple):
    """Log standard deviations by role, and what holds for all."""

    own: FloatArray
    own_month: FloatArray
    common: FloatArray
    common_month: FloatArray
    output: FloatArray  # (2,) of low performers and the others
    monthly: bool
    low_share: float
    zero_share: float
    stretch: float
    middle: bool
    cover: float
    deal_size: float


@dataclass(frozen=True, eq=False)
class Compiled:
    """A request in arrays.

    Attributes
    ----------
    stints, hires, noise
        What the compiled code takes.
    labels : DataFrame
        One row per stint: seat_id, rep_id, role, segment, and what else the roster has.
    cover : ndarray of shape (n, T)
        What a cover yields while a seat is empty by plan, at the first stint of the seat; the same in every path.
    """

    stints: Stints
    hires: Hires
    noise: Noise
    labels: pd.DataFrame
    cover: FloatArray


def compile_request(request: OddsRequest) -> Compiled:
    """Check a request and return it as arrays.

    Raises
    ------
    DataError
        With the findings of the roster, the attrition, the backfills, the attainment.
    """
    roles, calendar, attainment = request.roles, request.calendar, request.attainment
    check_options(request.interim_frac, request.seasonality, request.pause_after_days)
    attainment.check_roles(roles)
    roster = read_roster(request.staffing, roles)
    leaves = read_leaves(request.leaves, roster)
    clock = presence(roster, calendar, request.proration, leaves, request.pause_after_days)
    ramp = ramp_fractions(roster, clock)
    slots = tabulate_slots(roster, clock, ramp, request.shares, calendar)
    backfills = read_backfills(request.backfill, roles, request.attrition)
    request.known_attrition.check_roles(roles)
    flow = follow(slots, roles, request.known_attrition, backfills)
    direct = np.flatnonzero([role.quota_type != "overlay" for role in roster.role])
    labels = _labels(roster).iloc[direct].reset_index(drop=True)
    names = {name: at for at, name in enumerate(roles.names)}
    ramped = tabulate_slots(roster, clock, np.ones_like(ramp), request.shares, calendar)
    begin, end = _months_in_role(clock, roster)
    role_ramps = [role.ramp for role in roles]
    length = np.array([_months_of_ramp(r) for r in role_ramps])
    role_at = np.array([names[roster.role[i].name] for i in direct], dtype=np.int64)
    there = slots.employed[direct] > 0
    stints = Stints(
        key=_keys(labels),
        group=np.zeros(len(direct), dtype=np.int64),
        role=role_at,
        first=np.where(there.any(axis=1), there.argmax(axis=1), 0).astype(np.int64),
        last=slots.last[direct].astype(np.int64),
        planned=np.ascontiguousarray(slots.planned[direct]),
        full=np.ascontiguousarray(slots.full[direct]),
        unramped=np.ascontiguousarray(ramped.planned[direct]),
        begin=begin[direct],
        end=end[direct],
        ramping=begin[direct] < (length[role_at] if len(direct) else length[:0])[:, None] * 4.0,
        missing=np.array([_missing_table(r) for r in role_ramps]),
        stay=_stay_of(flow, direct),
        bucket=np.arange(calendar.n_periods, dtype=np.int64),
    )
    noise_of = np.array([attainment.sigmas(role) for role in roles])
    attrition = request.known_attrition
    noise = Noise(
        own=noise_of[:, 0].copy(),
        own_month=noise_of[:, 1].copy(),
        common=noise_of[:, 2].copy(),
        common_month=noise_of[:, 3].copy(),
        output=np.array([attrition.involuntary_output, attrition.high_output]),
        monthly=bool(noise_of[:, [1, 3]].any()),
        low_share=float(attrition.low_performer_share) if attrition.involuntary_output < 1 else 0.0,
        zero_share=float(attainment.zero_share),
        stretch=float(np.sqrt(np.log1p(attainment.ramp_cv**2))),
        middle=attrition.exits == "mid_month",
        cover=float(request.interim_frac),
        deal_size=float(attainment.deal_size or 0.0),
    )
    cover = np.zeros(slots.planned.shape)
    if request.interim_frac > 0:
        rows = vacant_rows(roster, clock, request.shares, request.interim_frac)
        np.add.at(cover, (rows["_stint"].to_numpy(), rows["_t"].to_numpy()), rows["capacity"].to_numpy())
    return Compiled(stints, _hires(flow, request, backfills), noise, labels, cover[direct])


def group_stints(labels: pd.DataFrame, by: Sequence[str]) -> tuple[IntArray, pd.DataFrame]:
    """Return the group of each stint and the groups, in the order of their labels.

    Raises
    ------
    DataError
        For columns that the roster does not have.
    """
    unknown = [c for c in by if c not in labels.columns]
    if unknown:
        hint = did_you_mean(unknown[0], labels.columns)
        raise DataError(f"`by` must name columns of the roster, got '{unknown[0]}'. {hint}")
    if not by:
        return np.zeros(len(labels), dtype=np.int64), pd.DataFrame(index=[0])
    keys = labels[list(by)].astype(object).where(labels[list(by)].notna(), "")
    text = keys.astype(str).apply("\x1f".join, axis=1)
    codes, _ = pd.factorize(text, sort=True)
    first = pd.Series(range(len(labels))).groupby(codes).first()
    return codes.astype(np.int64), keys.iloc[first.to_numpy()].reset_index(drop=True)


def _labels(roster: Roster) -> pd.DataFrame:
    table = roster.table.copy()
    table["role"] = [role.name for role in roster.role]
    own = pd.Series([role.segment for role in roster.role], index=table.index, dtype=object)
    table["segment"] = table["segment"].where(table["segment"].notna(), own) if "segment" in table.columns else own
    return table


def _keys(labels: pd.DataFrame) -> NDArray[np.uint64]:
    """Return the identity of each stint: its seat, its person, and how often the two came before."""
    pair = labels["seat_id"].astype(str) + "\x1f" + labels["rep_id"].astype(str)
    order = pair.groupby(pair).cumcount()
    texts = [f"{p}\x1f{n}".encode() for p, n in zip(pair, order, strict=True)]
    digest = [int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") for text in texts]
    return np.array(digest, dtype=np.uint64)


def _months_in_role(clock: Presence, roster: Roster) -> tuple[FloatArray, FloatArray]:
    """Return months in the role at the edges of each month; stepped ramps go by whole tenure months."""
    begin, end = clock.elapsed[0].copy(), clock.elapsed[1].copy()
    if clock.months_per_period == 1.0:
        whole = np.flatnonzero([not role.ramp.is_curve for role in roster.role])
        begin[whole], end[whole] = clock.tenure[whole] - 1.0, clock.tenure[whole]
    return np.maximum(begin, 0.0), np.maximum(end, 0.0)


def _missing_table(ramp: Ramp) -> FloatArray:
    """Return the productive months lost up to 0, 1/8, 2/8, ... months."""
    x = np.arange(1, _LONGEST_M * _PER_MONTH + 1) / _PER_MONTH
    if ramp.kind != "steps" and not ramp.is_curve:  # start, mid and end conventions are steps too
        gaps = 1.0 - ramp.at(np.ceil(x).astype(np.int64))
        return np.concatenate([[0.0], np.cumsum(gaps) / _PER_MONTH])
    return np.concatenate([[0.0], x * (1.0 - ramp.over(np.zeros_like(x), x))])


def _months_of_ramp(ramp: Ramp) -> float:
    """Return the months after which a ramp has nothing more to lose that matters."""
    table = _missing_table(ramp)
    open_ = np.flatnonzero(table[-1] - table > 1e-3)
    return float((open_[-1] + 1) / _PER_MONTH) if len(open_) else 0.0


def _stay_of(flow: Flow, direct: IntArray) -> FloatArray:
    """Return the survival of low performers and of the others, 1 at the start of the plan."""
    out = []
    for stock in (flow.cohort.low[direct], flow.cohort.high[direct]):
        start = stock[:, :1]
        out.append(np.divide(stock, start, out=np.ones_like(stock), where=start > 0))
    if not flow.cohort.low[direct].any():  # one kind only: the kernel reads the first
        out[0] = out[1]
    return np.ascontiguousarray(out)


def _hires(flow: Flow, request: OddsRequest, backfills: Mapping[str, object]) -> Hires:
    calendar, roles = request.calendar, request.roles
    periods = calendar.n_periods
    stay = np.ones((len(roles), 2, periods, periods + 1))
    lags, ramps = [], []
    for at, role in enumerate(roles):
        successors = flow.successors[role.name]
        low, high = successors.own.low, successors.own.high
        for kind, stock in enumerate((low if low.any() else high, high)):
            stay[at, kind] = stock / stock[:, :1]
        ramps.append(getattr(backfills[role.name], "ramp", None) or role.ramp)
        lags.append(np.array([-1.0]) if successors.lag is None else np.cumsum(successors.lag))
    width = max(len(lag) for lag in lags)
    per_period = 12.0 / calendar.periods_py
    return Hires(
        stay=stay,
        ramp=np.array([tenure_ramp(ramp, calendar) for ramp in ramps]),
        ramping=np.array([int(np.ceil(4.0 * _months_of_ramp(ramp) / per_period)) for ramp in ramps], dtype=np.int64),
        lag=np.array([np.pad(lag, (0, width - len(lag)), constant_values=lag[-1]) for lag in lags]),
        missing=np.array([_missing_table(ramp) for ramp in ramps]),
        months_per_period=per_period,
    )
