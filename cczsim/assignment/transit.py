"""Transit assignment by optimal strategies, each line taking whoever comes.

Source: H. Spiess and M. Florian (1989), Optimal strategies: a new assignment model for transit
networks, *Transportation Research B* 23(2).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cczsim.assignment.result import TransitAssignment, TransitSkims
from cczsim.assignment.road_demand import check_demand, split_demand
from cczsim.assignment.threads import by_block
from cczsim.assignment.transit_fares import fares_between
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.kernels.hyperpath import N_PARTS, assign_block
from cczsim.kernels.types import N_BLOCKS
from cczsim.network.transit import MODES, TransitNetwork
from cczsim.network.zones import ZoneSystem

_BY_KM = ("metro", "light_rail", "maglev")
BUSES = ("bus", "ferry")
"""Modes whose time aboard weighs ``bus_weight``."""


class LineGraph(NamedTuple):
    """The arrays that the strategy kernel takes, by entry: ``frequency`` in 1/s, ``run_fare`` in s.

    ``run_fare`` is what the ride to the next stop costs beside its time.
    """

    entry_stop: Array
    entry_begins: Array
    run_time: Array
    run_fare: Array
    frequency: Array
    stop_first: Array
    stop_entry: Array
    walk_first: Array
    walk_in: Array
    walk_from: Array
    walk_to: Array
    walk_time: Array
    zone_first: Array
    zone_access: Array
    access_stop: Array
    access_time: Array


def _group(keys: Array, size: int) -> tuple[Array, Array]:
    """Return offsets and rows of a grouping by key, rows in rising order within a group."""
    first = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(np.bincount(keys, minlength=size), out=first[1:])
    return first, np.argsort(keys, kind="stable").astype(np.int32)


def beside_time(
    transit: TransitNetwork, params: TransitParams, seconds_per_cny: float, run_time: Array
) -> Array:
    """Return what rides cost beside their time: fares by distance, and what buses weigh more.

    ``run_time`` and what is returned are ``[line_stop], s``.
    """
    fare = np.array(
        [
            params.rail_fare if mode == "rail" else params.metro_fare if mode in _BY_KM else 0.0
            for mode in MODES
        ]
    )
    weight = np.array([params.bus_weight - 1.0 if mode in BUSES else 0.0 for mode in MODES])
    fares, more = (
        np.repeat(by[transit.mode], np.diff(transit.line_first)) for by in (fare, weight)
    )
    # Lines that take tickets have no fare by distance.
    fares = fares * np.repeat(transit.fare_system == "", np.diff(transit.line_first))
    return np.asarray(seconds_per_cny * fares * transit.run_length + more * run_time)


def line_graph(
    transit: TransitNetwork,
    n_zones: int,
    params: TransitParams | None = None,
    seconds_per_cny: float = 0.0,
) -> LineGraph:
    """Return the view of a transit network that strategies are searched on."""
    params = params or TransitParams()
    n_entries = len(transit.line_stop)
    begins = np.zeros(n_entries, dtype=bool)
    begins[transit.line_first[:-1]] = True
    per_line = np.diff(transit.line_first)
    stop_first, stop_entry = _group(transit.line_stop, transit.n_stops)
    walk_first, walk_in = _group(transit.walk_to, transit.n_stops)
    zone_first, zone_access = _group(transit.access_zone, n_zones)
    return LineGraph(
        entry_stop=transit.line_stop,
        entry_begins=begins,
        run_time=np.array(transit.run_time),
        run_fare=beside_time(transit, params, seconds_per_cny, transit.run_time),
        frequency=np.repeat(1.0 / transit.headway, per_line),
        stop_first=stop_first,
        stop_entry=stop_entry,
        walk_first=walk_first,
        walk_in=walk_in,
        walk_from=transit.walk_from,
        walk_to=transit.walk_to,
        walk_time=transit.walk_time,
        zone_first=zone_first,
        zone_access=zone_access,
        access_stop=transit.access_stop,
        access_time=transit.access_time,
    )


def assign_transit(
    transit: TransitNetwork,
    zones: ZoneSystem,
    trips: Array,
    params: TransitParams | None = None,
    *,
    seconds_per_cny: float = 0.0,
) -> TransitAssignment:
    """Assign passengers to optimal strategies.

    Parameters
    ----------
    transit : TransitNetwork
    zones : ZoneSystem
    trips : array [zone, zone], trips/h
    params : TransitParams, optional
    seconds_per_cny : float
        What passengers weigh fares by distance with; at 0 they do not mind them.

    Returns
    -------
    TransitAssignment
        Vehicles hold whoever comes, whatever ``params`` say of crowding: loads may exceed
        capacity. See :mod:`cczsim.assignment.transit_crowding`.

    Raises
    ------
    AssignmentError
        The trips do not fit the zones, or hold negative or non-finite cells.
    """
    params = params or TransitParams()
    n_zones = zones.n_zones
    matrix = check_demand(trips, n_zones, "transit trips")
    graph = line_graph(transit, n_zones, params, seconds_per_cny)
    skims = np.empty((N_PARTS, n_zones, n_zones))
    flows = block_flows(graph)
    no_rides = np.zeros((0, 0), dtype=bool)
    by_block(assign_block, len(flows[0]), graph, weights(params), matrix, skims, *flows, no_rides)
    result = transit_result(matrix, skims, *(flow.sum(axis=0) for flow in flows))
    if not transit.size("ticket"):
        return result
    tickets, without = fares_between(transit, graph, weights(params))
    priced = replace(result.skims, tickets=tickets, rides_without=without)
    return replace(result, skims=priced)


def weights(params: TransitParams) -> Array:
    """Return the weights that the kernels take, ``[4]``."""
    return np.array(
        [params.walk_weight, params.wait_weight, params.boarding_penalty, params.wait_factor]
    )


def block_flows(graph: LineGraph) -> tuple[Array, Array, Array]:
    """Return room for the flows of entries, walks and accesses, by block of destinations.

    There are no more blocks than zones: a block without one adds nothing.
    """
    n_blocks = max(min(N_BLOCKS, len(graph.zone_first) - 1), 1)
    return (
        np.empty((n_blocks, 3, len(graph.entry_stop))),
        np.empty((n_blocks, len(graph.walk_from))),
        np.empty((n_blocks, 2, len(graph.access_time))),
    )


def transit_result(
    matrix: Array, skims: Array, entry_flow: Array, walk_flow: Array, access_flow: Array
) -> TransitAssignment:
    """Return the result of skims ``[N_PARTS, zone, zone]`` and summed flows."""
    weighted, in_vehicle, wait, walk, boarded = skims
    parts = split_demand(matrix, weighted)
    return TransitAssignment(
        segment_flow=entry_flow[0],
        boardings=entry_flow[1],
        alightings=entry_flow[2],
        walk_flow=walk_flow,
        access_flow=access_flow[0],
        egress_flow=access_flow[1],
        skims=TransitSkims(
            weighted=weighted,
            total=in_vehicle + wait + walk,
            in_vehicle=in_vehicle,
            wait=wait,
            walk=walk,
            boardings=boarded,
        ),
        total_demand=parts.total,
        intrazonal_demand=parts.intrazonal,
        unreachable_demand=parts.lost,
        unreachable=parts.unreachable,
    )


def skim_transit(
    transit: TransitNetwork,
    zones: ZoneSystem,
    params: TransitParams | None = None,
    *,
    seconds_per_cny: float = 0.0,
) -> TransitSkims:
    """Return the expected times of optimal strategies between all zones."""
    nobody = np.zeros((zones.n_zones, zones.n_zones))
    return assign_transit(transit, zones, nobody, params, seconds_per_cny=seconds_per_cny).skims


def compile_transit(*, fares: bool = False) -> None:
    """Compile the strategy kernel, or take it from the cache, on a line of two stops.

    With ``fares`` also the kernel that fares by ticket need.
    """
    two, none = np.arange(2), np.zeros(2)
    transit = TransitNetwork(
        stop_id=two, stop_name=np.array(["a", "b"]), stop_lon=none, stop_lat=none,
        line_id=np.array(["1"]), route=np.array(["1"]), mode=np.zeros(1), headway=np.ones(1),
        line_first=np.array([0, 2]), line_stop=two, run_time=none, run_length=none,
        access_zone=two, access_stop=two, access_time=none,
        ticket_price=np.ones(1 if fares else 0),
    )  # fmt: skip
    skim_transit(transit, ZoneSystem(zone_id=two, centroid=two))
