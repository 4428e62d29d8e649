"""Areas that a command is asked about: polygons of a file, a box, parts of the network's zones."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from cczsim.errors import IndicatorError, InputError
from cczsim.indicators.density import zone_polygons
from cczsim.network.network import Network
from cczsim.network.zones import TIERS

_FILES = (".geojson", ".json", ".gpkg")
Say = Callable[[str], object]
_MOST_MENDED = 0.01
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


def _polygons_of_file(path: Path, only: list[str], say: Say) -> list[tuple[str, Any]]:
    """Return the areas of a file by name; those of ``only``, in that order, where it names any."""
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
    table = table.assign(
        _area=table[column].astype(str) if column else [str(k + 1) for k in range(len(table))]
    )
    if only:
        known = sorted(set(table["_area"]))
        missing = [name for name in only if name not in known]
        if missing:
            near = get_close_matches(missing[0], known, 1, 0.5)
            raise InputError.of(
                str(path), "no area named " + ", ".join(repr(n) for n in missing),
                "names of its areas", f"did you mean {near[0]!r}?" if near else "",
            )  # fmt: skip
        place = {name: k for k, name in enumerate(only)}
        table = table[table["_area"].isin(only)]
        table = table.sort_values("_area", key=lambda names: names.map(place), kind="stable")
    names = [str(name) for name in table["_area"]]
    return [(n, _mended(path, n, p, say)) for n, p in zip(names, table.geometry, strict=True)]


def _mended(path: Path, name: str, polygon: Any, say: Say) -> Any:
    """Return a polygon that does not cross itself, and say where it was mended.

    Raises
    ------
    InputError
        Mending would move its area by so much that it is not known what was meant.
    """
    import shapely

    if polygon.is_valid:
        return polygon
    mended = shapely.make_valid(polygon, method="structure", keep_collapsed=False)
    moved = abs(mended.area - polygon.area) / mended.area if mended.area > 0.0 else 1.0
    if mended.geom_type not in ("Polygon", "MultiPolygon") or moved > _MOST_MENDED:
        raise InputError.of(
            str(path), f"rings that cross themselves: {name}", "valid polygons",
            f"mend the file, or name the areas that are meant: {path}:NAME,NAME",
        )  # fmt: skip
    say(f"{path}: {name} crosses itself; mended, which moves its area by {100 * moved:.2g} %")
    return mended


def read_areas(text: str, say: Say) -> list[tuple[str, Any]] | None:
    """Return the areas that a box or a file names, WGS-84; None where a text is neither.

    ``west,south,east,north``, ``FILE`` or ``FILE:NAME,NAME``. ``say`` is told of rings that crossed
    themselves and were mended.

    Raises
    ------
    InputError
        A box or a file that cannot be used.
    """
    box = _box(text)
    if box is not None:
        return [(text, box)]
    if Path(text).suffix.lower() in _FILES or Path(text).is_file():
        return _polygons_of_file(Path(text), [], say)
    name, colon, only = text.rpartition(":")
    if colon and Path(name).suffix.lower() in _FILES:
        return _polygons_of_file(Path(name), [part for part in only.split(",") if part], say)
    return None


def street_hull(network: Network) -> Any:
    """Return the convex hull of all streets, WGS-84."""
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


def check_inside(network: Network, areas: list[tuple[str, Any]], say: Say) -> None:
    """Say which areas lie wholly outside the box around all streets.

    Raises
    ------
    InputError
        All of them do.
    """
    import shapely

    road = network.road
    ends = np.unique(np.concatenate([road.tail[road.is_street], road.head[road.is_street]]))
    lon, lat = road.node_lon[ends], road.node_lat[ends]
    if not len(ends) or not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return  # what is asked of such a network is refused elsewhere
    box = shapely.box(lon.min(), lat.min(), lon.max(), lat.max())
    outside = [name for name, polygon in areas if not shapely.intersects(box, polygon)]
    if len(outside) == len(areas):
        west, south, east, north = (f"{degree:.3f}" for degree in shapely.bounds(box))
        raise InputError.of(
            "--area", f"nothing of {network.info.name} in {', '.join(outside[:3])}",
            f"an area that meets its streets, which lie within {west},{south},{east},{north}",
            "look at the order of longitude and latitude",
        )  # fmt: skip
    for name in outside:
        say(f"{name} lies outside the network: its 0 km say nothing of it")


def zone_areas(network: Network, area: str | None, denominator: str) -> list[tuple[str, Any]]:
    """Return the areas that the network's own zones make up; its hull where it has none."""
    import shapely

    zones = network.zones
    rows, polygons = (
        zone_polygons(zones, denominator) if zones is not None else (np.zeros(0, int), None)
    )
    if zones is None or polygons is None or not len(rows):
        if area not in (None, "all"):
            raise IndicatorError.of(
                f"--area {area}", "a network without zone polygons", "all, a box or a file"
            )
        return [("convex hull of all streets", street_hull(network))]
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
