"""Picture of the balance: every territory against its target, criterion by criterion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import MeasureError
from gtm_opt.reporting.canvas import BAD, GOOD, PALE, axes_for, plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from gtm_opt.carving import Carving
    from gtm_opt.measures import Check

__all__ = ["plot_balance"]

LABELLED = 12
"""Most rows in which the territory farthest off is named."""


def plot_balance(carving: Carving | Check, *, ax: Axes | None = None) -> Axes:
    """Draw one row per criterion: a dot per territory at its deviation, on the band it should keep.

    Parameters
    ----------
    carving : Carving or Check
        A `gtm_opt.check` of a plan made elsewhere does as well.
    ax : Axes, optional
        Where to draw; default: a new figure of its own.

    Returns
    -------
    Axes

    Raises
    ------
    PlotNotAvailableError
        Without matplotlib.
    MeasureError
        When nothing is balanced.

    Notes
    -----
    A territory outside its band is an orange diamond, one inside a blue dot. Absolute limits have
    no target and are left out. Bands of whole numbers can be wider than the tolerance.
    """
    table = carving.balance[carving.balance["target"] > 0]
    if table.empty:
        raise MeasureError("There is nothing to draw: the plan balances no criterion with a target.")
    names = list(dict.fromkeys(table["criterion"]))
    ax = axes_for(ax, 8.0, 1.3 + 0.5 * len(names))
    ax.use_sticky_edges = False
    for row, name in enumerate(names):
        _draw_row(ax, row, table[table["criterion"] == name], label=len(names) <= LABELLED)
    ax.margins(x=0.06)
    ax.axvline(0.0, color="#555555", linewidth=0.8, zorder=1)
    ax.set_yticks(range(len(names)), [plain(name) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:+.3g} %" if value else "0")
    ax.set_xlabel("deviation from target (bar: what is allowed)")
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return ax


def _draw_row(ax: Axes, row: int, table: pd.DataFrame, *, label: bool) -> None:
    """Draw one criterion: its band, its territories, the name of the one farthest off."""
    target = table["target"].to_numpy(dtype=float)
    low = float((table["lower"].to_numpy(dtype=float) / target - 1.0).min())
    high = float((table["upper"].to_numpy(dtype=float) / target - 1.0).max())
    ax.barh(row, high - low, left=low, height=0.5, color=PALE, zorder=0)
    deviation = table["deviation"].to_numpy(dtype=float)
    inside = table["within"].to_numpy(dtype=bool)
    for kept, color, marker, size in ((inside, GOOD, "o", 26), (~inside, BAD, "D", 34)):
        at = deviation[kept]
        ax.scatter(at, np.full(len(at), row), s=size, marker=marker, color=color, alpha=0.75, linewidths=0, zorder=2)
    if label:
        worst = int(np.abs(deviation).argmax())
        name = plain(table["territory"].iloc[worst])
        ax.annotate(
            name,
            (deviation[worst], row),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            annotation_clip=False,
        )
