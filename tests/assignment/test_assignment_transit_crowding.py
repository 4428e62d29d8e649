"""Crowding and limited places: known answers, the slow twin, what full lines must show."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from test_assignment_transit import lines, random_case, zones

from cczsim.assignment.threads import set_threads
from cczsim.assignment.transit import skim_transit
from cczsim.assignment.transit_conditions import Vehicles, counted_places
from cczsim.assignment.transit_crowding import CrowdedTransit
from cczsim.assignment.transit_loads import WAIT_UNIT, loads_of
from cczsim.assignment.transit_params import TransitParams
from cczsim.assignment.transit_riders import Away

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from naive_crowding import least_costs, ride_and_frequency

FULL = replace(TransitParams(), crowding="capacity", crowded_lines="all")


def one_line():
    """A line of 1,200 places an hour, ten minutes long."""
    return lines(2, [[(0, 600), (1, 0)]], [300], [(0, 0, 60), (1, 1, 60)])


def test_twice_the_capacity_leaves_nobody_above_it_and_lists_the_unserved():
    """Those who ride wait until the wait is as long as people stand it: a root found by hand."""
    trips = np.array([[0.0, 2400.0], [0.0, 0.0]])
    net = one_line()
    free = skim_transit(net, zones(2), FULL)
    found = CrowdedTransit(net, zones(2), FULL).assign(trips, relative_gap=1e-10)
    assert found.converged
    assert found.relative_gap <= 1e-10
    load = found.segment_flow[0]
    assert load < 1200.0
    assert load + found.given_up_demand == pytest.approx(2400.0, abs=1e-9)
    assert found.skims.wait[0, 1] > 10.0 * free.wait[0, 1]

    def miss(load):
        share = load / 1200.0
        weight = 1.0 + 0.265 * (1.0 - 0.2 / share) + 0.119 * 6.0 * (share - 0.2) / 0.8
        wait = 2.0 * 150.0 / (1.0 - share**4)
        return 2.0 * 120.0 + 180.0 + 600.0 * weight + wait - (free.weighted[0, 1] + 2.0 * 3600.0)

    assert load == pytest.approx(brentq(miss, 600.0, 1199.99, xtol=1e-9), rel=1e-7)


def test_two_lines_at_one_stop_fill_until_their_waits_agree():
    """At equilibrium boardings over effective frequency are the same on both lines."""
    net = lines(3, [[(0, 600), (1, 0)], [(0, 900), (2, 300), (1, 0)]], [300, 600],
                [(0, 0, 60), (1, 1, 60)], [(0, 1, 7200)])  # fmt: skip
    trips = np.array([[0.0, 2400.0], [0.0, 0.0]])
    found = CrowdedTransit(net, zones(2), FULL).assign(trips, relative_gap=1e-9)
    assert found.converged
    assert (found.segment_flow <= np.repeat([1200.0, 600.0], [2, 3])).all()
    wait = found.boardings * found.wait_stretch * np.repeat([300.0, 600.0], [2, 3])
    assert wait[0] == pytest.approx(wait[2], rel=1e-6)


@pytest.mark.parametrize("crowding", ["comfort", "capacity"])
@pytest.mark.parametrize("block", range(10))
def test_gap_is_that_of_the_slow_twin(crowding, block):
    """On 200 networks: least costs at the final conditions, conservation, nobody above capacity."""
    for seed in range(10 * block, 10 * block + 10):
        net, n, trips = random_case(seed)
        trips = trips * (60.0 if crowding == "comfort" else 4.0)
        params = replace(FULL, crowding=crowding)
        solver = CrowdedTransit(net, zones(n), params)
        found = solver.assign(trips, relative_gap=1e-5, max_iterations=500)
        assert found.converged, seed
        cost, frequency = ride_and_frequency(net, params, found.segment_flow)
        nobody = np.zeros(len(net.line_stop))
        empty = ride_and_frequency(net, params, nobody)
        _, serves = least_costs(net, n, params, *empty)
        skim, _ = least_costs(net, n, params, cost, frequency, serves)
        np.testing.assert_allclose(found.skims.weighted, skim, rtol=1e-9)
        if crowding == "capacity":
            places = np.repeat(counted_places(net, params), np.diff(net.line_first))
            assert (found.segment_flow <= places * (1.0 + 1e-9)).all(), seed
        served = found.total_demand - found.intrazonal_demand - found.unreachable_demand
        served -= found.given_up_demand
        assert found.access_flow.sum() == pytest.approx(served, rel=1e-9)
        assert found.egress_flow.sum() == pytest.approx(served, rel=1e-9)
        # Who is aboard after a stop was aboard before it or boarded there, and did not alight.
        through = np.roll(found.segment_flow, 1)
        through[net.line_first[:-1]] = 0.0
        np.testing.assert_allclose(
            found.segment_flow, through + found.boardings - found.alightings, atol=1e-6
        )


@pytest.mark.parametrize("block", range(4))
def test_networks_that_cannot_serve_their_demand_converge(block):
    """At 20 times the trips: the gap, who gives up, places and conservation, by the slow twin."""
    full = 0
    for seed in range(10 * block, 10 * block + 10):
        net, n, trips = random_case(seed)
        found = CrowdedTransit(net, zones(n), FULL).assign(20.0 * trips, relative_gap=1e-4)
        assert found.converged, seed
        places = np.repeat(counted_places(net, FULL), np.diff(net.line_first))
        assert (found.segment_flow <= places).all(), seed
        served = found.total_demand - found.intrazonal_demand - found.unreachable_demand
        served -= found.given_up_demand
        assert found.access_flow.sum() == pytest.approx(served, rel=1e-9)
        cost, frequency = ride_and_frequency(net, FULL, found.segment_flow)
        nobody = np.zeros(len(net.line_stop))
        _, serves = least_costs(net, n, FULL, *ride_and_frequency(net, FULL, nobody))
        skim, _ = least_costs(net, n, FULL, cost, frequency, serves)
        np.testing.assert_allclose(found.skims.weighted, skim, rtol=1e-9)
        full += found.wait_stretch.max() > 2.0
    assert full > 0


def test_those_who_choose_whether_to_come_follow_the_logit():
    net = one_line()
    trips = np.array([[0.0, 3000.0], [0.0, 0.0]])
    other = np.full((2, 2), 1500.0)
    away = Away(other, 300.0, 100.0)
    solver = CrowdedTransit(net, zones(2), FULL)
    found = solver.assign(trips, relative_gap=1e-10, away=away)
    assert found.converged
    cost = found.skims.weighted[0, 1] + 100.0 * found.skims.boardings[0, 1]
    share = 1.0 / (1.0 + np.exp((cost - 1500.0) / 300.0))
    assert found.segment_flow[0] == pytest.approx(3000.0 * share, rel=1e-7)
    assert solver.riders(trips)[0, 1] == pytest.approx(found.segment_flow[0], rel=1e-9)
    assert found.total_demand == pytest.approx(found.segment_flow[0], rel=1e-9)


@pytest.mark.parametrize("block", range(4))
def test_choices_whether_to_come_agree_with_fares_that_differ_by_strategy(block):
    """At 40 times the trips: odds are those of the slow twin's least cost and of the fares paid."""
    full, many = 0, 40.0
    for seed in range(10 * block, 10 * block + 10):
        net, n, trips = random_case(seed)
        solver = CrowdedTransit(net, zones(n), FULL)
        reached = np.isfinite(skim_transit(net, zones(n), FULL).weighted)
        away = Away(np.full((n, n), 6000.0), 600.0, 300.0)
        found = solver.assign(many * trips, relative_gap=1e-6, away=away)
        assert found.converged, seed
        places = np.repeat(counted_places(net, FULL), np.diff(net.line_first))
        assert (found.segment_flow <= places).all(), seed
        nobody = np.zeros(len(net.line_stop))
        _, serves = least_costs(net, n, FULL, *ride_and_frequency(net, FULL, nobody))
        cost, frequency = ride_and_frequency(net, FULL, found.segment_flow)
        skim, _ = least_costs(net, n, FULL, cost, frequency, serves)
        np.testing.assert_allclose(found.skims.weighted, skim, rtol=1e-9)
        asked = np.where(reached & ~np.eye(n, dtype=bool), many * trips, 0.0)
        goes = asked > 0.0
        boardings = np.where(goes, found.skims.boardings, 0.0)
        price = np.where(goes, skim, 0.0) + away.fare * boardings
        wanted = asked / (1.0 + np.exp((price - away.cost) / away.spread))
        riders = solver.riders(many * trips)
        assert found.access_flow.sum() == pytest.approx(riders.sum(), rel=1e-9)
        assert np.abs(riders - wanted).sum() <= 1e-3 * asked.sum(), seed
        # Fares paid in all are those of the boardings there are.
        assert found.boardings.sum() == pytest.approx((riders * boardings).sum(), rel=1e-6)
        full += found.wait_stretch.max() > 1.5
    assert full > 0


def test_empty_vehicles_cost_what_they_cost_without_crowding():
    net, n, trips = random_case(5)
    free = skim_transit(net, zones(n), FULL)
    nobody = CrowdedTransit(net, zones(n), FULL).assign(np.zeros_like(trips))
    np.testing.assert_array_equal(nobody.skims.weighted, free.weighted)
    assert nobody.relative_gap == 0.0
    few = CrowdedTransit(net, zones(n), FULL).assign(1e-6 * trips)
    np.testing.assert_allclose(few.skims.weighted, free.weighted, rtol=1e-9)


def test_same_bits_at_any_thread_count():
    net, n, trips = random_case(3)
    found = []
    for threads in (1, None):
        set_threads(threads)
        found.append(CrowdedTransit(net, zones(n), FULL).assign(5.0 * trips))
    assert found[0].segment_flow.tobytes() == found[1].segment_flow.tobytes()
    assert found[0].skims.weighted.tobytes() == found[1].skims.weighted.tobytes()


@pytest.mark.parametrize("load", [0.01, 0.3, 0.8, 0.99, 1.1])
def test_slopes_are_the_derivatives_of_the_conditions(load):
    vehicles, step = Vehicles(one_line(), FULL), 1e-6
    low, here, high = (vehicles.at(np.full(2, load + k * step)) for k in (-1, 0, 1))
    for name, slope in (("time_weight", "weight_slope"), ("wait_stretch", "stretch_slope")):
        rise = (getattr(high, name) - getattr(low, name)) / (2.0 * step)
        np.testing.assert_allclose(getattr(here, slope), rise, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("crowding", ["comfort", "capacity"])
def test_loads_of_unknowns_are_the_inverse_of_their_definition(crowding):
    params = replace(FULL, crowding=crowding)
    vehicles, wait = Vehicles(one_line(), params), np.full(2, 300.0)
    x = np.array([0.4, 9.0])
    load, slope = loads_of(x, vehicles, wait)
    made = load + wait * (vehicles.at(load).wait_stretch - 1.0) / WAIT_UNIT
    np.testing.assert_allclose(made, x, rtol=1e-9)
    more, _ = loads_of(x + 1e-6, vehicles, wait)
    np.testing.assert_allclose((more - load) / 1e-6, slope, rtol=1e-4)


def test_lines_that_were_made_up_hold_whoever_comes():
    from cczsim.network.provenance import Source

    net = one_line().replace(headway_source=np.array([int(Source.GENERATED)]))
    trips = np.array([[0.0, 2400.0], [0.0, 0.0]])
    known = replace(FULL, crowded_lines="known")
    found = CrowdedTransit(net, zones(2), known).assign(trips)
    assert found.segment_flow[0] == pytest.approx(2400.0)
    assert found.given_up_demand == 0.0


def test_not_converging_is_a_status():
    net, n, trips = random_case(15)
    found = CrowdedTransit(net, zones(n), FULL).assign(300.0 * trips, max_iterations=3)
    assert not found.converged
    assert found.iterations == 3
    assert found.relative_gap > 1e-4
