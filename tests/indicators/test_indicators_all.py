"""All figures of a run together."""

from __future__ import annotations

import indicator_case as case
import numpy as np
import pytest

from cczsim.demand.params import DemandParams
from cczsim.errors import IndicatorError
from cczsim.indicators.all import all_indicators, door_to_door
from cczsim.indicators.indicator import find
from cczsim.indicators.plan_targets import find_target, key_of

KEYS = {
    "road_density", "road_length", "vehicle_km", "vehicle_hours", "mean_speed", "delay_hours",
    "links_over_capacity", "km_over_capacity", "passenger_km", "boardings", "mode_share", "trips",
    "jobs_reached", "airport_minutes", "co2", "energy", "pm25", "mean_trip_minutes", "population",
}  # fmt: skip
BY_TIER = KEYS - {"passenger_km", "boardings"}


def test_door_to_door_times() -> None:
    """Zone 0 to 1: two connectors and 3>4; and the way to and from the parked car."""
    times = door_to_door(case.network(), case.equilibrium(), DemandParams(car_terminal_time=180.0))
    assert times["car"][0, 1] == pytest.approx(30 + 90 + 30 + 180)
    assert times["car"][1, 2] == pytest.approx(30 + 100 + 30 + 180)
    assert times["car"][1, 1] == pytest.approx(180)
    assert np.isinf(times["car"][2, 0])
    assert times["transit"][0, 1] == 20 * 60
    assert np.isinf(np.diag(times["transit"])).all()


def test_every_promised_key_is_there() -> None:
    found, by_zone = all_indicators(case.network(), case.equilibrium())
    assert {i.key for i in found} >= KEYS
    assert {i.key for i in found if "tier" in i.by} >= BY_TIER
    for key in KEYS:
        assert find(found, key, area="all") is not None, key
    assert {"density", "jobs_45_transit", "jobs_30_best", "airport_car"} <= set(by_zone)
    assert all(len(values) == 3 for values in by_zone.values())


def test_no_two_figures_share_a_name() -> None:
    found, _ = all_indicators(case.network(), case.equilibrium())
    paths = [i.path for i in found]
    assert len(set(paths)) == len(paths)
    for item in found:
        key = key_of(item, "cn-urban")
        if key is not None:
            assert find_target(key, found, "cn-urban") is item


def test_same_figures_in_the_same_order() -> None:
    first, zones = all_indicators(case.network(), case.equilibrium())
    again, zones_again = all_indicators(case.network(), case.equilibrium())
    assert [i.path for i in first] == [i.path for i in again]
    np.testing.assert_array_equal([i.value for i in first], [i.value for i in again])
    for key, values in zones.items():
        np.testing.assert_array_equal(values, zones_again[key])


def test_cars_alone() -> None:
    network = case.network().replace(transit=None)
    found, by_zone = all_indicators(network, case.equilibrium())
    assert find(found, "boardings") is None
    np.testing.assert_array_equal(by_zone["jobs_45_car"] > 0, True)


def test_without_zones_is_refused() -> None:
    with pytest.raises(IndicatorError, match="no zones"):
        all_indicators(case.network().replace(zones=None), case.equilibrium())
