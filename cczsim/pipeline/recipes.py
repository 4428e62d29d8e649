"""Build the network of a recipe, step by step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cczsim.errors import OsmError
from cczsim.io.recipe import Recipe
from cczsim.network.network import Network, NetworkInfo
from cczsim.osm.route_lines import RouteSettings
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.recipe_lines import with_lines

_ODBL = "© OpenStreetMap contributors, ODbL 1.0"


def build_recipe(recipe: Recipe, progress: Progress) -> Network:
    """Build the network of a recipe."""
    info = NetworkInfo(
        recipe.name, recipe.title, recipe.attribution, recipe.date, recipe.notes,
        title_zh=recipe.title_zh, notes_zh=recipe.notes_zh,
    )  # fmt: skip
    if recipe.kind == "sketch":
        return with_lines(_sketch(recipe, info, progress), recipe, progress)
    if recipe.kind == "osm":
        network = _osm(recipe, info, progress)
    elif recipe.kind == "tntp":
        from cczsim.io import tntp

        network = tntp.read_network(recipe.source["file"]).replace(info=info)
    else:
        from cczsim.io import gmns

        network = gmns.read_network(recipe.source["file"]).replace(info=info)
    if recipe.zones is not None:
        from cczsim.io.zone_sources import add_zones

        with progress.step("zones"):
            network = add_zones(network, recipe)
    return _check_datum(with_lines(network, recipe, progress), recipe)


def _check_datum(network: Network, recipe: Recipe) -> Network:
    """Return the network of streets with what they say of the coordinates of zones and lines."""
    from cczsim.io.line_sources import read_line_table
    from cczsim.pipeline.datum import check_datum, corners

    zones, given = network.zones, recipe.zones
    if zones is not None and given is not None and "file" in given:
        where = f"zones of {Path(given['file']).name}"
        if given["kind"] == "csv":
            network = check_datum(network, where, zones.zone_lon, zones.zone_lat, recipe.crs)
        elif given["kind"] != "h3_table" and zones.polygon is not None:
            network = check_datum(network, where, *corners(zones.polygon), recipe.crs)
    for file in dict.fromkeys(Path(line["file"]) for line in recipe.lines):
        own = [line for line in recipe.lines if Path(line["file"]) == file]
        crs = str(own[0].get("crs", recipe.crs))
        tables = [read_line_table(line, recipe.crs) for line in own]
        lon = np.concatenate([table.lon for table in tables])
        lat = np.concatenate([table.lat for table in tables])
        network = check_datum(network, f"stops of {file.name}", lon, lat, crs)
    return network


def _sketch(recipe: Recipe, info: NetworkInfo, progress: Progress) -> Network:
    from cczsim.io.sketch_tables import read_sketch
    from cczsim.sketch.sketch_build import SketchSettings, build_sketch
    from cczsim.sketch.street_grid import StreetSpec

    with progress.step("read tables"):
        tables = read_sketch(recipe)
    given: dict[str, Any] = dict(recipe.streets)
    names = {
        "class": ("road_class", 1.0), "lanes": ("lanes", 1.0), "speed_kmh": ("speed", 3.6),
        "capacity": ("capacity", 1.0), "main_class": ("main_class", 1.0),
        "main_speed_kmh": ("main_speed", 3.6), "main_capacity": ("main_capacity", 1.0),
        "main_from_m": ("main_from", 1.0), "min_block_m2": ("min_block", 1.0),
        "min_width_m": ("min_width", 1.0),
    }  # fmt: skip
    values: dict[str, Any] = {
        names[k][0]: v if isinstance(v, str) else v / names[k][1] for k, v in given.items()
    }
    with progress.step("build sketch"):
        return build_sketch(tables, SketchSettings(streets=StreetSpec(**values)), info)


def _osm(recipe: Recipe, info: NetworkInfo, progress: Progress) -> Network:
    from cczsim.io.route_settings import read_route_settings

    source = recipe.source
    bbox = tuple(source["bbox"]) if "bbox" in source else None
    how: dict[str, Any] = {
        "table": recipe.class_table,
        "keep": source.get("keep", "largest"),
        "railway": source.get("railway", True),
        "u_turns": source.get("u_turns", "anywhere"),
        "turn_delays": source.get("turn_delays", "none"),
        "routes": None if recipe.osm_routes is None else read_route_settings(recipe.osm_routes),
    }
    if "file" in source:
        network = build_extract(source["file"], progress, bbox=bbox, **how)
        return replace_info(network, info)
    from cczsim.io.overpass import PUBLIC_OVERPASS, fetch_extract

    with progress.step("fetch OSM"):
        extract = fetch_extract(
            source.get("place", bbox), source.get("overpass_url", PUBLIC_OVERPASS),
            routes=recipe.osm_routes is not None,
        )  # fmt: skip
    network = _from_extract(extract, recipe.name, progress, **how)
    return replace_info(network, info)


def replace_info(network: Network, info: NetworkInfo) -> Network:
    """Return the network under another head; its account and the sources it names are kept."""
    named = (*info.attribution, *(a for a in network.info.attribution if a not in info.attribution))
    build = {**info.build, **network.info.build}
    return network.replace(info=replace(info, attribution=named, build=build))


def build_extract(
    path: str | Path,
    progress: Progress,
    table: str | Path = "cn-cjj37",
    bbox: tuple[float, ...] | None = None,
    keep: str = "all",
    railway: bool = True,
    u_turns: str = "anywhere",
    turn_delays: str = "none",
    routes: RouteSettings | None = None,
) -> Network:
    """Build roads and rail of an OSM extract, and lines if asked for; it has no zones."""
    from cczsim.io.osm_file import read_osm

    with progress.step("read OSM"):
        extract = read_osm(path, bbox)  # type: ignore[arg-type]
    name = Path(path).name.split(".")[0]
    return _from_extract(
        extract, name, progress, table, keep, railway, u_turns, turn_delays, routes
    )


def _from_extract(
    extract: Any, name: str, progress: Progress, table: str | Path, keep: str = "largest",
    railway: bool = True, u_turns: str = "anywhere", turn_delays: str = "none",
    routes: RouteSettings | None = None,
) -> Network:  # fmt: skip
    from cczsim.io.class_tables import find_class_table
    from cczsim.network.edit import empty_road
    from cczsim.osm.rail_build import build_rail, has_tracks
    from cczsim.osm.road_build import NO_ROADS, RoadBuild, build_roads

    values = find_class_table(table)
    report: dict[str, Any] = {}
    roads: RoadBuild | None = None
    with progress.step("build roads"):
        try:
            roads = build_roads(
                extract, table=values, keep=keep,  # type: ignore[arg-type]
                u_turns=u_turns, turn_delays=turn_delays,  # type: ignore[arg-type]
            )  # fmt: skip
            report["roads"] = roads.report
        except OsmError as error:
            # An extract of tracks alone is a network without streets.
            if error.faults[0].where != NO_ROADS or not (railway and has_tracks(extract)):
                raise
            message = f"{error.faults[0].found}: tracks, stops and lines only"
            report["findings"] = [
                {"rule": "no_roads", "count": 1, "kind": "", "ids": [], "message": message}
            ]
    transit = None
    if railway or routes is not None:
        with progress.step("build rail"):
            rail = build_rail(extract)
        report["rail"] = rail.report
        transit = rail.transit
        if routes is not None:
            from cczsim.osm.route_lines import build_routes

            with progress.step("build lines"):
                lines = build_routes(extract, rail, routes)
            report["routes"] = lines.report
            from cczsim.network.track_graph import station_graph

            report["rail"]["graph"] = station_graph(rail.transit, rail.stop_mode)
            transit = lines.transit
    info = NetworkInfo(name, attribution=(_ODBL,), build=report)
    if roads is None:
        return Network(info, empty_road(), None, transit)
    return Network(info, roads.road, None, transit, turns=roads.turns, cut_off=roads.cut_off)
