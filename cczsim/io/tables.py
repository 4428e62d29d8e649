"""Tables and polygons from files, and the coordinate systems that they come in.

GCJ-02 is computed by the published approximation of the Chinese map offset, BD-09 by Baidu's
published step from it; the way back is found by iteration to 1e-9 degrees.
"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import InputError

_A: Final = 6378245.0
_EE: Final = 0.00669342162296594323
_BD: Final = math.pi * 3000.0 / 180.0


def wgs84_to_gcj02(lon: Array, lat: Array) -> tuple[Array, Array]:
    """Return GCJ-02 coordinates of WGS-84 ones."""
    x, y = np.asarray(lon, float) - 105.0, np.asarray(lat, float) - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    d_lat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    d_lat += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    d_lat += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    d_lon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    d_lon += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    d_lon += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    rad = np.asarray(lat, float) / 180 * np.pi
    magic = 1 - _EE * np.sin(rad) ** 2
    d_lat = d_lat * 180 / ((_A * (1 - _EE)) / (magic * np.sqrt(magic)) * np.pi)
    d_lon = d_lon * 180 / (_A / np.sqrt(magic) * np.cos(rad) * np.pi)
    return np.asarray(lon + d_lon), np.asarray(lat + d_lat)


def gcj02_to_bd09(lon: Array, lat: Array) -> tuple[Array, Array]:
    """Return BD-09 coordinates of GCJ-02 ones."""
    z = np.hypot(lon, lat) + 0.00002 * np.sin(np.asarray(lat) * _BD)
    theta = np.arctan2(lat, lon) + 0.000003 * np.cos(np.asarray(lon) * _BD)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def to_wgs84(lon: Array, lat: Array, crs: str) -> tuple[Array, Array]:
    """Return WGS-84 coordinates of ones in ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09``, EPSG:n.

    CGCS2000 and WGS-84 differ by centimetres and are taken as one.

    Raises
    ------
    InputError
        The system is not known.
    """
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    name = crs.lower()
    if name in ("wgs84", "cgcs2000"):
        return lon, lat
    if name in ("gcj02", "bd09"):
        x, y = lon.copy(), lat.copy()
        for _ in range(30):
            a, b = wgs84_to_gcj02(x, y)
            if name == "bd09":
                a, b = gcj02_to_bd09(a, b)
            x, y = x + (lon - a), y + (lat - b)
        return x, y
    from pyproj import Transformer
    from pyproj.exceptions import CRSError

    try:
        transformer = Transformer.from_crs(crs.upper(), "EPSG:4326", always_xy=True)
    except CRSError as error:
        raise InputError.of("crs", repr(crs), "a coordinate system that PROJ knows") from error
    x, y = transformer.transform(lon, lat)
    return np.asarray(x), np.asarray(y)


def from_wgs84(lon: Array, lat: Array, crs: str) -> tuple[Array, Array]:
    """Return coordinates in ``wgs84``, ``cgcs2000``, ``gcj02`` or ``bd09`` of WGS-84 ones."""
    if crs.lower() not in ("gcj02", "bd09"):
        return np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    out = wgs84_to_gcj02(lon, lat)
    return gcj02_to_bd09(*out) if crs.lower() == "bd09" else out


def read_rows(path: Path, needed: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a CSV with a header, as text.

    Raises
    ------
    InputError
        The file cannot be read, lacks a column, or a row has another number of fields.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.of(str(path), str(error), "a CSV in UTF-8") from error
    reader = csv.DictReader(text.splitlines())
    missing = [n for n in needed if n not in (reader.fieldnames or [])]
    if missing:
        raise InputError.of(f"{path}:1", f"no column {', '.join(missing)}", ", ".join(needed))
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise InputError.of(
                f"{path}:{reader.line_num}", "another number of fields than the header", "as many"
            )
        rows.append({k: v.strip() for k, v in row.items()})
    return rows


def number(
    path: Path, row: dict[str, str], key: str, line: int, default: float = math.nan
) -> float:
    """Return a number of a row; ``default`` where the field is empty.

    Raises
    ------
    InputError
        The field is no number.
    """
    text = row.get(key, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise InputError.of(f"{path}:{line}: {key}", repr(text), "a number")
    return value


def read_polygons(path: Path, crs: str = "wgs84") -> list[tuple[dict[str, Any], Any]]:
    """Read properties and shapely polygons (WGS-84) of a GeoJSON file.

    Raises
    ------
    InputError
        The file is no GeoJSON, or a feature is no polygon.
    """
    import shapely
    from shapely.geometry import shape

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        features = [(f["properties"] or {}, shape(f["geometry"])) for f in data["features"]]
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        shapely.GEOSException,
    ) as error:
        raise InputError.of(str(path), str(error), "a GeoJSON of polygons") from error
    out = []
    for row, (properties, polygon) in enumerate(features):
        if shapely.get_dimensions(polygon) != 2:
            raise InputError.of(f"{path}: feature {row}", polygon.geom_type, "a polygon")
        if crs not in ("wgs84", "cgcs2000"):
            polygon = shapely.transform(
                polygon, lambda p: np.column_stack(to_wgs84(p[:, 0], p[:, 1], crs))
            )
        if not shapely.is_valid(polygon):
            polygon = shapely.make_valid(polygon, method="structure")
        out.append((properties, polygon))
    return out
