from __future__ import annotations

import pytest

from gtm_opt.model.spelling import is_rounded, likely_spelling, respellings


@pytest.mark.parametrize(
    ("key", "known", "words"),
    [
        ("0015g00000AbCdEQAV", "0015g00000AbCdE", "first 15 characters"),
        ("0015g00000AbCdE", "0015g00000AbCdEQAV", "first 15 characters"),
        ("ANN@x.test", "ann@x.test", "in another case"),
        (" a  1", "a 1", "without the blanks"),
        ("1001.0", "1001", "without .0"),
        ("1.6147805824390E13", "16147805824390", "exponent written out"),
        ("00042", "42", "without zeros in front"),
    ],
)
def test_usual_spellings_of_an_id_are_recognized(key: str, known: str, words: str) -> None:
    found, said = respellings([key], {known, "other"})
    assert found == {key: known}
    assert words in said


def test_a_spelling_that_fits_two_ids_is_offered_for_none() -> None:
    assert respellings(["ann"], {"Ann", "ANN"}) == ({}, "")


def test_nothing_alike_is_no_hint() -> None:
    assert likely_spelling(["x"], {"y"}) == ""


@pytest.mark.parametrize(("key", "rounded"), [("1.2E+10", True), ("1E+05", True), ("12E3", False), ("A1E+5", False)])
def test_rounded_ids_are_told_from_codes(key: str, rounded: bool) -> None:
    assert is_rounded(key) is rounded
