"""Reading numbers and ids as exports write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtm_opt.errors import DataError, Findings
from gtm_opt.model import parse_numbers
from gtm_opt.model.tables import did_you_mean, id_text, label_text, number_column, rename_columns


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("$500,343 ", 500343.0),
        ("($3,864.00)", -3864.0),
        ("1.2M", 1.2e6),
        ("300k", 3e5),
        ("3 bn", 3e9),
        ("12 %", 0.12),
        ("1 234 567", 1234567.0),
        ("1'234.5", 1234.5),
        ("-$500", -500.0),
        ("$-500", -500.0),
        ("− 5", -5.0),
        ("12 EUR", 12.0),
        ("1e5", 1e5),
        (".5", 0.5),
    ],
)
def test_numbers_in_text_are_read(text: str, number: float) -> None:
    assert parse_numbers(pd.Series([text])).item() == pytest.approx(number)


@pytest.mark.parametrize("text", ["1,5", "1,23,456", "1.234,56", "(500", "5)", "--5", "1.2.3", "twelve", "1,234.567,8"])
def test_what_could_mean_two_things_is_reported_not_guessed(text: str) -> None:
    with pytest.raises(DataError, match="must hold numbers") as caught:
        parse_numbers(pd.Series([text], name="arr", index=["A-7"]))
    assert "'A-7'" in str(caught.value)


def test_european_numbers_are_read_when_asked_for() -> None:
    assert parse_numbers(pd.Series(["1.234,50 €", "1,5", "2.000"]), decimal=",").tolist() == [1234.5, 1.5, 2000.0]


def test_words_for_nothing_and_missing_numbers_become_nan() -> None:
    assert parse_numbers(pd.Series(["-", "N/A", "", None, "nan", " "])).isna().all()
    assert parse_numbers(pd.Series([1, None], dtype="Int64")).tolist()[0] == 1.0


def test_repeated_index_labels_do_not_hide_what_could_not_be_read() -> None:
    with pytest.raises(DataError, match="'x' in 1 row"):
        parse_numbers(pd.Series(["1", "x"], index=[0, 0], name="arr"))


@given(st.floats(-1e12, 1e12).map(lambda v: round(v, 2)))
def test_a_number_written_with_separators_and_a_sign_is_read_back(value: float) -> None:
    text = f"(${-value:,.2f})" if value < 0 else f" ${value:,.2f}"
    assert parse_numbers(pd.Series([text])).item() == pytest.approx(value)


def test_whole_numbers_with_gaps_stay_ids() -> None:
    assert id_text(pd.Series([1001.0, np.nan])).tolist() == ["1001", ""]
    assert id_text(pd.Series([1.5, np.nan])).tolist() == ["1.5", ""]
    assert id_text(pd.Series(["a", None])).tolist() == ["a", ""]
    assert id_text(pd.Series([1, None], dtype="Int64")).tolist() == ["1", ""]
    assert id_text(pd.Series(pd.Categorical(["x", None]))).tolist() == ["x", ""]
    assert label_text(pd.Series([" Tech ", None, ""])).tolist() == ["Tech", "(none)", "(none)"]


def read(values: list, **options) -> tuple[pd.Series | None, str]:
    found = Findings()
    table = pd.DataFrame({"arr": values}, index=[f"A{i}" for i in range(len(values))])
    out = number_column(table, "arr", found, **options)
    try:
        found.raise_if_any()
    except DataError as error:
        return out, str(error)
    return out, ""


def test_a_number_column_names_the_rows_that_are_wrong() -> None:
    assert "must not be empty in 1 row: 'A1'" in read([1.0, np.nan])[1]
    assert "must not be negative, got -2 in 1 row: 'A1'" in read([1.0, -2.0])[1]
    assert "must be finite, got inf in 1 row: 'A0'" in read([np.inf, 1.0])[1]
    assert "text such as 'abc' in 1 row: 'A1'" in read(["1", "abc"])[1]
    assert "numbers written as text such as '$1'" in read(["$1", "2"])[1]
    assert read([1.0, -2.0], negative=True)[1] == ""


def test_truth_values_and_numbers_in_object_columns_are_numbers() -> None:
    assert read([True, False])[0].tolist() == [1.0, 0.0]
    assert read([1, 2.5])[0].tolist() == [1.0, 2.5]
    values, text = read([1, None, "  "])
    assert values is None
    assert "must not be empty in 2 rows: 'A1', 'A2'" in text


def test_a_mistyped_name_is_suggested() -> None:
    assert did_you_mean("arr_us", ["arr", "owner"]) == "Did you mean 'arr'?"
    assert did_you_mean("zzz", ["arr"]) == "There are: 'arr'."
    assert did_you_mean("zzz", []) == "There are none."


def test_renaming_refuses_to_hide_or_to_share_a_column() -> None:
    table = pd.DataFrame({"ARR": [1], "Owner": ["x"], "arr": [2]})
    for columns, text in [
        ({"arr": "ARR"}, "must not hide another column"),
        ({"a": "ARR", "b": "ARR"}, "used already, got 'ARR', which is 'a'"),
        ({"owner": "Ownr"}, "Did you mean 'Owner'"),
    ]:
        found = Findings()
        rename_columns(table, columns, found, "accounts")
        with pytest.raises(DataError, match=text):
            found.raise_if_any()
    assert list(rename_columns(table, {"owner": "Owner"}, Findings(), "accounts")) == ["ARR", "owner", "arr"]


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1.234,50-", ",", -1234.5),
        ("CHF 1'200", ".", 1200.0),
        ("A$5", ".", 5.0),
        ("100EUR", ".", 100.0),
        ("kr 100", ".", 100.0),
        ("3,5 Mrd.", ",", 3.5e9),
        ("1.2 Mio", ".", 1.2e6),
        ("₹1,00,000", ".", 100_000.0),
        ("(1.000,00)", ",", -1000.0),
    ],
)
def test_amounts_are_read_as_other_countries_and_systems_write_them(text: str, decimal: str, number: float) -> None:
    assert parse_numbers(pd.Series([text]), decimal=decimal).tolist() == [number]  # type: ignore[arg-type]


@pytest.mark.parametrize("cells", [["A$5", "$5"], ["CHF 5", "5 €"], ["5 kr", "$5"], ["HK$5", "C$5"]])
def test_amounts_in_two_currencies_are_refused_whatever_their_signs(cells: list[str]) -> None:
    with pytest.raises(DataError, match="holds amounts of 2 currencies"):
        parse_numbers(pd.Series(cells, name="amount"))


def test_a_code_beside_its_sign_is_one_currency() -> None:
    assert parse_numbers(pd.Series(["US$5", "$5", "5 USD"])).tolist() == [5.0, 5.0, 5.0]
