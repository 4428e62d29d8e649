"""Energy, CO2 and PM2.5: the table, and sums by hand."""

from __future__ import annotations

import indicator_case as case
import numpy as np
import pytest

from cczsim.indicators.energy import car_petrol, energy_indicators, factors
from cczsim.indicators.indicator import Indicator, find


def value(found: tuple[Indicator, ...], key: str, by: dict[str, str]) -> float:
    rows = [i for i in found if i.key == key and i.by == by]
    assert len(rows) == 1
    return rows[0].value


def test_every_factor_says_where_it_is_from() -> None:
    for key, factor in factors().items():
        assert factor.value > 0.0, key
        assert factor.unit, key
        assert factor.meaning, key
        assert factor.source, key
        assert 2000 <= int(factor.year) <= 2030, key
        assert factor.confidence in ("low", "medium", "high"), key


def test_factors_that_hang_together() -> None:
    table = {key: factor.value for key, factor in factors().items()}
    assert table["petrol_energy"] == pytest.approx(44.3 * 0.73, rel=2e-3)
    assert table["petrol_co2"] == pytest.approx(table["petrol_energy"] * 0.0693, rel=2e-3)
    assert table["car_wear_pm25"] == pytest.approx(0.0045 + 0.0029 + 0.0041)
    assert table["bus_wear_pm25"] == pytest.approx(0.0189 + 0.0127 + 0.0205)


def test_petrol_curve() -> None:
    """The figures that the table quotes, a best speed between, and a floor for standstill."""
    rates = car_petrol(np.array([20.0, 60.0, 0.0, 5.0, 120.0])) * 100
    assert rates[0] == pytest.approx(9.66)
    assert rates[1] == pytest.approx(7.6067, rel=1e-4)
    assert rates[2] == rates[3]
    assert rates[4] > rates[1]


def test_cars_by_hand() -> None:
    """2400 pce km/h at 40, 30 and 72 km/h."""
    found = tuple(energy_indicators(case.network(), case.road_assignment()))
    f = {key: factor.value for key, factor in factors().items()}
    rate = {v: (4.5 + 100 / v + 0.0004 * v * v) / 100 for v in (40, 30, 72)}
    litres = (1 - f["electric_share"]) * (600 * rate[40] + 1200 * rate[30] + 600 * rate[72])
    power = f["electric_share"] * f["electric_car"] * 2400
    by = {"area": "all", "by": "car"}
    assert value(found, "energy", by) == pytest.approx(litres * 0.0323 + power * 0.0036)
    assert value(found, "co2", by) == pytest.approx((litres * 2.24 + power * 0.581) / 1e3)
    dust = 2.4 * (f["car_exhaust_pm25"] * (1 - f["electric_share"]) + f["car_wear_pm25"])
    assert value(found, "pm25", by) == pytest.approx(dust)


def test_lines_by_hand() -> None:
    """12 metro trains an hour each way over 7 km; 6 buses over 3.5 km."""
    found = tuple(energy_indicators(case.network(), case.road_assignment()))
    power = 2 * 12 * 7 * 14 + 6 * 3.5 * 1.1
    by = {"area": "all", "by": "transit"}
    assert value(found, "energy", by) == pytest.approx(power * 0.0036)
    assert value(found, "co2", by) == pytest.approx(power * 0.581 / 1e3)
    assert value(found, "pm25", by) == pytest.approx(21 * 0.0521 / 1e3)


@pytest.mark.parametrize("key", ["energy", "co2", "pm25"])
def test_modes_and_tiers_add_up(key: str) -> None:
    found = tuple(energy_indicators(case.network(), case.road_assignment()))
    cars = value(found, key, {"area": "all", "by": "car"})
    lines = value(found, key, {"area": "all", "by": "transit"})
    assert value(found, key, {"area": "all"}) == pytest.approx(cars + lines)
    for by, whole in (("car", cars), ("transit", lines), (None, cars + lines)):
        parts = [i.value for i in found if i.key == key and "tier" in i.by and i.by.get("by") == by]
        assert sum(parts) == pytest.approx(whole)
    by_mode = [i.value for i in found if i.key == key and "transit_mode" in i.by]
    assert sum(by_mode) == pytest.approx(lines)


def test_without_transit_the_cars_are_all() -> None:
    network = case.network().replace(transit=None)
    found = tuple(energy_indicators(network, case.road_assignment()))
    assert find(found, "co2", by="transit") is None
    assert value(found, "co2", {"area": "all"}) == value(found, "co2", {"area": "all", "by": "car"})
