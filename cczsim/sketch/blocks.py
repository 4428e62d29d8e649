"""City blocks as plain rings of points that can be cut in two fast.

A ring is a list of ``(x, y)`` in m without its first point again; ``open_[i]`` says whether the
side from point ``i`` to the next is a street that a new street may end on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, hypot, sin
from typing import Final

Point = tuple[float, float]
CORNER: Final = 12.0
"""A cut that would end this near a corner of the block ends in the corner, m."""


@dataclass(frozen=True, eq=False)
class Block:
    """A block: its ring, which of its sides are streets, its area (m2)."""

    ring: list[Point]
    street: list[bool]
    area: float


@dataclass(frozen=True, eq=False)
class Cut:
    """A cut through a block: its ends, its length (m) and the two blocks it leaves."""

    a: Point
    b: Point
    a_street: bool
    b_street: bool
    length: float
    parts: tuple[Block, Block]


def ring_area(ring: list[Point]) -> float:
    """Return the area of a ring, m2."""
    total = 0.0
    px, py = ring[-1]
    for x, y in ring:
        total += px * y - x * py
        px, py = x, y
    return abs(total) / 2


def _hull(ring: list[Point]) -> list[Point]:
    points = sorted(set(ring))
    if len(points) < 3:
        return points
    halves: list[list[Point]] = []
    for run in (points, points[::-1]):
        half: list[Point] = []
        for x, y in run:
            while len(half) > 1:
                (ax, ay), (bx, by) = half[-2], half[-1]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                half.pop()
            half.append((x, y))
        halves.append(half[:-1])
    return halves[0] + halves[1]


def long_axis(ring: list[Point]) -> tuple[Point, Point, float, float]:
    """Return centre, direction, length and width of the minimum rotated rectangle of a ring."""
    hull = _hull(ring)
    best: tuple[float, Point, Point, float, float] | None = None
    px, py = hull[-1]
    for x, y in hull:
        angle = atan2(y - py, x - px)
        ux, uy = cos(angle), sin(angle)
        along = [a * ux + b * uy for a, b in hull]
        across = [b * ux - a * uy for a, b in hull]
        l0, l1, w0, w1 = min(along), max(along), min(across), max(across)
        area = (l1 - l0) * (w1 - w0)
        if best is None or area < best[0] - 1e-9:
            mid_l, mid_w = (l0 + l1) / 2, (w0 + w1) / 2
            centre = (mid_l * ux - mid_w * uy, mid_l * uy + mid_w * ux)
            if l1 - l0 >= w1 - w0:
                best = (area, centre, (ux, uy), l1 - l0, w1 - w0)
            else:
                best = (area, centre, (-uy, ux), w1 - w0, l1 - l0)
        px, py = x, y
    assert best is not None
    return best[1], best[2], best[3], best[4]


def _crossings(ring: list[Point], centre: Point, axis: Point) -> list[tuple[float, int, Point]]:
    """Return where the line through centre, square to axis, crosses the ring, in order."""
    cx, cy = centre
    ux, uy = axis
    side = [(x - cx) * ux + (y - cy) * uy for x, y in ring]
    # A corner on the line is moved off it, so that crossings come in pairs.
    side = [1e-9 if s == 0.0 else s for s in side]
    found = []
    n = len(ring)
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        if (side[i] > 0) != (side[j] > 0):
            t = side[i] / (side[i] - side[j])
            x = ring[i][0] + t * (ring[j][0] - ring[i][0])
            y = ring[i][1] + t * (ring[j][1] - ring[i][1])
            found.append(((y - cy) * ux - (x - cx) * uy, i, (x, y)))
    found.sort()
    return found


def _end(ring: list[Point], edge: int, point: Point, corner: float) -> tuple[Point, int, bool]:
    """Return the end of a cut on a side: in a corner near by, or on the side itself."""
    n = len(ring)
    nxt = edge + 1 if edge + 1 < n else 0
    for k in (edge, nxt):
        if hypot(ring[k][0] - point[0], ring[k][1] - point[1]) <= corner:
            return ring[k], k, True
    return point, edge, False


def halve(block: Block, min_area: float, min_width: float, turn: bool = False) -> Cut | None:
    """Cut a block in two across its long axis; None if it is too small or no street meets it.

    Parameters
    ----------
    block : Block
    min_area : float
        Least area of a part, m2.
    min_width : float
        Least length of a cut, and half of the least long side, m.
    turn : bool
        Cut along the long axis instead.
    """
    ring = block.ring
    centre, axis, long, short = long_axis(ring)
    if (short if turn else long) < 2 * min_width:
        return None
    if turn:
        axis = (-axis[1], axis[0])
    found = _crossings(ring, centre, axis)
    best = None
    for k in range(0, len(found) - 1, 2):
        width = found[k + 1][0] - found[k][0]
        if best is None or width > best[0]:
            best = (width, found[k], found[k + 1])
    if best is None or best[0] < min_width:
        return None
    reach = min(CORNER, best[0] / 5)
    a, i, a_corner = _end(ring, best[1][1], best[1][2], reach)
    b, j, b_corner = _end(ring, best[2][1], best[2][2], reach)
    n = len(ring)
    street = block.street
    a_street = street[i] or (a_corner and street[i - 1])
    b_street = street[j] or (b_corner and street[j - 1])
    if not (a_street or b_street):
        return None
    parts = (_part(block, i, a, j, b, b_corner),
             _part(block, j, b, i, a, a_corner))  # fmt: skip
    if min(len(parts[0].ring), len(parts[1].ring)) < 3 or n < 3:
        return None
    if min(parts[0].area, parts[1].area) < min_area:
        return None
    if abs(parts[0].area + parts[1].area - block.area) > 1e-6 * block.area:
        return None  # a corner pulled the cut across another side
    return Cut(a, b, a_street, b_street, hypot(a[0] - b[0], a[1] - b[1]), parts)


def _part(block: Block, i: int, a: Point, j: int, b: Point, b_corner: bool) -> Block:
    """Return the part that runs from ``a`` on side ``i`` along the ring to ``b`` on side ``j``."""
    ring, street = block.ring, block.street
    n = len(ring)
    out, open_ = [a], [street[i]]
    k = (i + 1) % n
    last = j
    while True:
        if b_corner and k == last:
            break
        out.append(ring[k])
        open_.append(street[k])
        if not b_corner and k == last:
            break
        k = (k + 1) % n
        if len(out) > n + 2:
            break
    if out[-1] == b:
        open_[-1] = True
    else:
        out.append(b)
        open_.append(True)
    return Block(out, open_, ring_area(out))
