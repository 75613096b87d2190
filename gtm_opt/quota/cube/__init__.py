"""Quotas in several dimensions at once: fitted to their margins, rounded so that every margin is exact."""

from __future__ import annotations

from gtm_opt.quota.cube.allocate import allocate
from gtm_opt.quota.cube.result import Cube

__all__ = ["Cube", "allocate"]
