"""What a street costs to build, by class and structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cczsim.errors import ScenarioError

PER_KM: Final[Mapping[str, Mapping[str, float]]] = {
    "trunk": {"ground": 300e6, "bridge": 900e6, "tunnel": 1500e6},
    "primary": {"ground": 120e6, "bridge": 450e6, "tunnel": 900e6},
    "secondary": {"ground": 60e6, "bridge": 300e6, "tunnel": 600e6},
    "tertiary": {"ground": 30e6, "bridge": 180e6, "tunnel": 400e6},
    "unclassified": {"ground": 25e6, "bridge": 150e6, "tunnel": 350e6},
    "residential": {"ground": 20e6, "bridge": 120e6, "tunnel": 300e6},
}
"""CNY/km with pipes and pavements, land and demolition apart. Assumed: orders of magnitude of
Chinese urban works, no source at hand; state others with ``cost_per_km``."""
WIDTH: Final[Mapping[str, float]] = {
    "trunk": 60.0, "primary": 45.0, "secondary": 30.0, "tertiary": 16.0, "unclassified": 14.0,
    "residential": 12.0,
}  # fmt: skip
"""Between building lines, m. Assumed, within the ranges that GB/T 51328 gives for each class."""


@dataclass(frozen=True)
class StreetType:
    """What the proposed streets are.

    Parameters
    ----------
    road_class : str
    lanes, speed : float
        Of each direction; m/s.
    width : float
        Between building lines, m; what a street keeps clear of water and tracks by.
    cost : float
        CNY/m at ground level.
    bridge_cost : float
        CNY/m.
    """

    road_class: str
    lanes: float
    speed: float
    width: float
    cost: float
    bridge_cost: float

    @classmethod
    def of(
        cls,
        road_class: str,
        lanes: float,
        speed: float,
        width: float | None = None,
        cost_per_km: float | None = None,
    ) -> StreetType:
        """Return a kind of street, width and cost from the tables where nothing is said.

        Raises
        ------
        ScenarioError
            A class that no street is proposed in.
        """
        if road_class not in PER_KM:
            raise ScenarioError.of("--class", repr(road_class), "one of " + ", ".join(PER_KM))
        table = PER_KM[road_class]
        ground = table["ground"] if cost_per_km is None else cost_per_km
        bridge = table["bridge"] / table["ground"] * ground
        wide = WIDTH[road_class] if width is None else width
        return cls(road_class, lanes, speed, wide, ground / 1e3, bridge / 1e3)
