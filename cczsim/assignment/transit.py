"""Transit assignment by optimal strategies, without crowding.

Source: H. Spiess and M. Florian (1989), Optimal strategies: a new assignment model for transit
networks, *Transportation Research B* 23(2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from cczsim.assignment.result import TransitAssignment, TransitSkims
from cczsim.assignment.road_demand import check_demand, split_demand
from cczsim.columns import Array
from cczsim.kernels.hyperpath import N_PARTS, assign_strategies
from cczsim.kernels.types import N_BLOCKS
from cczsim.network.transit import MODES, TransitNetwork
from cczsim.network.zones import ZoneSystem


def _param(default: float, dimension: str, meaning: str, source: str) -> Any:
    metadata = {"dimension": dimension, "meaning": meaning, "source": source}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class TransitParams:
    """How passengers weigh their time.

    Each field carries its dimension, meaning and source in its metadata.
    """

    walk_weight: float = _param(
        2.0, "count", "weight of walking time against time aboard",
        "Wardman (2004), Transport Policy 11: about 2",
    )  # fmt: skip
    wait_weight: float = _param(
        2.0, "count", "weight of waiting time against time aboard",
        "Wardman (2004), Transport Policy 11: about 2",
    )  # fmt: skip
    boarding_penalty: float = _param(
        180.0, "time", "what a boarding costs beside its wait", "assumed: 3 min"
    )
    wait_factor: float = _param(
        0.5, "count", "share of the headway that is waited for a single line",
        "regular headways, random arrivals",
    )  # fmt: skip
    metro_fare: float = _param(
        0.0002, "money_per_length", "fare by distance on metro, light rail and maglev, beside that "
        "of a boarding", "assumed: 2 CNY up to 6 km and about 6 CNY for 25 km",
    )  # fmt: skip
    rail_fare: float = _param(
        0.0004, "money_per_length", "fare by distance on railways, beside that of a boarding",
        "assumed: regional trains cost 0.2 to 0.45 CNY/km",
    )  # fmt: skip


_BY_KM = ("metro", "light_rail", "maglev")


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


def line_graph(
    transit: TransitNetwork,
    n_zones: int,
    params: TransitParams | None = None,
    seconds_per_cny: float = 0.0,
) -> LineGraph:
    """Return the view of a transit network that strategies are searched on."""
    params = params or TransitParams()
    by_mode = np.array(
        [
            params.rail_fare if mode == "rail" else params.metro_fare if mode in _BY_KM else 0.0
            for mode in MODES
        ]
    )
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
        run_time=transit.run_time,
        run_fare=seconds_per_cny * np.repeat(by_mode[transit.mode], per_line) * transit.run_length,
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
        Vehicles hold whoever comes: crowding is not modelled, loads may exceed capacity.

    Raises
    ------
    AssignmentError
        The trips do not fit the zones, or hold negative or non-finite cells.
    """
    params = params or TransitParams()
    n_zones = zones.n_zones
    matrix = check_demand(trips, n_zones, "transit trips")
    graph = line_graph(transit, n_zones, params, seconds_per_cny)
    weight = np.array(
        [params.walk_weight, params.wait_weight, params.boarding_penalty, params.wait_factor]
    )
    skims = np.empty((N_PARTS, n_zones, n_zones))
    entry_flow = np.empty((N_BLOCKS, 3, len(transit.line_stop)))
    walk_flow = np.empty((N_BLOCKS, len(transit.walk_from)))
    access_flow = np.empty((N_BLOCKS, 2, len(transit.access_zone)))
    assign_strategies(graph, weight, matrix, skims, entry_flow, walk_flow, access_flow)
    aboard, boardings, alightings = entry_flow.sum(axis=0)
    weighted, in_vehicle, wait, walk, boarded = skims
    parts = split_demand(matrix, weighted)
    to_stop, from_stop = access_flow.sum(axis=0)
    return TransitAssignment(
        segment_flow=aboard,
        boardings=boardings,
        alightings=alightings,
        walk_flow=walk_flow.sum(axis=0),
        access_flow=to_stop,
        egress_flow=from_stop,
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


def compile_transit() -> None:
    """Compile the strategy kernel, or take it from the cache, on a line of two stops."""
    two, none = np.arange(2), np.zeros(2)
    transit = TransitNetwork(
        stop_id=two, stop_name=np.array(["a", "b"]), stop_lon=none, stop_lat=none,
        line_id=np.array(["1"]), route=np.array(["1"]), mode=np.zeros(1), headway=np.ones(1),
        line_first=np.array([0, 2]), line_stop=two, run_time=none, run_length=none,
        access_zone=two, access_stop=two, access_time=none,
    )  # fmt: skip
    skim_transit(transit, ZoneSystem(zone_id=two, centroid=two))
