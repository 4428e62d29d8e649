"""Destinations, modes and roads at one equilibrium: trips in are trips out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from grid_case import ridden_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_demand import balanced, drawn, gravity_pull, logsum
from test_scenario_resume import bits

from cczsim.assignment.elastic import ElasticParams
from cczsim.assignment.equilibrium import ModeState, mode_equilibrium
from cczsim.assignment.mode_costs import street_distance
from cczsim.assignment.transit_params import TransitParams
from cczsim.demand.distribution import by_origins
from cczsim.demand.generation import generate
from cczsim.demand.mode_choice import active_cost, car_fixed, transit_cost
from cczsim.demand.params import DemandParams
from cczsim.errors import ScenarioError
from cczsim.io.checkpoints import Checkpoints
from cczsim.scenario.compare import noise
from cczsim.scenario.run import run_scenario
from cczsim.scenario.spec import spec_from
from cczsim.scenario.trips import make_trips, pull_costs

BUSY = {
    "trip_rate": 3.0,
    "car_constant": "0 s",
    "destination_choice": "equilibrium",
    "distance_decay": "10 min",
}
SOLVED = {
    "algorithm": "b",
    "relative_gap": 1e-7,
    "demand_residual": 1e-7,
    "destination_residual": 1e-5,
}


def spec(demand=None, **sections):
    return spec_from({
        "cczsim": 1, "title": "destinations", "network": "grid", "year": 2020,
        "demand": {**BUSY, **(demand or {})},
        "assignment": {**SOLVED, **sections.pop("assignment", {})}, **sections,
    })  # fmt: skip


@pytest.fixture(scope="module")
def network():
    """The grid with narrow streets, so that where people go slows them down."""
    found = ridden_grid()
    return found.replace(road=found.road.replace(capacity=0.3 * found.road.capacity))


def wanted(network, found, demand):
    """The trips that the costs of a result give, pair by pair in plain Python."""
    zones = network.zones
    distance = street_distance(network.road, zones)
    ride = transit_cost(
        found.transit.skims.weighted, found.transit.skims.fare(demand.transit_fare), demand
    )
    walk = active_cost(distance, demand)
    n = zones.n_zones
    own = np.diagonal(distance)
    pull = [[0.0] * n for _ in range(n)]
    for o in range(n):
        away = [d for d in range(n) if d != o]
        inside = own[o] / min(distance[o, d] for d in away)
        for d in range(n):
            if d == o:
                drive = inside * min(found.car_time[o, k] for k in away)
            else:
                drive = found.car_time[o, d]
            costs = [drive + car_fixed(demand), walk[o, d], np.inf if o == d else ride[o, d]]
            cost = logsum([float(c) for c in costs], demand.choice_scale)
            gate = o == d and not zones.inside[o]
            pull[o][d] = (
                0.0 if gate else gravity_pull(cost, demand.distance_decay, demand.decay_power)
            )
    made, asked = generate(zones.population, zones.jobs, demand, zones.trip_share)
    rule = balanced if demand.constraint == "both" else drawn
    return np.array(rule(made.tolist(), asked.tolist(), pull))


@pytest.mark.parametrize(
    ("algorithm", "constraint", "gap"),
    [("b", "both", 1e-7), ("b", "origins", 1e-7), ("bfw", "both", 1e-4), ("fw", "both", 1e-3)],
)
def test_trips_in_are_trips_out(network, algorithm, constraint, gap):
    asked = spec(
        {"constraint": constraint},
        assignment={
            "algorithm": algorithm, "relative_gap": gap, "demand_residual": gap,
            "destination_residual": max(gap, 1e-5),
        },
    )  # fmt: skip
    result = run_scenario(asked, network)
    found = result.equilibrium
    assert found.converged
    assert found.destination_residual <= max(gap, 1e-5)
    out = wanted(network, found, asked.demand.params)
    total = result.trips.sum()
    assert 0.5 * np.abs(out - result.trips).sum() / total <= 1.01 * max(gap, 1e-5)
    # It is another matrix than that of empty roads.
    free = make_trips(
        network.zones, pull_costs(network, asked.demand.params, TransitParams()),
        asked.demand.params,
    ).trips  # fmt: skip
    assert 0.5 * np.abs(free - result.trips).sum() / total > 1e-3
    made, _ = generate(
        network.zones.population, network.zones.jobs, asked.demand.params,
        network.zones.trip_share,
    )  # fmt: skip
    np.testing.assert_allclose(result.trips.sum(axis=1), made, rtol=1e-6)
    assert noise(result) >= found.destination_residual
    assert result.ledger[0].trips == pytest.approx(total, rel=1e-9)


def test_full_trains_buses_in_traffic_and_destinations_agree(network):
    asked = spec(
        assignment={"relative_gap": 1e-6, "demand_residual": 1e-5, "destination_residual": 1e-4,
                    "transit_gap": 1e-5},
        transit={"crowding": "comfort", "crowded_lines": "all", "bus_times": "assumed"},
    )  # fmt: skip
    result = run_scenario(asked, network)
    found = result.equilibrium
    assert found.converged
    assert found.demand_residual <= 1e-5
    out = wanted(network, found, asked.demand.params)
    assert 0.5 * np.abs(out - result.trips).sum() / result.trips.sum() <= 2e-4


def test_empty_roads_leave_the_pattern_alone(network):
    asked = spec({"trip_rate": 1e-3})
    result = run_scenario(asked, network)
    free = make_trips(
        network.zones, pull_costs(network, asked.demand.params, TransitParams()),
        asked.demand.params,
    ).trips  # fmt: skip
    np.testing.assert_allclose(result.trips, free, rtol=1e-5, atol=1e-9)


def test_people_go_where_faster_roads_lead(network):
    road, zones = network.road, network.zones
    west = road.node_lon < np.median(road.node_lon)
    quick = west[road.tail] & west[road.head]
    faster = network.replace(
        road=road.replace(free_flow_time=np.where(quick, 0.3, 1.0) * road.free_flow_time)
    )
    near = west[zones.centroid] & zones.inside
    slow, fast = (run_scenario(spec(), net).trips[np.ix_(near, near)] for net in (network, faster))
    apart = ~np.eye(len(slow), dtype=bool)
    assert fast[apart].sum() > 1.02 * slow[apart].sum()
    fixed = spec({"destination_choice": "fixed"})
    assert run_scenario(fixed, network).equilibrium.asked is None


def test_rounds_at_an_end_are_no_convergence(network):
    result = run_scenario(spec(assignment={"max_rounds": 2}), network)
    assert result.equilibrium.destination_residual > 1e-5
    assert len(result.equilibrium.rounds) == 2


def test_observed_trips_choose_no_destinations(network):
    asked = spec({"observed": "trips.omx"})
    asked = replace(asked, demand=replace(asked.demand, read_observed=dict))
    with pytest.raises(ScenarioError, match=r"destination_choice"):
        run_scenario(asked, network)


@pytest.mark.parametrize(
    ("algorithm", "transit"),
    [("b", TransitParams()), ("bfw", TransitParams()),
     ("b", TransitParams(crowding="comfort", crowded_lines="all"))],
)  # fmt: skip
def test_every_state_leads_to_the_same_bits(network, tmp_path, algorithm, transit):
    demand = DemandParams(trip_rate=3.0, car_constant=0.0, destination_choice="equilibrium")
    zones = network.zones

    def places(cost):
        return make_trips(zones, cost, demand).trips

    first = places(pull_costs(network, demand, transit))
    params = ElasticParams(algorithm, 1e-10, 1e-8, max_iterations=5)
    words = {
        "params": params, "transit_gap": 1e-2, "max_rounds": 3, "destinations": places,
        "destination_residual": 1e-9,
    }  # fmt: skip
    kept = Checkpoints(tmp_path)
    names: list[str] = []

    def keep(state) -> None:
        names.append(f"{len(names)}")
        kept.keep(names[-1], "1" * 64, state())

    whole = bits(mode_equilibrium(network, first, demand, transit, **words, on_state=keep))
    chosen = names if len(names) < 6 else names[:: len(names) // 5]
    for name in chosen:
        start = kept.find(name, "1" * 64)
        assert isinstance(start, ModeState)
        again = mode_equilibrium(network, first, demand, transit, **words, start=start)
        assert bits(again) == whole, name


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 6), st.integers(0, 10_000))
def test_origins_alone_hold_rows_and_follow_pull(n, seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.uniform(0.0, 9.0, n), rng.uniform(0.1, 9.0, n)
    pull = rng.uniform(0.0, 1.0, (n, n)) * (rng.random((n, n)) < 0.8)
    rows[0], pull[0, -1] = 1.0, 0.5
    found = by_origins(rows, columns, pull)
    twin = np.array(drawn(rows.tolist(), columns.tolist(), pull.tolist()))
    np.testing.assert_allclose(found.trips, twin, rtol=1e-12, atol=1e-12)
    assert found.trips.sum() + found.stranded.sum() == pytest.approx(rows.sum(), rel=1e-12)
