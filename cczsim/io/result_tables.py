"""The links, lines and zones of a result as tables with geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cczsim.columns import Array
from cczsim.network.provenance import Source
from cczsim.network.road_class import ROAD_CLASSES
from cczsim.network.transit import MODES
from cczsim.network.zones import TIERS
from cczsim.scenario.result import RunResult

if TYPE_CHECKING:
    import geopandas

_WGS84 = "EPSG:4326"
_SOURCES = tuple(source.name.lower() for source in Source)
_STRUCTURES = ("ground", "bridge", "tunnel")


def _names(codes: Array, table: tuple[str, ...]) -> Array:
    return np.array(table, dtype=object)[np.asarray(codes, dtype=np.int64)]


def _frame(columns: dict[str, Any], geometry: Any) -> geopandas.GeoDataFrame:
    import geopandas

    plain = {
        name: value.astype(object) if value.dtype.kind == "T" else np.array(value)
        for name, value in columns.items()
    }
    return geopandas.GeoDataFrame(plain, geometry=geometry, crs=_WGS84)


def links_table(result: RunResult) -> geopandas.GeoDataFrame:
    """Return one row a directed link: attributes, provenance, flow, time; connectors among them."""
    import shapely

    road, found = result.network.road, result.equilibrium.road
    geometry: Any = [None] * road.n_links
    if road.shape_first is not None or np.isfinite(road.node_lon).all():
        first, lon, lat = road.shapes()
        index = np.repeat(np.arange(road.n_links), np.diff(first))
        geometry = shapely.linestrings(np.stack([lon, lat], axis=1), indices=index)
    columns = {
        "link_id": road.link_id,
        "from_node": road.node_id[road.tail],
        "to_node": road.node_id[road.head],
        "name": road.name,
        "class": _names(road.road_class, ROAD_CLASSES),
        "structure": _names(road.structure, _STRUCTURES),
        "way_id": road.way_id,
        "length_m": road.length,
        "lanes": road.lanes,
        "speed_kmh": road.speed * 3.6,
        "capacity_pce_h": road.capacity,
        "toll_cny": road.toll,
        "free_flow_time_s": road.free_flow_time,
        "flow_pce_h": found.link_flow,
        "time_s": found.link_time,
        "cost_s": found.link_cost,
        "flow_per_capacity": found.link_flow / road.capacity,
    }
    for name in ("class", "lanes", "speed", "capacity", "geometry", "oneway"):
        columns[f"{name}_source"] = _names(getattr(road, f"{name}_source"), _SOURCES)
    return _frame(columns, geometry)


def lines_table(result: RunResult) -> geopandas.GeoDataFrame | None:
    """Return one row a run of a line between two stops, with passengers; None without transit."""
    import shapely

    transit, found = result.network.transit, result.equilibrium.transit
    if transit is None:
        return None
    line = np.repeat(np.arange(transit.n_lines), np.diff(transit.line_first))
    last = np.zeros(len(transit.line_stop), dtype=bool)
    last[transit.line_first[1:] - 1] = True
    entry = np.flatnonzero(~last)
    start, end = transit.line_stop[entry], transit.line_stop[entry + 1]
    lon, lat = transit.stop_lon, transit.stop_lat
    ends = np.stack(
        [np.stack([lon[start], lat[start]], axis=1), np.stack([lon[end], lat[end]], axis=1)], axis=1
    )
    empty = np.zeros(len(transit.line_stop))
    flow, on, off = (
        (found.segment_flow, found.boardings, found.alightings)
        if found is not None
        else (empty, empty, empty)
    )
    columns = {
        "line_id": transit.line_id[line[entry]],
        "route": transit.route[line[entry]],
        "mode": _names(transit.mode[line[entry]], MODES),
        "seq": entry - transit.line_first[line[entry]],
        "from_stop_id": transit.stop_id[start],
        "from_stop": transit.stop_name[start],
        "to_stop_id": transit.stop_id[end],
        "to_stop": transit.stop_name[end],
        "headway_s": transit.headway[line[entry]],
        "run_time_s": transit.run_time[entry],
        "run_length_m": transit.run_length[entry],
        "passengers_h": flow[entry],
        "boardings_h": on[entry],
        "alightings_at_end_h": off[entry + 1],
        "headway_source": _names(transit.headway_source[line[entry]], _SOURCES),
        "run_time_source": _names(transit.run_time_source[line[entry]], _SOURCES),
        "color": transit.color[line[entry]],
    }
    return _frame(columns, shapely.linestrings(ends) if len(entry) else [])


def stops_table(result: RunResult) -> geopandas.GeoDataFrame | None:
    """Return one row a stop with all who board and alight; None without transit."""
    import shapely

    transit, found = result.network.transit, result.equilibrium.transit
    if transit is None:
        return None
    on: Array = np.zeros(transit.n_stops)
    off: Array = np.zeros(transit.n_stops)
    if found is not None:
        on = np.bincount(transit.line_stop, found.boardings, transit.n_stops)
        off = np.bincount(transit.line_stop, found.alightings, transit.n_stops)
    columns = {
        "stop_id": transit.stop_id,
        "name": transit.stop_name,
        "boardings_h": on,
        "alightings_h": off,
    }
    return _frame(columns, shapely.points(transit.stop_lon, transit.stop_lat))


def zones_table(result: RunResult) -> geopandas.GeoDataFrame | None:
    """Return one row a zone: people, trips by mode, access; None without zones.

    The geometry is the zone's polygon, or its centroid where no polygon is known.
    """
    import shapely

    zones = result.network.zones
    if zones is None:
        return None
    points = shapely.points(zones.zone_lon, zones.zone_lat)
    geometry = [
        polygon if polygon is not None else point
        for polygon, point in zip(
            zones.polygon if zones.polygon is not None else [None] * zones.n_zones, points,
            strict=True,
        )
    ]  # fmt: skip
    columns = {
        "zone_id": zones.zone_id,
        "name": zones.zone_name,
        "district": zones.district,
        "tier": _names(zones.tier, TIERS),
        "population": zones.population,
        "jobs": zones.jobs,
        "area_m2": zones.area,
        "built_up_area_m2": zones.built_up_area,
        "trips_from_h": result.trips.sum(axis=1),
        "trips_to_h": result.trips.sum(axis=0),
    }
    for mode in sorted(result.equilibrium.trips):
        columns[f"{mode}_from_h"] = result.equilibrium.trips[mode].sum(axis=1)
    for name in sorted(result.zone_access):
        columns[name] = np.asarray(result.zone_access[name])
    return _frame(columns, geometry)


def backdrop_table(result: RunResult) -> geopandas.GeoDataFrame | None:
    """Return one row an area of the backdrop; None without one."""
    backdrop = result.network.backdrop
    if backdrop is None:
        return None
    columns = {
        "kind": backdrop.kind, "name": backdrop.area_name, "name_en": backdrop.area_name_en
    }  # fmt: skip
    return _frame(columns, list(backdrop.polygon))
