"""Hand-made street networks on the ellipsoid, under every convention, against pencil and paper.

Streets are laid along parallels and meridians, so what each convention counts is a sum of lengths
of whole streets; the size of an area is that of its polygon on the ellipsoid.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from pyproj import Geod

from cczsim.indicators.conventions import CONVENTIONS, Convention
from cczsim.indicators.density import area_density
from cczsim.network.geometry import polyline_lengths
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE

GEOD = Geod(ellps="WGS84")
WEST, SOUTH, STEP = 112.9, 28.1, 0.01
ALL = pytest.mark.parametrize("rules", list(CONVENTIONS.values()), ids=list(CONVENTIONS))
Line = list[tuple[float, float]]


def at(i: float, j: float) -> tuple[float, float]:
    """A place on a grid of hundredths of a degree."""
    return WEST + i * STEP, SOUTH + j * STEP


def box(i: float, j: float, k: float, m: float) -> shapely.Polygon:
    return shapely.box(*at(i, j), *at(k, m))


def roads(streets: list[tuple[Line, str, bool, bool]]) -> RoadNetwork:
    """Streets as line, class, whether two-way, whether one of two carriageways."""
    tail, head, lon, lat, first, code, reverse, dual = [], [], [], [], [0], [], [], []
    ends: dict[tuple[float, float], int] = {}
    for line, name, two_way, twin in streets:
        a, b = (ends.setdefault(p, len(ends)) for p in (line[0], line[-1]))
        for way in (line, line[::-1])[: 1 + two_way]:
            row = len(tail)
            tail.append(a if way is line else b)
            head.append(b if way is line else a)
            lon += [p[0] for p in way]
            lat += [p[1] for p in way]
            first.append(len(lon))
            code.append(CLASS_CODE[name])
            dual.append(twin)
            reverse.append(-1 if not two_way else row + 1 if way is line else row - 1)
    n = len(tail)
    length = polyline_lengths(np.array(first), np.array(lon), np.array(lat))
    return RoadNetwork(
        node_id=np.arange(len(ends)), node_lon=[p[0] for p in ends], node_lat=[p[1] for p in ends],
        link_id=np.arange(n), tail=tail, head=head, road_class=code, length=length,
        free_flow_time=np.ones(n), capacity=np.ones(n), reverse_link=reverse,
        dual_carriageway=dual, shape_first=first, shape_lon=lon, shape_lat=lat,
    )  # fmt: skip


def long(line: Line) -> float:
    return float(GEOD.line_length([p[0] for p in line], [p[1] for p in line]))


def measured(road: RoadNetwork, area: shapely.Polygon, rules: Convention) -> tuple[float, float]:
    _, length, size = area_density(road, [("x", area)], rules)[0]
    return length, size


def counted(rules: Convention, name: str, line: Line, ways: int = 2) -> float:
    """A street's length by a convention: whole, once a direction, or not at all."""
    if name not in rules.classes:
        return 0.0
    return long(line) * (ways if rules.each_direction else 1)


@ALL
@pytest.mark.parametrize("name", ["tertiary", "residential", "service", "motorway"])
def test_grid(rules: Convention, name: str) -> None:
    """Four streets each way, in pieces between crossings, inside an area a little larger."""
    pieces = [[at(i, j), at(i + 1, j)] for i in range(3) for j in range(4)]
    pieces += [[at(i, j), at(i, j + 1)] for i in range(4) for j in range(3)]
    road = roads([(p, name, True, False) for p in pieces])
    area = box(-0.5, -0.5, 3.5, 3.5)
    length, size = measured(road, area, rules)
    assert length == pytest.approx(sum(counted(rules, name, p) for p in pieces), rel=1e-9)
    paper = abs(GEOD.geometry_area_perimeter(area)[0])
    assert size == pytest.approx(paper, rel=1e-9)


@ALL
def test_boundary_streets_count_half(rules: Convention) -> None:
    """The same grid in an area that ends on its outer streets, known by four corners only."""
    pieces = [[at(i, j), at(i + 1, j)] for i in range(3) for j in range(4)]
    pieces += [[at(i, j), at(i, j + 1)] for i in range(4) for j in range(3)]
    road = roads([(p, "tertiary", True, False) for p in pieces])
    paper = 0.0
    for p in pieces:
        (a, b), (c, d) = p
        on_rim = (b == d and b in (SOUTH, at(0, 3)[1])) or (a == c and a in (WEST, at(3, 0)[0]))
        paper += counted(rules, "tertiary", p) * (0.5 if on_rim else 1.0)
    assert measured(road, box(0, 0, 3, 3), rules)[0] == pytest.approx(paper, rel=1e-9)


@ALL
def test_a_boundary_street_longer_than_the_edge_and_off_the_axes(rules: Convention) -> None:
    """One slanted street past three areas that meet on it; its vertices are not theirs."""
    corners = [at(k, 2 * k) for k in range(4)]
    road = roads([([corners[0], corners[3]], "primary", True, False)])
    whole = counted(rules, "primary", [corners[0], corners[3]])
    sides = [[[*pair, at(-9, 5)], [*pair, at(9, 5)]] for pair in pairwise(corners)]
    total = 0.0
    for pair in sides:
        halves = [measured(road, shapely.Polygon(ring), rules)[0] for ring in pair]
        assert halves[0] == pytest.approx(halves[1], rel=1e-9)
        total += sum(halves)
    # 7 km straight in degrees are longer than the geodesic by 1.3e-9.
    assert total == pytest.approx(whole, rel=2e-9)


@ALL
def test_ring(rules: Convention) -> None:
    """A square ring road of four pieces, and a closed one of a single piece inside it."""
    ring = [at(0, 0), at(2, 0), at(2, 2), at(0, 2), at(0, 0)]
    closed = [at(0.5, 0.5), at(1.5, 0.5), at(1.5, 1.5), at(0.5, 1.5), at(0.5, 0.5)]
    road = roads(
        [(list(p), "secondary", False, False) for p in pairwise(ring)]
        + [(closed, "tertiary", True, False)]
    )
    paper = sum(counted(rules, "secondary", list(p), ways=1) for p in pairwise(ring))
    paper += counted(rules, "tertiary", closed)
    assert measured(road, box(-1, -1, 3, 3), rules)[0] == pytest.approx(paper, rel=1e-9)
    # West of the middle: half of the ring, by symmetry, and half of the closed one.
    west = measured(road, box(-1, -1, 1, 3), rules)[0]
    east = measured(road, box(1, -1, 3, 3), rules)[0]
    assert west == pytest.approx(paper / 2, rel=1e-9)
    assert west + east == pytest.approx(paper, rel=1e-9)


@ALL
def test_dual_carriageway(rules: Convention) -> None:
    there = [at(0, 0), at(2, 0)]
    back = [at(2, 0.02), at(0, 0.02)]
    road = roads([(there, "trunk", False, True), (back, "trunk", False, True)])
    once = long(there) + long(back)
    paper = once / 2 if rules.merged else once
    assert measured(road, box(-1, -1, 3, 1), rules)[0] == pytest.approx(paper, rel=1e-9)


@ALL
def test_cul_de_sac(rules: Convention) -> None:
    """One that ends inside, and one that comes in over the edge: cut at a shape point on it."""
    inside = [at(1, 1), at(1, 1.5)]
    across = [at(2, -1), at(2, 0), at(2, 0.75)]
    road = roads([(inside, "residential", True, False), (across, "tertiary", True, False)])
    paper = counted(rules, "residential", inside) + counted(rules, "tertiary", across[1:])
    assert measured(road, box(0, 0, 3, 3), rules)[0] == pytest.approx(paper, rel=1e-9)


@ALL
def test_overlapping_areas(rules: Convention) -> None:
    """Each area is measured for itself: what lies in both counts in both."""
    pieces = [[at(k, 1), at(k + 1, 1)] for k in range(4)]
    road = roads([(p, "tertiary", True, False) for p in pieces])
    found = area_density(road, [("a", box(0, 0, 3, 2)), ("b", box(1, 0, 4, 2))], rules)
    paper = [sum(counted(rules, "tertiary", p) for p in part) for part in (pieces[:3], pieces[1:])]
    assert [row[1] for row in found] == pytest.approx(paper, rel=1e-9)
    together = shapely.union(box(0, 0, 3, 2), box(1, 0, 4, 2))
    whole = sum(counted(rules, "tertiary", p) for p in pieces)
    assert measured(road, together, rules)[0] == pytest.approx(whole, rel=1e-9)
