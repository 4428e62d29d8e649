"""What trucks do on the roads: vehicle-kilometres, hours, energy and emissions."""

from __future__ import annotations

import numpy as np

from cczsim.columns import Array
from cczsim.indicators.energy import factors
from cczsim.indicators.flows import link_tiers, tiers_present
from cczsim.indicators.indicator import Indicator
from cczsim.network.network import Network

_NOTE = "factors and their sources: indicators/tables/energy.csv"


def truck_indicators(network: Network, link_flow: Array, link_time: Array) -> list[Indicator]:
    """Return the figures of trucks for all and by tier.

    Parameters
    ----------
    link_flow : array [link], vehicles/h
    link_time : array [link], s
        With the cars on the road.
    """
    street, tier = network.road.is_street, link_tiers(network)
    km = np.where(street, link_flow * network.road.length, 0.0) / 1e3
    hours = np.where(street, link_flow * link_time, 0.0) / 3600
    value = {key: factors()[key].value for key in (
        "truck_diesel", "diesel_energy", "diesel_co2", "truck_pm25")}  # fmt: skip
    out = []
    places: list[tuple[dict[str, str], Array]] = [({"area": "all"}, street)]
    places += [({"tier": name}, tier == code) for code, name in tiers_present(network)]
    for by, rows in places:
        driven = float(km[rows].sum())
        litres = driven * value["truck_diesel"] / 100
        out += [
            Indicator("truck_km", driven, "veh km/h", by),
            Indicator("truck_hours", float(hours[rows].sum()), "veh h/h", by),
            Indicator("energy", litres * value["diesel_energy"] / 1e3, "GJ/h",
                      {**by, "by": "truck"}, _NOTE),
            Indicator("co2", litres * value["diesel_co2"] / 1e3, "t/h", {**by, "by": "truck"},
                      _NOTE),
            Indicator("pm25", driven * value["truck_pm25"] / 1e3, "kg/h", {**by, "by": "truck"},
                      _NOTE),
        ]  # fmt: skip
    return out
