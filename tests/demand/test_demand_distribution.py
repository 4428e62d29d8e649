"""Gravity and logit."""

from __future__ import annotations

import numpy as np
import pytest

from cczsim.demand.distribution import _newton_step, deterrence, gravity
from cczsim.demand.generation import generate
from cczsim.demand.mode_choice import choose, intrazonal
from cczsim.demand.params import DemandParams
from cczsim.errors import DemandError


def test_gravity_meets_its_totals_and_reports_the_stranded():
    rng = np.random.default_rng(1)
    cost = rng.uniform(100, 3000, (6, 6))
    cost[4] = cost[:, 4] = np.inf
    production, attraction = rng.uniform(10, 90, 6), rng.uniform(10, 90, 6)
    production[2] = attraction[3] = 0.0
    result = gravity(production, attraction, deterrence(cost, 900.0, 0.5))
    assert result.converged
    np.testing.assert_allclose(result.trips.sum(axis=1) + result.stranded, production, rtol=1e-7)
    assert result.stranded[4] == production[4]
    assert result.trips[:, 3].sum() == 0.0


def test_not_converging_is_a_status():
    pull = np.array([[1.0, 0.0], [1.0, 1.0]])
    result = gravity(np.array([9.0, 1.0]), np.array([1.0, 9.0]), pull, max_iterations=20)
    assert not result.converged
    assert result.residual > 1e-3


def test_refuses_negative_trips():
    with pytest.raises(DemandError, match="production"):
        gravity(np.array([-1.0, 1.0]), np.ones(2), np.ones((2, 2)))


def test_shares_follow_the_odds_and_leave_out_what_is_not_there():
    costs = {"car": np.array([0.0, 5.0]), "transit": np.array([600.0, np.inf])}
    shares = choose(costs, 600.0)
    assert shares["car"][0] == pytest.approx(1.0 / (1.0 + np.exp(-1.0)))
    assert shares["car"][1] == 1.0
    assert choose({"car": np.array([np.inf])}, 600.0)["car"][0] == 0.0


def test_params_gather_all_faults():
    with pytest.raises(DemandError) as caught:
        DemandParams(car_occupancy=0.0, peak_share=1.5)
    assert "car_occupancy" in str(caught.value)
    assert "peak_share" in str(caught.value)


def test_groups_that_hardly_trade_are_balanced_too():
    """Furness alone takes 1,265 iterations here; with Newton steps after 40 of them it takes 48."""
    rng = np.random.default_rng(2)
    pull = np.full((8, 8), 1e-7)
    pull[:4, :4] = rng.uniform(0.5, 1.0, (4, 4))
    pull[4:, 4:] = rng.uniform(0.5, 1.0, (4, 4))
    production, attraction = np.full(8, 100.0), np.array([101.0] * 4 + [99.0] * 4)
    result = gravity(production, attraction, pull)
    assert result.converged
    assert result.iterations < 100
    np.testing.assert_allclose(result.trips.sum(axis=1), production, rtol=1e-7)
    np.testing.assert_allclose(result.trips.sum(axis=0), attraction, rtol=1e-7)
    factors = result.trips / pull
    np.testing.assert_allclose(  # gravity still: a rank-one matrix of factors
        factors, np.outer(factors[:, 0], factors[0]) / factors[0, 0], rtol=1e-6
    )


def test_a_gate_makes_and_draws_its_share_only():
    people, jobs = np.array([1000.0, 1_000_000.0]), np.array([500.0, 500_000.0])
    params = DemandParams()
    production, attraction = generate(people, jobs, params, np.array([1.0, 0.01]))
    whole, _ = generate(people, jobs, params)
    np.testing.assert_allclose(production, whole * [1.0, 0.01])
    assert attraction.sum() == pytest.approx(production.sum())
    np.testing.assert_allclose(attraction / attraction.sum(), [1 / 11, 10 / 11])


def test_the_way_within_a_zone_is_a_share_of_that_to_the_next():
    cost = np.array([[0.0, 30.0, 20.0], [30.0, 0.0, 50.0], [20.0, 50.0, 0.0]])
    shares = np.array([0.5, 0.1, 0.0])
    np.testing.assert_allclose(np.diagonal(intrazonal(cost, shares)), [10.0, 3.0, 0.0])


def test_a_newton_step_solves_its_linear_program_without_blas() -> None:
    """Against a dense solver, also where two groups of zones hardly trade."""
    random = np.random.default_rng(3)
    trips = random.uniform(0.0, 5.0, (40, 40))
    trips[:20, 20:] *= 1e-7
    trips[20:, :20] *= 1e-7
    rows, columns = trips.sum(axis=1), trips.sum(axis=0)
    wanted = columns * np.exp(random.uniform(-0.1, 0.1, 40))
    wanted[:20] *= columns[:20].sum() / wanted[:20].sum()
    wanted[20:] *= columns[20:].sum() / wanted[20:].sum()
    step = _newton_step(trips, rows, wanted)
    slope = np.diag(columns) - trips.T @ (trips / rows[:, None])
    np.testing.assert_allclose(slope @ step, wanted - columns, atol=1e-8 * columns.max())
