"""What assumptions weigh: known answers, their order, and against runs that are solved anew."""

from __future__ import annotations

from dataclasses import fields, replace
from math import isnan

import numpy as np
import pytest
from grid_case import ridden_grid

from cczsim.assignment.elastic import ElasticParams
from cczsim.assignment.equilibrium import mode_equilibrium
from cczsim.assignment.transit_params import TransitParams
from cczsim.demand.params import DemandParams
from cczsim.network.provenance import Source
from cczsim.scenario.run import run_scenario
from cczsim.scenario.spec import spec_from
from cczsim.scenario.weights import weigh

PLAIN = {
    "cczsim": 1, "title": "grid", "network": "grid", "year": 2025,
    "assignment": {"algorithm": "b", "relative_gap": 1e-8, "demand_residual": 1e-7},
    "demand": {"population_growth": "20 %", "trip_rate": 1.0},
}  # fmt: skip


@pytest.fixture(scope="module")
def network():
    found = ridden_grid()
    source = np.full(found.road.n_links, Source.TAGGED, dtype=np.int8)
    source[::3] = Source.DEFAULT
    return found.replace(road=found.road.replace(speed_source=source, capacity_source=source))


@pytest.fixture(scope="module")
def run(network):
    return run_scenario(spec_from(PLAIN), network)


@pytest.fixture(scope="module")
def weights(network, run):
    return {row.key: row.weight for row in weigh(spec_from(PLAIN), run, network)}


def test_the_heaviest_stands_first_and_nothing_is_lost(network, run):
    rows = weigh(spec_from(PLAIN), run, network)
    assert sorted(row.key for row in rows) == sorted(row.key for row in run.assumptions)
    moved = [np.nan if row.weight is None else row.weight.moved for row in rows]
    known = [value for value in moved if not isnan(value)]
    assert known == sorted(known, reverse=True)
    assert all(isnan(value) for value in moved[len(known) :])
    assert rows[0].key in ("demand.trip_rate", "demand.peak_share")


def test_a_tenth_more_trips_is_a_tenth_more_of_every_mode(weights):
    for key in ("demand.trip_rate", "demand.peak_share"):
        found = weights[key]
        assert (found.moved, found.car, found.transit) == pytest.approx((0.1, 0.1, 0.1))


def test_what_is_not_in_force_weighs_nothing(weights):
    for key in ("transit.standing_penalty", "demand.cycle_speed", "demand.transit_nest"):
        assert weights[key].moved == 0.0, key


def test_signs_are_those_of_common_sense(weights):
    assert weights["demand.car_constant"].car < 0.0 < weights["demand.car_constant"].transit
    assert weights["demand.transit_fare"].transit < 0.0 < weights["demand.transit_fare"].car
    assert weights["transit.wait_weight"].transit < 0.0
    assert weights["network.speed"].car > 0.0
    assert weights["demand.population_growth"].moved == pytest.approx(0.02 / 1.2, rel=1e-3)
    assert 0.0 < weights["network.speed"].driven < 1.0


@pytest.mark.parametrize(
    "name", ["car_constant", "transit_constant", "transit_fare", "active_speed", "choice_scale"]
)
def test_weights_are_near_what_a_run_solved_anew_shows(name, network, run, weights):
    """Of the same sign, and no smaller: congestion damps what is solved anew."""
    spec = spec_from(PLAIN)
    params = spec.demand.params
    more = replace(params, **{name: 1.1 * getattr(params, name)})
    again = mode_equilibrium(
        run.network, run.trips, more, spec.transit, params=ElasticParams("b", 1e-8, 1e-7)
    )
    for mode in ("car", "transit"):
        before = run.equilibrium.trips[mode].sum()
        change = again.trips[mode].sum() / before - 1.0
        said = getattr(weights[f"demand.{name}"], mode)
        assert said * change > 0.0
        assert 0.9 < said / change < 2.5


def test_every_number_that_passengers_and_trips_hang_on_can_be_weighed(weights):
    """A parameter that comes new is weighed too, or says that it cannot be.

    Trucks are not: they delay cars, and times on roads are held.
    """
    numbers = [
        f"{section}.{item.name}"
        for section, params in (("demand", DemandParams), ("transit", TransitParams))
        for item in fields(params)
        if isinstance(item.default, float) and not item.name.startswith("truck_")
    ]  # fmt: skip
    unweighed = {key for key in numbers if weights[key] is None}
    assert unweighed == set()


def test_run_without_transit(network):
    bare = replace(network, transit=None)
    spec = spec_from(PLAIN)
    rows = {row.key: row.weight for row in weigh(spec, run_scenario(spec, bare), bare)}
    assert rows["transit.wait_weight"] is None
    assert rows["demand.car_constant"].car < 0.0
