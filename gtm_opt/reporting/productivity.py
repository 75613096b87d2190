"""Picture of capacity against quotas, quarter by quarter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.reporting.canvas import BAD, COLORS, PALE, axes_for, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gtm_opt.quota import Quotas
    from gtm_opt.sales_capacity import Capacity

__all__ = ["plot_capacity"]


def plot_capacity(capacity: Capacity, quotas: Quotas | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw what the team can book per quarter, beside the target and the field's quotas.

    Parameters
    ----------
    capacity : Capacity
    quotas : Quotas, optional
        Made with a calendar; quarters that the capacity does not have are left out.
    ax : Axes, optional
        Where to draw; default: a new figure of its own.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        For quotas without a calendar, which have no quarters.
    PlotNotAvailableError
        Without matplotlib.
    """
    quarters = list(capacity.calendar.quarters)
    able = capacity.by("quarter").set_index("quarter")["capacity"].reindex(quarters).fillna(0.0).to_numpy() / 1e6
    wide = None if quotas is None else quotas.by_quarter().set_index("node_id")
    ax = axes_for(ax, max(5.0, 1.6 + 1.25 * len(quarters)), 3.6)
    x = np.arange(len(quarters))
    ax.bar(x, able, width=0.62, color=PALE, edgecolor=COLORS[0], linewidth=1.0, label="capacity of the team")
    for at, value in zip(x, able, strict=True):
        ax.text(float(at), float(value), f"{value:,.3g}", ha="center", va="bottom", fontsize=8)
    if quotas is not None and wide is not None:
        table = quotas.table
        root = str(table.loc[table["parent_id"].isna(), "node_id"].iloc[0])
        target = wide.loc[root].reindex(quarters).to_numpy(dtype=float) / 1e6
        field = wide.loc[table.loc[table["is_leaf"], "node_id"]].sum().reindex(quarters).to_numpy(dtype=float) / 1e6
        ax.hlines(target, x - 0.4, x + 0.4, color=BAD, linewidth=2.5, label="target")
        ax.hlines(field, x - 0.4, x + 0.4, color="#222222", linewidth=1.5, linestyles=":", label="sum of the quotas")
    ax.set_xticks(x, [plain(q) for q in quarters])
    ax.set_ylabel(f"million {capacity.currency}".rstrip())
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(axis="x", length=0)
    ax.margins(y=0.12)
    ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return ax
