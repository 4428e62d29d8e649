"""Tracks as a graph between stops: which stops follow each other, and lines of a table along them.

Rules, numbered in the code:

1. Tracks meet where they have a point in common, and are run both ways.
2. A stop is tied to the nearest point of each track of its mode within :data:`REACH`; those within
   :data:`PLATFORM` of the nearest one count, so that a line may change from one track of a station
   to the other. The way to a track costs :data:`ASIDE` times its length, and is no part of a run.
3. A run is the shortest way over tracks. It is taken where it is at most :data:`ROUND` times as
   long as the crow flies; else the run stays as it was, and is counted.
4. Time between stops grows with the length, the dwell of the mode taken off first.
5. Two stops are neighbours where the shortest way between them passes no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import local_crs, polyline_lengths, project, unproject
from cczsim.network.line_build import MODE_DEFAULTS
from cczsim.network.transit import MODES, TransitNetwork

REACH: Final = 400.0
PLATFORM: Final = 80.0
ASIDE: Final = 3.0
ROUND: Final = 2.0
MOST: Final = 50_000_000
"""Stops times points of tracks above which no graph of stations is made: it takes minutes."""


@dataclass(frozen=True, eq=False)
class _Graph:
    """Points, steps between them, and the points of stops behind those of tracks."""

    lon: Array
    lat: Array
    tail: Array
    head: Array
    cost: Array
    n_track_points: int
    tied: Array
    """Number of the stop that a point is tied to, or -1, ``[point]``."""


class TrackGraph:
    """The tracks of one mode with some stops on them.

    Parameters
    ----------
    transit : TransitNetwork
        Its tracks.
    mode : int
        Index into ``MODES``.
    lon, lat : array [stop], deg
    """

    def __init__(self, transit: TransitNetwork, mode: int, lon: Array, lat: Array) -> None:
        self.n_stops = len(lon)
        self._crs = local_crs(float(np.mean(lon)), float(np.mean(lat)))
        self._stop_xy = np.column_stack(project(lon, lat, self._crs))
        self._graph = self._build(transit, mode, lon, lat)
        self._steps = self._matrix()

    def _build(self, transit: TransitNetwork, mode: int, lon: Array, lat: Array) -> _Graph:
        first, t_lon, t_lat = transit.track_first, transit.track_lon, transit.track_lat
        assert first is not None
        assert t_lon is not None
        assert t_lat is not None
        track = np.repeat(np.arange(len(first) - 1), np.diff(first))
        own = transit.track_mode[track] == mode
        track, t_lon, t_lat = track[own], t_lon[own], t_lat[own]
        place, point = np.unique(np.column_stack([t_lon, t_lat]), axis=0, return_inverse=True)  # 1
        point = point.ravel()
        step = np.flatnonzero((track[1:] == track[:-1]) & (point[1:] != point[:-1]))
        tail, head, of_track = point[step], point[step + 1], track[step]
        x, y = project(place[:, 0], place[:, 1], self._crs)
        px, py = [*x], [*y]
        cuts: dict[int, list[tuple[float, int]]] = {}
        ties: list[tuple[int, int, float]] = []
        n = len(place)
        for stop in range(self.n_stops):  # 2
            for segment, share, gap in self._nearest(x, y, tail, head, of_track, stop):
                a, b = tail[segment], head[segment]
                if share in (0.0, 1.0):
                    ties.append((stop, int(a if share == 0.0 else b), gap))
                    continue
                px.append(x[a] + share * (x[b] - x[a]))
                py.append(y[a] + share * (y[b] - y[a]))
                cuts.setdefault(segment, []).append((share, n))
                ties.append((stop, n, gap))
                n += 1
        ends = [(int(tail[k]), int(head[k])) for k in range(len(tail)) if k not in cuts]
        for segment, marks in cuts.items():
            chain = [int(tail[segment]), *(p for _, p in sorted(marks)), int(head[segment])]
            ends += list(pairwise(chain))
        all_x, all_y = np.array(px), np.array(py)
        a, b = np.array(ends, dtype=np.int64).reshape(-1, 2).T
        cost = np.hypot(all_x[a] - all_x[b], all_y[a] - all_y[b])
        tied = np.full(n + self.n_stops, -1)
        for stop, at, _ in ties:
            tied[at] = stop
        stops = np.array([n + stop for stop, *_ in ties], dtype=np.int64)
        points = np.array([at for _, at, _ in ties], dtype=np.int64)
        aside = ASIDE * np.array([gap for *_, gap in ties]) + 1.0
        out_lon, out_lat = unproject(all_x, all_y, self._crs)
        out_lon[: len(place)], out_lat[: len(place)] = place[:, 0], place[:, 1]
        return _Graph(
            np.concatenate([out_lon, lon]), np.concatenate([out_lat, lat]),
            np.concatenate([a, stops]), np.concatenate([b, points]),
            np.concatenate([np.maximum(cost, 1e-6), aside]), n, tied,
        )  # fmt: skip

    def _nearest(
        self, x: Array, y: Array, tail: Array, head: Array, of_track: Array, stop: int
    ) -> list[tuple[int, float, float]]:
        """Return segment, place on it and distance of the nearest point of each near track."""
        if not len(tail):
            return []
        sx, sy = self._stop_xy[stop]
        dx, dy = x[head] - x[tail], y[head] - y[tail]
        square = np.maximum(dx * dx + dy * dy, 1e-9)
        share = np.clip(((sx - x[tail]) * dx + (sy - y[tail]) * dy) / square, 0.0, 1.0)
        gap = np.hypot(x[tail] + share * dx - sx, y[tail] + share * dy - sy)
        least = float(gap.min())
        if least > REACH:
            return []
        near = np.flatnonzero(gap <= min(REACH, least + PLATFORM))
        near = near[np.lexsort((gap[near], of_track[near]))]
        new = np.ones(len(near), dtype=bool)
        new[1:] = of_track[near][1:] != of_track[near][:-1]
        return [(int(k), float(share[k]), float(gap[k])) for k in near[new]]

    def _matrix(self) -> Any:
        from scipy.sparse import coo_array

        g = self._graph
        low, high = np.minimum(g.tail, g.head), np.maximum(g.tail, g.head)
        order = np.lexsort((g.cost, high, low))
        low, high, cost = low[order], high[order], g.cost[order]
        new = np.ones(len(low), dtype=bool)  # of steps twice, the shorter
        new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        size = (len(g.lon), len(g.lon))
        return coo_array((cost[new], (low[new], high[new])), shape=size).tocsr()

    def _search(self, stop: int, limit: float = np.inf) -> tuple[Array, Array]:
        """Return costs and points before, ``[point]``, from one stop as far as a limit."""
        from scipy.sparse.csgraph import dijkstra

        distance, before = dijkstra(
            self._steps, directed=False, indices=self._graph.n_track_points + stop,
            return_predecessors=True, limit=limit,
        )  # fmt: skip
        return distance, before

    def _chain(self, before: Array, at: int) -> Array:
        """Return the points of tracks from a stop to a point."""
        chain = []
        while at >= 0:
            if at < self._graph.n_track_points:
                chain.append(at)
            at = int(before[at])
        return np.array(chain[::-1], dtype=np.int64)

    def run(self, begin: int, end: int) -> tuple[Array, Array] | None:
        """Return the points of the run between two stops, None where there is none (3)."""
        g = self._graph
        crow = float(np.hypot(*(self._stop_xy[begin] - self._stop_xy[end])))
        longest = ROUND * max(crow, 200.0)
        distance, before = self._search(begin, longest + 2 * (ASIDE * REACH + 1.0))
        at = g.n_track_points + end
        if not np.isfinite(distance[at]):
            return None
        path = self._chain(before, at)
        if len(path) < 2:
            return None
        lon, lat = g.lon[path], g.lat[path]
        length = polyline_lengths(np.array([0, len(path)]), lon, lat)[0]
        return (lon, lat) if length <= longest else None

    def neighbours(self) -> list[tuple[int, int, float]]:
        """Return pairs of stops that follow each other on tracks, with metres along them (5)."""
        g = self._graph
        points = np.arange(len(g.lon))
        best: dict[tuple[int, int], float] = {}
        for stop in range(self.n_stops):
            distance, before = self._search(stop)
            hop = np.where(before >= 0, before, points)
            passed = ((g.tied >= 0) & (g.tied != stop)) | (points >= g.n_track_points)
            passed[g.n_track_points + stop] = False
            # A point lies behind another stop if one before it does; twice as far each time.
            behind = np.where(hop == points, False, passed[hop])
            for _ in range(max(int(np.ceil(np.log2(len(points) + 1))), 1)):
                behind, hop = behind | behind[hop], hop[hop]
            found = np.isfinite(distance) & (g.tied > stop) & ~behind
            for point in np.flatnonzero(found).tolist():
                pair = stop, int(g.tied[point])
                metres = float(distance[point] - distance[self._chain(before, point)[0]])
                best[pair] = min(metres, best.get(pair, np.inf))
        return [(a, b, metres) for (a, b), metres in sorted(best.items())]


def lines_on_tracks(
    lines: TransitNetwork, tracks: TransitNetwork
) -> tuple[TransitNetwork, dict[str, Any]]:
    """Return lines with their runs along tracks of their mode, and an account (3, 4)."""
    report: dict[str, Any] = {"lines": lines.n_lines, "runs": 0, "runs_on_tracks": 0, "off": []}
    if tracks.track_first is None or not len(tracks.track_mode):
        return lines, report
    length, time = lines.run_length.copy(), lines.run_time.copy()
    shapes: list[tuple[Array, Array] | None] = _shapes(lines)
    first = lines.line_first
    for mode in np.unique(lines.mode).tolist():
        if not (tracks.track_mode == mode).any():
            continue
        rows = np.flatnonzero(lines.mode == mode)
        entries = np.concatenate([np.arange(first[k], first[k + 1]) for k in rows])
        stops, local = np.unique(lines.line_stop[entries], return_inverse=True)
        graph = TrackGraph(tracks, mode, lines.stop_lon[stops], lines.stop_lat[stops])
        place = np.full(lines.n_stops, -1)
        place[lines.line_stop[entries]] = local.ravel()
        dwell = MODE_DEFAULTS[MODES[mode]][2]
        for k in rows.tolist():
            for entry in range(first[k], first[k + 1] - 1):
                a, b = lines.line_stop[entry], lines.line_stop[entry + 1]
                report["runs"] += 1
                found = graph.run(place[a], place[b])
                if found is None:
                    pair = f"{lines.stop_name[a]} – {lines.stop_name[b]}"
                    report["off"].append(f"{lines.line_id[k]}: {pair}")
                    continue
                report["runs_on_tracks"] += 1
                metres = float(polyline_lengths(np.array([0, len(found[0])]), *found)[0])
                moving = max(time[entry] - dwell, 0.0)
                time[entry] = time[entry] - moving + moving * metres / max(length[entry], 1.0)
                length[entry], shapes[entry] = metres, found
    return _with_shapes(lines, shapes).replace(run_length=length, run_time=time), report


def _shapes(lines: TransitNetwork) -> list[tuple[Array, Array] | None]:
    if lines.shape_first is None or lines.shape_lon is None or lines.shape_lat is None:
        return [None] * len(lines.line_stop)
    return [
        (lines.shape_lon[a:b], lines.shape_lat[a:b]) if b > a else None
        for a, b in pairwise(lines.shape_first.tolist())
    ]


def _with_shapes(
    lines: TransitNetwork, shapes: Sequence[tuple[Array, Array] | None]
) -> TransitNetwork:
    none = (np.zeros(0), np.zeros(0))
    parts = [shape or none for shape in shapes]
    sizes = [len(lon) for lon, _ in parts]
    return lines.replace(
        shape_first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        shape_lon=np.concatenate([lon for lon, _ in parts]) if parts else none[0],
        shape_lat=np.concatenate([lat for _, lat in parts]) if parts else none[1],
    )


def station_graph(transit: TransitNetwork, stop_mode: Array) -> list[dict[str, Any]]:
    """Return which stops follow each other on the tracks of their mode, as plain JSON."""
    out: list[dict[str, Any]] = []
    if transit.track_first is None or transit.track_lon is None:
        return out
    for mode in np.unique(stop_mode).tolist():
        rows = np.flatnonzero(stop_mode == mode)
        if not (transit.track_mode == mode).any() or len(rows) * len(transit.track_lon) > MOST:
            continue
        graph = TrackGraph(transit, mode, transit.stop_lon[rows], transit.stop_lat[rows])
        out += [
            {
                "mode": MODES[mode],
                "from": str(transit.stop_name[rows[a]]), "to": str(transit.stop_name[rows[b]]),
                "from_id": int(transit.stop_id[rows[a]]), "to_id": int(transit.stop_id[rows[b]]),
                "km": metres / 1e3,
            }
            for a, b, metres in graph.neighbours()
        ]  # fmt: skip
    return out
