from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from pandas.testing import assert_frame_equal

from gtm_opt.model.table_io import SUFFIX, read_table, write_table

FORMATS = ["csv", "parquet"]


def there_and_back(frame: pd.DataFrame, folder: Path, format: str) -> pd.DataFrame:
    path = folder / f"t{SUFFIX[format]}"
    return read_table(path, write_table(frame, path, format), format)  # type: ignore[arg-type]


@pytest.fixture(params=FORMATS)
def format(request: pytest.FixtureRequest) -> str:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return str(request.param)


def test_every_kind_of_column_comes_back_as_it_was(tmp_path: Path, format: str) -> None:
    frame = pd.DataFrame(
        {
            "int": [1, 2, 3],
            "float": [0.1 + 0.2, np.inf, np.nan],
            "bool": [True, False, True],
            "zeros": ["007", "00601", "1"],
            "none": pd.Series(["a", None, "NA"], dtype=object),
            "both": pd.Series(["", None, "x"], dtype=object),
            "blank": ["", "", "x"],
            "all none": pd.Series([None] * 3, dtype=object),
            "day": pd.to_datetime(["2027-01-01", None, "2027-03-04 05:06:07"], format="ISO8601"),
            "zone": pd.to_datetime(["2027-01-01", None, "2027-03-04"], utc=True),
            "month": pd.period_range("2027-01", periods=3, freq="M"),
            "maybe int": pd.array([1, None, 2**60], dtype="Int64"),
            "maybe bool": pd.array([True, None, False], dtype="boolean"),
            "kind": pd.Categorical(["b", None, "a"], categories=["a", "b"], ordered=True),
            "mixed": pd.Series([1, "one", None], dtype=object),
            "flags": pd.Series([True, None, False], dtype=object),
            "quoted": ['a "b"', "c,d", "e\nf"],
        }
    )
    assert_frame_equal(there_and_back(frame, tmp_path, format), frame)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": pd.Series([], dtype=float), "b": pd.Series([], dtype=object)}),
        pd.DataFrame({"one": ["", "x"]}),
        pd.DataFrame({"one": pd.Series([None, None], dtype=object)}),
        pd.DataFrame({"x": [1.0]}, index=pd.Index(["k"], name="industry")),
        pd.DataFrame({"x": [1.0, 2.0]}, index=["k", "l"]),
    ],
)
def test_odd_shapes_come_back(tmp_path: Path, format: str, frame: pd.DataFrame) -> None:
    assert_frame_equal(there_and_back(frame, tmp_path, format), frame)


CELLS = st.one_of(
    st.none(), st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=8)
)


@given(
    text=st.lists(CELLS, min_size=1, max_size=8),
    number=st.floats(allow_nan=False, width=64),
)
def test_any_text_and_any_number_comes_back(
    tmp_path_factory: pytest.TempPathFactory, text: list[str], number: float
) -> None:
    frame = pd.DataFrame({"t": pd.Series(text, dtype=object), "x": number})
    back = there_and_back(frame, tmp_path_factory.mktemp("t"), "csv")
    assert_frame_equal(back, frame, check_exact=True)


@given(st.lists(st.text("'=+-@ \t\n\rab\uff1d", max_size=4), max_size=6))
def test_marks_before_formulas_come_off_again(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=object), "=y": range(len(cells))})
    assert_frame_equal(there_and_back(frame, tmp_path_factory.mktemp("m"), "csv"), frame)
