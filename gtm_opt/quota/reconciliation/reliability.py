"""What past commits say about the next ones: bias and reliability by node, shrunk, and how errors move together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.model.tables import did_you_mean, id_text, number_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.quota.layers import Layers

    FloatArray = NDArray[np.float64]

__all__ = ["estimate_reliability", "read_history", "shrunk_correlation"]

_PRIOR_COMMITS = 4.0
"""Commits that the spread of everybody counts for when the spread of one node is estimated."""


def read_history(history: pd.DataFrame, layers: Layers, found: Findings) -> pd.DataFrame | None:
    """Return ``node_id, period, ratio`` (actual over commit), or record what is wrong."""
    missing = [c for c in ("node_id", "commit", "actual") if c not in getattr(history, "columns", ())]
    if missing:
        found.add("history", "must have the columns node_id, commit and actual", rows=missing, kind="column")
        return None
    ids = id_text(history["node_id"]).str.strip()
    strange = ids[~ids.isin(layers.ids)].unique()
    if len(strange):
        remedy = did_you_mean(strange[0], layers.ids)
        found.add("history['node_id']", "must only name nodes of the tree", rows=strange, kind="node", remedy=remedy)
    fill = "Leave out periods without a commit."
    commit, actual = (number_column(history, c, found, what="history", fill=fill) for c in ("commit", "actual"))
    if commit is not None and (commit <= 0).any():
        rows = history.index[commit <= 0]
        found.add("history['commit']", "must be above 0", rows=rows, remedy=fill)
    if found or commit is None or actual is None:
        return None
    period = history["period"] if "period" in history.columns else history.groupby(ids).cumcount()
    table = pd.DataFrame({"node_id": ids, "period": period.to_numpy(), "ratio": (actual / commit).to_numpy()})
    twice = table.duplicated(["node_id", "period"]).to_numpy()
    if twice.any():
        found.add("history", "must have one row per node and period", rows=history.index[twice])
        return None
    return table.sort_values(["node_id", "period"], kind="stable", ignore_index=True)


def estimate_reliability(ratios: pd.DataFrame) -> pd.DataFrame:
    """Estimate bias and reliability of each node's commits, both shrunk to those of everybody.

    Parameters
    ----------
    ratios : DataFrame
        From `read_history`.

    Returns
    -------
    DataFrame
        ``node_id``, ``commits`` (their number), ``raw_bias`` (mean of actual over commit), ``bias`` (shrunk),
        ``sd_frac`` (spread of a single commit around its bias, as a part of the commit, shrunk).

    Notes
    -----
    Empirical Bayes in the one-way layout: with variance s2 within nodes and t2 between their true means (method of
    moments), the mean of n commits keeps the part ``t2 / (t2 + s2 / n)`` of its distance from the mean of all [1]_. The
    variance of a node counts with its degrees of freedom, that of everybody with four. With fewer than two nodes, or
    fewer than two commits each, there is nothing to shrink to, and the mean of all is used for everyone.

    References
    ----------
    .. [1] B. Efron and C. Morris (1975). Data analysis using Stein's estimator and its generalizations. Journal of the
       American Statistical Association 70(350), 311-319. https://doi.org/10.1080/01621459.1975.10479864
    """
    groups = ratios.groupby("node_id", sort=True)["ratio"]
    count, mean = groups.size().to_numpy(dtype=np.float64), groups.mean().to_numpy(dtype=np.float64)
    squares = groups.var(ddof=0).to_numpy(dtype=np.float64) * count
    freedom = float(np.maximum(count - 1.0, 0.0).sum())
    center = float(mean.mean())
    within = float(squares.sum()) / freedom if freedom > 0 else float(np.var(mean))
    between = 0.0
    if len(mean) > 1:
        between = max(0.0, float(mean.var(ddof=1)) - within * float(np.mean(1.0 / count)))
    keep = between / (between + within / count) if between > 0 else np.zeros(len(mean))
    own = np.maximum(count - 1.0, 0.0)
    spread = np.sqrt((_PRIOR_COMMITS * within + squares) / (_PRIOR_COMMITS + own))
    return pd.DataFrame(
        {
            "node_id": list(groups.groups),
            "commits": count.astype(np.int64),
            "raw_bias": mean,
            "bias": center + keep * (mean - center),
            "sd_frac": spread,
        }
    )


def shrunk_correlation(ratios: pd.DataFrame, layers: Layers, found: Findings) -> FloatArray:
    """Return the correlation of errors between nodes, shrunk to none, shape (n_nodes, n_nodes).

    Raises
    ------
    DataError
        Recorded in ``found``: nodes without every period, fewer than three periods.

    Notes
    -----
    ``(1 - s) R + s I`` with the intensity s that minimizes the expected squared error [1]_. Nodes without a history
    are uncorrelated.

    References
    ----------
    .. [1] J. Schaefer and K. Strimmer (2005). A shrinkage approach to large-scale covariance matrix estimation.
       Statistical Applications in Genetics and Molecular Biology 4(1), 32. https://doi.org/10.2202/1544-6115.1175
    """
    wide = ratios.pivot_table(index="period", columns="node_id", values="ratio")
    gaps = wide.columns[wide.isna().any()]
    if len(gaps):
        found.add("history", "must have every period of each node for a covariance", rows=gaps, kind="node")
    if len(wide) < 3:
        found.add("history", "must have at least 3 periods for a covariance", got=str(len(wide)))
    out = np.eye(len(layers))
    if found or wide.shape[1] < 2:
        return out
    n = len(wide)
    errors = wide.to_numpy(dtype=np.float64)
    spread = errors.std(axis=0, ddof=1)
    moves = spread > 0
    unit = (errors - errors.mean(axis=0))[:, moves] / spread[moves]
    products = unit[:, :, None] * unit[:, None, :]
    mean = products.mean(axis=0)
    correlation = mean * n / (n - 1)
    variance = n / (n - 1) ** 3 * np.square(products - mean).sum(axis=0)
    off = ~np.eye(len(correlation), dtype=bool)
    size = float(np.square(correlation[off]).sum())
    intensity = min(1.0, max(0.0, float(variance[off].sum()) / size)) if size > 0 else 1.0
    shrunk = (1.0 - intensity) * correlation
    np.fill_diagonal(shrunk, 1.0)
    at = pd.Index(layers.ids).get_indexer(wide.columns[moves])
    out[np.ix_(at, at)] = shrunk
    return out
