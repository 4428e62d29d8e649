"""What the roads carry: distance, time, speed, delay, links over their capacity."""

from __future__ import annotations

import numpy as np

from cczsim.assignment.result import RoadAssignment
from cczsim.columns import Array
from cczsim.indicators.indicator import Indicator
from cczsim.network.locate import link_zones, zone_of_points
from cczsim.network.network import Network
from cczsim.network.road_class import CLASS_CODE, URBAN_STREETS
from cczsim.network.zones import TIERS


def link_tiers(network: Network) -> Array:
    """Return the tier of each link by its middle, ``[link]``; -1 where no zone tells."""
    if network.zones is None:
        return np.full(network.road.n_links, -1)
    zone = link_zones(network)
    return np.where(zone >= 0, network.zones.tier[zone], -1)


def stop_tiers(network: Network) -> Array:
    """Return the tier that each stop lies in or is nearest to, ``[stop]``; -1 where none tells."""
    transit, zones = network.transit, network.zones
    if transit is None or zones is None:
        return np.full(0 if transit is None else transit.n_stops, -1)
    zone = zone_of_points(zones, transit.stop_lon, transit.stop_lat)
    return np.where(zone >= 0, zones.tier[zone], -1)


def tiers_present(network: Network) -> list[tuple[int, str]]:
    """Return code and name of the tiers that zones lie in."""
    if network.zones is None:
        return []
    codes = np.unique(network.zones.tier)
    return [(int(c), TIERS[c]) for c in codes if TIERS[c] != "none"]


def road_indicators(network: Network, assignment: RoadAssignment) -> list[Indicator]:
    """Return the figures of the roads, for all and by tier; connectors do not count.

    Delay per trip is that of all streets over all trips that were assigned to them.
    """
    tier = link_tiers(network)
    street = network.road.is_street
    urban = np.isin(network.road.road_class, [CLASS_CODE[name] for name in URBAN_STREETS])
    out = _of(network, assignment, street, {"area": "all"})
    driven = assignment.total_demand - assignment.intrazonal_demand - assignment.unreachable_demand
    hours = next(item.value for item in out if item.key == "delay_hours")
    delay = 60 * hours / driven if driven > 0.0 else float("nan")
    out.append(Indicator("delay_per_trip", delay, "min", {"area": "all"}))
    out.append(_street_speed(network, assignment, urban, {"area": "all"}))
    for code, name in tiers_present(network):
        out += _of(network, assignment, street & (tier == code), {"tier": name})
        out.append(_street_speed(network, assignment, urban & (tier == code), {"tier": name}))
    return out


def _street_speed(
    network: Network, assignment: RoadAssignment, rows: Array, by: dict[str, str]
) -> Indicator:
    """Return the mean speed on urban streets: without expressways, motorways and ramps."""
    flow = assignment.link_flow[rows]
    hours = float((flow * assignment.link_time[rows]).sum()) / 3600
    distance = float((flow * network.road.length[rows]).sum()) / 1e3
    speed = distance / hours if hours > 0.0 else float("nan")
    return Indicator("street_speed", speed, "km/h", by)


def _of(
    network: Network, assignment: RoadAssignment, rows: Array, by: dict[str, str]
) -> list[Indicator]:
    road = network.road
    flow, time = assignment.link_flow[rows], assignment.link_time[rows]
    length, free = road.length[rows], road.free_flow_time[rows]
    distance = float((flow * length).sum()) / 1e3
    hours = float((flow * time).sum()) / 3600
    over = flow > road.capacity[rows]
    return [
        Indicator("vehicle_km", distance, "pce km/h", by),
        Indicator("vehicle_hours", hours, "pce h/h", by),
        Indicator("mean_speed", distance / hours if hours > 0.0 else float("nan"), "km/h", by),
        Indicator("delay_hours", float((flow * (time - free)).sum()) / 3600, "pce h/h", by),
        Indicator("links_over_capacity", float(over.sum()), "links", by),
        Indicator("km_over_capacity", float(length[over].sum()) / 1e3, "km", by),
    ]
