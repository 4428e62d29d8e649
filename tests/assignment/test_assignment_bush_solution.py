"""Warm starts reach the same equilibrium; skims, selections and ways add up to the flows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.bush_analysis import select_links, select_zone, skim_used, used_ways
from cczsim.assignment.bush_arrays import empty_rows
from cczsim.assignment.bush_solution import BushStart, flow_of
from cczsim.assignment.convergence import check_flow
from cczsim.assignment.result import RoadAssignment
from cczsim.assignment.search_graph import SearchGraph
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.kernels.bush import Rows
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import FORBIDDEN, turns_from
from cczsim.network.zones import ZoneSystem
from tests.assignment import test_assignment_frank_wolfe as case
from tests.assignment.test_assignment_frank_wolfe import RANDOM, grid, roads

Case = tuple[RoadNetwork, ZoneSystem, Array]
PAIRS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=20)
TIGHT = BushParams(1e-10, 300)


def one_bush(flow: Array) -> Rows:
    """A bush that holds every link, only to sum its flow."""
    n = len(flow)
    arc = np.arange(n, dtype=np.int32)[None]
    first = np.array([[0, n]], dtype=np.int32)
    at = np.zeros((1, 0), dtype=np.int32)
    return Rows(np.ones(1, dtype=np.int32), first, arc, np.zeros_like(arc), flow[None], at)


def solved(road: RoadNetwork, zones: ZoneSystem, demand: Array) -> RoadAssignment:
    return assign_bushes(road, zones, demand, params=TIGHT, keep_bushes=True)


def without(road: RoadNetwork, links: Array) -> RoadNetwork:
    kept = np.setdiff1d(np.arange(road.n_links), links)
    return road.replace(
        **{
            name: values[kept]
            for name in RoadNetwork.dims()["link"]
            if name != "reverse_link" and (values := getattr(road, name)) is not None
        },
        reverse_link=np.full(len(kept), -1),
    )


@RANDOM
@given(case.cases())
def test_a_warm_start_reaches_the_same_equilibrium(drawn: Case) -> None:
    road, zones, demand = drawn
    before = solved(road, zones, demand)
    assert before.bushes is not None
    other = without(road, np.arange(0, road.n_links, 4))
    for changed, trips in ((other, demand), (road, 1.3 * demand.T), (road, demand)):
        cold = solved(changed, zones, trips)
        warm = assign_bushes(changed, zones, trips, params=TIGHT, start=before.bushes.start())
        slack = (cold.tstt - cold.sptt) + (warm.tstt - warm.sptt) + 1e-9 * abs(cold.objective)
        assert abs(warm.objective - cold.objective) <= slack
        assert warm.unreachable_demand == pytest.approx(cold.unreachable_demand)


def test_what_entered_by_a_link_that_is_gone_is_carried_on() -> None:
    # A merge whose first link is gone is still the node that it was.
    road, zones, demand = grid(6, 12)
    before = solved(road, zones, demand)
    assert before.bushes is not None
    for gone in range(road.n_links):
        changed = without(road, np.array([gone]))
        warm = assign_bushes(
            changed, zones, demand, params=BushParams(1e-4, 50), start=before.bushes.start()
        )
        assert warm.converged
        assert warm.node_imbalance < 1e-12


def test_what_passed_a_node_that_may_not_be_passed_any_more_goes_round_it() -> None:
    road, zones, demand = grid(6, 12)
    before = solved(road, zones, demand)
    assert before.bushes is not None
    for node in range(road.n_nodes):
        through = np.arange(road.n_nodes) != node
        warm = assign_bushes(
            road.replace(node_through=through), zones, demand, params=BushParams(1e-6, 50),
            start=before.bushes.start(),
        )  # fmt: skip
        assert warm.converged
        cold = assign_bushes(
            road.replace(node_through=through), zones, demand, params=BushParams(1e-6, 50)
        )
        assert warm.objective == pytest.approx(cold.objective, rel=2e-6)


def test_trips_of_a_zone_that_moved_begin_where_it_is_now() -> None:
    road, zones, demand = grid(6, 12)
    before = solved(road, zones, demand)
    assert before.bushes is not None
    moved = zones.replace(centroid=zones.centroid[::-1])
    warm = assign_bushes(road, moved, demand, params=TIGHT, start=before.bushes.start())
    cold = solved(road, moved, demand)
    assert warm.objective == pytest.approx(cold.objective, rel=1e-8)


def test_a_network_with_fewer_nodes_starts_from_bushes_of_more() -> None:
    n, zones = 200, ZoneSystem(zone_id=[1, 2], centroid=[0, 1])
    trips = np.array([[0.0, 10.0], [0.0, 0.0]])
    chain = roads(n, [(i, i + 1, 1.0, 1.0) for i in range(n - 1)])
    before = solved(chain, zones.replace(centroid=[0, n - 1]), trips)
    assert before.bushes is not None
    warm = assign_bushes(roads(2, [(0, 1, 1.0, 1.0)]), zones, trips, start=before.bushes.start())
    np.testing.assert_array_equal(warm.link_flow, [10.0])


def test_bushes_do_not_widen_from_one_warm_start_to_the_next() -> None:
    road, zones, demand = grid(6, 12)
    found = solved(road, zones, demand)
    assert found.bushes is not None
    first = found.bushes.rows
    assert first.arc.shape[1] == first.first[np.arange(len(first.size)), first.size].max()
    for _ in range(5):
        found = assign_bushes(road, zones, demand, params=TIGHT, start=found.bushes.start(),
                              keep_bushes=True)  # fmt: skip
        assert found.bushes is not None
    last = found.bushes.rows
    assert (last.arc.shape, last.first.shape) == (first.arc.shape, first.first.shape)


@RANDOM
@given(PAIRS, PAIRS)
def test_links_are_found_by_their_ends_and_their_order(
    old: list[tuple[int, int]], new: list[tuple[int, int]]
) -> None:
    before, changed = (roads(9, [(t, h, 1.0, 1.0) for t, h in pairs]) for pairs in (old, new))
    ids = 10**9 * np.arange(9)[::-1]
    before, changed = before.replace(node_id=ids), changed.replace(node_id=ids)
    start = BushStart(ids[before.tail], ids[before.head], np.arange(9), 1, empty_rows(9, 9))
    graph = SearchGraph.of(changed, np.arange(9), None)
    rows = {}
    for row, pair in enumerate(new):
        rows[pair, new[:row].count(pair)] = row
    flow = flow_of(replace(start, rows=one_bush(1.0 + np.arange(len(old)))), graph)
    expected = np.zeros(len(new))
    for row, pair in enumerate(old):
        if (pair, old[:row].count(pair)) in rows:
            expected[rows[pair, old[:row].count(pair)]] = 1.0 + row
    np.testing.assert_array_equal(flow, expected)


def test_flow_that_lost_its_demand_is_told_from_rounding() -> None:
    check_flow(-1e-12, 1e-13)
    with pytest.raises(AssignmentError, match=r"relative gap -5\.0e-04") as caught:
        check_flow(-5e-4, 2e-3)
    assert "2.0e-03 of the demand missing at a node" in str(caught.value)


def test_an_unchanged_scenario_is_solved_at_once() -> None:
    road, zones, demand = grid(6, 12)
    before = solved(road, zones, demand)
    assert before.bushes is not None
    again = assign_bushes(road, zones, demand, params=TIGHT, start=before.bushes.start())
    assert again.iterations == 1
    np.testing.assert_allclose(again.link_flow, before.link_flow, rtol=1e-9)


def test_ways_skims_and_selections_add_up() -> None:
    road, zones, demand = grid(5, 8)
    np.fill_diagonal(demand, 0.0)
    result = solved(road, zones, demand)
    bushes = result.bushes
    assert bushes is not None
    flow = np.zeros(road.n_links)
    through_7 = np.zeros(demand.shape)
    with_7 = np.zeros(road.n_links)
    length = skim_used(bushes, road.length)[0]
    cost = skim_used(bushes, result.link_cost)[0]
    for o, d in zip(*np.nonzero(demand), strict=True):
        ways = used_ways(bushes, int(o), int(d), least=0.0)
        assert sum(way.flow for way in ways) == pytest.approx(demand[o, d])
        mean = 0.0
        for way in ways:
            links = list(way.links)
            assert road.tail[links[0]] == zones.centroid[o]
            assert road.head[links[-1]] == zones.centroid[d]
            assert (road.head[links[:-1]] == road.tail[links[1:]]).all()
            flow[links] += way.flow
            mean += way.flow * road.length[links].sum()
            if 7 in links:
                through_7[o, d] += way.flow
                with_7[links] += way.flow
        assert length[o, d] == pytest.approx(mean / demand[o, d])
    np.testing.assert_allclose(flow, result.link_flow, atol=1e-9)
    # At equilibrium used ways cost the same: the mean over them is the least cost.
    assert float((demand * np.nan_to_num(cost)).sum()) == pytest.approx(result.sptt, rel=1e-9)
    chosen = select_links(bushes, np.array([7]))
    np.testing.assert_allclose(chosen.trips[0], through_7, atol=1e-9)
    np.testing.assert_allclose(chosen.link_flow[0], with_7, atol=1e-9)
    assert chosen.link_flow[0, 7] == pytest.approx(result.link_flow[7])
    of_zones = [select_zone(bushes, zone).link_flow[0] for zone in range(zones.n_zones)]
    # Every trip belongs to two zones, where it begins and where it ends.
    np.testing.assert_allclose(np.sum(of_zones, axis=0), 2.0 * result.link_flow, atol=1e-9)


def test_ways_under_turn_rules_keep_them() -> None:
    road, zones, demand = grid(5, 8)
    np.fill_diagonal(demand, 0.0)
    rules = [[a, b] for a in range(0, road.n_links, 3) for b in range(road.n_links)
             if road.head[a] == road.tail[b] and (a + b) % 2]  # fmt: skip
    turns = turns_from(rules, [FORBIDDEN] * len(rules))
    result = assign_bushes(road, zones, demand, params=TIGHT, turns=turns, keep_bushes=True)
    assert result.bushes is not None
    forbidden = {tuple(rule) for rule in rules}
    flow = np.zeros(road.n_links)
    for o, d in zip(*np.nonzero(demand), strict=True):
        for way in used_ways(result.bushes, int(o), int(d), least=0.0):
            flow[list(way.links)] += way.flow
            assert not forbidden & set(zip(way.links, way.links[1:], strict=False))
    np.testing.assert_allclose(flow, result.link_flow, atol=1e-9)
    every = np.flatnonzero(result.link_flow > 0.0)
    chosen = select_links(result.bushes, every)
    np.testing.assert_allclose(chosen.link_flow[0], result.link_flow, atol=1e-9)


def test_a_way_enters_past_a_dear_way_to_where_it_leaves() -> None:
    # Trips to 1 drive the dear way by 2, for now; the new way to 3 leaves what is used at 1.
    fixed = [(0, 2, 5.0, 1e9), (2, 1, 5.0, 1e9), (0, 3, 5.0, 1e9)]
    new = [(0, 1, 1.0, 1e9), (1, 3, 1.0, 1e9)]
    zones = ZoneSystem(zone_id=np.arange(3), centroid=np.array([0, 1, 3]))
    demand = np.zeros((3, 3))
    demand[0, 1:] = 1.0
    before = solved(roads(4, fixed), zones, demand)
    assert before.bushes is not None
    start = before.bushes.start()
    after = assign_bushes(roads(4, fixed + new), zones, demand, params=TIGHT, start=start)
    assert after.converged
    # One round of shifts, with both new links in it, is enough.
    assert after.iterations == 2
    np.testing.assert_allclose(after.link_flow, [0.0, 0.0, 0.0, 2.0, 1.0])


def test_ways_that_would_close_a_circle_enter_one_after_the_other() -> None:
    # Trips reach 2 by 1; at the new costs they are to reach 1 by 2.
    pairs = [(0, 1), (1, 2), (0, 2), (2, 1)]
    zones = ZoneSystem(zone_id=np.arange(3), centroid=np.arange(3))
    demand = np.zeros((3, 3))
    demand[0, 1:] = [1.0, 2.0]
    there = roads(3, [(t, h, c, 1e9) for (t, h), c in zip(pairs, (1, 1, 9, 9), strict=True)])
    back = roads(3, [(t, h, c, 1e9) for (t, h), c in zip(pairs, (9, 9, 1, 1), strict=True)])
    before = solved(there, zones, demand)
    np.testing.assert_allclose(before.link_flow, [3.0, 2.0, 0.0, 0.0])
    assert before.bushes is not None
    after = assign_bushes(back, zones, demand, params=TIGHT, start=before.bushes.start())
    assert after.converged
    np.testing.assert_allclose(after.link_flow, [0.0, 0.0, 3.0, 1.0])
