"""Every backend, on problems small enough to enumerate."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.errors import DataError
from gtm_opt.mip import Model, Options, Status, backend_table, solve
from gtm_opt.mip.solve import BACKENDS, backend_module

INTEGER = st.integers(-6, 6)


def makespan(times: np.ndarray, machines: int) -> Model:
    n = len(times)
    model = Model("makespan")
    names = [f"x_{i}_{k}" for i in range(n) for k in range(machines)]
    x = model.add_columns(names, high=1, integer=True).reshape(n, machines)
    worst = model.add_column("worst", high=float(times.sum()), cost=1.0)
    for i in range(n):
        model.add_row(f"job_{i}", x[i], 1.0, low=1.0, high=1.0)
    for k in range(machines):
        model.add_row(f"machine_{k}", [*x[:, k], worst], [*times, -1.0], high=0.0)
    return model


def shortest(times: np.ndarray, machines: int) -> float:
    loads = (
        np.bincount(np.array(deal), weights=times, minlength=machines).max()
        for deal in itertools.product(range(machines), repeat=len(times))
    )
    return float(min(loads))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_units_do_not_matter_to_a_proof(backend: str, unit: float) -> None:
    rng = np.random.default_rng(4)
    for _ in range(3):
        times = rng.integers(1, 200, size=6) * unit
        found, best = solve(makespan(times, 3), backend=backend), shortest(times, 3)
        assert found.status is Status.OPTIMAL
        assert found.objective == pytest.approx(best, rel=1e-9)
        assert found.bound <= best * (1 + 1e-12)
        assert found.violation <= 1e-9


@st.composite
def programs(draw: st.DrawFn) -> tuple[Model, float]:
    """Return a random integer program over a small box, and its optimum by enumeration (``nan``: infeasible)."""
    n, rows = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    maximize = draw(st.booleans())
    low = np.array(draw(st.lists(st.integers(-2, 1), min_size=n, max_size=n)))
    high = low + np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    cost = np.array(draw(st.lists(INTEGER, min_size=n, max_size=n)), dtype=float)
    model = Model("random", maximize=maximize)
    x = model.add_columns([f"x{j}" for j in range(n)], low=low, high=high, integer=True, cost=cost)
    points = np.array(list(itertools.product(*(range(a, b + 1) for a, b in zip(low, high, strict=True)))))
    kept = np.ones(len(points), dtype=bool)
    for r in range(rows):
        values = np.array(draw(st.lists(INTEGER, min_size=n, max_size=n)), dtype=float)
        at_least = draw(st.integers(-8, 8))
        at_most = at_least + draw(st.integers(0, 6))
        model.add_row(f"r{r}", x, values, low=at_least, high=at_most)
        kept &= (points @ values >= at_least) & (points @ values <= at_most)
    worth = points[kept] @ cost
    if not len(worth):
        return model, np.nan
    return model, float(worth.max() if maximize else worth.min())


@settings(max_examples=40, deadline=None)
@given(programs())
@pytest.mark.parametrize("backend", ["highs", "cpsat"])
def test_optimal_is_optimal_and_infeasible_is_infeasible(backend: str, case: tuple[Model, float]) -> None:
    model, best = case
    found = solve(model, backend=backend)
    if np.isnan(best):
        assert found.status is Status.INFEASIBLE
        assert not found.has_values
    else:
        assert found.status is Status.OPTIMAL
        assert found.objective == pytest.approx(best)
        assert found.bound == pytest.approx(best)
        assert found.gap == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=8, deadline=None)
@given(programs())
def test_cbc_agrees_with_enumeration(case: tuple[Model, float]) -> None:
    model, best = case
    found = solve(model, backend="pulp")
    assert found.status is (Status.INFEASIBLE if np.isnan(best) else Status.OPTIMAL)
    if not np.isnan(best):
        assert found.objective == pytest.approx(best)


@pytest.mark.parametrize("backend", ["highs", "pulp"])
def test_an_unbounded_model_is_called_unbounded(backend: str) -> None:
    model = Model("no limit", maximize=True)
    model.add_column("x", integer=True, cost=1.0)
    model.add_column("y", high=1.0, integer=True)
    model.add_row("floor", [0, 1], 1.0, low=1.0)
    assert solve(model, backend=backend).status is Status.UNBOUNDED


def test_cpsat_asks_for_finite_bounds_and_names_the_columns() -> None:
    model = Model()
    x = model.add_columns(["open", "closed"], high=[np.inf, 1.0], integer=True)
    model.add_row("r", x, 1.0, high=3.0)
    with pytest.raises(DataError, match=r"must be finite for the backend 'cpsat'.*'open'"):
        solve(model, backend="cpsat")


def test_a_linear_program_has_a_bound_recomputed_from_its_duals() -> None:
    model = Model("diet", maximize=True)
    x = model.add_columns(["a", "b"], cost=[3.0, 2.0])
    model.add_rows(["hours", "money"], [(x, [1.0, 1.0]), (x, [3.0, 1.0])], high=[4.0, 6.0])
    found = solve(model)
    assert (found.status, found.objective) == (Status.OPTIMAL, pytest.approx(9.0))
    assert found.bound == pytest.approx(9.0)
    assert found.duals is not None
    assert found.duals @ [4.0, 6.0] == pytest.approx(9.0)
    assert found.duals.min() >= 0.0


def hard_model(n: int = 40) -> Model:
    """Equal-ish knapsacks that no search finishes in a fraction of a second."""
    rng = np.random.default_rng(1)
    return makespan(rng.integers(10**8, 10**9, size=n).astype(float), 7)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_limit_that_cut_the_search_is_told_and_nothing_is_called_optimal(backend: str) -> None:
    found = solve(hard_model(), Options(time_limit=1.0), backend=backend)
    assert found.limit_reached
    assert found.status in (Status.FEASIBLE, Status.UNKNOWN)
    if found.has_values:
        assert found.bound <= found.objective
        assert found.gap > 0.0


def test_a_node_limit_gives_the_same_answer_twice() -> None:
    one, two = (solve(hard_model(20), Options(node_limit=20)) for _ in range(2))
    assert one.limit_reached
    assert one.objective == two.objective
    assert one.bound == two.bound


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_answer_is_never_worse_than_the_start(backend: str) -> None:
    model = hard_model(24)
    first = solve(model, Options(node_limit=1))
    assert first.values is not None
    found = solve(model, Options(time_limit=0.3), backend=backend, start=first.values)
    assert found.objective <= first.objective


def test_a_child_process_gives_the_same_answer_and_keeps_errors() -> None:
    model = makespan(np.array([3.0, 5.0, 7.0, 8.0]), 2)
    here, there = (solve(model, Options(own_process=apart)) for apart in (False, True))
    assert there.objective == here.objective
    assert there.status is Status.OPTIMAL
    broken = Model()
    broken.add_row("r", broken.add_column("open", integer=True), 1.0, high=3.0)
    with pytest.raises(DataError, match="must be finite"):
        solve(broken, Options(own_process=True), backend="cpsat")


def test_a_cancelled_solve_ends_and_keeps_the_start() -> None:
    model = hard_model()
    first = solve(model, Options(node_limit=1))
    found = solve(model, start=first.values, should_stop=lambda: True)
    assert found.limit_reached
    assert found.objective == first.objective
    assert "highs was cancelled" in found.notes


@pytest.mark.skipif(sys.platform == "win32", reason="the C library has no stream that can be set")
def test_what_c_code_prints_inside_is_silent_and_ours_is_not() -> None:
    """In a process of its own, with file descriptor 1 a pipe."""
    program = """
import ctypes, threading
from gtm_opt.mip.quiet import silent_c_output
c = ctypes.CDLL(None)
inside, leave = threading.Event(), threading.Event()
def other():
    with silent_c_output():
        inside.set()
        leave.wait()
thread = threading.Thread(target=other)
with silent_c_output():
    thread.start()
    inside.wait()
    c.printf(b"hidden\\n")
    print("ours", flush=True)
c.printf(b"still hidden: a thread is inside\\n")
leave.set()
thread.join()
c.printf(b"theirs\\n")
c.fflush(None)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "ours\ntheirs\n"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_prints_nothing(backend: str, capfd: pytest.CaptureFixture[str]) -> None:
    solve(makespan(np.array([3.0, 5.0, 7.0, 8.0]), 2), backend=backend)
    assert capfd.readouterr().out == ""


def test_a_bound_that_better_values_contradict_is_dropped() -> None:
    from gtm_opt.mip.recompute import recompute
    from gtm_opt.mip.solution import Answer

    program = makespan(np.array([3.0, 5.0]), 2).program()
    values = np.array([1.0, 0.0, 0.0, 1.0, 5.0])
    claims = Answer(values=values, bound=6.0, exhausted=True)
    found = recompute(program, None, Options(), claims, None, np.inf)
    assert found.status is Status.FEASIBLE
    assert found.bound == -np.inf
    assert "a bound of 6 was dropped: better values are known" in found.notes
    empty = recompute(program, None, Options(), Answer(bound=np.inf, exhausted=True), values, np.inf)
    assert empty.status is Status.FEASIBLE
    assert any("claim of infeasibility was dropped" in note for note in empty.notes)


def test_a_pulp_solver_that_tells_no_bound_gets_that_of_the_relaxation() -> None:
    import pulp

    from gtm_opt.mip.pulp import find_cbc

    silent = pulp.COIN_CMD(path=find_cbc(), msg=False)
    model = makespan(np.array([3.0, 3.0, 3.0]), 2)
    found = solve(model, backend="pulp", pulp_solver=silent)
    assert found.objective == 6.0
    assert found.bound == pytest.approx(4.5)
    assert found.status is Status.FEASIBLE
    assert any("linear relaxation" in note for note in found.notes)


def test_all_backends_have_the_same_functions() -> None:
    for name in BACKENDS:
        module = backend_module(name)
        assert all(callable(getattr(module, f)) for f in ("features", "is_available", "solve_program", "version"))
    assert backend_table()["backend"].tolist() == list(BACKENDS)
    with pytest.raises(DataError, match="backend must be one of highs, cpsat, pulp, got 'gurobi'"):
        solve(Model(), backend="gurobi")


def test_a_model_without_columns_is_solved() -> None:
    assert solve(Model()).status is Status.OPTIMAL


def test_a_task_larger_than_a_pipe_reaches_the_child_process() -> None:
    """Some 600 KB: a pipe holds 64 KB, and the child begins to read only after its imports."""
    rng = np.random.default_rng(5)
    model = Model("large", maximize=True)
    columns = model.add_columns([f"x{j}" for j in range(200)], high=1.0, cost=rng.random(200))
    for row in range(200):
        model.add_row(f"r{row}", columns, 1.0 + rng.random(200), high=50.0)
    here, apart = (solve(model, Options(time_limit=60.0, own_process=own)) for own in (False, True))
    assert here.status == apart.status == "optimal"
    assert apart.objective == pytest.approx(here.objective)
