"""The built-in example: a made-up company with everything a plan can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from gtm_opt.carving import CarveOptions
from gtm_opt.cli.commands import finish
from gtm_opt.datasets import load_saas
from gtm_opt.model import Balance, Count, KeepOwner, KeepTogether
from gtm_opt.model.calendar import Calendar
from gtm_opt.model.ramp import Ramp
from gtm_opt.model.roles import Role
from gtm_opt.plan import build_plan

if TYPE_CHECKING:
    from pathlib import Path

    from gtm_opt.cli.exits import ExitCode

__all__ = ["TARGET", "run_demo"]

TARGET = 9_500_000


def run_demo(
    out: Path, time_limit: float | None, seed: int | None, excel: bool, quiet: bool, solver: str = "auto"
) -> ExitCode:
    """Plan the built-in example and save it."""
    accounts, reps = load_saas()
    if not quiet:
        typer.echo(
            f"The built-in example: {len(accounts):,} accounts, {len(reps)} seats, "
            f"{reps['manager'].nunique()} managers, a target of {TARGET:,} USD.\n"
        )
    plan = build_plan(
        accounts,
        reps,
        levels=["region", "manager"],
        balance=[
            Balance("potential", tolerance=0.10, priority=1),
            Balance("open_pipeline", tolerance=0.20, priority=2),
            Count(tolerance=0.15, priority=2),
        ],
        prefer=[KeepOwner("owner", value="arr"), KeepOwner("owner", weight=0.5)],
        rules=[KeepTogether("parent_id")],
        roles=Role("AE", productivity_py=1_000_000, ramp=Ramp.steps([0, 0.25, 0.5, 0.75])),
        calendar=Calendar("2027-01", season=[0.20, 0.24, 0.26, 0.30]),
        target=TARGET,
        currency="USD",
        over_assign={"manager": 0.03, "seat": 0.05},
        quota_weights={"potential": 0.6, "capacity": 0.4},
        options=CarveOptions(solver=solver, time_limit=time_limit, seed=seed or 0, progress=False if quiet else None),
    )
    return finish(plan, out, "csv", excel, quiet)
