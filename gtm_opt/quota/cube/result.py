"""The result of `allocate`: amounts by cell, their margins, and how near they are to the fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings, amount_text, number_text
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_opt.quota.cube.fit import Fit
    from gtm_opt.quota.cube.margins import Margin
    from gtm_opt.quota.cube.partition import Rounding
    from gtm_opt.quota.cube.space import Cells

__all__ = ["Cube"]


@dataclass(frozen=True, eq=False)
class Cube:
    """Amounts in several dimensions with exact margins.

    Attributes
    ----------
    table : DataFrame
        One row per cell that may get something, in the order of the labels: a column per dimension and per level of a
        tree, ``seed``, ``fitted`` (before rounding), ``amount`` (whole units; as fitted where nothing is rounded).
    margins : dict of tuple of str to DataFrame
        The margins asked for: their columns and ``amount``.
    unit : int or None
    method : str
        Of the fit: "raking" or "quadratic".
    passes : int
        Passes that the fit took.
    residual : float
        Largest difference between a fitted sum and its margin, as an amount.
    rounded_by : str
        "flow" or "integer program"; "" where nothing is rounded.
    distance : float
        Sum of distances between ``amount`` and ``fitted``, in units.
    bound : float
        No table of whole units with these margins (and the same widening) has a smaller distance.
    widening : int
        Units by which cells and subtotals may leave floor and ceiling of the fit. Above 0 only where it is proven
        that no table exists with fewer.
    is_optimal : bool
        Whether the distance meets the bound.
    limit_reached : bool
        Whether the time limit ended the rounding.
    zeros : int
        Number of structural zeros: combinations of labels without a seed.
    currency : str
    """

    table: pd.DataFrame
    margins: dict[tuple[str, ...], pd.DataFrame]
    unit: int | None
    method: str
    passes: int
    residual: float
    rounded_by: str = ""
    distance: float = 0.0
    bound: float = 0.0
    widening: int = 0
    is_optimal: bool = True
    limit_reached: bool = False
    zeros: int = 0
    currency: str = ""
    dimensions: tuple[str, ...] = field(default=())

    @classmethod
    def make(
        cls,
        cells: Cells,
        margins: Sequence[Margin],
        fit: Fit,
        rounding: Rounding | None,
        unit: int | None,
        method: str,
        currency: str,
    ) -> Cube:
        """Assemble the result; called by `allocate`."""
        scale = unit or 1
        table = cells.frame
        for name, axis in cells.axes.items():
            if name not in cells.dimensions:
                table[name] = axis.labels[axis.group[cells.code[axis.dimension]]]
        fitted = fit.values * scale
        amount = fitted if rounding is None else rounding.units * scale
        table = table.assign(seed=cells.seed, fitted=fitted, amount=amount)
        told = {m.axes: _margin_table(m, cells, unit) for m in margins}
        out = cls(table, told, unit, method, fit.passes, fit.residual * scale, zeros=cells.zeros, currency=currency,
                  dimensions=cells.dimensions)  # fmt: skip
        if rounding is None:
            return out
        from dataclasses import replace

        return replace(
            out,
            rounded_by=rounding.method,
            distance=float(np.abs(rounding.units - fit.values).sum()),
            bound=rounding.bound,
            widening=rounding.widening,
            is_optimal=rounding.is_optimal,
            limit_reached=rounding.limit_reached,
        )

    @property
    def gap(self) -> float:
        """How far the distance can be from the least, relative to it; 0 where it is proven."""
        return 0.0 if self.is_optimal or self.distance == 0.0 else (self.distance - self.bound) / self.distance

    @property
    def total(self) -> float:
        """Sum of all amounts."""
        total: float = np.sum(self.table["amount"].to_numpy()).item()
        return total

    def sums(self, *axes: str) -> pd.DataFrame:
        """Return the sums by dimensions or levels of trees: those columns and ``amount``."""
        self._check_axes(axes)
        if not axes:
            return pd.DataFrame({"amount": [self.total]})
        return self.table.groupby(list(axes), sort=True)["amount"].sum().reset_index()

    def wide(self, rows: str | Sequence[str], columns: str | Sequence[str]) -> pd.DataFrame:
        """Return sums as a cross table; 0 where there is no cell."""
        down, across = ([x] if isinstance(x, str) else list(x) for x in (rows, columns))
        self._check_axes([*down, *across])
        return self.table.pivot_table(index=down, columns=across, values="amount", aggfunc="sum", fill_value=0)

    def tie_out(self) -> pd.DataFrame:
        """Check every margin.

        Returns
        -------
        DataFrame
            One row per margin: ``margin``, ``groups``, ``total``, ``largest_difference``.

        Raises
        ------
        DataError
            Naming every group whose cells do not sum to its margin: to the unit where amounts are rounded, to the
            tolerance of the fit otherwise.
        """
        found, rows = Findings(), []
        for axes, margin in self.margins.items():
            sums = self.table.groupby(list(axes), sort=True)["amount"].sum()
            names = margin[list(axes)]
            wanted = margin["amount"].to_numpy()
            index = pd.MultiIndex.from_frame(names) if len(axes) > 1 else pd.Index(names[axes[0]])
            off = np.abs(sums.reindex(index).fillna(0).to_numpy() - wanted)
            slack = 0 if self.unit is not None else 1e-8 * np.maximum(1.0, np.abs(wanted))
            wrong = np.flatnonzero(off > slack)
            name = " x ".join(axes)
            if len(wrong):
                rule, kind = "must have the sums that were asked for", "group"
                found.add(f"cube by {name}", rule, rows=[" x ".join(map(str, names.iloc[g])) for g in wrong], kind=kind)
            rows.append((name, len(margin), wanted.sum(), float(off.max(initial=0.0))))
        found.raise_if_any()
        return pd.DataFrame(rows, columns=["margin", "groups", "total", "largest_difference"])

    def summary(self) -> pd.DataFrame:
        """Return what was asked and how well it was met: ``what``, ``value``."""
        rows: list[tuple[str, object]] = [
            ("cells", len(self.table)),
            ("structural zeros", self.zeros),
            ("total", self.total),
            ("margins", ", ".join(" x ".join(axes) for axes in self.margins)),
            ("method", self.method),
            ("passes", self.passes),
            ("largest difference before rounding", self.residual),
        ]
        if self.unit is not None:
            rows += [
                ("rounded by", self.rounded_by),
                ("distance in units", self.distance),
                ("least possible distance", self.bound),
                ("units beyond floor and ceiling", self.widening),
                ("proven optimal", self.is_optimal),
            ]
        return pd.DataFrame(rows, columns=["what", "value"])

    def _check_axes(self, axes: Sequence[str]) -> None:
        known = [c for c in self.table.columns if c not in ("seed", "fitted", "amount")]
        for name in axes:
            if name not in known:
                raise DataError(f"`{name}` must be a dimension or a level of a tree. {did_you_mean(name, known)}")

    def __repr__(self) -> str:
        sizes = " x ".join(f"{self.table[d].nunique():,} {d}" for d in self.dimensions)
        text = f"Cube: {amount_text(self.total, self.currency)} over {sizes}, {len(self.table):,} cells"
        if self.unit is None:
            return f"{text}, not rounded"
        proof = "least distance proven" if self.is_optimal else f"within {number_text(100 * self.gap)} % of the least"
        wide = f", up to {self.widening} units beyond floor and ceiling" if self.widening else ""
        return f"{text}, units of {self.unit:,} ({proof}{wide})"


def _margin_table(margin: Margin, cells: Cells, unit: int | None) -> pd.DataFrame:
    labels = cells.labels(margin.axes, np.arange(len(margin.total)))
    table = pd.DataFrame(labels, columns=list(margin.axes))
    amount = margin.total if unit is None else margin.total.astype(np.int64) * unit
    table["amount"] = amount
    absent = (margin.total == 0) & (np.bincount(margin.group, minlength=len(margin.total)) == 0)
    kept: pd.DataFrame = table[~absent].reset_index(drop=True)
    return kept
