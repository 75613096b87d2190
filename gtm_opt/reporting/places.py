"""Map of the accounts by territory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError
from gtm_opt.model import Near
from gtm_opt.reporting.canvas import COLORS, MARKERS, axes_for, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gtm_opt.carving import Carving

__all__ = ["coordinates", "plot_map"]

MANY = 3_000
"""More points than this are drawn as pixels inside an SVG."""

LEGEND = 20
"""Most territories in the legend."""


def coordinates(carving: Carving) -> tuple[str, str] | None:
    """Return the columns of latitude and longitude: those of a `Near`, else ``lat`` and ``lon`` where they are."""
    for preference in carving.problem.prefer:
        if isinstance(preference, Near):
            return preference.lat, preference.lon
    return ("lat", "lon") if {"lat", "lon"} <= set(carving.problem.accounts.columns) else None


def plot_map(carving: Carving, *, lat: str | None = None, lon: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw every account at its place, with the color and sign of its territory.

    Parameters
    ----------
    carving : Carving
    lat, lon : str, optional
        Columns with degrees (or plane coordinates); default: those of the problem's `Near`, else ``lat`` and ``lon``.
    ax : Axes, optional
        Where to draw; default: a new figure of its own.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        When the accounts have no such columns.
    PlotNotAvailableError
        Without matplotlib.

    Notes
    -----
    Accounts without coordinates are left out. No coastlines: the picture needs no network.
    """
    found = coordinates(carving)
    lat, lon = lat or (found[0] if found else "lat"), lon or (found[1] if found else "lon")
    table = carving.accounts
    missing = [column for column in (lat, lon) if column not in table.columns]
    if missing:
        raise DataError(
            f"A map needs the columns of latitude and longitude, the accounts have no '{missing[0]}'. "
            "Pass lat= and lon=."
        )
    y = pd.to_numeric(table[lat], errors="coerce").to_numpy(dtype=float)
    x = pd.to_numeric(table[lon], errors="coerce").to_numpy(dtype=float)
    placed = np.isfinite(x) & np.isfinite(y)
    ax = axes_for(ax, 8.5, 5.0)
    territory = table["territory"].to_numpy()
    for k, name in enumerate(carving.territories.names):
        here = placed & (territory == name)
        color, marker = COLORS[k % len(COLORS)], MARKERS[(k + k // len(COLORS)) % len(MARKERS)]
        ax.scatter(
            x[here],
            y[here],
            s=30,
            color=color,
            marker=marker,
            alpha=0.75,
            linewidths=0,
            label=plain(name),
            rasterized=bool(placed.sum() > MANY),
        )
    degrees = placed.any() and np.abs(y[placed]).max() <= 90 and np.abs(x[placed]).max() <= 180
    if degrees:
        ax.set_aspect(1.0 / max(float(np.cos(np.radians(y[placed].mean()))), 0.1))
    ax.set_xlabel(plain(lon))
    ax.set_ylabel(plain(lat))
    ax.spines[["top", "right"]].set_visible(False)
    if carving.territories.count <= LEGEND:
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8)
    return ax
