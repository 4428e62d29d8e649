"""Periods of a day: read, run one after the other, and summed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.errors import ScenarioError
from cczsim.indicators.indicator import Indicator
from cczsim.scenario.period_keys import PeriodKeys
from cczsim.scenario.periods import day_figures, hour_of
from cczsim.scenario.run import run_scenario
from cczsim.scenario.spec import spec_from
from tests.scenario.grid_case import ridden_grid

DAY = {
    "上午": {"from": "06:00", "to": "12:00", "trips": "50 %"},
    "evening": {"from": "12:00", "to": "22:00", "trips": "50 %", "return_share": "90 %",
                "headway_factor": 2.0},
}  # fmt: skip


@pytest.fixture(scope="module")
def network():
    return ridden_grid()


def spec(periods, **more):
    return spec_from(
        {"cczsim": 1, "title": "day", "network": "grid", "year": 2025, "periods": periods, **more}
    )


def faults(periods):
    with pytest.raises(ScenarioError) as caught:
        spec(periods)
    return [f"{f.where} {f.found} {f.expected}" for f in caught.value.faults]


def value(found, key, **by):
    path = Indicator(key, 0.0, "", by).path
    return next(item.value for item in found.indicators if item.path == path)


@pytest.fixture(scope="module")
def day(network):
    return run_scenario(spec(DAY), network)


def test_a_day_is_the_sum_of_its_hours(day):
    a, b = (run.result for run in day.periods)
    assert [run.hours for run in day.periods] == [6.0, 10.0]
    for key in ("vehicle_km", "boardings", "co2", "fare_revenue", "delay_hours"):
        by = {"area": "all"}
        whole = 6.0 * value(a, key, **by) + 10.0 * value(b, key, **by)
        assert value(day, key, area="all", period="day") == pytest.approx(whole, rel=1e-12)
        assert value(day, key, area="all", period="上午") == value(a, key, **by)
    speed = value(day, "vehicle_km", area="all", period="day") / value(
        day, "vehicle_hours", area="all", period="day"
    )
    assert value(day, "mean_speed", area="all", period="day") == pytest.approx(speed)
    shares = [
        value(day, "mode_share", area="all", mode=mode, period="day")
        for mode in ("car", "transit", "active")
    ]
    assert sum(shares) == pytest.approx(100.0)


def test_trips_of_all_periods_are_those_of_a_day(day, network):
    zones, demand = network.zones, spec({}).demand.params
    of_day = float((zones.population * zones.trip_share).sum()) * demand.trip_rate
    got = sum(run.hours * run.result.trips.sum() for run in day.periods)
    assert got == pytest.approx(of_day, rel=1e-9)
    for run in day.periods:
        every = {(r.stage, r.item): r.trips for r in run.result.ledger}[("generated", "all")]
        assert every == pytest.approx(run.result.trips.sum(), rel=1e-9)


def test_the_modelled_hour_is_what_it_is_without_periods(day, network):
    alone = run_scenario(spec({}), network)
    assert not alone.periods
    of_hour = tuple(item for item in day.indicators if "period" not in item.by)
    assert of_hour == alone.indicators
    assert np.array_equal(day.equilibrium.road.link_flow, alone.equilibrium.road.link_flow)
    assert day.ledger == alone.ledger
    assert day.equilibrium.road.bushes is None


def test_an_hour_that_is_the_modelled_one_is_solved_to_the_same_figures(network):
    whole = {"from": "00:00", "to": "24:00", "trips": "100 %"}
    found = run_scenario(spec({"all": whole}, demand={"peak_share": 1 / 24}), network)
    (run,) = found.periods
    assert run.hours == 24.0
    for key in ("vehicle_km", "boardings"):
        assert value(found, key, area="all", period="all") == pytest.approx(
            value(found, key, area="all"), rel=1e-3
        )


def test_trips_that_go_back_are_the_transpose(network):
    there = run_scenario(spec({}), network).trips
    back = run_scenario(spec({}, demand={"return_share": "100 %"}), network).trips
    half = run_scenario(spec({}, demand={"return_share": "50 %"}), network).trips
    np.testing.assert_array_equal(back, there.T)
    np.testing.assert_allclose(half, half.T)
    assert half.sum() == pytest.approx(there.sum())


def test_headways_of_a_period_are_its_own(day):
    early, late = (run.result.network.transit.headway for run in day.periods)
    np.testing.assert_allclose(late, 2.0 * early)


def test_gains_of_a_day_are_those_of_its_hours(network):
    base = run_scenario(spec(DAY), network)
    cheap = run_scenario(spec(DAY, demand={"transit_fare": "0 CNY"}), network, base=base)
    runs = [run.result for run in cheap.periods]
    by = {"area": "all", "by": "logsum"}
    whole = 6.0 * value(runs[0], "surplus", **by) + 10.0 * value(runs[1], "surplus", **by)
    assert value(cheap, "surplus", period="day", **by) == pytest.approx(whole)
    # By the scenario's own costs both have free lines: gains come from emptier roads alone.
    assert np.isfinite(whole)


def test_park_and_ride_goes_out_in_one_period_and_back_in_another(network):
    lots = {"stop": str(network.transit.stop_name[1]), "places": 200}
    periods = {name: dict(keys) for name, keys in DAY.items()}
    periods["evening"]["park_and_ride"] = "back"
    tables = {
        "park_and_ride": {"constant": "-30 min", "lots": {"北": lots}},
        "demand": {"car_constant": "0 s"},
    }
    found = run_scenario(spec(periods, **tables), network)
    out, back = (run.result.equilibrium.lots for run in found.periods)
    assert 6.0 * out.cars[0] == pytest.approx(200.0, rel=1e-3)
    assert 10.0 * back.cars[0] <= 200.0 * (1.0 + 1e-3)
    assert back.cars[0] > 0.0
    cars = 6.0 * out.cars.sum() + 10.0 * back.cars.sum()
    assert value(found, "lot_cars", area="all", period="day") == pytest.approx(cars)


def test_observations_of_a_day_and_targets_take_the_sum(network):
    seen = {
        "figure": "boardings_metro", "value": 1.0, "per": "day", "source": "made up",
    }  # fmt: skip
    tables = {"observations": {"m": seen}, "targets": {"vehicle_km_day": "> 0 pce km/d"}}
    found = run_scenario(spec(DAY, **tables), network)
    assert found.observations[0].value == pytest.approx(
        value(found, "boardings", transit_mode="metro", period="day")
    )
    assert found.targets[0].met


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 24.0), st.floats(0.0, 1e6)), min_size=1, max_size=6))
def test_only_what_is_counted_by_the_hour_is_summed(hours):
    runs = [
        (f"p{k}", h, [
            Indicator("vehicle_km", v, "pce km/h", {"area": "all"}),
            Indicator("line_speed", v, "km/h", {"area": "all"}),
            Indicator("population", 5.0, "residents", {"area": "all"}),
        ]) for k, (h, v) in enumerate(hours)
    ]  # fmt: skip
    of_day = [item for item in day_figures(runs) if item.by["period"] == "day"]
    assert [(item.key, item.unit) for item in of_day] == [("vehicle_km", "pce km/d")]
    assert of_day[0].value == pytest.approx(sum(h * v for h, v in hours))


def test_what_is_wrong_with_periods_is_said_at_its_place():
    ok = {"from": "06:00", "to": "12:00", "trips": "50 %"}
    assert (
        "minutes that are in 'a' too"
        in faults({"a": ok, "b": {"from": "11:00", "to": "13:00", "trips": "50 %"}})[0]
    )
    assert (
        "90 % of a day's trips"
        in faults({"a": ok, "b": {"from": "12:00", "to": "13:00", "trips": "40 %"}})[0]
    )
    assert "another name" in faults({"day": {"from": "0:00", "to": "24:00", "trips": "100 %"}})[0]
    for keys, key in (
        ({"from": "6", "to": "12:00", "trips": "100 %"}, "from"),
        ({"from": "06:00", "to": "25:00", "trips": "100 %"}, "to"),
        ({"from": "06:00", "to": "06:00", "trips": "100 %"}, "to"),
        ({"from": "06:00", "to": "07:00", "trips": "0 %"}, "trips"),
        ({"from": "06:00", "to": "07:00", "trips": float("nan")}, "trips"),
        ({"from": "06:00", "to": "07:00", "trips": "100 %", "headway_factor": 0}, "headway_factor"),
        ({"from": "06:00", "to": "07:00", "trips": "100 %", "return_share": "101 %"},
         "return_share"),
        ({"from": "06:00", "trips": "100 %"}, "to"),
        ({"from": "06:00", "to": "07:00", "trips": "100 %", "park_and_ride": "up"},
         "park_and_ride"),
    ):  # fmt: skip
        (fault,) = faults({"夜": keys})
        assert f"periods.夜.{key}" in fault


def test_a_period_may_go_over_midnight():
    night = PeriodKeys(from_="22:00", to="05:00", trips=1.0, return_share=0.0, headway_factor=1.0,
                       park_and_ride=None)  # fmt: skip
    assert night.hours == 7.0
    assert night.minutes[0]
    assert not night.minutes[12 * 60]


def test_the_hour_of_a_period_has_its_share_of_trips():
    found = hour_of(spec(DAY), "evening")
    assert found.demand.params.peak_share == pytest.approx(0.05)
    assert found.demand.params.return_share == 0.9
    assert not found.periods
