"""Command line: ``python -m benchmarks list | run NAME | solve FAMILY FILE | record | compare | structure``."""

from __future__ import annotations

import argparse
import math
import sys

from benchmarks import meter  # first: its clock starts with its import
from gtm_opt.errors import GtmOptError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Benchmarks of gtm_opt.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what can be run, and which solvers there are")
    structure = commands.add_parser("structure", help="size, import circles and signatures of the source")
    structure.add_argument("--before", default="", help="commits to compare with, separated by commas")
    structure.add_argument("--package", default="all", help="all, or the name of one package")
    structure.add_argument("--out", help="where to write the table (.csv)")
    solve = commands.add_parser("solve", help="solve one file of a public format")
    solve.add_argument("family", choices=["gap", "mdmwnpp", "pcmax", "bpp"])
    solve.add_argument("file")
    solve.add_argument("--k", type=int, help="subsets, machines or bins")
    solve.add_argument("--n", type=int, help="only the first N units")
    solve.add_argument("--m", type=int, help="only the first M coordinates")
    solve.add_argument("--time-limit", type=float, default=60.0, help="seconds since the start of the process")
    solve.add_argument("--seed", type=int, default=0)
    solve.add_argument("--solver", default="auto")
    solve.add_argument("--effort", type=float, default=math.inf)
    solve.add_argument("--out", help="where to write the result (JSON)")
    run = commands.add_parser("run", help="run one benchmark with several solvers")
    run.add_argument("name")
    run.add_argument("--solvers", help="names separated by commas; NAME@SECONDS has a time limit of its own")
    run.add_argument("--seeds", default="0,1,2", help="separated by commas")
    run.add_argument("--time-limit", type=float, help="seconds per solver and case")
    run.add_argument("--sizes", help="numbers of units, separated by commas")
    run.add_argument("--cases", help="only cases whose name contains this text")
    run.add_argument("--jobs", type=int, default=1, help="processes at a time")
    run.add_argument("--effort", type=float, default=1.0, help="iteration budget; inf: until the time limit")
    run.add_argument("--out", help="results as .csv or .parquet")
    run.add_argument("--trace", help="progress of every run (seconds, value, bound) as .csv")
    for name, text in (
        ("record", "record what each solver reaches within fixed iteration budgets"),
        ("compare", "make a recording's runs again and say what got worse (exit code 1 if anything)"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--solver", help="only this solver")
        command.add_argument("--case", help="only cases whose name contains this text")
        command.add_argument("--out", help="where to write the recording (.csv)")
    command.add_argument("before", nargs="?", help="the recording to compare with; default: the repository's")
    command.add_argument("after", nargs="?", help="another recording, in place of new runs")
    return parser


def _record(given: argparse.Namespace) -> int:
    """Record, and for ``compare`` hold the result against an earlier recording."""
    from benchmarks import recording

    comparing = given.command == "compare"
    before = recording.read_recording(given.before or recording.RECORDED) if comparing else None
    if comparing and given.after:
        after = recording.read_recording(given.after)
    else:
        after = recording.record(recording.recording_tasks(solver=given.solver, case=given.case))
        out = given.out or (None if comparing else recording.RECORDED)
        if out is not None:
            recording.write_recording(after, out)
    if before is None:
        return 0
    table, findings = recording.compare_recordings(before, after)
    text = table.to_string(index=False, float_format=lambda x: f"{x:.5f}")
    sys.stdout.write("\n".join([text, *findings, "" if findings else "nothing got worse", ""]))
    return 1 if findings else 0


def _split(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _list() -> int:
    from benchmarks.specs import SPECS
    from gtm_opt.solvers import solver_names

    lines = ["benchmarks (python -m benchmarks run NAME):"]
    lines += [f"  {name:12s} {spec.summary}" for name, spec in sorted(SPECS.items())]
    lines += ["  hiring       whom to hire and when, 12 segments x 18 months: prices beside plain HiGHS and CBC"]
    lines += ["families (python -m benchmarks solve FAMILY FILE):", "  gap, mdmwnpp, pcmax, bpp"]
    lines += ["solvers:", "  " + ", ".join(solver_names())]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _measure_structure(revisions: list[str], package: str, out: str | None) -> int:
    from benchmarks.structure import measure_revisions

    table = measure_revisions(revisions)
    sys.stdout.write(table[table["package"] == package].to_string(index=False) + "\n")
    if out:
        table.to_csv(out, index=False)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "list":
            return _list()
        if given.command == "structure":
            return _measure_structure(_split(given.before) or [], given.package, given.out)
        if given.command in ("record", "compare"):
            return _record(given)
        if given.command == "solve":
            from benchmarks.solve import solve_file

            options = {name: getattr(given, name) for name in ("k", "n", "m", "seed", "solver", "effort", "out")}
            result = solve_file(given.family, given.file, time_limit=given.time_limit, **options)
            return 3 if result["status"] == "wrong_bound" else 0
        if given.name == "hiring":
            from benchmarks.hiring import run_hiring

            seeds = tuple(int(seed) for seed in _split(given.seeds) or [])
            table = run_hiring(seeds=seeds, time_limit=given.time_limit or 60.0)
            if given.out:
                table.to_csv(given.out, index=False)
            return 0
        from benchmarks.runner import run_benchmark

        run_benchmark(
            given.name,
            solvers=_split(given.solvers),
            seeds=[int(seed) for seed in _split(given.seeds) or []],
            sizes=None if given.sizes is None else [int(size) for size in _split(given.sizes) or []],
            time_limit=given.time_limit,
            cases=given.cases,
            jobs=given.jobs,
            effort=given.effort,
            out=given.out,
            trace=given.trace,
        )
    except (GtmOptError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    meter.seconds_since_start()
    sys.exit(main())
