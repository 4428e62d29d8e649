"""Customisation: costs, ways and arcs of sweeps as loops find them, by any number of workers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal

from cczsim.assignment import hierarchy
from cczsim.assignment.hierarchy import build_hierarchy
from cczsim.assignment.shortest import TreeLoader
from cczsim.columns import Array
from cczsim.kernels.customisation import TIE, customise
from cczsim.kernels.hierarchy import DOWN, NONE, UP, VIA, Hierarchy, Metric
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns
from tests.assignment.test_assignment_hierarchy import cases, grid, make_road


@pytest.fixture(autouse=True, params=[0.25, 0.02])
def share(request: pytest.FixtureRequest) -> Iterator[None]:
    """Cells as they are, and so small that little networks have a top too."""
    before = hierarchy._CELL_SHARE
    hierarchy._CELL_SHARE = request.param
    hierarchy._build.cache_clear()
    yield
    hierarchy._CELL_SHARE = before
    hierarchy._build.cache_clear()


def naive_customisation(net: Hierarchy, link_cost: Array) -> tuple[list[list[float]], Array]:
    """Cost and way of each arc, by pairs of ends in the order of their middles."""
    n_arcs = len(net.head)
    tail = np.repeat(np.arange(len(net.first_up) - 1), np.diff(net.first_up))
    arc_of = {(int(tail[a]), int(net.head[a])): a for a in range(n_arcs)}
    cost = [[np.inf, np.inf] for _ in range(n_arcs)]
    via = np.full((n_arcs, 2), np.nan)
    for arc, way, link in zip(net.core_arc, net.core_way, net.core_link, strict=True):
        if link_cost[link] < cost[arc][way]:
            cost[arc][way] = float(link_cost[link])
            via[arc, way] = -1 - link
    for node in range(len(net.first_up) - 1):
        row = range(net.first_up[node], net.first_up[node + 1])
        for i, j in ((i, j) for i in row for j in row if i < j):
            arc = arc_of[int(net.head[i]), int(net.head[j])]
            for way, over in (
                (UP, cost[i][DOWN] + cost[j][UP]),
                (DOWN, cost[i][UP] + cost[j][DOWN]),
            ):
                if over < cost[arc][way]:
                    cost[arc][way] = over
                    via[arc, way] = i * VIA + j
    return cost, via


def core_distances(net: Hierarchy, link_cost: Array) -> Array:
    """Least costs between all nodes of the core, by Floyd and Warshall."""
    n = len(net.first_up) - 1
    tail = np.repeat(np.arange(n), np.diff(net.first_up))
    least = np.full((n, n), np.inf)
    np.fill_diagonal(least, 0.0)
    for arc, way, link in zip(net.core_arc, net.core_way, net.core_link, strict=True):
        ends = (tail[arc], net.head[arc])[:: 1 if way == UP else -1]
        least[ends] = min(least[ends], link_cost[link])
    for middle in range(n):
        least = np.minimum(least, least[:, middle, None] + least[None, middle])
    return least


def customised(road: RoadNetwork, cost: Array, zones: Array, n_workers: int) -> TreeLoader:
    loader = TreeLoader(road, zones)
    row = np.empty((n_workers, *loader._row.shape[1:]))
    customise(loader.net, cost, loader.metric, n_workers, row)
    return loader


def written(metric: Metric) -> list[Array]:
    """All that others may read of a metric."""
    n_in, n_out = metric.in_first[-1], metric.out_first[-1]
    return [
        metric.cost, np.where(np.isfinite(metric.cost), metric.via, 0.0),
        metric.in_first, metric.in_place[:n_in], metric.in_arc[:n_in], metric.in_cost[:n_in],
        metric.out_first, metric.out_place[:n_out], metric.out_tail[:n_out],
        metric.out_arc[:n_out], metric.out_cost[:n_out],
    ]  # fmt: skip


def check(road: RoadNetwork, cost: Array, zones: Array) -> None:
    """All that a customisation writes is what loops find, whoever does it."""
    loader = customised(road, cost, zones, 1)
    net, metric = loader.net, loader.metric
    wanted, ways = naive_customisation(net, cost)
    assert metric.cost.tolist() == wanted
    assert_array_equal(metric.via[np.isfinite(metric.cost)], ways[np.isfinite(metric.cost)])

    least = core_distances(net, cost)
    for place, node in enumerate(net.place_node):
        came = slice(metric.in_first[place], metric.in_first[place + 1])
        went = slice(metric.out_first[place], metric.out_first[place + 1])
        assert (came.stop - came.start) % 2 == 0
        into = [int(arc) for arc in metric.in_arc[came] if arc != NONE]
        assert np.isinf(metric.in_cost[came][metric.in_arc[came] == NONE]).all()
        if node == NONE:
            links = net.sink_link[net.sink_first[place] : net.sink_first[place + 1]]
            assert into == [-2 - link for link in links if np.isfinite(cost[link])]
            continue
        arcs = range(net.first_up[node], net.first_up[node + 1])
        down = {arc: wanted[arc][DOWN] for arc in arcs}
        up = {arc: wanted[arc][UP] for arc in arcs}
        assert into == [
            arc for arc in arcs
            if np.isfinite(down[arc]) and down[arc] <= least[net.head[arc], node] * (1 + TIE)
        ]  # fmt: skip
        assert metric.out_arc[went].tolist() == [
            arc for arc in arcs
            if np.isfinite(up[arc]) and up[arc] <= least[node, net.head[arc]] * (1 + TIE)
        ]  # fmt: skip
        assert (metric.out_tail[went] == place).all()
        assert_array_equal(metric.out_place[went], net.node_place[net.head[metric.out_arc[went]]])
        assert_array_equal(metric.out_cost[went], metric.cost[metric.out_arc[went], UP])
    inner = metric.in_arc[: metric.in_first[-1]]
    costs = metric.in_cost[: metric.in_first[-1]]
    assert_array_equal(costs[inner >= 0], metric.cost[inner[inner >= 0], DOWN])

    for n_workers in (2, 3, 8):
        other = customised(road, cost, zones, n_workers).metric
        for one, two in zip(written(metric), written(other), strict=True):
            assert_array_equal(one, two)


@given(cases())
@settings(max_examples=60, deadline=None)
def test_any_multigraph(case):
    road, cost, zones, _ = case
    check(road, cost, zones)


@pytest.mark.parametrize("values", [(1.0,), (0.1, 0.2, 0.3), (0.0, 1.0), (1.0, np.inf), None])
def test_grids(values):
    rng = np.random.default_rng(11)
    road, zones = grid(13, rng)
    cost = (
        rng.exponential(size=road.n_links) if values is None else rng.choice(values, road.n_links)
    )
    check(road, cost, zones)


def test_several_components():
    rng = np.random.default_rng(2)
    one, zones = grid(9, rng)
    n = one.n_nodes
    road = make_road(
        3 * n,
        np.concatenate([one.tail + k * n for k in range(3)]),
        np.concatenate([one.head + k * n for k in range(3)]),
        np.tile(one.node_through, 3),
    )
    check(road, rng.choice([0.5, 1.0, 2.0], road.n_links), np.concatenate([zones, zones + 2 * n]))


def test_cells_are_subtrees_below_a_top():
    road, zones = grid(16, np.random.default_rng(4))
    net = build_hierarchy(road, zones)
    n = len(net.first_up) - 1
    parent = [int(net.head[net.first_up[v]]) if net.first_up[v] < net.first_up[v + 1] else NONE
              for v in range(n)]  # fmt: skip
    cell = np.full(n, NONE)
    for k, (first, stop) in enumerate(zip(net.cell_first, net.cell_stop, strict=True)):
        assert (cell[first:stop] == NONE).all()
        cell[first:stop] = k
    assert np.flatnonzero(cell == NONE).tolist() == net.top_node.tolist()
    assert len(net.top_node) > 0
    for node, above in enumerate(parent):
        if above != NONE:
            # What is above a node is in its cell or in the top.
            assert cell[above] in (cell[node], NONE)
    n_triangles = net.triangle_first[net.cell_stop] - net.triangle_first[net.cell_first]
    assert (np.diff(n_triangles) <= 0).all()
    assert n_triangles[0] <= hierarchy._CELL_SHARE * len(net.triangle)
    tail = np.repeat(np.arange(n), np.diff(net.first_up))
    for top, node in enumerate(net.top_node):
        at = slice(net.over_first[top], net.over_first[top + 1])
        wanted = [arc for arc in np.flatnonzero(net.head == node).tolist()
                  if cell[tail[arc]] != NONE and arc + 1 < net.first_up[tail[arc] + 1]]  # fmt: skip
        assert net.over_arc[at].tolist() == wanted
        assert_array_equal(net.over_stop[at], net.first_up[tail[wanted] + 1])
        # The first triangle of an arc is the pair with the arc right behind it.
        for arc, t in zip(wanted, net.over_triangle[at], strict=True):
            assert net.head[net.triangle[t]] == net.head[arc + 1]
            assert tail[net.triangle[t]] == node


SCRIPT = """
import hashlib, sys, numba, numpy as np
from cczsim.assignment import hierarchy, shortest
from cczsim.assignment.search_graph import SearchGraph
from tests.assignment.test_assignment_customisation import turned
hierarchy._CELL_SHARE = float(sys.argv[1])
shortest._TRIANGLES = 1
road, turns, zones, cost, demand = turned()
for count in (1, 2, 3, 4):
    numba.set_num_threads(count)
    state = hashlib.sha256()
    graph = SearchGraph.of(road, zones, turns)
    for link_cost in (cost, np.round(cost), np.where(cost < 0.3, 0.0, cost),
                      np.where(cost > 2.0, np.inf, cost)):
        rows = graph.on_rows(link_cost)
        loader = shortest.TreeLoader(graph.road, zones)
        trees = loader.grow(rows)
        state.update(trees.od_cost.tobytes())
        state.update(loader.load(trees, demand).tobytes())
    print(count, state.hexdigest())
"""


def turned() -> tuple[RoadNetwork, Turns, Array, Array, Array]:
    """A grid in which some turns are forbidden and some take time, and what to load on it."""
    rng = np.random.default_rng(9)
    road, zones = grid(14, rng)
    pairs = [(a, b) for a in range(road.n_links)
             for b in np.flatnonzero(road.tail == road.head[a]).tolist()]  # fmt: skip
    rules = np.array(pairs)[rng.random(len(pairs)) < 0.2]
    turns = Turns(
        turn_first=np.arange(0, 2 * len(rules) + 1, 2),
        turn_link=rules.ravel(),
        penalty=rng.choice([0.1, 2.0, np.inf], len(rules)),
    )
    cost, demand = rng.exponential(size=road.n_links), rng.random((len(zones), len(zones)))
    return road, turns, zones, cost, demand


def test_four_threads_change_no_bit():
    out = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(hierarchy._CELL_SHARE)],
        env={**os.environ, "NUMBA_NUM_THREADS": "4"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 0, out.stderr
    counts, digests = zip(*(line.split() for line in out.stdout.splitlines()), strict=True)
    assert counts == ("1", "2", "3", "4")
    assert len(set(digests)) == 1
