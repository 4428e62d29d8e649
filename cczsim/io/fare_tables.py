"""Fares by zone for lines without a feed: ``[transit.fares]`` of a recipe.

Rules, numbered in the code:

1. ``zones`` is a GeoJSON of polygons. A stop in none of them takes the nearest, and is counted.
2. ``prices`` is a CSV ``zones,price``, the price of rides that touch up to so many zones, or
   ``from,to,price``; a pair holds both ways unless the other way has a row of its own.
3. Lines of ``modes`` (all by default) that no feed has fares for take these tickets.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim.columns import Array, texts
from cczsim.errors import FaultCollector, InputError
from cczsim.io.recipe_reader import TEXT, TEXTS, WHOLE, TableReader
from cczsim.io.tables import read_polygons, read_rows
from cczsim.io.zone_tables import Record, numbers
from cczsim.network.transit import MODE_CODE, MODES, TransitNetwork

KEYS: Final = {"zones": TEXT, "id": TEXT, "prices": TEXT, "modes": TEXTS, "transfers": WHOLE}
SYSTEM: Final = "recipe"


def fare_settings(reader: TableReader, data: Any) -> dict[str, Any]:
    """Return the keys of ``[transit.fares]`` that fit."""
    at = ("transit", "fares")
    given = reader.table(data, KEYS, *at)
    for key in ("zones", "prices"):
        if key in given:
            given[key] = reader.file(given[key], *at, key)
        else:
            reader.faults.add(reader.where(*at), f"no {key}", f"transit.fares.{key}, a file")
    for mode in given.get("modes", []):
        if mode not in MODES:
            reader.faults.add(reader.where(*at, "modes"), repr(mode), f"among {', '.join(MODES)}")
    return given


def with_fares(
    transit: TransitNetwork, given: Mapping[str, Any], crs: str = "wgs84"
) -> tuple[TransitNetwork, dict[str, Any]]:
    """Return the network with tickets by zone, and an account of them.

    Parameters
    ----------
    given : mapping
        From :func:`fare_settings`: files ``zones`` and ``prices``; ``id``, the property that names
        a zone (``zone``); ``modes``; ``transfers`` that a ticket allows, any number by default.
    crs : str
        System of the polygons.

    Raises
    ------
    InputError
        A zone without a name, prices of unknown zones, or none.
    """
    key, faults = str(given.get("id", "zone")), FaultCollector(InputError)
    areas = read_polygons(given["zones"], crs)
    names = [str(properties.get(key, "")).strip() for properties, _ in areas]
    for row, name in enumerate(names):
        if not name:
            faults.add(f"{given['zones']}: feature {row}", f"no {key}", "the name of a fare zone")
    tickets = _tickets(given["prices"], set(names), faults)
    faults.raise_if_any()
    codes = [MODE_CODE[mode] for mode in given.get("modes", MODES)]
    lines = np.isin(transit.mode, codes) & (transit.fare_system == "")  # 3
    entries = np.repeat(lines, np.diff(transit.line_first))
    stops = np.unique(transit.line_stop[entries])
    zone = transit.fare_zone.copy()
    zone[stops], outside = _zones_of(transit, stops, names, [polygon for _, polygon in areas])
    system = transit.fare_system.copy()
    system[lines] = SYSTEM
    first, n = transit.size("ticket"), len(tickets["price"])
    more = {
        "ticket_system": texts([SYSTEM] * n),
        "ticket_price": tickets["price"],
        "ticket_transfers": np.full(n, given.get("transfers", -1)),
        "ticket_zones": tickets["zones"],
        "rule_ticket": first + tickets["ticket"],
        "rule_from": texts(tickets["from"]),
        "rule_to": texts(tickets["to"]),
        "rule_route": texts([""] * len(tickets["ticket"])),
        "rule_contains": texts([""] * len(tickets["ticket"])),
    }
    joined = {name: np.concatenate([getattr(transit, name), own]) for name, own in more.items()}
    told = {
        "lines": int(lines.sum()), "zones": len(set(names)), "tickets": n, "stops": len(stops),
        "stops_outside": int(outside),
    }  # fmt: skip
    return transit.replace(fare_zone=zone, fare_system=system, **joined), told


def _tickets(path: Path, known: set[str], faults: FaultCollector) -> dict[str, Any]:
    """Return prices and zones of tickets; ticket, from and to of their rules (2)."""
    rows = read_rows(path, ("price",))
    by_count = bool(rows) and "zones" in rows[0]
    if rows and not by_count and not {"from", "to"} <= set(rows[0]):
        faults.add(f"{path}:1", f"columns {', '.join(rows[0])}", "zones,price or from,to,price")
        rows = []
    elif not rows:
        faults.add(str(path), "no rows", "at least one price")
    out: dict[str, Any] = {"ticket": [], "from": [], "to": []}
    records = [Record(f"{path}:{k}", row) for k, row in enumerate(rows, 2)]
    out["price"] = numbers(records, "price", faults, 0.0)
    out["zones"] = np.zeros(len(rows))
    if by_count:
        out["zones"] = numbers(records, "zones", faults, 1.0)
        rows = []
    pairs = {(row.get("from", ""), row.get("to", "")) for row in rows}
    for k, row in enumerate(rows):
        for own in ("from", "to"):
            if row[own] not in known:
                faults.add(
                    f"{path}:{k + 2}: {own}", repr(row[own]), f"one of {', '.join(sorted(known))}"
                )
        ways = [(row["from"], row["to"])]
        if ways[0][::-1] not in pairs:
            ways.append(ways[0][::-1])
        for begin, end in ways:
            out["ticket"].append(k)
            out["from"].append(begin)
            out["to"].append(end)
    return {**out, "ticket": np.array(out["ticket"], dtype=np.int64)}


def _zones_of(
    transit: TransitNetwork, stops: Array, names: list[str], polygons: list[Any]
) -> tuple[Array, int]:
    """Return the fare zones of stops, and how many of these lie in none (1)."""
    import shapely

    points = shapely.points(transit.stop_lon[stops], transit.stop_lat[stops])
    away = np.array([shapely.distance(polygon, points) for polygon in polygons])
    nearest = away.argmin(axis=0)
    zones = texts([names[k] for k in nearest])
    return zones, int(np.count_nonzero(away.min(axis=0)))
