"""Tables of a sketched region as CSV and GeoJSON → what the sketch builder takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim.columns import objects, texts
from cczsim.errors import FaultCollector, InputError
from cczsim.io.class_tables import find_class_table
from cczsim.io.recipe import Recipe
from cczsim.io.tables import number, read_polygons, read_rows
from cczsim.network.backdrop import Backdrop
from cczsim.network.provenance import Source
from cczsim.network.road_class import CLASS_CODE, ROAD_CLASSES
from cczsim.network.street_line import STRUCTURES, StreetLine
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import TIERS
from cczsim.sketch.sketch_build import SketchTables

_ROADS: Final = ("road_id", "name", "class", "lanes", "speed_kmh", "structure",
                 "interchange_only", "line")  # fmt: skip

MODE_ALIAS: Final = {"intercity": "rail", "mainline": "rail", "main": "rail", "hsr": "rail"}
"""Kinds of railway that the model does not tell apart."""


def read_sketch(recipe: Recipe) -> SketchTables:
    """Read the tables that a recipe of kind sketch names.

    Raises
    ------
    InputError
        A file is missing, or a row is wrong; names file and line.
    """
    files = recipe.tables
    faults = FaultCollector(InputError)
    districts = _districts(files["districts"], faults)
    roads = _roads(files["roads"], recipe.class_table, faults)
    zones = read_rows(
        files["zones"], ("zone_id", "name", "adcode", "lon", "lat", "population", "jobs")
    )
    for line, row in enumerate(zones, 2):
        if row["adcode"] not in districts:
            faults.add(f"{files['zones']}:{line}: adcode", row["adcode"], "a district's code")
    faults.raise_if_any()
    values = {
        key: np.array(
            [number(files["zones"], r, key, k, 0.0) for k, r in enumerate(zones, 2)], dtype=float
        )
        for key in ("lon", "lat", "population", "jobs")
    }
    share = [number(files["zones"], r, "trip_share", k, 1.0) for k, r in enumerate(zones, 2)]
    ground = read_polygons(files["water"])
    places = read_rows(files["interchanges"], ("name", "lon", "lat"))
    return SketchTables(
        ground=roads["ground"],
        raised=roads["raised"],
        limited=roads["limited"],
        interchanges=[
            (r["name"], number(files["interchanges"], r, "lon", k),
             number(files["interchanges"], r, "lat", k))
            for k, r in enumerate(places, 2)
        ],
        districts=districts,
        outlines=_by_district(files["district_outlines"]),
        built_up=_by_district(files["built_up"]),
        no_go=[polygon for _, polygon in ground],
        zone_name=[r["name"] for r in zones],
        zone_district=[r["adcode"] for r in zones],
        zone_lon=values["lon"],
        zone_lat=values["lat"],
        population=values["population"],
        jobs=values["jobs"],
        hub=[r.get("hub", "") for r in zones],
        trip_share=np.array(share),
        transit=_transit(files["lines"], files["line_stops"]),
        backdrop=_backdrop(ground),
    )  # fmt: skip


def _backdrop(found: list[tuple[dict[str, Any], Any]]) -> Backdrop:
    kind, name, name_en = (
        texts([properties.get(key) or "" for properties, _ in found])
        for key in ("kind", "name", "name_en")
    )
    polygon = objects([polygon for _, polygon in found])
    return Backdrop(kind=kind, polygon=polygon, area_name=name, area_name_en=name_en)


def _by_district(path: Path) -> dict[str, Any]:
    import shapely

    parts: dict[str, list[Any]] = {}
    for properties, polygon in read_polygons(path):
        parts.setdefault(str(properties.get("adcode", "")), []).append(polygon)
    return {key: shapely.union_all(found) for key, found in parts.items()}


def _districts(path: Path, faults: FaultCollector) -> dict[str, tuple[str, str, float]]:
    rows = read_rows(path, ("adcode", "name", "tier", "base_density_km_per_km2"))
    for line, row in enumerate(rows, 2):
        if row["tier"] not in TIERS:
            faults.add(f"{path}:{line}: tier", row["tier"], f"one of {', '.join(TIERS)}")
    return {
        r["adcode"]: (r["name"], r["tier"], number(path, r, "base_density_km_per_km2", k, 0.0))
        for k, r in enumerate(rows, 2)
    }


def _roads(path: Path, table: str | Path, faults: FaultCollector) -> dict[str, list[StreetLine]]:
    values = find_class_table(table).in_class_order()
    out: Mapping[str, list[StreetLine]] = {"ground": [], "raised": [], "limited": []}
    for line, row in enumerate(read_rows(path, _ROADS), 2):
        where = f"{path}:{line}"
        if row["class"] not in CLASS_CODE:
            faults.add(f"{where}: class", row["class"], f"one of {', '.join(ROAD_CLASSES)}")
            continue
        if row["structure"] not in STRUCTURES:
            faults.add(f"{where}: structure", row["structure"], f"one of {', '.join(STRUCTURES)}")
            continue
        try:
            points = np.array([[float(v) for v in p.split()] for p in row["line"].split(";") if p])
            assert points.ndim == 2
            assert points.shape[1] == 2
            assert len(points) >= 2
        except (ValueError, AssertionError):
            faults.add(f"{where}: line", repr(row["line"][:40]), "lon lat;lon lat;…")
            continue
        code = CLASS_CODE[row["class"]]
        lanes = number(path, row, "lanes", line, float(values.lanes[code]))
        green = number(path, row, "green_ratio", line, float(values.green_ratio[code]))
        street = StreetLine(
            lon=points[:, 0],
            lat=points[:, 1],
            road_class=row["class"],
            lanes=lanes,
            speed=number(path, row, "speed_kmh", line, float(values.speed[code]) * 3.6) / 3.6,
            capacity=float(lanes * values.lane_capacity[code] * green),
            name=row["name"],
            structure=row["structure"],
            toll=number(path, row, "toll_cny_per_km", line, 0.0) / 1e3,
            source=Source.USER,
        )
        if row["interchange_only"] == "1":
            out["limited"].append(street)
        else:
            out["ground" if row["structure"] == "ground" else "raised"].append(street)
    return dict(out)


def _transit(lines: Path, stops: Path) -> TransitNetwork | None:
    from cczsim.network.line_build import LineTable, lines_from_table

    about = {r["line"]: r for r in read_rows(lines, ("line", "headway_min", "speed_kmh"))}
    rows = read_rows(stops, ("line", "mode", "seq", "stop_id", "stop_name", "lon", "lat"))
    if not rows:
        return None

    def of(row: dict[str, str], key: str, factor: float) -> float:
        return factor * number(lines, about.get(row["line"], {}), key, 0)

    return lines_from_table(
        LineTable(
            line=texts([r["line"] for r in rows]),
            mode=texts([MODE_ALIAS.get(r["mode"], r["mode"]) for r in rows]),
            seq=np.array([int(number(stops, r, "seq", k)) for k, r in enumerate(rows, 2)]),
            stop_id=texts([r["stop_id"] for r in rows]),
            stop_name=texts([r["stop_name"] for r in rows]),
            lon=np.array([number(stops, r, "lon", k) for k, r in enumerate(rows, 2)]),
            lat=np.array([number(stops, r, "lat", k) for k, r in enumerate(rows, 2)]),
            line_name=texts([about.get(r["line"], {}).get("name", "") for r in rows]),
            headway=np.array([of(r, "headway_min", 60.0) for r in rows]),
            speed=np.array([of(r, "speed_kmh", 1 / 3.6) for r in rows]),
            capacity=np.array([of(r, "capacity", 1.0) for r in rows]),
            color=texts([about.get(r["line"], {}).get("color", "") for r in rows]),
        )
    )
