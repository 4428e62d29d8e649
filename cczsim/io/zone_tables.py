"""Rows of zones from files: CSV, GeoJSON, GeoPackage, tables of H3 cells; faults with their row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from cczsim.columns import Array
from cczsim.errors import FaultCollector, InputError
from cczsim.io.tables import read_polygons, read_rows, to_wgs84


@dataclass(frozen=True, eq=False)
class Record:
    """One row of a file: where it stands, its values by column, its polygon where it has one."""

    where: str
    values: Mapping[str, Any]
    polygon: Any = None


def read_records(path: Path, crs: str = "wgs84") -> list[Record]:
    """Read a CSV, a GeoJSON or a GeoPackage of polygons (then WGS-84).

    Parameters
    ----------
    path : Path
    crs : str
        System of a GeoJSON's coordinates; a GeoPackage names its own.

    Raises
    ------
    InputError
        The file cannot be read, is empty, or holds other shapes.
    """
    ending = path.suffix.lower()
    if ending == ".csv":
        records = [Record(f"{path}:{k}", row) for k, row in enumerate(read_rows(path, ()), 2)]
    elif ending in (".geojson", ".json"):
        records = [
            Record(f"{path}: feature {k}", values, polygon)
            for k, (values, polygon) in enumerate(read_polygons(path, crs), 1)
        ]
    elif ending == ".gpkg":
        records = _read_geopackage(path)
    else:
        raise InputError.of(str(path), f"the ending {ending!r}", ".csv, .geojson or .gpkg")
    if not records:
        raise InputError.of(str(path), "no rows", "at least one zone")
    return records


def _read_geopackage(path: Path) -> list[Record]:
    import geopandas
    import pyogrio
    import shapely

    try:
        table = geopandas.read_file(path)
    except (pyogrio.errors.DataSourceError, OSError, ValueError) as error:
        raise InputError.of(str(path), str(error), "a GeoPackage of polygons") from None
    if table.crs is None:
        raise InputError.of(str(path), "no coordinate system", "a file that names its own")
    out = []
    shapes = table.geometry.to_crs("EPSG:4326")
    plain = table.drop(columns=table.geometry.name).to_dict("records")
    for row, (values, polygon) in enumerate(zip(plain, shapes, strict=True), 1):
        where = f"{path}: feature {row}"
        if polygon is None or shapely.get_dimensions(polygon) != 2:
            found = "no shape" if polygon is None else polygon.geom_type
            raise InputError.of(where, found, "a polygon")
        if not shapely.is_valid(polygon):
            polygon = shapely.make_valid(polygon, method="structure")
        out.append(Record(where, values, polygon))
    return out


def need_columns(records: Sequence[Record], path: Path, names: Mapping[str, str]) -> None:
    """Raise unless every column is there.

    Parameters
    ----------
    names : mapping of str to str
        Key of the recipe to name of the column.

    Raises
    ------
    InputError
        With a fault for each column that is missing, and the key that would name another.
    """
    there = list(dict.fromkeys(key for record in records for key in record.values))
    faults = FaultCollector(InputError)
    for key, name in names.items():
        if name not in there:
            near = get_close_matches(name, there, 1, 0.5)
            faults.add(
                f"{path}:1" if path.suffix.lower() == ".csv" else str(path),
                f"no column {name!r} (zones.{key}) among {', '.join(there) or 'none'}",
                f"the column that zones.{key} names",
                f"did you mean {near[0]!r}?" if near else f"set zones.{key} to its name",
            )
    faults.raise_if_any()


def numbers(
    records: Sequence[Record], name: str, faults: FaultCollector,
    low: float = 0.0, high: float = math.inf,
) -> Array:  # fmt: skip
    """Return a column as numbers, ``[record]``; those that are none or out of range are faults."""
    out = np.zeros(len(records))
    for row, record in enumerate(records):
        given = record.values.get(name)
        try:
            value = float(given)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value) or not low <= value <= high:
            found = "nothing" if given in (None, "") else str(given)
            wanted = f"{low:g} or more" if high == math.inf else f"{low:g} to {high:g}"
            faults.add(f"{record.where}: {name}", found, f"a number, {wanted}")
            continue
        out[row] = value
    return out


def filled(records: Sequence[Record], name: str) -> tuple[list[Record], int]:
    """Return records with 0 where a column is empty, and how many were."""
    empty = [record.values.get(name) in (None, "") for record in records]
    out = [
        replace(record, values={**record.values, name: 0.0}) if none else record
        for record, none in zip(records, empty, strict=True)
    ]
    return out, sum(empty)


def labels(records: Sequence[Record], name: str | None) -> list[str]:
    """Return a column as texts; empty where there is no column or no value."""
    if name is None:
        return [""] * len(records)
    given = [record.values.get(name) for record in records]
    return ["" if v is None or v != v else str(v).strip() for v in given]  # NaN is not itself


def unique_ids(records: Sequence[Record], name: str, faults: FaultCollector) -> list[str]:
    """Return a column of ids; empty ones and those that stand twice are faults."""
    ids = labels(records, name)
    seen: dict[str, str] = {}
    for record, text in zip(records, ids, strict=True):
        if not text:
            faults.add(f"{record.where}: {name}", "nothing", "an id")
        elif text in seen:
            faults.add(
                f"{record.where}: {name}", f"{text!r}, which {seen[text]} has", "an id of its own"
            )
        else:
            seen[text] = record.where
    return ids


def points(records: Sequence[Record], faults: FaultCollector, crs: str) -> tuple[Array, Array]:
    """Return the columns lon and lat in WGS-84."""
    geographic = not crs.lower().startswith("epsg")
    wide = (-180.0, 180.0) if geographic else (-math.inf, math.inf)
    high = (-90.0, 90.0) if geographic else (-math.inf, math.inf)
    lon = numbers(records, "lon", faults, *wide)
    lat = numbers(records, "lat", faults, *high)
    return (lon, lat) if faults.faults else to_wgs84(lon, lat, crs)
