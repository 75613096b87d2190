"""Prices on shared rows: the bound is one, and the plan keeps every row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.mip import Options
from gtm_opt.sales_capacity.hiring.prices import lagrangian_bound, split_blocks
from tests.reference.hiring_cases import plan_h2


def many(seed: int, n: int = 4, **options: Any) -> gtm.HiringPlan:
    """Several segments that share recruiting slots, engineers and a total target."""
    rng = np.random.default_rng(seed)
    names = [f"S{k}" for k in range(n)]
    roles = [
        gtm.Role(
            name, float(rng.integers(5, 15) * 100), name, gtm.Ramp.steps([0, 0.5]), cost_pm=float(rng.integers(12, 30))
        )
        for name in names
    ]
    roles.append(gtm.Role("SE", 0.0, quota_type="overlay", cost_pm=20.0, hire_cost=8.0))
    heads = {name: float(rng.integers(3, 8)) for name in names}
    rows: list[tuple[str, str | None, float]] = [
        ("Q2", role.segment, heads[role.name] * role.productivity_py / 4 * float(rng.uniform(0.95, 1.15)))
        for role in roles[:-1]
    ]
    total = sum(row[2] for row in rows)
    targets = pd.DataFrame(
        [*rows, ("Q2", None, total), ("Q1", None, 0.9 * total)], columns=["quarter", "segment", "target"]
    )
    heads["SE"] = float(np.ceil(sum(heads.values()) / 3))
    rules = [gtm.RecruitingLimit(3, roles=names), gtm.SupportRatio("SE", dict.fromkeys(names, 3))]
    calendar = gtm.Calendar("2026-01", months=6)
    attrition = dict.fromkeys(names, 0.02)
    return gtm.plan_hiring(roles, heads, targets, calendar, rules=rules, attrition=attrition, **options)


@given(st.integers(0, 30))
@settings(max_examples=8)
def test_the_plan_by_prices_is_as_good_as_that_of_one_model(seed: int) -> None:
    direct, priced = many(seed), many(seed, method="prices")
    assert priced.status == direct.status
    if direct.status == "optimal":
        assert priced.objective == pytest.approx(direct.objective, abs=1e-5)
        assert not priced.rows.empty
        assert (priced.rows["slack"] >= -1e-6 * np.maximum(1.0, priced.rows["value"].abs())).all()


@given(st.integers(0, 20), st.lists(st.floats(-50, 50), min_size=30, max_size=30))
@settings(max_examples=15)
def test_any_prices_give_a_bound_below_the_best_plan(seed: int, drawn: list[float]) -> None:
    plan = many(seed, n=3)
    if plan.status != "optimal":
        return
    form = plan.formulation
    program = form.model(form.objectives["least_cost"]).program()
    blocks = split_blocks(form, program)
    prices = np.resize(np.array(drawn), len(blocks.shared))
    high = np.minimum(program.high, 50.0)
    bound, plans = lagrangian_bound(program, blocks, prices, high, Options())
    assert bound <= plan.objective + 1e-6
    assert len(plans) == 3


def test_blocks_hold_all_columns_once_and_no_row_of_a_block_reaches_out() -> None:
    form = plan_h2().formulation
    program = form.model(form.objectives["least_cost"]).program()
    blocks = split_blocks(form, program)
    columns = np.concatenate([*blocks.columns, blocks.rest])
    assert sorted(columns.tolist()) == list(range(program.n_columns))
    rows = np.concatenate([*blocks.rows, blocks.shared])
    assert sorted(rows.tolist()) == list(range(program.n_rows))
    for inside, members in zip(blocks.rows, blocks.columns, strict=True):
        assert np.isin(program.matrix[inside].indices, members).all()


def test_h2_by_prices_is_optimal_too() -> None:
    plan = plan_h2(method="prices")
    assert plan.objective == pytest.approx(1530.70958, abs=2e-5)
    assert plan.status == "optimal"


def test_prices_are_refused_where_they_do_not_apply() -> None:
    with pytest.raises(gtm.DataError, match="`method` must be 'direct', or 'prices' with highs"):
        plan_h2(method="prices", backend="pulp")
