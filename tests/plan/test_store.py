from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from gtm_opt.carving import CarveOptions, carve
from gtm_opt.errors import DataError
from gtm_opt.model import (
    Balance,
    CarvingProblem,
    Count,
    Fit,
    Forbid,
    KeepApart,
    Limit,
    MaxMoved,
    Near,
    Pin,
    Territories,
)
from gtm_opt.plan import Plan, build_plan
from tests.plan.conftest import make_plan


def assert_same(one: Plan, two: Plan) -> None:
    assert list(one.tables) == list(two.tables)
    for name, table in one.tables.items():
        assert_frame_equal(table, two.tables[name], obj=name)
    assert one.summary() == two.summary()
    assert one.carving.problem.fingerprint == two.carving.problem.fingerprint
    assert one.carving.provenance == two.carving.provenance
    assert_frame_equal(one.check().table, two.check().table)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_loaded_plan_equals_the_saved_one(plan: Plan, tmp_path: Path, format: str) -> None:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    plan.save(tmp_path / "fy27", format=format)  # type: ignore[arg-type]
    again = Plan.load(tmp_path / "fy27")
    assert_same(plan, again)
    assert plan.compare(again).same
    assert plan.carving.explain("0007").text == again.carving.explain("0007").text
    assert plan.carving.certificate.evaluation is not None
    assert again.carving.certificate.evaluation is not None
    assert plan.carving.certificate.evaluation.objective == again.carving.certificate.evaluation.objective


def test_every_word_of_a_problem_survives(tmp_path: Path) -> None:
    accounts = pd.DataFrame(
        {
            "account_id": list("abcdefgh"),
            "arr": [1.0, 2, 3, 4, 5, 6, 7, 8],
            "lat": [50.0] * 8,
            "lon": [float(i) for i in range(8)],
            "owner": ["x", "x", "y", "y", "z", "z", None, None],
            "industry": list("kkllkkll"),
        }
    )
    seats = Territories(("x", "y", "z"), (0.5, 0.25, 0.25), centers=((50.0, 0.0), (50.0, 3.0), (50.0, 6.0)))
    scores = pd.DataFrame({"x": [1.0, 0.5], "y": [0.25, 1.0], "z": [0.0, 0.125]}, index=["k", "l"])
    problem = CarvingProblem(
        accounts,
        seats,
        [
            Balance("arr", 1.0, penalty=2.0),
            Count(1.0, shares={"x": 0.5, "y": 0.3, "z": 0.2}),
            Limit("accounts", at_most={"x": 6}),
        ],
        [Near(), Fit(scores, by="industry", weight=0.5)],
        [Pin({"a": "x"}), Forbid([("b", "z")]), KeepApart([["c", "d"]]), MaxMoved(0.9, owner="owner")],
    )
    plan = build_plan(problem, options=CarveOptions(solver="auto", effort=0.1))
    plan.save(tmp_path / "p")
    again = Plan.load(tmp_path / "p")
    assert_same(plan, again)
    assert again.carving.problem.balance == problem.balance
    assert again.carving.problem.rules == problem.rules
    assert again.carving.problem.territories == seats


def test_the_nearest_plan_to_impossible_wishes_survives(tmp_path: Path) -> None:
    accounts = pd.DataFrame({"account_id": list("abcd"), "arr": [100.0, 1, 2, 3], "owner": ["T1", "T1", "T2", "T2"]})
    from gtm_opt.model import KeepOwner

    problem = CarvingProblem(accounts, 2, [Balance("arr")], [KeepOwner()])
    plan = build_plan(problem, options=CarveOptions(solver="greedy_lookahead", on_infeasible="nearest"))
    plan.save(tmp_path / "p")
    again = Plan.load(tmp_path / "p")
    assert_same(plan, again)
    assert again.carving.notes
    assert (again.carving.compiled.instance.upper == plan.carving.compiled.instance.upper).all()


def test_saving_twice_replaces_the_plan_as_a_whole(plan: Plan, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    plan.save(folder, excel=True)
    assert (folder / "plan.xlsx").exists()
    plan.save(folder)
    assert not (folder / "plan.xlsx").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p"]


def test_a_folder_with_somebody_elses_files_is_refused(plan: Plan, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    plan.save(folder)
    (folder / "my notes.txt").write_text("precious")
    with pytest.raises(DataError, match=r"files that no saved plan put there: 'my notes.txt'"):
        plan.save(folder)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="'file' is a file"):
        plan.save(tmp_path / "file")


def test_a_crash_while_writing_leaves_the_old_plan(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "p"
    plan.save(folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    monkeypatch.setattr("gtm_opt.plan.store.checksum", lambda path: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        make_plan(target=None).save(folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_a_failing_swap_puts_the_old_plan_back(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "p"
    plan.save(folder)
    monkeypatch.setattr("gtm_opt.plan.store.exchange", lambda *_: False)  # a file system that cannot
    real, calls = os.replace, []

    def second_fails(source: object, target: object) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError("in use")
        real(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr("gtm_opt.plan.store.os.replace", second_fails)
    with pytest.raises(OSError, match="in use"):
        plan.save(folder)
    assert_same(plan, Plan.load(folder))


def test_a_newer_schema_is_refused_clearly(plan: Plan, tmp_path: Path) -> None:
    plan.save(tmp_path / "p")
    path = tmp_path / "p" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "schema": 99}))
    with pytest.raises(DataError, match=r"saved with schema 99 .* reads up to schema 3. Upgrade gtm_opt"):
        Plan.load(tmp_path / "p")


def test_changed_files_are_refused_unless_asked_for(plan: Plan, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    plan.save(folder)
    path = folder / "assignment.csv"
    table = pd.read_csv(path, dtype=str)
    row = table.index[(table["account_id"] == "0010")][0]
    table.loc[row, "territory"] = "r6" if table.loc[row, "territory"] != "r6" else "r5"
    table.to_csv(path, index=False)
    with pytest.raises(DataError, match=r"1 files in .* were changed .* 'assignment.csv'"):
        Plan.load(folder)
    change = plan.compare(Plan.load(folder, verify=False))
    assert change.moved["account_id"].tolist() == ["0010"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "manifest.json").unlink(), "no manifest.json in it"),
        (lambda f: (f / "manifest.json").write_text("{"), "not the manifest of a plan, or was damaged"),
        (lambda f: (f / "manifest.json").write_text('{"kind": "cake", "schema": 1}'), "describes a 'cake'"),
        (lambda f: (f / "accounts.csv").unlink(), "lacks 1 files: 'accounts.csv'"),
    ],
)
def test_a_damaged_folder_says_what_is_wrong(plan: Plan, tmp_path: Path, damage: object, message: str) -> None:
    plan.save(tmp_path / "p")
    damage(tmp_path / "p")  # type: ignore[operator]
    with pytest.raises(DataError, match=message):
        Plan.load(tmp_path / "p")
    with pytest.raises(DataError, match="no such folder"):
        Plan.load(tmp_path / "nowhere")


def test_unknown_things_in_a_manifest_are_never_made() -> None:
    from gtm_opt.model.codec import decode

    with pytest.raises(DataError, match=r"holds a 'os.system', which this version of gtm_opt does not know"):
        decode({"type": "os.system", "value": "x"}, lambda name: pd.DataFrame())


def test_an_unknown_format_is_refused(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`format` must be 'csv' or 'parquet', got 'xml'"):
        plan.save(tmp_path / "p", format="xml")  # type: ignore[arg-type]


FORMULAS = [
    "=1+1",
    "+49 30 1",
    "-2",
    "@SUM(A1)",
    "'=quoted",
    "''-x",
    "plain",
    "'plain",
    "=a,b",
    '=HYPERLINK("x")',
    "\uff1d4",
    "=5\r6",
]


def test_no_text_cell_of_a_csv_table_is_computed_by_a_spreadsheet_and_ids_come_back_unchanged(tmp_path: Path) -> None:
    accounts = pd.DataFrame({"account_id": FORMULAS, "=arr": 1.0, "note": FORMULAS[::-1], "blank": " =2"})
    reps = pd.DataFrame({"rep_id": ["=r1", "@r2"]})
    plan = build_plan(accounts, reps, balance=[Count(0.5)], target=1_000_000, options=CarveOptions(effort=0.1))
    plan.save(tmp_path / "p")
    for file in (tmp_path / "p").glob("*.csv"):
        with file.open(newline="", encoding="utf-8") as lines:
            cells = [cell for row in csv.reader(lines) for cell in row]
        texts = [cell for cell in cells if not re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?|-inf", cell) or cell == "-2"]
        assert not [cell for cell in texts if cell.lstrip()[:1] in tuple("=+-@\uff1d")], file.name
    again = Plan.load(tmp_path / "p")
    assert_same(plan, again)
    assert list(again.carving.problem.accounts["account_id"]) == FORMULAS
    assert json.loads((tmp_path / "p" / "manifest.json").read_text())["text_cells"].startswith("an apostrophe")


def test_raw_cells_keep_the_bytes_and_load_as_well(tmp_path: Path) -> None:
    accounts = pd.DataFrame({"account_id": FORMULAS[:-1]})
    plan = Plan(carve(CarvingProblem(accounts, 2, [Count(0.5)]), effort=0.1))
    plan.save(tmp_path / "p", raw_cells=True)
    assert list(pd.read_csv(tmp_path / "p" / "accounts.csv", keep_default_na=False)["account_id"]) == FORMULAS[:-1]
    assert json.loads((tmp_path / "p" / "manifest.json").read_text())["text_cells"] == "as they are"
    assert_same(plan, Plan.load(tmp_path / "p"))
