"""`reconcile`: one coherent set of numbers out of top-down, bottom-up and capacity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean, id_text
from gtm_opt.quota.layers import Layers, TreeLike
from gtm_opt.quota.reconciliation.estimates import SOURCES, pool, read_source
from gtm_opt.quota.reconciliation.reliability import estimate_reliability, read_history, shrunk_correlation
from gtm_opt.quota.reconciliation.solve import METHODS, Request, solve_request
from gtm_opt.quota.reconciliation.system import read_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.quota.reconciliation.estimates import Estimates
    from gtm_opt.quota.reconciliation.result import Reconciliation

    FloatArray = NDArray[np.float64]

__all__ = ["reconcile"]

_DEFAULT_SD = 0.1


@takes_tables("bounds", "history", labelled=("covariance",))
def reconcile(
    tree: TreeLike,
    top_down: Any = None,
    bottom_up: Any = None,
    capacity: Any = None,
    *,
    fixed: Iterable[str] | Mapping[str, float] = (),
    method: str = "wls",
    covariance: pd.DataFrame | None = None,
    over_assign: float | Mapping[str, float] | None = None,
    bounds: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    sd_frac: Mapping[str, float] | None = None,
    unit: int = 1_000,
    currency: str = "",
) -> Reconciliation:
    """Reconcile what the plan hands down, what the field commits, and what the teams can carry.

    Parameters
    ----------
    tree : Hierarchy
    top_down, bottom_up, capacity : Quotas, Capacity, DataFrame, Series or mapping, optional
        Estimates of any nodes at any level: ``node_id``, ``value`` and optionally ``sd``, the standard deviation of
        the estimate. A node that is left out is unknown, not zero.
    fixed : sequence of str, or mapping of str to float
        Nodes that must not move: at their top-down value, or at the amount given. Whole units.
    method : {"wls", "ols", "entropy", "covariance"}
        Weight moves by variance (default), alike, relative to the size of the estimate, or by a covariance.
    covariance : DataFrame, optional
        Node ids as index and columns, for ``method="covariance"``. Default there: standard deviations of the pooled
        estimates and correlations of past errors (`history`), shrunk.
    over_assign : float or mapping, optional
        As in `cascade`. Default: that of `top_down` if it is `Quotas`, otherwise none.
    bounds : DataFrame, optional
        ``node_id`` with ``floor``, ``cap`` or both. Nothing goes below 0.
    history : DataFrame, optional
        Past commits: ``node_id``, ``commit``, ``actual`` and optionally ``period``. Corrects `bottom_up` for the bias
        of each node, shrunk to that of everybody, and sets its standard deviation where none is given.
    sd_frac : mapping, optional
        Standard deviation of a source as a part of its values where none is given, for example
        ``{"top_down": 0.15}``. Default: 0.1 for each.
    unit : int
        Rounding unit.
    currency : str
        Label of the amounts, for display only.

    Returns
    -------
    Reconciliation

    Raises
    ------
    DataError
        With every finding: nodes that are not in the tree, text for money, standard deviations that are not positive,
        fixed amounts that are no whole units, a covariance that is none.
    InfeasibleError
        Fixed nodes, floors and caps that contradict each other, with the families and the amounts.
    SolverError
        The result does not pass the check of its optimality conditions.

    Notes
    -----
    The estimates of each node are pooled by inverse variance to ``z``. Then::

        min (y - z)' W^-1 (y - z)  so that, at every node p,  children sum to (1 + over-assignment) y_p    (14)

    with W = diag(variance), the identity, or the covariance; entropy minimizes ``sum y log(y / z) - y + z``. Fixed
    nodes have no variance, hence do not move. Bounds are part of the problem. Its optimality conditions are then
    recomputed from the tree by other code than found it. Whole units come last, from the top, each family by largest
    remainder. O(n) memory; one sparse factorization with the pattern of the tree per step.

    Examples
    --------
    >>> from gtm_opt import Hierarchy
    >>> tree = Hierarchy.from_dict({"East": ["E1", "E2"]}, root="company")
    >>> plan = {"company": 100, "East": 100, "E1": 60, "E2": 40}
    >>> commits = pd.DataFrame({"node_id": ["E1"], "value": [40], "sd": [3]})
    >>> reconcile(tree, plan, commits, fixed=["company"], unit=1).amounts["E1"]
    49
    """
    found = Findings()
    layers = Layers.of(tree)
    _check_options(method, covariance, history, unit, sd_frac, found)
    found.raise_if_any()
    given = dict(zip(SOURCES, (top_down, bottom_up, capacity), strict=True))
    spread = {s: float((sd_frac or {}).get(s, _DEFAULT_SD)) for s in SOURCES}
    edges = read_edges(over_assign, _edges_of(top_down, layers), layers, found)
    ratios = None if history is None else read_history(history, layers, found)
    read = {s: read_source(s, given[s], spread[s], layers, found) for s in SOURCES if given[s] is not None}
    if not read:
        found.add("top_down, bottom_up and capacity", "must not all be missing")
    low, high = _read_bounds(bounds, layers, unit, found)
    reliability = None
    if ratios is not None and "bottom_up" in read and not found:
        reliability = estimate_reliability(ratios)
        read["bottom_up"] = _correct(read["bottom_up"], given["bottom_up"], reliability, layers)
    pins = _read_fixed(fixed, read.get("top_down"), layers, unit, found)
    found.raise_if_any()
    factor = np.array([float(e) for e in edges])
    estimates = pool({s: v for s, (v, _) in read.items()}, {s: d for s, (_, d) in read.items()}, layers, factor, found)
    found.raise_if_any()
    matrix = _covariance(method, covariance, estimates, ratios, layers, found)
    found.raise_if_any()
    notes = [
        f"{s}: a standard deviation of {spread[s]:.0%} of the value is assumed where none is given."
        for s in read
        if _has_no_sd(given[s]) and not (s == "bottom_up" and reliability is not None)
    ]
    if estimates.derived.any():
        notes.append(
            f"{int(estimates.derived.sum()):,} nodes have no estimate of their own; theirs follows from the others."
        )
    request = Request(
        tree.table,
        layers,
        tuple(edges),
        estimates,
        pins,
        low,
        high,
        method,
        matrix,
        unit,
        tuple(notes),
        currency,
        reliability,
    )
    return solve_request(request)


def _check_options(
    method: object,
    covariance: object,
    history: object,
    unit: object,
    sd_frac: Mapping[str, float] | None,
    found: Findings,
) -> None:
    if method not in METHODS:
        found.add("method", f"must be one of {', '.join(METHODS)}", got=repr(method))
    if isinstance(unit, bool) or not isinstance(unit, int | np.integer) or unit < 1:
        found.add("unit", "must be a whole number, at least 1", got=repr(unit))
    if covariance is not None and method != "covariance":
        found.add("covariance", "needs method='covariance'", got=f"method={method!r}")
    if method == "covariance" and covariance is None and history is None:
        found.add("method='covariance'", "needs covariance= or history=")
    for name, part in (sd_frac or {}).items():
        if name not in SOURCES:
            found.add("sd_frac", "must name sources", got=f"'{name}'", remedy=did_you_mean(name, SOURCES))
        elif not (isinstance(part, int | float) and 0 < part < np.inf):
            found.add(f"sd_frac['{name}']", "must be a positive number", got=repr(part))


def _edges_of(top_down: Any, layers: Layers) -> FloatArray | None:
    """Return the over-assignment of the edge into each node, where the top-down numbers are quotas."""
    table = getattr(top_down, "table", None)
    if not isinstance(table, pd.DataFrame) or not {"node_id", "edge_oa_frac"} <= set(table.columns):
        return None
    into = table.set_index(table["node_id"].astype(str))["edge_oa_frac"]
    return into.reindex(layers.ids).fillna(0.0).to_numpy(dtype=np.float64)


def _has_no_sd(given: Any) -> bool:
    return not (isinstance(given, pd.DataFrame) and "sd" in given.columns and bool(given["sd"].notna().all()))


def _correct(
    read: tuple[FloatArray, FloatArray], given: Any, reliability: pd.DataFrame, layers: Layers
) -> tuple[FloatArray, FloatArray]:
    """Return commits without their usual bias, with the spread that past commits had."""
    values, sd = read
    told = reliability.set_index("node_id").reindex(layers.ids)
    # a node without a history of its own errs like everybody
    bias = told["bias"].fillna(float(reliability["bias"].mean())).to_numpy(dtype=np.float64)
    spread = told["sd_frac"].fillna(float(reliability["sd_frac"].mean())).to_numpy(dtype=np.float64)
    stated = np.zeros(len(layers), dtype=bool)
    if isinstance(given, pd.DataFrame) and "sd" in given.columns:
        with_sd = given[given["sd"].notna()]["node_id"]
        stated = np.isin(np.array(layers.ids, dtype=object), id_text(with_sd).to_numpy(dtype=object))
    usable = spread > 0
    past = np.where(usable, spread * np.maximum(values, 1e-300), sd)
    return values * bias, np.where(stated | ~usable | (values == 0), sd, past)


def _read_bounds(
    bounds: pd.DataFrame | None, layers: Layers, unit: int, found: Findings
) -> tuple[FloatArray, FloatArray]:
    """Return floors and caps as amounts, rounded inwards to whole units."""
    low, high = np.zeros(len(layers)), np.full(len(layers), np.inf)
    if bounds is None or bounds.empty:
        return low, high
    if "node_id" not in bounds.columns or not {"floor", "cap"} & set(bounds.columns):
        found.add("bounds", "must have the column node_id and floor or cap", got=", ".join(map(str, bounds.columns)))
        return low, high
    ids = id_text(bounds["node_id"]).str.strip()
    at = pd.Index(layers.ids).get_indexer(pd.Index(ids))
    strange = ids[at < 0].unique()
    if len(strange):
        remedy = did_you_mean(strange[0], layers.ids)
        found.add("bounds['node_id']", "must only name nodes of the tree", rows=strange, kind="node", remedy=remedy)
    if ids.duplicated().any():
        found.add("bounds", "must have one row per node", rows=ids[ids.duplicated()].unique(), kind="node")
    for column, limit in (("floor", low), ("cap", high)):
        if column not in bounds.columns:
            continue
        numbers = pd.to_numeric(bounds[column], errors="coerce")
        bad = (numbers.isna() & bounds[column].notna()) | (numbers < 0)
        if bad.any():
            found.add(f"bounds['{column}']", "must hold numbers, none negative", rows=ids[bad], kind="node")
            continue
        use = (numbers.notna() & ~np.isinf(numbers)).to_numpy() & (at >= 0)
        # a small tolerance keeps 0.9 * 1,000,000 from becoming one unit more
        units = numbers.to_numpy(dtype=np.float64)[use] / unit
        whole = np.ceil(units - 1e-9) if column == "floor" else np.floor(units + 1e-9)
        limit[at[use]] = whole * unit
    return low, high


def _read_fixed(
    fixed: Iterable[str] | Mapping[str, float],
    top_down: tuple[FloatArray, FloatArray] | None,
    layers: Layers,
    unit: int,
    found: Findings,
) -> dict[int, float]:
    """Return the amount of each fixed node."""
    place = {node: i for i, node in enumerate(layers.ids)}
    if isinstance(fixed, str):
        fixed = (fixed,)
    named = [str(f) for f in fixed]
    strange = [f for f in named if f not in place]
    if strange:
        remedy = did_you_mean(strange[0], layers.ids)
        found.add("fixed", "must only name nodes of the tree", rows=strange, kind="node", remedy=remedy)
    out: dict[int, float] = {}
    unknown, broken = [], []
    for name in named:
        if name not in place:
            continue
        given = fixed[name] if isinstance(fixed, Mapping) else np.nan if top_down is None else top_down[0][place[name]]
        try:
            amount = float(given)
        except (TypeError, ValueError):
            found.add(f"fixed['{name}']", "must be a number", got=repr(given))
            continue
        if np.isnan(amount):
            unknown.append(name)
        elif amount < 0 or abs(amount / unit - round(amount / unit)) > 1e-9:
            broken.append(f"{name}: {amount:,.2f}")
        else:
            out[place[name]] = amount
    if unknown:
        remedy = "Give the amount: fixed={'node': amount}."
        found.add("fixed", "must have a top-down value for each node", rows=unknown, kind="node", remedy=remedy)
    if broken:
        found.add("fixed", f"must be whole units of {unit:,}, none negative", rows=broken, kind="node")
    return out


def _covariance(
    method: str,
    covariance: pd.DataFrame | None,
    estimates: Estimates,
    ratios: pd.DataFrame | None,
    layers: Layers,
    found: Findings,
) -> FloatArray | None:
    """Return the covariance of all nodes, or None where variances are enough."""
    if method == "entropy":
        empty = [layers.ids[i] for i in np.flatnonzero(estimates.pooled <= 0)]
        if empty:
            remedy = "Take method='wls', which knows nothing of ratios."
            found.add("estimates for method='entropy'", "must be above 0", rows=empty, kind="node", remedy=remedy)
    if method != "covariance":
        return None
    if covariance is None:
        if ratios is None:
            raise DataError("method='covariance' needs covariance= or history=")
        sd = np.sqrt(estimates.variance)
        return np.asarray(shrunk_correlation(ratios, layers, found) * sd[:, None] * sd[None, :])
    table = covariance.set_axis(covariance.index.astype(str)).set_axis(covariance.columns.astype(str), axis=1)
    missing = [i for i in layers.ids if i not in table.index or i not in table.columns]
    if missing:
        found.add("covariance", "must have a row and a column for every node", rows=missing, kind="node")
        return None
    matrix: FloatArray = (
        table.loc[layers.ids, layers.ids].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    )
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, rtol=1e-9, atol=0):
        found.add("covariance", "must be symmetric and hold numbers only")
    elif np.linalg.eigvalsh(matrix)[0] <= 0:
        remedy = "Add some variance to its diagonal, or give history= for a shrunk one."
        found.add("covariance", "must be positive definite", remedy=remedy)
    return matrix
