"""Ways in proportion: as the slow twin lists them, from wherever the equilibrium was come to."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.bush_analysis import select_links, select_zone, skim_used, used_ways
from cczsim.assignment.bush_solution import BushSolution, arc_flow
from cczsim.assignment.proportional import Proportional, entropy, make_proportional
from cczsim.assignment.result import RoadAssignment
from cczsim.assignment.threads import set_threads
from cczsim.assignment.user_classes import UserClass, assign_classes
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import FORBIDDEN, turns_from
from cczsim.network.zones import ZoneSystem
from tests.assignment import test_assignment_frank_wolfe as case
from tests.assignment.test_assignment_bush_solution import without
from tests.assignment.test_assignment_frank_wolfe import RANDOM, grid, roads, zones
from tests.naive_ways import most_likely

Case = tuple[RoadNetwork, ZoneSystem, Array]
TIGHT = BushParams(1e-13, 300)


def in_proportion(result: RoadAssignment, zone: ZoneSystem) -> tuple[BushSolution, Proportional]:
    assert result.bushes is not None
    return result.bushes, make_proportional(result.bushes, zone.centroid, result.link_cost[None])


def way_flows(solution: BushSolution, user_class: int = 0) -> dict[tuple[int, ...], float]:
    n = len(solution.zone_id)
    flow: dict[tuple[int, ...], float] = {}
    for o in range(n):
        for d in range(n):
            if solution.demand[user_class * n + o, d] > 0.0:
                for way in used_ways(solution, o, d, user_class, least=0.0):
                    flow[(o, d, *way.links)] = flow.get((o, d, *way.links), 0.0) + way.flow
    return flow


def shared_ways(prices: tuple[float, ...] = (10.0, 20.0)) -> Case:
    """Both come to node 2, go on by either of two ways, and part at node 3 (Bar-Gera 2010)."""
    ways: list[tuple[float, ...]] = [
        (0, 2, 1.0, 1e6), (1, 2, 1.0, 1e6), (2, 4, 5.0, prices[0]), (4, 3, 5.0, prices[0]),
        (2, 5, 6.0, prices[1]), (5, 3, 6.0, prices[1]), (3, 6, 1.0, 1e6), (3, 7, 1.0, 1e6),
    ]  # fmt: skip
    demand = np.zeros((8, 8))
    demand[0, 6], demand[0, 7], demand[1, 6], demand[1, 7] = 10.0, 5.0, 20.0, 7.0
    return roads(8, ways), zones(8), demand


@st.composite
def busy(draw: st.DrawFn) -> Case:
    """Streets of a grid that carry so much that most pairs of zones use several ways."""
    side = draw(st.integers(3, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    links = [
        (a, b, float(random.uniform(8, 12)), float(random.uniform(5, 30)))
        for a in range(side**2) for b in range(side**2)
        if abs(a // side - b // side) + abs(a % side - b % side) == 1
    ]  # fmt: skip
    demand = random.uniform(1, 15, (side**2, side**2)) * (random.random((side**2, side**2)) < 0.4)
    np.fill_diagonal(demand, 0.0)
    return roads(side**2, links), zones(side**2), demand


@RANDOM
@given(busy())
def test_ways_are_those_of_the_slow_twin(drawn: Case) -> None:
    road, zone, demand = drawn
    result = assign_bushes(road, zone, demand, params=TIGHT, keep_bushes=True)
    _, found = in_proportion(result, zone)
    slow = most_likely(
        road, zone.centroid, result.link_cost[None], demand[None], result.link_flow,
        found.tolerance,
    )  # fmt: skip
    fast = way_flows(found.solution)
    scale = 1e-6 * max(demand.sum(), 1.0)
    for links, (_, o, d), flow in zip(slow.links, slow.pair, slow.flow, strict=True):
        assert fast.pop((o, d, *links), 0.0) == pytest.approx(flow, abs=scale)
    assert sum(fast.values()) <= scale


@RANDOM
@given(st.one_of(busy(), case.cases()))
def test_link_flows_stay_and_entropy_does_not_fall(drawn: Case) -> None:
    road, zone, demand = drawn
    result = assign_bushes(road, zone, demand, params=TIGHT, keep_bushes=True)
    before, found = in_proportion(result, zone)
    assert found.converged
    trips = max(before.demand.sum(), 1.0)
    flow = arc_flow(found.solution.rows, road.n_links)
    np.testing.assert_allclose(flow, result.link_flow, atol=1e-9 * trips)
    assert found.flow_error <= 1e-9
    assert found.entropy >= found.entropy_before - 1e-9 * trips
    assert found.entropy == pytest.approx(entropy(found.solution.rows))
    for o in range(zone.n_zones):
        for_all = before.demand[o] > 0.0
        assert (found.solution.rows.at[o, for_all] >= 0).all()
        chosen = select_zone(found.solution, o).link_flow[0]
        into = np.bincount(road.head, chosen, road.n_nodes)
        out = np.bincount(road.tail, chosen, road.n_nodes)
        pulls = before.demand[:, o] - before.demand[o, :]
        net = np.bincount(zone.centroid, -pulls, road.n_nodes)
        net[zone.centroid[o]] = pulls.sum()
        np.testing.assert_allclose(into - out, net, atol=1e-9 * trips)


@RANDOM
@given(busy())
def test_segments_have_the_same_shares_for_all(drawn: Case) -> None:
    road, zone, demand = drawn
    result = assign_bushes(road, zone, demand, params=TIGHT, keep_bushes=True)
    _, found = in_proportion(result, zone)
    by_pair: dict[tuple[int, int], list[tuple[frozenset[int], float]]] = {}
    for (o, d, *links), flow in way_flows(found.solution).items():
        by_pair.setdefault((o, d), []).append((frozenset(links), flow))
    odds: dict[tuple[frozenset[int], frozenset[int]], float] = {}
    for ways in by_pair.values():
        for one, flow in ways:
            for other, other_flow in ways:
                # What hardly anybody takes says little of shares.
                if one != other and min(flow, other_flow) > 1e-3:
                    seen = odds.setdefault((one - other, other - one), flow / other_flow)
                    assert flow / other_flow == pytest.approx(seen, rel=1e-6)


def test_origins_that_came_by_different_ways_share_them_alike() -> None:
    road, zone, demand = shared_ways()
    # Before, only one street was there for either origin.
    alone = [without(road, np.array([gone])) for gone in (2, 4)]
    starts = [assign_bushes(r, zone, demand, keep_bushes=True).bushes for r in alone]
    shares = []
    for start in starts:
        assert start is not None
        only = replace(start.start(), rows=start.rows)
        result = assign_bushes(road, zone, demand * np.array([1.0, 0.1, *[0.0] * 6])[:, None],
                               params=TIGHT, start=only, keep_bushes=True)  # fmt: skip
        assert result.bushes is not None
        again = assign_bushes(road, zone, demand, params=TIGHT, start=result.bushes.start(),
                              keep_bushes=True)  # fmt: skip
        _, found = in_proportion(again, zone)
        chosen = select_links(found.solution, np.array([2])).trips[0]
        shares.append(chosen[demand > 0.0] / demand[demand > 0.0])
        assert np.ptp(shares[-1]) < 1e-9
    np.testing.assert_allclose(shares[0], shares[1], atol=1e-7)


def test_links_that_nobody_uses_are_not_shared() -> None:
    """Both ways cost the same whatever they carry, and all take one: no flow may move."""
    road, zone, demand = shared_ways((1e6, 1e6))
    level = np.where(np.isin(np.arange(8), [4, 5]), 5.0, road.free_flow_time)
    road = road.replace(free_flow_time=level, alpha=np.zeros(8))
    result = assign_bushes(road, zone, demand, params=TIGHT, keep_bushes=True)
    before, found = in_proportion(result, zone)
    flow = arc_flow(before.rows, 8)
    assert (flow[2:6] == 0.0).sum() == 2
    np.testing.assert_allclose(arc_flow(found.solution.rows, 8), flow, atol=1e-12)


def test_come_from_elsewhere_it_is_the_same() -> None:
    road, zone, demand = grid(6, 12)
    np.fill_diagonal(demand, 0.0)
    demand *= 3.0
    cold = assign_bushes(road, zone, demand, params=TIGHT, keep_bushes=True)
    other = assign_bushes(road, zone, 2.0 * demand.T, params=TIGHT, keep_bushes=True)
    assert other.bushes is not None
    warm = assign_bushes(road, zone, demand, params=TIGHT, start=other.bushes.start(),
                         keep_bushes=True)  # fmt: skip
    (bushes, one), (warm_bushes, two) = in_proportion(cold, zone), in_proportion(warm, zone)
    apart = likely_apart = 0.0
    for link in range(0, road.n_links, 5):
        for first, second, which in ((bushes, warm_bushes, 0), (one.solution, two.solution, 1)):
            trips = [select_links(s, np.array([link])).trips[0] for s in (first, second)]
            most = float(np.abs(trips[0] - trips[1]).max())
            if which == 0:
                apart = max(apart, most)
            else:
                likely_apart = max(likely_apart, most)
    assert apart > 1e-2
    assert likely_apart < 1e-6
    length = [skim_used(one.solution, road.length), skim_used(two.solution, road.length)]
    np.testing.assert_allclose(length[0], length[1], rtol=1e-8)


def test_threads_move_no_bit() -> None:
    road, zone, demand = grid(6, 12)
    result = assign_bushes(road, zone, 3.0 * demand, params=TIGHT, keep_bushes=True)
    flows = []
    try:
        for count in (1, 2, 3):
            set_threads(count)
            flows.append(in_proportion(result, zone)[1].solution.rows.flow)
    finally:
        set_threads(None)
    assert numba.get_num_threads() >= 1
    for flow in flows[1:]:
        np.testing.assert_array_equal(flow, flows[0])


def test_classes_share_what_costs_them_the_same() -> None:
    road, zone, demand = grid(4, 6)
    np.fill_diagonal(demand, 0.0)
    demand *= 2.0
    road = road.replace(toll=np.where(np.arange(road.n_links) % 7 == 0, 5.0, 0.0))
    classes = [
        UserClass("car", demand, toll_factor=10.0), UserClass("van", 0.5 * demand.T, pce=1.5,
        toll_factor=10.0), UserClass("truck", 0.2 * demand, pce=2.0, toll_factor=1.0),
    ]  # fmt: skip
    solved = assign_classes(road, zone, classes, params=TIGHT, keep_bushes=True)
    bushes = solved.road.bushes
    assert bushes is not None
    found = make_proportional(bushes, zone.centroid, solved.link_cost)
    assert found.converged
    np.testing.assert_allclose(
        found.class_flow.sum(axis=0), solved.road.link_flow, atol=1e-9 * bushes.demand.sum()
    )
    slow = most_likely(
        road, zone.centroid, solved.link_cost, bushes.demand.reshape(3, zone.n_zones, -1),
        solved.road.link_flow, found.tolerance,
    )  # fmt: skip
    fast = [way_flows(found.solution, c) for c in range(3)]
    for links, (c, o, d), flow in zip(slow.links, slow.pair, slow.flow, strict=True):
        assert fast[c].get((o, d, *links), 0.0) == pytest.approx(
            flow, abs=1e-6 * bushes.demand.sum()
        )


def test_turn_rules_are_kept() -> None:
    road, zone, demand = grid(5, 8)
    np.fill_diagonal(demand, 0.0)
    rules = [[a, b] for a in range(0, road.n_links, 3) for b in range(road.n_links)
             if road.head[a] == road.tail[b] and (a + b) % 2]  # fmt: skip
    turns = turns_from(rules, [FORBIDDEN] * len(rules))
    result = assign_bushes(road, zone, 2.0 * demand, params=TIGHT, turns=turns, keep_bushes=True)
    _, found = in_proportion(result, zone)
    assert found.converged
    np.testing.assert_allclose(found.class_flow[0], result.link_flow, atol=1e-9 * demand.sum())
    assert found.entropy >= found.entropy_before
    forbidden = {tuple(rule) for rule in rules}
    flow = np.zeros(road.n_links)
    for (_, _, *links), part in way_flows(found.solution).items():
        flow[links] += part
        assert not forbidden & set(pairwise(links))
    np.testing.assert_allclose(flow, result.link_flow, atol=1e-8 * demand.sum())


def test_nobody_travels() -> None:
    road, zone, demand = shared_ways()
    result = assign_bushes(road, zone, 0.0 * demand, keep_bushes=True)
    before, found = in_proportion(result, zone)
    assert found.solution is before
    assert found.converged


def test_costs_of_another_network_are_refused() -> None:
    road, zone, demand = shared_ways()
    result = assign_bushes(road, zone, demand, keep_bushes=True)
    assert result.bushes is not None
    with pytest.raises(AssignmentError, match="link_cost"):
        make_proportional(result.bushes, zone.centroid, result.link_cost)
