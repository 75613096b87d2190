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
from gtm_opt.cli.sources import read_source
from gtm_opt.cli.tables import column_of, expand, read_table
from gtm_opt.errors import DataError, shorten
from gtm_opt.model import CarvingProblem, Hierarchy, KeepOwner, KeepTogether, Territories
from gtm_opt.model.attainment import Attainment
from gtm_opt.model.attrition import Attrition
from gtm_opt.model.backfill import Backfill
from gtm_opt.model.calendar import Calendar
from gtm_opt.model.families import missing_parents
from gtm_opt.model.matches import unmatched_owners
from gtm_opt.model.ramp import Ramp
from gtm_opt.model.roles import Role
from gtm_opt.model.spelling import likely_spelling
from gtm_opt.model.tables import did_you_mean, id_text
from gtm_opt.plan.build import rep_hierarchy
from gtm_opt.plan.people import PeopleOptions

if TYPE_CHECKING:
    from pathlib import Path

    from gtm_opt.cli.config import Config, RampWords

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
    people : PeopleOptions or None
    """

    problem: CarvingProblem
    hierarchy: Hierarchy | Any
    reps: pd.DataFrame | None
    roles: list[Role]
    calendar: Calendar | None
    notes: tuple[str, ...] = field(default=())
    people: PeopleOptions | None = None


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
        prefer=preferences(config.prefer, accounts, config.accounts.id, territories, base, notes),
        rules=rules(config.rules, base),
        account_id=config.accounts.id,
        objective=wish.objective,
        previous=wish.previous,
    )
    _refuse_strangers(problem)
    if wish.segments is not None:
        segments = Segments(wish.segments.column, wish.segments.teams, max_buckets=wish.max_buckets)
        problem, hierarchy = resolve_hierarchy(problem, segments)
    calendar = None if config.calendar is None else Calendar(**config.calendar.model_dump())
    _check_quota(config, seated)
    people = _people(config, base)
    return Request(problem, hierarchy, seated, _roles(config), calendar, tuple(notes), people)


def _accounts(config: Config, base: Path, notes: list[str]) -> pd.DataFrame:
    source = config.accounts
    owners = [p.owner for p in config.prefer if p.kind == "keep_owner"]
    links = [r.column for r in config.rules if r.kind == "keep_together"]
    used = words_of(config)
    table = read_source(source, base, "[accounts]", text=[source.id, *owners, *links], label=source.id, used=used)
    column_of(table, source.id, f"[accounts] '{expand_name(source.file)}', id")
    for join in source.join:
        table = add_measures(table, source.id, join, base, notes, used)
    return table


def words_of(config: Config) -> set[str]:
    """Return every text of a config: the columns among them are the ones that matter."""
    out: set[str] = set()

    def visit(value: Any) -> None:
        if isinstance(value, str):
            out.add(value)
        elif isinstance(value, dict):
            for key, item in value.items():
                out.add(str(key))
                visit(item)
        elif isinstance(value, list | tuple):
            for item in value:
                visit(item)

    visit(config.model_dump())
    return out | {"capacity", "status", "start_date", "end_date", "from_date", "role", "lat", "lon"}


def _refuse_strangers(problem: CarvingProblem) -> None:
    """Refuse owner columns of which nothing matches, and parents that only another spelling would find.

    Raises
    ------
    UserMistakeError
    """
    found = []
    known = {str(name) for name in problem.territories.position}
    for keep in problem.prefer:
        if isinstance(keep, KeepOwner) and keep.unknown == "unowned":
            counts = unmatched_owners(problem, keep.owner)
            if len(counts) and (problem.resolved.home[keep.owner] < 0).all():
                hint = likely_spelling(list(counts.index), known, "owners")
                shown = shorten(list(counts.index), shown=3)
                found.append(
                    f"[[prefer]] keep_owner: none of the {len(counts):,} owners in '{keep.owner}' sits in a territory. "
                    f"They are {shown}, the territories {shorten(sorted(known), shown=3)}. "
                    f"{hint or 'Name the right columns in owner and in id of [reps].'}"
                )
    for rule in problem.rules:
        if isinstance(rule, KeepTogether) and rule.missing is None:
            lost = missing_parents(problem.resolved.ids, problem.accounts[rule.column], rule)
            parents = id_text(problem.accounts[rule.column]).str.strip()
            values = list(pd.unique(parents.iloc[lost]))
            hint = likely_spelling(values, set(problem.resolved.ids), "parents")
            filled = int((parents != "").sum())
            if hint and len(lost) > 0.05 * filled:
                found.append(
                    f"[[rules]] keep_together: {len(lost):,} of {filled:,} parents in '{rule.column}' are "
                    f'not in the account table. {hint} Correct them, or write missing = "alone".'
                )
    if found:
        raise UserMistakeError("\n".join(found))


def _reps(config: Config, base: Path) -> pd.DataFrame | None:
    source = config.reps
    if source is None:
        return None
    where = f"[reps] '{expand_name(source.file)}'"
    text = [source.id, *source.levels]
    table = read_source(source, base, "[reps]", text=text, label=source.id, used=words_of(config))
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
        quota = None if words.ramp_quota is None else _ramp(words.ramp_quota)
        out.append(Role(**plain, ramp=_ramp(words.ramp) if words.ramp else Ramp.none(), ramp_quota=quota))
    return out


def _ramp(words: list[float] | RampWords) -> Ramp:
    if isinstance(words, list):
        return Ramp.steps(words)
    if words.kind == "steps":
        return Ramp.steps(words.fractions, per=words.per)
    if words.kind == "linear":
        return Ramp.linear(float(words.months or 0), delay_m=words.delay_m)
    if words.kind == "weibull":
        return Ramp.weibull(float(words.scale_m or 0), float(words.shape or 0))
    return Ramp.logistic(float(words.midpoint_m or 0), float(words.spread_m or 0))


def _people(config: Config, base: Path) -> PeopleOptions | None:
    from gtm_opt.cli.config import PeopleWords

    words = config.people
    if words is None and not (config.attrition or config.odds or config.backfill):
        return None
    words = words or PeopleWords.model_validate({})
    leaves, changed = words.leaves, words.adjustments
    plain = words.model_dump(exclude={"leaves", "adjustments"})
    text = ["rep_id", "seat_id"]
    table = None if leaves is None else read_source(leaves, base, "[people] leaves", text=text)
    amounts = changed if isinstance(changed, dict) else read_source(changed, base, "[people] adjustments", text=text)
    given = amounts if len(amounts) else None
    return PeopleOptions(
        **{**plain, "judgment": words.judgment or None},
        leaves=table,
        adjustments=given,
        attrition=None if config.attrition is None else Attrition(**config.attrition.model_dump()),
        backfill=_backfills(config) or None,
        attainment=None if config.odds is None else Attainment(**config.odds.model_dump()),
    )


def _backfills(config: Config) -> dict[str, Backfill | None]:
    """Return the backfill of each role or segment, ``"default"`` where none is named."""
    twice = [words.role for words in config.backfill if [w.role for w in config.backfill].count(words.role) > 1]
    if twice:
        raise UserMistakeError(f"[[backfill]] stands twice for role = '{twice[0]}'. Keep one.")
    out: dict[str, Backfill | None] = {}
    for words in config.backfill:
        ramp = None if words.ramp is None else _ramp(words.ramp)
        out[words.role] = Backfill(**words.model_dump(exclude={"role", "ramp"}), ramp=ramp)
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
