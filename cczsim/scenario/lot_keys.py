"""Keys of car parks at stops, and of how people weigh them."""

from __future__ import annotations

from dataclasses import dataclass

from cczsim.demand.park_ride import ParkRideParams
from cczsim.scenario.keys import REQUIRED, key, params


@dataclass(frozen=True, kw_only=True)
class LotKeys:
    """A car park at a stop."""

    stop: str = key("text", "name or id of the stop that is ridden from", default=REQUIRED)
    places: float = key(
        "number", "cars that it holds", default=300, above=0.0, source="assumed: guessed, not "
        "counted",
    )  # fmt: skip
    fee: float = key(
        "quantity", "what a car pays for the day", dimension="money", default="0 CNY", low=0.0,
        source="assumed: free for those who ride on",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ParkRideKeys:
    """Car parks at stops, and how people weigh them."""

    params: ParkRideParams = params(ParkRideParams)
    lots: dict[str, LotKeys] = key(
        "sections", "car parks by name; without any nobody parks and rides", table=LotKeys,
        default={},
    )  # fmt: skip
