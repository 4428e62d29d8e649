"""System optimum: Pigou's and Braess's networks by hand, and tolls that decentralise it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from test_assignment_frank_wolfe import braess, grid, zones

from cczsim.assignment.algorithm_b import BushParams
from cczsim.assignment.algorithms import solve
from cczsim.assignment.cost import LinkCost
from cczsim.assignment.frank_wolfe import FrankWolfeParams
from cczsim.assignment.system_optimum import system_optimum
from cczsim.kernels.vdf import AKCELIK, BPR, CONICAL, DAVIDSON
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


@pytest.mark.parametrize(
    ("kind", "alpha", "beta"), [(BPR, 0.4, 3.0), (CONICAL, 5.0, 0.0), (AKCELIK, 0.4, 1.0),
                                (DAVIDSON, 0.3, 0.9)]
)  # fmt: skip
def test_least_total_cost_by_every_delay_function_is_what_a_minimiser_finds(
    kind: int, alpha: float, beta: float
) -> None:
    """Two roads; what cars cost the flow beside them counts."""
    background = np.array([100.0, 250.0])
    road = RoadNetwork(
        node_id=np.arange(2), node_lon=np.zeros(2), node_lat=np.zeros(2), link_id=np.arange(2),
        tail=np.zeros(2), head=np.ones(2), road_class=np.zeros(2), length=np.ones(2),
        free_flow_time=[60.0, 75.0], capacity=[900.0, 1200.0], alpha=np.full(2, alpha),
        beta=np.full(2, beta), delay_function=np.full(2, kind), background=background,
    )  # fmt: skip
    model = LinkCost(road)

    def total(first: float) -> float:
        flow = np.array([first, 1500.0 - first])
        return float(((flow + background) * model.cost(flow)).sum())

    least = minimize_scalar(total, bounds=(0.0, 1500.0), method="bounded", options={"xatol": 1e-9})
    demand = np.array([[0.0, 1500.0], [0.0, 0.0]])
    for params in (BushParams(1e-10), FrankWolfeParams("bfw", 1e-9, 500)):
        best = system_optimum(road, zones(2), demand, params)
        assert best.marginal.converged
        assert total(best.marginal.link_flow[0]) <= least.fun * (1 + 1e-9)
        tolled = solve(road.replace(toll=best.toll), zones(2), demand, params, toll_factor=1.0)
        np.testing.assert_allclose(tolled.link_flow, best.marginal.link_flow, atol=1e-2)
