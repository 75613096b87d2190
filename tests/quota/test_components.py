"""Several quotas stand side by side, each with its own tree and measure, and weigh into one attainment."""

from __future__ import annotations

import pandas as pd
import pytest

import gtm_opt as gtm

FIELD = gtm.Hierarchy.from_dict({"north": ["ana", "ben"], "south": ["cam"]})
HUNTERS = gtm.Hierarchy.from_dict({"north": ["ana", "ben"]})


def components(**changes) -> list[gtm.QuotaComponent]:
    new = {"weight_frac": 0.6, "measure": "EUR", "cap_frac": 1.5, "options": {"over_assign": {"north": 0.1}}, **changes}
    return [
        gtm.QuotaComponent("new business", 2_000_000, HUNTERS, **new),
        gtm.QuotaComponent("renewal", 3_000_000, FIELD, weight_frac=0.3, measure="EUR"),
        gtm.QuotaComponent("seats of X", 90, FIELD, weight_frac=0.1, measure="units", options={"unit": 1}),
    ]


def test_each_component_ties_out_in_its_own_tree_and_measure() -> None:
    quotas = gtm.cascade_components(components())
    for cascade in quotas.quotas.values():
        cascade.tie_out()
    seats = quotas.seats.set_index(["seat_id", "component"])
    assert seats.loc[("ana", "new business"), "quota"] == 1_100_000
    assert seats.loc[("cam", "renewal"), "quota"] == 1_000_000
    assert seats.loc[("cam", "seats of X"), "quota"] == 30
    assert quotas.total("EUR") == 5_000_000
    assert quotas.total("units") == 90
    with pytest.raises(gtm.DataError, match="must be that of a component, got 'USD'"):
        quotas.total("USD")
    assert "renewal 3,000,000 EUR" in repr(quotas)


def test_weights_of_a_seat_are_those_of_the_components_it_carries() -> None:
    seats = gtm.cascade_components(components()).seats
    assert seats.groupby("seat_id")["weight_frac"].sum().tolist() == pytest.approx([1, 1, 1])
    assert seats.query("seat_id == 'cam'")["weight_frac"].tolist() == pytest.approx([0.75, 0.25])


def test_one_attainment_is_the_weighted_sum_up_to_each_cap() -> None:
    quotas = gtm.cascade_components(components())
    results = pd.DataFrame(
        {
            "seat_id": ["ana", "ana", "ana", "cam"],
            "component": ["new business", "new business", "renewal", "renewal"],
            "amount": [1_100_000, 2_200_000, 500_000, 1_200_000],
        }
    )
    table = quotas.attainment(results).set_index("seat_id")
    assert table.loc["ana", "new business"] == pytest.approx(3.0)
    assert table.loc["ana", "attainment"] == pytest.approx(0.6 * 1.5 + 0.3 * 0.5)
    assert table.loc["cam", "attainment"] == pytest.approx(0.75 * 1.2)
    assert pd.isna(table.loc["cam", "new business"])
    assert table.loc["ben", "attainment"] == 0.0


def test_accounts_support_a_component_or_the_gap_is_named() -> None:
    quotas = gtm.cascade_components(components())
    accounts = pd.DataFrame(
        {"seat_id": ["ana", "ana"], "component": ["renewal", "renewal"], "value": [800_000, 100_000]}
    )
    check = quotas.check_support(accounts).set_index(["seat_id", "component"])
    assert check.loc[("ana", "renewal"), "missing"] == 100_000
    assert check.loc[("ben", "renewal"), "missing"] == 1_000_000


def test_findings_carry_the_name_of_their_component() -> None:
    with pytest.raises(gtm.DataError, match=r"component 'new business': over_assign must name levels or nodes"):
        gtm.cascade_components(components(options={"over_assign": {"nrth": 0.1}}))
    with pytest.raises(gtm.DataError, match=r"must sum to 1, got 1\.4"):
        gtm.cascade_components(components(weight_frac=1.0))
    with pytest.raises(gtm.DataError, match="must be one or more, with unique names"):
        gtm.cascade_components([])
    with pytest.raises(gtm.DataError, match=r"(?s)must lie within 0 and 1.*must be arguments of cascade"):
        gtm.QuotaComponent("x", 1.0, FIELD, weight_frac=2.0, options={"weight": "equal"})
    quotas = gtm.cascade_components(components())
    wrong = pd.DataFrame({"seat_id": ["cam", "ana"], "component": ["new business", "renewal"], "amount": [1, "x"]})
    with pytest.raises(gtm.DataError, match=r"(?s)must only name seats with that component.*must hold finite numbers"):
        quotas.attainment(wrong)
    bounds = pd.DataFrame({"node_id": ["ana"], "floor": [9_000_000]})
    with pytest.raises(gtm.InfeasibleError) as caught:
        gtm.cascade_components(components(options={"bounds": bounds}))
    assert "component 'new business'" in caught.value.__notes__
