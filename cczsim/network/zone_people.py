"""People of districts spread over zones, and few people joined to their neighbours.

Rules, numbered in the code:

1. A district's people live along its streets: a zone gets them in proportion to the length of
   street of the district within the zone.
2. Of a district that the streets cover only in part, people beyond are left outside. How many
   live inside is not known; it is taken that a kilometre of its streets has no more residents than
   one of the districts that are covered wholly (all of these together). Where none is covered
   wholly, people are shared by area.
3. Zones with fewer people than asked for are joined to the nearest other zone, people and all, so
   that totals stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.columns import Array

OPEN_COUNTRY: Final = 1500.0
"""Metres between junctions from which a road of unknown class is taken to cross open country."""
WHOLE: Final = 0.9
"""Share of a district's area from which it counts as covered wholly."""


@dataclass(frozen=True, eq=False)
class Spread:
    """People by zone, and what of each district was left outside.

    Parameters
    ----------
    people : array [zone]
    left_outside : array [district]
    most_per_km : float
        Residents a km of street in districts covered wholly; NaN where there is none.
    """

    people: Array
    left_outside: Array
    most_per_km: float


def spread_people(
    people: Array, covered: Array, district: Array, zone: Array, metres: Array, n_zones: int
) -> Spread:
    """Spread districts' people over zones (1, 2).

    Parameters
    ----------
    people : array [district]
    covered : array [district]
        Share of the district's area that the streets cover, 0 to 1.
    district, zone : array [part]
        Parts of districts within zones.
    metres : array [part]
        Length of street in each part, m.
    n_zones : int
    """
    people, covered = np.asarray(people, dtype=float), np.asarray(covered, dtype=float)
    street = np.bincount(district, metres, minlength=len(people))
    whole = (covered >= WHOLE) & (street > 0.0)
    if whole.any():
        most = float(people[whole].sum() / street[whole].sum())
        inside = np.where(whole, people, np.minimum(people, most * street))  # 2
    else:
        most = np.nan
        inside = people * covered
    inside = np.where(street > 0.0, inside, 0.0)
    share = metres / np.where(street > 0.0, street, 1.0)[district]  # 1
    spread = np.bincount(zone, inside[district] * share, minlength=n_zones)
    return Spread(spread, people - inside, most * 1e3)


def join_small(weight: Array, x: Array, y: Array, least: float) -> Array:
    """Return the zone that each zone is joined to, itself where it stays (3).

    Parameters
    ----------
    weight : array [zone]
        Residents and jobs.
    x, y : array [zone], m
    least : float

    Returns
    -------
    array [zone], int64
    """
    from scipy.spatial import cKDTree

    stays = weight >= least
    out = np.arange(len(weight))
    if stays.any() and not stays.all():
        kept = np.flatnonzero(stays)
        place = np.column_stack([x, y])
        out[~stays] = kept[cKDTree(place[kept]).query(place[~stays])[1]]
    return out
