"""What the commands do, once the library is loaded."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import typer

from gtm_opt.carving import CarveOptions, TreeOptions
from gtm_opt.carving.analysis.violations import judged_violations, outside_table, placed_as_is
from gtm_opt.carving.compile.compiled import compile_problem, unit_positions
from gtm_opt.carving.feasibility.assess import assess
from gtm_opt.carving.feasibility.conflicts import why_infeasible
from gtm_opt.cli.exits import ExitCode
from gtm_opt.cli.read_config import read_config
from gtm_opt.cli.request import make_request, output_folder, read_assignment_file
from gtm_opt.errors import GtmOptError, InfeasibleError
from gtm_opt.plan import Plan, build_plan
from gtm_opt.solvers import SolveStatus, Termination

if TYPE_CHECKING:
    from pathlib import Path

    from gtm_opt.carving import Carving
    from gtm_opt.cli.config import Config
    from gtm_opt.cli.request import Request
    from gtm_opt.measures import Check
    from gtm_opt.model import CarvingProblem

__all__ = ["finish", "refuse_impossible", "run_check", "run_plan", "show_solvers", "show_versions"]

PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "narwhals",
    "numba",
    "ortools",
    "pulp",
    "networkx",
    "pydantic",
    "typer",
    "pyarrow",
    "openpyxl",
)


def run_plan(
    path: Path,
    out: Path | None,
    time_limit: float | None,
    seed: int | None,
    excel: bool,
    nearest: bool,
    dry_run: bool,
    quiet: bool,
) -> ExitCode:
    """Make and save the plan of a config."""
    config = read_config(path)
    request = make_request(config, path.parent)
    for note in request.notes:
        _say(f"note: {note}", quiet)
    wish = config.carve
    on_infeasible = "nearest" if nearest else wish.on_infeasible
    if on_infeasible == "raise":
        refuse_impossible(request.problem)
    if dry_run:
        _say(f"{request.problem}\nEverything can be read, nothing contradicts itself. Nothing was planned.", quiet)
        return ExitCode.FINE
    limit = time_limit if time_limit is not None else wish.time_limit
    written = config.output
    folder = output_folder(config, path.parent, out)
    try:
        plan = _build(config, request, limit, wish.seed if seed is None else seed, on_infeasible, quiet)
    except Exception as error:
        _save_carving(getattr(error, "carving", None), folder)
        raise
    if on_infeasible == "raise" and plan.carving.status is SolveStatus.INFEASIBLE:
        # "as even as possible" makes a plan all the same; here one was only asked for within the bands
        raise InfeasibleError(why_infeasible(request.problem))
    return finish(plan, folder, written.format, excel or written.excel, quiet, raw_cells=written.raw_cells)


def _save_carving(carving: Carving | None, folder: Path) -> None:
    """Save the carve of a plan whose later stages failed, beside where the plan would have gone."""
    if carving is None:
        return
    beside = folder.with_name(f"{folder.name}-carving")
    try:
        Plan(carving).save(beside)
    except (GtmOptError, OSError):  # the first error is the one to tell
        return
    typer.echo(f"gtm-opt: the carve was finished before this error; it was saved in {beside}.", err=True)


def _build(
    config: Config,
    request: Request,
    limit: float | None,
    seed: int,
    on_infeasible: Literal["raise", "nearest"],
    quiet: bool,
) -> Plan:
    wish, quota = config.carve, config.quota
    return build_plan(
        request.problem,
        request.reps,
        hierarchy=request.hierarchy,
        roles=request.roles or None,
        calendar=request.calendar,
        people=request.people,
        target=None if quota is None else quota.target,
        over_assign=None if quota is None else quota.over_assign,
        quota_weights=None if quota is None else quota.weights,
        unit=1_000 if quota is None else quota.unit,
        currency="" if quota is None else quota.currency,
        options=CarveOptions(
            solver=wish.solver,
            time_limit=limit,
            seed=seed,
            effort=wish.effort,
            max_gap=wish.max_gap,
            on_infeasible=on_infeasible,
            progress=False if quiet else None,
            tree=TreeOptions(max_buckets=wish.max_buckets),
        ),
    )


def refuse_impossible(problem: CarvingProblem) -> None:
    """Raise for requirements that are provably impossible, also where the objective would take them as a measure.

    Raises
    ------
    InfeasibleError
    """
    feasibility = assess(compile_problem(problem, problem.territories.names))
    if feasibility.impossible:
        raise InfeasibleError(feasibility.texts)


def finish(plan: Plan, folder: Path, format: Any, excel: bool, quiet: bool, *, raw_cells: bool = False) -> ExitCode:
    """Save a plan, show its summary, and return the exit code it deserves."""
    plan.save(folder, format=format, excel=excel, raw_cells=raw_cells)
    _say(plan.summary(), quiet)
    _say(f"\nSaved in {folder}: {len(plan.tables)} tables, summary.txt" + (", plan.xlsx" if excel else ""), quiet)
    if plan.carving.termination is Termination.INTERRUPTED:
        typer.echo("gtm-opt: interrupted; the best plan found until then was saved.", err=True)
    found = plan.check()
    if found.ok:
        return ExitCode.FINE
    if found.kept:
        typer.echo(
            f"gtm-opt: everything holds but what no plan could keep: {len(found.relaxed)} relaxed (exit code 4).",
            err=True,
        )
        return ExitCode.NEAREST
    typer.echo(
        "gtm-opt: the plan does not keep everything that was asked for (exit code 1); see the table of violations.",
        err=True,
    )
    return ExitCode.VIOLATIONS


def run_check(path: Path, assignment: Path, account: str | None, territory: str | None, quiet: bool) -> ExitCode:
    """Check an assignment that was made elsewhere against the requirements of a config."""
    from gtm_opt.measures import check, read_assignment

    config = read_config(path)
    request = make_request(config, path.parent)
    labels = read_assignment(request.problem, read_assignment_file(assignment, config, account, territory))
    done = check(request.problem, labels)
    shown = done.criteria[
        ["criterion", "tolerance", "worst_deviation", "worst_territory", "forced_deviation", "within"]
    ]
    _say(f"{request.problem}\n\n{shown.to_string(index=False, float_format='{:.4f}'.format)}", quiet)
    for row in done.moved.to_dict("records"):
        _say(f"moved: {row['share_moved']:.1%} of {row['measure']}", quiet)
    forced = pd.DataFrame() if done.ok else _by_force(request.problem, labels, done)
    _say(f"\n{done}", quiet)
    if len(forced):
        _say(f"\nOf these {len(forced):,} relaxed because infeasible: no plan could keep them.", quiet)
        for line in forced.head(20).to_dict("records"):
            _say(f"- {line['rule']} in {line['where']}: {line['reason']}", quiet)
    if done.ok:
        return ExitCode.FINE
    return ExitCode.NEAREST if len(forced) == len(done.violations) else ExitCode.VIOLATIONS


def _by_force(problem: CarvingProblem, labels: pd.Series, done: Check) -> pd.DataFrame:
    """Return the violations that no plan could avoid, with the reasons."""
    compiled = compile_problem(problem, problem.territories.names)
    at = unit_positions(compiled, labels)
    outside = outside_table(compiled, at, done.balance, placed_as_is(compiled, at))
    judged = judged_violations(done.violations, compiled, at, outside)
    return judged[judged["relaxed"].astype(bool)]


def show_solvers() -> None:
    """Print the solver table: one line each, with what it does not understand."""
    from rich.console import Console
    from rich.table import Table

    from gtm_opt.solvers import solver_table

    table = Table(box=None, pad_edge=False)
    for title in ("solver", "bounds", "proofs", "does not understand", "described in"):
        table.add_column(title, overflow="fold")
    words = (
        "several_criteria",
        "unequal_shares",
        "preferences",
        "bands",
        "rules",
        "side_rows",
        "by_territory",
        "evenness",
    )
    for row in solver_table().to_dict("records"):
        lacks = ", ".join(w.replace("_", " ") for w in words if not row[w])
        marks = ["yes" if row[w] else "" for w in ("lower_bound", "proof")]
        table.add_row(str(row["solver"]), *marks, lacks or "-", str(row["source"]))
    Console(highlight=False, markup=False).print(table)


def show_versions() -> None:
    """Print versions, one a line."""
    from gtm_opt import __version__

    lines = [
        f"gtm-opt     {__version__}",
        f"python      {platform.python_version()}",
        f"system      {platform.platform()}",
    ]
    for name in PACKAGES:
        try:
            lines.append(f"{name:<12}{version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name:<12}not installed")
    typer.echo("\n".join(lines))


def _say(text: str, quiet: bool) -> None:
    if not quiet:
        typer.echo(text)
