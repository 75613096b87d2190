"""The words of a config file: what each section may hold."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Config", "Join", "Measure", "Source"]

Value = str | int | float | bool
Where = dict[str, Value | list[Value]]
PerTerritory = float | dict[str, float]


class Section(BaseModel):
    """A part of the file; words it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Section):
    """A table in a file."""

    file: str
    sheet: str | int | None = None
    separator: str | None = None
    encoding: str = "utf-8-sig"
    errors: Literal["strict", "replace"] = "strict"
    columns: dict[str, str] = {}
    parse: list[str] = []
    decimal: Literal[".", ","] | None = None
    header_row: int | list[int] | None = None
    skip_rows: list[int] = []
    skip_last: int = Field(0, ge=0)
    totals: Literal["refuse", "drop"] = "refuse"
    fill: dict[str, Value] = {}
    replace: dict[str, dict[str, Value]] = {}
    where: Where = {}
    where_not: Where = {}


class Measure(Section):
    """One column that is made of the rows of a joined table."""

    how: Literal["sum", "count", "mean", "max", "min", "most_frequent", "most_value", "latest"]
    column: str | None = None
    by: str | None = None
    where: Where = {}
    where_not: Where = {}
    since: str | None = None
    until: str | None = None
    empty: Value | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Measure:
        if self.how != "count" and self.column is None:
            raise ValueError(f"how = '{self.how}' needs column = the column it is made of")
        if self.how == "most_value" and self.by is None:
            raise ValueError("how = 'most_value' needs by = the column that is summed")
        return self


class Join(Source):
    """A second table with several rows per account, turned into columns of the account table."""

    key: str
    to: str | None = None
    date: str | None = None
    date_format: str | None = None
    max_loss: float = Field(0.05, ge=0, le=1)
    measures: dict[str, Measure]


class Accounts(Source):
    """The accounts."""

    id: str = "account_id"
    join: list[Join] = []


class Reps(Source):
    """The sales team: one row per rep or seat."""

    id: str = "rep_id"
    capacity: str | None = None
    status: str | None = None
    levels: list[str] = []
    date_format: str | None = None


class Territories(Section):
    """What to carve into, where it is not one territory per rep."""

    count: int | None = Field(None, ge=1)
    names: list[str] | None = None
    per: str | None = None
    tree: list[int] | dict[str, Any] | None = None
    levels: list[str] = []
    shares: dict[str, float] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Territories:
        given = [w for w in ("count", "names", "per", "tree", "shares") if getattr(self, w) is not None]
        if len(given) != 1:
            got = " and ".join(given) or "none"
            raise ValueError(f"needs exactly one of count, names, shares, per and tree, got {got}")
        return self


class BalanceWords(Section):
    """Totals of a column shall be even."""

    kind: Literal["balance"]
    column: str
    tolerance: float = Field(0.05, ge=0, le=1)
    priority: int = Field(1, ge=1)
    penalty: float | None = Field(None, gt=0)
    shares: dict[str, float] | None = None


class CountWords(Section):
    """Numbers of accounts shall be even."""

    kind: Literal["count"]
    tolerance: float = Field(0.10, ge=0, le=1)
    priority: int = Field(1, ge=1)
    penalty: float | None = Field(None, gt=0)
    shares: dict[str, float] | None = None


class MixWords(Section):
    """Categories of a column shall be spread evenly."""

    kind: Literal["mix"]
    column: str
    tolerance: float = Field(0.25, ge=0, le=1)
    priority: int = Field(2, ge=1)
    penalty: float | None = Field(None, gt=0)
    value: str | None = None
    max_categories: int = Field(30, ge=1)


class LimitWords(Section):
    """Totals of a column must stay within absolute limits."""

    kind: Literal["limit"]
    column: str
    at_most: PerTerritory | None = None
    at_least: PerTerritory | None = None
    priority: int = Field(1, ge=1)


class KeepOwnerWords(Section):
    """Leave accounts with their owner."""

    kind: Literal["keep_owner"]
    owner: str = "owner"
    value: str | None = None
    weight: float = Field(1.0, gt=0)
    unknown: Literal["error", "unowned"] = "error"


class NearWords(Section):
    """Keep accounts near their territory's center."""

    kind: Literal["near"]
    lat: str = "lat"
    lon: str = "lon"
    metric: Literal["haversine", "euclidean"] = "haversine"
    squared: bool = False
    value: str | None = None
    weight: float = Field(1.0, gt=0)


class FitWords(Source):
    """Scores from a file: rows by account (or by another column), columns by territory or rep."""

    kind: Literal["fit"]
    by: str | None = None
    value: str | None = None
    weight: float = Field(1.0, gt=0)


class RelationshipWords(Source):
    """Reps who have done business with an account suit it: shares of a column of a list of deals."""

    kind: Literal["relationship"]
    key: str
    rep: str
    deal_value: str | None = None
    max_loss: float = Field(0.05, ge=0, le=1)
    value: str | None = None
    weight: float = Field(1.0, gt=0)


class KeepTogetherWords(Section):
    """Families go to one territory."""

    kind: Literal["keep_together"]
    column: str = "parent_id"
    missing: Literal["alone", "together"] | None = None


class KeepApartWords(Section):
    """Accounts of a group go to different territories."""

    kind: Literal["keep_apart"]
    groups: list[list[str]]


class PinWords(Section):
    """Accounts locked into a territory."""

    kind: Literal["pin"]
    accounts: dict[str, str] = {}
    file: str | None = None
    sheet: str | int | None = None
    account: str = "account_id"
    territory: str = "territory"


class ForbidWords(Section):
    """Accounts locked out of a territory."""

    kind: Literal["forbid"]
    pairs: list[tuple[str, str]] = []
    by: str | None = None
    file: str | None = None
    sheet: str | int | None = None
    account: str = "account_id"
    territory: str = "territory"


class WithinWords(Section):
    """Accounts of a group go only to the territories of its team."""

    kind: Literal["within"]
    by: str
    teams: dict[str, list[str]]


class MaxMovedWords(Section):
    """At most this share may leave its owner."""

    kind: Literal["max_moved"]
    share: float = Field(ge=0, le=1)
    by: str | None = None
    owner: str | None = None


class SegmentsWords(Section):
    """Segments first: each goes to a team of its own."""

    column: str
    teams: dict[str, list[str]]


class Carve(Section):
    """How to carve."""

    solver: str = "auto"
    objective: Literal["preferences", "even"] | None = None
    time_limit: float | None = Field(None, gt=0)
    seed: int = Field(0, ge=0)
    effort: float = Field(1.0, gt=0)
    max_gap: float = Field(0.0, ge=0, le=1)
    max_buckets: int = Field(10, ge=2)
    flat: bool = False
    previous: str | None = None
    on_infeasible: Literal["raise", "nearest"] = "raise"
    segments: SegmentsWords | None = None


class CalendarWords(Section):
    """The fiscal year."""

    fy_start: str
    months: int = 12
    season: list[float] | None = None
    in_quarter: list[float] | None = None
    year_label: Literal["end", "start"] = "end"
    weeks: Literal["4-4-5", "4-5-4", "5-4-4", "13x4"] | None = None
    long_years: list[str] = []
    holidays: list[date | str] = []
    weekmask: str = "1111100"


class RampWords(Section):
    """How productivity grows with tenure, where it is no list of months."""

    kind: Literal["steps", "linear", "weibull", "logistic"]
    fractions: list[float] = []
    per: Literal["month", "quarter"] = "month"
    months: float | None = Field(None, gt=0)
    delay_m: float = Field(0.0, ge=0)
    scale_m: float | None = Field(None, gt=0)
    shape: float | None = Field(None, gt=0)
    midpoint_m: float | None = Field(None, gt=0)
    spread_m: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _has_its_numbers(self) -> RampWords:
        needs = {"linear": ["months"], "weibull": ["scale_m", "shape"], "logistic": ["midpoint_m", "spread_m"]}
        missing = [name for name in needs.get(self.kind, []) if getattr(self, name) is None]
        if missing:
            raise ValueError(f"kind = '{self.kind}' needs {' and '.join(missing)}")
        if self.kind == "steps" and not self.fractions:
            raise ValueError("kind = 'steps' needs fractions, one per month or quarter of tenure")
        return self


class PeopleWords(Section):
    """How people's time is counted."""

    proration: Literal["days", "selling_days", "15th", "next_month"] = "days"
    leaves: Source | None = None
    relieve_quota: bool = False
    interim_frac: float = Field(0.0, ge=0, le=1)
    judgment: dict[str, float] = {}
    seasonality: Literal["flat", "calendar", "selling_days"] = "flat"
    pause_after_days: int = Field(30, ge=0)
    adjustments: dict[str, float] | Source = {}
    whole_months: bool = False


class AttritionWords(Section):
    """Who is expected to leave."""

    annual: float | dict[str, float]
    kind: Literal["cohort", "turnover"]
    new_hire: float | dict[str, float] | None = None
    new_hire_months: int = 12
    involuntary_share: float = 0.5
    involuntary_output: float = 1.0
    low_performer_share: float = 0.25
    exits: Literal["end_of_month", "mid_month"] = "end_of_month"


class BackfillWords(Section):
    """How empty seats are filled again, for everybody or for one role or segment."""

    role: str = "default"
    time_to_fill_m: float
    notice_m: float = 0.0
    fill_cv: float = 0.0
    ramp: list[float] | RampWords | None = None
    promoted_from: str | None = None


class OddsWords(Section):
    """How results spread, for the odds of the target."""

    cv: float | dict[str, float]
    correlation: float
    zero_share: float = 0.0
    persistence: float = 1.0
    ramp_cv: float = 0.0
    deal_size: float | None = None


class RoleWords(Section):
    """What a kind of seller produces."""

    name: str
    productivity_py: float = Field(ge=0)
    segment: str | None = None
    ramp: list[float] | RampWords = []
    ramp_quota: list[float] | RampWords | None = None
    fte: float = Field(1.0, gt=0, le=1)
    quota_type: Literal["direct", "overlay"] = "direct"
    cost_pm: float | None = Field(None, ge=0)
    hire_cost: float | None = Field(None, ge=0)
    owns_accounts: bool | None = None


class Quota(Section):
    """The number, and how it is handed down."""

    target: float = Field(ge=0)
    over_assign: PerTerritory | None = None
    weights: str | dict[str, float] | None = None
    unit: int = Field(1_000, ge=1)
    currency: str = ""


class Output(Section):
    """Where the plan goes."""

    dir: str = "plan"
    format: Literal["csv", "parquet"] = "csv"
    excel: bool = False
    raw_cells: bool = False


Criterion = Annotated[BalanceWords | CountWords | MixWords | LimitWords, Field(discriminator="kind")]
Preference = Annotated[KeepOwnerWords | NearWords | FitWords | RelationshipWords, Field(discriminator="kind")]
Rule = Annotated[
    KeepTogetherWords | KeepApartWords | PinWords | ForbidWords | WithinWords | MaxMovedWords,
    Field(discriminator="kind"),
]


class Config(Section):
    """A whole config file."""

    accounts: Accounts
    reps: Reps | None = None
    territories: Territories | None = None
    balance: list[Criterion] = []
    prefer: list[Preference] = []
    rules: list[Rule] = []
    carve: Carve = Field(default_factory=lambda: Carve.model_validate({}))
    calendar: CalendarWords | None = None
    roles: list[RoleWords] = []
    people: PeopleWords | None = None
    attrition: AttritionWords | None = None
    backfill: list[BackfillWords] = []
    odds: OddsWords | None = None
    quota: Quota | None = None
    output: Output = Output()

    @model_validator(mode="before")
    @classmethod
    def _balance_is_the_usual_kind(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("balance"), list):
            return data
        entries = [{"kind": "balance", **e} if isinstance(e, dict) else e for e in data["balance"]]
        return {**data, "balance": entries}
