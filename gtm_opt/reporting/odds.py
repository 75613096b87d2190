"""Pictures of expected capacity and of the odds: the waterfall, and the fan of running bookings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.reporting.canvas import BAD, COLORS, GOOD, PALE, axes_for, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gtm_opt.sales_capacity import ExpectedCapacity, Odds

__all__ = ["plot_odds", "plot_waterfall"]

_BANDS = ((0.05, 0.95, 0.18), (0.25, 0.75, 0.32))


def plot_waterfall(expected: ExpectedCapacity, *, ax: Axes | None = None) -> Axes:
    """Draw the way from the roster's capacity to the expected one.

    Parameters
    ----------
    expected : ExpectedCapacity
        ``capacity(..., attrition=...).expected``.
    ax : Axes, optional
        Where to draw; default: a new figure of its own.

    Returns
    -------
    Axes

    Raises
    ------
    PlotNotAvailableError
        Without matplotlib.
    """
    steps = expected.waterfall()
    amounts = steps["amount"].to_numpy(dtype=np.float64) / 1e6
    inner = np.cumsum(amounts[:-1])
    x = np.arange(len(steps))
    ax = axes_for(ax, max(5.0, 1.4 + 1.1 * len(steps)), 3.6)
    ax.bar([x[0], x[-1]], [amounts[0], amounts[-1]], width=0.62, color=PALE, edgecolor=COLORS[0], linewidth=1.0)
    colors = [BAD if change < 0 else GOOD for change in amounts[1:-1]]
    ax.bar(x[1:-1], amounts[1:-1], bottom=inner[:-1], width=0.62, color=colors)
    ax.hlines(inner, x[:-1] + 0.31, x[1:] - 0.31, color="#222222", linewidth=0.8)
    tops = [amounts[0], *np.maximum(inner[:-1], inner[1:]), amounts[-1]]
    for at, (top, amount) in enumerate(zip(tops, amounts, strict=True)):
        text = f"{amount:,.3g}" if at in (0, len(x) - 1) else f"{amount:+,.2g}"
        ax.text(float(at), float(top), text, ha="center", va="bottom", fontsize=8)
    ax.set_xticks(x, [plain(step).replace(" ", "\n", 1) for step in steps["step"]], fontsize=8)
    low = min(float(inner.min()), float(amounts[-1]))
    ax.set_ylim(bottom=max(0.0, low - 2.0 * (float(amounts[0]) - low)))
    ax.set_ylabel(f"million {expected.currency}".rstrip())
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(axis="x", length=0)
    ax.margins(y=0.12)
    return ax


def plot_odds(odds: Odds, *, ax: Axes | None = None) -> Axes:
    """Draw running bookings month by month as a fan, beside the running target.

    Parameters
    ----------
    odds : Odds
    ax : Axes, optional
        Where to draw; default: a new figure of its own.

    Returns
    -------
    Axes
        The middle line is the median; the darker band holds half of the paths, the lighter one 90 %.

    Raises
    ------
    PlotNotAvailableError
        Without matplotlib.
    """
    running = np.cumsum(odds.months, axis=1) / 1e6
    target = np.cumsum(odds.target_by_month) / 1e6
    x = np.arange(running.shape[1])
    ax = axes_for(ax, max(5.5, 1.8 + 0.42 * len(x)), 3.6)
    for low, high, alpha in _BANDS:
        bottom, top = np.quantile(running, (low, high), axis=0)
        ax.fill_between(
            x, bottom, top, color=COLORS[0], alpha=alpha, linewidth=0, label=f"{high - low:.0%} of the paths"
        )
    ax.plot(x, np.median(running, axis=0), color=COLORS[0], linewidth=1.8, label="median")
    ax.plot(x, target, color=BAD, linewidth=1.8, linestyle="--", label="target")
    low, high = odds.interval()
    ax.set_title(f"target made with probability {odds.p_target:.2f} ({low:.2f} to {high:.2f})", fontsize=9, loc="left")
    every = max(1, len(x) // 12)
    ax.set_xticks(
        x[::every], [plain(label) for label in odds.request.calendar.labels[::every]], fontsize=8, rotation=45
    )
    ax.set_ylabel(f"million {odds.request.currency}, running".replace(" ,", ","))
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, fontsize=8, loc="upper left")
    return ax
