"""Hexagons over the streets of a network, with the people of districts spread over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cczsim.errors import FaultCollector, InputError
from cczsim.indicators.density import street_lengths
from cczsim.io.recipe import Recipe
from cczsim.io.zone_rows import ZoneRows, columns, tiers_of
from cczsim.io.zone_tables import labels, need_columns, numbers, read_records
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.zone_build import hexagons, polygon_areas
from cczsim.network.zone_people import OPEN_COUNTRY, spread_people
from cczsim.network.zones import TIERS

NOT_LIVED_ON: Final = ("motorway", "motorway_link", "trunk", "trunk_link", "primary_link",
                       "secondary_link", "tertiary_link")  # fmt: skip


def district_hexagons(
    road: RoadNetwork, recipe: Recipe, given: Mapping[str, Any], hull: Any
) -> ZoneRows:
    """Return the hexagons of a recipe with districts' people.

    Raises
    ------
    InputError
        The districts lack a column, a row is wrong, or none meets the streets.
    """
    import shapely

    path = given["districts"]
    records = read_records(path, recipe.crs)
    wanted = columns(given, population="population")
    wanted.pop("jobs", None)
    need_columns(records, path, wanted)
    faults = FaultCollector(InputError)
    people = numbers(records, wanted["population"], faults)
    tiers = tiers_of(records, given, faults)
    if any(record.polygon is None for record in records):
        faults.add(f"{recipe.path}: zones.districts", str(path), "a file of polygons")
    faults.raise_if_any()
    outlines = np.array([r.polygon for r in records], dtype=object)
    shapely.prepare(hull)
    near = np.flatnonzero(shapely.intersects(hull, outlines))
    ids, cells = hexagons(hull, int(given["resolution"]))  # 1
    if not len(near) or not ids:
        raise InputError.of(
            str(path), f"no district among {len(records)} that meets the streets"
            if not len(near) else f"no hexagon of resolution {given['resolution']} in the hull",
            f"districts around {hull.centroid.x:.3f}, {hull.centroid.y:.3f}",
            "check zones.districts, the coordinate system, and zones.resolution",
        )  # fmt: skip
    outlines, people, tiers = outlines[near], people[near], tiers[near]
    cell, district = shapely.STRtree(outlines).query(np.array(cells), predicate="intersects")
    parts = shapely.intersection(np.array(cells)[cell], outlines[district])
    areal = np.array([g.area > 0.0 for g in parts], dtype=bool)
    cell, district, parts = cell[areal], district[areal], parts[areal]
    lived_on = road.is_street & ~np.isin(road.road_class, [CLASS_CODE[n] for n in NOT_LIVED_ON])
    lived_on &= (road.road_class != CLASS_CODE["road"]) | (road.length <= OPEN_COUNTRY)
    streets = street_lengths(road, parts)
    # A street is counted once, at the first of its two links.
    metres = np.bincount(
        streets.area, streets.length * lived_on[streets.link], minlength=len(parts)
    )
    covered = polygon_areas(list(shapely.intersection(outlines, hull)))
    covered /= polygon_areas(list(outlines))
    spread = spread_people(people, covered, district, cell, metres, len(cells))
    names = labels([records[k] for k in near], wanted.get("district") or wanted.get("name"))
    weight = metres + 1e-6 * polygon_areas(list(parts))  # by area where no street is
    order = np.lexsort((district, -weight, cell))
    first = np.unique(cell[order], return_index=True)[1]
    own = np.full(len(cells), -1)
    own[cell[order][first]] = district[order][first]
    centre = np.array([[p.centroid.x, p.centroid.y] for p in cells])
    place = [names[d] if d >= 0 else "" for d in own.tolist()]
    outside = {n: round(float(v), 1) for n, v in zip(names, spread.left_outside, strict=True)}
    return ZoneRows(
        ids=np.array([int(i, 16) for i in ids], dtype=np.int64),
        names=[f"{name} {i[3:].rstrip('f')}".strip() for name, i in zip(place, ids, strict=True)],
        district=place,
        tier=np.where(own >= 0, tiers[own], TIERS.index("none")),
        lon=centre[:, 0],
        lat=centre[:, 1],
        people=spread.people,
        jobs=np.full(len(cells), np.nan),
        polygons=cells,
        report={
            "people_spread_by": "length of street within the zone and district, without "
            + ", ".join(NOT_LIVED_ON)
            + f" and roads of unknown class over {OPEN_COUNTRY:.0f} m between junctions",
            "residents_a_km_at_most_where_a_district_is_cut": spread.most_per_km
            if np.isfinite(spread.most_per_km) else None,
            "share_of_district_covered": {
                n: round(float(v), 4) for n, v in zip(names, covered, strict=True)
            },
            "residents_left_outside": float(spread.left_outside.sum()),
            "residents_left_outside_by_district": outside,
        },
    )  # fmt: skip
