"""Picture of the trade-off between balance and disruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.reporting.canvas import BAD, COLORS, axes_for, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gtm_opt.carving import Frontier

__all__ = ["plot_frontier"]


def plot_frontier(frontier: Frontier, *, ax: Axes | None = None) -> Axes:
    """Draw the curve of `gtm_opt.frontier`: how uneven (across) against what it costs (up).

    Parameters
    ----------
    frontier : Frontier
    ax : Axes, optional
        Where to draw; default: a new figure of its own.

    Returns
    -------
    Axes

    Raises
    ------
    PlotNotAvailableError
        Without matplotlib.

    Notes
    -----
    Across: worst deviation in tolerances, 1 is what was asked for; a logarithmic scale where the curve
    spans more than a factor of 20. The shaded area is proven to be out of reach. A diamond marks
    the knee.
    """
    table = frontier.table.sort_values("stretch", kind="stable")
    x, y = table["stretch"].to_numpy(dtype=float), table["score"].to_numpy(dtype=float)
    ax = axes_for(ax, 7.0, 4.2)
    # a bound holds for all that is at least as even (leftwards); a plan serves all who ask for less (rightwards)
    bound = np.maximum.accumulate(np.clip(table["bound"].to_numpy(dtype=float), 0.0, None)[::-1])[::-1]
    ax.fill_between(x, 0.0, bound, step="pre", color="#DDDDDD", linewidth=0, label="proven: nothing inside")
    ax.plot(x, y, color=COLORS[0], marker="o", markersize=5, drawstyle="steps-post", label="plans")
    at = table[table["knee"].astype(bool)]
    ax.plot(at["stretch"], at["score"], "D", color=BAD, markersize=9, label="knee", linestyle="none")
    ax.axvline(1.0, color="#555555", linewidth=0.8, linestyle=":", label="tolerances as asked")
    if x.min() > 0 and x.max() / x.min() > 20:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("worst deviation, in tolerances")
    ax.set_ylabel(plain(f"{frontier.over}: score (0 is best)"))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return ax
