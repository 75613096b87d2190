"""Mistakes that planners make, as calls: the one source of the table in docs/errors.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import gtm_opt as gtm
from tests.model.wishes import problem, table

Case = tuple[str, Callable[[], Any]]


def changed(column: str, row: int, value: object) -> pd.DataFrame:
    """Return the account table with one cell changed."""
    accounts = table().astype(object).infer_objects()
    accounts[column] = accounts[column].astype(object)
    accounts.loc[row, column] = value
    return accounts.infer_objects()


def with_column(name: str, values: list[Any]) -> pd.DataFrame:
    """Return the account table with a column more, or another one in its place."""
    return table().assign(**{name: values})


def reps(**columns: list[Any]) -> pd.DataFrame:
    """Return a rep table of three."""
    return pd.DataFrame({"rep_id": ["R1", "R2", "R3"], "capacity": [1.0, 1.0, 0.5], **columns})


def keep(**wishes: Any) -> Any:
    """Return a problem that prefers to keep owners."""
    return problem(prefer=[gtm.KeepOwner()], **wishes)


SCORES = pd.DataFrame({"T1": [1.0, 0.2], "T2": [0.0, 0.9]}, index=["Tech", "Bank"])
EVEN = pd.DataFrame({"account_id": [f"A{i}" for i in range(20)], "arr": 10.0, "owner": "T1"})
GIANT = EVEN.assign(arr=[400.0, *[10.0] * 19])


def carve(accounts: pd.DataFrame, balance: list[Any], *, territories: Any = 4, **wishes: Any) -> Any:
    """Carve with preferences, so that bands are limits."""
    wishes = {"prefer": [gtm.KeepOwner(unknown="unowned")], **wishes}
    return gtm.carve(gtm.CarvingProblem(accounts, territories, balance, **wishes))


ACCOUNTS: list[Case] = [
    ("The id column has another name", lambda: problem(table().rename(columns={"account_id": "Id"}))),
    ("Two rows of one account", lambda: problem(changed("account_id", 4, "A1"))),
    (
        "Two rows of one account, and more",
        lambda: problem(changed("account_id", 4, "A1").assign(arr=[1.0, 2.0, 3.0, 4.0, -5.0, 6.0])),
    ),
    ("An account without an id", lambda: problem(changed("account_id", 3, None))),
    ("Ids with blanks around them", lambda: problem(changed("account_id", 3, "A3 "))),
    ("The filter left no accounts", lambda: problem(table().head(0))),
    ("Two columns of one name", lambda: problem(pd.concat([table(), table()[["owner"]]], axis=1))),
    ("A mistyped column", lambda: problem(balance=[gtm.Balance("arr_us")])),
    ("A cell without a number", lambda: problem(changed("arr", 2, np.nan))),
    ("A negative number", lambda: problem(changed("arr", 5, -120.0))),
    ("Money written as text", lambda: problem(with_column("arr", [f"${i},000" for i in range(1, 7)]))),
    ("Text in a number column", lambda: problem(changed("arr", 1, "unknown"))),
    ("A number that can be read in two ways", lambda: gtm.parse_numbers(pd.Series(["1,5"], name="arr", index=["A0"]))),
    ("Nothing to balance", lambda: problem(with_column("arr", [0.0] * 6))),
    ("An id column taken for a mix", lambda: problem(table(40), balance=[gtm.Mix("account_id")])),
    (
        "An account that is its own ancestor",
        lambda: keep(
            accounts=with_column("parent_id", ["A1", "A0", None, None, None, None]), rules=[gtm.KeepTogether()]
        ),
    ),
    ("An account without a place on the map", lambda: problem(changed("lat", 2, np.nan), prefer=[gtm.Near()])),
    ("Latitude and longitude swapped", lambda: problem(prefer=[gtm.Near(lat="lon", lon="lat")])),
    ("Accounts of somebody who left", lambda: keep(accounts=changed("owner", 0, "Zoe"))),
    ("A column mapped to one that does not exist", lambda: problem(columns={"arr": "ARR"})),
    (
        "Several mistakes at once",
        lambda: keep(accounts=changed("arr", 1, np.nan), rules=[gtm.Pin({"A9": "T1"}), gtm.Forbid([("A1", "T9")])]),
    ),
]

TERRITORIES: list[Case] = [
    ("Shares that do not sum to 1", lambda: gtm.Territories(("East", "West"), (0.5, 0.6))),
    ("A territory that gets nothing", lambda: gtm.Territories(("East", "West"), (1.0, 0.0))),
    ("Two territories of one name", lambda: problem(territories=["East", "East"])),
    ("A name instead of a list of names", lambda: problem(territories="East")),
    ("One rep in two territories", lambda: gtm.Territories(("East", "West"), reps=("R1", "R1"))),
    ("A rep listed twice", lambda: gtm.Territories.from_reps(reps(rep_id=["R1", "R1", "R3"]))),
    ("A rep without capacity", lambda: gtm.Territories.from_reps(reps(capacity=[1.0, 0.0, 0.5]))),
    ("A status nobody knows", lambda: gtm.Territories.from_reps(reps(status=["on leave", "TBH", "filled"]))),
    ("A seat without a home", lambda: gtm.Territories.from_reps(reps(lat=[1.0, None, 2.0], lon=[1.0, 2.0, 3.0]))),
]

HIERARCHY: list[Case] = [
    ("More than ten buckets", lambda: gtm.Hierarchy.from_dict({"Americas": [f"T{i}" for i in range(17)]})),
    (
        "A cycle in the tree",
        lambda: gtm.Hierarchy.from_frame(pd.DataFrame({"node_id": ["all", "a", "b"], "parent_id": [None, "b", "a"]})),
    ),
    (
        "A parent that is no node",
        lambda: gtm.Hierarchy.from_frame(pd.DataFrame({"node_id": ["all", "a"], "parent_id": [None, "West"]})),
    ),
    (
        "Two roots",
        lambda: gtm.Hierarchy.from_frame(
            pd.DataFrame({"node_id": ["East", "West", "T1"], "parent_id": [None, None, "East"]})
        ),
    ),
    ("A rep without a manager", lambda: gtm.Hierarchy.from_reps(reps(manager=["Ann", None, "Bob"]), ["manager"])),
    ("A tree over other territories", lambda: gtm.carve(problem(), hierarchy=gtm.Hierarchy.from_dict(["T1", "T3"]))),
]

WISHES: list[Case] = [
    ("Nothing asked for", lambda: problem(balance=[])),
    ("A tolerance in percent", lambda: gtm.Balance("arr", tolerance=5)),
    ("A priority of zero", lambda: gtm.Count(priority=0)),
    ("The same criterion twice", lambda: problem(balance=[gtm.Balance("arr"), gtm.Balance("arr", 0.2)])),
    ("Fixed shares that leave a territory out", lambda: problem(balance=[gtm.Count(shares={"T1": 1.0})])),
    ("A limit without a number", lambda: gtm.Limit("arr")),
    ("A minimum above the maximum", lambda: problem(balance=[gtm.Limit("arr", at_least=9, at_most=5)])),
    ("A limit for an unknown territory", lambda: problem(balance=[gtm.Limit("arr", at_most={"T3": 5})])),
    ("A weight of zero", lambda: gtm.KeepOwner(weight=0)),
    ("An industry without scores", lambda: problem(prefer=[gtm.Fit(SCORES.head(1), by="industry")])),
    ("Scores above 1", lambda: problem(prefer=[gtm.Fit(SCORES * 100, by="industry")])),
    ("A territory without scores", lambda: problem(prefer=[gtm.Fit(SCORES[["T1"]], by="industry")])),
    ("A center is missing", lambda: problem(prefer=[gtm.Near(centers={"T1": (40.0, -90.0)})])),
]

RULES: list[Case] = [
    ("A pin to an unknown territory", lambda: problem(rules=[gtm.Pin({"A1": "T7"})])),
    ("A pin of an unknown account", lambda: problem(rules=[gtm.Pin({"B1": "T1"})])),
    ("Two pins of one account", lambda: problem(rules=[gtm.Pin({"A1": "T1"}), gtm.Pin({"A1": "T2"})])),
    ("A pin against a forbid", lambda: problem(rules=[gtm.Pin({"A1": "T1"}), gtm.Forbid([("A1", "T1")])])),
    (
        "A family pinned apart",
        lambda: problem(
            with_column("parent_id", [None, "A0", None, None, None, None]),
            rules=[gtm.KeepTogether(), gtm.Pin({"A0": "T1", "A1": "T2"})],
        ),
    ),
    (
        "A relative pinned where the account is forbidden",
        lambda: problem(
            with_column("parent_id", [None, "A0", None, None, None, None]),
            rules=[gtm.KeepTogether(), gtm.Pin({"A0": "T1"}), gtm.Forbid([("A1", "T1")])],
        ),
    ),
    ("An account forbidden everywhere", lambda: problem(rules=[gtm.Forbid([("A1", "T1"), ("A1", "T2")])])),
    (
        "A pin outside the team of the account",
        lambda: problem(rules=[gtm.Within({"Tech": ["T2"]}, by="industry"), gtm.Pin({"A1": "T1"})]),
    ),
    (
        "A family of two teams",
        lambda: problem(
            with_column("parent_id", [None, "A0", None, None, None, None]),
            rules=[gtm.KeepTogether(), gtm.Within({"Tech": ["T2"], "Bank": ["T1"]}, by="industry")],
        ),
    ),
    ("A team of unknown territories", lambda: problem(rules=[gtm.Within({"Tech": ["T7"]}, by="industry")])),
    ("A group that does not occur", lambda: problem(rules=[gtm.Within({"Tehc": ["T1"]}, by="industry")])),
    ("A forbid for a value that does not occur", lambda: problem(rules=[gtm.Forbid([("Banks", "T1")], by="industry")])),
    ("Ids instead of groups", lambda: gtm.KeepApart(["A1", "A2"])),
    ("More competitors than territories", lambda: problem(rules=[gtm.KeepApart([["A1", "A2", "A3"]])])),
    (
        "Competitors of one family",
        lambda: problem(
            with_column("parent_id", [None, "A0", None, None, None, None]),
            rules=[gtm.KeepTogether(), gtm.KeepApart([["A0", "A1"]])],
        ),
    ),
    ("A move limit in percent", lambda: gtm.MaxMoved(20)),
    ("A move limit on an unknown column", lambda: keep(rules=[gtm.MaxMoved(0.2, by="arrr")])),
]

CARVE: list[Case] = [
    ("A mistyped solver", lambda: gtm.carve(problem(), solver="local_serch")),
    ("No time at all", lambda: gtm.carve(problem(), time_limit=0)),
    ("Endless effort", lambda: gtm.carve(problem(), effort=float("inf"))),
    ("A negative seed", lambda: gtm.carve(problem(), seed=-1)),
    ("A method that cannot keep a rule", lambda: gtm.carve(keep(rules=[gtm.MaxMoved(0.5)]), solver="waterfall")),
    ("A plan that forgets accounts", lambda: gtm.check(problem(table(3)), {"A0": "T1", "A1": "T2"})),
    ("A plan with unknown territories", lambda: gtm.check(problem(table(2)), {"A0": "T1", "A1": "Mars"})),
]

IMPOSSIBLE: list[Case] = [
    ("An account larger than a territory", lambda: carve(GIANT, [gtm.Balance("arr", 0.05)])),
    (
        "A family larger than a territory",
        lambda: carve(
            EVEN.assign(parent_id=["A0"] * 8 + [None] * 12), [gtm.Balance("arr", 0.05)], rules=[gtm.KeepTogether()]
        ),
    ),
    (
        "A few accounts that are most of everything",
        lambda: carve(EVEN.assign(arr=[52.0, 52.0, 52.0, *[2.5] * 17]), [gtm.Balance("arr", 0.05)]),
    ),
    ("Pins over the band", lambda: carve(EVEN, [gtm.Count(0.1)], rules=[gtm.Pin({f"A{i}": "T1" for i in range(9)})])),
    (
        "A territory that nobody may fill",
        lambda: carve(EVEN, [gtm.Count(0.1)], rules=[gtm.Forbid([(f"A{i}", "T4") for i in range(18)])]),
    ),
    ("Limits that do not add up", lambda: carve(EVEN, [gtm.Limit("accounts", at_most=4)])),
    ("Minimums that do not add up", lambda: carve(EVEN, [gtm.Limit("arr", at_least=60)])),
    ("An account over every limit", lambda: carve(GIANT, [gtm.Limit("arr", at_most=390)])),
    (
        "Pins that move more than allowed",
        lambda: carve(EVEN, [gtm.Count(1.0)], rules=[gtm.MaxMoved(0.1), gtm.Pin({f"A{i}": "T2" for i in range(3)})]),
    ),
    ("One owner, little may move, all shall be even", lambda: carve(EVEN, [gtm.Count(0.1)], rules=[gtm.MaxMoved(0.3)])),
]

SECTIONS: dict[str, list[Case]] = {
    "Accounts": ACCOUNTS,
    "Territories and reps": TERRITORIES,
    "Hierarchy": HIERARCHY,
    "Criteria and preferences": WISHES,
    "Rules": RULES,
    "Carving and checking": CARVE,
    "Impossible requests": IMPOSSIBLE,
}
"""Heading of docs/errors.md -> its rows: (mistake, call that raises)."""
