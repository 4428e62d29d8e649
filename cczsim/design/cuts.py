"""Streets through blocks: the best cut of a block in two.

Rules, with the numbers that the code carries:

1. Cuts are tried across the long axis of the block's minimum rotated rectangle at several places
   about its middle, then along it. Each is straight and has both ends on streets: no dead ends.
2. An end near a junction goes to the junction, so that streets go on where others end.
3. A cut meets the streets at its ends at ``min_angle`` or more, stays inside the block, and runs
   along none of its sides.
4. Both parts have at least ``min_block`` of area, and four times the area over the perimeter of at
   least ``min_depth``: no slivers.
5. The best cut is the one whose parts are most alike in area; ends in junctions count for it, slant
   against it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import atan2, cos, degrees, floor, hypot, sin
from typing import Any, Final

import numpy as np

from cczsim.columns import Array

Point = tuple[float, float]
_PLACES: Final = (0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68)
_OVER: Final = 0.05
"""Cuts are made this much longer to divide a block, so that they cross its sides, m."""
_NODE_BONUS: Final = 0.08
_SLANT: Final = 0.15


@dataclass(frozen=True)
class CutRules:
    """What a street through a block has to be like; lengths in m.

    Parameters
    ----------
    min_block : float
        Least area of a part, m2.
    max_block : float
        Blocks above this are left alone, m2: what lies in them is not known.
    min_length, max_length : float
    min_depth : float
        Least depth of a part: the side of a square, twice the width of a strip.
    min_angle : float
        Degrees.
    snap : float
        How far an end is moved to a junction.
    """

    min_block: float = 6_000.0
    max_block: float = 600_000.0
    min_length: float = 50.0
    max_length: float = 1_200.0
    min_depth: float = 60.0
    min_angle: float = 50.0
    snap: float = 25.0


@dataclass(frozen=True, eq=False)
class BlockCut:
    """A street through a block, and the two blocks that it leaves."""

    a: Point
    b: Point
    length: float
    parts: tuple[Any, Any]


class Junctions:
    """Places of junctions, looked up by squares of a grid; new ones may be added."""

    def __init__(self, places: Iterable[Point], reach: float) -> None:
        self._reach = reach
        self._cells: dict[tuple[int, int], list[Point]] = {}
        for place in places:
            self.add(place)

    def _cell(self, place: Point) -> tuple[int, int]:
        return floor(place[0] / self._reach), floor(place[1] / self._reach)

    def add(self, place: Point) -> None:
        """Add a junction."""
        self._cells.setdefault(self._cell(place), []).append(place)

    def near(self, place: Point) -> list[Point]:
        """Return the junctions within reach of a place, nearest first."""
        i, j = self._cell(place)
        found = [
            (hypot(x - place[0], y - place[1]), (x, y))
            for di in (-1, 0, 1)
            for dj in (-1, 0, 1)
            for x, y in self._cells.get((i + di, j + dj), ())
        ]
        return [point for far, point in sorted(found) if far <= self._reach]


class Cutter:
    """Cuts blocks of one site.

    Parameters
    ----------
    streets : array of shapely lines
        Where ends are put onto exactly: outlines of blocks are rounded.
    walls : array of shapely lines
        What no street may end on.
    junctions : Junctions
    rules : CutRules
    """

    def __init__(self, streets: Array, walls: Array, junctions: Junctions, rules: CutRules) -> None:
        import shapely

        self._walls = shapely.STRtree(walls)
        self._lines = streets
        self._streets = shapely.STRtree(streets)
        self._junctions = junctions
        self.rules = rules

    def best(self, block: Any) -> BlockCut | None:
        """Return the best cut of a block, or None where there is none."""
        with np.errstate(divide="ignore", invalid="ignore"):  # of corners that nearly coincide
            return self._best(block)

    def _best(self, block: Any) -> BlockCut | None:
        import shapely

        rules = self.rules
        if block.area < 2 * rules.min_block or block.area > rules.max_block:
            return None
        box = shapely.get_coordinates(shapely.oriented_envelope(block))
        if len(box) < 5:
            return None
        one, two = box[1] - box[0], box[2] - box[1]
        corner, along, across = box[0], one, two
        if hypot(*one) < hypot(*two):
            corner, along, across = box[1], two, -one
        for first, other in ((along, across), (across, along)):
            if hypot(*first) < 2 * rules.min_length:
                continue
            found = self._across(block, corner, first, other)
            if found is not None:
                return found
        return None

    def _across(self, block: Any, corner: Array, along: Array, across: Array) -> BlockCut | None:
        """Return the best of the cuts square to ``along``."""
        import shapely

        rules = self.rules
        starts = np.array([corner + share * along for share in _PLACES])
        pad = across / hypot(*across)
        lines = shapely.linestrings(np.stack([starts - pad, starts + across + pad], axis=1))
        inside = shapely.intersection(lines, block)
        ring = shapely.get_coordinates(shapely.boundary(block))
        rim = shapely.boundary(block)
        shapely.prepare(block)
        best: tuple[float, BlockCut] | None = None
        for pieces in inside:
            for piece in shapely.get_parts(pieces):
                if not rules.min_length <= shapely.length(piece) <= rules.max_length:
                    continue
                found = self._judge(block, rim, ring, shapely.get_coordinates(piece))
                if found is not None and (best is None or found[0] > best[0]):
                    best = found
        return None if best is None else best[1]

    def _judge(
        self, block: Any, rim: Any, ring: Array, ends: Array
    ) -> tuple[float, BlockCut] | None:
        import shapely

        rules = self.rules
        a, b = (float(ends[0][0]), float(ends[0][1])), (float(ends[-1][0]), float(ends[-1][1]))
        snapped = [self._settled(rim, end) for end in (a, b)]
        if hypot(snapped[0][0] - snapped[1][0], snapped[0][1] - snapped[1][1]) < rules.min_length:
            return None
        moved = [
            hypot(p[0] - q[0], p[1] - q[1]) > 0.5 for p, q in zip(snapped, (a, b), strict=True)
        ]
        score = _NODE_BONUS * sum(moved)
        a, b = snapped
        angles = [_angle(ring, end, other) for end, other in ((a, b), (b, a))]
        if min(angles) < rules.min_angle:  # (3)
            return None
        line = shapely.LineString([a, b])
        if self._on_wall(a) or self._on_wall(b):
            return None
        inner = shapely.LineString(_stretched(a, b, -1.0))
        if (
            not shapely.covers(block, inner)
            or shapely.distance(shapely.LineString(_stretched(a, b, -12.0)), rim) < 1.0
        ):
            return None
        parts = _divide(block, rim, a, b)
        if parts is None:
            return None
        small = min(part.area for part in parts)
        depth = min(4 * part.area / part.length for part in parts)
        if small < rules.min_block or depth < rules.min_depth:  # (4)
            return None
        score += small / block.area - _SLANT * (90.0 - min(angles)) / 90.0  # (5)
        return score, BlockCut(a, b, float(line.length), parts)

    def _settled(self, rim: Any, end: Point) -> Point:
        import shapely

        for place in self._junctions.near(end):
            if shapely.distance(rim, shapely.Point(place)) < 0.5:
                return place
        point = shapely.Point(end)
        near = self._streets.query_nearest(point, max_distance=0.5, all_matches=False)
        if len(near):
            line = self._lines[near[0]]
            on = shapely.line_interpolate_point(line, shapely.line_locate_point(line, point))
            return (float(on.x), float(on.y))
        return end

    def _on_wall(self, end: Point) -> bool:
        import shapely

        hit = self._walls.query(shapely.Point(end), predicate="dwithin", distance=1.0)
        return len(hit) > 0


def _stretched(a: Point, b: Point, by: float) -> list[Point]:
    """Return a line with both ends moved outwards."""
    far = hypot(b[0] - a[0], b[1] - a[1])
    by = max(by, -0.4 * far)
    ux, uy = (b[0] - a[0]) / far * by, (b[1] - a[1]) / far * by
    return [(a[0] - ux, a[1] - uy), (b[0] + ux, b[1] + uy)]


def _divide(block: Any, rim: Any, a: Point, b: Point) -> tuple[Any, Any] | None:
    """Return the two parts of a block, or None where a cut does not leave two."""
    import shapely

    net = shapely.union(rim, shapely.LineString(_stretched(a, b, _OVER)))
    parts = [
        part
        for part in shapely.get_parts(shapely.polygonize([net]))
        if part.area > 1.0 and shapely.covers(block, shapely.point_on_surface(part))
    ]
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _angle(ring: Array, end: Point, other: Point) -> float:
    """Return the least angle, in degrees, between a cut and the sides that it ends on."""
    starts, steps = ring[:-1], np.diff(ring, axis=0)
    size = np.hypot(steps[:, 0], steps[:, 1])
    real = size > 1.0
    starts, steps, size = starts[real], steps[real], size[real]
    if not len(size):
        return 0.0
    away = np.array(end) - starts
    share = np.clip((away * steps).sum(axis=1) / size**2, 0.0, 1.0)
    foot = starts + share[:, None] * steps
    far = np.hypot(foot[:, 0] - end[0], foot[:, 1] - end[1])
    own = np.flatnonzero(far <= max(1.0, float(far.min()) + 0.1))
    heading = atan2(other[1] - end[1], other[0] - end[0])
    least = 90.0
    for k in own:
        side = atan2(steps[k, 1], steps[k, 0])
        turn = abs(degrees(heading - side)) % 180.0
        # A side that leads on from a corner away from the cut does not slant against it.
        if share[k] in (0.0, 1.0) and _leads_away(steps[k], share[k], heading):
            continue
        least = min(least, turn, 180.0 - turn)
    return least


def _leads_away(step: Array, share: float, heading: float) -> bool:
    sign = 1.0 if share == 0.0 else -1.0
    return bool(sign * (step[0] * cos(heading) + step[1] * sin(heading)) <= 0.0)


def ends_of(lines: Array) -> list[Point]:
    """Return the ends of lines as points, each once."""
    import shapely

    first = shapely.get_coordinates(shapely.get_point(lines, 0))
    last = shapely.get_coordinates(shapely.get_point(lines, -1))
    return sorted({(float(x), float(y)) for x, y in np.concatenate([first, last])})
