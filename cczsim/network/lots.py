"""Car parks at stops, where people leave the car and ride on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array, Columns, column
from cczsim.network.connectors import FORBIDDEN, main_component
from cczsim.network.geometry import local_crs, project
from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem

_OF_A_STOP = 64
"""Ids that are kept for the lots of a stop."""


@dataclass(frozen=True, eq=False)
class Lots(Columns):
    """Car parks: where cars come to on the streets, and the stops that are ridden from.

    A station may be several stops (platforms); ``lot_stop`` holds those of lot ``access_lot``.

    Raises
    ------
    ColumnError
        A column breaks its rule.
    """

    lot_name: Array = column("lot", "text", "", "name of the car park")
    lot_node: Array = column("lot", "int32", "", "node of the road network that it lies at", low=0)
    places: Array = column("lot", "float64", "", "cars that it holds", above=0.0)
    access_lot: Array = column("lot_stop", "int32", "", "car park", index_of="lot")
    lot_stop: Array = column("lot_stop", "int32", "", "row of the stop reached from it", low=0)
    fee: Array = column("lot", "float64", "CNY", "what a car pays", low=0.0, default=0.0)
    places_source: Array = column(
        "lot", "int8", "", "provenance of the places", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip
    fee_source: Array = column(
        "lot", "int8", "", "provenance of the fee", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip

    @property
    def n_lots(self) -> int:
        """Number of car parks."""
        return len(self.lot_name)


def nearest_nodes(
    road: RoadNetwork, taken: Array, lon: Array, lat: Array, reach: float
) -> tuple[Array, Array]:
    """Return the street node nearest to each place, and how far it is, ``[place]``.

    Nodes of motorways and trunk roads are none to park at, and neither are those that are cut off,
    in ``taken``, or given to a place before. The node is -1 beyond ``reach``, m.
    """
    from scipy.spatial import cKDTree

    usable = main_component(road) & road.node_through & np.isfinite(road.node_lon)
    on_street = np.zeros(road.n_nodes, dtype=bool)
    barred = np.isin(road.road_class, [CLASS_CODE[name] for name in FORBIDDEN])
    for end in (road.tail, road.head):
        on_street[end[road.is_street]] = True
    for end in (road.tail, road.head):
        on_street[end[barred]] = False
    usable &= on_street
    usable[taken] = False
    nodes = np.flatnonzero(usable)
    found, away = np.full(len(lon), -1), np.full(len(lon), np.inf)
    if not len(nodes) or not len(lon):
        return found, away
    crs = local_crs(float(np.mean(lon)), float(np.mean(lat)))
    tree = cKDTree(np.column_stack(project(road.node_lon[nodes], road.node_lat[nodes], crs)))
    places = np.column_stack(project(lon, lat, crs))
    for lot, place in enumerate(places):
        # As many are asked for as may have been given away, and one more.
        distance, near = tree.query(place, k=min(lot + 1, len(nodes)))
        for metres, row in zip(np.atleast_1d(distance), np.atleast_1d(near), strict=True):
            if metres <= reach and nodes[row] not in found[:lot]:
                found[lot], away[lot] = nodes[row], metres
                break
    return found, away


def zones_and_lots(
    zones: ZoneSystem, transit: TransitNetwork, lots: Lots, transfer: float
) -> tuple[ZoneSystem, TransitNetwork]:
    """Return zones with a place where trips begin and end at each lot, and lines tied to them.

    Lots stand after the zones, and their ways to stops after those of zones.

    Parameters
    ----------
    transfer : float
        From a car in the lot to the platform, s.
    """
    n, stop_id = zones.n_zones, transit.stop_id
    # The lots of a stop have the same ids whatever lots there are elsewhere.
    first = np.array([lots.lot_stop[lots.access_lot == lot][0] for lot in range(lots.n_lots)])
    like = np.array([int((first[:lot] == stop).sum()) for lot, stop in enumerate(first)])
    place = _OF_A_STOP * (stop_id[first] - int(stop_id.min(initial=0))) + like
    lot_id = int(zones.zone_id.max(initial=0)) + 1 + place
    ends = ZoneSystem(
        zone_id=np.concatenate([zones.zone_id, lot_id]),
        centroid=np.concatenate([zones.centroid, lots.lot_node]),
    )
    lines = transit.replace(
        access_zone=np.concatenate([transit.access_zone, n + lots.access_lot]),
        access_stop=np.concatenate([transit.access_stop, lots.lot_stop]),
        access_time=np.concatenate([transit.access_time, np.full(len(lots.lot_stop), transfer)]),
    )
    return ends, lines
