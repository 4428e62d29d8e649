"""The runs of a line between its calls, along its own ways.

Rules, numbered in the code:

1. A call is put on the nearest point of the line's ways, at its own node where it is one of them;
   beyond :data:`OFF_WAYS` it stays off, and the runs to and from it are as the crow flies.
2. A run is the shortest way over the line's ways from call to call, whatever the order in which
   the ways stand in the relation. Against a one-way street, or the role of a way, each metre
   counts as :data:`AGAINST`, so that a street mapped the wrong way round lengthens nothing but is
   avoided where there is another. Tracks are run both ways.
3. Where ways are missing between two calls, or the run is longer than :data:`ROUND` times the
   crow's, it is as the crow flies.
4. Calls that stand out of order are put in order of their distance from one end along the ways,
   where that is less than :data:`SHORTER` of the length in the order given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import local_crs, project, segment_lengths
from cczsim.osm.route_members import Places, RouteMembers
from cczsim.osm.tag_access import parse_direction
from cczsim.osm.tag_values import parse_speed

OFF_WAYS: Final = 150.0
AGAINST: Final = 5.0
ROUND: Final = 6.0
SHORTER: Final = 0.6


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs between successive calls of a line.

    ``along [run]`` says whether the run follows the ways; ``length [run], m`` is then along them,
    else as the crow flies; ``lon, lat`` are the points of each run, none where it is straight;
    ``limit [run], m/s`` the mean speed limit, 0 where less than half of the run has one.
    """

    along: Array
    length: Array
    lon: list[Array]
    lat: list[Array]
    limit: Array


class RouteWays:
    """The ways of one line as a graph, with the calls of the line on it."""

    def __init__(self, places: Places, members: RouteMembers, on_tracks: bool) -> None:
        self.calls = members.calls
        tail, head, cost, limit = _segments(places, members.ways, on_tracks)
        lon, lat = places.extract.node_lon, places.extract.node_lat
        used, local = np.unique(np.concatenate([tail, head]), return_inverse=True)
        self.lon, self.lat = lon[used], lat[used]
        self._tail, self._head = local[: len(tail)], local[len(tail) :]
        self._cost, self._limit = cost, limit
        self.node = np.full(len(self.calls), -1, dtype=np.int64)
        if len(tail) and self.calls:
            self._place(used)
        self._link()

    def _place(self, used: Array) -> None:
        """Put the calls on the ways (1), splitting what they lie on."""
        rows = np.array([call.node for call in self.calls])
        at = np.clip(np.searchsorted(used, rows), 0, len(used) - 1)
        exact = (rows >= 0) & (used[at] == rows)
        self.node[exact] = at[exact]
        call_lon = np.array([call.lon for call in self.calls])
        call_lat = np.array([call.lat for call in self.calls])
        # One projection for lines of the same half degree: making one takes longer than its use.
        crs = local_crs(
            round(2 * float(call_lon.mean())) / 2, round(2 * float(call_lat.mean())) / 2
        )
        x, y = project(self.lon, self.lat, crs)
        cx, cy = project(call_lon, call_lat, crs)
        ax, ay = x[self._tail], y[self._tail]
        dx, dy = x[self._head] - ax, y[self._head] - ay
        square = np.maximum(dx * dx + dy * dy, 1e-9)
        on_segment: dict[int, list[tuple[float, int]]] = {}
        for k in np.flatnonzero(~exact).tolist():
            t = np.clip(((cx[k] - ax) * dx + (cy[k] - ay) * dy) / square, 0.0, 1.0)
            gap = np.hypot(ax + t * dx - cx[k], ay + t * dy - cy[k])
            best = int(np.argmin(gap))
            if gap[best] > OFF_WAYS:
                continue
            if t[best] in (0.0, 1.0):
                self.node[k] = self._tail[best] if t[best] == 0.0 else self._head[best]
            else:
                on_segment.setdefault(best, []).append((float(t[best]), k))
        self._split(on_segment)

    def _split(self, on_segment: Mapping[int, list[tuple[float, int]]]) -> None:
        lon, lat = [self.lon], [self.lat]
        tails, heads = self._tail.tolist(), self._head.tolist()
        costs, limits = self._cost.tolist(), self._limit.tolist()
        n = len(self.lon)
        for segment, calls in on_segment.items():
            a, b = tails[segment], heads[segment]
            chain = [a]
            for t, k in sorted(calls):
                lon.append(np.array([self.lon[a] + t * (self.lon[b] - self.lon[a])]))
                lat.append(np.array([self.lat[a] + t * (self.lat[b] - self.lat[a])]))
                self.node[k] = n
                chain.append(n)
                n += 1
            chain.append(b)
            heads[segment] = chain[1]
            for u, v in pairwise(chain[1:]):
                tails.append(u)
                heads.append(v)
                costs.append(costs[segment])
                limits.append(limits[segment])
        self.lon, self.lat = np.concatenate(lon), np.concatenate(lat)
        self._tail, self._head = np.array(tails), np.array(heads)
        self._cost, self._limit = np.array(costs), np.array(limits)

    def _link(self) -> None:
        """Make the matrix of the graph, and the ways' metres between the calls."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra

        n, k = len(self.lon), len(self.calls)
        self.metres = np.full((k, k), np.inf)
        np.fill_diagonal(self.metres, 0.0)
        self._before = np.full((k, n), -9999)
        placed = np.flatnonzero(self.node >= 0)
        if not len(placed):
            return
        pair = np.column_stack([self.lon[self._tail], self.lat[self._tail],
                                self.lon[self._head], self.lat[self._head]])  # fmt: skip
        whole = segment_lengths(pair[:, [0, 2]].ravel(), pair[:, [1, 3]].ravel())[::2]
        whole = np.maximum(whole, 1e-3)
        tail = np.concatenate([self._tail, self._head])
        head = np.concatenate([self._head, self._tail])
        cost = np.concatenate([whole * self._cost[:, 0], whole * self._cost[:, 1]])
        order = np.lexsort((cost, head, tail))
        first = order[np.unique(tail[order] * n + head[order], return_index=True)[1]]
        matrix = csr_array((cost[first], (tail[first], head[first])), shape=(n, n))
        limit = np.tile(self._limit, 2)
        self._limit_of = {(int(tail[r]), int(head[r])): float(limit[r]) for r in first.tolist()}
        far, before = dijkstra(matrix, indices=self.node[placed], return_predecessors=True)
        self.metres[np.ix_(placed, placed)] = far[:, self.node[placed]]
        self._before[placed] = before

    def in_order(self, order: Sequence[int]) -> list[int]:
        """Return the calls in the order given, or in that of the ways where it is better (4)."""
        order = list(order)
        if len(order) < 4 or not np.isfinite(self.metres[np.ix_(order, order)]).all():
            return order
        d = np.minimum(self.metres, self.metres.T)[np.ix_(order, order)]
        given = float(d[np.arange(len(order) - 1), np.arange(1, len(order))].sum())
        a, b = np.unravel_index(int(np.argmax(d)), d.shape)
        start = int(min(a, b))
        sorted_ = np.argsort(d[start], kind="stable")
        length = float(d[sorted_[:-1], sorted_[1:]].sum())
        return [order[k] for k in sorted_.tolist()] if length < SHORTER * given else order

    def runs(self, order: Sequence[int]) -> Runs:
        """Return the runs of a line that makes some of the calls, in order (2, 3)."""
        n = max(len(order) - 1, 0)
        along, length, limit = np.zeros(n, dtype=bool), np.zeros(n), np.zeros(n)
        none = np.zeros(0)
        lon, lat = [none] * n, [none] * n
        place = np.array([(self.calls[k].lon, self.calls[k].lat) for k in order]).reshape(-1, 2)
        crow = segment_lengths(place[:, 0], place[:, 1])
        length[:] = crow
        for run, (a, b) in enumerate(pairwise(order)):
            if not np.isfinite(self.metres[a, b]) or self.node[a] == self.node[b]:
                continue
            path = [int(self.node[b])]
            while path[-1] != self.node[a]:
                path.append(int(self._before[a, path[-1]]))
            path = path[::-1]
            steps = segment_lengths(self.lon[path], self.lat[path])
            if steps.sum() > ROUND * max(crow[run], 50.0):
                continue
            along[run], length[run] = True, steps.sum()
            lon[run], lat[run] = self.lon[path], self.lat[path]
            limit[run] = self._mean_limit(path, steps)
        return Runs(along, length, lon, lat, limit)

    def _mean_limit(self, path: Sequence[int], steps: Array) -> float:
        """Return the mean speed limit of a run: its length over the time at the limits."""
        limit = np.array([self._limit_of[a, b] for a, b in pairwise(path)])
        known = limit > 0.0
        if steps[known].sum() < 0.5 * steps.sum() or not known.any():
            return 0.0
        return float(steps[known].sum() / (steps[known] / limit[known]).sum())


def _segments(
    places: Places, ways: Sequence[tuple[int, str]], on_tracks: bool
) -> tuple[Array, Array, Array, Array]:
    """Return ``tail, head [segment]`` node rows, ``cost [segment, 2]`` a metre, limits (2)."""
    tails, heads, costs, limits = [], [], [], []
    for row, role in ways:
        nodes = places.way_nodes(row)
        a, b = nodes[:-1], nodes[1:]
        whole = (a >= 0) & (b >= 0) & (a != b)
        tags = places.tags("way", row)
        forward, backward = (True, True) if on_tracks else _open_ways(tags, role)
        speed = parse_speed(tags["maxspeed"]) if "maxspeed" in tags else None
        n = int(whole.sum())
        tails.append(a[whole])
        heads.append(b[whole])
        costs.append(np.tile([1.0 if forward else AGAINST, 1.0 if backward else AGAINST], (n, 1)))
        limits.append(np.full(n, 0.0 if speed is None else speed.value))
    if not tails:
        return np.zeros(0, int), np.zeros(0, int), np.zeros((0, 2)), np.zeros(0)
    return (np.concatenate(tails), np.concatenate(heads), np.concatenate(costs),
            np.concatenate(limits))  # fmt: skip


def _open_ways(tags: Mapping[str, str], role: str) -> tuple[bool, bool]:
    if role.startswith(("forward", "backward")):
        return role.startswith("forward"), role.startswith("backward")
    if any(tags.get(f"oneway:{who}") == "no" for who in ("bus", "psv")):
        return True, True
    forward, backward, *_ = parse_direction(tags)
    return forward, backward
