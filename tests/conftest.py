"""Fixtures and settings for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# Wall-clock deadlines fail on a busy machine and prove nothing. On CI the examples are the same each time.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

# Words in a test's name that say it is about repeatability.
REPEATS = ("same_seed", "hash_seed", "deterministic", "reproducible", "repeats_exactly")


def instances_path() -> Path:
    """Return the folder of public instances, whether it is there or not."""
    given = os.environ.get("GTM_OPT_INSTANCES")
    return Path(given).expanduser().resolve() if given else (ROOT.parent / "shared" / "instances").resolve()


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def instances() -> Path:
    """The folder of public instances; tests that ask for it are skipped where it is not there."""
    path = instances_path()
    if not path.is_dir():
        pytest.skip("the public instances are not here: set GTM_OPT_INSTANCES to their folder")
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests whose name is about repeatability, so that they run again under other hash seeds."""
    for item in items:
        if any(word in item.name for word in REPEATS):
            item.add_marker(pytest.mark.determinism)
