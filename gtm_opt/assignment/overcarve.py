"""`overcarve`: how many seats more than sellers to carve now, when people arrive later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving import CarveOptions, Carving, carve, recarve
from gtm_opt.errors import Findings
from gtm_opt.model.dates import read_dates
from gtm_opt.model.tables import did_you_mean
from gtm_opt.model.territories import Territories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from gtm_opt.model.problem import CarvingProblem

    Day = str | date | pd.Timestamp

__all__ = ["Overcarve", "overcarve"]


@dataclass(frozen=True, eq=False)
class Overcarve:
    """Costs by the number of seats carved for people who are not there yet.

    Attributes
    ----------
    table : DataFrame
        One row per number of extra seats: ``extra_seats``, ``cover_cost`` (expected, of seats that wait),
        ``split_cost`` (expected, of accounts that move when somebody arrives without a seat), ``moved_value``
        (expected), ``cost`` (their sum), ``standard_error`` of it over the scenarios (0 where there is one),
        ``status`` and ``gap`` of the first carve, ``worst_gap`` of the carves behind the row.
    carvings : dict of (int, int) to Carving
        By extra seats and number of seats carved.
    """

    table: pd.DataFrame
    carvings: dict[tuple[int, int], Carving]

    @property
    def best(self) -> int:
        """Number of extra seats with the least expected cost; the smaller of two that cost the same."""
        return int(self.table["extra_seats"].to_numpy()[int(np.argmin(self.table["cost"].to_numpy()))])

    @property
    def carving(self) -> Carving:
        """The carve to start with: that of the best number."""
        return next(c for (extra, _), c in self.carvings.items() if extra == self.best)

    def __repr__(self) -> str:
        row = self.table[self.table["extra_seats"] == self.best].iloc[0]
        error = f" +- {row['standard_error']:,.0f}" if row["standard_error"] else ""
        return f"Overcarve: {self.best} extra seats cost least, {row['cost']:,.0f}{error} expected"


def overcarve(
    problem: CarvingProblem,
    hires: Sequence[Day] | None = None,
    *,
    effective: Day,
    until: Day,
    value: str,
    cover_loss: float,
    move_loss: float,
    probability: float | Sequence[float] = 1.0,
    scenarios: Sequence[Sequence[Day]] | None = None,
    samples: int = 200,
    most: int | None = None,
    seed: int = 0,
    options: CarveOptions | None = None,
) -> Overcarve:
    """Weigh cover now against splits later, for every number of extra seats.

    Parameters
    ----------
    problem : CarvingProblem
        Its territories are the sellers that are there.
    hires : sequence of date, optional
        Expected start dates. Give these or ``scenarios``.
    effective, until : date
        First and last day of the plan.
    value : str
        Account column that costs are parts of.
    cover_loss : float
        Part of a seat's value that is lost per year while it is only covered, 0 to 1.
    move_loss : float
        Part of an account's value that is lost when it changes hands during the year, 0 to 1.
    probability : float or sequence of float
        Chance that each hire arrives at all, independently.
    scenarios : sequence of sequences of date
        Start dates as a simulation of hiring gives them, one sequence per run.
    samples : int
        Draws of who arrives, where a probability is below 1.
    most : int, optional
        Most extra seats to look at. Default: as many as anybody may arrive.
    seed : int
    options : CarveOptions, optional
        For `gtm_opt.carve` and `gtm_opt.recarve`.

    Returns
    -------
    Overcarve

    Raises
    ------
    DataError
        With every finding: dates that cannot be read or lie outside the plan, parts outside 0 to 1.

    Notes
    -----
    For each number of extra seats the accounts are carved into sellers plus extra seats. An arrival takes the open
    seat that is worth most; no one else's accounts move. An arrival without an open seat is given one by `recarve` with
    least change, from the plan then in force. The splits are really carved: costs are those of these plans, not a
    bound on what better plans might cost; ``worst_gap`` says how far from the best each carve may be.
    """
    found = Findings()
    low, high = pd.Timestamp(effective).normalize(), pd.Timestamp(until).normalize()
    if high < low:
        found.add("until", "must not lie before `effective`", got=f"{high:%Y-%m-%d} before {low:%Y-%m-%d}")
    for name, part in (("cover_loss", cover_loss), ("move_loss", move_loss)):
        if not 0.0 <= part <= 1.0:
            found.add(name, "must lie between 0 and 1", got=repr(part))
    if value not in problem.accounts.columns:
        remedy = did_you_mean(value, problem.accounts.columns)
        found.add("value", "must be an account column", got=f"'{value}'", remedy=remedy)
    runs = _scenarios(hires, probability, scenarios, samples, seed, low, high, found)
    found.raise_if_any()
    arrivals = max(map(len, runs), default=0)
    worth = pd.to_numeric(problem.accounts[value]).astype(float)
    rows, carvings = [], {}
    for extra in range((arrivals if most is None else most) + 1):
        chain = _chain(problem, extra, arrivals, value, options or CarveOptions())
        carvings.update({(extra, size): one for size, one in chain})
        cover, moved = zip(*(_one_run(chain, extra, run, worth, low, high) for run in runs), strict=True)
        cover_cost, split_cost = cover_loss * np.array(cover), move_loss * np.array(moved)
        cost = cover_cost + split_cost
        error = float(cost.std(ddof=1) / np.sqrt(len(cost))) if len(cost) > 1 else 0.0
        first = chain[0][1]
        rows.append(
            {
                "extra_seats": extra,
                "cover_cost": float(cover_cost.mean()),
                "split_cost": float(split_cost.mean()),
                "moved_value": float(np.mean(moved)),
                "cost": float(cost.mean()),
                "standard_error": error,
                "status": first.status.value,
                "gap": first.certificate.gap,
                "worst_gap": max(one.certificate.gap for _, one in chain),
            }
        )
    return Overcarve(pd.DataFrame(rows), carvings)


def _scenarios(
    hires: Sequence[Day] | None,
    probability: float | Sequence[float],
    scenarios: Sequence[Sequence[Day]] | None,
    samples: int,
    seed: int,
    low: pd.Timestamp,
    high: pd.Timestamp,
    found: Findings,
) -> list[list[pd.Timestamp]]:
    """Return the start dates of each run, sorted."""
    if (hires is None) == (scenarios is None):
        found.add("hires", "or `scenarios` must be given, one of the two")
        return []
    if scenarios is not None:
        return [sorted(_days(run, f"scenario {n}", low, high, found)) for n, run in enumerate(scenarios, 1)]
    days = _days(hires or (), "hires", low, high, found)
    chance = (
        np.broadcast_to(np.asarray(probability, dtype=np.float64), (len(days),)) if _fits(probability, days) else None
    )
    if chance is None or ((chance < 0) | (chance > 1)).any():
        found.add("probability", f"must be one number, or one for each of {len(days)} hires, between 0 and 1")
        return []
    if (chance == 1.0).all():
        return [sorted(days)]
    draws = np.random.default_rng(seed).random((samples, len(days))) < chance
    return [sorted(day for day, comes in zip(days, draw, strict=True) if comes) for draw in draws]


def _fits(probability: float | Sequence[float], days: list[pd.Timestamp]) -> bool:
    return np.ndim(probability) == 0 or len(np.asarray(probability)) == len(days)


def _days(
    values: Sequence[Day], where: str, low: pd.Timestamp, high: pd.Timestamp, found: Findings
) -> list[pd.Timestamp]:
    read, bad = read_dates(pd.Series(list(values), dtype=object))
    if bad.any() or read.isna().any():
        found.add(
            where,
            "must hold dates",
            rows=[str(values[i]) for i in np.flatnonzero(bad | read.isna()).tolist()],
            kind="cell",
        )
    outside = (read < low) | (read > high)
    if outside.any():
        rows = read[outside].dt.strftime("%Y-%m-%d")
        found.add(where, "must lie within the plan", rows=rows, kind="date", remedy="Leave later hires out.")
    return list(read)


def _chain(
    problem: CarvingProblem, extra: int, arrivals: int, value: str, options: CarveOptions
) -> list[tuple[int, Carving]]:
    """Carve with the extra seats, then once more for every arrival that finds no seat: size and carving."""
    base = dict(zip(problem.territories.names, problem.territories.shares, strict=True))
    mean = sum(base.values()) / len(base)

    def sized(count: int) -> CarvingProblem:
        names = base | {_new_name(base, number): mean for number in range(1, count + 1)}
        made = Territories.from_weights(names)
        reps = (*problem.territories.reps, *[None] * count)
        status = (*problem.territories.status, *["to be hired"] * count)
        return problem.replace(territories=Territories(made.names, made.shares, status, reps))  # type: ignore[arg-type]

    plan = carve(sized(extra), options=options)
    out = [(len(base) + extra, plan)]
    for count in range(extra + 1, arrivals + 1):
        plan = recarve(plan, sized(count), value=value, options=options)
        out.append((len(base) + count, plan))
    return out


def _new_name(base: Mapping[str, float], number: int) -> str:
    name = f"seat {number}"
    while name in base:
        name = f"new {name}"
    return name


def _one_run(
    chain: list[tuple[int, Carving]],
    extra: int,
    days: list[pd.Timestamp],
    worth: pd.Series,
    low: pd.Timestamp,
    high: pd.Timestamp,
) -> tuple[float, float]:
    """Return value-years covered and value moved, when people arrive on these days."""
    first = chain[0][1]
    at = pd.Index(first.territories.names).get_indexer(pd.Index(first.labels.reindex(worth.index)))
    by_seat = np.bincount(at, worth.to_numpy(), minlength=len(first.territories.names))
    waiting = sorted(by_seat[len(by_seat) - extra :].tolist(), reverse=True) if extra else []
    year = 365.0
    whole = (high - low).days + 1
    waits = [(day - low).days for day in days[:extra]] + [whole] * max(0, extra - len(days))
    covered = sum(amount * wait / year for amount, wait in zip(waiting, waits, strict=True))
    moved = 0.0
    for step in range(min(len(days) - extra, len(chain) - 1) if len(days) > extra else 0):
        before, after = chain[step][1].labels, chain[step + 1][1].labels
        changed = (before.reindex(worth.index) != after.reindex(worth.index)).to_numpy()
        moved += float(np.sort(worth.to_numpy()[changed]).sum())
    return covered, moved
