"""Trips from counts: what a known matrix makes is found again, and what fits is left alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.bush_analysis import load_used, skim_used
from cczsim.assignment.od_estimation import EstimationParams, estimate_trips
from cczsim.assignment.result import Status
from cczsim.errors import AssignmentError
from tests.assignment import test_assignment_frank_wolfe as case
from tests.assignment.test_assignment_frank_wolfe import RANDOM, grid

TIGHT = BushParams(1e-10, 300)


def geh(flow, count):
    return np.sqrt(2.0 * (flow - count) ** 2 / np.maximum(flow + count, 1e-9))


@RANDOM
@given(case.cases())
def test_loading_and_skimming_are_transposes(drawn):
    """<P T, r> = <T, Pᵀ r>, and trips that were assigned load the flows of the assignment."""
    road, zones, demand = drawn
    found = assign_bushes(road, zones, demand, params=TIGHT, keep_bushes=True)
    assert found.bushes is not None
    between = found.bushes.demand.copy()
    np.testing.assert_allclose(
        load_used(found.bushes, between), found.link_flow, rtol=1e-9, atol=1e-7
    )
    rng = np.random.default_rng(0)
    value, factor = rng.normal(size=road.n_links), rng.uniform(0.0, 2.0, demand.shape)
    flow = load_used(found.bushes, between * factor)
    mean = np.nan_to_num(skim_used(found.bushes, value)[0])
    assert flow @ value == pytest.approx(float((between * factor * mean).sum()), rel=1e-8, abs=1e-6)


@pytest.fixture(scope="module")
def known():
    """A network, its true trips, counts of every link and a prior that is off."""
    road, zones, trips = case_grid()
    flow = assign_bushes(road, zones, trips, params=TIGHT).link_flow
    rng = np.random.default_rng(3)
    prior = trips * rng.lognormal(0.0, 0.4, trips.shape)
    return road, zones, trips, flow, prior


def case_grid():
    road, zones, trips = grid(5, 5)
    return road, zones, np.where(np.eye(len(trips), dtype=bool), 0.0, trips)


@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_counts_of_known_trips_are_fitted(known, weight):
    road, zones, trips, flow, prior = known
    links = np.flatnonzero(flow > 0.0)
    # Without a prior many matrices fit nearly as well, and the way to the best is long.
    params = EstimationParams(prior_weight=weight, max_iterations=60)
    found = estimate_trips(road, zones, prior, links, flow[links], params=params)
    assert found.status is Status.CONVERGED
    objectives = [record.objective for record in found.history]
    assert all(b < a for a, b in pairwise(objectives))
    before, after = (
        geh(found.prior_flow[links], flow[links]),
        geh(found.road.link_flow[links], flow[links]),
    )
    assert after.mean() < 0.3 * before.mean()
    assert np.abs(found.trips - trips).sum() < np.abs(prior - trips).sum()
    assert (found.trips >= 0.0).all()
    # What the result says of its flows is so.
    again = assign_bushes(road, zones, found.trips, params=TIGHT).link_flow
    np.testing.assert_allclose(again, found.road.link_flow, atol=1e-2 * flow.max())


def test_trips_that_fit_are_left_alone(known):
    road, zones, trips, flow, _ = known
    links = np.flatnonzero(flow > 0.0)
    found = estimate_trips(road, zones, trips, links, flow[links])
    np.testing.assert_allclose(found.trips, trips, rtol=1e-2, atol=1e-3 * trips.max())
    assert found.history[0].counts < 1e-6 * flow[links].sum()


def test_a_heavy_prior_holds_the_trips(known):
    road, zones, _, flow, prior = known
    links = np.flatnonzero(flow > 0.0)
    moved = []
    for weight in (0.01, 1.0, 1e6):
        found = estimate_trips(
            road, zones, prior, links, flow[links], params=EstimationParams(prior_weight=weight)
        )
        moved.append(np.abs(found.trips - prior).sum() / prior.sum())
    assert moved[0] > moved[1] > moved[2]
    assert moved[2] < 1e-4


def test_pairs_without_prior_stay_empty_and_zones_keep_their_own(known):
    road, zones, _, flow, prior = known
    holes = prior.copy()
    holes[0, 1:] = 0.0
    np.fill_diagonal(holes, 5.0)
    links = np.flatnonzero(flow > 0.0)
    found = estimate_trips(road, zones, holes, links, flow[links])
    assert (found.trips[holes == 0.0] == 0.0).all()
    np.testing.assert_array_equal(np.diagonal(found.trips), 5.0)


@pytest.mark.parametrize(
    ("links", "counts", "match"),
    [
        ([], [], "at least one"),
        ([0, 0], [1.0, 2.0], "twice"),
        ([0], [-1.0], "negative"),
        ([0], [np.nan], "non-finite"),
        ([10**6], [1.0], "beyond"),
    ],
)
def test_wrong_counts_are_refused(known, links, counts, match):
    road, zones, _, _, prior = known
    with pytest.raises(AssignmentError, match=match):
        estimate_trips(road, zones, prior, np.array(links, int), np.array(counts))


def test_params_gather_their_faults():
    with pytest.raises(AssignmentError) as caught:
        EstimationParams(prior_weight=-1.0, max_iterations=0)
    assert len(caught.value.faults) == 2
