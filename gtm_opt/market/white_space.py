"""`whitespace`: what each account could still buy, by product, with odds from its peers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, amount_text
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.read_columns import is_table, key_column, number_or_empty, repeated_rows
from gtm_opt.model.tables import label_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Whitespace", "shrunk_shares", "whitespace"]

SIZES = {"S": (2_000.0, 10_000.0), "M": (10_000.0, 30_000.0), "L": (30_000.0, 100_000.0), "XL": (100_000.0, 300_000.0)}


@dataclass(frozen=True, eq=False)
class Whitespace:
    """Accounts by products.

    Attributes
    ----------
    table : DataFrame
        One row per account and product: ``account_id, product_id, status`` (owned, pipeline, competitor, not eligible,
        open), ``motion`` (renewal, upsell, new logo, or empty), ``probability, value`` (when bought, per year),
        ``expected`` (their product; 0 for what is owned or not eligible), ``low, high`` (range of a T-shirt size).
    currency : str
    """

    table: pd.DataFrame
    currency: str = ""

    @property
    def by_account(self) -> pd.DataFrame:
        """Return ``account_id, potential`` (sum of the expected values) and the number of open products."""
        work = self.table.assign(open=self.table["status"] == "open")
        grouped = work.groupby("account_id", sort=False)
        return grouped.agg(potential=("expected", "sum"), open=("open", "sum")).reset_index()

    @property
    def by_product(self) -> pd.DataFrame:
        """Return per product: accounts by status, penetration by competitors, expected value."""
        counts = pd.crosstab(self.table["product_id"], self.table["status"])
        for status in ("owned", "pipeline", "competitor", "not eligible", "open"):
            counts[status] = counts.get(status, 0)
        eligible = counts[["owned", "pipeline", "competitor", "open"]].sum(axis=1)
        counts["competitor_share"] = np.where(eligible > 0, counts["competitor"] / eligible.clip(lower=1), 0.0)
        counts["expected"] = self.table.groupby("product_id")["expected"].sum()
        counts.columns.name = None
        return counts.reset_index()

    @property
    def total(self) -> float:
        """Sum of all expected values."""
        return float(self.table["expected"].sum())

    def __repr__(self) -> str:
        n, k = self.table["account_id"].nunique(), self.table["product_id"].nunique()
        gaps = int((self.table["status"] == "open").sum())
        total = amount_text(self.total, self.currency)
        return f"Whitespace of {n:,} accounts and {k} products: {gaps:,} open cells, {total} expected"


def shrunk_shares(
    owned: NDArray[np.float64], groups: Sequence[NDArray[np.int64]], strength: float
) -> NDArray[np.float64]:
    """Return the share of owners among an account's peers, drawn to that of the group above.

    Parameters
    ----------
    owned : ndarray of shape (n_accounts,)
        1 for owners, 0 for others, nan for accounts that do not count.
    groups : sequence of ndarray of int, shape (n_accounts,)
        Group of every account, from coarse to fine; each divides the one before.
    strength : float
        Number of accounts the group above weighs.

    Notes
    -----
    ``p = (owners + strength * p_above) / (accounts + strength)`` from the whole down: the posterior mean of a binomial
    share under a beta prior. Two owners of three with strength 10 below a group at 20 % are 30.8 %, not 67 %.

    Examples
    --------
    >>> owned = np.array([1.0, 1.0, 0.0] + [0.0] * 7)
    >>> round(float(shrunk_shares(owned, [np.array([0] * 3 + [1] * 7)], 10.0)[0]), 4)
    0.3077
    """
    counted = ~np.isnan(owned)
    hit = np.where(counted, owned, 0.0)
    n = counted.sum()
    share = np.full(len(owned), hit.sum() / n if n else 0.0)
    for group in groups:
        size = np.bincount(group, weights=counted)
        owners = np.bincount(group, weights=hit)
        share = (owners[group] + strength * share) / (size[group] + strength)
    return share


@takes_tables(either=("accounts", "products", "owned", "pipeline", "competitors"))
def whitespace(
    accounts: pd.DataFrame,
    products: pd.DataFrame,
    owned: pd.DataFrame,
    pipeline: pd.DataFrame | None = None,
    *,
    competitors: pd.DataFrame | None = None,
    eligible: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    peers: Sequence[str] = ("segment", "industry"),
    strength: float = 10.0,
    size: str | None = None,
    exponent: float = 0.5,
    wallet: str | None = None,
    sizes: Mapping[str, tuple[float, float]] | None = None,
    currency: str = "",
) -> Whitespace:
    """Set accounts against products: owned, in the pipeline, with a competitor, not eligible, or open.

    Parameters
    ----------
    accounts : DataFrame
        ``account_id`` and the columns named in ``peers``, ``size``, ``wallet`` and ``eligible``.
    products : DataFrame
        ``product_id, list_price`` (per year); where the price is empty, ``size`` with a T-shirt size.
    owned : DataFrame
        ``account_id, product_id``, and ``amount`` where it is known.
    pipeline : DataFrame, optional
        ``account_id, product_id`` of open opportunities.
    competitors : DataFrame, optional
        ``account_id, product_id`` where a competitor sits. These cells count for the odds, and are not open.
    eligible : mapping, optional
        Per product, the values of account columns it can be sold to: ``{"P-1": {"country": ["US"]}}``.
    peers : sequence of str
        Columns whose values make peers, from coarse to fine.
    strength : float
        As `shrunk_shares`.
    size : str, optional
        Column with the size of accounts: values scale with ``(size / median size) ** exponent``.
    wallet : str, optional
        Column with what an account can spend at most; the values of its open products are scaled down to it. Empty: no
        limit.
    sizes : mapping, optional
        Range of yearly value per T-shirt size; the middle is used. Default: S 2,000 to 10,000, M to 30,000, L to
        100,000, XL to 300,000.
    currency : str

    Returns
    -------
    Whitespace

    Raises
    ------
    DataError
        Ids that lead nowhere, a product owned twice, negative wallets, unknown T-shirt sizes; reported together.

    Notes
    -----
    O(accounts * products). Sums over products are the potential of an account, sums over accounts the market. The order
    of rows changes nothing but the order of the result.
    """
    found = Findings()
    ids = items = None
    if is_table(accounts, "accounts", found):
        ids = key_column(accounts, "account_id", found, what="accounts", unique=True)
    if is_table(products, "products", found):
        items = key_column(products, "product_id", found, what="products", unique=True)
    if ids is None or items is None:
        found.raise_if_any()
    assert ids is not None
    assert items is not None
    if not strength > 0:
        found.add("`strength`", "must be positive", got=str(strength))
    price, low, high = _prices(products, items, dict(SIZES if sizes is None else sizes), found)
    cells = {}
    for what, table in (("owned", owned), ("pipeline", pipeline), ("competitors", competitors)):
        cells[what] = _positions(table, what, ids, items, found)
    groups = _groups(accounts, peers, found)
    scale = _scale(accounts, size, exponent, found)
    limit = None if wallet is None else number_or_empty(accounts, wallet, found, what="accounts")
    fits = _eligible(accounts, items, eligible or {}, found)
    found.raise_if_any()
    n, k = len(ids), len(items)
    status = np.full((n, k), "open", dtype=object)
    status[~fits] = "not eligible"
    for what, word in (("competitors", "competitor"), ("pipeline", "pipeline"), ("owned", "owned")):
        status.ravel()[cells[what]] = word
    is_owned, open_cells = status == "owned", np.isin(status, ["open", "pipeline", "competitor"])
    odds = np.zeros((n, k))
    for j in range(k):
        counted = np.where(fits[:, j] | is_owned[:, j], is_owned[:, j].astype(float), np.nan)
        odds[:, j] = shrunk_shares(counted, groups, strength)
    odds = np.where(open_cells, odds, 0.0)
    value = price[None, :] * scale[:, None]
    if limit is not None:
        asked = (np.where(open_cells, value, 0.0)).sum(axis=1)
        factor = np.where(np.isnan(limit) | (asked <= limit), 1.0, limit / np.maximum(asked, 1e-300))
        value = value * factor[:, None]
    sellable = np.isin(status, ["open", "pipeline"])
    expected = np.where(sellable, odds * value, 0.0)
    customer = is_owned.any(axis=1)[:, None]
    motion = np.where(is_owned, "renewal", np.where(sellable, np.where(customer, "upsell", "new logo"), ""))
    table = pd.DataFrame(
        {
            "account_id": np.repeat(ids, k),
            "product_id": np.tile(items, n),
            "status": status.ravel(),
            "motion": motion.ravel(),
            "probability": odds.ravel(),
            "value": value.ravel(),
            "expected": expected.ravel(),
            "low": np.tile(low, n),
            "high": np.tile(high, n),
        }
    )
    return Whitespace(table, currency)


def _prices(
    products: pd.DataFrame, items: NDArray[np.object_], sizes: dict[str, tuple[float, float]], found: Findings
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    none = np.zeros(len(items))
    price = number_or_empty(products, "list_price", found, what="products")
    if price is None:
        return none, none, none
    low, high = price.copy(), price.copy()
    unpriced = np.isnan(price)
    shirt = label_text(products["size"]).to_numpy() if "size" in products.columns else np.full(len(items), "(none)")
    strange = unpriced & ~np.isin(shirt, list(sizes))
    if strange.any():
        remedy = f"Give a list_price, or a size among {', '.join(sizes)}."
        found.add("products['list_price']", "must not be empty", rows=items[strange], kind="product", remedy=remedy)
        return none, none, none
    for j in np.flatnonzero(unpriced).tolist():
        low[j], high[j] = sizes[str(shirt[j])]
    return np.where(unpriced, (low + high) / 2.0, price), low, high


def _positions(
    table: pd.DataFrame | None, what: str, ids: NDArray[np.object_], items: NDArray[np.object_], found: Findings
) -> NDArray[np.int64]:
    """Return the flat positions of the cells a table names."""
    none = np.array([], dtype=np.int64)
    if table is None or not is_table(table, what, found):
        return none
    account = key_column(table, "account_id", found, what=what, known=ids, known_as="an account")
    product = key_column(table, "product_id", found, what=what, known=items, known_as="a product")
    if account is None or product is None:
        return none
    if what == "owned" and repeated_rows(
        table, ["account_id", "product_id"], found, what=what, rule="must name a product once per account"
    ):
        return none
    row, column = pd.Index(ids).get_indexer(pd.Index(account)), pd.Index(items).get_indexer(pd.Index(product))
    return np.unique(row * len(items) + column).astype(np.int64)


def _groups(accounts: pd.DataFrame, peers: Sequence[str], found: Findings) -> list[NDArray[np.int64]]:
    """Return nested groups: by the first column, by the first two, and so on."""
    out: list[NDArray[np.int64]] = []
    key: pd.Series | None = None
    for column in peers:
        if column not in accounts.columns:
            found.add("`peers`", "must name columns of the accounts", got=f"'{column}'")
            continue
        label = label_text(accounts[column])
        key = label if key is None else key + "\x1f" + label
        out.append(pd.factorize(key)[0].astype(np.int64))
    return out


def _scale(accounts: pd.DataFrame, size: str | None, exponent: float, found: Findings) -> NDArray[np.float64]:
    if size is None:
        return np.ones(len(accounts))
    numbers = number_or_empty(accounts, size, found, what="accounts")
    if numbers is None:
        return np.ones(len(accounts))
    middle = float(np.nanmedian(np.where(numbers > 0, numbers, np.nan))) if (numbers > 0).any() else 1.0
    return np.where(numbers > 0, (np.maximum(numbers, 1e-300) / middle) ** exponent, 1.0)


def _eligible(
    accounts: pd.DataFrame,
    items: NDArray[np.object_],
    rules: Mapping[str, Mapping[str, Sequence[str]]],
    found: Findings,
) -> NDArray[np.bool_]:
    fits = np.ones((len(accounts), len(items)), dtype=bool)
    for product, rule in rules.items():
        place = np.flatnonzero(items == str(product))
        if not len(place):
            found.add("`eligible`", "must name products", got=f"'{product}'")
        for column, values in rule.items():
            if column not in accounts.columns:
                found.add(f"eligible['{product}']", "must name columns of the accounts", got=f"'{column}'")
            elif len(place):
                fits[:, place[0]] &= label_text(accounts[column]).isin([str(v) for v in values]).to_numpy()
    return fits
