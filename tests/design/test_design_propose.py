"""Proposed streets on hand-made streets: where they go, what they keep out of, what they cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.columns import Array
from cczsim.design.costs import PER_KM, StreetType
from cczsim.design.cuts import CutRules, Cutter, Junctions
from cczsim.design.dead_ends import LinkRules
from cczsim.design.propose import Plan, propose
from cczsim.design.site import Site
from cczsim.errors import ScenarioError

LOCAL = StreetType.of("tertiary", 1.0, 30 / 3.6)
NONE = np.zeros(0, dtype=object)
NOTHING = shapely.GeometryCollection()


def site(lines: list[list[tuple[float, float]]], area: Any, barred: Any = NOTHING) -> Site:
    """Streets on a plane; streets with an end in common share its node."""
    nodes: dict[tuple[float, float], int] = {}
    tail = np.array([nodes.setdefault(line[0], len(nodes)) for line in lines])
    head = np.array([nodes.setdefault(line[-1], len(nodes)) for line in lines])
    legs = np.bincount(np.concatenate([tail, head]), minlength=len(nodes))
    crs = "+proj=tmerc +lat_0=28.2 +lon_0=113 +datum=WGS84 +units=m"
    shapes = np.array([shapely.LineString(line) for line in lines], dtype=object)
    return Site(crs, area, shapes, np.ones(len(lines), bool), tail, head, legs,
                np.array(list(nodes)), barred)  # fmt: skip


def grid(n: int, step: float) -> list[list[tuple[float, float]]]:
    lines = []
    for i in range(n + 1):
        for j in range(n):
            lines += [[(i * step, j * step), (i * step, (j + 1) * step)],
                      [(j * step, i * step), ((j + 1) * step, i * step)]]  # fmt: skip
    return lines


def lines_of(plan: Plan) -> Array:
    return np.array([shapely.LineString([s.a, s.b]) for s in plan.streets], dtype=object)


def test_a_block_is_cut_across_its_middle() -> None:
    ground = site(grid(1, 400.0), shapely.box(-10, -10, 410, 410))
    plan = propose(ground, LOCAL, length=400.0)
    (street,) = plan.streets
    assert street.kind == "block"
    assert street.length == pytest.approx(400.0)
    assert street.block == pytest.approx(160_000.0)
    assert street.cost == pytest.approx(0.4 * PER_KM["tertiary"]["ground"])
    assert {*street.a, *street.b} == {0.0, 200.0, 400.0}


def test_the_largest_block_goes_first_or_the_longest_street() -> None:
    """A square of 300 m beside a strip of 500 m by 150 m: area and length disagree."""
    lines = [
        [(0.0, 0.0), (300.0, 0.0)], [(300.0, 0.0), (300.0, 300.0)],
        [(300.0, 300.0), (0.0, 300.0)], [(0.0, 300.0), (0.0, 0.0)],
        [(1000.0, 0.0), (1150.0, 0.0)], [(1150.0, 0.0), (1150.0, 500.0)],
        [(1150.0, 500.0), (1000.0, 500.0)], [(1000.0, 500.0), (1000.0, 0.0)],
    ]  # fmt: skip
    ground = site(lines, shapely.box(-10, -10, 1200, 600))
    first = propose(ground, LOCAL, length=300.0).streets[0]
    assert first.a[0] < 500.0
    longest = propose(ground, LOCAL, length=5_000.0, choose="length").streets
    lengths = [s.length for s in longest]
    assert lengths[0] == max(lengths)


def test_the_wanted_length_is_met_and_all_blocks_stay_decent() -> None:
    ground = site(grid(6, 400.0), shapely.box(-10, -10, 2410, 2410))
    for wanted in (3_000.0, 10_000.0, 20_000.0):
        plan = propose(ground, LOCAL, length=wanted)
        assert plan.length == pytest.approx(wanted, abs=110.0)
        net = shapely.union_all(np.concatenate([ground.lines, lines_of(plan)]), grid_size=0.1)
        faces = shapely.get_parts(shapely.polygonize([net]))
        assert shapely.area(faces).min() >= CutRules().min_block - 1.0
        assert (4 * shapely.area(faces) / shapely.length(faces)).min() >= 59.0
        touched = shapely.distance(shapely.get_point(lines_of(plan), 0), shapely.union_all(net))
        assert touched.max() < 0.2


def test_no_street_goes_through_water_and_none_ends_at_it() -> None:
    river = shapely.box(-50, 900, 2500, 1100)
    ground = site(grid(6, 400.0), shapely.box(-10, -10, 2410, 2410), river)
    plan = propose(ground, LOCAL, length=15_000.0)
    lines = lines_of(plan)
    assert len(lines) > 20
    assert not shapely.intersects(lines, river).any()
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    assert shapely.distance(ends, river).min() > 1.0


def test_dead_ends_lead_on_and_never_over_a_street() -> None:
    lines = [
        [(0.0, 0.0), (200.0, 0.0)], [(200.0, 0.0), (400.0, 0.0)],
        [(200.0, 0.0), (200.0, 60.0)], [(0.0, 150.0), (400.0, 150.0)],
    ]  # fmt: skip
    ground = site(lines, shapely.box(-10, -10, 410, 200))
    (street,) = propose(ground, LOCAL, length=300.0).streets
    assert street.kind == "dead end"
    assert (street.a, street.b) == ((200.0, 60.0), (200.0, 150.0))
    barred = site(lines, shapely.box(-10, -10, 410, 200), shapely.box(100, 90, 300, 110))
    assert not propose(barred, LOCAL, length=300.0).streets
    far = propose(ground, LOCAL, length=300.0, links=LinkRules(reach=80.0))
    assert not far.streets


def test_bridges_are_built_where_they_are_asked_for() -> None:
    lines = grid(3, 300.0)
    north = [[(x, y + 1100.0) for x, y in line] for line in lines]
    river = shapely.box(-100, 920, 1000, 1080)
    ground = site(lines + north, shapely.box(-10, -10, 910, 2010), river)
    links = LinkRules(span=250.0, apart=250.0)  # the corners of the grids are no junctions
    assert not [s for s in propose(ground, LOCAL, length=2_000.0).streets if s.kind == "bridge"]
    found = [s for s in propose(ground, LOCAL, length=2_000.0, links=links).streets
             if s.kind == "bridge"]  # fmt: skip
    assert [s.length for s in found] == [200.0, 200.0]
    table = PER_KM["tertiary"]
    assert found[0].cost == pytest.approx(0.16 * table["bridge"] + 0.04 * table["ground"])
    assert abs(found[0].a[0] - found[1].a[0]) == 300.0
    assert found[0].structure == "bridge"


def test_a_budget_is_kept_to() -> None:
    ground = site(grid(6, 400.0), shapely.box(-10, -10, 2410, 2410))
    plan = propose(ground, LOCAL, money=100e6)
    assert 80e6 < plan.cost <= 100e6


def test_large_blocks_are_left_alone() -> None:
    ground = site(grid(1, 1000.0), shapely.box(-10, -10, 1010, 1010))
    plan = propose(ground, LOCAL, length=1_000.0)
    assert (len(plan.streets), plan.blocks_unknown) == (0, 1)
    assert propose(ground, LOCAL, length=1e3, cuts=CutRules(max_block=1e9)).streets


def test_a_class_that_nobody_builds_is_refused() -> None:
    with pytest.raises(ScenarioError, match="tertiary"):
        StreetType.of("motorway", 1.0, 10.0)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(-400, 400), st.integers(-400, 400)), min_size=5, max_size=14))
def test_cuts_of_any_block_keep_to_the_rules(points: list[tuple[int, int]]) -> None:
    hull = shapely.convex_hull(shapely.multipoints(points))
    if hull.geom_type != "Polygon":
        return
    # A block with a bay, so that it is not convex.
    block = shapely.difference(hull, shapely.box(0, 0, 150, 500))
    if block.geom_type != "Polygon":
        return
    rules = CutRules()
    cut = Cutter(NONE, NONE, Junctions((), rules.snap), rules).best(block)
    if cut is None:
        return
    one, two = cut.parts
    assert one.area + two.area == pytest.approx(block.area, rel=1e-6)
    assert min(one.area, two.area) >= rules.min_block
    assert rules.min_length <= cut.length <= rules.max_length
    assert shapely.covers(shapely.buffer(block, 0.01), shapely.LineString([cut.a, cut.b]))
    rim = shapely.boundary(block)
    assert max(shapely.distance(rim, shapely.Point(p)) for p in (cut.a, cut.b)) < 1e-6
