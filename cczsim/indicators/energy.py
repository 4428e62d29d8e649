"""Energy, CO2 and PM2.5 of an hour of traffic, from a table of factors with their sources."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from cczsim.assignment.result import RoadAssignment
from cczsim.columns import Array
from cczsim.indicators.flows import link_tiers, stop_tiers, tiers_present
from cczsim.indicators.indicator import Indicator
from cczsim.network.network import Network
from cczsim.network.transit import MODES, TransitNetwork

_TRAIN = {
    "metro": "metro_train", "rail": "rail_train", "maglev": "maglev_train",
    "light_rail": "tram_train", "tram": "tram_train", "monorail": "metro_train",
    "bus": "bus_vehicle",
}  # fmt: skip


@dataclass(frozen=True)
class Factor:
    """A row of the table; ``year`` is that of the source or, where assumed, of the state meant."""

    key: str
    value: float
    unit: str
    meaning: str
    source: str
    year: str
    confidence: str


@cache
def factors() -> dict[str, Factor]:
    """Return the factors by key."""
    text = files("cczsim.indicators").joinpath("tables/energy.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["key"]: Factor(row["key"], float(row["value"]), *(row[k] for k in (
            "unit", "meaning", "source", "year", "confidence")))
        for row in rows
    }  # fmt: skip


def _value(key: str) -> float:
    return factors()[key].value


def car_petrol(speed_kmh: Array) -> Array:
    """Return the petrol of a car, l/km, at a mean speed in km/h."""
    speed = np.maximum(speed_kmh, 5.0)
    rate = _value("petrol_base") + _value("petrol_slow") / speed
    return np.asarray((rate + _value("petrol_fast") * speed**2) / 100)


def energy_indicators(network: Network, assignment: RoadAssignment) -> list[Indicator]:
    """Return energy, CO2 and PM2.5 for cars, for transit and for both, by tier and by transit mode.

    What lines use counts in the tier of the stop that a run leaves.
    Electricity is counted at the meter; its CO2 is the grid's. PM2.5 is what is emitted on the
    way, power stations left out.
    """
    street = network.road.is_street
    tier = link_tiers(network)
    out = []
    cars = _cars(network, assignment, street)
    transit = network.transit
    lines = _lines(transit) if transit is not None else (0.0, 0.0, 0.0)
    out += _three(tuple(a + b for a, b in zip(cars, lines, strict=True)), {"area": "all"})
    out += _three(cars, {"area": "all", "by": "car"})
    left = np.zeros(0, dtype=np.int64)
    if transit is not None:
        out += _three(lines, {"area": "all", "by": "transit"})
        for code in np.unique(transit.mode):
            own = np.repeat(transit.mode == code, np.diff(transit.line_first))
            out += _three(_lines(transit, own), {"area": "all", "transit_mode": MODES[code]})
        left = stop_tiers(network)[transit.line_stop]
    for code, name in tiers_present(network):
        cars = _cars(network, assignment, street & (tier == code))
        out += _three(cars, {"tier": name, "by": "car"})
        if transit is not None:
            own_lines = _lines(transit, left == code)
            out += _three(own_lines, {"tier": name, "by": "transit"})
            both = tuple(a + b for a, b in zip(cars, own_lines, strict=True))
            out += _three(both, {"tier": name})
    return out


def _three(values: tuple[float, ...], by: dict[str, str]) -> list[Indicator]:
    note = "factors and their sources: indicators/tables/energy.csv"
    return [
        Indicator("energy", values[0], "GJ/h", by, note),
        Indicator("co2", values[1], "t/h", by, note),
        Indicator("pm25", values[2], "kg/h", by, note),
    ]


def _cars(network: Network, assignment: RoadAssignment, rows: Array) -> tuple[float, float, float]:
    length, time = network.road.length[rows], assignment.link_time[rows]
    km = assignment.link_flow[rows] * length / 1e3
    speed = np.divide(3.6 * length, time, out=np.full(len(time), 5.0), where=time > 0.0)
    electric = _value("electric_share")
    litres = float((km * (1.0 - electric) * car_petrol(speed)).sum())
    power = float(km.sum()) * electric * _value("electric_car")
    exhaust = _value("car_exhaust_pm25") * (1.0 - electric) + _value("car_wear_pm25")
    return (
        litres * _value("petrol_energy") / 1e3 + power * 3.6e-3,
        (litres * _value("petrol_co2") + power * _value("grid_co2")) / 1e3,
        float(km.sum()) * exhaust / 1e3,
    )


def _lines(transit: TransitNetwork, runs: Array | None = None) -> tuple[float, float, float]:
    """Return what the vehicles of all runs use and emit, or of those marked, ``[line_stop]``."""
    line_of = np.repeat(np.arange(transit.n_lines), np.diff(transit.line_first))
    length = transit.run_length if runs is None else np.where(runs, transit.run_length, 0.0)
    km = np.bincount(line_of, weights=length, minlength=transit.n_lines) / 1e3
    vehicle_km = km * 3600 / transit.headway
    power, dust = 0.0, 0.0
    for code in np.unique(transit.mode):
        mode = MODES[code]
        driven = float(vehicle_km[transit.mode == code].sum())
        power += driven * _value(_TRAIN[mode]) if mode in _TRAIN else 0.0
        dust += driven * _value("bus_wear_pm25") if mode == "bus" else 0.0
    return power * 3.6e-3, power * _value("grid_co2") / 1e3, dust / 1e3
