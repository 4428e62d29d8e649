"""Route relations of an extract → lines with ordered stops, run times and headways.

Rules, numbered in the code (tags: :mod:`cczsim.osm.route_tags`; members:
:mod:`cczsim.osm.route_members`; runs: :mod:`cczsim.osm.route_ways`):

1. A relation becomes a line if at least two of its stops are in the extract; every relation is in
   the account, with its lines or the reason why it has none.
2. It is one direction where ``public_transport:version=2`` stands, a ``route_master`` or another
   relation of the same mode, network and ref stands beside it, ``oneway=yes`` or ``roundtrip=yes``
   says so, or its first stop is its last. Otherwise it is run both ways.
3. Relations of one ``route_master``, else of one mode, network and ref, are one line in a
   passenger's eyes.
4. Calls of rail at one station are one stop: same mode and name within :data:`SAME_STATION`, taken
   from the extract's stations first. Calls of buses are the stop that they are.
5. Run time = length / speed + dwell. The speed is that of the mode, an assumption; on tracks with
   ``maxspeed`` it is the limit, and braking and starting cost limit / :data:`ACCELERATION`:
   derived.
6. Headway: a table by ref or relation id, then the tags, then the mode's default, which is assumed
   and shared by the relations of one line: with n of them it is n / 2 times as long, and not less
   than the default. A line whose tags say that it does not run in the period is left out.
7. A run off the ways is the crow's distance x the mode's detour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from cczsim.columns import texts
from cczsim.network.line_build import MODE_DEFAULTS
from cczsim.network.provenance import Source
from cczsim.network.transit import MODE_CODE, MODES, TransitNetwork
from cczsim.osm.extract import OsmExtract
from cczsim.osm.rail_build import SAME_STATION, RailBuild
from cczsim.osm.route_members import (
    SAME_NAME,
    Call,
    Places,
    RouteMembers,
    headed,
    members_of,
    metres,
    read_members,
)
from cczsim.osm.route_tags import (
    color_of,
    group_labels,
    label_of,
    read_headway,
    route_mode,
)
from cczsim.osm.route_ways import RouteWays, Runs

ACCELERATION: Final = {"metro": 1.0, "tram": 1.0, "light_rail": 1.0, "monorail": 1.0,
                       "rail": 0.5, "maglev": 1.0}  # fmt: skip
"""m/s² of starting and braking, by mode; assumed."""
_STREET_MODES: Final = ("bus", "ferry")


@dataclass(frozen=True)
class RouteSettings:
    """How routes are read.

    Parameters
    ----------
    modes : tuple of str
        Modes to take, all unless given.
    period : str
        Of which headways are read, a key of ``PERIODS``.
    headways : mapping
        Relation id (as text) or ref → seconds; these come first.
    default_headways : mapping
        Mode → seconds, where neither table nor tags say.
    """

    modes: tuple[str, ...] = MODES
    period: str = "peak"
    headways: Mapping[str, float] = field(default_factory=dict)
    default_headways: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RouteBuild:
    """Tracks, stops and lines, and what became of each route relation (plain JSON values)."""

    transit: TransitNetwork
    report: dict[str, Any]


@dataclass(frozen=True, eq=False)
class _Line:
    """One direction of a relation."""

    line_id: str
    mode: str
    calls: list[Call]
    runs: Runs
    headway: float
    headway_source: Source
    color: str


class _Left(Exception):  # noqa: N818
    """Why a relation gives no line."""


def build_routes(
    extract: OsmExtract, rail: RailBuild, settings: RouteSettings | None = None
) -> RouteBuild:
    """Return the tracks and stations of an extract with the lines of its route relations."""
    settings = settings or RouteSettings()
    places = Places(extract)
    masters = _masters(places)
    rows = [
        row for row in range(extract.n_relations)
        if places.tags("relation", row).get("type") == "route"
    ]  # fmt: skip
    tags_of = {row: places.tags("relation", row) for row in rows}
    groups = {row: _group(tags_of[row], row, masters) for row in rows}
    labels = group_labels(groups.values())
    beside: dict[tuple[str, str, str], int] = {}
    for group in groups.values():
        beside[group] = beside.get(group, 0) + 1
    lines: list[_Line] = []
    route: list[str] = []
    each: list[dict[str, Any]] = []
    for row in rows:
        ident, tags = int(extract.relation_id[row]), tags_of[row]
        about: dict[str, Any] = {
            "id": ident, "route": tags.get("route", ""), "ref": tags.get("ref", ""),
            "name": tags.get("name", ""), "lines": 0, "left_out": "",
        }  # fmt: skip
        try:
            mode, why = route_mode(tags)
            if not why and mode not in settings.modes:
                why = f"{mode} is not among the modes taken"
            if why:
                raise _Left(why)
            siblings = beside[groups[row]] + (row in masters and beside[groups[row]] == 1)
            made = _lines(places, row, tags, mode, siblings, settings, about)
            lines += made
            route += [labels[groups[row]] or str(ident)] * len(made)
        except _Left as error:
            about["left_out"] = str(error)
        each.append(about)
    transit = _network(rail, lines, route)
    return RouteBuild(transit, _report(each, lines, len(masters)))


def _masters(places: Places) -> dict[int, int]:
    """Return the row of the route_master of each relation that has one."""
    out: dict[int, int] = {}
    for row in range(places.extract.n_relations):
        if places.tags("relation", row).get("type") == "route_master":
            for kind, ref, _ in members_of(places, row):
                inner = places.relation_row.get(ref, -1) if kind == "relation" else -1
                if inner >= 0:
                    out.setdefault(inner, row)
    return out


def _group(tags: Mapping[str, str], row: int, masters: Mapping[int, int]) -> tuple[str, str, str]:
    """Return what relations of one line have in common (3)."""
    mode = route_mode(tags)[0]
    network = tags.get("network") or tags.get("operator") or ""
    label = label_of(tags)
    if row in masters:
        return mode, network or f"master {masters[row]}", label
    return mode, network, label or f"relation {row}"


def _lines(
    places: Places, row: int, tags: Mapping[str, str], mode: str, siblings: int,
    settings: RouteSettings, about: dict[str, Any],
) -> list[_Line]:  # fmt: skip
    """Return the directed lines of one relation, and say in ``about`` what they rest on."""
    members = read_members(places, row)
    about |= {
        "stops": len(members.calls), "stops_missing": members.missing_stops,
        "ways": len(members.ways), "ways_missing": members.missing_ways,
    }  # fmt: skip
    notes = list(members.notes)
    if mode not in _STREET_MODES:
        members.calls = _once_a_station(members.calls)
    if len(members.calls) < 2:
        raise _Left(_too_few(members))
    if members.derived:
        notes.append("stops are those that lie on its ways")
    graph = RouteWays(places, members, mode not in _STREET_MODES)
    ident = int(places.extract.relation_id[row])
    headway, source, key = _headway(tags, mode, ident, siblings, settings)
    about |= {"headway": headway, "headway_from": key}
    notes += [f"{odd} is not understood" for odd in read_headway(tags, settings.period).odd]
    ends = members.calls[0], members.calls[-1]
    ring = ends[0].ident == ends[1].ident or (
        bool(ends[0].name) and ends[0].name == ends[1].name and metres(*ends) < SAME_NAME
    )
    one_way = (
        tags.get("public_transport:version") == "2" or siblings > 1 or ring
        or tags.get("oneway") == "yes" or tags.get("roundtrip") == "yes"
    )  # fmt: skip
    sides = {call.way for call in members.calls}
    directions = ("",) if one_way and not {"forward", "backward"} <= sides \
        else ("forward", "backward")  # 2  # fmt: skip
    out = []
    for way in directions:
        chosen = headed(members.calls, way) if way else members.calls
        order = [members.calls.index(call) for call in chosen]
        sorted_ = order if ring else graph.in_order(order)
        if sorted_ != order:
            notes.append("stops were out of order and are sorted along its ways")
        if way == "backward" and "backward" not in sides:
            sorted_ = sorted_[::-1]
        sorted_ = [k for n, k in enumerate(sorted_) if not n or k != sorted_[n - 1]]
        if len(sorted_) < 2:
            continue
        out.append(
            _Line(
                line_id=f"r{ident}" + {"": "", "forward": " →", "backward": " ←"}[way],
                mode=mode,
                calls=[members.calls[k] for k in sorted_],
                runs=graph.runs(sorted_),
                headway=headway,
                headway_source=source,
                color=color_of(tags),
            )
        )
    if not out:
        raise _Left("fewer than two stops in any direction")
    off = sum(int((~line.runs.along).sum()) for line in out)
    about |= {"lines": len(out), "runs": sum(len(line.runs.along) for line in out),
              "runs_off_ways": off, "notes": list(dict.fromkeys(notes)),
              "km": float(sum(line.runs.length.sum() for line in out)) / 1e3}  # fmt: skip
    return out


def _once_a_station(calls: list[Call]) -> list[Call]:
    """Return the calls without those at the station of the call before (4)."""
    out: list[Call] = []
    for call in calls:
        last = out[-1] if out else None
        same = last is not None and bool(call.name) and call.name == last.name
        if not (same and last is not None and metres(call, last) <= SAME_STATION):
            out.append(call)
    return out


def _too_few(members: RouteMembers) -> str:
    if members.missing_stops:
        return "fewer than two of its stops are in the extract"
    if members.calls:
        return "only one stop"
    if members.derived and not members.ways:
        return "none of its members is in the extract" if members.missing_ways else "no members"
    return "no stops among its members or on its ways"


def _headway(
    tags: Mapping[str, str], mode: str, ident: int, siblings: int, settings: RouteSettings
) -> tuple[float, Source, str]:
    """Return headway, provenance and what it comes from (6)."""
    for key in (str(ident), tags.get("ref", "")):
        if key and key in settings.headways:
            return settings.headways[key], Source.USER, "table"
    tagged = read_headway(tags, settings.period)
    if math.isinf(tagged.seconds):
        raise _Left(f"does not run in the period ({tagged.key})")
    if tagged.seconds:
        return tagged.seconds, Source.TAGGED, tagged.key
    default = settings.default_headways.get(mode, MODE_DEFAULTS[mode][0])
    return default * max(siblings / 2, 1.0), Source.DEFAULT, "assumed for the mode"


class _Stops:
    """Stops of the network: the stations of the extract first, then what lines call at (4)."""

    def __init__(self, rail: RailBuild) -> None:
        t = rail.transit
        self.id = t.stop_id.tolist()
        self.name = [str(name) for name in t.stop_name]
        self.lon, self.lat = t.stop_lon.tolist(), t.stop_lat.tolist()
        self._at: dict[tuple[str, int], int] = {}
        self._stations: dict[tuple[str, str], list[int]] = {}
        self._row_of_id = {ident: row for row, ident in enumerate(self.id)}
        for row, code in enumerate(rail.stop_mode.tolist()):
            self._stations.setdefault((MODES[code], self.name[row]), []).append(row)

    def row(self, call: Call, mode: str) -> int:
        """Return the row of the stop that a call is at, a new one if need be."""
        known = self._at.get((mode, call.ident), self._row_of_id.get(call.ident))
        if known is None and mode not in _STREET_MODES and call.name:
            near = [
                row for row in self._stations.get((mode, call.name), [])
                if metres(call, Call(0, -1, self.lon[row], self.lat[row], "", "")) <= SAME_STATION
            ]  # fmt: skip
            known = near[0] if near else None
        if known is None:
            known = len(self.id)
            self.id.append(call.ident)
            self.name.append(call.name)
            self.lon.append(call.lon)
            self.lat.append(call.lat)
            self._row_of_id[call.ident] = known
            if mode not in _STREET_MODES:
                self._stations.setdefault((mode, call.name), []).append(known)
        self.name[known] = self.name[known] or call.name
        self._at[mode, call.ident] = known
        return known


def _network(rail: RailBuild, lines: list[_Line], route: list[str]) -> TransitNetwork:
    stops = _Stops(rail)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("line_stop", "run_time", "run_length", "shape_lon", "shape_lat",
                              "capacity", "time_source")
    }  # fmt: skip
    first, points = [0], [0]
    for line in lines:
        rows = [stops.row(call, line.mode) for call in line.calls]
        _, speed, dwell, capacity, detour = MODE_DEFAULTS[line.mode]
        time, length, source = _times(line, speed, dwell, detour)
        columns["line_stop"] += rows
        columns["run_time"] += [*time.tolist(), 0.0]
        columns["run_length"] += [*length.tolist(), 0.0]
        columns["capacity"].append(capacity)
        columns["time_source"].append(int(source))
        for k in range(len(rows)):
            last = k == len(rows) - 1
            points.append(0 if last else len(line.runs.lon[k]))
        columns["shape_lon"] += line.runs.lon
        columns["shape_lat"] += line.runs.lat
        first.append(first[-1] + len(rows))
    none = np.zeros(0)
    tracks = {n: getattr(rail.transit, n) for n in TransitNetwork.specs() if n.startswith("track_")}
    return TransitNetwork(
        **tracks,
        stop_id=np.array(stops.id, dtype=np.int64),
        stop_name=texts(stops.name),
        stop_lon=np.array(stops.lon, dtype=float),
        stop_lat=np.array(stops.lat, dtype=float),
        line_id=texts([line.line_id for line in lines]),
        route=texts(route),
        mode=np.array([MODE_CODE[line.mode] for line in lines], dtype=np.int8),
        headway=np.array([line.headway for line in lines], dtype=float),
        headway_source=np.array([int(line.headway_source) for line in lines], dtype=np.int8),
        run_time_source=np.array(columns["time_source"], dtype=np.int8),
        seats_and_standing=np.array(columns["capacity"], dtype=float),
        color=texts([line.color or "#3366aa" for line in lines]),
        line_first=np.array(first),
        line_stop=np.array(columns["line_stop"], dtype=np.int64),
        run_time=np.array(columns["run_time"], dtype=float),
        run_length=np.array(columns["run_length"], dtype=float),
        shape_first=np.cumsum(points),
        shape_lon=np.concatenate([none, *columns["shape_lon"]]),
        shape_lat=np.concatenate([none, *columns["shape_lat"]]),
    )


def _times(line: _Line, speed: float, dwell: float, detour: float) -> tuple[Any, Any, Source]:
    """Return run times and lengths, and where the times come from (5, 7)."""
    length = np.where(line.runs.along, line.runs.length, line.runs.length * detour)
    time = length / speed + dwell
    limit = line.runs.limit
    if line.mode in ACCELERATION and (limit > 0.0).any():
        known = limit > 0.0
        at_limit = length[known] / limit[known] + limit[known] / ACCELERATION[line.mode]
        time[known] = at_limit + dwell
        if length[known].sum() >= 0.5 * length.sum():
            return time, length, Source.DERIVED
    return time, length, Source.DEFAULT


def _report(each: list[dict[str, Any]], lines: list[_Line], n_in_masters: int) -> dict[str, Any]:
    """Return the account of route relations."""
    by_route: dict[str, dict[str, Any]] = {}
    for about in each:
        row = by_route.setdefault(
            about["route"], {"relations": 0, "built": 0, "lines": 0, "left_out": {}}
        )
        row["relations"] += 1
        row["built"] += bool(about["lines"])
        row["lines"] += about["lines"]
        if about["left_out"]:
            row["left_out"][about["left_out"]] = row["left_out"].get(about["left_out"], 0) + 1
    sources = [line.headway_source for line in lines]
    return {
        "relations": len(each),
        "in_route_masters": n_in_masters,
        "lines": len(lines),
        "by_route": dict(sorted(by_route.items())),
        "headways": {s.name.lower(): sources.count(s) for s in Source if s in sources},
        "each": each,
    }
