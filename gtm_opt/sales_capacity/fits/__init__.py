"""Ramp, attrition, seasonality and spread of results out of a team's own history."""

from __future__ import annotations

from gtm_opt.sales_capacity.fits.attainment import AttainmentFit, fit_attainment
from gtm_opt.sales_capacity.fits.attrition import AttritionFit, fit_attrition
from gtm_opt.sales_capacity.fits.ramp import RampFit, fit_ramp
from gtm_opt.sales_capacity.fits.seasonality import SeasonalityFit, fit_seasonality

__all__ = [
    "AttainmentFit",
    "AttritionFit",
    "RampFit",
    "SeasonalityFit",
    "fit_attainment",
    "fit_attrition",
    "fit_ramp",
    "fit_seasonality",
]
