"""Names and saved plans of the last release are understood for one release more."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.cli.read_config import read_config
from gtm_opt.errors import RenamedWarning
from gtm_opt.quota import cascade

SAVED = Path(__file__).parent / "saved_by_0_1"


def tree() -> gtm.Hierarchy:
    frame = pd.DataFrame({"node_id": ["all", "east", "west"], "parent_id": [None, "all", "all"]})
    return gtm.Hierarchy.from_frame(frame)


def test_a_plan_saved_by_the_last_release_loads_with_present_names() -> None:
    plan = gtm.Plan.load(SAVED)
    assert plan.quotas is not None
    assert plan.capacity is not None
    assert plan.roles is not None
    assert plan.quotas.target == 1_200_000
    assert plan.quotas.quota("m1") == 880_000
    assert plan.capacity.total == pytest.approx(1_650_000.0)
    assert plan.roles["AE"].cost_pm == 10_000
    assert not [
        name for table in plan.tables.values() for name in table.columns if name.endswith("_usd") and name != "arr_usd"
    ]


def test_former_keywords_are_taken_with_a_warning() -> None:
    with pytest.warns(RenamedWarning, match=r"Role\(productivity_usd_py=\.\.\.\) is now called Role\(productivity_py="):
        role = gtm.Role("AE", productivity_usd_py=900_000)
    assert role.productivity_py == 900_000
    with pytest.warns(RenamedWarning, match=r"cascade\(plan_usd=\.\.\.\) is now called cascade\(target=\.\.\.\)"):
        quotas = cascade(tree(), plan_usd=1_000_000)
    with pytest.warns(RenamedWarning, match=r"Quotas\.plan_usd is now called Quotas\.target"):
        assert quotas.plan_usd == quotas.target
    with pytest.raises(TypeError, match="got both 'target' and 'plan_usd'"):
        cascade(tree(), target=1_000_000, plan_usd=1_000_000)


def test_former_columns_are_read_with_a_warning() -> None:
    bounds = pd.DataFrame({"node_id": ["east"], "floor_usd": [700_000]})
    with pytest.warns(RenamedWarning, match=r"bounds\['floor_usd'\] is now called bounds\['floor'\]"):
        assert cascade(tree(), 1_000_000, bounds=bounds).quota("east") == 700_000
    with pytest.warns(RenamedWarning, match="productivity_py"):
        roles = gtm.Roles.from_frame(pd.DataFrame({"role": ["AE"], "productivity_usd_py": [5.0]}))
    assert roles["AE"].productivity_py == 5.0


def test_former_words_of_a_config_are_read_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(
        '[accounts]\nfile = "a.csv"\n'
        '[[roles]]\nname = "AE"\nproductivity_usd_py = 900000\n'
        "[quota]\ntarget_usd = 5000000\n",
        encoding="utf-8",
    )
    with pytest.warns(RenamedWarning, match=r"\[(roles|quota)\]"):
        config = read_config(path)
    assert config.quota is not None
    assert config.quota.target == 5_000_000
    assert config.roles[0].productivity_py == 900_000


def test_amounts_of_two_currencies_are_refused() -> None:
    plan = gtm.Plan.load(SAVED)
    quotas = cascade(plan.carving.hierarchy, 1_200_000, currency="EUR")
    capacity = gtm.capacity(plan.staffing, plan.roles, plan.capacity.calendar, currency="USD")
    with pytest.raises(gtm.DataError, match="capacity is in USD, quotas are in EUR"):
        gtm.Plan(plan.carving, plan.staffing, capacity, quotas, plan.roles)


def test_the_currency_is_a_label_in_what_is_printed() -> None:
    assert "target 1,000,000 EUR" in repr(cascade(tree(), 1_000_000, currency="EUR"))
    assert "target 1,000,000," in repr(cascade(tree(), 1_000_000))
