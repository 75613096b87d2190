"""Bookings of single seats: the same paths again, some seats at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.sales_capacity.odds.arrays import Compiled, compile_request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.odds.request import OddsRequest

__all__ = ["seat_totals"]

_NUMBERS = 8_000_000


def seat_totals(
    request: OddsRequest, bucket: NDArray[np.int64], executor: Executor | None = None
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield every seat with its bookings, shape (paths, number of buckets), in the order of the roster."""
    from gtm_opt.sales_capacity.odds.run import sample

    compiled = compile_request(request)
    codes, seats = pd.factorize(compiled.labels["seat_id"].astype(str))
    at_once = max(1, _NUMBERS // (request.paths * (int(bucket.max()) + 1)))
    for first in range(0, len(seats), at_once):
        rows = np.flatnonzero((codes >= first) & (codes < first + at_once))
        count = min(at_once, len(seats) - first)
        part = _take(compiled, rows)
        bookings = sample(part, request, codes[rows].astype(np.int64) - first, count, bucket, executor)
        for at in range(count):
            yield str(seats[first + at]), bookings[at]


def _take(compiled: Compiled, rows: NDArray[np.int64]) -> Compiled:
    """Return some of the stints."""
    stints = compiled.stints
    by_row = ("key", "group", "role", "first", "last", "planned", "full", "unramped", "begin", "end", "ramping")
    part = stints._replace(**{name: getattr(stints, name)[rows] for name in by_row}, stay=stints.stay[:, rows])
    return Compiled(part, compiled.hires, compiled.noise, compiled.labels.iloc[rows], compiled.cover[rows])
