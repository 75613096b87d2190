"""The scorecard and its challenger, fitted by scikit-learn and calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import GtmOptError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

__all__ = ["Scorecard", "brier", "fit_boosting", "fit_scorecard", "log_loss", "require_score"]

_BINS = 8
_RARE = "(other)"


def require_score() -> None:
    """Raise unless scikit-learn is installed.

    Raises
    ------
    GtmOptError
        With the command that installs it.
    """
    from importlib.util import find_spec

    if find_spec("sklearn") is None:
        raise GtmOptError("Fitting profiles needs scikit-learn. Install it with: pip install 'gtm-opt[score]'")


def log_loss(p: FloatArray, won: NDArray[np.int64]) -> FloatArray:
    """Return the log loss of each deal."""
    clipped = np.clip(p, 1e-9, 1.0 - 1e-9)
    return -np.where(won == 1, np.log(clipped), np.log(1.0 - clipped))


def brier(p: FloatArray, won: NDArray[np.int64]) -> float:
    """Return the mean squared error of probabilities."""
    return float(((p - won) ** 2).mean())


@dataclass(frozen=True, eq=False)
class Scorecard:
    """Points per bin of each feature.

    Attributes
    ----------
    features : tuple of str
    edges : dict
        Inner edges per numeric feature.
    labels : dict
        Known categories per other feature, the rare ones together.
    weights : dict
        Points per bin, on the logit.
    intercept : float
    """

    features: tuple[str, ...]
    edges: dict[str, FloatArray]
    labels: dict[str, list[str]]
    weights: dict[str, FloatArray]
    intercept: float

    def bins(self, name: str, table: pd.DataFrame) -> NDArray[np.int64]:
        """Return the bin of each row; the last one is for what is empty or new."""
        column = table[name]
        if name in self.edges:
            values = column.to_numpy(dtype=np.float64)
            code = np.searchsorted(self.edges[name], values, side="right")
            return np.where(np.isnan(values), len(self.edges[name]) + 1, code).astype(np.int64)
        code = pd.Index(self.labels[name]).get_indexer(pd.Index(column.astype(str)))
        return np.where(code < 0, len(self.labels[name]), code).astype(np.int64)

    def logit(self, table: pd.DataFrame) -> FloatArray:
        """Return the sum of the points."""
        out = np.full(len(table), self.intercept)
        for name in self.features:
            out += self.weights[name][self.bins(name, table)]
        return out

    def predict(self, table: pd.DataFrame) -> FloatArray:
        """Return probabilities."""
        out: FloatArray = 1.0 / (1.0 + np.exp(-self.logit(table)))
        return out

    def names(self, name: str) -> list[str]:
        """Return the names of the bins."""
        if name not in self.edges:
            return [*self.labels[name], _RARE]
        edges = [f"{e:,.6g}" for e in self.edges[name]]
        inner = [f"{a} to {b}" for a, b in pairwise(edges)]
        return [f"below {edges[0]}", *inner, f"from {edges[-1]}", "(empty)"] if edges else ["all", "(empty)"]

    def points(self, table: pd.DataFrame, won: NDArray[np.int64]) -> pd.DataFrame:
        """Return the scorecard with what it was made of."""
        rows = []
        for name in self.features:
            code = self.bins(name, table)
            count = np.bincount(code, minlength=len(self.weights[name]))
            wins = np.bincount(code, weights=won, minlength=len(count))
            for place, label in enumerate(self.names(name)):
                share = wins[place] / count[place] if count[place] else np.nan
                rows.append((name, label, int(count[place]), share, float(self.weights[name][place])))
        return pd.DataFrame(rows, columns=["feature", "bin", "deals", "won_share", "points"])

    def shares(self, name: str, table: pd.DataFrame) -> FloatArray:
        """Return the share of each bin, never 0."""
        count = np.bincount(self.bins(name, table), minlength=len(self.weights[name])) + 0.5
        out: FloatArray = count / count.sum()
        return out

    def reasons(self, table: pd.DataFrame) -> list[str]:
        """Return per row the two features with most points, for or against."""
        parts = []
        for name in self.features:
            code, label = self.bins(name, table), self.names(name)
            parts.append((self.weights[name][code], np.array([f"{name} {text}" for text in label], dtype=object)[code]))
        weight = np.array([w for w, _ in parts])
        order = np.argsort(-np.abs(weight), axis=0, kind="stable")[:2]
        return [
            ", ".join(f"{parts[k][1][row]} ({weight[k, row]:+.2f})" for k in order[:, row]) for row in range(len(table))
        ]

    def unseen(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        """Return rows with a category that was not in the training deals, or too rare there."""
        out = np.zeros(len(table), dtype=bool)
        for name in self.labels:
            out |= self.bins(name, table) == len(self.labels[name])
        return out

    def warnings(self, table: pd.DataFrame) -> list[tuple[str, str]]:
        """Return features of which a single category holds nearly all deals."""
        return [
            (name, "one category holds more than 95 % of the deals; it can tell nothing")
            for name in self.features
            if self.shares(name, table).max() > 0.95
        ]


def fit_scorecard(table: pd.DataFrame, won: NDArray[np.int64]) -> Scorecard:
    """Fit a logistic regression on bins; points are relative to the mean deal."""
    from sklearn.linear_model import LogisticRegression

    edges: dict[str, FloatArray] = {}
    labels: dict[str, list[str]] = {}
    for name in table.columns:
        if table[name].dtype.kind == "f":
            values = table[name].to_numpy(dtype=np.float64)
            known = values[~np.isnan(values)]
            cuts = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS)) if len(known) else np.array([])
            edges[name] = cuts[cuts > known.min()] if len(known) else cuts
        else:
            count = table[name].value_counts()
            labels[name] = sorted(count.index[count >= max(5, 0.005 * len(table))].astype(str))
    names = tuple(str(c) for c in table.columns)
    sizes = {n: len(edges[n]) + 2 if n in edges else len(labels[n]) + 1 for n in names}
    empty = Scorecard(names, edges, labels, {n: np.zeros(sizes[n]) for n in names}, 0.0)
    codes = {n: empty.bins(n, table) for n in names}
    design = np.hstack([np.eye(sizes[n])[codes[n]] for n in names])
    fitted = LogisticRegression(C=1.0, solver="newton-cholesky", max_iter=100).fit(design, won)
    intercept, weights, start = float(fitted.intercept_[0]), {}, 0
    for n in names:
        w = np.asarray(fitted.coef_[0][start : start + sizes[n]], dtype=np.float64)
        mean = float(w[codes[n]].mean())
        weights[n], intercept, start = w - mean, intercept + mean, start + sizes[n]
    return Scorecard(names, edges, labels, weights, intercept)


def fit_boosting(table: pd.DataFrame, won: NDArray[np.int64], seed: int) -> Callable[[pd.DataFrame], FloatArray]:
    """Fit gradient boosting on the first two thirds, calibrated by a line on the logit of the rest."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    known = {c: sorted(table[c].unique())[:250] for c in table.columns if table[c].dtype.kind != "f"}

    def numbers(frame: pd.DataFrame) -> FloatArray:
        columns = [
            pd.Index(known[c]).get_indexer(pd.Index(frame[c])).astype(float) if c in known else frame[c].to_numpy(float)
            for c in table.columns
        ]
        return np.column_stack(columns)

    cut = max(10, round(len(table) * 2 / 3))
    first, rest = slice(0, cut), slice(cut, None)
    model: Any = HistGradientBoostingClassifier(
        max_depth=3,
        learning_rate=0.05,
        max_iter=80,
        early_stopping=False,
        random_state=seed,
        categorical_features=[c in known for c in table.columns],
    )
    model.fit(numbers(table.iloc[first]), won[first])

    def raw(frame: pd.DataFrame) -> FloatArray:
        out: FloatArray = np.asarray(model.decision_function(numbers(frame)), dtype=np.float64)
        return out

    tail = won[rest]
    if not 0 < tail.sum() < len(tail):
        return lambda frame: 1.0 / (1.0 + np.exp(-raw(frame)))
    line = LogisticRegression(C=1e6).fit(raw(table.iloc[rest])[:, None], tail)
    slope, shift = float(line.coef_[0, 0]), float(line.intercept_[0])
    return lambda frame: 1.0 / (1.0 + np.exp(-(shift + slope * raw(frame))))
