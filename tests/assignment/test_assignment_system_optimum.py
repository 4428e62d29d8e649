"""System optimum: Pigou's and Braess's networks by hand, and tolls that decentralise it."""

from __future__ import annotations

import numpy as np
import pytest
from test_assignment_frank_wolfe import braess, grid, zones

from cczsim.assignment.algorithm_b import BushParams
from cczsim.assignment.algorithms import solve
from cczsim.assignment.frank_wolfe import FrankWolfeParams
from cczsim.assignment.system_optimum import system_optimum
from cczsim.network.road import RoadNetwork


def test_pigou_half_take_each_road() -> None:
    """Costs 1 and x, one unit of demand: all take the second, half of them should."""
    road = RoadNetwork(
        node_id=np.arange(2), node_lon=np.zeros(2), node_lat=np.zeros(2), link_id=np.arange(2),
        tail=np.zeros(2), head=np.ones(2), road_class=np.zeros(2), length=np.zeros(2),
        free_flow_time=np.array([1.0, 1e-9]), capacity=np.ones(2), alpha=np.array([0.0, 1e9]),
        beta=np.ones(2),
    )  # fmt: skip
    demand = np.array([[0.0, 1.0], [0.0, 0.0]])
    best = system_optimum(road, zones(2), demand, BushParams(1e-12))
    np.testing.assert_allclose(best.marginal.link_flow, [0.5, 0.5], rtol=1e-8)
    np.testing.assert_allclose(best.toll, [0.0, 0.5], atol=1e-8)
    assert best.total_cost == pytest.approx(0.75, rel=1e-8)
    selfish = solve(road, zones(2), demand, BushParams(1e-12))
    assert selfish.tstt / best.total_cost == pytest.approx(4 / 3, rel=1e-7)


def test_nobody_should_take_the_bridge_of_braess() -> None:
    """D. Braess (1968): without the bridge each of six pays 83, with it 92."""
    road, zone, demand = braess()
    best = system_optimum(road, zone, demand, BushParams(1e-12))
    np.testing.assert_allclose(best.marginal.link_flow, [3, 3, 3, 0, 3], atol=1e-6)
    assert best.total_cost == pytest.approx(6 * 83, rel=1e-9)


def test_with_its_tolls_the_optimum_is_what_people_choose() -> None:
    road, zone, demand = grid(5, 8)
    best = system_optimum(road, zone, demand, BushParams(1e-11))
    selfish = solve(road, zone, demand, BushParams(1e-11))
    assert best.total_cost < selfish.tstt
    # The toll is one: a second's worth of money for each second.
    tolled = road.replace(toll=best.toll)
    chosen = solve(tolled, zone, demand, BushParams(1e-11), toll_factor=1.0)
    np.testing.assert_allclose(chosen.link_flow, best.marginal.link_flow, rtol=1e-4, atol=1e-2)
    wolfe = system_optimum(road, zone, demand, FrankWolfeParams("bfw", 1e-6, 2000))
    assert wolfe.total_cost == pytest.approx(best.total_cost, rel=1e-6)
    assert best.total_cost <= wolfe.total_cost * (1 + 1e-12)
