"""What the map of the health page draws: streets, tracks, stops, suspicious places."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.edit import carriageway_rows
from cczsim.network.geometry import take_ragged
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.road_class import CONNECTOR, ROAD_CLASSES
from cczsim.network.suspects import Suspect
from cczsim.network.transit import TransitNetwork
from cczsim.network.turns import turns_from
from cczsim.osm.components import main_links

MOST_SHAPES: Final = 40_000
"""Streets that are drawn with all their points; of more, only the ends are."""
_COLOURED: Final = ("lanes", "speed", "oneway", "capacity")


def map_data(network: Network, suspects: list[Suspect], rules: list[str]) -> dict[str, Any] | None:
    """Return streets, tracks and stops as steps of whole metres from a corner, for the script.

    Parameters
    ----------
    network : Network
    suspects : list of Suspect
    rules : list of str
        Names of the suspects' rules, in the order of their colours.
    """
    road, transit = network.road, network.transit
    if not np.isfinite(road.node_lon).all():
        return None
    rows = carriageway_rows(road)
    turns = network.turns if network.turns is not None else turns_from([])
    outside = ~main_links(road, turns) if road.n_links else np.zeros(0, dtype=bool)
    parts = [(road, rows)]
    if network.cut_off is not None and network.cut_off.n_links:
        parts.append((network.cut_off, carriageway_rows(network.cut_off)))
    lons, lats = (np.concatenate([getattr(part, f"node_{k}") for part, _ in parts])
                  for k in ("lon", "lat"))  # fmt: skip
    if not len(lons) and transit is not None and transit.track_lon is not None:
        assert transit.track_lat is not None
        lons, lats = transit.track_lon, transit.track_lat
    if not len(lons):
        return None
    west, south = float(lons.min()), float(lats.min())
    east, north = float(lons.max()), float(lats.max())
    scale = (111_320.0 * float(np.cos(np.radians((south + north) / 2))), 110_600.0)

    def metres(lon: Array, lat: Array) -> tuple[Array, Array]:
        return (
            np.round((lon - west) * scale[0]).astype(int),
            np.round((lat - south) * scale[1]).astype(int),
        )

    whole = sum(len(own) for _, own in parts) <= MOST_SHAPES
    lines: list[list[int]] = []
    codes: list[str] = []
    for number, (part, own) in enumerate(parts):
        first, lon, lat = part.shapes()
        x, y = metres(lon, lat)
        begin, index = take_ragged(first, own)
        bounds = begin.tolist()
        px, py = x[index], y[index]
        group = 2 * outside[own] if number == 0 else np.ones(len(own), dtype=np.int64)
        kinds = np.column_stack(
            [group, *(getattr(part, f"{name}_source")[own] for name in _COLOURED)]
        )
        for k in range(len(own)):
            span = slice(bounds[k], bounds[k + 1])
            line = np.column_stack([px[span], py[span]])
            line = line if whole else line[[0, -1]]
            steps = np.diff(line, axis=0, prepend=np.zeros((1, 2), dtype=int))
            lines.append(steps.ravel().tolist())
            codes.append("".join(map(str, kinds[k])))
    sx, sy = metres(np.array([s.lon for s in suspects]), np.array([s.lat for s in suspects]))
    classes = [
        ROAD_CLASSES[c]
        for part, own in parts
        for c in part.road_class[own].tolist()
        if c != CONNECTOR
    ]
    return {
        "lines": lines,
        "codes": codes,
        "wide": [int(name.split("_")[0] in ("motorway", "trunk", "primary")) for name in classes],
        "themes": ["component", *_COLOURED],
        "sources": [source.name.lower() for source in Source],
        "straight": not whole,
        **_rail(network.transit, metres, (west, south, east, north)),
        "suspects": [
            [int(a), int(b), s.text, rules.index(s.rule)]
            for a, b, s in zip(sx, sy, suspects, strict=True)
        ],
    }


def _rail(
    transit: TransitNetwork | None,
    metres: Callable[[Array, Array], tuple[Array, Array]],
    box: tuple[float, float, float, float],
) -> dict[str, Any]:
    """Return tracks that come near the streets, and stops among them that lines or tracks serve."""
    west, south, east, north = box
    tracks: list[list[int]] = []
    stops: list[list[Any]] = []
    if transit is None:
        return {"tracks": tracks, "stops": stops}
    first, lon, lat = transit.track_first, transit.track_lon, transit.track_lat
    if first is not None and lon is not None and lat is not None:
        x, y = metres(lon, lat)
        near = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        for a, b in pairwise(first.tolist()):
            if near[a:b].any():
                line = np.column_stack([x[a:b], y[a:b]])
                steps = np.diff(line, axis=0, prepend=np.zeros((1, 2), dtype=int))
                tracks.append(steps.ravel().tolist())
    here = (transit.stop_lon >= west) & (transit.stop_lon <= east)
    here &= (transit.stop_lat >= south) & (transit.stop_lat <= north)
    x, y = metres(transit.stop_lon, transit.stop_lat)
    stops = [
        [int(x[k]), int(y[k]), str(transit.stop_name[k])] for k in np.flatnonzero(here).tolist()
    ]
    return {"tracks": tracks, "stops": stops}
