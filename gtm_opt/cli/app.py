"""The commands. Everything heavy is imported inside of them, so that ``--help`` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gtm_opt.cli.exits import ExitCode, UserMistakeError, guarded

__all__ = ["app", "main"]

EPILOG = (
    "Exit codes: 0 fine, 1 the plan does not keep everything asked for, 2 something to fix in the config or "
    "the files, 3 proven impossible, 4 a plan that keeps all that could be kept, 70 a fault of gtm-opt, "
    "130 interrupted."
)

app = typer.Typer(
    name="gtm-opt",
    help="From accounts, a sales team and a revenue target to territories, staffing, capacity and quotas.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="The config; `gtm-opt init` writes one.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the plan.", show_default=False)]
TimeLimit = Annotated[float | None, typer.Option("--time-limit", min=0.01, help="Seconds for the carve.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Same seed, same plan.")]
Excel = Annotated[bool, typer.Option("--excel", help="Also write plan.xlsx into the folder.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary; errors only.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        from gtm_opt import __version__

        typer.echo(f"gtm-opt {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """From accounts, a sales team and a revenue target to territories, staffing, capacity and quotas."""


@app.command()
def plan(
    config: ConfigFile,
    out: Out = None,
    time_limit: TimeLimit = None,
    seed: Seed = None,
    excel: Excel = False,
    nearest: Annotated[
        bool, typer.Option("--nearest", help="If the request is impossible, make the nearest possible plan.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, plan nothing.")] = False,
    quiet: Quiet = False,
) -> None:
    """Read accounts and reps as CONFIG.toml says, make a plan, save it in a folder, show a summary."""
    with guarded():
        from gtm_opt.cli.commands import run_plan

        code = run_plan(config, out, time_limit, seed, excel, nearest, dry_run, quiet)
    raise typer.Exit(int(code))


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the plan.")] = Path("demo-plan"),
    time_limit: TimeLimit = None,
    seed: Seed = None,
    excel: Excel = False,
    quiet: Quiet = False,
) -> None:
    """Plan the built-in example: 400 made-up accounts, a sales team, a target."""
    with guarded():
        from gtm_opt.cli.demo import run_demo

        code = run_demo(out, time_limit, seed, excel, quiet)
    raise typer.Exit(int(code))


@app.command()
def check(
    config: ConfigFile,
    assignment: Annotated[
        Path, typer.Option("--assignment", "-a", help="CSV, Excel or Parquet file with account ids and territories.")
    ],
    account: Annotated[str | None, typer.Option(help="Its column of account ids.")] = None,
    territory: Annotated[str | None, typer.Option(help="Its column of territories.")] = None,
    quiet: Quiet = False,
) -> None:
    """Recompute a plan made elsewhere: balance, moves, and every rule and band it breaks."""
    with guarded():
        from gtm_opt.cli.commands import run_check

        code = run_check(config, assignment, account, territory, quiet)
    raise typer.Exit(int(code))


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV, Excel or Parquet file.")],
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; default: the first.")] = None,
    encoding: Annotated[str, typer.Option(help="Of a text file without a byte order mark.")] = "utf-8-sig",
) -> None:
    """Show what would be read from FILE: layout, columns, what is odd, and a section for a config."""
    with guarded():
        from gtm_opt.cli.inspect_file import inspect_file

        number = int(sheet) if sheet is not None and sheet.isdigit() else sheet
        typer.echo(inspect_file(file, sheet=number, encoding=encoding))


@app.command()
def init(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="The config to write.")] = Path("gtm-opt.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a config with every word explained."""
    with guarded():
        from gtm_opt.cli.template import TEMPLATE

        if file.exists() and not force:
            raise UserMistakeError(f"'{file}' exists already. Give another name, or add --force to replace it.")
        file.write_text(TEMPLATE, encoding="utf-8")
        typer.echo(f"Wrote {file}. Name your files in it, then run: gtm-opt plan {file}")


@app.command()
def solvers() -> None:
    """List the solvers and what each understands."""
    with guarded():
        from gtm_opt.cli.commands import show_solvers

        show_solvers()


@app.command("show-versions")
def show_versions() -> None:
    """Show the versions a report about a problem should name."""
    with guarded():
        from gtm_opt.cli.commands import show_versions as show

        show()


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter shows a question mark, and the plan goes on.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(int(ExitCode.INTERRUPTED))
