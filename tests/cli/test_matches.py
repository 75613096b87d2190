"""Owners and parents that match nothing, or little, are counted and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from typer.testing import Result

from gtm_opt.carving import carve
from gtm_opt.model import CarvingProblem, Count, KeepOwner, KeepTogether
from tests.cli.conftest import CONFIG

KEEP = '[[prefer]]\nkind = "keep_owner"\nunknown = "unowned"\n'
TOGETHER = '[[rules]]\nkind = "keep_together"\n'


def write(folder: Path, owners: list[str], parents: list[str]) -> None:
    ids = [f"A{n}" for n in range(len(owners))]
    frame = pd.DataFrame({"account_id": ids, "arr": 10, "owner": owners, "parent_id": parents})
    frame.to_csv(folder / "accounts.csv", index=False)


def test_owners_who_are_set_free_are_counted_with_their_value_and_spelling() -> None:
    accounts = pd.DataFrame(
        {"account_id": list("abcd"), "arr": [1.0, 2, 3, 4], "owner": ["ann", "ANN", "gone", None]},
    )
    problem = CarvingProblem(accounts, ["ann", "bob"], [Count(1.0)], KeepOwner("owner", value="arr", unknown="unowned"))
    notes = " ".join(carve(problem, effort=0.1).notes)
    assert "owner: 2 of 3 owned accounts (66.7 %) with 5 of arr are free" in notes
    assert "'ANN' (1), 'gone' (1)" in notes
    assert "1 of 2 owners would match in another case: 'ANN' as 'ann'" in notes


def test_owners_of_whom_none_sits_anywhere_are_refused(run: Callable[..., Result], folder: Path) -> None:
    write(folder, ["R1", "R2", "R3", "R1"], [""] * 4)
    result = run("plan", "config.toml", config=CONFIG + KEEP)
    assert result.exit_code == 2
    assert "none of the 3 owners in 'owner' sits in a territory" in result.stderr
    assert "3 of 3 owners would match in another case: 'R1' as 'r1'" in result.stderr


def test_parents_in_another_spelling_are_refused_unless_they_may_be_missing(
    run: Callable[..., Result], folder: Path
) -> None:
    write(folder, ["r1"] * 4, ["", "a0", "a0", "A3"])
    result = run("plan", "config.toml", config=CONFIG + TOGETHER)
    assert result.exit_code == 2
    assert "2 of 3 parents in 'parent_id' are not in the account table" in result.stderr
    assert "would match in another case: 'a0' as 'A0'" in result.stderr
    assert run("plan", "config.toml", "--dry-run", config=CONFIG + TOGETHER + 'missing = "alone"\n').exit_code == 0


def test_links_that_keep_nothing_together_are_noted() -> None:
    accounts = pd.DataFrame({"account_id": list("abcd"), "group": ["u", "v", "w", ""]})
    problem = CarvingProblem(accounts, 2, [Count(1.0)], rules=KeepTogether("group"))
    assert any("keeps nothing together: none of its 3 values" in note for note in carve(problem, effort=0.1).notes)


def test_a_row_of_pins_that_names_half_of_a_pair_is_told(run: Callable[..., Result], folder: Path) -> None:
    (folder / "pins.csv").write_text("account_id,territory\n001,r1\n002,\n,\n")
    result = run("plan", "config.toml", config=CONFIG + '[[rules]]\nkind = "pin"\nfile = "pins.csv"\n')
    assert result.exit_code == 2
    assert "1 row of the data names only one of 'account_id' and 'territory' (row 2)" in result.stderr
