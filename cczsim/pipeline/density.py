"""``cczsim density``: measure road density by named conventions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cczsim.errors import IndicatorError, InputError
from cczsim.indicators.conventions import CONVENTIONS, Convention, centreline_weight
from cczsim.indicators.conventions import convention as find_convention
from cczsim.indicators.density import area_density, zone_polygons
from cczsim.network.network import Network
from cczsim.network.zones import TIERS
from cczsim.pipeline.assign import check_targets, write_text
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress

_FILES = (".geojson", ".json", ".gpkg")
_NAMES = ("name", "NAME", "name_en", "id", "adcode")


def _box(text: str) -> Any:
    import shapely

    numbers = text.split(",")
    try:
        degrees = [float(number) for number in numbers]
    except ValueError:
        return None
    if len(degrees) != 4:
        raise InputError.of("--area", repr(text), "west,south,east,north in degrees")
    west, south, east, north = degrees
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError.of("--area", repr(text), "west,south,east,north in degrees")
    # Between far corners a parallel is not the shortest way that areas are measured by.
    return shapely.segmentize(shapely.box(west, south, east, north), 0.05)


def _polygons_of_file(path: Path) -> list[tuple[str, Any]]:
    import geopandas
    import pyogrio

    try:
        table = geopandas.read_file(path)
    except (pyogrio.errors.DataSourceError, OSError, ValueError) as error:
        raise InputError.of(str(path), str(error), "GeoJSON or GeoPackage polygons") from None
    if not isinstance(table, geopandas.GeoDataFrame):
        raise InputError.of(str(path), "a table without shapes", "GeoJSON or GeoPackage polygons")
    if table.crs is None:
        raise InputError.of(str(path), "no coordinate system", "a file that names its own")
    table = table.to_crs("EPSG:4326")
    kinds = sorted(set(table.geom_type.dropna()) - {"Polygon", "MultiPolygon"})
    if kinds or not len(table) or table.geometry.isna().any():
        found = ", ".join(kinds) or "empty shapes" if len(table) else "no shapes"
        raise InputError.of(str(path), found, "polygons")
    column = next((name for name in _NAMES if name in table), None)
    names = table[column].astype(str) if column else [str(k + 1) for k in range(len(table))]
    bad = [str(n) for n, ok in zip(names, table.geometry.is_valid, strict=True) if not ok]
    if bad:
        raise InputError.of(
            str(path), "rings that cross themselves: " + ", ".join(bad[:5]), "valid polygons"
        )
    return list(zip(names, table.geometry, strict=True))


def _hull(network: Network) -> Any:
    import shapely

    road = network.road
    ends = np.unique(np.concatenate([road.tail[road.is_street], road.head[road.is_street]]))
    lon, lat = road.node_lon[ends], road.node_lat[ends]
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise IndicatorError.of(
            network.info.name,
            "nodes without longitude and latitude",
            "a network with coordinates",
            "where streets lie is not known, so neither is their density",
        )
    hull = shapely.convex_hull(shapely.multipoints(np.column_stack([lon, lat])))
    if hull.geom_type != "Polygon":
        raise IndicatorError.of(
            network.info.name, "streets that enclose no area", "an area", "name one with --area"
        )
    return hull


def _that_apply(network: Network) -> list[Convention]:
    """Return the conventions that count any street of the network."""
    found = [c for c in CONVENTIONS.values() if centreline_weight(network.road, c).any()]
    if not found:
        raise IndicatorError.of(
            network.info.name, "no street of a class that any convention counts", "road classes"
        )
    return found


def _zone_areas(network: Network, area: str | None, rules: Convention) -> list[tuple[str, Any]]:
    """Return the areas that the network's own zones make up; its hull where it has none."""
    import shapely

    zones = network.zones
    rows, polygons = (
        zone_polygons(zones, rules.denominator) if zones is not None else (np.zeros(0, int), None)
    )
    if zones is None or polygons is None or not len(rows):
        if area not in (None, "all"):
            raise IndicatorError.of(
                f"--area {area}", "a network without zone polygons", "all, a box or a file"
            )
        return [("convex hull of all streets", _hull(network))]
    masks: dict[str, Any] = {"all": np.ones(len(rows), dtype=bool)}
    for code, tier in enumerate(TIERS):
        masks[tier] = zones.tier[rows] == code
    for district in dict.fromkeys(str(d) for d in zones.district[rows] if d):
        masks[district] = zones.district[rows] == district
    masks = {name: mask for name, mask in masks.items() if mask.any() and name != "none"}
    if area is not None and area not in masks:
        raise IndicatorError.of("--area", repr(area), "one of " + ", ".join(masks))
    chosen = masks if area is None else {area: masks[area]}
    return [(name, shapely.union_all(polygons[mask])) for name, mask in chosen.items()]


def density(
    network: str,
    *,
    area: str | None,
    convention: str | None,
    json_file: Path | None,
    progress: Progress,
) -> int:
    """Measure a network.

    Parameters
    ----------
    network : str
        Whatever :func:`~cczsim.pipeline.networks.load_network` reads.
    area : str, optional
        A file of polygons, ``west,south,east,north``, a tier, a district or ``all``; every area
        of the network's own zones where None.
    convention : str, optional
        All that count any street of the network where None.
    """
    check_targets(json_file)
    asked = find_convention(convention) if convention is not None else None
    given: list[tuple[str, Any]] | None = None
    if area is not None and (box := _box(area)) is not None:
        given = [(area, box)]
    elif area is not None and (Path(area).suffix.lower() in _FILES or Path(area).is_file()):
        given = _polygons_of_file(Path(area))
    with progress.step("read"):
        net = load_network(Path(network), progress)
    rows = measure(net, area, asked, given)
    if json_file is not None:
        write_text(json_file, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    _print_table(rows)
    return 0


def measure(
    net: Network,
    area: str | None = None,
    asked: Convention | None = None,
    given: list[tuple[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Return a row for each area and convention, as ``--json`` writes them.

    Parameters
    ----------
    net : Network
    area : str, optional
        A tier, a district or ``all``; every area of the network's own zones where None.
    asked : Convention, optional
        All that count any street of the network where None.
    given : list of (name, polygon), optional
        Areas in place of the network's own.
    """
    rows = []
    for rules in [asked] if asked is not None else _that_apply(net):
        areas = given if given is not None else _zone_areas(net, area, rules)
        for name, length, size in area_density(net.road, areas, rules):
            rows.append(
                {
                    "area": name,
                    "convention": rules.name,
                    "classes": list(rules.classes),
                    "merged": rules.merged,
                    "length_km": length / 1e3,
                    "area_km2": size / 1e6,
                    "density_km_per_km2": length / size * 1e3 if size > 0 else None,
                }
            )
    return rows


def _print_table(rows: list[dict[str, Any]]) -> None:
    import sys

    width = max(len(str(row["area"])) for row in rows)
    out = sys.stdout.write
    out(f"{'area':{width}}  {'convention':26} {'km':>10} {'km2':>10} {'km/km2':>8}\n")
    for row in rows:
        figure = row["density_km_per_km2"]
        out(
            f"{row['area']:{width}}  {row['convention']:26} {row['length_km']:10.1f} "
            f"{row['area_km2']:10.1f} {figure if figure is not None else float('nan'):8.3f}\n"
        )
