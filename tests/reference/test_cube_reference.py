"""Reference numbers of controlled rounding and raking."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from gtm_opt.quota.cube import allocate

SEED = [[40, 30, 20, 10], [35, 50, 100, 75], [30, 80, 70, 120], [20, 30, 40, 50]]
ROWS, COLUMNS = [150, 300, 400, 150], [200, 300, 400, 100]


def four_by_four():
    cells = pd.DataFrame([(i, j, SEED[i][j]) for i in range(4) for j in range(4)], columns=["row", "column", "seed"])
    return allocate(cells, {"row": dict(enumerate(ROWS)), "column": dict(enumerate(COLUMNS))}, unit=1)


def test_the_four_by_four_table_is_rounded_to_its_unique_nearest_table():
    cube = four_by_four()
    assert cube.wide("row", "column").to_numpy().tolist() == [
        [65, 46, 35, 4],
        [50, 68, 157, 25],
        [56, 145, 145, 54],
        [29, 41, 63, 17],
    ]
    assert cube.distance == pytest.approx(4.40618, abs=5e-6)
    assert cube.is_optimal


def test_independent_rounding_of_the_four_by_four_table_breaks_its_margins():
    fitted = four_by_four().table["fitted"].to_numpy().reshape(4, 4)
    assert np.rint(fitted).sum(axis=1).tolist() == [150, 299, 400, 150]
    assert np.rint(fitted).sum(axis=0).tolist() == [201, 299, 399, 100]


def test_the_four_by_four_table_has_27_roundings_and_the_next_best_is_known():
    fitted = four_by_four().table["fitted"].to_numpy().reshape(4, 4)
    base = np.floor(fitted)
    of_row = []
    for i in range(4):
        ups = [np.array(u) for u in itertools.product((0, 1), repeat=4)]
        of_row.append([base[i] + u for u in ups if (base[i] + u).sum() == ROWS[i]])
    distances = sorted(
        float(np.abs(np.array(table) - fitted).sum())
        for table in itertools.product(*of_row)
        if (np.sum(table, axis=0) == COLUMNS).all()
    )
    assert len(distances) == 27
    assert distances[:2] == pytest.approx([4.40618, 4.47084], abs=5e-6)
