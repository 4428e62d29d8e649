"""Members of a route relation → its ways, and the stops that it calls at, in order.

Rules, numbered in the code:

1. A member whose role speaks of a platform, or a way without a role that is tagged as one, is a
   platform; one whose role speaks of a stop or halt, or a node without a role that is tagged as a
   stop, is a stop. Other ways are the line's way. Members that are routes themselves stand for
   their own members, down to :data:`DEEPEST` levels.
2. A stop and a platform of the same name or within :data:`SAME_STOP` of each other are one call:
   both lists are matched in their order, so that it does not matter whether they alternate or
   follow one another. The vehicle stops at the stop, and the name is whichever has one.
3. Without a stop or platform, what lies on the line's ways and is tagged as a stop position,
   station, halt or tram stop is called at.
4. Roles with ``forward`` or ``backward`` are calls in this direction of the line only; those with
   ``entry_only`` or ``exit_only`` are taken as full calls.
5. A platform that is a way or an area stands at the mean of its nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from cczsim.columns import Array
from cczsim.osm.extract import MEMBER_KINDS, OsmExtract

DEEPEST: Final = 8
SAME_STOP: Final = 120.0
SAME_NAME: Final = 400.0
RELATION_IDS: Final = 10**15
"""Added to ids of relations, so that they are none of a way's."""
_STOP_TAGS: Final = (
    ("public_transport", ("platform", "stop_position", "station")),
    ("highway", ("bus_stop", "platform")),
    ("railway", ("stop", "station", "halt", "tram_stop", "platform")),
)


class Call(NamedTuple):
    """A place that a line calls at; ``node`` is its row where it is one, else -1."""

    ident: int
    """OSM id: of a node, or negative of a way, or of a relation with ``RELATION_IDS``."""
    node: int
    lon: float
    lat: float
    name: str
    way: str
    """``forward``, ``backward`` or ``""`` (4)."""


@dataclass
class RouteMembers:
    """What a route is made of."""

    ways: list[tuple[int, str]] = field(default_factory=list)
    """Row of the way and its role, in order."""
    calls: list[Call] = field(default_factory=list)
    missing_ways: int = 0
    missing_stops: int = 0
    """Stops or platforms that the extract lacks, whichever are more."""
    derived: bool = False
    """Whether the calls are what lies on the ways (3)."""
    notes: list[str] = field(default_factory=list)


class Places:
    """Where the objects of an extract are, what they are called, and whether they are stops."""

    def __init__(self, extract: OsmExtract) -> None:
        self.extract = extract
        self.words = extract.words
        rows = np.flatnonzero(np.isin(extract.way_id, extract.member_ref))
        self._ways: dict[int, int] = dict(
            zip(extract.way_id[rows].tolist(), rows.tolist(), strict=True)
        )
        self.relation_row = {int(i): row for row, i in enumerate(extract.relation_id.tolist())}

    def tags(self, kind: str, row: int) -> dict[str, str]:
        """Return the tags of an object."""
        e = self.extract
        first = getattr(e, f"{kind}_tag_first")
        span = slice(first[row], first[row + 1])
        keys, values = getattr(e, f"{kind}_tag_key")[span], getattr(e, f"{kind}_tag_value")[span]
        return {
            self.words[k]: self.words[v]
            for k, v in zip(keys.tolist(), values.tolist(), strict=True)
        }

    def way_row(self, ident: int) -> int:
        """Return the row of a way that is a member of something, -1 where the extract lacks it."""
        return self._ways.get(ident, -1)

    def node_row(self, ident: int) -> int:
        """Return the row of a node, -1 where the extract lacks it."""
        return int(self.extract.node_rows(np.array([ident]))[0])

    def way_nodes(self, row: int) -> Array:
        """Return the node rows of a way in order, -1 for those that the extract lacks."""
        e = self.extract
        return e.node_rows(e.way_ref[e.way_ref_first[row] : e.way_ref_first[row + 1]])

    def call(self, kind: str, ident: int, way: str) -> Call | None:
        """Return a place to call at, None where the extract lacks it (5)."""
        if kind == "node":
            row = self.node_row(ident)
            if row < 0:
                return None
            lon, lat = float(self.extract.node_lon[row]), float(self.extract.node_lat[row])
            return Call(ident, row, lon, lat, self.tags("node", row).get("name", ""), way)
        if kind == "way":
            row = self.way_row(ident)
            nodes = self.way_nodes(row) if row >= 0 else np.zeros(0, dtype=np.int64)
            name = self.tags("way", row).get("name", "") if row >= 0 else ""
        else:
            row = self.relation_row.get(ident, -1)
            name = self.tags("relation", row).get("name", "") if row >= 0 else ""
            parts = [self.way_row(ref) for part, ref, _ in members_of(self, row) if part == "way"]
            found = [self.way_nodes(part) for part in parts if part >= 0]
            nodes = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
        nodes = np.unique(nodes[nodes >= 0])
        if not len(nodes):
            return None
        lon = float(self.extract.node_lon[nodes].mean())
        ident += RELATION_IDS if kind == "relation" else 0
        return Call(-ident, -1, lon, float(self.extract.node_lat[nodes].mean()), name, way)

    def is_stop(self, kind: str, row: int) -> bool:
        """Return whether an object is tagged as a stop or platform."""
        tags = self.tags(kind, row)
        return any(tags.get(key) in values for key, values in _STOP_TAGS)


def members_of(places: Places, row: int) -> list[tuple[str, int, str]]:
    """Return kind, id and role of the members of a relation; none for row -1."""
    if row < 0:
        return []
    e = places.extract
    return [
        (MEMBER_KINDS[e.member_kind[k]], int(e.member_ref[k]), places.words[e.member_role[k]])
        for k in range(e.member_first[row], e.member_first[row + 1])
    ]


def _flat(
    places: Places, row: int, seen: tuple[int, ...], notes: list[str]
) -> list[tuple[str, int, str]]:
    """Return the members of a route, with those of routes within it in their place (1)."""
    out = []
    for kind, ref, role in members_of(places, row):
        inner = places.relation_row.get(ref, -1) if kind == "relation" else -1
        if inner < 0 or places.tags("relation", inner).get("type") != "route":
            out.append((kind, ref, role))
        elif inner in seen or len(seen) >= DEEPEST:
            notes.append(
                "a route within itself" if inner in seen else f"routes nested over {DEEPEST} deep"
            )
        else:
            out += _flat(places, inner, (*seen, inner), notes)
    return out


def _part(places: Places, kind: str, ref: int, role: str) -> str:
    """Return whether a member is a ``platform``, a ``stop``, a ``way`` or nothing (1)."""
    words = role.lower()
    if "platform" in words:
        return "platform"
    if "stop" in words or "halt" in words or "station" in words:
        return "stop"
    if kind == "node":
        row = places.node_row(ref)
        return "stop" if row < 0 or places.is_stop("node", row) else ""
    if kind == "way":
        row = places.way_row(ref)
        return "platform" if row >= 0 and places.is_stop("way", row) else "way"
    return ""


def read_members(places: Places, row: int) -> RouteMembers:
    """Return what the route of a row of the extract is made of; never raises."""
    out = RouteMembers()
    lists: dict[str, list[Call | None]] = {"stop": [], "platform": []}
    for kind, ref, role in _flat(places, row, (row,), out.notes):
        part = _part(places, kind, ref, role)
        if part == "way":
            way = places.way_row(ref)
            if way < 0:
                out.missing_ways += 1
            else:
                out.ways.append((way, role.lower()))
        elif part:
            side = next((w for w in ("forward", "backward") if w in role.lower()), "")
            lists[part].append(places.call(kind, ref, side))
    known = {part: [c for c in calls if c is not None] for part, calls in lists.items()}
    out.missing_stops = max(len(lists[p]) - len(known[p]) for p in lists)
    longer, shorter = sorted(lists, key=lambda p: (-len(known[p]), p != "stop"))
    out.calls = _match(known[longer], known[shorter], longer == "stop")  # 2
    if not lists["stop"] and not lists["platform"]:
        out.calls, out.derived = _on_ways(places, out.ways), True
    out.calls = [c for k, c in enumerate(out.calls) if not k or c.ident != out.calls[k - 1].ident]
    return out


def metres(a: Call, b: Call) -> float:
    """Return the distance of two near places, within a few per mille."""
    east = np.cos(np.radians((a.lat + b.lat) / 2)) * (a.lon - b.lon)
    return float(np.hypot(east, a.lat - b.lat)) * 111_200.0


def _match(first: list[Call], second: list[Call], first_are_stops: bool) -> list[Call]:
    """Return both lists as one, a call each where they match in order (2)."""
    n, m = len(first), len(second)
    worth = np.zeros((n, m))
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            gap = metres(a, b)
            if gap <= (SAME_NAME if a.name and a.name == b.name else SAME_STOP):
                worth[i, j] = 2.0 - gap / SAME_NAME
    best = np.zeros((n + 1, m + 1))
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            best[i, j] = max(best[i + 1, j], best[i, j + 1])
            if worth[i, j] > 0.0:
                best[i, j] = max(best[i, j], worth[i, j] + best[i + 1, j + 1])
    out, i, j = [], 0, 0
    while i < n or j < m:
        if i < n and j < m and worth[i, j] > 0.0 and best[i, j] == worth[i, j] + best[i + 1, j + 1]:
            stop, platform = (first[i], second[j]) if first_are_stops else (second[j], first[i])
            out.append(stop._replace(name=stop.name or platform.name, way=stop.way or platform.way))
            i, j = i + 1, j + 1
        elif i < n and (j == m or best[i, j] == best[i + 1, j]):
            out.append(first[i])
            i += 1
        else:
            out.append(second[j])
            j += 1
    return out


def _on_ways(places: Places, ways: Sequence[tuple[int, str]]) -> list[Call]:
    """Return the stops that lie on ways, in their order (3)."""
    out: list[Call] = []
    for row, _ in ways:
        for node in places.way_nodes(row).tolist():
            if node >= 0 and places.is_stop("node", node):
                ident = int(places.extract.node_id[node])
                call = places.call("node", ident, "")
                if call is not None and all(c.ident != ident for c in out):
                    out.append(call)
    return out


def headed(calls: Sequence[Call], way: str) -> list[Call]:
    """Return the calls of one direction of a line that is mapped as one (4)."""
    return [call for call in calls if call.way in ("", way)]
