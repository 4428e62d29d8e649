"""Add lines to a transit network, tied to the stops, zones and walks that are there."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from cczsim.columns import Array
from cczsim.errors import FaultCollector, ScenarioError
from cczsim.network.line_build import (
    LineTable,
    lines_from_table,
    merge_transit,
    with_access,
    with_transfers,
)
from cczsim.network.network import Network
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem
from cczsim.scenario.change_spec import NewLine
from cczsim.scenario.line_rows import LineRow

Effect = tuple[Network, str, dict[str, float], float]
_COLOR = re.compile(r"^#[0-9a-fA-F]{6}$")


def add_lines(network: Network, new: NewLine, where: str) -> Effect:
    """Add the lines of a change, both directions each.

    Walks and zone access of what was there stay as they are; those of the new stops are added by
    the same rules, so that a comparison sees the new lines and nothing else.

    Raises
    ------
    ScenarioError
        A line is there already, its mode is not known, or the network has no zones.
    """
    zones = network.zones
    if zones is None:
        raise ScenarioError.of(where, "a network without zones", "a network with zones")
    rows = _rows(new)
    _check(rows, network.transit, new, where)
    added = lines_from_table(_table(rows, new))
    transit = tie(network.transit, added, zones)
    names = list(dict.fromkeys(row.line for row in rows))
    km = sum(
        float(added.run_length[added.line_first[k] : added.line_first[k + 1]].sum())
        for k in range(0, added.n_lines, 2)
    )
    counts = {
        "lines added": float(added.n_lines),
        "stops added": float(added.n_stops),
        "km added": km / 1e3,
    }
    headways = sorted({float(h) for h in added.headway})
    every = " and ".join(f"{h / 60:g}" for h in headways)
    summary = (
        f"{', '.join(names)} added: {km / 1e3:.1f} km, {added.n_stops} stops, every {every} min"
    )
    return network.replace(transit=transit), summary, counts, float("nan")


def _rows(new: NewLine) -> tuple[LineRow, ...]:
    if new.rows is not None:
        rows: tuple[LineRow, ...] = new.rows
        return rows
    assert new.line is not None
    return tuple(
        LineRow(line=new.line, seq=k, stop_id="", stop_name=s.stop, lon=s.lon, lat=s.lat)
        for k, s in enumerate(new.stops)
    )


def _check(
    rows: tuple[LineRow, ...], transit: TransitNetwork | None, new: NewLine, where: str
) -> None:
    faults = FaultCollector(ScenarioError)
    known: set[str] = set()
    if transit is not None:
        known = {str(name) for name in (*transit.route, *transit.line_id)}
    names = {row.line: row for row in rows}
    for name, row in names.items():
        if {name, row.name, f"{name} →"} & known - {""}:
            faults.add(where, f"line {name!r}, there already", "a line of its own",
                       "take the old one out first, or name the new one otherwise")  # fmt: skip
        if row.mode is None and new.mode is None:
            faults.add(f"{where}.mode", f"no mode for line {name!r}", 'such as mode = "metro"')
    if new.color is not None and not _COLOR.match(new.color):
        faults.add(f"{where}.color", repr(new.color), "a colour such as #c8102e")
    faults.raise_if_any()


def _table(rows: tuple[LineRow, ...], new: NewLine) -> LineTable:
    """Return the rows with what the change says over what the file says.

    A stop without an id is known by its name and place, to about 10 m.
    """

    def over(said: float | None, row: float | None) -> float:
        return said if said is not None else row if row is not None else float("nan")

    seq = {row: k for k, row in enumerate(rows)}
    columns: dict[str, Any] = {
        "line": [r.line for r in rows],
        "mode": [new.mode or r.mode for r in rows],
        "seq": [seq[r] for r in rows],
        "stop_id": [r.stop_id or f"{r.stop_name} {r.lon:.4f} {r.lat:.4f}" for r in rows],
        "stop_name": [r.stop_name for r in rows],
        "lon": [r.lon for r in rows],
        "lat": [r.lat for r in rows],
        "line_name": [r.name for r in rows],
        "headway": [over(new.headway, r.headway) for r in rows],
        "speed": [over(new.speed, r.speed) for r in rows],
        "capacity": [over(new.capacity, r.capacity) for r in rows],
        "color": [new.color or r.color or "" for r in rows],
    }
    return LineTable(**columns)


def tie(before: TransitNetwork | None, added: TransitNetwork, zones: ZoneSystem) -> TransitNetwork:
    """Return both networks as one, with walks to and access of the added stops."""
    reach = with_access(added, zones.zone_lon, zones.zone_lat, zone_radius=zones.walk_radius)
    if before is None:
        return with_transfers(reach).replace(**_access(reach, 0))
    whole = with_transfers(merge_transit(before, added))
    touches = (whole.walk_from >= before.n_stops) | (whole.walk_to >= before.n_stops)
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(before, name), getattr(whole, name)[touches]])
        for name in ("walk_from", "walk_to", "walk_time")
    }
    for name, values in _access(reach, before.n_stops).items():
        columns[name] = np.concatenate([getattr(before, name), values])
    columns["stop_id"] = np.concatenate(
        [before.stop_id, before.stop_id.max(initial=0) + 1 + np.arange(added.n_stops)]
    )
    return whole.replace(**columns)


def _access(transit: TransitNetwork, offset: int) -> dict[str, Array]:
    return {
        "access_zone": transit.access_zone,
        "access_stop": transit.access_stop + offset,
        "access_time": transit.access_time,
    }
