from __future__ import annotations

import numpy as np
import shapely
from synthetic_run import LAT, LON, SIDE, STEP, grid_road

from cczsim.network.geometry import local_crs
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.report.streets import (
    broken_line,
    link_lines,
    make_streets,
    match_links,
    ragged_xy,
)
from cczsim.scenario.result import RunResult

CRS = local_crs(LON + SIDE * STEP / 2, LAT + SIDE * STEP / 2)


def road_of(points: list[tuple[float, float]], links: list[tuple[int, int]], first_id: int = 1):
    lon, lat = np.array(points).T
    tail, head = np.array(links).T
    n = len(links)
    return RoadNetwork(
        node_id=np.arange(len(points)), node_lon=lon, node_lat=lat,
        link_id=first_id + np.arange(n), tail=tail, head=head,
        road_class=np.full(n, CLASS_CODE["primary"]), length=np.full(n, 100.0),
        free_flow_time=np.full(n, 10.0), capacity=np.full(n, 100.0),
    )  # fmt: skip


def test_both_directions_are_one_street_and_connectors_none(base_run: RunResult) -> None:
    road = base_run.network.road
    streets = make_streets(base_run, None, CRS)
    assert len(streets.forward) == 2 * SIDE * (SIDE - 1)
    assert (road.reverse_link[streets.forward] == streets.backward).all()
    assert road.is_street[streets.forward].all()


def test_only_the_added_streets_are_new(base_run: RunResult, plan_run: RunResult) -> None:
    streets = make_streets(plan_run, base_run, CRS)
    new = plan_run.network.road.road_class[streets.forward[streets.is_new]]
    assert len(new) == 4
    assert (new == CLASS_CODE["secondary"]).all()
    old = base_run.network.road
    kept = streets.forward[~streets.is_new]
    assert (
        old.tail[streets.old_forward[~streets.is_new]] == plan_run.network.road.tail[kept]
    ).all()


def test_the_pieces_of_a_split_link_find_the_whole_in_their_own_direction() -> None:
    old = road_of([(112.9, 28.1), (112.92, 28.1)], [(0, 1), (1, 0)])
    new = road_of(
        [(112.9, 28.1), (112.92, 28.1), (112.907, 28.1), (112.9, 28.11)],
        [(0, 2), (2, 1), (1, 2), (2, 0), (3, 0)],
        first_id=100,
    )
    match = match_links(new, link_lines(new, CRS), old, link_lines(old, CRS))
    assert match.tolist() == [0, 0, 1, 1, NO_LINK]


def test_an_id_used_again_elsewhere_is_not_a_match() -> None:
    old = road_of([(112.9, 28.1), (112.92, 28.1)], [(0, 1)])
    new = road_of([(112.9, 28.2), (112.92, 28.2)], [(0, 1)])
    match = match_links(new, link_lines(new, CRS), old, link_lines(old, CRS))
    assert match.tolist() == [NO_LINK]


def test_an_empty_base_matches_nothing() -> None:
    new = road_of([(112.9, 28.1), (112.92, 28.1)], [(0, 1)])
    empty = grid_road().replace(
        **{name: values[:0] for name, values in grid_road().take("link", np.arange(0)).items()}
    )
    match = match_links(new, link_lines(new, CRS), empty, link_lines(empty, CRS))
    assert match.tolist() == [NO_LINK]


def test_coordinates_survive_as_lists_and_as_one_broken_line() -> None:
    lines = shapely.linestrings([[[0, 0], [10.4, 0]], [[5, 5], [5, 9.6]]])
    assert ragged_xy(lines) == ([[0, 10], [5, 5]], [[0, 0], [5, 10]])
    x, y = broken_line(lines)
    assert x.dtype == np.float32
    assert np.array_equal(x, np.array([0, 10, np.nan, 5, 5], np.float32), equal_nan=True)
    assert np.array_equal(y, np.array([0, 0, np.nan, 5, 10], np.float32), equal_nan=True)
    assert [len(part) for part in broken_line(lines[:0])] == [0, 0]
    assert ragged_xy(lines[:0]) == ([], [])


def test_thinning_moves_no_point_of_a_street_far(base_run: RunResult) -> None:
    road = base_run.network.road
    streets = make_streets(base_run, None, CRS)
    full = link_lines(road, CRS)[streets.forward]
    assert shapely.hausdorff_distance(full, streets.lines).max() < 12.1
