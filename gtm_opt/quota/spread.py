"""Quotas over quarters, months and weeks, rounded amount by amount or as running totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Finding
from gtm_opt.quota.layers import Layers
from gtm_opt.quota.periods import TimeGrid, accumulate_over_periods, spread_over_periods

if TYPE_CHECKING:
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.quota.result import Quotas

__all__ = ["spread_quotas"]


def spread_quotas(quotas: Quotas, calendar: Calendar, by: str, cumulative: bool) -> pd.DataFrame:
    """Return quotas per node and period, with running totals; see `Quotas.spread`."""
    year = calendar.first_year()
    grid = TimeGrid.of(year)
    if by not in grid.names:
        raise DataError([Finding("by", f"must be one of {', '.join(grid.names)} of this calendar", repr(by))])
    stage = grid.names.index(by)
    layers = Layers.of(quotas)
    units = quotas.table["quota"].to_numpy(dtype=np.int64)[layers.row] // quotas.unit
    if cumulative:
        cells = accumulate_over_periods(layers, units, grid.shares[stage])
    else:
        cells = spread_over_periods(layers, units, grid)
        for finer in range(len(grid.names) - 1, stage, -1):
            cells = np.add.reduceat(cells, [span.start for span in grid.spans(finer)], axis=1)
    table = np.empty_like(cells)
    table[layers.row] = cells * quotas.unit
    return pd.DataFrame(
        {
            "node_id": np.repeat(quotas.table["node_id"].to_numpy(dtype=object), table.shape[1]),
            "period": np.tile(np.array(_labels(year, stage), dtype=object), len(table)),
            "quota": table.ravel(),
            "running_total": table.cumsum(axis=1).ravel(),
        }
    )


def _labels(year: Calendar, stage: int) -> list[str]:
    """Return the names of the periods of one stage of the calendar's grid."""
    if stage < 2:
        return list((year.quarters, year.labels)[stage])
    return [str(day) for day in np.arange(year.edges[0], year.edges[-1], np.timedelta64(7, "D"))]
