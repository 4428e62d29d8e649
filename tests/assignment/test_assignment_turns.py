"""Flows keep the turn rules: least costs are those of a search with memory, and the gap closes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cczsim.assignment.algorithms import params_of, solve
from cczsim.assignment.elastic import ElasticParams, elastic_assignment
from cczsim.assignment.shortest import zone_costs
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import FORBIDDEN, Turns, turns_from
from cczsim.network.zones import ZoneSystem
from tests.assignment.test_assignment_frank_wolfe import RANDOM
from tests.naive_turns import least_costs
from tests.network.test_network_turn_graph import cases, network


@RANDOM
@given(cases(), st.sampled_from(["b", "bfw"]))
def test_flows_cost_what_a_search_with_memory_finds(
    drawn: tuple[RoadNetwork, Turns], algorithm: str
) -> None:
    road, turns = drawn
    road = road.replace(free_flow_time=road.free_flow_time + 1.0)
    zones = ZoneSystem(zone_id=np.arange(road.n_nodes), centroid=np.arange(road.n_nodes))
    demand = 400.0 * (1.0 - np.eye(road.n_nodes))
    solved = solve(road, zones, demand, params_of(algorithm, 1e-6, 300), turns=turns)
    at_cost = road.replace(free_flow_time=solved.link_cost)
    least = np.array([least_costs(at_cost, turns, node) for node in range(road.n_nodes)])
    np.testing.assert_allclose(
        zone_costs(road, solved.link_cost, zones.centroid, turns), least, rtol=1e-12
    )
    served = np.isfinite(least) & (demand > 0.0)
    assert solved.unreachable_demand == pytest.approx(demand[~served].sum())
    assert solved.sptt == pytest.approx(float((demand[served] * least[served]).sum()), rel=1e-9)
    assert solved.tstt <= solved.sptt * (1.0 + 1e-5)
    net = np.bincount(road.tail, solved.link_flow, road.n_nodes)
    net -= np.bincount(road.head, solved.link_flow, road.n_nodes)
    carried = np.where(served, demand, 0.0)
    np.testing.assert_allclose(net, carried.sum(axis=1) - carried.sum(axis=0), atol=1e-6)


def crossing() -> tuple[RoadNetwork, ZoneSystem]:
    """From 0 over 1 straight on to 2, or round by 3."""
    road = network([(0, 1), (1, 2), (1, 3), (3, 2)], [10, 10, 30, 30])
    return road, ZoneSystem(zone_id=np.arange(4), centroid=np.arange(4))


def test_a_forbidden_turn_sends_all_round() -> None:
    road, zones = crossing()
    demand = np.zeros((4, 4))
    demand[0, 2] = 100.0
    free = solve(road, zones, demand, params_of("b", 1e-8, 50))
    np.testing.assert_allclose(free.link_flow, [100, 100, 0, 0])
    rules = turns_from([[0, 1]], [FORBIDDEN])
    ruled = solve(road, zones, demand, params_of("b", 1e-8, 50), turns=rules)
    np.testing.assert_allclose(ruled.link_flow, [100, 0, 100, 100])


def test_a_rule_over_three_links_shares_their_capacity() -> None:
    """Copies of a link, of which one rule makes one, are delayed by their flow together."""
    road = network([(0, 1), (4, 1), (1, 2), (2, 3), (2, 5), (5, 3)], [10, 10, 10, 10, 10, 10])
    zones = ZoneSystem(zone_id=np.arange(6), centroid=np.arange(6))
    demand = np.zeros((6, 6))
    demand[0, 3] = demand[4, 3] = 700.0
    rules = turns_from([[0, 2, 3]], [FORBIDDEN])
    solved = solve(road, zones, demand, params_of("b", 1e-10, 100), turns=rules)
    assert solved.converged
    assert solved.link_flow[2] == pytest.approx(1400.0)
    assert solved.link_time[2] == pytest.approx(10.0 * (1.0 + 0.15 * (1400.0 / 900.0) ** 4))
    assert solved.link_flow[4] >= 700.0 - 1e-9


@pytest.mark.parametrize("algorithm", ["b", "bfw"])
def test_elastic_demand_keeps_turn_rules(algorithm: str) -> None:
    road, zones = crossing()
    trips = np.zeros((4, 4))
    trips[0, 2] = 500.0
    rules = turns_from([[0, 1]], [FORBIDDEN])
    solved = elastic_assignment(
        road, zones, trips, np.full((4, 4), np.exp(-60.0 / 60.0)), scale=60.0,
        params=ElasticParams(algorithm, 1e-9, 1e-9), turns=rules,
    )  # fmt: skip
    assert solved.road.converged
    assert solved.road.link_flow[1] == 0.0
    assert solved.road.link_flow[3] == pytest.approx(solved.car_trips[0, 2])
    assert 0.0 < solved.car_trips[0, 2] < 250.0
