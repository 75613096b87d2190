"""People around the owner: how many are needed, and whom each of them supports."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from gtm_opt.carving import CarveOptions, Carving, carve
from gtm_opt.errors import Findings
from gtm_opt.model.balance import Balance
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.preferences import Fit, KeepOwner, Near
from gtm_opt.model.problem import CarvingProblem
from gtm_opt.model.tables import did_you_mean
from gtm_opt.model.territories import Territories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from gtm_opt.carving import CarveKeywords

__all__ = ["carve_support", "support_heads"]

_CLOSE = 1e-9


def support_heads(
    supported: Mapping[str, float],
    *,
    ratio: float | None = None,
    hours: float | Mapping[str, float] | None = None,
    capacity: float | None = None,
    pooled: bool = False,
) -> pd.DataFrame:
    """Return how many people of a supporting role are needed, as whole heads.

    Parameters
    ----------
    supported : mapping of group to float
        Heads (or opportunities) to be supported, by segment or period.
    ratio : float, optional
        How many one person supports: 3 for 1:3; a span of control of 8.
    hours, capacity : float, optional
        Workload instead of a ratio: hours for each supported head (by group, or one number), and hours one
        person has.
    pooled : bool
        One team for all groups, rounded up once; else each group has people of its own.

    Returns
    -------
    DataFrame
        ``group`` ("(all)" where pooled), ``supported``, ``needed`` (fraction), ``heads`` (rounded up).

    Raises
    ------
    DataError
        Neither or both of ratio and workload, or numbers that are not positive.

    Examples
    --------
    >>> support_heads({"Q1": 9, "Q2": 10, "Q3": 27, "Q4": 28}, ratio=3)["heads"].tolist()
    [3, 4, 9, 10]
    """
    found = Findings()
    if (ratio is None) == (hours is None or capacity is None):
        found.add("ratio", "or `hours` with `capacity` must be given, one of the two")
    for name, number in (("ratio", ratio), ("capacity", capacity)):
        if number is not None and not 0 < number < math.inf:
            found.add(name, "must be a positive number", got=repr(number))
    bad = [str(g) for g, n in supported.items() if not 0 <= n < math.inf]
    if bad:
        found.add("supported", "must be finite and not negative", rows=bad, kind="group")
    each = hours if not isinstance(hours, float | int) else dict.fromkeys(supported, float(hours))
    lacking = [str(g) for g in supported if each is not None and g not in each]
    if lacking:
        found.add("hours", "must name every group", rows=lacking, kind="group")
    found.raise_if_any()
    rows = []
    for group, number in supported.items():
        load = number / ratio if ratio is not None else number * each[group] / float(capacity or 1.0)  # type: ignore[index]
        rows.append((str(group), float(number), load))
    if pooled:
        rows = [("(all)", math.fsum(r[1] for r in rows), math.fsum(r[2] for r in rows))]
    table = pd.DataFrame(rows, columns=["group", "supported", "needed"])
    table["heads"] = [math.ceil(need - _CLOSE) for need in table["needed"]]
    return table


@takes_tables("supported")
def carve_support(
    supported: pd.DataFrame,
    people: Sequence[str] | int,
    *,
    load: str,
    key: str = "account_id",
    tolerance: float = 0.10,
    span: int | None = None,
    present: str | None = None,
    lat: str | None = None,
    lon: str | None = None,
    fit: Fit | None = None,
    rules: Sequence[Any] = (),
    options: CarveOptions | None = None,
    **keywords: Unpack[CarveKeywords],
) -> Carving:
    """Assign accounts or seats to the people who support them, with balanced load and a certificate.

    A book of customer success managers on the accounts, an overlay region over seats, managers over seats: all are
    carvings of what is supported, by the engine that carves territories.

    Parameters
    ----------
    supported : DataFrame
        One row per account or seat.
    people : sequence of str, or int
        Names, or how many.
    load : str
        Column with the work of each (hours by touch model, number of opportunities).
    key : str
        Column with the id of each.
    tolerance : float
        Allowed deviation of each person's load from the mean.
    span : int, optional
        Most rows per person: span of control.
    present : str, optional
        Column with who supports it today: kept where possible.
    lat, lon : str, optional
        Columns with coordinates: short distances are preferred.
    fit : Fit, optional
        Skills, languages; columns are people.
    rules : sequence of rules
        `gtm_opt.Pin`, `gtm_opt.Within`, `gtm_opt.KeepTogether` (pods) ...
    options : CarveOptions, optional
    **keywords
        Fields of `gtm_opt.CarveOptions`, in place of those of ``options``.

    Returns
    -------
    Carving
        Its territories are the people. It is an overlay: no roll-up adds it to what owners hold.

    Raises
    ------
    DataError
        Unknown columns, a span that cannot hold all rows.
    """
    from gtm_opt.model.balance import Limit

    found = Findings()
    for column in (load, key, present, lat, lon):
        if column is not None and column not in supported.columns:
            remedy = did_you_mean(column, supported.columns)
            found.add("supported", f"must have the column '{column}'", remedy=remedy)
    names = [f"support {n + 1}" for n in range(people)] if isinstance(people, int) else [str(p) for p in people]
    if span is not None and span * len(names) < len(supported):
        got = f"{len(names)} people x {span} for {len(supported)} rows"
        found.add("span", "must hold all rows", got=got, remedy="Add people, or raise the span.")
    found.raise_if_any()
    prefer: list[Any] = [] if fit is None else [fit]
    if present is not None:
        prefer.append(KeepOwner(present, unknown="unowned"))
    if lat is not None and lon is not None:
        prefer.append(Near(lat, lon))
    balance: list[Any] = [Balance(load, tolerance)]
    if span is not None:
        balance.append(Limit("accounts", at_most=span))
    made = Territories(tuple(names))
    problem = CarvingProblem(supported, made, balance, prefer, list(rules), account_id=key)
    return carve(problem, options=CarveOptions.of(options, keywords))
