"""A day as the sum of its periods, each the equilibrium of a mean hour with figures of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from cczsim.assignment.bush_solution import BushStart
from cczsim.columns import Array
from cczsim.indicators.indicator import Indicator
from cczsim.network.network import Network
from cczsim.scenario.park_ride import park_ride_of
from cczsim.scenario.period_keys import DAY
from cczsim.scenario.result import Assumption, PeriodRun, RunResult
from cczsim.scenario.spec import ScenarioSpec

_SPEED: Final = "km/h"
_SHOWN: Final = frozenset({
    "trips", "mode_share", "mean_trip_minutes", "vehicle_km", "vehicle_hours", "mean_speed",
    "street_speed", "delay_hours", "links_over_capacity", "boardings", "passenger_km", "lot_cars",
    "fare_revenue", "toll_revenue", "parking_revenue", "energy", "co2", "pm25", "surplus",
})  # fmt: skip
"""Figures of the whole region that are told of each period."""

RunHour = Callable[
    [ScenarioSpec, Network, RunResult | None, BushStart | None, Array | None],
    tuple[RunResult, BushStart | None],
]
"""Runs one hour: scenario, network with its changes, base of the hour, what to start from, and how
many cars may come to car parks or leave them."""


def hour_of(spec: ScenarioSpec, name: str) -> ScenarioSpec:
    """Return the scenario of a mean hour of a period."""
    period, parking = spec.periods[name], spec.park_and_ride
    params = replace(
        spec.demand.params,
        peak_share=period.trips / period.hours,
        return_share=period.return_share,
    )
    if period.park_and_ride is not None:
        parking = replace(parking, params=replace(parking.params, way=period.park_and_ride))
    return replace(
        spec, demand=replace(spec.demand, params=params), park_and_ride=parking, periods={},
        targets={}, not_modelled={}, observations={},
    )  # fmt: skip


def run_periods(
    spec: ScenarioSpec,
    changed: Network,
    base: RunResult | None,
    near: BushStart | None,
    run_hour: RunHour,
) -> tuple[PeriodRun, ...]:
    """Run the periods of a scenario by the clock, each from where the one before ended.

    Car parks are empty at first. Where cars come to them no more do in a period than there are
    free places, and no more leave than stand there.

    Parameters
    ----------
    changed : Network
        With all changes applied.
    base : RunResult, optional
        Whose period of the same name gains are held against.
    near : BushStart, optional
        Of the modelled hour.
    run_hour : callable
    """
    before = {} if base is None else {run.name: run.result for run in base.periods}
    found: dict[str, PeriodRun] = {}
    lots = park_ride_of(spec, changed)
    standing = np.zeros(0 if lots is None else lots.lots.n_lots)
    for name, period in sorted(spec.periods.items(), key=lambda item: item[1].begin):
        network, lines = changed, changed.transit
        if lines is not None and period.headway_factor != 1.0:
            slower = lines.replace(headway=lines.headway * period.headway_factor)
            network = changed.replace(transit=slower)
        hour, room = hour_of(spec, name), None
        comes = hour.park_and_ride.params.way == "out"
        if lots is not None:
            room = (lots.lots.places - standing if comes else standing) / period.hours
        result, near = run_hour(hour, network, before.get(name), near, room)
        if result.equilibrium.lots is not None:
            cars = period.hours * result.equilibrium.lots.cars
            standing = np.maximum(standing + cars if comes else standing - cars, 0.0)
        found[name] = PeriodRun(name, period.hours, result)
    return tuple(found[name] for name in spec.periods)


def day_figures(runs: Sequence[tuple[str, float, Sequence[Indicator]]]) -> list[Indicator]:
    """Return the figures of each period, and those of the day.

    What is counted by the hour is summed over the day's hours; speeds, shares of modes and mean
    times of trips follow from these sums. What else there is of an hour has no sum.

    Parameters
    ----------
    runs : sequence of (str, float, sequence of Indicator)
        Name, length in hours and figures of an hour of each period.
    """
    out: list[Indicator] = []
    for name, _, found in runs:
        out += [
            replace(item, by={**item.by, "period": name})
            for item in found
            if item.key in _SHOWN and not {"tier", "district", "line", "lot"} & item.by.keys()
        ]
    by_path = [{item.path: item for item in found} for _, _, found in runs]
    hours = [length for _, length, _ in runs]
    total: dict[str, Indicator] = {}
    for path, item in by_path[0].items() if by_path else ():
        if item.unit.endswith("/h") and item.unit != _SPEED and all(path in one for one in by_path):
            value = sum(h * one[path].value for h, one in zip(hours, by_path, strict=True))
            total[path] = replace(
                item, value=value, unit=item.unit[:-1] + "d", by={**item.by, "period": DAY}
            )
    out += total.values()

    def summed(key: str, by: dict[str, str]) -> float:
        found = total.get(Indicator(key, 0.0, "", by).path)
        return float("nan") if found is None else found.value

    for path, item in by_path[0].items() if by_path else ():
        value = float("nan")
        area = {k: v for k, v in item.by.items() if k in ("area", "tier")}
        if item.key == "mean_speed":
            driven = summed("vehicle_hours", item.by)
            value = summed("vehicle_km", item.by) / driven if driven > 0.0 else value
        elif item.key == "mode_share":
            tops = ("car", "transit", "active", "park_ride")
            every = sum(
                t.value for t in total.values()
                if t.key == "trips" and t.by.get("mode") in tops
                and {k: v for k, v in t.by.items() if k in ("area", "tier")} == area
            )  # fmt: skip
            value = 100.0 * summed("trips", item.by) / every if every > 0.0 else value
        elif item.key == "mean_trip_minutes" and all(path in one for one in by_path):
            trips = Indicator("trips", 0.0, "", item.by).path
            weight = [h * one[trips].value for h, one in zip(hours, by_path, strict=True)]
            minutes = [one[path].value for one in by_path]
            whole = sum(weight)
            value = sum(w * m for w, m in zip(weight, minutes, strict=True) if w) / max(
                whole, 1e-300
            )
        else:
            continue
        out.append(replace(item, value=value, by={**item.by, "period": DAY}))
    return out


def period_assumptions(spec: ScenarioSpec) -> list[Assumption]:
    """Return what the periods of a scenario were set to."""
    out = []
    for name, period in spec.periods.items():
        way = period.park_and_ride or spec.park_and_ride.params.way
        parked = f", park-and-ride {way}" if spec.park_and_ride.lots else ""
        value = (
            f"{period.from_}–{period.to}, {100 * period.trips:.4g} % of a day's trips, "
            f"{100 * period.return_share:.4g} % of them back, headways × "
            f"{period.headway_factor:g}{parked}"
        )
        why = "one mean hour of the period stands for each of its hours"
        out.append(Assumption(f"periods.{name}", value, "scenario", why))
    return out
