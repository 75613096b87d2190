"""The config says how people's time is counted, and everything about a role."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import gtm_opt as gtm
from tests.cli.conftest import CONFIG

WORDS = """
[calendar]
fy_start = "2027-01"
season = [0.2, 0.2, 0.2, 0.4]
[[roles]]
name = "AE"
productivity_py = 1200000
ramp = { kind = "linear", months = 6 }
cost_pm = 9000
hire_cost = 20000
owns_accounts = true
[quota]
target = 300000
weights = "equal"
[people]
proration = "15th"
leaves = { file = "leaves.csv" }
relieve_quota = true
adjustments = { r1 = -10000 }
"""


def asked(plan: gtm.Plan, rep: str) -> float:
    sellers = plan.tables["sellers"]
    return float(sellers.loc[sellers["rep_id"] == rep, "seller_quota"].sum())


def test_the_config_speaks_all_of_it(run: Callable[..., Result], folder: Path) -> None:
    (folder / "leaves.csv").write_text("rep_id,start_date,end_date\nr2,2027-07-01,2027-09-30\n")
    result = run("plan", "config.toml", "--out", "out", config=CONFIG + WORDS)
    assert result.exit_code in (0, 1), result.stderr
    plan = gtm.Plan.load(folder / "out")
    assert plan.roles is not None
    role = next(iter(plan.roles))
    assert (role.cost_pm, role.hire_cost, role.owns_accounts) == (9_000, 20_000, True)
    assert role.ramp == gtm.Ramp.linear(6)
    assert asked(plan, "r1") == pytest.approx(90_000)
    assert asked(plan, "r2") == pytest.approx(80_000)


@pytest.mark.parametrize(
    ("ramp", "message"),
    [('{ kind = "linear" }', "kind = 'linear' needs months"), ('{ kind = "steps" }', "kind = 'steps' needs fractions")],
)
def test_a_ramp_without_its_numbers_is_told(run: Callable[..., Result], ramp: str, message: str) -> None:
    words = WORDS.replace('{ kind = "linear", months = 6 }', ramp)
    result = run("plan", "config.toml", config=CONFIG + words)
    assert result.exit_code == 2
    assert message in result.stderr


LEAVING = """
[attrition]
annual = { AE = 0.25 }
kind = "cohort"
new_hire = 0.3
[[backfill]]
time_to_fill_m = 2
notice_m = 1
[odds]
cv = 0.5
correlation = 0.1
"""


def test_attrition_backfills_and_odds_are_words_of_the_config(run: Callable[..., Result], folder: Path) -> None:
    words = WORDS[: WORDS.index("[people]")] + LEAVING
    result = run("plan", "config.toml", "--out", "out", config=CONFIG + words)
    assert result.exit_code in (0, 1), result.stderr
    plan = gtm.Plan.load(folder / "out")
    assert plan.people is not None
    assert plan.people.attrition == gtm.Attrition({"AE": 0.25}, kind="cohort", new_hire=0.3)
    assert plan.people.backfill == {"default": gtm.Backfill(2, notice_m=1)}
    assert plan.people.attainment == gtm.Attainment(0.5, correlation=0.1)
    assert (folder / "out" / "odds.csv").exists()
    assert plan.tables["odds"]["target"].iloc[-1] == 300_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('kind = "cohort"\n', ""), "[attrition] kind"),
        (("0.25", "25"), "Write 20 % as 0.20."),
        (("correlation", "corelation"), "Did you mean 'correlation'?"),
        (("[odds]", "[[backfill]]\ntime_to_fill_m = 1\n[odds]"), "[[backfill]] stands twice for role = 'default'"),
    ],
)
def test_wrong_words_about_leaving_are_named(run: Callable[..., Result], change: tuple[str, str], message: str) -> None:
    words = WORDS[: WORDS.index("[people]")] + LEAVING.replace(*change)
    result = run("plan", "config.toml", config=CONFIG + words)
    assert result.exit_code == 2
    assert message in result.stderr
