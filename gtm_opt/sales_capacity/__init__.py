"""From people to productive months: ramp, leave, partial months, open seats."""

from __future__ import annotations

from gtm_opt.sales_capacity.capacity import capacity
from gtm_opt.sales_capacity.result import Capacity

__all__ = ["Capacity", "capacity"]
