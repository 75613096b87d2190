"""How the carve would change with each repair of the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gtm_opt.carving import carve
from gtm_opt.errors import DataError, GtmOptError
from gtm_opt.model.frames import takes_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gtm_opt.carving import Carving
    from gtm_opt.model import CarvingProblem
    from gtm_opt.records import DataQuality

__all__ = ["repair_effects"]


@takes_tables("accounts")
def repair_effects(
    quality: DataQuality,
    accounts: pd.DataFrame,
    build: Callable[[pd.DataFrame], CarvingProblem],
    *,
    rules: Sequence[str] | None = None,
    effort: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """Carve quickly without and with the repairs of each rule.

    Parameters
    ----------
    quality : DataQuality
        Of ``accounts``.
    accounts : DataFrame
        The table that was inspected.
    build : callable
        Makes the problem out of a table of accounts.
    rules : sequence of str, optional
        Default: all rules that have a repair.
    effort : float
        As in `carve`; small, since only the difference matters.
    seed : int

    Returns
    -------
    DataFrame
        One row per rule, and a first one, "as is", without repairs: ``rule, cells`` (changed), ``worst_deviation``
        (largest absolute deviation of any criterion, a fraction), ``moved`` (accounts in another territory than
        without the repair), ``status`` ("carved", or why the table cannot be carved).

    Raises
    ------
    DataError
        Another table than the one inspected, an unknown rule, or a ``build`` that gives no problem.

    Notes
    -----
    Two carves of one table with one seed are equal, so every account that moves does so because of the repair,
    directly or because the balance changed. Both are heuristic plans: a deviation may also change by luck.
    """
    if not callable(build):
        raise DataError(f"`build` must be a function from accounts to a CarvingProblem, got {type(build).__name__}.")
    repairable = quality.table.loc[quality.table["repairable"], "rule"].unique().tolist()
    first, carved = _carved("as is", 0, accounts, build, effort, seed, None)
    rows = [first]
    for rule in repairable if rules is None else rules:
        repair = quality.apply(accounts, [rule])
        rows.append(_carved(rule, len(repair.log), repair.accounts, build, effort, seed, carved)[0])
    return pd.DataFrame(rows, columns=["rule", "cells", "worst_deviation", "moved", "status"])


def _carved(
    rule: str,
    cells: int,
    accounts: pd.DataFrame,
    build: Callable[[pd.DataFrame], CarvingProblem],
    effort: float,
    seed: int,
    before: Carving | None,
) -> tuple[dict[str, object], Carving | None]:
    row: dict[str, object] = {"rule": rule, "cells": cells, "worst_deviation": float("nan"), "moved": 0}
    try:
        problem = build(accounts)
        carving = carve(problem, effort=effort, seed=seed)
    except GtmOptError as error:
        row["moved"], row["status"] = pd.NA, str(error).splitlines()[0]
        return row, None
    row["worst_deviation"] = float(carving.criteria["worst_deviation"].abs().max())
    row["status"] = "carved"
    if before is not None:
        common = before.labels.index.intersection(carving.labels.index)
        row["moved"] = int((before.labels[common] != carving.labels[common]).sum())
    return row, carving
