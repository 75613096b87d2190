"""The linear relaxation over few pairs, solved to its vertex: LP duals where smoothed prices blur the large units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import vstack

from gtm_opt.solvers.lns.model import program_of
from gtm_opt.solvers.local_search.relaxation import Relaxation, dual_value, priced_cost

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import FloatArray
    from gtm_opt.solvers.lns.model import Program
    from gtm_opt.solvers.local_search.arrays import Layout

__all__ = ["sharpened"]


def sharpened(
    layout: Layout, relaxation: Relaxation, pairs: int, seconds: float, cut: Callable[[], None] | None = None
) -> Relaxation:
    """Return the relaxation at the prices of the linear program over the cheapest pairs.

    Parameters
    ----------
    layout : Layout
    relaxation : Relaxation
        At the smoothed prices; returned as it is where the linear program has no answer.
    pairs : int
        How many, by those prices.
    seconds : float
        Safeguard.
    cut : callable, optional
        Called when it was reached.

    Notes
    -----
    A price that is a little off is much for a large unit: its reduced costs, and so its place among
    those worth deciding, are wrong by that little times its size. At a vertex of the linear program all but
    about one unit per band are whole, and their reduced costs are exact. The bound is that of all
    pairs at these prices, so it is valid whatever pairs were left out.
    """
    reduced = relaxation.reduced
    flat = reduced[np.isfinite(reduced)]
    limit = np.partition(flat, min(pairs, len(flat)) - 1)[min(pairs, len(flat)) - 1]
    program = program_of(layout, reduced <= limit)
    prices = _prices(layout, program, seconds, cut)
    if prices is None:
        return relaxation
    band_prices, side_prices = prices
    priced = priced_cost(layout, band_prices, side_prices)
    bound = dual_value(layout, priced, band_prices, side_prices)
    return Relaxation(band_prices, side_prices, bound, priced)


def _prices(
    layout: Layout, program: Program, seconds: float, cut: Callable[[], None] | None
) -> tuple[FloatArray, FloatArray] | None:
    """Return the dual values of bands and side rows, None where there are none."""
    # the upper limit of one follows from the equations, but with it the simplex is several times faster
    n_pairs = len(program.unit)
    limits: list[tuple[float, float | None]] = [(0.0, 1.0)] * n_pairs + [(0.0, None)] * (len(program.cost) - n_pairs)
    pick: Any = program.pick
    below, above = np.isfinite(program.low), np.isfinite(program.high)
    found = linprog(
        program.cost,
        A_ub=vstack([program.bands[above], -program.bands[below], program.side], format="csr"),
        b_ub=np.concatenate([program.high[above], -program.low[below], program.side_high]),
        A_eq=pick,
        b_eq=np.ones(layout.n_free),
        bounds=limits,
        method="highs-ds",
        options={"time_limit": seconds},
    )
    if found.status == 1 and cut is not None:
        cut()
    if found.status != 0:
        return None
    dual = np.maximum(-found.ineqlin.marginals, 0.0)  # round-off of the wrong sign would spoil the bound
    net = np.zeros(len(program.band))
    net[above] += dual[: above.sum()]
    net[below] -= dual[above.sum() : above.sum() + below.sum()]
    k, m = layout.fixed.shape
    prices = np.zeros(k * m)
    prices[program.band] = net
    box = np.where(layout.elastic >= 0, layout.elastic, np.inf)
    return np.clip(prices.reshape(k, m), -box, box) * layout.scale, dual[above.sum() + below.sum() :]
