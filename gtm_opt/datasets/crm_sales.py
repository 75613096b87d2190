"""Products, opportunities and the installed base of the made-up customer system, drawn from known odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.datasets.places import INDUSTRIES
from gtm_opt.datasets.saas import TODAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["installed_tables", "opportunity_table", "product_table", "true_odds"]

MEAN_DEAL_SHARE = 0.3
"""A deal is worth this part of the account's potential, on average."""

_PULL = {"software": 0.8, "financial": 0.5, "healthcare": 0.2, "manufacturing": 0.0, "media": -0.2, "retail": -0.5}
_REACH = (("P-core", 0.45), ("P-data", 0.25), ("P-flow", 0.15), ("P-guard", 0.1))


def true_odds(accounts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return ``account_id, p_win, expected_value, ready``: the odds that everything else is drawn from.

    Notes
    -----
    ``logit p = -0.4 + pull(industry) + 0.45 ln(employees / 200), at most 1.2 in size, + 0.5 for customers``.
    """
    size = np.clip(0.45 * np.log(accounts["employees"].to_numpy(dtype=float) / 200.0), -1.2, 1.2)
    pull = accounts["industry"].map(_PULL).fillna(-0.8).to_numpy(dtype=float)
    logit = -0.4 + pull + size + 0.5 * (accounts["arr"].to_numpy(dtype=float) > 0)
    p_win = 1.0 / (1.0 + np.exp(-logit))
    value = p_win * MEAN_DEAL_SHARE * accounts["potential"].to_numpy(dtype=float)
    ready = rng.random(len(accounts)) < 0.2
    return pd.DataFrame(
        {"account_id": accounts["account_id"].to_numpy(), "p_win": p_win, "expected_value": value, "ready": ready}
    )


def product_table() -> pd.DataFrame:
    """Return four products on sale and one that is announced with a T-shirt size only."""
    return pd.DataFrame(
        {
            "product_id": ["P-core", "P-data", "P-flow", "P-guard", "P-next"],
            "name": ["Core", "Data", "Flow", "Guard", "Next"],
            "list_price": [24_000.0, 15_000.0, 9_000.0, 6_000.0, np.nan],
            "launch": pd.to_datetime(["2019-01-01", "2020-06-01", "2022-03-01", "2024-01-01", "2027-06-01"]),
            "size": [None, None, None, None, "M"],
        }
    )


def opportunity_table(
    accounts: pd.DataFrame, truth: pd.DataFrame, products: pd.DataFrame, per_account: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Return opportunities of the last two years; four fifths are closed, and won with the true odds."""
    n = round(per_account * len(accounts))
    which = np.sort(rng.integers(0, len(accounts), n))
    age = rng.integers(1, 730, n)
    cycle = np.maximum(5, rng.gamma(3.0, 25.0, n).astype(np.int64))
    created = pd.Series(TODAY - pd.to_timedelta(age, unit="D"))
    close = created + pd.to_timedelta(cycle, unit="D")
    closed = (close <= TODAY).to_numpy() & (rng.random(n) < 0.95)
    won = rng.random(n) < truth["p_win"].to_numpy()[which]
    stage = np.where(~closed, "open", np.where(won, "won", np.where(rng.random(n) < 0.35, "no decision", "lost")))
    amount = MEAN_DEAL_SHARE * accounts["potential"].to_numpy(dtype=float)[which] * rng.lognormal(-0.125, 0.5, n)
    sold = products.loc[products["launch"] <= TODAY, "product_id"].to_numpy(dtype=object)
    late = ~closed & (close <= TODAY).to_numpy()
    close = close.where(~late, TODAY + pd.Timedelta(days=30))
    table = pd.DataFrame(
        {
            "opportunity_id": [f"O-{i:06d}" for i in range(1, n + 1)],
            "account_id": accounts["account_id"].to_numpy(dtype=object)[which],
            "owner": accounts["owner"].to_numpy(dtype=object)[which],
            "product_id": sold[rng.integers(0, len(sold), n)],
            "motion": np.where(accounts["arr"].to_numpy()[which] > 0, "upsell", "new logo"),
            "created": created,
            "close_date": close,
            "stage": stage.astype(object),
            "amount": np.maximum(500.0, np.rint(amount)),
        }
    )
    return table.astype({"created": "datetime64[ns]", "close_date": "datetime64[ns]"})


def installed_tables(
    accounts: pd.DataFrame, products: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return who owns which product, and where a competitor sits instead.

    Customers own each product with odds that rise with size and differ by industry, so that peers tell something.
    """
    n = len(accounts)
    customer = accounts["arr"].to_numpy(dtype=float) > 0
    large = np.clip(np.log(accounts["employees"].to_numpy(dtype=float) / 200.0) / 6.0, -0.3, 0.3)
    trade = accounts["industry"].map({name: i for i, name in enumerate(INDUSTRIES)}).fillna(0).to_numpy(dtype=np.int64)
    ids = accounts["account_id"].to_numpy(dtype=object)
    prices: dict[str, float] = dict(zip(products["product_id"], products["list_price"].astype(float), strict=True))
    owned, rivals = [], []
    for number, (product, reach) in enumerate(_REACH):
        p: NDArray[np.float64] = np.clip(reach + large + 0.1 * ((trade + number) % 3 - 1), 0.02, 0.95)
        has = customer & (rng.random(n) < p)
        rival = ~has & (rng.random(n) < 0.15)
        since = TODAY - pd.to_timedelta(rng.integers(60, 1_500, n), unit="D")
        renewal = TODAY + pd.to_timedelta(rng.integers(1, 365, n), unit="D")
        price = prices[product]
        paid = np.rint(price * rng.uniform(0.7, 1.1, n))
        owned.append(
            pd.DataFrame(
                {
                    "account_id": ids[has],
                    "product_id": product,
                    "since": since[has],
                    "renewal_date": renewal[has],
                    "amount": paid[has],
                }
            )
        )
        name = np.array(["Rival One", "Rival Two"], dtype=object)[rng.integers(0, 2, n)]
        rivals.append(pd.DataFrame({"account_id": ids[rival], "product_id": product, "competitor": name[rival]}))
    keys = ["account_id", "product_id"]
    base = pd.concat(owned, ignore_index=True).sort_values(keys, kind="stable", ignore_index=True)
    other = pd.concat(rivals, ignore_index=True).sort_values(keys, kind="stable", ignore_index=True)
    return base.astype({"since": "datetime64[ns]", "renewal_date": "datetime64[ns]"}), other
