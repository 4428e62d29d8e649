"""Park-and-ride: by which car park people go, and what full ones cost.

A trip by park-and-ride drives to a lot and rides on from it (on the way back it rides to the lot
and drives home). Lots are the alternatives of a nest (:mod:`cczsim.demand.mode_choice`): with legs
``first`` to lot l and ``last`` from it, and a price of its scarce places,

    cost = −s ln(sum over l of exp(−(first[o, l] + last[l, d] + price[l]) / s))

The price of a lot is 0 while it has room. Of a full one it is what keeps as many away as find no
place, in seconds: the multiplier of its capacity, found by raising prices in the ratio of arrivals
to room, as rows of a matrix are balanced. Arrivals fall by at most 1/s for a second, so that no
step goes too far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array
from cczsim.demand.params import check_parameters, parameter
from cczsim.network.lots import Lots

WAYS = ("out", "back")


@dataclass(frozen=True)
class ParkRideParams:
    """How people weigh leaving the car at a lot, in SI (money in CNY).

    Raises
    ------
    DemandError
        A value out of range.
    """

    way: str = parameter(
        "out", "", "which way all trips of the modelled hour go: out, by car to the lot and on by "
        "transit; or back, by transit to the lot and home by car, which pays no fee and needs no "
        "free place", "assumed: in a morning hour cars come to lots", choices=WAYS,
    )  # fmt: skip
    constant: float = parameter(
        0.0, "time", "what keeps people from park-and-ride beside time and money; it adds to "
        "demand.car_constant, since they need a car, and not to demand.transit_constant",
        "assumed: no count of park-and-ride was found for the region",
    )  # fmt: skip
    transfer: float = parameter(
        180.0, "time", "from the car in the lot to the platform, weighed as walking", "assumed"
    )
    nest: float = parameter(
        0.5, "count", "scale of the choice between lots as a share of demand.choice_scale; near 0 "
        "all take the cheapest", "assumed; between 0 and 1 by McFadden (1978)", above=0.0, high=1.0,
    )  # fmt: skip
    room_share: float = parameter(
        0.5, "share", "share of a lot's places that those who come in the modelled hour may fill: "
        "others came before, or come later", "assumed", above=0.0, high=1.0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_parameters(self, "park_and_ride")


@dataclass(frozen=True, eq=False)
class LotLoads:
    """What comes to each lot.

    Parameters
    ----------
    lots : Lots
    cost : array [zone, zone], s
        Of park-and-ride at the final costs; inf where there is none.
    into, out_of : array [zone, lot], [lot, zone], trips/h
        Persons by the leg that ends at a lot, and by the one that begins there.
    price : array [lot], s
        Of a place in a full lot; 0 where there is room.
    room : array [lot], cars/h
        How many cars may come; inf where none needs a place.
    paid : array [lot], CNY
        By a car.
    occupancy : float
        Persons in a car.
    """

    lots: Lots
    cost: Array
    into: Array
    out_of: Array
    price: Array
    room: Array
    paid: Array
    occupancy: float

    @property
    def cars(self) -> Array:
        """Cars that come to each lot, or leave it on the way back, ``[lot], cars/h``."""
        return np.asarray(self.into.sum(axis=0) / self.occupancy)


def _odds(first: Array, last: Array, scale: float) -> tuple[Array, Array, Array, Array]:
    """Return odds of both legs, and the least cost that each was taken from."""
    least_first = first.min(axis=1, initial=np.inf)
    least_last = last.min(axis=0, initial=np.inf)
    first_base = np.where(np.isfinite(least_first), least_first, 0.0)
    last_base = np.where(np.isfinite(least_last), least_last, 0.0)
    return (
        np.exp(-(first - first_base[:, None]) / scale),
        np.exp(-(last - last_base) / scale),
        first_base,
        last_base,
    )


def over_lots(first: Array, last: Array, scale: float) -> Array:
    """Return the expected least cost over lots (logsum), ``[zone, zone], s``; inf without any.

    None goes by park-and-ride within a zone.

    Parameters
    ----------
    first, last : array [zone, lot], [lot, zone], s
        Prices included.
    """
    a, b, first_base, last_base = _odds(first, last, scale)
    # Not by BLAS, whose sums may change with the number of threads.
    odds = np.einsum("ol,ld->od", a, b)
    np.fill_diagonal(odds, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(first_base[:, None] + last_base - scale * np.log(odds))


def by_lot(trips: Array, first: Array, last: Array, scale: float) -> tuple[Array, Array]:
    """Return trips to each lot and from it, ``[zone, lot], [lot, zone], trips/h``.

    Parameters
    ----------
    trips : array [zone, zone], trips/h
        By park-and-ride, none where :func:`over_lots` is infinite.
    """
    a, b, _, _ = _odds(first, last, scale)
    odds = np.einsum("ol,ld->od", a, b)
    each = np.divide(trips, odds, out=np.zeros_like(odds), where=odds > 0.0)
    return a * np.einsum("od,ld->ol", each, b), b * np.einsum("ol,od->ld", a, each)


def prices_of_full_lots(
    arrivals: Callable[[Array], Array], room: Array, price: Array, scale: float,
    *, tolerance: float = 1e-6, max_iterations: int = 500,
) -> Array:  # fmt: skip
    """Return prices at which no lot takes more than it has room for, ``[lot], s``.

    Parameters
    ----------
    arrivals : callable
        Trips that come to each lot at prices, ``[lot] -> [lot]``.
    room : array [lot]
        In the unit of arrivals; may be inf.
    price : array [lot], s
        To begin with.
    scale : float
        Of the choice between lots, s.
    tolerance : float
        Share of its room by which a full lot may be off.
    """
    for _ in range(max_iterations):
        found = arrivals(price)
        full = np.isfinite(room)
        ratio = np.divide(found, room, out=np.zeros_like(found), where=full)
        if np.all((ratio <= 1.0 + tolerance) & ((price == 0.0) | (ratio >= 1.0 - tolerance))):
            break
        step = scale * np.log(np.maximum(ratio, 1e-300))
        price = np.where(full, np.maximum(price + step, 0.0), 0.0)
    return np.asarray(price)
