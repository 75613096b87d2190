"""Named worlds side by side, on the same random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.sales_capacity.odds.drivers import paired_difference
from gtm_opt.sales_capacity.odds.result import Odds

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Scenarios", "scenarios"]


@dataclass(frozen=True, eq=False)
class Scenarios:
    """Worlds compared with the first of them.

    Attributes
    ----------
    worlds : dict of str to Odds
        In the order given; the first is the base.
    table : DataFrame
        One row per world: ``scenario``, ``target``, ``mean``, ``p10``, ``p50``, ``p90``, ``p_target``, ``ci_low``,
        ``ci_high``; against the base ``change`` (of the probability) and ``change_se``, ``change_mean`` (of bookings)
        and ``change_mean_se``, from paired paths.
    """

    worlds: dict[str, Odds]
    table: pd.DataFrame

    def summary(self) -> pd.DataFrame:
        """Return `table`."""
        return self.table

    def __getitem__(self, name: str) -> Odds:
        if name not in self.worlds:
            raise DataError(f"there is no scenario '{name}', only: {', '.join(self.worlds)}.")
        return self.worlds[name]

    def __repr__(self) -> str:
        parts = ", ".join(f"{r.scenario} {r.p_target:.3f}" for r in self.table.itertuples())
        return f"Scenarios: probability of the target {parts}"


def scenarios(worlds: Mapping[str, Odds | Mapping[str, Any]], *, executor: Executor | None = None) -> Scenarios:
    """Compare any number of worlds in one table, on the same random numbers.

    Parameters
    ----------
    worlds : mapping of str to Odds or to mapping
        The first is an `Odds`, the base. Each of the others is one, or what differs from the base, by the names of
        the inputs of `simulate`: ``{"attrition": Attrition(0.3, kind="cohort")}``.
    executor : concurrent.futures.Executor, optional

    Returns
    -------
    Scenarios

    Raises
    ------
    DataError
        Without a base, for unknown inputs, and for worlds that differ in seed, paths or currency: their paths
        cannot be paired.
    """
    if not isinstance(worlds, Mapping) or not worlds or not isinstance(next(iter(worlds.values())), Odds):
        raise DataError("`scenarios` needs a mapping whose first world is the Odds of a simulation, the base.")
    base = next(iter(worlds.values()))
    assert isinstance(base, Odds)
    found = Findings()
    made: dict[str, Odds] = {}
    for name, world in worlds.items():
        if isinstance(world, Odds):
            made[str(name)] = world
        elif isinstance(world, Mapping):
            made[str(name)] = base.vary(executor=executor, **world)
        else:
            found.add(f"worlds[{name!r}]", "must be Odds, or what differs", got=type(world).__name__)
    for name, odds in made.items():
        for word in ("seed", "paths", "currency"):
            own, wanted = getattr(odds.request, word), getattr(base.request, word)
            if own != wanted:
                rule = f"must have the {word} of the base ({wanted!r})"
                found.add(f"worlds[{name!r}]", rule, got=repr(own), remedy="Paths with other luck cannot be paired.")
    found.raise_if_any()
    return Scenarios(made, pd.DataFrame([_row(name, odds, base) for name, odds in made.items()]))


def _row(name: str, odds: Odds, base: Odds) -> dict[str, object]:
    totals, target = odds.totals()[:, 0], float(odds.targets()[0])
    low, high = odds.interval()
    p10, p50, p90 = np.quantile(totals, (0.1, 0.5, 0.9))
    hits, base_hits = totals >= target, base.totals()[:, 0] >= base.targets()[0]
    change, error = paired_difference(hits, base_hits)
    moved = totals - base.totals()[:, 0]
    return {
        "scenario": name,
        "target": target,
        "mean": float(totals.mean()),
        "p10": p10,
        "p50": p50,
        "p90": p90,
        "p_target": float(hits.mean()),
        "ci_low": low,
        "ci_high": high,
        "change": change,
        "change_se": error,
        "change_mean": float(moved.mean()),
        "change_mean_se": float(moved.std(ddof=1) / np.sqrt(len(moved))),
    }
