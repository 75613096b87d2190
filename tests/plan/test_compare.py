from __future__ import annotations

import pandas as pd

from gtm_opt.carving import CarveOptions
from gtm_opt.model import Balance, CarvingProblem, Pin
from gtm_opt.plan import Plan, build_plan
from tests.plan.conftest import make_plan


def small(pins: dict[str, str], ids: str = "abcdef", target: int = 1_000_000) -> Plan:
    accounts = pd.DataFrame({"account_id": list(ids), "arr": [float(10 * (ord(i) - 96)) for i in ids]})
    problem = CarvingProblem(accounts, ["East", "West"], [Balance("arr", 1.0)], rules=[Pin(pins)])
    return build_plan(problem, target=target, quota_weights="arr", options=CarveOptions(solver="greedy_lookahead"))


def test_a_plan_does_not_differ_from_itself(plan: Plan) -> None:
    assert plan.compare(plan).same
    assert plan.compare(make_plan()).summary() == "No account, seat or quota changed."


def test_accounts_that_moved_are_listed_with_what_they_are_worth() -> None:
    rest = dict(zip("bcdef", ["East", "West", "East", "West", "East"], strict=True))
    change = small({"a": "East", **rest}).compare(small({"a": "West", **rest}))
    assert change.moved.to_dict("records") == [{"account_id": "a", "before": "East", "after": "West", "arr": 10.0}]
    assert change.flows["accounts"].tolist() == [1]
    assert set(change.quotas["node_id"]) == {"East", "West"}
    assert change.quotas["change"].sum() == 0
    assert "East -> West: 1 accounts" in change.summary()


def test_new_and_vanished_accounts_are_told_apart() -> None:
    pins = dict.fromkeys("abcde", "East")
    change = small({**pins, "f": "West"}).compare(small({**pins, "g": "West"}, ids="abcdeg"))
    assert change.moved.set_index("account_id")["after"].to_dict() == {"g": "West", "f": None}
    assert "(1 are new, 1 are gone)" in change.summary()
    assert change.n_accounts == 7


def test_changed_quotas_are_reported_with_their_change() -> None:
    pins = dict(zip("abcdef", ["East", "West"] * 3, strict=True))
    change = small(pins).compare(small(pins, target=1_100_000))
    assert not len(change.moved)
    assert not change.same
    assert change.quotas.set_index("node_id").loc["all", "change_frac"] == 0.1
