"""Zones of a recipe: hexagons with districts' people, tables of hexagons, polygons, points.

Rules, numbered in the code:

1. Hexagons (``kind = "h3"``) are those whose centres lie in the convex hull of the streets.
   Districts' people are spread over them by :mod:`cczsim.network.zone_people`, along streets that
   people live on (:data:`~cczsim.io.zone_hexagons.NOT_LIVED_ON`).
2. Cells of a table (``kind = "h3_table"``) finer than ``resolution`` are summed into its cells.
3. Zones whose centre lies outside the hull of the streets are left out, and their residents
   counted as left outside.
4. With ``empty_as_zero`` an empty field of jobs means none; else it is a fault. Without a column
   of jobs, jobs are residents x ``jobs_per_resident``: an assumption, noted.
5. Zones with fewer residents and jobs than ``min_people`` are joined to the nearest other zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cczsim.columns import objects, texts
from cczsim.errors import FaultCollector, InputError
from cczsim.io.recipe import Recipe
from cczsim.io.zone_hexagons import district_hexagons
from cczsim.io.zone_rows import SERVICES, ZoneRows, columns, joined, tiers_of, with_jobs
from cczsim.io.zone_tables import (
    Record,
    filled,
    labels,
    need_columns,
    numbers,
    points,
    read_records,
    unique_ids,
)
from cczsim.network.connectors import attach_zones
from cczsim.network.network import Network
from cczsim.network.road import RoadNetwork
from cczsim.network.zone_build import hexagon_polygons, polygon_areas
from cczsim.network.zones import ZoneSystem


def add_zones(network: Network, recipe: Recipe) -> Network:
    """Return the network with the zones of a recipe, and connectors to them.

    The account is in ``info.build["zones"]`` and ``info.build["connectors"]``, what was assumed in
    ``info.notes``.

    Raises
    ------
    InputError
        A file lacks a column, a row is wrong, no zone lies inside, or one has no street.
    """
    given = recipe.zones
    assert given is not None
    hull = _street_hull(network.road, recipe)
    if given["kind"] == "h3":
        zones = district_hexagons(network.road, recipe, given, hull)
    else:
        zones = _from_file(recipe, given, hull)
    zones, notes = with_jobs(zones, recipe, given)
    zones = joined(zones, float(given.get("min_people", 0.0)))
    if not zones.people.sum() > 0.0:
        raise InputError.of(
            f"{recipe.path}: zones", f"no residents in {len(zones.ids)} zones", "people"
        )
    attached = attach_zones(
        network.road, zones.lon, zones.lat, zones.polygons, int(given.get("per_zone", 4)),
        reach=float(given.get("reach_km", 20.0)) * 1e3,
    )  # fmt: skip
    alone = attached.report["zones_without_link"]
    if alone:
        raise InputError.of(
            f"{recipe.path}: zones.reach_km",
            f"{len(alone)} zones without a street in reach: "
            + ", ".join(zones.names[k] for k in alone[:5]),
            "a street within reach of every zone",
            "raise zones.reach_km, or leave these zones out",
        )
    polygons = zones.polygons
    system = ZoneSystem(
        zone_id=zones.ids,
        centroid=attached.centroid,
        zone_name=texts(zones.names),
        district=texts(zones.district),
        tier=zones.tier,
        zone_lon=zones.lon,
        zone_lat=zones.lat,
        population=zones.people,
        jobs=zones.jobs,
        **{name: here for name in SERVICES if (here := getattr(zones, name)) is not None},
        area=np.zeros(len(zones.ids)) if polygons is None else polygon_areas(polygons),
        polygon=None if polygons is None else objects(polygons),
    )
    report = {
        "kind": given["kind"],
        "zones": system.n_zones,
        "residents": float(system.population.sum()),
        "jobs": float(system.jobs.sum()),
        **zones.report,
    }
    info = replace(
        network.info,
        notes=(*network.info.notes, *notes),
        build={**network.info.build, "zones": report, "connectors": attached.report},
    )
    return network.replace(info=info, road=attached.road, zones=system)


def _street_hull(road: RoadNetwork, recipe: Recipe) -> Any:
    import shapely

    street = road.is_street
    ends = np.unique(np.concatenate([road.tail[street], road.head[street]]))
    hull = shapely.convex_hull(
        shapely.multipoints(np.column_stack([road.node_lon[ends], road.node_lat[ends]]))
    )
    if hull.geom_type != "Polygon":
        raise InputError.of(f"{recipe.path}: zones", "streets that enclose no area", "an area")
    return hull


def _from_file(recipe: Recipe, given: Mapping[str, Any], hull: Any) -> ZoneRows:
    import shapely

    path, kind = given["file"], given["kind"]
    records = read_records(path, recipe.crs)
    default = {"population": "population"}
    if kind in ("csv", "h3_table"):
        default["id"] = "id"
    wanted = columns(given, **default)
    need_columns(records, path, wanted | ({"lon": "lon", "lat": "lat"} if kind == "csv" else {}))
    if "jobs" not in wanted and all("jobs" in r.values for r in records):
        wanted["jobs"] = "jobs"
    faults = FaultCollector(InputError)
    report: dict[str, Any] = {}
    ids = unique_ids(records, wanted["id"], faults) if "id" in wanted else []
    people = numbers(records, wanted["population"], faults)
    jobs = np.full(len(records), np.nan)
    if "jobs" in wanted:
        if given.get("empty_as_zero", False):
            records, empty = filled(records, wanted["jobs"])
            report["empty_jobs_taken_as_zero"] = empty
        jobs = numbers(records, wanted["jobs"], faults)
    tiers = tiers_of(records, given, faults)
    polygons: list[Any] | None = None
    if kind == "csv":
        lon, lat = points(records, faults, recipe.crs)
    elif kind == "h3_table":
        polygons = _cells(records, ids, wanted["id"], given, faults)
    else:
        if any(record.polygon is None for record in records):
            faults.add(str(path), "no polygons", "a GeoJSON or GeoPackage of polygons")
        polygons = [r.polygon for r in records]
    faults.raise_if_any()
    if polygons is not None:
        middle = shapely.centroid(np.array(polygons, dtype=object))
        inside = shapely.intersects(np.array(polygons, dtype=object), middle)
        middle = np.where(inside, middle, shapely.point_on_surface(np.array(polygons)))
        lon, lat = shapely.get_x(middle), shapely.get_y(middle)
    whole = all(text.isdecimal() and len(text) < 19 for text in ids) and bool(ids)
    numbered = np.arange(len(records)) + 1
    if kind == "h3_table":
        code = np.array([int(text, 16) for text in ids], dtype=np.int64)
    else:
        code = np.array([int(text) for text in ids]) if whole else numbered
    names = labels(records, wanted.get("name"))
    fallback = ids or [str(k) for k in numbered]
    for name in SERVICES:
        if name in wanted and given.get("empty_as_zero", False):
            records, empty = filled(records, wanted[name])
            report[f"empty_{name}_taken_as_zero"] = empty
    services: dict[str, Any] = {
        name: numbers(records, wanted[name], faults) for name in SERVICES if name in wanted
    }
    faults.raise_if_any()
    zones = ZoneRows(
        ids=code,
        names=[name or other for name, other in zip(names, fallback, strict=True)],
        district=labels(records, wanted.get("district")),
        tier=tiers,
        lon=lon,
        lat=lat,
        people=people,
        jobs=jobs,
        polygons=polygons,
        **services,
    )
    if kind == "h3_table" and "resolution" in given:
        zones = _coarser(zones, ids, int(given["resolution"]))
    within = shapely.contains_xy(hull, zones.lon, zones.lat)  # 3
    if not within.any():
        raise InputError.of(
            str(path), f"no zone among {len(zones.ids)} inside the streets' hull",
            f"zones around {hull.centroid.x:.3f}, {hull.centroid.y:.3f}",
            "check the coordinate system and the order of lon and lat",
        )  # fmt: skip
    report |= {
        "zones_left_outside": int((~within).sum()),
        "residents_left_outside": float(zones.people[~within].sum()),
        **zones.report,
    }
    return replace(zones.take(np.flatnonzero(within)), report=report)


def _cells(
    records: Sequence[Record], ids: list[str], name: str, given: Mapping[str, Any],
    faults: FaultCollector,
) -> list[Any]:  # fmt: skip
    import h3

    for record, text in zip(records, ids, strict=True):
        if text and not h3.is_valid_cell(text):
            faults.add(f"{record.where}: {name}", repr(text), "the id of an H3 cell")
        elif text and h3.get_resolution(text) < given.get("resolution", 0):
            faults.add(
                f"{record.where}: {name}", f"a cell of resolution {h3.get_resolution(text)}",
                f"zones.resolution, {given['resolution']}, or finer",
            )  # fmt: skip
    return [] if faults.faults else hexagon_polygons(ids)


def _coarser(zones: ZoneRows, ids: list[str], resolution: int) -> ZoneRows:
    """Return the zones summed into their parents (2); a parent is named by its first cell."""
    import h3

    parents = [h3.cell_to_parent(text, resolution) for text in ids]
    unique, first, of = np.unique(np.array(parents), return_index=True, return_inverse=True)
    out = zones.take(first)
    cells = hexagon_polygons([str(u) for u in unique])
    names = [
        name if name != text else str(u)
        for name, text, u in zip(out.names, (ids[k] for k in first), unique, strict=True)
    ]
    return replace(
        out,
        ids=np.array([int(str(u), 16) for u in unique], dtype=np.int64),
        names=names,
        lon=np.array([c.centroid.x for c in cells]),
        lat=np.array([c.centroid.y for c in cells]),
        people=np.bincount(of, zones.people),
        jobs=np.bincount(of, zones.jobs),
        **zones.places(of, len(unique)),  # type: ignore[arg-type]
        polygons=cells,
        report={"cells_in_table": len(ids), "resolution": resolution},
    )
