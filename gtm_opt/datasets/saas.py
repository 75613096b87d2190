"""Accounts and reps of a made-up software company."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.datasets import columns
from gtm_opt.datasets.places import CITIES, INDUSTRIES, NAME_ENDS, NAME_STARTS
from gtm_opt.datasets.team import make_reps
from gtm_opt.errors import Findings

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ACCOUNT_DATES", "COMMITTED", "REP_DATES", "TODAY", "load_saas", "make_saas"]

TODAY = pd.Timestamp("2026-10-31")
"""The day the made-up data was exported."""

COMMITTED = {"n_accounts": 400, "n_reps": 12, "seed": 2066}
"""Arguments of `make_saas` that give the committed tables."""

ACCOUNT_DATES = ["owner_since", "last_touch"]
REP_DATES = ["start_date", "end_date"]


def make_saas(
    n_accounts: int = 1_000, n_reps: int | None = None, seed: int = 0, *, families: float = 0.12, left: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make accounts and reps shaped like a customer system's export.

    Parameters
    ----------
    n_accounts : int
        At least 2. 300,000 take a few seconds.
    n_reps : int, optional
        Seats, open ones included, at least 2. Default: one per 70 accounts, at least 6.
    seed : int
        Same arguments, same tables.
    families : float
        Fraction of the accounts that have a parent. Families are of heavy-tailed size.
    left : float
        Fraction of the accounts whose owner has left the company and is in no rep table (use
        ``KeepOwner(..., unknown="unowned")`` then).

    Returns
    -------
    accounts : DataFrame
        ``account_id, name, parent_id, segment`` (named, enterprise, commercial, smb), ``industry, employees,
        country, state, city, lat, lon, owner`` (rep id; empty: nobody), ``owner_since, arr`` (0: no customer yet),
        ``potential`` (lognormal, sigma 1.5), ``open_pipeline`` (60 % zeros), ``leads, last_touch``.
    reps : DataFrame
        ``rep_id, name, manager_id, manager, region, area, segment, start_date, end_date, status`` (filled, to be
        hired, to be replaced), ``capacity`` (share of a full book), ``city, lat, lon``, and one column
        ``skill_<industry>`` per industry between 0 and 1.

    Raises
    ------
    DataError
        For sizes below 2 or fractions outside 0 to 1.

    Notes
    -----
    Nine tenths of the accounts have an owner: for 70 % of these it is the nearest rep, for 30 % another one.
    Open seats own nothing. Money is in whole dollars.

    Examples
    --------
    >>> accounts, reps = make_saas(200, n_reps=8, seed=1)
    >>> len(accounts), len(reps)
    (200, 8)
    >>> sorted(set(accounts["owner"].dropna()) - set(reps["rep_id"]))
    []
    """
    n_reps = max(6, round(n_accounts / 70)) if n_reps is None else n_reps
    found = Findings()
    for name, value in (("n_accounts", n_accounts), ("n_reps", n_reps)):
        if value < 2:
            found.add(f"`{name}`", "must be at least 2", got=str(value))
    for name, fraction in (("families", families), ("left", left)):
        if not 0.0 <= fraction <= 1.0:
            found.add(f"`{name}`", "must lie between 0 and 1", got=str(fraction))
    found.raise_if_any()
    streams = np.random.SeedSequence(seed).spawn(4)
    people, places, sizes, history = (np.random.default_rng(stream) for stream in streams)
    reps = make_reps(n_reps, TODAY, people)
    accounts = _accounts(n_accounts, places)
    accounts = pd.concat([accounts, _sizes(n_accounts, sizes)], axis=1)
    parent = _parents(accounts, families, history)
    ids = accounts["account_id"].to_numpy(dtype=object)[parent]
    ids[parent < 0] = None
    accounts["parent_id"] = ids
    owner, since = _owners(accounts, reps, parent, left, history)
    accounts["owner"], accounts["owner_since"] = owner, since
    accounts["last_touch"] = TODAY - pd.to_timedelta(history.integers(0, 400, n_accounts), unit="D")
    order = (
        "account_id name parent_id segment industry employees country state city lat lon owner owner_since arr "
        "potential open_pipeline leads last_touch"
    )
    accounts = accounts[order.split()].astype(dict.fromkeys(ACCOUNT_DATES, "datetime64[ns]"))
    return accounts, reps.astype(dict.fromkeys(REP_DATES, "datetime64[ns]"))


def _accounts(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return ids, names, industries and places."""
    weight = np.array([city[5] for city in CITIES])
    at = rng.choice(len(CITIES), size=n, p=weight / weight.sum())
    starts, ends = np.array(NAME_STARTS, dtype=object), np.array(NAME_ENDS, dtype=object)
    first, second = rng.integers(0, len(starts), n), rng.integers(0, len(ends), n)
    times = pd.Series(first * len(ends) + second).groupby(first * len(ends) + second).cumcount().to_numpy()
    number = np.array([f" {t + 1}" if t else "" for t in times.tolist()], dtype=object)
    shift = np.clip(rng.normal(0.0, 0.15, (n, 2)), -0.6, 0.6)
    return pd.DataFrame(
        {
            "account_id": [f"A-{i:06d}" for i in range(1, n + 1)],
            "name": starts[first] + " " + ends[second] + number,
            "industry": np.array(INDUSTRIES, dtype=object)[rng.integers(0, len(INDUSTRIES), n)],
            "country": np.array([c[2] for c in CITIES], dtype=object)[at],
            "state": np.array([c[1] for c in CITIES], dtype=object)[at],
            "city": np.array([c[0] for c in CITIES], dtype=object)[at],
            "lat": np.round(np.array([c[3] for c in CITIES])[at] + shift[:, 0], 4),
            "lon": np.round(np.array([c[4] for c in CITIES])[at] + shift[:, 1], 4),
        }
    )


def _sizes(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return employees, segment and the money columns; size and potential go together loosely."""
    size = rng.standard_normal(n)
    employees = np.maximum(5, np.rint(180.0 * np.exp(1.6 * size))).astype(np.int64)
    potential = 30_000.0 * np.exp(1.5 * (0.7 * size + np.sqrt(1.0 - 0.49) * rng.standard_normal(n)))
    customer = rng.random(n) < 0.45
    arr = np.where(customer, potential * rng.beta(2.0, 4.0, n), 0.0)
    named = potential >= np.quantile(potential, 0.97)
    segment = np.select([named, employees >= 2_000, employees >= 200], ["named", "enterprise", "commercial"], "smb")
    return pd.DataFrame(
        {
            "segment": segment.astype(object),
            "employees": employees,
            "arr": np.rint(arr).astype(np.int64),
            "potential": np.maximum(500, np.rint(potential)).astype(np.int64),
            "open_pipeline": np.rint(columns.sparse_sizes(n, rng, median=12_000.0)).astype(np.int64),
            "leads": columns.poisson_counts(n, rng, mean=4.0).astype(np.int64),
        }
    )


def _parents(accounts: pd.DataFrame, fraction: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the position of each account's parent, -1 for none. Parents are large and have no parent themselves."""
    n = len(accounts)
    parent = np.full(n, -1, dtype=np.int64)
    heads = np.argsort(-accounts["potential"].to_numpy(), kind="stable")[: max(1, n // 40)]
    child = np.flatnonzero(rng.random(n) < fraction)
    child = child[~np.isin(child, heads)]
    weight = columns.lognormal_sizes(len(heads), rng, sigma=1.0)
    parent[child] = rng.choice(heads, size=len(child), p=weight / weight.sum())
    return parent


def _owners(
    accounts: pd.DataFrame, reps: pd.DataFrame, parent: NDArray[np.int64], left: float, rng: np.random.Generator
) -> tuple[NDArray[np.object_], pd.Series]:
    """Return owner ids (None: nobody) and since when; children mostly have their parent's owner."""
    n = len(accounts)
    seated = np.flatnonzero((reps["status"] != "to be hired").to_numpy())
    narrow = np.array([1.0, 0.77])  # a degree of longitude is shorter than one of latitude
    home = columns.nearest(
        accounts[["lat", "lon"]].to_numpy() * narrow, reps[["lat", "lon"]].to_numpy()[seated] * narrow
    )
    holder = columns.out_of_place(home, len(seated), rng)
    follow = (parent >= 0) & (rng.random(n) < 0.7)
    holder = np.where(follow, holder[parent], holder)
    owner = reps["rep_id"].to_numpy(dtype=object)[seated][holder]
    gone = rng.random(n)
    owner = np.where(gone < left, np.array([f"X-{i}" for i in range(1, 6)], dtype=object)[holder % 5], owner)
    owner[rng.random(n) < 0.1] = None
    months = rng.geometric(1 / 18, n)
    since = pd.Series(TODAY - pd.to_timedelta(months * 30, unit="D"))
    return owner, since.where(pd.Series(owner).notna())


def committed_csv() -> dict[str, str]:
    """Return the text of the committed tables by file name, made anew from `COMMITTED`."""
    accounts, reps = make_saas(**COMMITTED)
    form: dict[str, Any] = {"index": False, "date_format": "%Y-%m-%d", "lineterminator": "\n"}
    return {"saas_accounts.csv": accounts.to_csv(**form), "saas_reps.csv": reps.to_csv(**form)}


def load_saas() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load the small committed tables: 400 accounts, 12 seats, 3 managers; what the demo and the docs use.

    Returns
    -------
    accounts, reps : DataFrame
        As `make_saas` makes them from ``COMMITTED``.

    Examples
    --------
    >>> accounts, reps = load_saas()
    >>> len(accounts), len(reps), reps["manager"].nunique()
    (400, 12, 3)
    """
    folder = files("gtm_opt.datasets")
    tables = []
    for name, dates in (("saas_accounts.csv", ACCOUNT_DATES), ("saas_reps.csv", REP_DATES)):
        with folder.joinpath(name).open("r", encoding="utf-8") as text:
            # "NA" is no missing value here: only empty cells are
            table = pd.read_csv(text, parse_dates=dates, keep_default_na=False, na_values=[""])
        tables.append(table.astype(dict.fromkeys(dates, "datetime64[ns]")))
    return tables[0], tables[1]
