"""The configs in docs/configs on the files they were written for; skipped where these are absent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gtm_opt.cli.app import app
from gtm_opt.plan import Plan

Run = Callable[..., Result]


def run_config(
    root: Path,
    instances: Path,
    needs: str,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *changes: tuple[str, str],
) -> Result:
    """Run a config of docs/configs with a quick solver, unless the changes say otherwise."""
    if not (instances / needs).exists():
        pytest.skip(f"{needs} is not here")
    monkeypatch.setenv("GTM_OPT_INSTANCES", str(instances))
    text = (root / "docs" / "configs" / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["plan", str(tmp_path / name), "--out", str(tmp_path / "plan")])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


QUICK = ("seed = 0", 'seed = 0\nsolver = "greedy_lookahead"')


def test_the_fortune_1000_cannot_be_even_and_the_command_says_why(
    root: Path, instances: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    change = ('on_infeasible = "nearest"', 'on_infeasible = "raise"')
    result = run_config(
        root, instances, "crm/fortune1000_2018_hq.csv", "fortune_1000.toml", monkeypatch, tmp_path, change
    )
    assert result.exit_code == 3
    assert "Account 'Walmart' alone holds 2,300,000 employees, 6.8 % of all" in result.stderr
    assert "The nearest possible worst deviation is 36.7 %" in result.stderr
    assert not (tmp_path / "plan").exists()


def test_the_fortune_1000_gets_the_nearest_plan(
    root: Path, instances: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = run_config(
        root, instances, "crm/fortune1000_2018_hq.csv", "fortune_1000.toml", monkeypatch, tmp_path, QUICK
    )
    assert result.exit_code in (1, 4), result.output
    plan = Plan.load(tmp_path / "plan")
    accounts = plan.carving.accounts
    assert len(accounts) == 1_000
    assert accounts["employees"].sum() == pytest.approx(33_652_515, rel=1e-9)
    assert plan.carving.territories.count == 20
    assert plan.carving.hierarchy.depth == 2
    assert (tmp_path / "plan" / "plan.xlsx").exists()


def test_the_crm_export_becomes_a_plan_of_three_levels(
    root: Path, instances: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = run_config(root, instances, "crm/maven", "maven_crm.toml", monkeypatch, tmp_path, QUICK)
    assert result.exit_code in (0, 1, 4), result.output
    assert "1,425 of 8,800 rows name no account" in result.stdout
    plan = Plan.load(tmp_path / "plan")
    accounts = plan.carving.accounts
    assert accounts["won"].sum() == 10_005_534
    assert "technology" in set(accounts["sector"])
    assert "technolgy" not in set(accounts["sector"])
    assert plan.carving.hierarchy.levels == ("company", "regional_office", "manager", "seat")
    assert plan.carving.territories.count == 30
    assert plan.quotas is not None
    assert plan.quotas.target == 10_500_000
    assert plan.check().violations["area"].isin(["carving"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["maven_crm.toml", "fortune_1000.toml"])
def test_the_configs_run_as_they_are_written(
    root: Path, instances: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    result = run_config(root, instances, "crm/maven", name, monkeypatch, tmp_path)
    assert result.exit_code in (0, 1, 4), result.output
