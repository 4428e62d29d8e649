"""Who goes by what, what lines carry, and what can be reached: by hand on three zones."""

from __future__ import annotations

from dataclasses import replace

import indicator_case as case
import numpy as np
import pytest

from cczsim.indicators.accessibility import access_indicators
from cczsim.indicators.indicator import Indicator, find
from cczsim.indicators.transit import transit_indicators
from cczsim.indicators.travel import travel_indicators
from cczsim.network.network import Network

INF = float("inf")
CAR = 60.0 * np.array([[5.0, 25.0, 40.0], [25.0, 5.0, 31.0], [40.0, 31.0, 5.0]])
RIDE = 60.0 * np.array([[INF, 20.0, 50.0], [20.0, INF, 30.0], [INF, INF, INF]])
TIMES = {"car": CAR, "transit": RIDE}


def value(found: tuple[Indicator, ...], key: str, **by: str) -> float:
    item = find(found, key, **by)
    assert item is not None
    return item.value


def test_trips_shares_and_people() -> None:
    found = tuple(travel_indicators(case.network(), case.equilibrium(), TIMES))
    assert value(found, "population", area="all") == 6000
    assert value(found, "population", tier="central") == 4000
    assert value(found, "trips", area="all", mode="car") == 100
    assert value(found, "trips", area="all", mode="transit") == 100
    assert value(found, "mode_share", area="all", mode="active") == pytest.approx(100 * 90 / 290)
    assert value(found, "mode_share", tier="circle", mode="car") == pytest.approx(40.0)
    shares = [i.value for i in found if i.key == "mode_share" and i.by.get("area") == "all"]
    assert sum(shares) == pytest.approx(100.0)


def test_mean_times_leave_out_trips_within_a_zone() -> None:
    found = tuple(travel_indicators(case.network(), case.equilibrium(), TIMES))
    car = (30 * 25 + 10 * 40 + 20 * 25 + 10 * 31) / 70
    assert value(found, "mean_trip_minutes", area="all", mode="car") == pytest.approx(car)
    ride = (40 * 20 + 20 * 50 + 10 * 20 + 30 * 30) / 100
    assert value(found, "mean_trip_minutes", area="all", mode="transit") == pytest.approx(ride)
    assert np.isnan(value(found, "mean_trip_minutes", tier="circle", mode="car"))
    assert find(found, "mean_trip_minutes", mode="active") is None


def test_lines() -> None:
    found = tuple(transit_indicators(case.transit(), case.transit_assignment()))
    metro = 600 * 3 + 240 * 4 + 120 * 4 + 60 * 3
    assert value(found, "passenger_km", area="all") == pytest.approx(metro + 30 * 3.5)
    assert value(found, "passenger_km", line="M") == pytest.approx(metro)
    assert value(found, "passenger_km", transit_mode="bus") == pytest.approx(105.0)
    assert value(found, "boardings", line="M") == 770
    assert value(found, "boardings", area="all") == 800
    # 600 an hour in 12 trains of 100 places.
    assert value(found, "max_load", line="M") == pytest.approx(50.0)
    assert np.isnan(value(found, "max_load", line="B"))


def test_lines_and_modes_add_up() -> None:
    found = tuple(transit_indicators(case.transit(), case.transit_assignment()))
    for key in ("passenger_km", "boardings"):
        whole = value(found, key, area="all")
        rows = [i for i in found if i.key == key]
        assert sum(i.value for i in rows if "line" in i.by) == pytest.approx(whole)
        modes = [i.value for i in rows if "line" not in i.by and "transit_mode" in i.by]
        assert sum(modes) == pytest.approx(whole)


def test_jobs_reached() -> None:
    """Jobs 100, 20, 3; by car in 30 min zone 0 reaches 0 and 1; residents weigh the mean."""
    found, by_zone = access_indicators(case.network(), TIMES)
    figures = tuple(found)
    assert by_zone["jobs_30_car"].tolist() == [120, 120, 3]
    assert by_zone["jobs_45_car"].tolist() == [123, 123, 123]
    assert by_zone["jobs_30_transit"].tolist() == [20, 103, 0]
    assert by_zone["jobs_30_best"].tolist() == [120, 123, 3]
    assert by_zone["jobs_60_transit"].tolist() == [23, 103, 0]
    mean = (1000 * 120 + 3000 * 120 + 2000 * 3) / 6000
    by = {"mode": "car", "minutes": "30"}
    assert value(figures, "jobs_reached", area="all", **by) == pytest.approx(mean)
    assert value(figures, "jobs_reached", tier="circle", **by) == pytest.approx(3.0)


def test_airport() -> None:
    """The airport is zone 2: nobody rides there from itself, and the note says who is counted."""
    found, by_zone = access_indicators(case.network(), TIMES)
    figures = tuple(found)
    assert by_zone["airport_car"].tolist() == [40, 31, 5]
    assert by_zone["airport_transit"].tolist() == [50, 30, INF]
    car = (1000 * 40 + 3000 * 31) / 4000
    assert value(figures, "airport_minutes", tier="central", mode="car") == pytest.approx(car)
    ride = find(figures, "airport_minutes", area="all", mode="transit")
    assert ride is not None
    assert ride.value == pytest.approx((1000 * 50 + 3000 * 30) / 4000)
    assert "66.7 %" in ride.note
    reach = value(figures, "airport_reach", area="all", mode="transit")
    assert reach == pytest.approx(100 * 4000 / 6000)
    assert np.isnan(value(figures, "airport_minutes", tier="circle", mode="transit"))


def test_the_nearest_of_two_airports_counts_and_none_is_none() -> None:
    network = case.network()
    assert network.zones is not None
    two = network.replace(zones=replace(network.zones, hub=["airport", "rail", "airport"]))
    none = network.replace(zones=replace(network.zones, hub=["", "rail", ""]))
    assert access_indicators(two, TIMES)[1]["airport_car"].tolist() == [5, 25, 5]
    found, by_zone = access_indicators(none, TIMES)
    assert not any(i.key.startswith("airport") for i in found)
    assert not any(key.startswith("airport") for key in by_zone)


def test_more_minutes_never_reach_fewer_jobs() -> None:
    rng = np.random.default_rng(3)
    network: Network = case.network()
    for _ in range(20):
        times = {"car": rng.uniform(0, 5000, (3, 3)), "transit": rng.uniform(0, 5000, (3, 3))}
        _, by_zone = access_indicators(network, times)
        for mode in ("car", "transit", "best"):
            steps = [by_zone[f"jobs_{minutes}_{mode}"] for minutes in (30, 45, 60)]
            assert (np.diff(steps, axis=0) >= 0).all()
        assert (by_zone["jobs_45_best"] >= by_zone["jobs_45_car"]).all()


def test_schools_and_hospitals_are_counted_where_zones_hold_any() -> None:
    from cczsim.indicators.accessibility import access_indicators

    network = case.network()
    zones = network.zones
    assert zones is not None
    n = zones.n_zones
    away = np.where(np.eye(n, dtype=bool), 300.0, 40 * 60.0)
    found, by_zone = access_indicators(network, {"car": away})
    assert not any(i.key.startswith(("schools", "hospitals")) for i in found)
    schools = np.zeros(n)
    schools[0] = 3.0
    placed = network.replace(zones=zones.replace(schools=schools))
    found, by_zone = access_indicators(placed, {"car": away})
    np.testing.assert_allclose(by_zone["schools_car"], [5.0] + [40.0] * (n - 1))
    people = zones.population[zones.inside]
    first = zones.population[0] / people.sum() if zones.inside[0] else 0.0
    got = {
        i.by["minutes"]: i.value
        for i in found
        if i.key == "schools_reached" and i.by.get("area") == "all" and i.by["mode"] == "car"
    }
    inside = 3.0 if zones.inside[0] else 0.0
    assert got["30"] == pytest.approx(inside * first)
    assert got["45"] == pytest.approx(inside)
