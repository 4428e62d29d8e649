"""Decays and factors that give observed trip lengths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.demand.calibration import fit_bands, fit_decay, mean_length
from cczsim.demand.distribution import deterrence, gravity
from cczsim.errors import DemandError


def city(seed, n=12):
    rng = np.random.default_rng(seed)
    place = rng.uniform(0.0, 20.0, (n, 2))
    km = np.hypot(*(place[:, None] - place[None, :]).transpose(2, 0, 1))
    np.fill_diagonal(km, 0.5)
    cost = 60.0 + 90.0 * km * rng.uniform(0.9, 1.3, km.shape)
    return rng.uniform(50.0, 500.0, n), rng.uniform(50.0, 500.0, n), cost, km


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(200.0, 4000.0), st.floats(0.0, 1.0))
def test_the_decay_that_made_a_mean_is_found_again(seed, decay, power):
    production, attraction, cost, km = city(seed)
    made = gravity(production, attraction, deterrence(cost, decay, power))
    mean = mean_length(made.trips, km)
    found = fit_decay(production, attraction, cost, km, mean, power=power)
    assert found.converged
    assert found.mean == pytest.approx(mean, rel=1e-5)
    assert mean_length(found.distribution.trips, km) == found.mean
    assert found.distribution.converged
    assert len(found.trials) < 40


def test_the_mean_may_be_of_the_cost_itself():
    production, attraction, cost, _ = city(1)
    found = fit_decay(production, attraction, cost, cost, 700.0)
    assert mean_length(found.distribution.trips, cost) == pytest.approx(700.0, rel=1e-4)


@pytest.mark.parametrize("mean", [0.01, 1e3])
def test_a_mean_that_no_decay_gives_is_refused_with_the_range(mean):
    production, attraction, cost, km = city(1)
    with pytest.raises(DemandError, match="decays from"):
        fit_decay(production, attraction, cost, km, mean)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_factors_give_the_shares_and_the_totals_stay(seed):
    production, attraction, cost, km = city(seed)
    band = np.digitize(km, [4.0, 8.0, 12.0])
    np.fill_diagonal(band, -1)
    wanted = gravity(production, attraction, deterrence(cost, 500.0, 0.3)).trips
    apart = band >= 0
    share = np.bincount(band[apart], weights=wanted[apart], minlength=4)
    share /= share.sum()
    found = fit_bands(production, attraction, np.ones_like(km), band, share)
    assert found.converged
    np.testing.assert_allclose(found.share, share, atol=1e-6)
    trips = found.distribution.trips
    np.testing.assert_allclose(trips.sum(axis=1), production, rtol=1e-7)
    scaled = attraction * production.sum() / attraction.sum()
    np.testing.assert_allclose(trips.sum(axis=0), scaled, rtol=1e-7)
    # Within a band and a row pull is all alike: trips are a product of three factors.
    k = np.flatnonzero(band[0] == band[0, 1])
    ratio = trips[0, k] / trips.sum(axis=0)[k]
    assert np.isfinite(ratio).all()


def test_shares_that_are_there_already_leave_the_pull_alone():
    production, attraction, cost, km = city(5)
    pull = deterrence(cost, 600.0, 0.5)
    trips = gravity(production, attraction, pull).trips
    band = np.digitize(km, [5.0, 10.0])
    share = np.bincount(band.ravel(), weights=trips.ravel(), minlength=3)
    found = fit_bands(production, attraction, pull, band, share / share.sum())
    assert found.iterations == 1
    np.testing.assert_allclose(found.factor, 1.0)


@pytest.mark.parametrize(
    ("share", "words"),
    [([0.5, 0.6, 0.0], "add up"), ([1.2, -0.2, 0.0], "add up"), ([0.5, 0.3, 0.2], "band")],
)
def test_wrong_shares_are_refused(share, words):
    production, attraction, _, km = city(2)
    band = np.where(km < 5.0, 0, 1)
    with pytest.raises(DemandError, match=words):
        fit_bands(production, attraction, np.ones_like(km), band, np.array(share))
