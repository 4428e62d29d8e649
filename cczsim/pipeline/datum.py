"""Whether points were given in the coordinate system that they were said to be in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.io.tables import from_wgs84, to_wgs84
from cczsim.network.network import Network
from cczsim.network.road_match import match_roads

SYSTEMS: Final = ("wgs84", "gcj02", "bd09")
_CHINA: Final = (73.0, 18.0, 135.5, 54.0)


def check_datum(network: Network, what: str, lon: Array, lat: Array, crs: str) -> Network:
    """Return the network with what its streets say of the coordinate system of some points.

    Only systems that are offset to each other as Chinese maps are can be told apart; CGCS2000
    counts as WGS-84. A wrong one becomes a finding and a note; nothing is moved.

    Parameters
    ----------
    network : Network
    what : str
        What the points are, for the finding.
    lon, lat : array [point], deg
        WGS-84, as read under ``crs``.
    crs : str
        The system that was declared.
    """
    declared = "wgs84" if crs.lower() == "cgcs2000" else crs.lower()
    west, south, east, north = _CHINA
    here = (lon > west) & (lon < east) & (lat > south) & (lat < north)
    if declared not in SYSTEMS or not here.any():
        return network
    given = from_wgs84(lon, lat, declared)
    readings = {name: to_wgs84(*given, name) for name in SYSTEMS}
    readings[declared] = lon, lat
    verdict = {"what": what, **match_roads(network.road, readings, declared)}
    build = dict(network.info.build)
    build["coordinates"] = [*build.get("coordinates", []), verdict]
    notes = network.info.notes
    if verdict["found"] not in (None, declared):
        off = float(np.median(np.hypot(
            (readings[verdict["found"]][0] - lon) * np.cos(np.radians(lat)),
            readings[verdict["found"]][1] - lat,
        ))) * 111_000.0  # fmt: skip
        message = (
            f"{what}: declared {crs}, but read as {verdict['found']} they lie along the streets "
            f"(strength {verdict['strength'][verdict['found']]:.1f} against "
            f"{verdict['strength'][declared]:.1f}; about {off:.0f} m apart): "
            f'write crs = "{verdict["found"]}" if that is so'
        )
        finding = {"rule": "datum", "count": verdict["points"], "kind": "", "ids": [],
                   "message": message}  # fmt: skip
        build["findings"] = [*build.get("findings", []), finding]
        notes = (*notes, message)
    return network.replace(info=replace(network.info, build=build, notes=notes))


def corners(polygons: Array) -> tuple[Array, Array]:
    """Return points along the edges of polygons, about 50 m apart, each edge once."""
    import shapely

    known = [p for p in polygons if p is not None and not p.is_empty]
    edges = shapely.union_all(shapely.boundary(np.array(known, dtype=object)))
    places: Any = shapely.get_coordinates(shapely.segmentize(edges, 0.0005))
    return places[:, 0], places[:, 1]
