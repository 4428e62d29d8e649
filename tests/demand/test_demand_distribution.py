"""Gravity and logit."""

from __future__ import annotations

import numpy as np
import pytest

from cczsim.demand.distribution import deterrence, gravity
from cczsim.demand.mode_choice import choose
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
