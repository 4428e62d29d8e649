"""GMNS folders: ``link.csv`` and ``node.csv``, read and written.

Format: Zephyr Foundation, *General Modeling Network Specification* 0.96. Zones are the nodes with
a ``zone_id``; a folder's ``config.csv`` may name the units (``long_length``, ``speed``), miles and
mph else. Capacity is per lane and hour there, and the link's own here.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapely

from cczsim.errors import FaultCollector, InputError
from cczsim.io.gmns_movements import read_movements, write_movements
from cczsim.io.tntp import read_text
from cczsim.network.geometry import polyline_lengths
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.road import DELAY_FUNCTIONS, NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE, ROAD_CLASSES
from cczsim.network.zones import ZoneSystem

MOVEMENTS: Final = "movement.csv"
_LENGTHS: Final = {
    "mi": 1609.344, "mile": 1609.344, "miles": 1609.344, "km": 1000.0, "kilometer": 1000.0,
    "kilometers": 1000.0, "m": 1.0, "meter": 1.0, "meters": 1.0, "ft": 0.3048, "feet": 0.3048,
}  # fmt: skip
_SPEEDS: Final = {"mph": 0.44704, "mi/h": 0.44704, "km/h": 1 / 3.6, "kph": 1 / 3.6, "m/s": 1.0}
_TRUE: Final = ("1", "true", "yes", "t")
_MAX_FAULTS: Final = 50


@dataclass(frozen=True)
class _Row:
    where: str
    cells: dict[str, str]

    def number(
        self, name: str, faults: FaultCollector, default: float | None = None,
        low: float = -math.inf,
    ) -> float:  # fmt: skip
        text = self.cells.get(name, "").strip()
        if not text and default is not None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < low:
            bound = f" of at least {low:g}" if math.isfinite(low) else ""
            faults.add(f"{self.where}: {name}", repr(text), f"a finite number{bound}")
            return default if default is not None else 0.0
        return value

    def whole(self, name: str, faults: FaultCollector, default: int | None = None) -> int:
        """Return a whole number, such as an id."""
        value = self.number(name, faults, default)
        if value != int(value):
            faults.add(f"{self.where}: {name}", repr(self.cells[name]), "a whole number")
        return int(value)


def _table(path: Path, needed: tuple[str, ...]) -> list[_Row]:
    lines = read_text(path).splitlines()
    if not lines:
        raise InputError.of(str(path), "an empty file", "a header " + ",".join(needed))
    reader = csv.DictReader(lines)
    missing = [name for name in needed if name not in (reader.fieldnames or [])]
    if missing:
        raise InputError.of(f"{path}:1", f"no column {', '.join(missing)}", ", ".join(needed))
    try:
        return [
            _Row(f"{path}:{reader.line_num}", {k: v or "" for k, v in row.items() if k})
            for row in reader
        ]
    except csv.Error as error:
        raise InputError.of(
            f"{path}:{reader.line_num}", f"text that is no CSV ({error})", "cells and commas"
        ) from None


def _ids(rows: list[_Row], name: str, faults: FaultCollector) -> list[int]:
    """Return the ids of all rows; each may stand once."""
    seen: dict[int, str] = {}
    ids = []
    for row in rows:
        number = row.whole(name, faults)
        if number in seen and len(faults.faults) < _MAX_FAULTS:
            faults.add(f"{row.where}: {name}", f"{number} more than once, as in {seen[number]}",
                       "each once")  # fmt: skip
        seen.setdefault(number, row.where)
        ids.append(number)
    return ids


def _units(folder: Path) -> tuple[float, float]:
    """Return metres of a length unit and m/s of a speed unit."""
    path = folder / "config.csv"
    if not path.is_file():
        return _LENGTHS["mi"], _SPEEDS["mph"]
    rows = _table(path, ())
    cells = rows[0].cells if rows else {}
    faults = FaultCollector(InputError)
    found = []
    for name, table in (("long_length", _LENGTHS), ("speed", _SPEEDS)):
        text = cells.get(name, "").strip().lower() or next(iter(table))
        if text not in table:
            faults.add(f"{path}: {name}", repr(text), "one of " + ", ".join(table))
        found.append(table.get(text, 1.0))
    faults.raise_if_any()
    return found[0], found[1]


def is_gmns(folder: Path) -> bool:
    """Return whether a folder holds a GMNS network."""
    return (folder / "link.csv").is_file() and (folder / "node.csv").is_file()


def read_network(folder: Path) -> Network:
    """Read a GMNS folder.

    Links that are not ``directed`` become two. Volume-delay parameters are read from ``vdf_alpha``
    and ``vdf_beta`` (or ``VDF_alpha1``, ``VDF_beta1`` as DTALite writes them), 0.15 and 4 else;
    ``movement.csv`` gives turn rules (:mod:`cczsim.io.gmns_movements`);
    ``vdf_type`` names another function than ``bpr`` (:mod:`cczsim.assignment.delay`), and
    ``background_flow`` is pce/h beside what is assigned.

    Raises
    ------
    InputError
        With every row at fault.
    """
    metre, speed_unit = _units(folder)
    faults = FaultCollector(InputError)
    node_rows = _table(folder / "node.csv", ("node_id", "x_coord", "y_coord"))
    ids = _ids(node_rows, "node_id", faults)
    x = np.array([row.number("x_coord", faults) for row in node_rows])
    y = np.array([row.number("y_coord", faults) for row in node_rows])
    place = {node: k for k, node in enumerate(ids)}
    inside = [k for k, row in enumerate(node_rows) if row.cells.get("zone_id", "").strip()
              not in ("", "0")]  # fmt: skip
    numbers = _ids([node_rows[k] for k in inside], "zone_id", faults)
    zones = sorted((zone, k) for zone, k in zip(numbers, inside, strict=True) if zone > 0)
    rows: list[dict[str, object]] = []
    shapes: list[np.ndarray] = []
    link_rows = _table(folder / "link.csv", ("link_id", "from_node_id", "to_node_id"))
    link_ids = _ids(link_rows, "link_id", faults)
    for link_id, row in zip(link_ids, link_rows, strict=True):
        _read_link(row, link_id, place, metre, speed_unit, rows, shapes, x, y, faults)
        if len(faults.faults) >= _MAX_FAULTS:
            faults.add(str(folder), "more faults than are listed", "a GMNS network")
            break
    if not rows and not faults.faults:
        faults.add(str(folder / "link.csv"), "no links", "at least one link")
    faults.raise_if_any()
    first = np.concatenate([[0], np.cumsum([len(s) for s in shapes])]).astype(np.int64)
    points = np.concatenate(shapes)
    length = np.array([row.pop("length") for row in rows], dtype=float)
    unknown = np.isnan(length)
    length[unknown] = polyline_lengths(first, points[:, 0], points[:, 1])[unknown]
    speed = np.array([row["speed"] for row in rows], dtype=float)
    time = np.array([row.pop("free_flow_time") for row in rows], dtype=float)
    missing = np.isnan(time)
    time[missing] = np.divide(length, speed, out=np.zeros_like(length), where=speed > 0)[missing]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    road = RoadNetwork(
        node_id=np.array(ids),
        node_lon=x,
        node_lat=y,
        length=length,
        free_flow_time=time,
        shape_first=first,
        shape_lon=points[:, 0],
        shape_lat=points[:, 1],
        **columns,  # type: ignore[arg-type]
    )
    system = (
        ZoneSystem(
            zone_id=np.array([z for z, _ in zones]),
            centroid=np.array([k for _, k in zones]),
            zone_lon=x[[k for _, k in zones]],
            zone_lat=y[[k for _, k in zones]],
        )
        if zones
        else None
    )
    turns = None
    if (folder / MOVEMENTS).is_file():
        movements = _table(folder / MOVEMENTS, ("ib_link_id", "ob_link_id"))
        turns = read_movements([(row.where, row.cells) for row in movements], road, faults)
        faults.raise_if_any()
    info = NetworkInfo(name=folder.name, build={"format": "gmns"})
    return Network(info=info, road=road, zones=system, turns=turns)


def _read_link(
    row: _Row, link_id: int, place: dict[int, int], metre: float, speed_unit: float,
    rows: list[dict[str, object]], shapes: list[np.ndarray], x: np.ndarray, y: np.ndarray,
    faults: FaultCollector,
) -> None:  # fmt: skip
    ends = []
    for name in ("from_node_id", "to_node_id"):
        node = row.whole(name, faults)
        if node not in place:
            faults.add(f"{row.where}: {name}", f"node {node}", "a node of node.csv")
        ends.append(place.get(node, 0))
    lanes = row.number("lanes", faults, 1.0, 0.0)
    capacity = row.number("capacity", faults, 1800.0, 0.0) * max(lanes, 1.0)
    if capacity <= 0.0:
        faults.add(f"{row.where}: capacity", f"{capacity:g}", "above 0")
    alpha = "vdf_alpha" if "vdf_alpha" in row.cells else "VDF_alpha1"
    beta = "vdf_beta" if "vdf_beta" in row.cells else "VDF_beta1"
    function = row.cells.get("vdf_type", "").strip().lower() or DELAY_FUNCTIONS[0]
    if function not in DELAY_FUNCTIONS:
        faults.add(f"{row.where}: vdf_type", repr(function), "one of " + ", ".join(DELAY_FUNCTIONS))
        function = DELAY_FUNCTIONS[0]
    kind = row.cells.get("facility_type", "").strip().lower()
    has_length = bool(row.cells.get("length", "").strip())
    has_time = bool(row.cells.get("vdf_fftt", "").strip())
    noted = len(faults.faults)
    speed = row.number("free_speed", faults, 0.0, 0.0)
    no_speed = speed == 0.0 and len(faults.faults) == noted
    made = {
        "link_id": link_id,
        "tail": ends[0],
        "head": ends[1],
        "road_class": CLASS_CODE.get(kind, CLASS_CODE["other"]),
        "capacity": max(capacity, 1e-9),
        "alpha": row.number(alpha, faults, 0.15, 0.0),
        "beta": row.number(beta, faults, 4.0, 0.0),
        "delay_function": DELAY_FUNCTIONS.index(function),
        "background": row.number("background_flow", faults, 0.0, 0.0),
        "lanes": lanes,
        "speed": speed * speed_unit,
        "toll": row.number("toll", faults, 0.0),
        "reverse_link": NO_LINK,
        "name": row.cells.get("name", ""),
        "length": row.number("length", faults, 0.0, 0.0) * metre if has_length else math.nan,
        "free_flow_time": row.number("vdf_fftt", faults, 0.0, 0.0) * 60 if has_time else math.nan,
    }
    if no_speed and not has_time and made["length"] != 0.0:
        faults.add(
            f"{row.where}: free_speed", "no speed and no vdf_fftt", "one of them",
            "without it the link would take no time",
        )  # fmt: skip
    straight = np.array([[x[k], y[k]] for k in ends]) if len(x) else np.zeros((2, 2))
    shape = _shape(row, straight, faults)
    rows.append(made)
    shapes.append(shape)
    directed = row.cells.get("directed", "1").strip().lower() or "1"
    if directed not in _TRUE:
        back = {
            **made,
            "link_id": -int(str(made["link_id"])),
            "tail": ends[1],
            "head": ends[0],
            "reverse_link": len(rows) - 1,
        }
        made["reverse_link"] = len(rows)
        rows.append(back)
        shapes.append(shape[::-1])


def _shape(row: _Row, straight: np.ndarray, faults: FaultCollector) -> np.ndarray:
    text = row.cells.get("geometry", "").strip()
    if not text:
        return straight
    try:
        points = shapely.get_coordinates(shapely.from_wkt(text))
    except shapely.errors.GEOSException:
        points = np.zeros((0, 2))
    if len(points) < 2 or not np.isfinite(points).all():
        faults.add(f"{row.where}: geometry", repr(text[:40]), "a WKT LINESTRING")
        return straight
    return np.asarray(points)


def write_network(network: Network, folder: Path) -> int:
    """Write a network as a GMNS folder, km and km/h, every link directed.

    Returns
    -------
    int
        Turn rules over three links and more, which ``movement.csv`` has no place for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    road, zones = network.road, network.zones
    zone_of = np.full(road.n_nodes, "", dtype=object)
    if zones is not None:
        zone_of[zones.centroid] = [str(z) for z in zones.zone_id]
    _write(folder / "config.csv", ["dataset_name", "long_length", "speed"],
           [[network.info.name, "km", "km/h"]])  # fmt: skip
    _write(
        folder / "node.csv",
        ["node_id", "x_coord", "y_coord", "zone_id"],
        zip(road.node_id, road.node_lon, road.node_lat, zone_of, strict=True),
    )
    first, lon, lat = road.shapes()
    points = np.column_stack([lon, lat])
    lines = [
        shapely.to_wkt(shapely.linestrings(points[first[a] : first[a + 1]]), rounding_precision=9)
        for a in range(road.n_links)
    ]
    lanes = np.maximum(road.lanes, 1.0).astype(float)
    speed = np.where(road.speed > 0, road.speed, 0.0) * 3.6
    _write(
        folder / "link.csv",
        ["link_id", "name", "from_node_id", "to_node_id", "directed", "length", "facility_type",
         "lanes", "free_speed", "capacity", "toll", "vdf_fftt", "vdf_alpha", "vdf_beta",
         "vdf_type", "background_flow", "geometry"],
        zip(
            road.link_id, road.name, road.node_id[road.tail], road.node_id[road.head],
            ["1"] * road.n_links, road.length / 1e3, [ROAD_CLASSES[c] for c in road.road_class],
            lanes, speed, road.capacity / lanes, road.toll, road.free_flow_time / 60, road.alpha,
            road.beta, [DELAY_FUNCTIONS[k] for k in road.delay_function], road.background, lines,
            strict=True,
        ),
    )  # fmt: skip
    if network.turns is None or not network.turns.n_turns:
        (folder / MOVEMENTS).unlink(missing_ok=True)
        return 0
    return write_movements(road, network.turns, folder / MOVEMENTS)


def _write(path: Path, header: list[str], rows: object) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)  # type: ignore[arg-type]
