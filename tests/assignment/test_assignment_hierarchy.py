"""Least costs and loaded flows are exact: against Dijkstra on a heap, and SciPy's."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from cczsim.assignment import hierarchy
from cczsim.assignment.hierarchy import build_hierarchy
from cczsim.assignment.shortest import TreeLoader, all_or_nothing, zone_costs
from cczsim.columns import Array
from cczsim.io import tntp
from cczsim.kernels.loading import load_trees
from cczsim.kernels.shortest_path import grow_trees
from cczsim.kernels.types import N_BLOCKS
from cczsim.network.forward_star import forward_star
from cczsim.network.road import RoadNetwork

EXACT = 1e-12


def make_road(n_nodes: int, tail: Array, head: Array, through: Array | None = None) -> RoadNetwork:
    """Roads of which only the topology matters."""
    ones = np.ones(len(tail))
    return RoadNetwork(
        node_id=np.arange(n_nodes), node_lon=np.zeros(n_nodes), node_lat=np.zeros(n_nodes),
        link_id=np.arange(len(tail)), tail=tail, head=head, road_class=np.zeros(len(tail)),
        length=ones, free_flow_time=ones, capacity=ones,
        node_through=np.ones(n_nodes, dtype=bool) if through is None else through,
    )  # fmt: skip


def heap_twin(
    road: RoadNetwork, cost: Array, zones: Array
) -> tuple[Array, Callable[[Array], Array]]:
    """Costs between zones by the heap kernel, and how to load its trees."""
    star = forward_star(road)
    shape = (len(zones), road.n_nodes)
    pred, order = np.empty(shape, np.int32), np.empty(shape, np.int32)
    od_cost = np.empty((len(zones), len(zones)))
    origins = star.rank[zones]
    grow_trees(star, cost[star.link], origins, pred, order, od_cost)

    def load(demand: Array) -> Array:
        block_flow = np.empty((N_BLOCKS, road.n_links))
        load_trees(star, origins, pred, order, demand, block_flow)
        flow = np.empty(road.n_links)
        flow[star.link] = block_flow.sum(axis=0)
        return flow

    return od_cost, load


def scipy_costs(road: RoadNetwork, cost: Array, zones: Array) -> Array:
    """Costs between zones by SciPy, on a graph where paths enter a copy of what they may not pass.

    A source copy is the node itself; its sink copy is ``node + n_nodes``.
    """
    n = road.n_nodes
    sink = np.arange(n) + np.where(road.node_through, 0, n)
    best: dict[tuple[int, int], float] = {}
    for i, j, c in zip(road.tail, sink[road.head], cost, strict=True):
        if np.isfinite(c):
            best[int(i), int(j)] = min(c, best.get((int(i), int(j)), np.inf))
    ends = np.array(list(best), dtype=int).reshape(-1, 2)
    graph = csr_matrix((list(best.values()), (ends[:, 0], ends[:, 1])), shape=(2 * n, 2 * n))
    between = dijkstra(graph, indices=zones)[:, sink[zones]]
    between[zones[:, None] == zones[None, :]] = 0.0
    return between


def check(road: RoadNetwork, cost: Array, zones: Array, demand: Array) -> None:
    """Costs equal the twins'; flows are conserved, take no circle, cost what the demand costs."""
    loader = TreeLoader(road, zones)
    trees = loader.grow(cost)
    twin, load_twin = heap_twin(road, cost, zones)
    assert_array_equal(np.isinf(trees.od_cost), np.isinf(twin))
    assert_allclose(trees.od_cost, twin, rtol=EXACT)
    assert_allclose(trees.od_cost, scipy_costs(road, cost, zones), rtol=EXACT)

    served = np.isfinite(twin) & (zones[:, None] != zones[None, :])
    # Demand that no path serves is left out by the loader itself.
    flow = loader.load(trees, demand)
    loaded = np.where(served, demand, 0.0)
    total = float(loaded.sum())
    assert (flow >= 0.0).all()
    assert_array_equal(flow[np.isinf(cost)], 0.0)
    net = np.bincount(road.tail, flow, road.n_nodes) - np.bincount(road.head, flow, road.n_nodes)
    supply = np.bincount(zones, loaded.sum(axis=1) - loaded.sum(axis=0), road.n_nodes)
    assert_allclose(net, supply, rtol=0.0, atol=EXACT * max(total, 1.0))
    into = np.bincount(road.head, flow, road.n_nodes)
    ending = np.bincount(zones, loaded.sum(axis=0), road.n_nodes)
    assert_allclose(
        into[~road.node_through], ending[~road.node_through], rtol=0.0, atol=EXACT * total
    )
    spent = float((flow[flow > 0.0] * cost[flow > 0.0]).sum())
    wanted = float((loaded[served] * twin[served]).sum())
    # Links that cost next to nothing count a little more when demand is loaded.
    slack = EXACT * total * (float(twin[np.isfinite(twin)].max()) or 1.0)
    assert spent == pytest.approx(wanted, rel=EXACT, abs=slack)
    twin_flow = load_twin(loaded)
    twin_spent = float((twin_flow[twin_flow > 0.0] * cost[twin_flow > 0.0]).sum())
    assert spent == pytest.approx(twin_spent, rel=EXACT, abs=slack)

    # A path that went round a circle of links that cost nothing would pass a node again.
    for pair in np.flatnonzero(served)[:: max(1, np.count_nonzero(served) // 4)]:
        alone = np.zeros(demand.size)
        alone[pair] = 1.0
        path = loader.load(trees, alone.reshape(demand.shape))
        assert set(path) <= {0.0, 1.0}
        assert np.bincount(road.head, path, road.n_nodes).max() <= 1.0


@st.composite
def cases(draw: st.DrawFn) -> tuple[RoadNetwork, Array, Array, Array]:
    n_nodes = draw(st.integers(1, 14))
    node = st.integers(0, n_nodes - 1)
    links = draw(st.lists(st.tuples(node, node), max_size=45))
    ends = np.array(links, dtype=np.int64).reshape(-1, 2)
    through = np.array(draw(st.lists(st.booleans(), min_size=n_nodes, max_size=n_nodes)))
    # Few values, so that there are many ties; tenths, so that ties differ by rounding.
    # Below the normal range a float has no twelve digits to compare.
    value = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.7, 1.0, 1e-9, 1e6, np.inf]) | st.floats(
        0.0, 9.0, allow_subnormal=False
    )
    cost = np.array(draw(st.lists(value, min_size=len(links), max_size=len(links))), dtype=float)
    zones = np.array(draw(st.lists(node, min_size=1, max_size=2 * n_nodes)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    demand = rng.exponential(size=(len(zones), len(zones)))
    demand[rng.random(demand.shape) < 0.2] = 0.0
    return make_road(n_nodes, ends[:, 0], ends[:, 1], through), cost, zones, demand


@given(cases())
@settings(max_examples=300, deadline=None)
def test_any_multigraph(case):
    check(*case)


@given(cases())
@settings(max_examples=60, deadline=None)
def test_any_multigraph_by_dissection(case):
    before = hierarchy._FREE_DEGREE, hierarchy._ANY_DEGREE, hierarchy._FEW_NODES
    hierarchy._FREE_DEGREE, hierarchy._ANY_DEGREE, hierarchy._FEW_NODES = 0, 0, 2
    hierarchy._build.cache_clear()
    try:
        check(*case)
    finally:
        hierarchy._FREE_DEGREE, hierarchy._ANY_DEGREE, hierarchy._FEW_NODES = before
        hierarchy._build.cache_clear()


def grid(side: int, rng: np.random.Generator) -> tuple[RoadNetwork, Array]:
    """A grid of streets, some of them one-way or missing, with zones on connectors and streets."""
    node = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate([
        np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()], axis=1),
        np.stack([node[:-1].ravel(), node[1:].ravel()], axis=1),
    ])  # fmt: skip
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[rng.random(len(both)) < 0.9]
    n_outer = 40
    outer = side * side + np.arange(n_outer)
    at = rng.integers(0, side * side, (n_outer, 2))
    connectors = [np.stack([np.repeat(outer, 2), at.ravel()], axis=1)]
    connectors.append(connectors[0][:, ::-1])
    ends = np.concatenate([both, *connectors, [[outer[0], outer[1]]]])
    through = np.ones(side * side + n_outer, dtype=bool)
    through[outer] = False
    zones = np.concatenate([outer, rng.integers(0, side * side, 7)])
    return make_road(len(through), ends[:, 0], ends[:, 1], through), zones


@pytest.mark.parametrize("values", [(1.0,), (0.1, 0.2, 0.3), (0.0, 1.0), (1.0, np.inf), None])
def test_grids(values):
    rng = np.random.default_rng(7)
    road, zones = grid(18, rng)
    cost = (
        rng.exponential(size=road.n_links) if values is None else rng.choice(values, road.n_links)
    )
    check(road, cost, zones, rng.exponential(size=(len(zones), len(zones))))


def test_one_loader_serves_many_costs_and_demands():
    rng = np.random.default_rng(3)
    road, zones = grid(12, rng)
    loader = TreeLoader(road, zones)
    demand = rng.random((2, len(zones), len(zones)))
    costs = rng.exponential(size=(3, road.n_links))
    costs[1, rng.random(road.n_links) < 0.5] = np.inf
    for cost in costs:
        trees = loader.grow(cost)
        first, second = loader.load(trees, demand[0]), loader.load(trees, demand[1])
        fresh = TreeLoader(road, zones)
        again = fresh.grow(cost)
        assert_array_equal(again.od_cost, trees.od_cost)
        assert_array_equal(fresh.load(again, demand[1]), second)
        assert_array_equal(fresh.load(again, demand[0]), first)


def test_threads_change_no_bit():
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("one thread only")
    rng = np.random.default_rng(5)
    road, zones = grid(18, rng)
    zones = np.concatenate([zones, rng.integers(0, 324, 300)])
    cost, demand = rng.exponential(size=road.n_links), rng.random((len(zones), len(zones)))
    before = numba.get_num_threads()
    results = []
    try:
        for count in (1, 2):
            numba.set_num_threads(count)
            results.append(all_or_nothing(road, cost, zones, demand))
    finally:
        numba.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        assert_array_equal(one, two)


def test_the_order_is_the_same_every_time():
    road, zones = grid(18, np.random.default_rng(1))
    first = build_hierarchy(road, zones)
    hierarchy._build.cache_clear()
    for one, two in zip(first, build_hierarchy(road, zones), strict=True):
        assert_array_equal(one, two)


def test_a_path_may_not_pass_a_zone_but_may_lead_from_one_to_the_next():
    # 0 -> 1 -> 2 over a zone that may not be passed; 0 -> 3 -> 2 around it costs more.
    road = make_road(
        4, np.array([0, 1, 0, 3]), np.array([1, 2, 3, 2]), np.array([True, False, True, True])
    )
    assert_array_equal(
        zone_costs(road, np.array([1.0, 1.0, 5.0, 5.0]), np.arange(3)),
        [[0.0, 1.0, 10.0], [np.inf, 0.0, 1.0], [np.inf, np.inf, 0.0]],
    )


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    ["SiouxFalls/SiouxFalls", "Anaheim/Anaheim", "Chicago-Sketch/ChicagoSketch",
     "Berlin-Center/berlin-center"],
)  # fmt: skip
def test_published_networks(data_dir, name):
    network = tntp.read_network(data_dir / "tntp" / f"{name}_net.tntp")
    zones = network.zones
    rng = np.random.default_rng(1)
    # Costs as in congestion; the free-flow times of Berlin are 0 on many links.
    for cost in (
        network.road.free_flow_time,
        network.road.free_flow_time * rng.uniform(1.0, 3.0, network.road.n_links),
    ):
        check(network.road, cost, zones.centroid, rng.random((zones.n_zones, zones.n_zones)))
