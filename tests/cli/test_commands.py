from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

from gtm_opt.plan import Plan
from tests.cli.conftest import ACCOUNTS, CONFIG

Run = Callable[..., Result]

WHOLE = """
[accounts]
file = "accounts.csv"
fill = { owner = "r3" }

[reps]
file = "reps.csv"
levels = ["region"]

[[balance]]
column = "arr"
tolerance = 0.9

[[prefer]]
kind = "keep_owner"
value = "arr"

[[rules]]
kind = "keep_together"

[[rules]]
kind = "pin"
accounts = { "005" = "r3" }

[carve]
solver = "greedy_lookahead"

[calendar]
fy_start = "2027-01"

[[roles]]
name = "AE"
productivity_py = 900000
ramp = [0, 0.5]

[quota]
target = 2000000
over_assign = { seat = 0.1 }
weights = { arr = 0.5, capacity = 0.5 }

[output]
dir = "out/fy27"
excel = true
"""


def test_plan_writes_a_folder_and_a_summary(run: Run, folder: Path) -> None:
    result = run("plan", "config.toml", config=WHOLE)
    assert result.exit_code == 0, result.output
    assert "Carving of 6 accounts into 3 territories" in result.stdout
    assert "target 2,000,000, field 2,200,000 (+10.0%)" in result.stdout
    assert f"Saved in {Path('out/fy27')}" in result.stdout
    plan = Plan.load(folder / "out" / "fy27")
    assert plan.check().ok
    assert plan.carving.labels["005"] == "r3"
    assert plan.carving.labels["001"] == plan.carving.labels["004"]
    assert (folder / "out" / "fy27" / "plan.xlsx").exists()
    assert "Carving of 6 accounts" in (folder / "out" / "fy27" / "summary.txt").read_text()


def test_quiet_says_nothing(run: Run) -> None:
    result = run("plan", "config.toml", "--quiet", "--out", "here")
    assert (result.exit_code, result.output) == (0, "")
    assert Path("here/manifest.json").exists()


def test_the_same_seed_gives_the_same_files(run: Run) -> None:
    for name in ("one", "two"):
        assert run("plan", "config.toml", "-q", "--seed", "3", "--out", name).exit_code == 0
    one, two = (json.loads(Path(n, "manifest.json").read_text())["tables"]["assignment"] for n in ("one", "two"))
    assert one["sha256"] == two["sha256"]


def test_a_dry_run_reads_everything_and_writes_nothing(run: Run, folder: Path) -> None:
    result = run("plan", "config.toml", "--dry-run")
    assert result.exit_code == 0
    assert "Nothing was planned" in result.stdout
    assert not (folder / "plan").exists()


IMPOSSIBLE = CONFIG.replace("0.9", "0.05")


def test_impossible_wishes_are_refused_with_the_account_and_the_nearest_possible(run: Run, folder: Path) -> None:
    oversized = ACCOUNTS.replace("001,60", "001,6000")
    (folder / "accounts.csv").write_text(oversized)
    result = run("plan", "config.toml", config=IMPOSSIBLE)
    assert result.exit_code == 3
    assert "Account '001' alone holds 6,000 arr" in result.stderr
    assert "nearest possible worst deviation is 192.7 %" in result.stderr
    assert 'on_infeasible = "nearest"' in result.stderr
    assert not (folder / "plan").exists()


def test_the_nearest_plan_is_made_when_asked_for_and_ends_with_4(run: Run, folder: Path) -> None:
    (folder / "accounts.csv").write_text(ACCOUNTS.replace("001,60", "001,300").replace("002,50", "002,60"))
    result = run("plan", "config.toml", "--nearest", config=IMPOSSIBLE)
    assert result.exit_code == 1, result.output
    assert "2 violations, 1 relaxed because infeasible" in result.stdout
    result = run("plan", "config.toml", "--nearest", config=IMPOSSIBLE.replace("greedy_lookahead", "auto"))
    assert result.exit_code == 4, result.output
    assert "everything holds but what no plan could keep: 3 relaxed (exit code 4)" in result.stderr
    assert "~ carving, band of arr" in result.stdout
    assert "on_infeasible" not in result.stdout
    theirs = Plan.load(folder / "plan").carving.labels.rename_axis("account_id").replace({"r1": "r3", "r3": "r1"})
    theirs.to_csv("theirs.csv")
    judged = run("check", "config.toml", "-a", "theirs.csv")
    assert judged.exit_code == 4, judged.output
    assert "Of these 3 relaxed because infeasible: no plan could keep them." in judged.stdout
    theirs.replace("r2", "r1").to_csv("theirs.csv")
    judged = run("check", "config.toml", "-a", "theirs.csv")
    assert judged.exit_code == 1, judged.output
    assert "relaxed because infeasible" in judged.stdout
    assert Plan.load(folder / "plan").carving.labels.notna().all()


def test_check_judges_a_plan_made_elsewhere(run: Run, folder: Path) -> None:
    ids = [f"00{i}" for i in range(1, 7)]
    pd.DataFrame({"Account": ids, "Rep": ["r1", "r2", "r2", "r3", "r3", "r1"]}).to_csv("theirs.csv", index=False)
    arguments = ("check", "config.toml", "--assignment", "theirs.csv", "--account", "Account", "--territory", "Rep")
    fine = run(*arguments)
    assert fine.exit_code == 0, fine.output
    assert "All rules and bands hold" in fine.stdout
    strict = run(*arguments, config=CONFIG.replace("0.9", "0.1"))
    assert strict.exit_code == 1
    assert "band of arr" in strict.stdout


def test_check_says_which_column_is_missing(run: Run) -> None:
    Path("theirs.csv").write_text("account_id,teritory\n001,r1\n")
    result = run("check", "config.toml", "-a", "theirs.csv")
    assert result.exit_code == 2
    assert "no column 'territory'. Did you mean 'teritory'? Name it with --territory" in result.stderr


def test_init_writes_a_config_that_parses_and_is_not_overwritten(run: Run, folder: Path) -> None:
    from gtm_opt.cli.read_config import read_config

    assert run("init", "mine.toml").exit_code == 0
    assert read_config(folder / "mine.toml").accounts.id == "account_id"
    again = run("init", "mine.toml")
    assert again.exit_code == 2
    assert "'mine.toml' exists already" in again.stderr
    assert run("init", "mine.toml", "--force").exit_code == 0


def test_every_commented_word_of_the_template_is_known(folder: Path) -> None:
    """Uncommenting one line after the other gives a config that parses."""
    import re
    import tomllib

    from gtm_opt.cli.config import Config
    from gtm_opt.cli.template import TEMPLATE

    lines = TEMPLATE.splitlines()
    option = re.compile(r"^# (\[|[a-z_0-9]+ = )")
    text = "\n".join(line[2:] if option.match(line) else line for line in lines)
    one_only = re.sub(r"(?m)^(count|names|shares|per) = .*$", "", text)  # exactly one of these may be given
    config = Config.model_validate(tomllib.loads(one_only))
    assert {w.kind for w in config.rules} == {"keep_together", "pin", "forbid", "keep_apart", "within", "max_moved"}
    assert {w.kind for w in config.prefer} == {"keep_owner", "near", "relationship", "fit"}
    assert config.quota is not None
    assert config.accounts.join[0].measures["owner"].how == "most_value"


def test_solvers_and_versions_are_listed(run: Run) -> None:
    listed = run("solvers")
    assert listed.exit_code == 0
    assert "round_robin" in listed.stdout
    versions = run("show-versions")
    assert "numpy" in versions.stdout
    assert run("--version").stdout.startswith("gtm-opt ")


def test_interruption_while_reading_ends_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gtm_opt.cli.commands.make_request", interrupt)
    result = run("plan", "config.toml")
    assert result.exit_code == 130
    assert "Interrupted. Nothing was written." in result.stderr


@pytest.mark.parametrize(
    ("territories", "names"),
    [
        ("count = 3", ["T1", "T2", "T3"]),
        ('names = ["North", "South"]', ["North", "South"]),
        ("shares = { East = 8, West = 9 }", ["East", "West"]),
        ('per = "region"', ["East", "West"]),
        ("tree = [2, 2]", ["N1-N1", "N1-N2", "N2-N1", "N2-N2"]),
        ('tree = [2, 2]\nlevels = ["region", "territory"]', ["R1-T1", "R1-T2", "R2-T1", "R2-T2"]),
        ('tree = { East = ["E1", "E2"], West = ["W1"] }', ["E1", "E2", "W1"]),
    ],
)
def test_territories_can_be_said_in_several_ways(run: Run, folder: Path, territories: str, names: list[str]) -> None:
    from gtm_opt.cli.read_config import read_config
    from gtm_opt.cli.request import make_request

    text = CONFIG.replace("[[balance]]", f"[territories]\n{territories}\n\n[[balance]]", 1)
    (folder / "config.toml").write_text(text)
    request = make_request(read_config(folder / "config.toml"), folder)
    assert list(request.problem.territories.names) == names
    if "per" in territories:
        assert request.problem.territories.shares == (2 / 3, 1 / 3)


def test_segments_of_a_config_give_each_a_team_and_are_kept_in_the_saved_plan(run: Run, folder: Path) -> None:
    teams = '\nsegments = { column = "industry", teams = { retail = ["r1", "r2"], energy = ["r3"] } }\n'
    result = run("plan", "config.toml", config=CONFIG + teams)
    assert result.exit_code == 0, result.output
    carving = Plan.load(folder / "plan").carving
    assert [rule.name for rule in carving.problem.rules] == ["within industry"]
    energy = carving.accounts["industry"] == "energy"
    assert set(carving.labels[energy]) == {"r3"}
    assert "r3" not in set(carving.labels[~energy])
    carving.labels.rename_axis("account_id").replace("r3", "r1").to_csv("theirs.csv")
    judged = run("check", "config.toml", "-a", "theirs.csv")
    assert judged.exit_code == 1
    assert "within industry: '003' is in industry energy by rule, but r1 is not of its team" in judged.stdout
    rule = '\n[[rules]]\nkind = "within"\nby = "industry"\nteams = { energy = ["r2", "r3"] }\n'
    assert run("plan", "config.toml", config=CONFIG + rule).exit_code == 0
    assert "r1" not in set(Plan.load(folder / "plan").carving.labels[energy])
