"""Logit loading against ways that are listed; the stochastic equilibrium against a root."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from scipy.optimize import brentq

from cczsim.assignment.stochastic import StochasticParams, assign_stochastic
from cczsim.assignment.threads import set_threads
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem
from tests.assignment import test_assignment_frank_wolfe as case
from tests.assignment.test_assignment_frank_wolfe import RANDOM, balance, carried, grid, produced
from tests.naive_roads import tree

Case = tuple[RoadNetwork, ZoneSystem, Array]


def flat(road: RoadNetwork) -> RoadNetwork:
    return road.replace(alpha=np.zeros(road.n_links), free_flow_time=road.free_flow_time + 1.0)


def listed(road: RoadNetwork, zones: ZoneSystem, demand: Array, theta: float) -> Array:
    """Load by listing all efficient ways, by distances of a plain search."""
    flow = np.zeros(road.n_links)
    for o, origin in enumerate(zones.centroid):
        far = np.array(tree(road, road.free_flow_time.tolist(), int(origin))[0])
        for d, end in enumerate(zones.centroid):
            ways: list[list[int]] = []
            waiting = [(int(origin), [])] if demand[o, d] > 0 and origin != end else []
            while waiting:
                node, links = waiting.pop()
                if node == end:
                    ways.append(links)
                    continue
                if links and not road.node_through[node]:
                    continue
                waiting += [
                    (int(road.head[a]), [*links, int(a)])
                    for a in np.flatnonzero(road.tail == node)
                    if far[road.head[a]] > far[node]
                ]
            costs = np.array([road.free_flow_time[way].sum() for way in ways])
            odds = np.exp(-theta * (costs - costs.min(initial=np.inf)))
            for way, odd in zip(ways, odds, strict=True):
                flow[way] += demand[o, d] * odd / odds.sum()
    return flow


def test_loading_equals_ways_that_are_listed() -> None:
    road, zones, demand = grid(4, 5)
    rng = np.random.default_rng(7)
    # No two nodes equally far: then both notions of efficiency are the same.
    road = flat(road).replace(free_flow_time=rng.uniform(20.0, 60.0, road.n_links))
    np.fill_diagonal(demand, 0.0)
    for theta in (0.001, 0.05, 1.0):
        solved = assign_stochastic(road, zones, demand, StochasticParams(theta))
        assert solved.converged
        np.testing.assert_allclose(
            solved.link_flow, listed(road, zones, demand, theta), rtol=1e-9, atol=1e-9
        )


def test_two_ways_divide_by_logit_at_their_own_costs() -> None:
    road = RoadNetwork(
        node_id=np.arange(2), node_lon=np.zeros(2), node_lat=np.zeros(2), link_id=np.arange(2),
        tail=[0, 0], head=[1, 1], road_class=np.zeros(2), length=np.ones(2),
        free_flow_time=[600.0, 700.0], capacity=[500.0, 800.0],
    )  # fmt: skip
    zones = ZoneSystem(zone_id=np.arange(2), centroid=np.arange(2))
    theta = 0.004

    def off(first: float) -> float:
        here = 600.0 * (1.0 + 0.15 * (first / 500.0) ** 4)
        there = 700.0 * (1.0 + 0.15 * ((1500.0 - first) / 800.0) ** 4)
        return first - 1500.0 / (1.0 + np.exp(theta * (here - there)))

    solved = assign_stochastic(
        road, zones, np.array([[0.0, 1500.0], [0.0, 0.0]]), StochasticParams(theta, 1e-10)
    )
    assert solved.converged
    assert solved.link_flow[0] == pytest.approx(brentq(off, 0.0, 1500.0), rel=1e-8)


@RANDOM
@given(case.cases())
def test_flow_is_conserved_on_any_network(drawn: Case) -> None:
    road, zones, demand = drawn
    solved = assign_stochastic(road, zones, demand, StochasticParams(0.01, 1e-4, 50))
    between = carried(demand, solved)
    np.testing.assert_allclose(
        balance(road, solved.link_flow), produced(zones, between, road.n_nodes),
        atol=1e-9 * max(float(demand.sum()), 1.0),
    )  # fmt: skip


def test_threads_change_no_bit() -> None:
    road, zones, demand = grid(5, 8)
    flows = []
    for threads in (1, 2):
        set_threads(threads)
        flows.append(assign_stochastic(road, zones, demand, StochasticParams(0.01)).link_flow)
    np.testing.assert_array_equal(flows[0], flows[1])


def test_a_dispersion_that_makes_no_sense_is_refused() -> None:
    for theta in (0.0, -1.0, float("nan")):
        with pytest.raises(AssignmentError, match="theta"):
            StochasticParams(theta)
