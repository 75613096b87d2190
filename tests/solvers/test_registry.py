"""Solvers by name, present and past."""

from __future__ import annotations

import pytest

from gtm_opt.errors import RenamedWarning, SolverError
from gtm_opt.solvers import get_solver, solver_names
from gtm_opt.solvers.registry import RENAMED


@pytest.mark.parametrize(("old", "new"), sorted(RENAMED.items()))
def test_a_solver_is_found_by_the_name_of_an_earlier_release_with_a_warning(old: str, new: str) -> None:
    with pytest.warns(RenamedWarning, match=f"solver '{old}' is now called '{new}'"):
        assert get_solver(old) is get_solver(new)


def test_old_names_are_not_listed() -> None:
    assert not set(RENAMED) & set(solver_names())


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(SolverError, match=r"no solver named 'local_serch'\. Did you mean 'local_search'"):
        get_solver("local_serch")
