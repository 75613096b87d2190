"""From a config to what the library takes: tables, problem, hierarchy, options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from gtm_opt.carving import Segments
from gtm_opt.carving.carve import resolve_hierarchy
from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.joins import add_measures, expand_name, read_days
from gtm_opt.cli.requirements import criteria, preferences, rules
from gtm_opt.cli.tables import column_of, expand, read_source, read_table
from gtm_opt.errors import DataError
from gtm_opt.model import CarvingProblem, Hierarchy, Territories
from gtm_opt.model.calendar import Calendar
from gtm_opt.model.ramp import Ramp
from gtm_opt.model.roles import Role
from gtm_opt.model.tables import did_you_mean
from gtm_opt.plan.build import rep_hierarchy

if TYPE_CHECKING:
    from pathlib import Path

    from gtm_opt.cli.config import Config

__all__ = ["Request", "make_request"]


@dataclass(frozen=True, eq=False)
class Request:
    """Everything a config asks for, read and checked.

    Attributes
    ----------
    problem : CarvingProblem
    hierarchy : Hierarchy or "flat" or None
    reps : DataFrame or None
        As `gtm_opt.assign` takes it; None when territories are no reps' seats.
    roles : list of Role
    calendar : Calendar or None
    notes : tuple of str
        What the planner should know about the files.
    """

    problem: CarvingProblem
    hierarchy: Hierarchy | Any
    reps: pd.DataFrame | None
    roles: list[Role]
    calendar: Calendar | None
    notes: tuple[str, ...] = field(default=())


def make_request(config: Config, base: Path) -> Request:
    """Read the files a config names and put the problem together.

    Parameters
    ----------
    config : Config
    base : Path
        Folder that file names are relative to.
    """
    notes: list[str] = []
    accounts = _accounts(config, base, notes)
    reps = _reps(config, base)
    territories, hierarchy, seated = _territories(config, reps)
    wish = config.carve
    problem = CarvingProblem(
        accounts,
        territories,
        balance=criteria(config.balance),
        prefer=preferences(config.prefer, accounts, config.accounts.id, territories, base),
        rules=rules(config.rules, base),
        account_id=config.accounts.id,
        objective=wish.objective,
        previous=wish.previous,
    )
    if wish.segments is not None:
        segments = Segments(wish.segments.column, wish.segments.teams, max_buckets=wish.max_buckets)
        problem, hierarchy = resolve_hierarchy(problem, segments)
    calendar = None if config.calendar is None else Calendar(**config.calendar.model_dump())
    _check_quota(config, seated)
    return Request(problem, hierarchy, seated, _roles(config), calendar, tuple(notes))


def _accounts(config: Config, base: Path, notes: list[str]) -> pd.DataFrame:
    source = config.accounts
    owners = [p.owner for p in config.prefer if p.kind == "keep_owner"]
    links = [r.column for r in config.rules if r.kind == "keep_together"]
    table = read_source(source, base, "[accounts]", text=[source.id, *owners, *links], label=source.id)
    column_of(table, source.id, f"[accounts] '{expand_name(source.file)}', id")
    for join in source.join:
        table = add_measures(table, source.id, join, base, notes)
    return table


def _reps(config: Config, base: Path) -> pd.DataFrame | None:
    source = config.reps
    if source is None:
        return None
    where = f"[reps] '{expand_name(source.file)}'"
    table = read_source(source, base, "[reps]", text=[source.id, *source.levels], label=source.id)
    for name in (source.id, *source.levels):
        column_of(table, name, where)
    for wanted, own in (("rep_id", source.id), ("capacity", source.capacity), ("status", source.status)):
        if own is not None and own != wanted:
            table[wanted] = column_of(table, own, f"{where}, {wanted}")
    for name in ("start_date", "end_date", "from_date"):
        if name in table.columns and source.date_format:
            table[name] = read_days(table, name, source.date_format, where)
    return table


def _territories(config: Config, reps: pd.DataFrame | None) -> tuple[Territories, Any, pd.DataFrame | None]:
    """Return the territories, the tree to carve down, and the reps who sit in them (None: nobody yet)."""
    words, wish = config.territories, config.carve
    flat = "flat" if wish.flat else None
    if words is None:
        if reps is None:
            raise UserMistakeError(
                "The config must say what to carve into: a section [reps] (one territory per rep) or [territories]."
            )
        levels = config.reps.levels if config.reps is not None else []
        tree = rep_hierarchy(reps, levels, wish.max_buckets) if levels and not wish.flat else flat
        return Territories.from_reps(reps), tree, reps
    if words.count is not None:
        return Territories.equal(words.count), flat, reps
    if words.names is not None:
        return Territories.equal(words.names), flat, reps
    if words.shares is not None:
        return Territories.from_weights(words.shares), flat, reps
    if words.per is not None:
        return (*_per_group(config, reps, words.per), None)
    tree = _tree(words.tree, words.levels, wish.max_buckets)
    return Territories.from_hierarchy(tree), tree, reps


def _per_group(config: Config, reps: pd.DataFrame | None, per: str) -> tuple[Territories, Any]:
    """Return one territory per value of a level of the reps, as large as it has reps (or capacity)."""
    if reps is None or config.reps is None:
        raise UserMistakeError(f"[territories] per = '{per}' needs a section [reps] with that column.")
    if per not in reps.columns:
        raise UserMistakeError(f"[territories] per: the reps have no column '{per}'. {did_you_mean(per, reps.columns)}")
    levels = config.reps.levels[: config.reps.levels.index(per)] if per in config.reps.levels else []
    weight = reps["capacity"] if "capacity" in reps.columns else pd.Series(1.0, index=reps.index)
    groups = reps.assign(_weight=pd.to_numeric(weight, errors="coerce")).groupby([*levels, per], sort=False)["_weight"]
    table = groups.sum().reset_index()
    if table[per].duplicated().any():
        twice = table.loc[table[per].duplicated(), per].iloc[0]
        raise UserMistakeError(f"[territories] per: '{twice}' stands under several of {levels}. Give it one.")
    if not levels:
        return Territories.from_weights(dict(zip(table[per], table["_weight"], strict=True))), None
    tree = Hierarchy.from_reps(table, levels, rep=per, share="_weight", max_buckets=config.carve.max_buckets)
    return Territories.from_hierarchy(tree), tree


def _tree(tree: Any, levels: list[str], max_buckets: int) -> Hierarchy:
    if isinstance(tree, dict):
        return Hierarchy.from_dict(tree, levels=["company", *levels] if levels else (), max_buckets=max_buckets)
    sizes = [int(size) for size in tree]
    if not sizes or min(sizes) < 1:
        raise UserMistakeError(
            f"[territories] tree must hold sizes such as [4, 5]: 4 nodes of 5 territories, got {tree}."
        )
    names = levels or [f"level {n}" for n in range(1, len(sizes) + 1)]
    if len(names) != len(sizes):
        raise UserMistakeError(
            f"[territories] levels must name each of the {len(sizes)} sizes of the tree, got {len(names)}."
        )
    letters = [_letter(name) for name in names]

    def grow(prefix: str, depth: int) -> Any:
        below = [f"{prefix}{letters[depth]}{n}" for n in range(1, sizes[depth] + 1)]
        return below if depth == len(sizes) - 1 else {name: grow(f"{name}-", depth + 1) for name in below}

    return Hierarchy.from_dict(grow("", 0), levels=["company", *names], max_buckets=max_buckets)


def _letter(level: str) -> str:
    return level[:1].upper() if not level.startswith("level ") else "N"


def _roles(config: Config) -> list[Role]:
    out = []
    for words in config.roles:
        plain = words.model_dump(exclude={"ramp", "ramp_quota"})
        quota = None if words.ramp_quota is None else Ramp.steps(words.ramp_quota)
        out.append(Role(**plain, ramp=Ramp.steps(words.ramp) if words.ramp else Ramp.none(), ramp_quota=quota))
    return out


def _check_quota(config: Config, seated: pd.DataFrame | None) -> None:
    weights = None if config.quota is None else config.quota.weights
    wants = [weights] if isinstance(weights, str) else list(weights or [])
    if "capacity" in wants and (seated is None or not config.roles or config.calendar is None):
        raise UserMistakeError('[quota] weights = "capacity" needs [reps], [[roles]] and [calendar].')


def read_assignment_file(path: Path, config: Config, account: str | None, territory: str | None) -> pd.DataFrame:
    """Return a plan made elsewhere: account_id and territory."""
    table = read_table(path, text=[n for n in (account, territory, "account_id", "territory", config.accounts.id) if n])
    own = account or next((n for n in ("account_id", config.accounts.id) if n in table.columns), "account_id")
    seat = territory or "territory"
    for name, option in ((own, "--account"), (seat, "--territory")):
        if name not in table.columns:
            raise UserMistakeError(
                f"'{path.name}' has no column '{name}'. {did_you_mean(name, table.columns)} Name it with {option}."
            )
    try:
        return pd.DataFrame({"account_id": table[own].astype(str), "territory": table[seat]})
    except DataError as error:  # pragma: no cover
        raise UserMistakeError(str(error)) from None


def output_folder(config: Config, base: Path, out: Path | None) -> Path:
    """Return where the plan goes: the option, or the config's folder of that name."""
    return out if out is not None else expand(config.output.dir, base)
