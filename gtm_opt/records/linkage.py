"""Fellegi-Sunter comparison of records by splink, on one DuckDB thread."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["compare_records"]

# odds of a level among pairs of one company, and among strangers; estimated anew from large tables
_PRIOR: dict[str, tuple[tuple[float, float], ...]] = {
    "core": ((0.01, 0.9935), (0.04, 0.006), (0.15, 0.0004), (0.8, 0.0001)),
    "trade": ((0.03, 0.93), (0.04, 0.045), (0.93, 0.025)),
    "city": ((0.01, 0.955), (0.06, 0.005), (0.93, 0.04)),
    "domain": ((0.05, 0.9999), (0.95, 0.0001)),
    "phone": ((0.1, 0.9999), (0.9, 0.0001)),
    "postal_code": ((0.05, 0.999), (0.95, 0.001)),
}
_ENOUGH = 5_000
_SAMPLED = 1e6
_COUNTED = 500  # below, how often a value occurs says little about how rare it is
_RARE_COUNTS = ("core", "city", "trade")


def compare_records(
    columns: pd.DataFrame, fresh: pd.Series | None, share: float, least: float, seed: int
) -> pd.DataFrame:
    """Return pairs of positions with the probability that both are one company.

    Parameters
    ----------
    columns : DataFrame
        As `gtm_opt.records.names.comparison_columns` makes them.
    fresh : Series of bool, optional
        Only pairs with at least one such record are compared.
    share : float
        Second records per record that are expected beforehand.
    least : float
        Pairs below this probability are left out.
    seed : int

    Returns
    -------
    DataFrame
        ``left, right, probability``, sorted by position.

    Notes
    -----
    I. P. Fellegi, A. B. Sunter, A theory for record linkage, JASA 64 (1969), doi:10.1080/01621459.1969.10501049, with
    term frequencies of cores and cities. From 5,000 records on, the odds among strangers are estimated from random
    pairs and those among one company's records by expectation maximization; smaller tables use fixed odds.
    """
    import duckdb
    from splink import Linker, SettingsCreator
    from splink.backends.duckdb import DuckDBAPI

    used = [name for name in _PRIOR if columns[name].notna().any()]
    table = columns.assign(position=np.arange(len(columns)), fresh=True if fresh is None else fresh.to_numpy())
    # a column of nothing but None has no type in DuckDB
    table = table[["position", "fresh", "initial", "letter", *used]]
    prior = min(0.5, 2.0 * share / max(1, len(columns)))
    connection = duckdb.connect()
    try:
        connection.execute("SET threads=1")
        with _quiet():
            settings = SettingsCreator(
                link_type="dedupe_only",
                comparisons=[_comparison(name, len(columns) >= _COUNTED) for name in used],
                blocking_rules_to_generate_predictions=_blocking(used, fresh is not None),
                unique_id_column_name="position",
                probability_two_random_records_match=prior,
                retain_matching_columns=False,
            )
            api = DuckDBAPI(connection)
            linker = Linker(api.register(table), settings, log_level=logging.ERROR)
            if len(columns) >= _ENOUGH:
                _train(linker, used, seed)
            answer: Any = linker.inference.predict(threshold_match_probability=least)
            found: pd.DataFrame = answer.as_pandas_dataframe()
    finally:
        connection.close()
    out = pd.DataFrame(
        {
            "left": found["position_l"].to_numpy(dtype=np.int64),
            "right": found["position_r"].to_numpy(dtype=np.int64),
            "probability": found["match_probability"].to_numpy(dtype=np.float64),
        }
    )
    return out.sort_values(["left", "right"], ignore_index=True)


def _train(linker: Any, used: list[str], seed: int) -> None:
    from splink import block_on

    training = linker.training
    training.estimate_u_using_random_sampling(max_pairs=_SAMPLED, seed=seed + 1)
    for keys in (("core",), ("letter", "trade", "city")):
        if all(key == "letter" or key in used for key in keys):
            training.estimate_parameters_using_expectation_maximisation(block_on(*keys), fix_u_probabilities=True)


def _comparison(name: str, counted: bool) -> Any:
    import splink.comparison_level_library as levels
    import splink.comparison_library as comparisons

    exact = levels.ExactMatchLevel(name, term_frequency_adjustments=counted and name in _RARE_COUNTS)
    similar: dict[str, list[Any]] = {
        "core": [levels.DamerauLevenshteinLevel(name, 1), levels.DamerauLevenshteinLevel(name, 2)],
        "trade": [levels.JaroWinklerLevel(name, 0.88)],
        "city": [levels.DamerauLevenshteinLevel(name, 1)],
    }
    steps: list[Any] = [exact, *similar.get(name, []), levels.ElseLevel()]
    odds = _PRIOR[name][::-1]
    steps = [step.configure(m_probability=m, u_probability=u) for step, (m, u) in zip(steps, odds, strict=True)]
    return comparisons.CustomComparison(
        output_column_name=name, comparison_levels=[levels.NullLevel(name), *steps], comparison_description=name
    )


def _blocking(used: list[str], only_fresh: bool) -> list[Any]:
    from splink import block_on
    from splink.blocking_rule_library import CustomRule

    keys = [("core",), ("initial", "city"), ("initial", "trade"), ("letter", "trade", "city"), ("domain",), ("phone",)]
    taken = [key for key in keys if all(k in ("initial", "letter") or k in used for k in key)]
    if not only_fresh:
        return [block_on(*key) for key in taken]
    some = "(l.fresh OR r.fresh)"
    return [CustomRule(" AND ".join([f"l.{k} = r.{k}" for k in key] + [some])) for key in taken]


class _Quiet:
    """Keeps splink's loggers silent for the duration of a call, and restores them."""

    def __enter__(self) -> None:
        self.logger = logging.getLogger("splink")
        self.level = self.logger.level
        self.logger.setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        self.logger.setLevel(self.level)


def _quiet() -> _Quiet:
    return _Quiet()
