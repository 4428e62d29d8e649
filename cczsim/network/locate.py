"""Which zone a place lies in."""

from __future__ import annotations

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import local_crs, project
from cczsim.network.kept import Kept, digest
from cczsim.network.network import Network
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem

_kept: Kept[Array] = Kept(8)
"""Zones of the links and stops of a few networks."""


def link_middles(road: RoadNetwork) -> tuple[Array, Array]:
    """Return longitude and latitude of the middle of each link, ``[link], deg``.

    The middle is that of the shape's middle segment; NaN where the nodes have no coordinates.
    """
    if road.shape_first is None or road.shape_lon is None or road.shape_lat is None:
        lon, lat = road.node_lon, road.node_lat
        return (lon[road.tail] + lon[road.head]) / 2, (lat[road.tail] + lat[road.head]) / 2
    points = np.diff(road.shape_first)
    left = road.shape_first[:-1] + (points - 1) // 2
    right = left + np.where(points % 2 == 0, 1, 0)
    return (
        (road.shape_lon[left] + road.shape_lon[right]) / 2,
        (road.shape_lat[left] + road.shape_lat[right]) / 2,
    )


def zone_of_points(zones: ZoneSystem, lon: Array, lat: Array) -> Array:
    """Return the zone that each point lies in or, outside all polygons, is nearest to.

    Returns
    -------
    array [point], int64
        Row of the zone; -1 where neither the point nor any zone has coordinates.
    """
    key = digest(zones.zone_lon, zones.zone_lat, zones.polygon, np.asarray(lon), np.asarray(lat))
    return _kept.get(key, lambda: _zone_of_points(zones, lon, lat)).copy()


def _zone_of_points(zones: ZoneSystem, lon: Array, lat: Array) -> Array:
    from scipy.spatial import cKDTree

    out = np.full(len(lon), -1, dtype=np.int64)
    known = np.isfinite(lon) & np.isfinite(lat)
    placed = np.flatnonzero(np.isfinite(zones.zone_lon) & np.isfinite(zones.zone_lat))
    if zones.polygon is not None:
        import shapely

        rows = np.flatnonzero(np.array([p is not None for p in zones.polygon], dtype=bool))
        if len(rows) and known.any():
            tree = shapely.STRtree(list(zones.polygon[rows]))
            points = np.flatnonzero(known)
            hit, zone = tree.query(shapely.points(lon[points], lat[points]), predicate="intersects")
            order = np.lexsort((rows[zone], hit))[::-1]  # the lowest row is written last
            out[points[hit[order]]] = rows[zone[order]]
    rest = np.flatnonzero(known & (out < 0))
    if len(rest) and len(placed):
        crs = local_crs(float(zones.zone_lon[placed].mean()), float(zones.zone_lat[placed].mean()))
        centres = np.stack(project(zones.zone_lon[placed], zones.zone_lat[placed], crs), axis=1)
        points = np.stack(project(lon[rest], lat[rest], crs), axis=1)
        out[rest] = placed[cKDTree(centres).query(points)[1]]
    return out


def link_zones(network: Network) -> Array:
    """Return the zone of the middle of each link, ``[link]``; -1 without zones."""
    if network.zones is None:
        return np.full(network.road.n_links, -1, dtype=np.int64)
    return zone_of_points(network.zones, *link_middles(network.road))
