from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gtm_opt.cli.config import Join
from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.joins import add_measures

DEALS = """\
deal,account,rep,stage,amount,closed
1,a,Ann,Won,100,31-01-2027
2,a,Bob,Won,150,01-03-2027
3,a,Ann,Won,80,15-02-2027
4,b,Bob,Open,40,
5,,Bob,Open,999,
6,zz,Bob,Open,1,
"""
ACCOUNTS = pd.DataFrame({"account_id": ["a", "b", "c"]})


def add(folder: Path, measures: dict[str, dict[str, object]], **words: object) -> tuple[pd.DataFrame, list[str]]:
    (folder / "deals.csv").write_text(DEALS)
    settings: dict[str, object] = {"date": "closed", "date_format": "%d-%m-%Y", "max_loss": 0.3} | words
    join = Join.model_validate({"file": "deals.csv", "key": "account", "measures": measures, **settings})
    notes: list[str] = []
    return add_measures(ACCOUNTS, "account_id", join, folder, notes), notes


def test_sums_counts_and_owners_are_made_per_account(tmp_path: Path) -> None:
    table, notes = add(
        tmp_path,
        {
            "won": {"how": "sum", "column": "amount", "where": {"stage": "Won"}},
            "since_february": {"how": "sum", "column": "amount", "since": "2027-02-01", "until": "2027-02-28"},
            "deals": {"how": "count"},
            "largest": {"how": "max", "column": "amount", "empty": 0},
            "often": {"how": "most_frequent", "column": "rep"},
            "owner": {"how": "most_value", "column": "rep", "by": "amount"},
            "last": {"how": "latest", "column": "rep"},
        },
    )
    assert table["won"].tolist() == [330, 0, 0]
    assert table["since_february"].tolist() == [80, 0, 0]
    assert table["deals"].tolist() == [3, 1, 0]
    assert table["largest"].tolist() == [150, 40, 0]
    assert table["often"].tolist()[:2] == ["Ann", "Bob"]
    assert table["owner"].tolist()[:2] == ["Ann", "Bob"]
    assert table["last"].tolist()[0] == "Bob"
    assert table["owner"].isna().tolist() == [False, False, True]
    assert "1 of 6 rows name no account" in notes[0]
    assert "1 rows name accounts that are not in the account table: 'zz'" in notes[1]


@pytest.mark.parametrize(
    ("measures", "words", "message"),
    [
        ({"x": {"how": "sum", "column": "amont"}}, {}, "no column 'amont'. Did you mean 'amount'"),
        ({"x": {"how": "sum", "column": "stage"}}, {}, "'stage' holds text such as 'Won'. List it under parse"),
        ({"x": {"how": "count", "where": {"stage": "Wonn"}}}, {}, "no row has stage = 'Wonn'. Did you mean 'Won'"),
        ({"account_id": {"how": "count"}}, {}, "has a column of that name already"),
        ({"x": {"how": "count"}}, {"key": "deal"}, "no row belongs to an account. 'deal' holds values such as '1'"),
        ({"x": {"how": "count"}}, {"key": "acount"}, "no column 'acount'. Did you mean 'account'"),
        ({"x": {"how": "count"}}, {"date_format": "%Y-%m-%d"}, "3 cells of 'closed' are not dates in the format"),
        ({"x": {"how": "latest", "column": "rep"}}, {"date": None}, "looks at dates: name the column of dates"),
        ({"x": {"how": "count", "since": "soon"}}, {}, "since = 'soon' is not a date"),
    ],
)
def test_mistakes_in_a_join_are_told(
    tmp_path: Path, measures: dict[str, dict[str, object]], words: dict[str, object], message: str
) -> None:
    with pytest.raises(UserMistakeError, match=message):
        add(tmp_path, measures, **words)
