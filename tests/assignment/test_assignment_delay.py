"""Delay functions: derivative, integral and kernel agree with the delay itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from cczsim.assignment.algorithms import params_of, solve
from cczsim.assignment.bush_arrays import star_vdf
from cczsim.assignment.cost import LinkCost
from cczsim.errors import AssignmentError
from cczsim.kernels.vdf import AKCELIK, BPR, CONICAL, DAVIDSON, MARGINAL, delay_and_slope
from cczsim.network.forward_star import forward_star
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem

RANGES = {
    BPR: (st.floats(0.05, 4.0), st.floats(0.5, 15.0)),
    CONICAL: (st.floats(1.1, 12.0), st.just(0.0)),
    AKCELIK: (st.floats(0.05, 5.0), st.floats(0.25, 2.0)),
    DAVIDSON: (st.floats(0.05, 2.0), st.floats(0.1, 0.98)),
}


def two_links(kind: int, alpha: float, beta: float, background: float = 0.0) -> RoadNetwork:
    return RoadNetwork(
        node_id=np.arange(2), node_lon=np.zeros(2), node_lat=np.zeros(2), link_id=np.arange(2),
        tail=[0, 0], head=[1, 1], road_class=np.zeros(2), length=np.ones(2),
        free_flow_time=[60.0, 90.0], capacity=[900.0, 1200.0], alpha=np.full(2, alpha),
        beta=np.full(2, beta), delay_function=np.full(2, kind), background=np.full(2, background),
    )  # fmt: skip


RANGES |= {kind + MARGINAL: ranges for kind, ranges in RANGES.items() if kind != BPR}


@pytest.mark.parametrize("kind", RANGES)
@settings(deadline=None)
@given(data=st.data())
def test_slope_integral_and_kernel(kind: int, data: st.DataObject) -> None:
    alpha, beta = (data.draw(numbers) for numbers in RANGES[kind])
    background = data.draw(st.sampled_from([0.0, 150.0]))
    road = two_links(kind, alpha, beta, background)
    model = LinkCost(road)
    flow = np.array([data.draw(st.floats(10.0, 2500.0)), 700.0])
    step = 1e-3
    rise = (model.cost(flow + step) - model.cost(flow - step)) / (2.0 * step)
    np.testing.assert_allclose(model.derivative(flow), rise, rtol=1e-4, atol=1e-9)
    area = sum(
        quad(lambda v, k=k: model.cost(np.full(2, v))[k], 0.0, flow[k], epsrel=1e-10, limit=200)[0]
        for k in range(2)
    )
    assert model.objective(flow) == pytest.approx(area, rel=1e-6)
    vdf = star_vdf(forward_star(road), [model])
    for k, link in enumerate(forward_star(road).link):
        delay, slope = delay_and_slope(*(column[k] for column in vdf[:7]), flow[link])
        assert vdf.fixed[k] + delay == pytest.approx(model.cost(flow)[link], rel=1e-12)
        assert slope == pytest.approx(model.derivative(flow)[link], rel=1e-9)


def test_values_from_the_papers() -> None:
    """Spiess (1990): f(1) = 2; Akçelik (1991): at capacity; Davidson: J x / (1 - x)."""
    at_capacity = np.array([900.0, 1200.0])
    conical = LinkCost(two_links(CONICAL, 4.0, 0.0)).time(at_capacity)
    np.testing.assert_allclose(conical, [120.0, 180.0])
    akcelik = LinkCost(two_links(AKCELIK, 0.4, 1.0)).time(at_capacity)
    expected = [60.0 + 900.0 * np.sqrt(8 * 0.4 / 900.0), 90.0 + 900.0 * np.sqrt(8 * 0.4 / 1200.0)]
    np.testing.assert_allclose(akcelik, expected)
    davidson = LinkCost(two_links(DAVIDSON, 0.25, 0.9)).time(0.8 * at_capacity)
    np.testing.assert_allclose(davidson, [60.0 * (1 + 0.25 * 4.0), 90.0 * (1 + 0.25 * 4.0)])


@pytest.mark.parametrize(
    ("kind", "alpha", "beta"), [(CONICAL, 4.0, 0.0), (AKCELIK, 0.4, 1.0), (DAVIDSON, 0.25, 0.9)]
)
@pytest.mark.parametrize("algorithm", ["b", "bfw"])
def test_equilibrium_of_two_ways(kind: int, alpha: float, beta: float, algorithm: str) -> None:
    road = two_links(kind, alpha, beta, background=100.0)
    zones = ZoneSystem(zone_id=np.arange(2), centroid=np.arange(2))
    demand = np.array([[0.0, 1800.0], [0.0, 0.0]])
    solved = solve(road, zones, demand, params_of(algorithm, 1e-9, 500))
    assert solved.link_flow.sum() == pytest.approx(1800.0)
    assert solved.link_cost[0] == pytest.approx(solved.link_cost[1], rel=1e-5)


def test_parameters_that_make_no_sense_are_refused() -> None:
    for kind, alpha, beta in ((CONICAL, 1.0, 0.0), (AKCELIK, 0.1, 0.0), (DAVIDSON, 0.1, 1.0)):
        with pytest.raises(AssignmentError, match="delay_function"):
            LinkCost(two_links(kind, alpha, beta))
