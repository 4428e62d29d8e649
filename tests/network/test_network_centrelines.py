from __future__ import annotations

import csv
import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.columns import Array
from cczsim.network.centrelines import Centrelines, draw_centrelines
from cczsim.network.edit import carriageway_rows
from cczsim.network.geometry import polyline_lengths
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.recipes import build_extract

METRE = 1 / 110_000.0
"""Degrees a metre, roughly, at the equator, where these networks lie."""

Street = tuple[list[tuple[float, float]], str, bool, str]


def network(*streets: Street) -> RoadNetwork:
    """Make a network of streets: points in metres, class, one-way, name."""
    ends = sorted({p for points, *_ in streets for p in (points[0], points[-1])})
    place = {p: k for k, p in enumerate(ends)}
    tail, head, classes, names, back, shapes = [], [], [], [], [], []
    for points, road_class, one_way, name in streets:
        for turned in (False,) if one_way else (False, True):
            own = points[::-1] if turned else points
            tail.append(place[own[0]])
            head.append(place[own[-1]])
            classes.append(CLASS_CODE[road_class])
            names.append(name)
            back.append(NO_LINK if one_way else len(back) + (-1 if turned else 1))
            shapes.append(own)
    first = np.concatenate([[0], np.cumsum([len(s) for s in shapes])])
    lon = np.array([x * METRE for s in shapes for x, _ in s])
    lat = np.array([y * METRE for s in shapes for _, y in s])
    length = polyline_lengths(first, lon, lat)
    return RoadNetwork(
        node_id=np.arange(len(ends)), node_lon=np.array([x * METRE for x, _ in ends]),
        node_lat=np.array([y * METRE for _, y in ends]), link_id=np.arange(len(tail)),
        tail=tail, head=head, road_class=classes, length=length, free_flow_time=length / 10.0,
        capacity=np.full(len(tail), 1000.0), lanes=np.arange(1, len(tail) + 1), reverse_link=back,
        way_id=np.arange(1, len(tail) + 1), name=np.array(names, dtype=np.dtypes.StringDType()),
        shape_first=first, shape_lon=lon, shape_lat=lat,
    )  # fmt: skip


def km(drawn: Centrelines) -> float:
    return float(drawn.report["after"]["km"])


def dual(gap: float, cross: list[float], length: float = 1000.0) -> list[Street]:
    """Two carriageways along x, with a street across both at some places."""
    out: list[Street] = []
    stops = [0.0, *cross, length]
    for y, order in ((0.0, 1), (gap, -1)):
        way = stops[::order]
        out += [([(a, y), (b, y)], "primary", True, "人民路")
                for a, b in pairwise(way)]  # fmt: skip
    for x in cross:
        out += [([(x, -200.0), (x, 0.0)], "residential", False, "")]
        out += [([(x, 0.0), (x, gap)], "residential", False, "")]
        out += [([(x, gap), (x, 200.0 + gap)], "residential", False, "")]
    return out


def test_two_carriageways_become_one_street_in_their_middle() -> None:
    before = network(*dual(20.0, []))
    drawn = draw_centrelines(before).road
    assert drawn.n_links == 2
    assert drawn.reverse_link.tolist() == [1, 0]
    assert drawn.length == pytest.approx(before.length, rel=1e-6)
    assert drawn.node_lat == pytest.approx(10.0 * METRE, rel=1e-3)
    assert sorted(drawn.way_id) == [1, 2], "each direction keeps its own way"
    assert sorted(drawn.lanes) == [1, 2]
    assert set(drawn.geometry_source) == {int(Source.DERIVED)}


def test_streets_across_meet_the_middle_once() -> None:
    drawn = draw_centrelines(network(*dual(20.0, [400.0, 700.0])))
    # 1,000 m of the road, and two streets of 400 m and the road's width.
    expected = (1000.0 + 2 * 420.0) * METRE * np.radians(1) * 6378137.0 / 1e3
    assert km(drawn) == pytest.approx(expected, rel=0.01)
    assert drawn.report["after"]["junctions"] == 2, "four before"
    assert drawn.report["left_out"]["streets"] == 2, "what crossed the median"


def test_two_dual_carriageways_cross_in_one_point() -> None:
    def side(y: float, order: int) -> list[Street]:
        xs = [-500.0, 0.0, 25.0, 525.0][::order]
        return [([(a, y), (b, y)], "primary", True, "A")
                for a, b in pairwise(xs)]  # fmt: skip

    def up(x: float, order: int) -> list[Street]:
        ys = [-500.0, 0.0, 25.0, 525.0][::order]
        return [([(x, a), (x, b)], "secondary", True, "B")
                for a, b in pairwise(ys)]  # fmt: skip

    drawn = draw_centrelines(network(*side(0, 1), *side(25, -1), *up(25, 1), *up(0, -1)))
    assert drawn.report["after"]["junctions"] == 1
    assert drawn.road.n_links == 8
    assert drawn.report["after"]["one_way_km"] == 0.0


EAST = [(0.0, 0.0), (900.0, 0.0)]


def west(y: float) -> list[tuple[float, float]]:
    return [(900.0, y), (0.0, y)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param((EAST, "primary", True, "A"), (west(20), "primary", True, "B"), id="names"),
        pytest.param(
            (EAST, "primary", True, ""), (west(20)[::-1], "primary", True, ""), id="direction"
        ),
        pytest.param((EAST, "primary", True, ""), (west(90), "primary", True, ""), id="too far"),
        pytest.param((EAST, "primary", True, ""), (west(9), "secondary", True, ""), id="class"),
        pytest.param((EAST, "primary", False, ""), (west(9), "primary", False, ""), id="both ways"),
    ],
)
def test_what_is_no_dual_carriageway_stays(one: Street, other: Street) -> None:
    before = network(one, other)
    drawn = draw_centrelines(before)
    assert drawn.road.n_links == before.n_links
    assert sorted(drawn.road.length) == pytest.approx(sorted(before.length), rel=1e-14)


def test_a_carriageway_that_goes_on_alone_is_kept() -> None:
    drawn = draw_centrelines(
        network(
            ([(0, 0), (1500, 0)], "trunk", True, ""), ([(1000, 15), (0, 15)], "trunk", True, "")
        )
    )
    one_way = drawn.report["after"]["one_way_km"]
    assert one_way == pytest.approx(0.5, abs=0.03)
    assert km(drawn) == pytest.approx(1.5, rel=0.02)


def test_no_streets() -> None:
    none = network(([(0, 0), (10, 0)], "primary", False, "")).take("link", np.zeros(0, int))
    road = RoadNetwork(
        node_id=[], node_lon=[], node_lat=[], **none, shape_first=[0], shape_lon=[], shape_lat=[]
    )
    assert draw_centrelines(road).road.n_links == 0


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nothing_comes_apart_and_little_is_added(data: st.DataObject) -> None:
    step = st.integers(0, 12)
    spot = st.tuples(step, step).map(lambda p: (p[0] * 20.0, p[1] * 15.0))
    kind = st.sampled_from(["primary", "residential"])
    name = st.sampled_from(["", "A"])
    streets = []
    for _ in range(data.draw(st.integers(1, 14))):
        points = data.draw(st.lists(spot, min_size=2, max_size=4, unique=True))
        streets.append((points, data.draw(kind), data.draw(st.booleans()), data.draw(name)))
    before = network(*streets)
    report = draw_centrelines(before).report
    assert report["after"]["parts"] <= report["before"]["parts"]
    again = draw_centrelines(before).report
    assert again == report, "the same input, the same bits"


def ways_km(road: RoadNetwork, rows: Array, ways: list[int]) -> float:
    back = np.where(road.reverse_link[rows] >= 0, road.way_id[road.reverse_link[rows]], 0)
    own = np.isin(road.way_id[rows], ways) | np.isin(back, ways)
    return float(road.length[rows][own].sum())


def test_twenty_roads_counted_by_hand(data_dir: Path, repository: Path) -> None:
    path = data_dir / "osm" / "changsha-northeast.osm.pbf"
    network = build_extract(path, Progress(stream=io.StringIO()), railway=False)
    drawn = draw_centrelines(network.road)
    rows = carriageway_rows(drawn.road)
    table = repository / "tests" / "cases" / "centrelines" / "changsha-northeast.csv"
    differ, ours, by_hand = [], 0.0, 0.0
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            ways = [int(way) for way in f"{row['side_a_ways']} {row['side_b_ways']}".split()]
            found, hand = ways_km(drawn.road, rows, ways), float(row["centreline_m"])
            ours, by_hand = ours + found, by_hand + hand
            differ += [row["road"]] if abs(found / hand - 1) > 0.02 else []
    assert ours == pytest.approx(by_hand, rel=0.002)
    assert differ == ["大华路"]
    assert drawn.report["before"]["parts"] == drawn.report["after"]["parts"] == 10
