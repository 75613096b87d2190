"""Which assumption moves the odds most: each one down and up, with the same luck."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.model.attainment import Attainment
from gtm_opt.model.attrition import Attrition
from gtm_opt.model.by_name import as_pairs
from gtm_opt.model.ramp import Ramp
from gtm_opt.model.roles import Roles

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from gtm_opt.model.backfill import Backfill
    from gtm_opt.sales_capacity.odds.request import OddsRequest
    from gtm_opt.sales_capacity.odds.result import Odds

    Change = tuple[str, dict[str, Any]]

__all__ = ["find_drivers", "paired_difference", "stretch_ramp"]

_RATE_TOP, _LAG_TOP = 0.99, 36.0


def find_drivers(odds: Odds, executor: Executor | None = None) -> pd.DataFrame:
    """Return a tornado table: what each assumption, lower and higher, does to the probability of the target.

    Parameters
    ----------
    odds : Odds
    executor : concurrent.futures.Executor, optional

    Returns
    -------
    DataFrame
        ``driver``, ``low`` and ``high`` (what was changed), ``change_low``, ``change_high`` (differences of the
        probability), ``se_low``, ``se_high`` (their standard errors), ``swing`` (the distance between the two);
        the largest swing first. Assumptions that the simulation does not have are left out.

    Notes
    -----
    Both worlds use the same random numbers, so a difference is estimated from paths that differ only by the
    assumption. Its standard error is that of paired differences, several times smaller than that of two
    independent simulations.
    """
    base = odds.totals()[:, 0] >= odds.targets()[0]
    rows = []
    for driver, (low, less), (high, more) in _drivers(odds.request):
        row: dict[str, object] = {"driver": driver, "low": low, "high": high}
        for side, changes in (("low", less), ("high", more)):
            varied = odds.vary(executor=executor, **changes)
            row[f"change_{side}"], row[f"se_{side}"] = paired_difference(
                varied.totals()[:, 0] >= varied.targets()[0], base
            )
        row["swing"] = abs(float(row["change_high"]) - float(row["change_low"]))  # type: ignore[arg-type]
        rows.append(row)
    columns = ["driver", "low", "high", "change_low", "se_low", "change_high", "se_high", "swing"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("swing", ascending=False, kind="stable", ignore_index=True)


def paired_difference(varied: NDArray[np.bool_], base: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the difference of two shares on the same paths and its standard error."""
    difference = varied.astype(np.float64) - base.astype(np.float64)
    return float(difference.mean()), float(difference.std(ddof=1) / math.sqrt(len(difference)))


def stretch_ramp(ramp: Ramp, factor: float) -> Ramp:
    """Return a ramp that takes ``factor`` times as long."""
    if ramp.kind != "steps":
        first, second = ramp.parameters
        kept = second if ramp.kind == "weibull" else second * factor
        return Ramp(ramp.kind, (first * factor, kept), ramp.convention)
    months = np.arange(math.ceil(len(ramp.parameters) * factor))
    return Ramp.steps(ramp.over(months / factor, (months + 1) / factor).tolist())


def _drivers(request: OddsRequest) -> list[tuple[str, Change, Change]]:
    """List the assumptions of a request with their lower and higher values."""
    out: list[tuple[str, Change, Change]] = []

    def add(driver: str, low: str, high: str, less: dict[str, Any], more: dict[str, Any]) -> None:
        out.append((driver, (low, less), (high, more)))

    add(
        "productivity",
        "-10 %",
        "+10 %",
        {"roles": _scaled_roles(request.roles, 0.9)},
        {"roles": _scaled_roles(request.roles, 1.1)},
    )
    if any(role.ramp.loss > 0 for role in request.roles):
        shorter, longer = (_ramped_roles(request.roles, f) for f in (0.75, 1.25))
        less, more = (_ramped_backfills(request.backfill, f) for f in (0.75, 1.25))
        add("ramp time", "-25 %", "+25 %", {"roles": shorter, "backfill": less}, {"roles": longer, "backfill": more})
    if request.attrition is not None:
        rates = [_scaled_attrition(request.attrition, f) for f in (0.75, 1.25)]
        add("attrition", "-25 %", "+25 %", {"attrition": rates[0]}, {"attrition": rates[1]})
    if request.backfill is not None:
        lags = [_shifted_backfills(request.backfill, d) for d in (-1.0, 1.0)]
        add("time to fill", "-1 month", "+1 month", {"backfill": lags[0]}, {"backfill": lags[1]})
    spread = request.attainment
    if any(value > 0 for _, value in spread.cv):
        wide = [_respread(spread, cv=tuple((k, min(v * f, 3.0)) for k, v in spread.cv)) for f in (0.8, 1.2)]
        add("spread of results", "-20 %", "+20 %", {"attainment": wide[0]}, {"attainment": wide[1]})
        less_shared, more_shared = max(spread.correlation - 0.1, 0.0), min(spread.correlation + 0.1, 1.0)
        shared = [_respread(spread, correlation=rho) for rho in (less_shared, more_shared)]
        labels = [f"to {rho:.2g}" for rho in (less_shared, more_shared)]
        add("correlation of results", labels[0], labels[1], {"attainment": shared[0]}, {"attainment": shared[1]})
    return out


def _scaled_roles(roles: Roles, factor: float) -> Roles:
    return Roles([replace(role, productivity_py=role.productivity_py * factor) for role in roles])


def _ramped_roles(roles: Roles, factor: float) -> Roles:
    return Roles([replace(role, ramp=stretch_ramp(role.ramp, factor)) for role in roles])


def _backfills(backfill: Any, change: Any) -> Any:
    if backfill is None:
        return None
    return {name: None if value is None else change(value) for name, value in as_pairs(backfill)}


def _ramped_backfills(backfill: Any, factor: float) -> Any:
    def change(value: Backfill) -> Backfill:
        return value if value.ramp is None else replace(value, ramp=stretch_ramp(value.ramp, factor))

    return _backfills(backfill, change)


def _shifted_backfills(backfill: Any, months: float) -> Any:
    def change(value: Backfill) -> Backfill:
        return replace(value, time_to_fill_m=min(max(value.time_to_fill_m + months, 0.0), _LAG_TOP))

    return _backfills(backfill, change)


def _scaled_attrition(attrition: Attrition, factor: float) -> Attrition:
    def scale(pairs: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
        return tuple((name, min(rate * factor, _RATE_TOP)) for name, rate in pairs)

    return Attrition(
        scale(attrition.annual),
        kind=attrition.kind,
        new_hire=None if attrition.new_hire is None else scale(attrition.new_hire),
        new_hire_months=attrition.new_hire_months,
        involuntary_share=attrition.involuntary_share,
        involuntary_output=attrition.involuntary_output,
        low_performer_share=attrition.low_performer_share,
        exits=attrition.exits,
    )


def _respread(attainment: Attainment, **changes: Any) -> Attainment:
    words = {name: getattr(attainment, name) for name in attainment.__dataclass_fields__}
    return Attainment(**{**words, **changes})
