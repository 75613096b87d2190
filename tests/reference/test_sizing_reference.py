"""Reference numbers of sizing and return."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm


def test_the_best_spend_has_a_cost_of_sale_of_margin_times_elasticity() -> None:
    response, margin = gtm.PowerResponse(2.0, 0.3), 0.75
    best = response.best_effort(margin)
    assert best == pytest.approx(0.319587, abs=5e-7)
    assert float(response(best)) == pytest.approx(1.420387, abs=5e-7)
    assert best / float(response(best)) == pytest.approx(margin * 0.3)
    profit = margin * response(best * np.array([1.0, 0.75, 1.25, 0.5])) - best * np.array([1.0, 0.75, 1.25, 0.5])
    assert profit[1:] / profit[0] == pytest.approx([0.9890, 0.9918, 0.9461], abs=5e-5)


def test_lodishs_four_answers_are_met_exactly() -> None:
    curve = gtm.AdbudgResponse.from_answers(none=0.2, more=1.25, saturation=1.6)
    assert curve([0.0, 1.0, 1.5]) == pytest.approx([0.2, 1.0, 1.25])
    assert curve.scale == pytest.approx(0.6 / 0.8)
    assert curve.shape == pytest.approx(np.log(1.05 / 0.35 * 0.75) / np.log(1.5))
    assert float(curve(1e9)) == pytest.approx(1.6)


def test_shares_of_contribution_times_elasticity() -> None:
    shares = gtm.budget_shares([10, 6, 4], [0.8, 0.7, 0.6], [0.2, 0.3, 0.4])
    assert shares == pytest.approx([0.418848, 0.329843, 0.251309], abs=5e-7)


def test_m1_concave_segments_get_5_3_and_2_heads_by_both_methods() -> None:
    curves = {s: gtm.SaturatingResponse(*p) for s, p in {"A": (12, 0.25), "B": (8, 0.4), "C": (5, 0.6)}.items()}
    for method in ("exact", "greedy"):
        found = gtm.allocate_heads(curves, 10, method=method)  # type: ignore[arg-type]
        assert found.table["heads"].tolist() == [5, 3, 2]
        assert found.value == pytest.approx(17.646418, abs=5e-7)
    assert found.is_concave
    assert found.greedy_value == pytest.approx(found.value)
    assert found.table["last"].tolist() == pytest.approx([0.9765, 1.1851, 1.2381], abs=5e-5)
    assert found.table["next"].tolist() == pytest.approx([0.7605, 0.7944, 0.6795], abs=5e-5)


def test_m2_an_s_shape_takes_five_heads_where_greedy_reaches_only_7_467() -> None:
    n = np.arange(7)
    responses = {"S": (10.0 * n**3 / (64 + n**3)).tolist(), "linear": np.minimum(1.5 * n, 4.5).tolist()}
    found = gtm.allocate_heads(responses, 6)
    assert found.table["heads"].tolist() == [5, 1]
    assert found.value == pytest.approx(8.113757, abs=5e-7)
    assert found.greedy_value == pytest.approx(7.467033, abs=5e-7)
    assert not found.is_concave
    with pytest.raises(gtm.DataError, match=r"must not be 'greedy' where a segment is not concave: in 'S' head 2 adds"):
        gtm.allocate_heads(responses, 6, method="greedy")


def test_a_pod_of_seller_engineer_manager_and_development_costs_477_33() -> None:
    assert gtm.pod_cost(300, {"SE": (250, 3), "MGR": (400, 8), "SDR": (110, 2.5)}) == pytest.approx(477.333, abs=5e-4)


def test_payback_is_20_5_months_on_gross_margin_and_16_without() -> None:
    assert gtm.cac_payback(4.0, 3.0, margin=0.78) == pytest.approx(20.5128, abs=5e-5)
    assert gtm.cac_payback(4.0, 3.0) == 16.0


def test_ten_million_need_11_146_seats_under_attrition_and_ramp() -> None:
    factor = gtm.seat_factor(0.02, [0, 0.25, 0.5, 0.75], 3)
    table = pd.DataFrame({"segment": ["A"], "target": [10e6], "productivity_py": [1e6], "seat_factor": [factor]})
    size = gtm.size_team(table)
    assert size.table["revenue"].tolist() == pytest.approx([11.146], abs=5e-4)
    assert size.heads == 12


def test_talleys_build_up_adds_tiers_and_rounds_up_by_segment() -> None:
    """Hours: A 50 x 24 x 1.5, B 120 x 12 x 1, C 400 x 4 x .5 = 4,040; a seller has 46 x 40 x .45 = 828."""
    table = pd.DataFrame(
        {
            "segment": ["ENT", "ENT", "ENT", "SMB"],
            "accounts": [50, 120, 400, 900],
            "calls_py": [24, 12, 4, 2],
            "hours_per_call": [1.5, 1.0, 0.5, 0.25],
        }
    )
    size = gtm.size_team(table, weeks_py=46, hours_per_week=40, selling_share=0.45)
    assert size.table["workload"].tolist() == pytest.approx([4040 / 828, 450 / 828])
    assert size.table["heads"].tolist() == [5, 1]
