"""Fares of tickets that hold for whole journeys: by zone, by pair of zones, with changes.

Such fares are no sum over runs, so that strategies do not see them. The fare of a pair of zones is
that of the most likely way of its strategy: at each stop the most frequent of the attractive lines.
Where all lines of a strategy cost the same it is exact; else it stands for the mean over its ways.
Its rides are parted into tickets so that few rides are without one and the sum of prices is least.

Source: General Transit Feed Specification, ``fare_attributes.txt`` and ``fare_rules.txt``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from cczsim.assignment.threads import by_block
from cczsim.columns import Array
from cczsim.kernels.strategy_rides import rides_of_block
from cczsim.kernels.types import N_BLOCKS
from cczsim.network.transit import TransitNetwork

MOST_RIDES: Final = 8
"""Of a way that are looked at; nobody changes seven times."""


class Ride(NamedTuple):
    """What tickets ask of a ride; ``touched`` are the fare zones of its stops."""

    system: str
    route: str
    begin: str
    end: str
    touched: frozenset[str]


class Rule(NamedTuple):
    """A rule of a ticket; empty texts hold for all. A ticket without rules has an empty one."""

    route: str
    begin: str
    end: str
    contains: str


class Ticket(NamedTuple):
    """A ticket; ``transfers`` -1 and ``zones`` 0 are no limit."""

    system: str
    price: float
    transfers: int
    zones: int

    def covers(self, rides: Sequence[Ride], rules: Sequence[Rule]) -> bool:
        """Return whether the ticket is good for rides in a row.

        Each ride needs a rule of its route. Where these rules name zones that are contained, rides
        must touch them and no others.

        Parameters
        ----------
        rides : sequence of Ride
        rules : sequence of Rule
            The ticket's, for the zones where the first ride begins and the last one ends.
        """
        if any(ride.system != self.system for ride in rides):
            return False
        if 0 <= self.transfers < len(rides) - 1:
            return False
        touched = frozenset[str]().union(*(ride.touched for ride in rides))
        if 0 < self.zones < len(touched):
            return False
        used = [
            [rule for rule in rules if rule.route in ("", route)]
            for route in {ride.route for ride in rides}
        ]
        named = {rule.contains for own in used for rule in own if rule.contains}
        return all(used) and (not named or touched == named)


class Fare(NamedTuple):
    """What a journey costs: tickets, and rides that none is for."""

    price: float
    without: int


class Tariff:
    """The tickets of a network.

    Parameters
    ----------
    transit : TransitNetwork
    """

    def __init__(self, transit: TransitNetwork) -> None:
        self._transit = transit
        self.tickets = tuple(
            Ticket(str(system), float(price), int(transfers), int(zones))
            for system, price, transfers, zones in zip(
                transit.ticket_system, transit.ticket_price, transit.ticket_transfers,
                transit.ticket_zones, strict=True,
            )
        )  # fmt: skip
        rules = [
            (int(ticket), Rule(str(route), str(begin), str(end), str(contains)))
            for ticket, route, begin, end, contains in zip(
                transit.rule_ticket, transit.rule_route, transit.rule_from, transit.rule_to,
                transit.rule_contains, strict=True,
            )
        ]  # fmt: skip
        anywhere = set(range(len(self.tickets))) - {ticket for ticket, _ in rules}
        rules += [(ticket, Rule("", "", "", "")) for ticket in sorted(anywhere)]
        self._rules: dict[tuple[str, str], list[tuple[int, Rule]]] = {}
        for ticket, rule in rules:
            self._rules.setdefault((rule.begin, rule.end), []).append((ticket, rule))
        self._known: dict[tuple[Ride, ...], float] = {}

    @cached_property
    def _line(self) -> Array:
        return np.repeat(np.arange(self._transit.n_lines), np.diff(self._transit.line_first))

    def ride(self, begin: int, end: int) -> Ride:
        """Return the ride between two entries of a line."""
        transit, line = self._transit, self._line[begin]
        zones = [str(transit.fare_zone[stop]) for stop in transit.line_stop[begin : end + 1]]
        return Ride(
            str(transit.fare_system[line]), str(transit.fare_route[line]), zones[0], zones[-1],
            frozenset(zone for zone in zones if zone),
        )  # fmt: skip

    def fare(self, rides: Sequence[Ride]) -> Fare:
        """Return the least price of tickets that cover a journey, ride by ride in order."""
        best = [Fare(0.0, 0)]
        for end in range(1, len(rides) + 1):
            options = [Fare(best[-1].price, best[-1].without + 1)]
            for begin in range(end):
                price = self._price(tuple(rides[begin:end]))
                if price < np.inf:
                    options.append(Fare(best[begin].price + price, best[begin].without))
            best.append(min(options, key=lambda fare: (fare.without, fare.price)))
        return best[-1]

    def _price(self, rides: tuple[Ride, ...]) -> float:
        if rides not in self._known:
            begin, end = rides[0].begin, rides[-1].end
            rules: dict[int, list[Rule]] = {}
            for pair in {(begin, end), (begin, ""), ("", end), ("", "")}:
                for ticket, rule in self._rules.get(pair, ()):
                    rules.setdefault(ticket, []).append(rule)
            prices = (
                self.tickets[ticket].price
                for ticket, own in rules.items()
                if self.tickets[ticket].covers(rides, own)
            )
            self._known[rides] = min(prices, default=np.inf)
        return self._known[rides]


def fares_between(transit: TransitNetwork, graph: Any, weight: Array) -> tuple[Array, Array]:
    """Return prices of tickets, and rides without one, ``[zone, zone]``; inf without a way.

    Parameters
    ----------
    transit : TransitNetwork
        With tickets.
    graph : LineGraph
        Of the same network.
    weight : array [4]
        See :func:`cczsim.kernels.hyperpath.label_nodes`.
    """
    n_zones = len(graph.zone_first) - 1
    rides = np.empty((n_zones, n_zones, MOST_RIDES, 2), dtype=np.int32)
    n_blocks = max(min(N_BLOCKS, n_zones), 1)
    by_block(rides_of_block, n_blocks, n_blocks, graph, weight, rides)
    pairs, ride_of = _distinct(rides.reshape(-1, 2))
    tariff = Tariff(transit)
    kinds: dict[Ride | None, int] = {}
    kind_of = np.array(
        [
            kinds.setdefault(tariff.ride(b, e) if b >= 0 else None, len(kinds))
            for b, e in pairs.tolist()
        ],
        dtype=np.int64,
    )
    kind = list(kinds)
    ways, way_of = _distinct(kind_of[ride_of].reshape(-1, MOST_RIDES))
    found = [
        tariff.fare([ride for ride in (kind[k] for k in way) if ride is not None])
        for way in ways.tolist()
    ]
    nowhere = (rides[:, :, 0, 0] < 0).T
    price = np.array([f.price for f in found])[way_of].reshape(n_zones, n_zones).T
    without = np.array([float(f.without) for f in found])[way_of].reshape(n_zones, n_zones).T
    np.fill_diagonal(nowhere, False)
    return np.where(nowhere, np.inf, price), np.where(nowhere, np.inf, without)


def _distinct(rows: Array) -> tuple[Array, Array]:
    """Return the distinct rows of whole numbers, and which of them each row is."""
    code = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T:
        _, own = np.unique(column, return_inverse=True)
        _, code = np.unique(code * (int(own.max(initial=0)) + 1) + own, return_inverse=True)
    _, first = np.unique(code, return_index=True)
    return rows[first], code
