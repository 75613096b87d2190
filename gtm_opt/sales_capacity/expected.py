"""Expected capacity: what is left of the roster's capacity when people leave and are replaced, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, amount_text
from gtm_opt.model.tables import did_you_mean
from gtm_opt.sales_capacity.exits import during, during_squared, start_months

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.model.attrition import Attrition
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.sales_capacity.slots import Flow

    FloatArray = NDArray[np.float64]

__all__ = ["PARTS", "ExpectedCapacity", "expected_parts"]

PARTS = {
    "exits": "exits not replaced",
    "empty_seats": "empty seats",
    "backfill_ramp": "ramp of backfills",
    "backfill_against_leaver": "backfills against leavers",
    "low_performers": "low performers leave first",
    "interim_cover": "cover of empty seats",
}
"""Columns that lead from planned to expected capacity, and what they are called in a waterfall."""


@dataclass(frozen=True, eq=False)
class ExpectedCapacity:
    """Capacity under attrition and backfills, beside the certain one.

    Attributes
    ----------
    table : DataFrame
        The rows of `Capacity.table` with ``capacity`` (certain), ``expected``, ``sd`` (standard deviation by exits),
        ``occupied`` (expected heads), and the parts that lead from one to the other: ``exits`` (seats that nobody
        fills again before the stint or the horizon ends, and the half months of leavers), ``empty_seats`` (until the
        backfill comes), ``backfill_ramp``, ``backfill_against_leaver`` (an average seller follows one who ramped,
        was on leave or is better than average), ``low_performers`` (who leave first), ``interim_cover``.
    calendar : Calendar
    currency : str
        Label of the amounts, for display only.
    """

    table: pd.DataFrame
    calendar: Calendar
    currency: str = ""

    @property
    def _direct(self) -> pd.DataFrame:
        return self.table[self.table["quota_type"] != "overlay"]

    @property
    def total(self) -> float:
        """Expected capacity of all direct roles over the horizon, without judgment."""
        return float(self._direct["expected"].sum())

    def by(self, *keys: str) -> pd.DataFrame:
        """Sum certain and expected capacity, and the parts between, over everything but `keys`.

        Parameters
        ----------
        *keys : str
            Columns of `table`, for example ``"segment", "quarter"``.

        Returns
        -------
        DataFrame
            The keys, ``capacity``, the parts, ``expected``; with ``"month"`` among the keys also ``sd``: seats are
            independent of each other as far as exits go, months of one seat are not.

        Raises
        ------
        DataError
            For unknown columns.
        """
        unknown = [k for k in keys if k not in self.table.columns]
        if unknown or not keys:
            got = repr(unknown[0]) if unknown else "nothing"
            hint = did_you_mean(unknown[0], self.table.columns) if unknown else 'Try by("quarter").'
            raise DataError(f"`by` must name columns of the table, got {got}. {hint}")
        rows = self._direct.assign(variance=lambda t: t["sd"] ** 2)
        sums = ["capacity", *PARTS, "expected", "variance"]
        out = rows.groupby(list(keys), sort=False, dropna=False, observed=True)[sums].sum().reset_index()
        variance = out.pop("variance")
        if "month" in keys:
            out["sd"] = np.sqrt(variance)
        return out

    def waterfall(self, *keys: str) -> pd.DataFrame:
        """Return the steps from the roster's capacity to the expected one, exact to the cent.

        Parameters
        ----------
        *keys : str
            Columns of `table` to do it by, for example ``"segment"``. Default: one waterfall for all.

        Returns
        -------
        DataFrame
            The keys, ``step``, ``amount``: "roster", what changes (steps of zero are left out), "expected". Amounts
            are whole cents, and within each group the first and the changes sum to the last.
        """
        sums = self.by(*keys) if keys else self._direct[["capacity", *PARTS]].sum().to_frame().T
        out = []
        for row in sums.to_dict("records"):
            cents = _to_cents([float(row[c]) for c in ("capacity", *PARTS)])
            steps = {"roster": cents[0]}
            steps |= {label: c for label, c in zip(PARTS.values(), cents[1:], strict=True) if c != 0}
            steps["expected"] = sum(cents)
            out += [{**{k: row[k] for k in keys}, "step": step, "amount": c / 100} for step, c in steps.items()]
        return pd.DataFrame(out)

    def summary(self) -> pd.DataFrame:
        """Return one row per quarter and a total: ``capacity``, the parts, ``expected``, ``lost_frac``."""
        table = self.by("quarter").set_index("quarter").reindex(self.calendar.quarters).fillna(0.0)
        table.loc["total"] = table.sum()
        lost = 1.0 - table["expected"].div(table["capacity"].where(table["capacity"] > 0))
        return table.assign(lost_frac=lost).rename_axis("quarter").reset_index()

    def __repr__(self) -> str:
        steps = self.waterfall()
        changes = ", ".join(f"{r.step} {r.amount:+,.0f}" for r in steps.iloc[1:-1].itertuples())
        first, last = (amount_text(float(steps["amount"].iloc[at]), self.currency) for at in (0, -1))
        return f"ExpectedCapacity: roster {first} -> expected {last} ({changes or 'nobody leaves'})"


def expected_parts(flow: Flow, attrition: Attrition, interim_frac: float) -> dict[str, FloatArray]:
    """Return expected amounts and what leads to them, shape (n, T) each.

    Notes
    -----
    A seat is with the person of the roster (probability S), with a successor (B), empty and to be filled within the
    stint (W), or empty for good. With planned amount c, amount v of an average ramped seller, and output of the
    successors H <= B::

        exits                    -c (1 - S - B - W)
        empty_seats              -c W
        backfill_ramp            -v (B - H)
        backfill_against_leaver   (v - c) B
        low_performers            what those who remain book above the average
        interim_cover             interim_frac v (1 - S - B)
    """
    planned, full = flow.slots.planned, flow.slots.full
    there = flow.slots.employed > 0
    edge = flow.cohort.alive
    alive = during(edge, attrition)
    yielding = during(flow.cohort.yielding, attrition)
    filled, even, output = flow.after("ramped"), flow.after("output_even"), flow.after("output")
    empty = np.maximum(1.0 - edge[:, :-1] - np.where(there, _occupied(flow), 0.0), 0.0)
    waiting = np.where(there, np.minimum(flow.waiting, empty), 0.0)
    parts = {
        "exits": -planned * (1.0 - alive - filled - waiting),
        "empty_seats": -planned * waiting,
        "backfill_ramp": -full * (filled - even),
        "backfill_against_leaver": (full - planned) * filled,
        "low_performers": planned * (yielding - alive) + full * (output - even),
        "interim_cover": interim_frac * full * empty,
    }
    parts = {name: np.where(there, values, 0.0) for name, values in parts.items()}
    expected = planned + sum(parts.values())
    second = planned**2 * during_squared(flow.cohort.squared, attrition) + full**2 * flow.after("squared")
    second = second + (interim_frac * full) ** 2 * empty
    first = expected
    parts["expected"] = expected
    parts["sd"] = np.sqrt(np.maximum(np.where(there, second - first**2, 0.0), 0.0))
    parts["occupied"] = flow.slots.employed * (1.0 - empty)
    return parts


def _occupied(flow: Flow) -> FloatArray:
    """Return the probability that a successor sits there at the start of a month."""
    out = np.zeros_like(flow.start)
    for name, successors in flow.successors.items():
        rows = flow.slots.rows_of(name)
        months = flow.start.shape[1]
        starts = flow.start[rows].copy()
        if successors.lag is not None:
            starts = starts + start_months(flow.start[rows] @ successors.exits, successors.lag)
        alive = successors.own.alive[:, :-1] * (np.arange(months)[None, :] >= np.arange(months)[:, None])
        out[rows] = starts @ alive
    return out


def _to_cents(amounts: list[float]) -> list[int]:
    """Return amounts as whole cents that sum to their sum rounded: the largest remainders are rounded up."""
    scaled = [a * 100.0 for a in amounts]
    down = [int(np.floor(s)) for s in scaled]
    missing = round(sum(scaled)) - sum(down)
    order = sorted(range(len(scaled)), key=lambda k: down[k] - scaled[k])
    for k in order[:missing]:
        down[k] += 1
    return down
