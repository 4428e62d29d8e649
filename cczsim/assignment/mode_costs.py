"""What each mode costs: the way on foot, rides, and what the drive is chosen against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cczsim.assignment.park_ride import between_zones
from cczsim.assignment.rail_or_bus import rail_and_bus_costs
from cczsim.assignment.result import TransitSkims
from cczsim.assignment.shortest import zone_costs
from cczsim.columns import Array
from cczsim.demand.mode_choice import (
    active_cost,
    cycle_cost,
    gather,
    intrazonal,
    transit_cost,
    walk_cost,
)
from cczsim.demand.params import DemandParams
from cczsim.demand.pivot import Pivot
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.zones import ZoneSystem

_NOT_ON_FOOT = ("motorway", "motorway_link")
_MEAN_CHORD = 128.0 / (45.0 * np.pi)
"""Mean distance of two places of a disc by its radius."""
_DETOUR = 1.3


def street_distance(road: RoadNetwork, zones: ZoneSystem) -> Array:
    """Return the least distance between zones on foot or by cycle, ``[zone, zone], m``.

    Motorways and their links are closed. The diagonal is the mean way between two places of a disc
    as large as the zone's built-up area (its area where none is known) by streets, but no more
    than half the way to the nearest zone.
    """
    closed = np.isin(road.road_class, [CLASS_CODE[name] for name in _NOT_ON_FOOT])
    length = np.where(closed, np.inf, road.length)
    between = intrazonal(zone_costs(road, length, zones.centroid))
    size = np.where(zones.built_up_area > 0.0, zones.built_up_area, zones.area)
    own = np.where(size > 0.0, _DETOUR * _MEAN_CHORD * np.sqrt(size / np.pi), np.inf)
    np.fill_diagonal(between, np.minimum(np.diagonal(between), own))
    return between


def inside_share(distance: Array) -> Array:
    """Return the way within a zone as a share of that to the nearest one, ``[zone]``.

    Parameters
    ----------
    distance : array [zone, zone], m
        From :func:`street_distance`.
    """
    own = np.diagonal(distance)
    away = np.array(distance)
    np.fill_diagonal(away, np.inf)
    nearest = away.min(axis=1) if len(away) > 1 else np.zeros(len(away))
    known = np.isfinite(nearest) & (nearest > 0.0)
    return np.asarray(np.divide(own, nearest, out=np.full(len(own), 0.5), where=known))


def other_alternatives(
    zones: ZoneSystem,
    distance: Array,
    skims: TransitSkims | None,
    params: DemandParams,
    buses: TransitSkims | None = None,
) -> dict[str, Array]:
    """Return the generalised costs, s, of all alternatives to the car that are told apart.

    Parameters
    ----------
    distance : array [zone, zone], m
    skims : TransitSkims, optional
        Of strategies over all lines; nobody rides without them.
    buses : TransitSkims, optional
        Of strategies over buses alone, where rail and bus are told apart.
    """
    skims, buses = (between_zones(found, zones.n_zones) for found in (skims, buses))
    if skims is None:
        riding = {"transit": np.full((zones.n_zones, zones.n_zones), np.inf)}
    elif buses is None:
        fare = skims.fare(params.transit_fare)
        riding = {"transit": transit_cost(skims.weighted, fare, params)}
    else:
        riding = rail_and_bus_costs(skims, buses, params)
    for cost in riding.values():
        np.fill_diagonal(cost, np.inf)
    if params.active_choice == "together":
        return {**riding, "active": active_cost(distance, params)}
    return {**riding, "walk": walk_cost(distance, params), "cycle": cycle_cost(distance, params)}


def other_costs(
    zones: ZoneSystem,
    distance: Array,
    skims: TransitSkims | None,
    params: DemandParams,
    buses: TransitSkims | None = None,
) -> dict[str, Array]:
    """Return the generalised costs of transit and of going on foot or by cycle, s.

    Where they are nests these are their logsums; see :func:`other_alternatives`.
    """
    return gather(other_alternatives(zones, distance, skims, params, buses), params)


def trips_by_road(trips: Array, pivot: Pivot | None) -> Array:
    """Return the trips that may go by car: none where none was seen on a road that led there."""
    return trips if pivot is None else np.where(np.isfinite(pivot.shift["car"]), trips, 0.0)


def trips_by_line(trips: Array, pivot: Pivot | None) -> Array:
    """Return the trips that may go by transit: none where none was seen on lines that led there."""
    return trips if pivot is None else np.where(np.isfinite(pivot.shift["transit"]), trips, 0.0)


def odds_beside_car(
    others: Mapping[str, Array], params: DemandParams, pivot: Pivot | None
) -> Array:
    """Return the sum of exp(-cost / scale) over the other modes, the shift of the car taken off."""
    scale = params.choice_scale
    if pivot is None:
        return np.asarray(np.add.reduce([np.exp(-cost / scale) for cost in others.values()]))
    car = np.where(np.isfinite(pivot.shift["car"]), pivot.shift["car"], 0.0)
    return np.asarray(np.add.reduce([np.exp((car - cost) / scale) for cost in others.values()]))


def distance_factor(params: DemandParams) -> float:
    """Return the generalised seconds of a metre of driving, shared by the people in the car."""
    return params.car_cost * params.seconds_per_cny / params.car_occupancy


def toll_factor(params: DemandParams) -> float:
    """Return the generalised seconds of a CNY of toll, shared by the people in the car."""
    return params.seconds_per_cny / params.car_occupancy
