"""All modes in agreement: who drives, who rides, who walks, and what the roads make of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cczsim.assignment.elastic import ElasticParams, elastic_assignment
from cczsim.assignment.result import IterationRecord, ModeEquilibrium, TransitSkims
from cczsim.assignment.shortest import zone_costs
from cczsim.assignment.transit import TransitParams, assign_transit, skim_transit
from cczsim.columns import Array
from cczsim.demand.mode_choice import active_cost, car_fixed, choose, intrazonal, transit_cost
from cczsim.demand.params import DemandParams
from cczsim.errors import NetworkError
from cczsim.network.network import Network
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


def other_costs(
    zones: ZoneSystem, distance: Array, skims: TransitSkims | None, params: DemandParams
) -> dict[str, Array]:
    """Return the generalised costs of transit and of going on foot or by cycle, s."""
    if skims is None:
        transit = np.full((zones.n_zones, zones.n_zones), np.inf)
    else:
        transit = transit_cost(skims.weighted, skims.boardings, params)
        np.fill_diagonal(transit, np.inf)
    return {"transit": transit, "active": active_cost(distance, params)}


def distance_factor(params: DemandParams) -> float:
    """Return the generalised seconds of a metre of driving, shared by the people in the car."""
    return params.car_cost * params.seconds_per_cny / params.car_occupancy


def toll_factor(params: DemandParams) -> float:
    """Return the generalised seconds of a CNY of toll, shared by the people in the car."""
    return params.seconds_per_cny / params.car_occupancy


def mode_equilibrium(
    network: Network,
    trips: Array,
    demand: DemandParams | None = None,
    transit: TransitParams | None = None,
    *,
    params: ElasticParams | None = None,
    skims: TransitSkims | None = None,
    distance: Array | None = None,
    on_iteration: Callable[[IterationRecord], None] | None = None,
) -> ModeEquilibrium:
    """Divide trips over modes and assign them, so that costs and shares agree.

    Transit times do not hang on road flows or loads in this version, so the whole is the convex
    program of :func:`~cczsim.assignment.elastic.elastic_assignment`.

    Parameters
    ----------
    network : Network
        With zones; without a transit network nobody rides.
    trips : array [zone, zone], trips/h
    demand : DemandParams, optional
    transit : TransitParams, optional
    params : ElasticParams, optional
    skims, distance : optional
        From :func:`skim_transit` and :func:`street_distance`, if they are known already.

    Raises
    ------
    NetworkError
        A network without zones.
    """
    demand = demand or DemandParams()
    zones, road = network.zones, network.road
    if zones is None:
        raise NetworkError.of(network.info.name, "no zones", "a network with zones")
    if skims is None and network.transit is not None:
        skims = skim_transit(
            network.transit, zones, transit, seconds_per_cny=demand.seconds_per_cny
        )
    if distance is None:
        distance = street_distance(road, zones)
    others = other_costs(zones, distance, skims, demand)
    scale = demand.choice_scale
    odds = np.add.reduce([np.exp(-cost / scale) for cost in others.values()])
    solved = elastic_assignment(
        road,
        zones,
        trips,
        odds,
        scale=scale,
        car_fixed=car_fixed(demand),
        occupancy=demand.car_occupancy,
        toll_factor=toll_factor(demand),
        distance_factor=distance_factor(demand),
        params=params,
        on_iteration=on_iteration,
    )
    car = solved.car_trips.copy()
    # Trips within a zone load no street; their split is the logit at the way within it.
    inside = np.eye(zones.n_zones, dtype=bool)
    drive = intrazonal(solved.car_cost, inside_share(distance)) + car_fixed(demand)
    car[inside] = (choose({"car": drive, **others}, scale)["car"] * trips)[inside]
    rest = np.maximum(trips - car, 0.0)
    of_others = choose(others, scale)
    riding, walking = rest * of_others["transit"], rest * of_others["active"]
    nobody = ~(np.isfinite(others["transit"]) | np.isfinite(others["active"]))
    # Where no mode leads, the trips are handed to the car, whose ledger tells that they are lost.
    car[nobody] = trips[nobody]
    assigned = (
        assign_transit(
            network.transit, zones, riding, transit, seconds_per_cny=demand.seconds_per_cny
        )
        if network.transit is not None
        else None
    )
    return ModeEquilibrium(
        road=solved.road,
        transit=assigned,
        trips={"car": car, "transit": riding, "active": walking},
        car_time=solved.car_cost,
        car_pce=car / demand.car_occupancy,
        demand_residual=solved.demand_residual,
    )
