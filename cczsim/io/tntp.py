"""TNTP text files: networks, trip tables, flows, node coordinates.

Format: Transportation Networks for Research Core Team, *Transportation Networks for Research*,
"TNTP format". The files state no units; here their time unit is taken as a minute and their
length unit as a mile unless the caller says otherwise, and both are kept in ``NetworkInfo.build``
(``time_unit_s``, ``length_unit_m``), so that results can be printed in the file's own units.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import FaultCollector, InputError
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.zones import ZoneSystem

MINUTE: Final = 60.0
MILE: Final = 1609.344
ATTRIBUTION: Final = (
    (
        "Transportation Networks for Research Core Team: Transportation Networks for Research "
        "(research use)"
    ),
)
_LINK_FIELDS: Final = (
    "init_node", "term_node", "capacity", "length", "free_flow_time", "b", "power", "speed",
    "toll", "link_type",
)  # fmt: skip
_TAG: Final = re.compile(r"^\s*<([^>]+)>\s*(.*?)\s*$")
_MAX_FAULTS: Final = 50


@dataclass(frozen=True)
class _Text:
    path: Path
    tags: dict[str, tuple[int, str]]
    body: list[tuple[int, str]]

    def where(self, line: int) -> str:
        return f"{self.path}:{line}"


def read_text(path: Path) -> str:
    """Return a text file's content.

    Raises
    ------
    InputError
        The file is missing, cannot be read, or is not UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError.of(str(path), "no such file", "a file", "check the path") from None
    except IsADirectoryError:
        raise InputError.of(str(path), "a folder", "a file") from None
    except UnicodeDecodeError as error:
        raise InputError.of(
            str(path), f"bytes that are no UTF-8 ({error.reason})", "text"
        ) from None
    except OSError as error:
        raise InputError.of(str(path), error.strerror or str(error), "a readable file") from None


def _split(path: Path) -> _Text:
    tags: dict[str, tuple[int, str]] = {}
    body: list[tuple[int, str]] = []
    in_head = True
    for number, raw in enumerate(read_text(path).splitlines(), start=1):
        line = raw.split("~", 1)[0].strip()
        match = _TAG.match(raw) if in_head else None
        if match:
            in_head = match[1].strip().upper() != "END OF METADATA"
            tags.setdefault(match[1].strip().upper(), (number, match[2]))
        elif line:
            body.append((number, line))
    if not tags and not body:
        raise InputError.of(str(path), "an empty file", "a TNTP file")
    return _Text(path, tags, body)


def _whole(text: _Text, tag: str, faults: FaultCollector, low: int = 1) -> int:
    line, value = text.tags.get(tag, (0, ""))
    if not line:
        faults.add(str(text.path), f"no <{tag}>", f"a line <{tag}> with a number")
        return 0
    number = re.match(r"[+-]?\d+", value)
    if number is None or int(number[0]) < low:
        faults.add(text.where(line), f"<{tag}> {value!r}", f"a whole number of at least {low}")
        return 0
    return int(number[0])


def _numbers(words: list[str]) -> list[float] | None:
    try:
        return [float(word) for word in words]
    except ValueError:
        return None


def read_network(
    path: Path, *, time_unit_s: float = MINUTE, length_unit_m: float = MILE
) -> Network:
    """Read a ``_net.tntp`` file; node coordinates come from a ``_node.tntp`` beside it, if any.

    Nodes 1 to the number of zones are the zones; nodes below the first through node may not be
    passed.

    Raises
    ------
    InputError
        With every line at fault.
    """
    text = _split(path)
    faults = FaultCollector(InputError)
    n_zones = _whole(text, "NUMBER OF ZONES", faults)
    n_nodes = _whole(text, "NUMBER OF NODES", faults)
    n_links = _whole(text, "NUMBER OF LINKS", faults)
    first_through = _whole(text, "FIRST THRU NODE", faults)
    if n_zones > n_nodes > 0:
        faults.add(str(path), f"{n_zones} zones and {n_nodes} nodes", "at least as many nodes")
    faults.raise_if_any()
    rows: list[list[float]] = []
    for line, content in text.body:
        words = content.replace(";", " ").split()
        values = _numbers(words)
        if values is None or len(values) < len(_LINK_FIELDS) - 1:
            faults.add(text.where(line), repr(content), "numbers for " + ", ".join(_LINK_FIELDS))
        else:
            rows.append(([*values, 0.0])[: len(_LINK_FIELDS)])
            _check_link(values, n_nodes, text.where(line), faults)
        if len(faults.faults) >= _MAX_FAULTS:
            faults.add(str(path), "more faults than are listed", "a TNTP network")
            break
    if len(rows) != n_links and not faults.faults:
        faults.add(
            str(path), f"{len(rows)} links", f"{n_links}, as <NUMBER OF LINKS> says",
            "the file may be cut off",
        )  # fmt: skip
    faults.raise_if_any()
    table = np.array(rows).reshape(-1, len(_LINK_FIELDS)).T
    tail, head, capacity, length, free_time, b, power, _, toll, _ = table
    lon, lat = _node_places(path, n_nodes)
    nodes = np.arange(n_nodes)
    road = RoadNetwork(
        node_id=nodes + 1,
        node_lon=lon,
        node_lat=lat,
        node_through=nodes + 1 >= first_through,
        link_id=np.arange(len(tail)) + 1,
        tail=tail - 1,
        head=head - 1,
        road_class=np.full(len(tail), CLASS_CODE["other"]),
        length=length * length_unit_m,
        free_flow_time=free_time * time_unit_s,
        capacity=capacity,
        alpha=b,
        beta=power,
        toll=toll,
    )
    zones = ZoneSystem(zone_id=np.arange(n_zones) + 1, centroid=np.arange(n_zones))
    info = NetworkInfo(
        name=path.stem.removesuffix("_net"),
        attribution=ATTRIBUTION,
        build={"format": "tntp", "time_unit_s": time_unit_s, "length_unit_m": length_unit_m},
    )
    return Network(info=info, road=road, zones=zones)


def _check_link(values: list[float], n_nodes: int, where: str, faults: FaultCollector) -> None:
    for name, value in zip(_LINK_FIELDS, values, strict=False):
        if not math.isfinite(value):
            faults.add(where, f"{name} {value}", "a finite number")
    for name, value in zip(_LINK_FIELDS[:2], values[:2], strict=True):
        if math.isfinite(value) and not (value == int(value) and 1 <= value <= n_nodes):
            faults.add(where, f"{name} {value:g}", f"a node from 1 to {n_nodes}")
    if not values[2] > 0.0:
        faults.add(where, f"capacity {values[2]:g}", "above 0")
    for name, value in zip(_LINK_FIELDS[3:7], values[3:7], strict=True):
        if value < 0.0:
            faults.add(where, f"{name} {value:g}", "at least 0")


def _node_places(path: Path, n_nodes: int) -> tuple[Array, Array]:
    """Return coordinates where a node file gives degrees; NaN otherwise."""
    unknown = np.full(n_nodes, np.nan), np.full(n_nodes, np.nan)
    beside = path.with_name(path.name.replace("_net", "_node"))
    if beside == path or not beside.is_file():
        return unknown
    places = read_nodes(beside, n_nodes)
    lon, lat = places
    with np.errstate(invalid="ignore"):
        degrees = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    # Berlin-Center's node file is in a local unit that fits into degrees; real places are spread.
    if not degrees.all() or (np.ptp(lon) > 5 and np.ptp(lat) > 5):
        return unknown
    return places


def read_nodes(path: Path, n_nodes: int) -> tuple[Array, Array]:
    """Read a ``_node.tntp`` file; coordinates are as in the file, NaN for nodes it lacks.

    Raises
    ------
    InputError
        With every line at fault.
    """
    x, y = np.full(n_nodes, np.nan), np.full(n_nodes, np.nan)
    faults = FaultCollector(InputError)
    for number, raw in enumerate(read_text(path).splitlines(), start=1):
        words = raw.split("~", 1)[0].replace(";", " ").split()
        if not words or words[0].lower() == "node":
            continue
        values = _numbers(words[:3])
        if values is None or len(values) < 3 or not 1 <= values[0] <= n_nodes:
            faults.add(f"{path}:{number}", repr(raw.strip()), f"node (1 to {n_nodes}), x, y")
            continue
        x[int(values[0]) - 1], y[int(values[0]) - 1] = values[1], values[2]
    faults.raise_if_any()
    return x, y


def _cells(text: _Text, n_zones: int, faults: FaultCollector) -> Iterator[tuple[int, int, float]]:
    origin = 0
    for line, content in text.body:
        where = text.where(line)
        if content.lower().startswith("origin"):
            words = content.split()
            origin = int(words[1]) if len(words) == 2 and words[1].isdigit() else 0
            if not 1 <= origin <= n_zones:
                faults.add(where, repr(content), f"Origin and a zone from 1 to {n_zones}")
                origin = 0
            continue
        for item in filter(str.strip, content.split(";")):
            words = item.replace(":", " ").split()
            values = _numbers(words)
            if values is None or len(values) != 2 or ":" not in item:
                faults.add(where, repr(item.strip()), "destination : trips")
            elif not (1 <= values[0] <= n_zones and values[0] == int(values[0])):
                faults.add(where, f"destination {words[0]}", f"a zone from 1 to {n_zones}")
            elif not math.isfinite(values[1]) or values[1] < 0.0:
                faults.add(where, f"{words[1]} trips", "a finite number of at least 0")
            elif not origin:
                faults.add(where, repr(item.strip()), "an Origin line before it")
            else:
                yield origin, int(values[0]), values[1]
        if len(faults.faults) >= _MAX_FAULTS:
            faults.add(str(text.path), "more faults than are listed", "a TNTP trip table")
            return


def read_trips(path: Path, n_zones: int) -> Array:
    """Read a ``_trips.tntp`` file as ``[zone, zone], trips/h``; cells given twice add up.

    Raises
    ------
    InputError
        With every line at fault; a file without any cell; a sum that differs by over 1 % from
        what ``<TOTAL OD FLOW>`` says (the file is cut off).
    """
    text = _split(path)
    faults = FaultCollector(InputError)
    stated = _whole(text, "NUMBER OF ZONES", faults)
    if stated and stated != n_zones:
        faults.add(
            text.where(text.tags["NUMBER OF ZONES"][0]), f"{stated} zones",
            f"{n_zones}, as the network has",
        )  # fmt: skip
    faults.raise_if_any()
    trips = np.zeros((n_zones, n_zones))
    count = 0
    for origin, destination, value in _cells(text, n_zones, faults):
        trips[origin - 1, destination - 1] += value
        count += 1
    if not count and not faults.faults:
        faults.add(str(path), "no trips", "lines 'Origin o' and 'd : trips;'")
    line, total = text.tags.get("TOTAL OD FLOW", (0, ""))
    whole = _numbers(total.split()[:1])
    if line and whole and not faults.faults and abs(trips.sum() - whole[0]) > 0.01 * whole[0]:
        faults.add(
            text.where(line), f"a total of {whole[0]:g}, but cells that add up to {trips.sum():g}",
            "the same total", "the file may be cut off",
        )  # fmt: skip
    faults.raise_if_any()
    return trips


def read_flows(path: Path) -> Array:
    """Read a ``_flow.tntp`` file: rows of ``from, to, volume, cost``.

    Raises
    ------
    InputError
        With every line at fault.
    """
    faults = FaultCollector(InputError)
    rows = []
    for number, raw in enumerate(read_text(path).splitlines(), start=1):
        words = raw.split("~", 1)[0].replace(";", " ").replace(":", " ").split()
        if not words or words[0].lower() in ("from", "<number", "<end", "tail"):
            continue
        values = _numbers(words[:4])
        if values is None or len(values) < 4:
            faults.add(f"{path}:{number}", repr(raw.strip()), "from, to, volume, cost")
        else:
            rows.append(values)
    faults.raise_if_any()
    return np.array(rows).reshape(-1, 4)


def write_network(network: Network, path: Path) -> None:
    """Write a ``_net.tntp`` file in the units of ``NetworkInfo.build``, minutes and miles else.

    Raises
    ------
    InputError
        The zones are not the first nodes, or through nodes are mixed with others: TNTP cannot
        say that.
    """
    road, zones = network.road, network.zones
    n_zones = 0 if zones is None else zones.n_zones
    blocked = int((~road.node_through).sum())
    in_front = zones is None or np.array_equal(zones.centroid, np.arange(n_zones))
    if not in_front or road.node_through[:blocked].any():
        raise InputError.of(
            str(path), "zones or nodes without passage that are not the first nodes",
            "zones first", "write GMNS instead",
        )  # fmt: skip
    time_unit = float(network.info.build.get("time_unit_s", MINUTE))
    length_unit = float(network.info.build.get("length_unit_m", MILE))
    lines = [
        f"<NUMBER OF ZONES> {n_zones}",
        f"<NUMBER OF NODES> {road.n_nodes}",
        f"<FIRST THRU NODE> {blocked + 1}",
        f"<NUMBER OF LINKS> {road.n_links}",
        "<END OF METADATA>",
        "",
        "~\t" + "\t".join(_LINK_FIELDS) + "\t;",
    ]
    columns = [
        road.tail + 1, road.head + 1, road.capacity, road.length / length_unit,
        road.free_flow_time / time_unit, road.alpha, road.beta, road.speed / length_unit * 3600,
        road.toll, road.road_class,
    ]  # fmt: skip
    lines += [
        "\t" + "\t".join(repr(item) for item in row) + "\t;"
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_trips(trips: Array, path: Path) -> None:
    """Write a ``_trips.tntp`` file; cells are exact, zeros are left out."""
    lines = [
        f"<NUMBER OF ZONES> {len(trips)}",
        f"<TOTAL OD FLOW> {float(trips.sum())!r}",
        "<END OF METADATA>",
    ]
    for origin, row in enumerate(np.asarray(trips, dtype=float), start=1):
        lines += ["", f"Origin {origin}"]
        lines += [f"{d + 1} : {float(row[d])!r};" for d in np.flatnonzero(row)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
