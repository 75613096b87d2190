"""Rows that find no account, days at the edge, and currencies that cannot be added are not passed over."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gtm_opt.cli.config import Join
from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.joins import add_measures
from gtm_opt.errors import DataError
from gtm_opt.model import parse_numbers
from tests.cli.conftest import CONFIG

ACCOUNTS = pd.DataFrame({"account_id": [f"16147805{n:06d}" for n in range(10)]})


def joined(folder: Path, rows: pd.DataFrame, **words: object) -> tuple[pd.DataFrame, list[str]]:
    rows.to_csv(folder / "deals.csv", index=False)
    measure = {"how": "sum", "column": "amount", **{k: words.pop(k) for k in ("since", "until") if k in words}}
    join = Join.model_validate({"file": "deals.csv", "key": "account", "measures": {"pipeline": measure}, **words})
    notes: list[str] = []
    return add_measures(ACCOUNTS, "account_id", join, folder, notes), notes


def test_a_join_that_loses_most_of_the_money_is_refused_with_shares_and_the_likely_cause(tmp_path: Path) -> None:
    keys = [*(f"{int(i) / 1e13:.13f}E13" for i in ACCOUNTS["account_id"][:9]), ACCOUNTS["account_id"][9]]
    rows = pd.DataFrame({"account": keys, "amount": [1000] * 9 + [2000]})
    with pytest.raises(UserMistakeError) as caught:
        joined(tmp_path, rows)
    assert "9 of 10 rows found no account (90 % of rows, 81.8 % of amount)" in str(caught.value)
    assert "9 of 9 ids would match with the exponent written out" in str(caught.value)
    table, notes = joined(tmp_path, rows, max_loss=0.95)
    assert table["pipeline"].sum() == 2000
    assert "9 rows name accounts that are not in the account table" in notes[0]


@pytest.mark.parametrize(
    ("spell", "text"),
    [(lambda k: k + ".0", "without .0 at the end"), (lambda k: k + "XYZ", "")],
)
def test_what_spelling_would_match_is_offered_and_never_applied(tmp_path: Path, spell, text: str) -> None:
    keys = [spell(k) if n else k for n, k in enumerate(ACCOUNTS["account_id"])]
    with pytest.raises(UserMistakeError, match="9 of 10 rows found no account") as caught:
        joined(tmp_path, pd.DataFrame({"account": keys, "amount": 1.0}))
    assert text in str(caught.value)


def test_days_with_a_zone_are_read_and_the_last_day_counts_as_a_whole(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "account": ACCOUNTS["account_id"],
            "amount": 1.0,
            "closed": [
                *("2031-12-31T15:42:00Z", "2031-12-31T00:00:00+02:00", "2032-01-01T00:00:00Z"),
                *["2031-06-01"] * 7,
            ],
        }
    )
    table, _ = joined(tmp_path, rows, date="closed", since="2031-06-01", until="2031-12-31")
    assert table["pipeline"].tolist() == [1.0, 1.0, 0.0, *[1.0] * 7]


def test_amounts_of_several_currencies_in_one_column_are_refused() -> None:
    with pytest.raises(DataError, match="holds amounts of 3 currencies: EUR in 1 rows, JPY in 1 rows, USD in 2 rows"):
        parse_numbers(pd.Series(["$5", "5 USD", "€ 7", "¥15,000"], name="amount"))
    assert parse_numbers(pd.Series(["$5", "6 USD", "-"])).tolist()[:2] == [5.0, 6.0]


def test_relationships_refuse_deals_of_unknown_accounts_and_count_reps_who_left(folder: Path, run) -> None:  # type: ignore[no-untyped-def]
    words = CONFIG + '[[prefer]]\nkind = "relationship"\nfile = "deals.csv"\nkey = "account"\nrep = "rep"\n'
    words += 'deal_value = "amount"\n'
    rows = [("001", "r1", 60), ("002", "gone", 30), ("003", "R2", 10)]
    frame = pd.DataFrame(rows, columns=["account", "rep", "amount"])
    frame.to_csv(folder / "deals.csv", index=False)
    result = run("plan", "config.toml", "--dry-run", config=words)
    assert "3 of 3 rows matched an account (100 % of rows, 100 % of amount)" in result.stdout
    assert "2 of 3 rows (40 %) are of reps without a territory: 'gone', 'R2'. 1 of 2 reps would match" in result.stdout
    frame.assign(account=["1", "002", "003"]).to_csv(folder / "deals.csv", index=False)
    result = run("plan", "config.toml", config=words)
    assert result.exit_code == 2
    assert "1 of 3 rows found no account (33.3 % of rows, 60 % of amount): '1'" in result.stderr
    assert "without zeros in front: '1' as '001'" in result.stderr
