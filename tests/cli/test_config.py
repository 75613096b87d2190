from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from gtm_opt.cli.read_config import find_line
from tests.cli.conftest import ACCOUNTS, CONFIG

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("tolerance", "tolerence"),
            "[[balance]] number 1, tolerence (line 9) is no word of this section. Did you mean 'tolerance'?",
        ),
        (("[carve]", "[carv]"), "[carv] (line 11) is no word of this section. Did you mean 'carve'?"),
        (("solver =", "sover ="), "[carve] sover (line 12) is no word of this section. Did you mean 'solver'?"),
        (("0.9", "9"), "[[balance]] number 1, tolerance (line 9): input should be less than or equal to 1, got 9."),
        (
            ("0.9", '"much"'),
            "tolerance (line 9): input should be a valid number, unable to parse string as a number, got 'much'.",
        ),
        (('file = "accounts.csv"\n', ""), "[accounts] file (line 1) is missing."),
        (
            ('column = "arr"', 'kind = "balanc"'),
            "[[balance]] number 1 (line 7) has the unknown kind 'balanc'. Did you mean 'balance'?",
        ),
        (('column = "arr"\n', ""), "[[balance]] number 1, column (line 7) is missing."),
        (
            ("[carve]", "[territories]\n[carve]"),
            "[territories] (line 11): needs exactly one of count, names, shares, per and tree, got none",
        ),
        (
            ('solver = "greedy_lookahead"', "seed = -1"),
            "[carve] seed (line 12): input should be greater than or equal to 0, got -1.",
        ),
        (('solver = "greedy_lookahead"', 'on_infeasible = "ask"'), "input should be 'raise' or 'nearest', got 'ask'."),
        (
            ('solver = "greedy_lookahead"', "max_buckets = 1"),
            "max_buckets (line 12): input should be greater than or equal to 2, got 1.",
        ),
    ],
)
def test_a_mistake_in_the_config_names_section_line_and_remedy(run: Run, change: tuple[str, str], message: str) -> None:
    result = run("plan", "config.toml", config=CONFIG.replace(*change))
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_all_mistakes_are_told_at_once(run: Run) -> None:
    text = CONFIG.replace("tolerance = 0.9", "tolerence = 0.9").replace("[reps]", "[reps]\nlevel = []")
    result = run("plan", "config.toml", config=text)
    assert "2 things are wrong in 'config.toml':" in result.stderr
    assert "1. [reps] level (line 5)" in result.stderr
    assert "2. [[balance]] number 1, tolerence (line 10)" in result.stderr


def test_broken_toml_shows_the_line(run: Run) -> None:
    result = run("plan", "config.toml", config=CONFIG.replace('"accounts.csv"', "accounts.csv"))
    assert result.exit_code == 2
    assert "'config.toml' is not valid TOML" in result.stderr
    assert "2 | file = accounts.csv" in result.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("accounts.csv", "account.csv"), "There is no file 'account.csv'. Did you mean 'accounts.csv'?"),
        (('"arr"', '"arr_us"'), "accounts['arr_us'] must exist, got no such column.\n    Did you mean 'arr'?"),
        (('column = "arr"', 'column = "industry"'), "accounts['industry'] must hold numbers, got text such as"),
        (("[reps]", '[reps]\nid = "rep"'), "[reps] 'reps.csv': there is no column 'rep'. Did you mean 'rep_id'?"),
        (("[reps]", '[reps]\nlevels = ["regoin"]'), "there is no column 'regoin'. Did you mean 'region'?"),
        (('"greedy_lookahead"', '"gredy"'), "There is no solver named 'gredy'."),
        (("[carve]", '[[prefer]]\nkind = "near"\n[carve]'), "accounts['lat'] must exist"),
        (
            ("[carve]", '[[rules]]\nkind = "pin"\naccounts = { "009" = "r1" }\n[carve]'),
            "Pin must name known accounts; violated by 1 account: '009'",
        ),
        (
            ("[carve]", '[[rules]]\nkind = "pin"\naccounts = { "001" = "r9" }\n[carve]'),
            "Pin must name known territories; violated by 1 pair: '001 -> r9'",
        ),
        (
            ("[carve]", '[[rules]]\nkind = "forbid"\npairs = [["009", "r1"]]\n[carve]'),
            "Forbid must name known accounts",
        ),
        (("[carve]", "[quota]\ntarget = 1500\n[carve]"), "must be a multiple of the unit of 1,000"),
        (
            ("[carve]", '[quota]\ntarget = 1000\nweights = "capacity"\n[carve]'),
            'weights = "capacity" needs [reps], [[roles]] and [calendar]',
        ),
        (
            ("[carve]", "[quota]\ntarget = 1000\nover_assign = { mangaer = 0.1 }\n[carve]"),
            "over_assign must name levels or nodes",
        ),
        (("[carve]", '[calendar]\nfy_start = "soon"\n[carve]'), "Calendar.fy_start must be a month, got 'soon'"),
        (
            ("[carve]", '[territories]\nper = "regoin"\n[carve]'),
            "the reps have no column 'regoin'. Did you mean 'region'?",
        ),
        (("[carve]", "[territories]\ntree = [0]\n[carve]"), "tree must hold sizes such as [4, 5]"),
        (('[reps]\nfile = "reps.csv"', ""), "must say what to carve into"),
    ],
)
def test_a_mistake_about_the_files_is_told_without_a_traceback(run: Run, change: tuple[str, str], message: str) -> None:
    result = run("plan", "config.toml", config=CONFIG.replace(*change))
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("002,", "001,"), "must be unique; violated by 1 account: '001'"),
        (("002,", ","), "must not be empty in 1 row: 'row 1'"),
        ((",50,", ',"$50 ",'), "numbers written as text such as"),
        ((",50,", ",-50,"), "must not be negative, got -50 in 1 row: '002'"),
        ((",50,", ",,"), "must not be empty in 1 row: '002'"),
        (("002,50,r1", "002,50,r7"), "1 unknown owner ('r7')"),
    ],
)
def test_dirt_in_the_accounts_is_told_by_row(run: Run, folder: Path, change: tuple[str, str], message: str) -> None:
    (folder / "accounts.csv").write_text(ACCOUNTS.replace(*change))
    result = run("plan", "config.toml", config=CONFIG.replace("[carve]", '[[prefer]]\nkind = "keep_owner"\n[carve]'))
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n    ", " ")


def test_a_missing_config_says_how_to_write_one(run: Run) -> None:
    result = run("plan", "nowhere.toml")
    assert result.exit_code == 2
    assert "There is no config file 'nowhere.toml'. Write one with: gtm-opt init nowhere.toml" in result.stderr


def test_long_lists_of_mistakes_stay_on_one_screen(run: Run) -> None:
    words = "\n".join(f"word{i} = 1" for i in range(100))
    result = run("plan", "config.toml", config=f"{CONFIG}\n{words}\n")
    assert "100 things are wrong" in result.stderr
    assert len(result.stderr.splitlines()) < 45
    assert "61 more lines" in result.stderr


TEXT = """\
# a comment
[accounts]
file = "a"
[[accounts.join]]
key = "x"
[accounts.join.measures]
one = { how = "sum" }
[[accounts.join]]
[accounts.join.measures]
two = { how = "sum" }
[[balance]]
column = "a"
[[balance]]
column = "b"
"""


@pytest.mark.parametrize(
    ("loc", "line"),
    [
        (("accounts", "file"), 3),
        (("accounts", "join", 0, "key"), 5),
        (("accounts", "join", 0, "measures", "one", "how"), 7),
        (("accounts", "join", 1, "measures", "two"), 10),
        (("accounts", "join", 1, "key"), 8),
        (("balance", 0, "column"), 12),
        (("balance", 1, "column"), 14),
        (("balance", 1), 13),
        (("reps",), None),
    ],
)
def test_lines_of_keys_are_found(loc: tuple[str | int, ...], line: int | None) -> None:
    assert find_line(TEXT, loc) == line
