"""One number with its name, unit and what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

BETTER: Final[Mapping[str, int]] = {
    "road_density": 1, "mean_speed": 1, "street_speed": 1, "delay_hours": -1,
    "links_over_capacity": -1, "km_over_capacity": -1, "jobs_reached": 1, "airport_minutes": -1,
    "co2": -1, "energy": -1, "pm25": -1, "mean_trip_minutes": -1, "airport_reach": 1,
    "delay_per_trip": -1, "building_cost": -1,
    "schools_reached": 1, "hospitals_reached": 1, "schools_minutes": -1,
    "hospitals_minutes": -1, "schools_reach": 1, "hospitals_reach": 1,
}  # fmt: skip
"""Which way is better: 1 more, -1 less; keys that are not named here are not judged."""


@dataclass(frozen=True)
class Indicator:
    """A figure of a result.

    Parameters
    ----------
    key : str
        Snake-case name, such as ``road_density`` or ``vehicle_km``.
    value : float
        NaN where it is not defined.
    unit : str
        Unit as shown to people: ``km/km2``, ``veh km/h``, ``km/h``, ``%``.
    by : dict of str to str
        What the figure is restricted to: ``{"tier": "central", "convention": "cn-urban"}``.
    note : str
        An assumption that a reader must know.
    """

    key: str
    value: float
    unit: str
    by: dict[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def path(self) -> str:
        """Key and restriction in one word: ``road_density[convention=cn-urban,tier=central]``."""
        if not self.by:
            return self.key
        return f"{self.key}[{','.join(f'{k}={v}' for k, v in sorted(self.by.items()))}]"


def find(indicators: tuple[Indicator, ...], key: str, **by: str) -> Indicator | None:
    """Return the first indicator of that key whose ``by`` holds all the given items, or None."""
    for item in indicators:
        if item.key == key and all(item.by.get(k) == v for k, v in by.items()):
            return item
    return None
