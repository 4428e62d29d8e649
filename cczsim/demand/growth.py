"""Residents and jobs of another year."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cczsim.columns import Array
from cczsim.network.zones import TIERS, ZoneSystem


def growth_factor(zones: ZoneSystem, rates: Mapping[str, float]) -> Array:
    """Return a factor for each zone, ``[zone]``.

    Parameters
    ----------
    zones : ZoneSystem
    rates : mapping of str to float
        Share by district, tier or ``all``; the most particular goes first.
    """
    rate = np.full(zones.n_zones, rates.get("all", 0.0))
    for code, tier in enumerate(TIERS):
        if tier in rates:
            rate[zones.tier == code] = rates[tier]
    for name, value in rates.items():
        rate[zones.district == name] = value
    return 1.0 + rate


def grow(
    zones: ZoneSystem, population: Mapping[str, float], jobs: Mapping[str, float]
) -> ZoneSystem:
    """Return the zones with their residents and jobs grown."""
    return zones.replace(
        population=zones.population * growth_factor(zones, population),
        jobs=zones.jobs * growth_factor(zones, jobs),
    )
