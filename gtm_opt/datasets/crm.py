"""A whole customer system made up from one seed, with the truth beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.datasets import crm_sales, crm_signals
from gtm_opt.datasets.company_names import company_names, domain_of, misspell, rewrite_name
from gtm_opt.datasets.saas import make_saas
from gtm_opt.errors import Findings

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Crm", "make_crm"]


@dataclass(frozen=True, eq=False)
class Crm:
    """Tables of a made-up customer system, and what is true about them.

    Attributes
    ----------
    accounts : DataFrame
        As `make_saas`, with other names and with ``domain``, ``phone``, ``postal_code``. A fraction of the rows are
        second records of a company that is already there.
    reps : DataFrame
        As `make_saas`.
    products : DataFrame
        ``product_id, name, list_price, launch, size`` (T-shirt size of a product that is not launched yet).
    opportunities : DataFrame
        ``opportunity_id, account_id, owner, product_id, motion`` (new logo, upsell), ``created, close_date, stage``
        (won, lost, no decision, open), ``amount``.
    contacts : DataFrame
        ``contact_id, account_id, title, last_contacted, engaged``; titles in English, German and French.
    installed : DataFrame
        ``account_id, product_id, since, renewal_date, amount``: who owns what.
    competitors : DataFrame
        ``account_id, product_id, competitor``.
    universe : DataFrame
        A third party's list: ``universe_id, name, city, state, country, industry, employees, potential``; holds most
        of the accounts under other spellings, and companies that are no accounts.
    intent : DataFrame
        ``account_id, topic, week, score`` (0 to 100).
    truth : DataFrame
        Per account: ``account_id, company_id`` (same for records of one company), ``p_win`` (true probability that an
        opportunity is won), ``expected_value`` (``p_win`` times the mean deal), ``ready`` (in the market now).
    universe_truth : DataFrame
        ``universe_id, company_id`` (empty: no account).
    """

    accounts: pd.DataFrame
    reps: pd.DataFrame
    products: pd.DataFrame
    opportunities: pd.DataFrame
    contacts: pd.DataFrame
    installed: pd.DataFrame
    competitors: pd.DataFrame
    universe: pd.DataFrame
    intent: pd.DataFrame
    truth: pd.DataFrame
    universe_truth: pd.DataFrame

    def __repr__(self) -> str:
        """Return the sizes of the tables."""
        sizes = ", ".join(f"{len(table):,} {name}" for name, table in vars(self).items() if "truth" not in name)
        return f"Crm({sizes})"


def make_crm(
    n_accounts: int = 1_000,
    n_reps: int | None = None,
    seed: int = 0,
    *,
    duplicates: float = 0.05,
    opportunities: float = 2.0,
) -> Crm:
    """Make the tables of a customer system, with known truth.

    Parameters
    ----------
    n_accounts : int
        Companies, at least 2; second records come on top.
    n_reps : int, optional
        As `make_saas`.
    seed : int
        Same arguments, same tables.
    duplicates : float
        Second records per company, 0 to 1.
    opportunities : float
        Opportunities per company, at least 0; four fifths of them are closed.

    Returns
    -------
    Crm

    Raises
    ------
    DataError
        For sizes below 2 or fractions outside their range.

    Examples
    --------
    >>> crm = make_crm(200, seed=1)
    >>> len(crm.accounts), crm.truth["company_id"].nunique()
    (210, 200)
    """
    found = Findings()
    if not 0.0 <= duplicates <= 1.0:
        found.add("`duplicates`", "must lie between 0 and 1", got=str(duplicates))
    if not 0.0 <= opportunities <= 100.0:
        found.add("`opportunities`", "must lie between 0 and 100 per company", got=str(opportunities))
    found.raise_if_any()
    accounts, reps = make_saas(n_accounts, n_reps, seed)
    streams = np.random.SeedSequence([seed, 14]).spawn(6)
    names, sales, base, people, lists, weeks = (np.random.default_rng(stream) for stream in streams)
    accounts = _with_addresses(accounts, names)
    truth = crm_sales.true_odds(accounts, sales)
    products = crm_sales.product_table()
    deals = crm_sales.opportunity_table(accounts, truth, products, opportunities, sales)
    owned, rivals = crm_sales.installed_tables(accounts, products, base)
    titles = crm_signals.contact_table(accounts, people)
    universe, universe_truth = _universe(accounts, lists)
    intent = crm_signals.intent_table(accounts, truth["ready"].to_numpy(), weeks)
    accounts, truth = _with_second_records(accounts, truth, round(duplicates * n_accounts), lists)
    return Crm(accounts, reps, products, deals, titles, owned, rivals, universe, intent, truth, universe_truth)


def _with_addresses(accounts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = len(accounts)
    names = company_names(n, rng)
    prefix = {city: f"{number:03d}" for number, city in enumerate(sorted(accounts["city"].unique()), 11)}
    codes = rng.integers(0, 100, n)
    return accounts.assign(
        name=names,
        domain=[domain_of(name, number) for number, name in enumerate(names, 1)],
        phone=[f"+1 {a} {b} {c:04d}" for a, b, c in rng.integers([200, 200, 0], [999, 999, 9999], (n, 3)).tolist()],
        postal_code=[prefix[city] + f"{code:02d}" for city, code in zip(accounts["city"], codes, strict=True)],
    )


def _second(row_names: NDArray[np.object_], rng: np.random.Generator) -> list[str]:
    return [rewrite_name(str(name), rng) for name in row_names]


def _with_second_records(
    accounts: pd.DataFrame, truth: pd.DataFrame, count: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Append second records of ``count`` companies, each with slips of its own, and mix the rows."""
    n = len(accounts)
    truth = truth.assign(company_id=accounts["account_id"].to_numpy())
    picked = rng.choice(n, size=count, replace=False)
    second = accounts.iloc[picked].reset_index(drop=True)
    second["account_id"] = [f"A-{i:06d}" for i in range(n + 1, n + count + 1)]
    second["name"] = _second(second["name"].to_numpy(dtype=object), rng)
    draw = rng.random((count, 4))
    second["city"] = [
        None if d < 0.05 else misspell(str(c), rng) if d < 0.1 else c
        for c, d in zip(second["city"], draw[:, 0], strict=True)
    ]
    second["domain"] = second["domain"].where(draw[:, 1] < 0.8, None)
    plain = second["phone"].str.replace(" ", "")
    second["phone"] = second["phone"].where(draw[:, 2] < 0.35, plain).where(draw[:, 2] < 0.7, None)
    second["postal_code"] = second["postal_code"].where(draw[:, 3] < 0.9, None)
    second["arr"], second["open_pipeline"], second["parent_id"] = 0, 0, None
    owners = accounts["owner"].dropna().unique()
    if len(owners):
        second["owner"] = owners[rng.integers(0, len(owners), count)]
    more = truth.iloc[picked].assign(account_id=second["account_id"].to_numpy())
    order = rng.permutation(n + count)
    both = pd.concat([accounts, second], ignore_index=True).iloc[order].reset_index(drop=True)
    known = pd.concat([truth, more], ignore_index=True).iloc[order].reset_index(drop=True)
    return both, known[["account_id", "company_id", "p_win", "expected_value", "ready"]]


def _universe(accounts: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a list with 70 % of the companies, spelled anew, and half as many others."""
    n = len(accounts)
    listed = np.sort(rng.choice(n, size=max(1, round(0.7 * n)), replace=False))
    known = accounts.iloc[listed].copy()
    known["name"] = _second(known["name"].to_numpy(dtype=object), rng)
    others = accounts.iloc[rng.choice(n, size=max(1, n // 2))].copy()
    others["name"] = company_names(len(others), rng)
    columns = ["name", "city", "state", "country", "industry", "employees", "potential"]
    both = pd.concat([known, others], ignore_index=True)[columns]
    company = np.concatenate([known["account_id"].to_numpy(dtype=object), np.full(len(others), "", dtype=object)])
    both.insert(0, "universe_id", [f"U-{i:06d}" for i in range(1, len(both) + 1)])
    return both, pd.DataFrame({"universe_id": both["universe_id"], "company_id": company})
