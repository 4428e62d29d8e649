"""Targets held against figures."""

from __future__ import annotations

import math

import pytest

from cczsim.errors import IndicatorError
from cczsim.indicators.indicator import Indicator
from cczsim.indicators.plan_targets import evaluate, find_target, key_of

CENTRAL = {"tier": "central"}
FIGURES = (
    Indicator("road_density", 7.2, "km/km2", {**CENTRAL, "convention": "cn-urban"}),
    Indicator("road_density", 9.9, "km/km2", {**CENTRAL, "convention": "osm-all-drivable"}),
    Indicator("airport_minutes", 50.0, "min", {**CENTRAL, "mode": "car"}),
    Indicator("jobs_reached", 2e5, "jobs", {"area": "all", "mode": "transit", "minutes": "45"}),
    Indicator("mean_speed", 36.0, "km/h", {"area": "all"}),
    Indicator("mode_share", 24.0, "%", {"area": "all", "mode": "transit"}),
    Indicator("co2", 80.0, "t/h", {"area": "all"}),
    Indicator("co2", float("nan"), "t/h", CENTRAL),
)
BASE = (Indicator("road_density", 6.1, "km/km2", {**CENTRAL, "convention": "cn-urban"}),)


@pytest.mark.parametrize(
    ("key", "rule", "met", "margin"),
    [
        ("road_density_central", ">= 7 km/km2", True, 0.2),
        ("road_density_central", "≥ 7 km/km²", True, 0.2),
        ("road_density_central", "> 7.2 km/km2", False, 0.0),
        ("airport_minutes_central_car", "<= 45 min", False, -5.0),
        ("airport_minutes_car_central", "<= 1 h", True, 10.0),
        ("jobs_reached_45_transit", ">= 250000", False, -50_000.0),
        ("jobs_reached_transit_45", ">= 150000 jobs", True, 50_000.0),
        ("mean_speed", ">= 10 m/s", True, 0.0),
        ("mode_share_transit", ">= 0.3", False, -6.0),
        ("mode_share_transit", "< 30 %", True, 6.0),
        ("co2", "<= 75 t/h", False, -5.0),
        ("mean_speed", "== 35 km/h", False, -1.0),
    ],
)
def test_rules(key: str, rule: str, met: bool, margin: float) -> None:
    (row,) = evaluate({key: rule}, FIGURES)
    assert row.met is met
    assert row.margin == pytest.approx(margin, abs=1e-9)
    assert row.rule == rule


def test_base_convention_and_what_cannot_be_said() -> None:
    targets = {"road_density_central": ">= 7 km/km2", "co2_central": "<= 5 t/h"}
    density, unknown = evaluate(targets, FIGURES, BASE)
    assert (density.base, density.value, density.unit) == (6.1, 7.2, "km/km2")
    assert unknown.met is None
    assert math.isnan(unknown.base)
    (other,) = evaluate(
        {"road_density_central": ">= 7 km/km2"}, FIGURES, BASE, convention="osm-all-drivable"
    )
    assert other.value == 9.9
    assert math.isnan(other.base)


def test_all_faults_at_once_with_what_was_meant() -> None:
    targets = {
        "road_density_centrl": ">= 7 km/km2",
        "mean_speed": "fast",
        "airport_minutes_car_central": "<= 45 km",
        "co2": "<= 5 kg",
        "jobs_reached_45_transit": ">= nan",
    }
    with pytest.raises(IndicatorError) as caught:
        evaluate(targets, FIGURES, origins={"mean_speed": "plan.toml:9"})
    faults = caught.value.faults
    assert len(faults) == 5
    assert "road_density_central" in faults[0].hint
    assert faults[1].where == "plan.toml:9: targets.mean_speed"
    assert "min" in faults[2].expected
    assert "t/h" in faults[3].expected


def test_every_figure_has_a_key_that_finds_it() -> None:
    for item in FIGURES:
        key = key_of(item, "cn-urban")
        if item.by.get("convention") == "osm-all-drivable":
            assert key is None
        else:
            assert key is not None
            assert find_target(key, FIGURES, "cn-urban") is item
