"""User classes of an assignment as TOML: demand, weight, tolls and closed links of each."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from cczsim.assignment.user_classes import UserClass
from cczsim.columns import Array
from cczsim.errors import CczsimError, InputError
from cczsim.io.matrices import read_matrix
from cczsim.io.recipe_reader import NUMBER, TEXT, TEXTS, TableReader
from cczsim.io.tables import read_rows
from cczsim.io.toml_lines import key_lines
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import ROAD_CLASSES

_KEYS = {
    "name": TEXT, "trips": TEXT, "matrix": TEXT, "pce": NUMBER, "toll_factor": NUMBER,
    "value_of_time": NUMBER, "distance_factor": NUMBER, "closed_links": TEXT,
    "closed_classes": TEXTS,
}  # fmt: skip


def read_classes(
    path: Path, road: RoadNetwork, zone_id: Array, time_unit: float, length_unit: float
) -> list[UserClass]:
    """Read user classes.

    Each ``[[class]]`` has a ``name`` and ``trips`` (a matrix file; ``matrix`` names one of several
    in it, vehicles/h). ``pce`` is 1 unless given. Tolls count by ``toll_factor``, in the network's
    time unit for a unit of toll, or by ``value_of_time``, units of toll for an hour;
    ``distance_factor`` is in time for a unit of length. ``closed_links`` is a CSV
    ``from_node,to_node``, ``closed_classes`` names road classes.

    Raises
    ------
    InputError
        With every fault, by file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError.of(str(path), str(error), "user classes as TOML") from None
    reader = TableReader(path, key_lines(text))
    tables = data.get("class")
    if not isinstance(tables, list) or not tables or set(data) != {"class"}:
        found = ", ".join(data) or "nothing"
        raise InputError.of(str(path), found, "tables [[class]] and nothing else")
    classes = [
        _read_class(reader, k, table, road, zone_id, time_unit, length_unit)
        for k, table in enumerate(tables)
    ]
    names = [one.name for one in classes]
    for k, name in enumerate(names):
        if name in names[:k]:
            reader.faults.add(reader.where("class", k, "name"), repr(name), "a name of its own")
    reader.faults.raise_if_any()
    return classes


def _read_class(
    reader: TableReader, k: int, table: Any, road: RoadNetwork, zone_id: Array, time_unit: float,
    length_unit: float,
) -> UserClass:  # fmt: skip
    at = ("class", k)
    known = reader.table(table, _KEYS, *at)
    for key in ("name", "trips"):
        if key not in table:
            reader.faults.add(reader.where(*at), f"no {key}", f"a {key}")
    demand = np.zeros((len(zone_id), len(zone_id)))
    if "trips" in known:
        file = reader.file(known["trips"], *at, "trips")
        if file.exists():
            try:
                demand = read_matrix(file, zone_id, known.get("matrix"))
            except CczsimError as error:
                reader.faults.extend(error.faults)
    pce = float(known.get("pce", 1.0))
    if pce <= 0.0:
        reader.faults.add(reader.where(*at, "pce"), f"{pce:g}", "above 0")
    toll = float(known.get("toll_factor", 0.0)) * time_unit
    if "value_of_time" in known:
        value = float(known["value_of_time"])
        if "toll_factor" in known or value <= 0.0:
            reader.faults.add(
                reader.where(*at, "value_of_time"), f"{value:g}", "above 0, and no toll_factor"
            )
        else:
            toll = 3600.0 / value
    return UserClass(
        name=known.get("name", ""), demand=demand, pce=pce, toll_factor=toll,
        distance_factor=float(known.get("distance_factor", 0.0)) * time_unit / length_unit,
        closed=_closed(reader, at, known, road),
    )  # fmt: skip


def _closed(
    reader: TableReader, at: tuple[str | int, ...], known: dict[str, Any], road: RoadNetwork
) -> Array:
    closed = np.zeros(road.n_links, dtype=bool)
    for name in known.get("closed_classes", []):
        if name in ROAD_CLASSES:
            closed |= road.road_class == ROAD_CLASSES.index(name)
        else:
            reader.faults.add(
                reader.where(*at, "closed_classes"), repr(name), "of " + ", ".join(ROAD_CLASSES)
            )
    if "closed_links" in known:
        file = reader.file(known["closed_links"], *at, "closed_links")
        if file.exists():
            closed[_rows_of_links(reader, file, road)] = True
    return np.flatnonzero(closed)


def _rows_of_links(reader: TableReader, file: Path, road: RoadNetwork) -> list[int]:
    try:
        rows = read_rows(file, ("from_node", "to_node"))
    except CczsimError as error:
        reader.faults.extend(error.faults)
        return []
    found: list[int] = []
    for number, row in enumerate(rows, 2):
        links = links_between(road, row["from_node"], row["to_node"])
        if not len(links):
            pair = f"{row['from_node']} to {row['to_node']}"
            reader.faults.add(
                f"{file}:{number}", f"no link {pair}", "ids of nodes that a link joins"
            )
        found += links.tolist()
    return found


def links_between(road: RoadNetwork, from_node: str, to_node: str) -> Array:
    """Return the rows of the links from a node to a node, by their ids as text; none if not ids."""
    try:
        tail, head = int(from_node), int(to_node)
    except ValueError:
        return np.zeros(0, dtype=np.int64)
    ends = (road.node_id[road.tail] == tail) & (road.node_id[road.head] == head)
    return np.flatnonzero(ends)
