"""Picture of what moves: from each present owner's territory to the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, number_text
from gtm_opt.model.tables import did_you_mean
from gtm_opt.reporting.canvas import axes_for, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gtm_opt.carving import Carving

__all__ = ["move_matrix", "plot_moves"]

NOBODY = "(nobody)"
WRITTEN = 16
"""Most territories for which the numbers are written into the cells."""


def move_matrix(carving: Carving, by: str | None = None) -> pd.DataFrame:
    """Return what goes from each territory (rows) to each territory (columns).

    Parameters
    ----------
    carving : Carving
    by : str, optional
        Numeric account column; default: the number of accounts.

    Raises
    ------
    DataError
        When the problem names no present owner, or there is no such numeric column.
    """
    if carving.problem.home is None:
        raise DataError(
            "Moves need today's owners: add KeepOwner('your owner column') to the problem, "
            "or name the column in previous=."
        )
    accounts = carving.problem.accounts
    if by is None:
        value = np.ones(len(accounts))
    elif by not in accounts.columns or not pd.api.types.is_numeric_dtype(accounts[by]):
        raise DataError(f"`by` must be a numeric account column, got '{by}'. {did_you_mean(by, accounts.columns)}")
    else:
        value = accounts[by].to_numpy(dtype=float)
    table = carving.assignment
    names = list(carving.territories.names)
    before = table["previous_territory"].where(table["previous_territory"].notna(), NOBODY)
    wide = pd.DataFrame({"from": before, "to": table["territory"], "value": value})
    matrix = wide.pivot_table(index="from", columns="to", values="value", aggfunc="sum", fill_value=0.0, observed=True)
    rows = [*names, NOBODY] if (before == NOBODY).any() else names
    return matrix.reindex(index=rows, columns=names, fill_value=0.0)


def plot_moves(carving: Carving, *, by: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw what each territory gives (rows) and gets (columns); what stays is on the gray diagonal.

    Parameters
    ----------
    carving : Carving
    by : str, optional
        Numeric account column to measure in; default: the number of accounts.
    ax : Axes, optional
        Where to draw; default: a new figure of its own.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        When the problem names no present owner, or there is no such numeric column.
    PlotNotAvailableError
        Without matplotlib.
    """
    matrix = move_matrix(carving, by)
    values = matrix.to_numpy(dtype=float)
    size = min(1.6 + 0.38 * max(values.shape), 12.0)
    ax = axes_for(ax, size + 1.0, size)
    moving = values.copy()
    stays = np.arange(values.shape[1])
    moving[stays, stays] = np.nan
    ax.set_facecolor("#E4E4E4")
    top = float(np.nanmax(moving)) if np.isfinite(moving).any() else 0.0
    down, across = (np.arange(n + 1) - 0.5 for n in values.shape)
    ax.pcolormesh(across, down, np.ma.masked_invalid(moving), cmap="Blues", vmin=0.0, vmax=top or 1.0)
    ax.set_aspect("equal")
    ax.invert_yaxis()
    if max(values.shape) <= WRITTEN:
        _write(ax, values, top)
    ax.set_xticks(range(values.shape[1]), [plain(n) for n in matrix.columns], rotation=90, fontsize=8)
    ax.set_yticks(range(values.shape[0]), [plain(n) for n in matrix.index], fontsize=8)
    ax.set_xlabel("to")
    ax.set_ylabel("from")
    ax.set_title(plain(f"what moves: {by or 'accounts'} (gray: stays)"), fontsize=10, loc="left")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _write(ax: Axes, values: np.ndarray[tuple[int, int], np.dtype[np.float64]], top: float) -> None:
    """Write the numbers into the cells, light on dark and dark on light."""
    for (row, column), value in np.ndenumerate(values):
        if value:
            dark = row != column and value > 0.6 * top
            text = _short(float(value))
            ax.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if dark else "#222222")


def _short(value: float) -> str:
    """Return a number of a few characters: 1.2M, 34k, 17."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / (1e3 if letter == 'k' else limit):.3g}{letter}"
    return number_text(value)
