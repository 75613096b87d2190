"""`fit_icp`: which accounts look like those that were won, how sure that is, and whether there is a signal at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings, percent_text
from gtm_opt.market.icp_data import Deals, read_deals, read_features
from gtm_opt.market.icp_model import Scorecard, brier, fit_boosting, fit_scorecard, log_loss, require_score
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.read_columns import key_column

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Profile", "fit_icp"]


@dataclass(frozen=True, eq=False)
class Profile:
    """A profile of the accounts that are won.

    Attributes
    ----------
    has_signal : bool
        Whether the profile beats the base rate on later months; see ``verdict``.
    verdict : str
        In words.
    base_rate : float
        Share won among the training deals.
    validation : DataFrame
        Per model ("base rate", "scorecard", "boosting"): ``log_loss, brier`` on the later months.
    calibration : DataFrame
        Later months by tenth of the probability: ``deals, predicted, won``.
    points : DataFrame
        Scorecard: ``feature, bin, deals, won_share, points`` (logit, above or below the mean deal).
    findings : DataFrame
        ``feature, finding``: what was left out or should be looked at (leaks, one category that decides all).
    drift : DataFrame
        Per feature: population stability index of the later months against the earlier ones.
    used : str
        "scorecard" or "boosting": what predicts.
    """

    has_signal: bool
    verdict: str
    base_rate: float
    validation: pd.DataFrame
    calibration: pd.DataFrame
    points: pd.DataFrame
    findings: pd.DataFrame
    drift: pd.DataFrame
    used: str
    _card: Scorecard = field(repr=False)
    _boosting: Any = field(repr=False)
    _replicas: tuple[Scorecard, ...] = field(repr=False)

    @takes_tables(either=("accounts",))
    def score(self, accounts: pd.DataFrame) -> pd.DataFrame:
        """Return probabilities for accounts.

        Parameters
        ----------
        accounts : DataFrame
            ``account_id`` and the features.

        Returns
        -------
        DataFrame
            ``account_id, p_win, p_low, p_high`` (90 % interval of the scorecard's own uncertainty), ``fit_score`` (0 to
            100, the account's place among those passed), ``why`` (the features that count most), ``new_category``.

        Raises
        ------
        DataError
            Missing features, or a profile without signal.
        """
        if not self.has_signal:
            raise DataError(f"This profile has no signal and cannot score accounts: {self.verdict}")
        found = Findings()
        ids = key_column(accounts, "account_id", found, what="accounts", unique=True)
        features = read_features(accounts, self._card.features, found)
        found.raise_if_any()
        p = self._card.predict(features) if self.used == "scorecard" else self._boosting(features)
        replicas = np.array([card.predict(features) for card in self._replicas])
        low, high = np.quantile(replicas, [0.05, 0.95], axis=0)
        rank = pd.Series(p).rank(method="average", pct=True).to_numpy()
        return pd.DataFrame(
            {
                "account_id": ids,
                "p_win": p,
                "p_low": np.minimum(low, p),
                "p_high": np.maximum(high, p),
                "fit_score": np.round(100.0 * rank, 1),
                "why": self._card.reasons(features),
                "new_category": self._card.unseen(features),
            }
        )

    def __repr__(self) -> str:
        return f"Profile: {self.verdict}"


@takes_tables(either=("accounts", "opportunities"))
def fit_icp(
    accounts: pd.DataFrame,
    opportunities: pd.DataFrame,
    *,
    features: Sequence[str],
    known_after: Sequence[str] = (),
    later: float = 0.25,
    least_wins: int = 50,
    replicas: int = 40,
    seed: int = 0,
) -> Profile:
    """Fit a profile of the accounts that are won.

    Parameters
    ----------
    accounts : DataFrame
        ``account_id`` and the features; ``parent_id`` keeps families on one side of the split.
    opportunities : DataFrame
        ``account_id, close_date, stage``; "won" against "lost" and "no decision", others are left out.
    features : sequence of str
        Columns of the accounts known *before* the outcome. Numbers are cut into bins, everything else is a category.
    known_after : sequence of str
        Of the features, those known only after the outcome: refused, with all other findings.
    later : float
        Part of the closed deals, the latest, that the models are held against.
    least_wins : int
        Fewer wins are refused.
    replicas : int
        Bootstrap fits behind the intervals.
    seed : int

    Returns
    -------
    Profile

    Raises
    ------
    DataError
        Everything wrong with the tables, too few wins, one outcome only; reported together.
    GtmOptError
        The extra ``score`` is not installed; with the command that installs it.

    Notes
    -----
    The scorecard is a logistic regression on bins, additive in the features; gradient boosting is the challenger and
    only used where it is better on the later months by 1 % of the log loss; it is calibrated by a line on the logit
    (Platt 1999). Nothing is fitted on later months, and no family has deals on both sides. There is a signal where the
    mean log loss on later deals is below that of the base rate by more than 2.33 standard errors, by family (one-sided
    1 %). A feature that alone separates won from other deals nearly perfectly (AUC above 0.97 on both sides) is
    reported as a leak and left out.
    """
    require_score()
    found = Findings()
    deals = read_deals(accounts, opportunities, features, known_after, later, least_wins, found)
    found.raise_if_any()
    assert deals is not None
    kept, notes = _without_leaks(deals)
    if not kept:
        got = ", ".join(features)
        raise DataError(f"`features` must hold one that is no copy of the outcome, got only leaks: {got}.")
    x, won, past = deals.features[kept], deals.won, ~deals.is_later
    card = fit_scorecard(x[past], won[past])
    boosting = fit_boosting(x[past], won[past], seed)
    base = float(won[past].mean())
    tested = won[~past]
    predictions = {
        "base rate": np.full(len(tested), base),
        "scorecard": card.predict(x[~past]),
        "boosting": boosting(x[~past]),
    }
    validation = pd.DataFrame(
        [(name, log_loss(p, tested).mean(), brier(p, tested)) for name, p in predictions.items()],
        columns=["model", "log_loss", "brier"],
    )
    losses = validation.set_index("model")["log_loss"]
    used = "boosting" if losses["boosting"] < 0.99 * losses["scorecard"] else "scorecard"
    has_signal, verdict = _verdict(predictions[used], base, tested, deals.group[~past], used)
    rng = np.random.default_rng(seed)
    fits = []
    groups = np.unique(deals.group[past])
    for _ in range(replicas if has_signal else 0):
        weight = np.bincount(rng.integers(0, len(groups), len(groups)), minlength=len(groups))
        times = weight[np.searchsorted(groups, deals.group[past])]
        rows = np.repeat(np.arange(len(times)), times)
        sample, outcome = x[past].iloc[rows].reset_index(drop=True), won[past][rows]
        if 0 < outcome.sum() < len(outcome):
            fits.append(fit_scorecard(sample, outcome))
    return Profile(
        has_signal=has_signal,
        verdict=verdict,
        base_rate=base,
        validation=validation,
        calibration=_calibration(predictions[used], tested),
        points=card.points(x[past], won[past]),
        findings=pd.DataFrame(notes + card.warnings(x[past]), columns=["feature", "finding"]),
        drift=_drift(card, x[past], x[~past]),
        used=used,
        _card=card,
        _boosting=boosting,
        _replicas=tuple(fits),
    )


def _without_leaks(deals: Deals) -> tuple[list[str], list[tuple[str, str]]]:
    from sklearn.metrics import roc_auc_score

    kept, notes = [], []
    past = ~deals.is_later
    for name in deals.features.columns:
        column = deals.features.loc[past, name]
        one = fit_scorecard(column.to_frame(), deals.won[past])
        p = one.predict(deals.features[[name]])
        auc = min(float(roc_auc_score(deals.won[side], p[side])) for side in (past, ~past))
        if auc > 0.97:
            notes.append((name, f"leak: alone it tells won from lost (AUC {auc:.3f}); left out"))
        else:
            kept.append(name)
    return kept, notes


def _verdict(p: np.ndarray, base: float, won: np.ndarray, group: np.ndarray, used: str) -> tuple[bool, str]:
    """Hold the log loss of later deals against that of the base rate; deals of one company count together."""
    gain = log_loss(np.full(len(won), base), won) - log_loss(p, won)
    label, code = np.unique(group, return_inverse=True)
    total, n = np.bincount(code, weights=gain), np.bincount(code)
    mean = float(gain.mean())
    error = float(np.sqrt(((total - mean * n) ** 2).sum()) / len(gain)) if len(label) > 1 else np.inf
    rate = percent_text(base, 0)
    if mean > 2.33 * error:
        share = percent_text(mean / float(log_loss(np.full(len(won), base), won).mean()))
        return True, f"the {used} beats the base rate of {rate} on {len(won):,} later deals by {share} of the log loss"
    return False, f"no signal: no better than the base rate of {rate} on {len(won):,} later deals"


def _calibration(p: np.ndarray, won: np.ndarray) -> pd.DataFrame:
    tenth = pd.qcut(pd.Series(p).rank(method="first"), min(10, len(p)), labels=False)
    table = pd.DataFrame({"tenth": tenth.to_numpy() + 1, "p": p, "won": won})
    return table.groupby("tenth").agg(deals=("p", "size"), predicted=("p", "mean"), won=("won", "mean")).reset_index()


def _drift(card: Scorecard, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name in card.features:
        old, new = card.shares(name, before), card.shares(name, after)
        rows.append((name, float(((new - old) * np.log(new / old)).sum())))
    return pd.DataFrame(rows, columns=["feature", "stability_index"])
