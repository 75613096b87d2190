"""`allocate`: quotas by territory, product and quarter from any set of margins, exact in every sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, InfeasibleError
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.cube.diagnose import explain_failure, explain_groups
from gtm_opt.quota.cube.fit import fit_margins
from gtm_opt.quota.cube.flow import round_by_flow
from gtm_opt.quota.cube.integer import round_by_integers
from gtm_opt.quota.cube.margins import check_agreement, read_margins
from gtm_opt.quota.cube.partition import Rounding, partitions_of, split_units, two_chains
from gtm_opt.quota.cube.result import Cube
from gtm_opt.quota.cube.space import label_positions, read_cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.quota.cube.fit import Fit, Method
    from gtm_opt.quota.cube.margins import Margin
    from gtm_opt.quota.cube.space import Cells
    from gtm_opt.quota.layers import TreeLike

    FloatArray = NDArray[np.float64]

__all__ = ["allocate"]

METHODS = ("raking", "quadratic")


@takes_tables("bounds", either=("seed",))
def allocate(
    seed: pd.DataFrame | Mapping[str, pd.Series],
    margins: Mapping[Any, Any],
    *,
    bounds: pd.DataFrame | None = None,
    unit: int | None = 1_000,
    trees: Mapping[str, TreeLike] | None = None,
    method: Method = "raking",
    value: str = "seed",
    max_passes: int = 2_000,
    time_limit: float | None = 60.0,
    currency: str = "",
) -> Cube:
    """Allocate amounts to territory x product x quarter (or any other dimensions) from their margins.

    Parameters
    ----------
    seed : DataFrame or mapping
        One row per cell: a column for each dimension and `value`, a weight that is not negative (last year's table,
        say, whose pattern is kept). Cells that are 0 or absent are structural zeros: they get nothing. A mapping of
        dimension to a Series of shares stands for their product.
    margins : mapping
        The sums that must come out. Keys are dimensions, levels of `trees`, or tuples of them; values are Series,
        mappings, tables with those columns and one of amounts, or `Quotas` (the quotas of its leaves).
    bounds : DataFrame, optional
        A column for each dimension and ``floor``, ``cap`` or both: limits of single cells. Empty cells limit nothing.
    unit : int or None
        Rounding unit; amounts of margins must be multiples of it. None: do not round.
    trees : mapping of str to Hierarchy, optional
        Trees whose leaves are the labels of a dimension. Their levels can be used in `margins`; and the sum of each
        manager, region or product group in every cell of the other dimensions is rounded up or down only.
    method : {"raking", "quadratic"}
        Keep the pattern of the seed (its odds ratios), or move as little as possible in squares.
    value : str
        Column of the seed's weights.
    max_passes : int
        Passes over the margins after which the fit is given up.
    time_limit : float or None
        Seconds for the integer program where one is needed. None: until the optimum is proven.
    currency : str
        Label of the amounts, for display only.

    Returns
    -------
    Cube

    Raises
    ------
    DataError
        With every finding, before anything is computed: labels and columns that are not known, margins that disagree
        (with the cells and the amounts), amounts that are no whole units.
    InfeasibleError
        Cells that cannot hold a margin; margins for which there is no table; a fit that does not converge. Nothing
        half converged is returned.
    SolverError
        The time limit ended before a rounded table was found.

    Notes
    -----
    The fit is described in `gtm_opt.quota.cube.fit`. Rounding keeps every margin exactly. Where margins (and subtotals
    of trees) form two families of nested groups, it is a minimum-cost flow: each cell goes up or down only, and no
    other such table is nearer to the fit. Otherwise it is an integer program; ``Cube.bound`` says how near any
    table can be, and ``Cube.widening`` by how many units cells had to leave floor and ceiling, fewer being proven
    impossible.

    Examples
    --------
    >>> import pandas as pd
    >>> seed = pd.DataFrame({"territory": ["E", "E", "W", "W"], "product": ["A", "B"] * 2, "seed": [2.0, 1, 1, 1]})
    >>> cube = allocate(seed, {"territory": {"E": 60, "W": 40}, "product": {"A": 55, "B": 45}}, unit=1)
    >>> cube.table["amount"].tolist()
    [37, 23, 18, 22]
    """
    found = Findings()
    _check_options(unit, method, max_passes, time_limit, found)
    cells = read_cells(seed, value, trees, found)
    if cells is None or found:
        found.raise_if_any()
        raise AssertionError("a seed that cannot be read has findings")
    read = read_margins(margins, cells, unit, found)
    low, high = _read_bounds(bounds, cells, unit, found)
    if not found:
        check_agreement(read, cells, unit, found)
    found.raise_if_any()
    scale = float(unit or 1)
    reasons = explain_groups(read, cells, low, high, scale)
    if reasons:
        raise InfeasibleError(reasons)
    fit = fit_margins(cells.seed, read, low, high, method, max_passes)
    if not fit.converged:
        raise InfeasibleError(*_not_converged(fit, read, cells, low, high, scale))
    rounding = None if unit is None else _round(fit.values, low, high, cells, read, time_limit)
    cube = Cube.make(cells, read, fit, rounding, unit, method, currency)
    cube.tie_out()
    return cube


def _check_options(unit: object, method: object, max_passes: object, time_limit: float | None, found: Findings) -> None:
    if unit is not None and (isinstance(unit, bool) or not isinstance(unit, int | np.integer) or unit < 1):
        found.add("unit", "must be a whole number, at least 1, or None for no rounding", got=repr(unit))
    if method not in METHODS:
        found.add("method", f"must be one of {', '.join(METHODS)}", got=repr(method))
    if isinstance(max_passes, bool) or not isinstance(max_passes, int | np.integer) or max_passes < 1:
        found.add("max_passes", "must be a whole number, at least 1", got=repr(max_passes))
    if time_limit is not None and not time_limit > 0:
        found.add("time_limit", "must be positive, or None for no limit", got=repr(time_limit))
    found.raise_if_any()


def _read_bounds(
    bounds: pd.DataFrame | None, cells: Cells, unit: int | None, found: Findings
) -> tuple[FloatArray, FloatArray]:
    """Return floors and caps of the cells in units, rounded inwards to whole ones."""
    low, high = np.zeros(len(cells)), np.full(len(cells), np.inf)
    if bounds is None or bounds.empty:
        return low, high
    missing = [d for d in cells.dimensions if d not in bounds.columns]
    if missing or not {"floor", "cap"} & set(bounds.columns):
        found.add(
            "bounds",
            f"must have the columns {', '.join(cells.dimensions)} and floor or cap",
            rows=missing,
            kind="column",
        )
        return low, high
    place, is_known = np.zeros(len(bounds), dtype=np.int64), True
    for name in cells.dimensions:
        labels = cells.axes[name].labels
        code, strange = label_positions(bounds[name], labels)
        if strange:
            remedy = did_you_mean(strange[0], labels)
            found.add(
                f"bounds['{name}']", "must only name labels of the seed", rows=strange, kind="label", remedy=remedy
            )
            is_known = False
        place = place * len(labels) + code
    numbers = {c: _limit(bounds, c, found) for c in ("floor", "cap")}
    if not is_known:
        return low, high
    twice = pd.Series(place).duplicated().to_numpy()
    if twice.any():
        found.add("bounds", "must have one row per cell", rows=bounds.index[twice])
    at = pd.Index(cells.group(cells.dimensions)[0]).get_indexer(pd.Index(place))
    scale = float(unit or 1)
    floors = np.nan_to_num(numbers["floor"], nan=0.0) / scale
    caps = np.where(np.isnan(numbers["cap"]), np.inf, numbers["cap"] / scale)
    if unit is not None:
        # a small tolerance keeps 0.9 * 1,000,000 from becoming one unit more
        floors, caps = np.ceil(floors - 1e-9), np.floor(caps + 1e-9)
    empty = (at < 0) & (floors > 0)
    if empty.any():
        remedy = "Give these cells a seed above 0, or drop the floor."
        found.add(
            "bounds['floor']",
            "must not ask for cells that are zeros of the seed",
            rows=bounds.index[empty],
            remedy=remedy,
        )
    crossed = floors > caps
    if crossed.any():
        rule = "must not lie below the floor" + (f", both in whole units of {unit:,}" if unit else "")
        found.add("bounds['cap']", rule, rows=bounds.index[crossed])
    low[at[at >= 0]], high[at[at >= 0]] = floors[at >= 0], caps[at >= 0]
    return low, high


def _limit(bounds: pd.DataFrame, column: str, found: Findings) -> FloatArray:
    if column not in bounds.columns:
        return np.full(len(bounds), np.nan)
    numbers = pd.to_numeric(bounds[column], errors="coerce")
    bad = (numbers.isna() & bounds[column].notna()) | (numbers < 0)
    if bad.any():
        found.add(f"bounds['{column}']", "must hold numbers, none negative", rows=bounds.index[bad])
    return numbers.replace(np.inf, np.nan).to_numpy(dtype=np.float64)


def _not_converged(
    fit: Fit, margins: Sequence[Margin], cells: Cells, low: FloatArray, high: FloatArray, scale: float
) -> tuple[list[str], str]:
    reasons = explain_failure(margins, cells, low, high, scale)
    if reasons:
        return reasons, ""
    small = np.flatnonzero((fit.values < 1e-3) & (low <= 0.0))
    text = (
        f"There are tables with these margins, but the fit did not reach one in {fit.passes:,} passes: a sum is still "
        f"off by {fit.residual * scale:,.4g}."
    )
    if len(small):
        text += f" It drives {len(small):,} cells to nothing, for example '{cells.cell_names(small[:1])[0]}'."
    return [text], "Take method='quadratic', or raise max_passes."


def _round(
    values: FloatArray,
    low: FloatArray,
    high: FloatArray,
    cells: Cells,
    margins: Sequence[Margin],
    time_limit: float | None,
) -> Rounding:
    base, fraction = split_units(values)
    parts = partitions_of(cells, margins, values)
    chains = two_chains(parts, cells)
    if chains is not None:
        done = round_by_flow(base, fraction, parts, chains)
        if done is not None:
            return done
    largest = int(np.argmax([len(cells.axes[d].labels) for d in cells.dimensions]))
    return round_by_integers(base, fraction, low, high, parts, cells.code[largest], time_limit)
