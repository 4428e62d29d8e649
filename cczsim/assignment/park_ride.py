"""Park-and-ride in the equilibrium: what its legs cost, who goes by it, and what it loads.

Lots are places of their own beside the zones (:func:`~cczsim.network.lots.zones_and_lots`): the leg
by car is one more demand on the roads, held while they are solved, and the ride one more demand on
the lines. Between two rounds the costs of driving that lots and shares are chosen by go a step
towards those of the roads (:mod:`cczsim.assignment.relaxation`): two lots that draw the same
people from one another would else take turns in being full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from cczsim.assignment.elastic import ElasticAssignment
from cczsim.assignment.relaxation import Relaxation
from cczsim.assignment.result import TransitAssignment, TransitSkims
from cczsim.columns import Array
from cczsim.demand.mode_choice import PARK_RIDE, car_fixed, choose, transit_cost
from cczsim.demand.params import DemandParams
from cczsim.demand.park_ride import (
    LotLoads,
    ParkRideParams,
    by_lot,
    over_lots,
    prices_of_full_lots,
)
from cczsim.network.lots import Lots, zones_and_lots
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem

_LEAST = 1e-3
"""Room of a lot that has none, cars/h: prices are finite then."""


@dataclass(frozen=True, eq=False)
class ParkRide:
    """Car parks of a scenario, and how people weigh them.

    Parameters
    ----------
    lots : Lots
    params : ParkRideParams
    room : array [lot], cars/h, optional
        How many cars may come, or leave on the way back, where that is not what ``params`` say.
    """

    lots: Lots
    params: ParkRideParams
    room: Array | None = None


@dataclass(frozen=True, eq=False)
class Legs:
    """What park-and-ride costs, and how many it draws.

    Parameters
    ----------
    first, last : array [zone, lot], [lot, zone], s
        Prices not included.
    price : array [lot], s
    cost : array [zone, zone], s
    share : array [zone, zone]
        Of all trips, by the logit.
    """

    first: Array
    last: Array
    price: Array
    cost: Array
    share: Array


@dataclass(frozen=True, eq=False)
class Parked:
    """Where park-and-ride stands in a round.

    Parameters
    ----------
    legs : Legs
        At the costs of driving that the round holds to.
    drive : Relaxation
        Those costs, ``[end, end], s``; 0 where no path leads.
    """

    legs: Legs
    drive: Relaxation


class Parking:
    """Park-and-ride on one network.

    Parameters
    ----------
    zones, lines : ZoneSystem, TransitNetwork
    rule : ParkRide
    demand : DemandParams
    """

    def __init__(
        self, zones: ZoneSystem, lines: TransitNetwork, rule: ParkRide, demand: DemandParams
    ) -> None:
        self.n, self.demand, self.n_access = zones.n_zones, demand, len(lines.access_zone)
        self._lots, self._out = rule.lots, rule.params.way == "out"
        lots = rule.lots
        self.ends, self.lines = zones_and_lots(zones, lines, lots, rule.params.transfer)
        self._scale = rule.params.nest * demand.choice_scale
        self._paid = lots.fee if self._out else np.zeros(lots.n_lots)
        fee = self._paid * demand.seconds_per_cny / demand.car_occupancy
        self._beside = np.asarray(demand.car_constant + rule.params.constant + fee)
        room = rule.params.room_share * lots.places
        room = room if self._out else np.full(lots.n_lots, np.inf)
        self._room = np.asarray(room if rule.room is None else np.maximum(rule.room, _LEAST))

    def find(
        self, drive: Array, skims: TransitSkims, trips: Array, costs: Mapping[str, Array],
        price: Array | None = None,
    ) -> Legs:  # fmt: skip
        """Return the legs at given costs, with the prices of full lots.

        Parameters
        ----------
        drive : array [end, end], s
            Ends are zones and lots.
        skims : TransitSkims
            Between ends.
        trips : array [zone, zone], trips/h
        costs : mapping of str to array [zone, zone], s
            Of the other modes.
        price : array [lot], s, optional
            To begin with.
        """
        n, scale = self.n, self.demand.choice_scale
        ride = transit_cost(skims.weighted, skims.fare(self.demand.transit_fare), self.demand)
        # Who boards nothing only walks from the car.
        ride = np.where(skims.boardings > 0.0, ride - self.demand.transit_constant, np.inf)
        if self._out:
            first, last = drive[:n, n:] + self._beside, ride[n:, :n]
        else:
            first, last = ride[:n, n:], drive[n:, :n] + self._beside[:, None]
        room = self._room * self.demand.car_occupancy

        def split(price: Array) -> tuple[Array, Array]:
            cost = over_lots(first + price, last, self._scale)
            return cost, choose({**costs, PARK_RIDE: cost}, scale)[PARK_RIDE]

        def arrivals(price: Array) -> Array:
            held = trips * split(price)[1]
            return np.asarray(by_lot(held, first + price, last, self._scale)[0].sum(axis=0))

        begin = np.zeros(len(room)) if price is None else price
        price = prices_of_full_lots(arrivals, room, begin, self._scale)
        return Legs(first, last, price, *split(price))

    def begin(
        self, drive: Array, skims: TransitSkims, trips: Array, others: Mapping[str, Array]
    ) -> Parked:
        """Return where park-and-ride stands at first, as :meth:`find` takes its arguments."""
        legs = self.find(drive, skims, trips, self._beside_car(drive, others))
        return Parked(legs, Relaxation(_known(drive)))

    def step(
        self, parked: Parked, legs: Legs, drive: Array, skims: TransitSkims, trips: Array,
        others: Mapping[str, Array],
    ) -> Parked:  # fmt: skip
        """Return where it stands next, going from what it holds to what the roads gave.

        Parameters
        ----------
        legs : Legs
            At ``drive``.
        others : mapping of str to array [zone, zone], s
            Costs of modes beside the car and park-and-ride.
        """
        nearer = parked.drive.towards(_known(drive))
        if nearer.step < 1.0:
            held = np.where(np.isfinite(drive), nearer.at, np.inf)
            legs = self.find(held, skims, trips, self._beside_car(held, others), legs.price)
        return Parked(legs, nearer)

    def _beside_car(self, drive: Array, others: Mapping[str, Array]) -> dict[str, Array]:
        return {"car": drive[: self.n, : self.n] + car_fixed(self.demand), **others}

    def loads(self, legs: Legs, trips: Array) -> LotLoads:
        """Return what the share of trips brings to each lot."""
        into, out_of = by_lot(legs.share * trips, legs.first + legs.price, legs.last, self._scale)
        return LotLoads(
            self._lots, legs.cost, into, out_of, legs.price, self._room, self._paid,
            self.demand.car_occupancy,
        )  # fmt: skip

    def on_roads(self, trips: Array, loads: LotLoads | None = None) -> Array:
        """Return trips between zones with the legs that are driven, ``[end, end], trips/h``."""
        return self._wide(trips, loads, self._out)

    def on_lines(self, trips: Array, loads: LotLoads | None = None) -> Array:
        """Return trips between zones with the legs that are ridden, ``[end, end], trips/h``."""
        return self._wide(trips, loads, not self._out)

    def between_zones(self, solved: ElasticAssignment) -> ElasticAssignment:
        """Return roads with the trips and costs between zones alone."""
        inner = (slice(self.n), slice(self.n))
        return replace(solved, car_trips=solved.car_trips[inner], car_cost=solved.car_cost[inner])

    def _wide(self, trips: Array, loads: LotLoads | None, into: bool) -> Array:
        n, every = self.n, self.ends.n_zones
        wide = np.zeros((every, every))
        wide[:n, :n] = trips
        if loads is not None and into:
            wide[:n, n:] = loads.into
        elif loads is not None:
            wide[n:, :n] = loads.out_of
        return wide


def _known(drive: Array) -> Array:
    return np.where(np.isfinite(drive), drive, 0.0)


def moved_legs(before: LotLoads, after: LotLoads, trips: Array) -> float:
    """Return the share of all trips that go to another lot, or no more to the same."""
    legs = (after.into - before.into, after.out_of - before.out_of)
    return 0.5 * max(float(np.abs(leg).sum()) for leg in legs) / max(float(trips.sum()), 1e-300)


def between_zones(skims: TransitSkims | None, n_zones: int) -> TransitSkims | None:
    """Return skims without those from lots and to them."""
    if skims is None or len(skims.weighted) == n_zones:
        return skims
    inner = {
        field.name: getattr(skims, field.name)[:n_zones, :n_zones]
        for field in fields(skims)
        if getattr(skims, field.name) is not None
    }
    return replace(skims, **inner)


def of_zones(carried: TransitAssignment, n_zones: int, n_access: int) -> TransitAssignment:
    """Return passengers on the lines of a network without lots; its flows hold their rides."""
    skims = between_zones(carried.skims, n_zones)
    assert skims is not None
    return replace(
        carried,
        access_flow=carried.access_flow[:n_access],
        egress_flow=carried.egress_flow[:n_access],
        skims=skims,
    )
