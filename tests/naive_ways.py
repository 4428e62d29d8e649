"""Slow twin: lists all ways of least cost and finds their most likely flows with SciPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.optimize

from cczsim.columns import Array
from cczsim.network.road import RoadNetwork


class Ways(NamedTuple):
    """All ways of least cost: their links, class, origin, destination and flow."""

    links: list[tuple[int, ...]]
    pair: list[tuple[int, int, int]]
    flow: Array


def least_ways(
    road: RoadNetwork, cost: Array, origin: int, usable: Array, slack: float
) -> dict[int, list[tuple[int, ...]]]:
    """Return by node all ways from an origin that miss the least cost by no more than slack."""
    low = np.full(road.n_nodes, np.inf)
    low[origin] = 0.0
    tail, head = np.asarray(road.tail), np.asarray(road.head)
    for _ in range(road.n_nodes):
        for a in range(road.n_links):
            if road.node_through[tail[a]] or tail[a] == origin:
                low[head[a]] = min(low[head[a]], low[tail[a]] + cost[a])
    found: dict[int, list[tuple[int, ...]]] = {}
    waiting: list[tuple[int, float, tuple[int, ...], frozenset[int]]] = [
        (origin, 0.0, (), frozenset({origin}))
    ]
    while waiting:
        node, spent, links, seen = waiting.pop()
        found.setdefault(node, []).append(links)
        if node != origin and not road.node_through[node]:
            continue
        for a in np.flatnonzero((tail == node) & usable):
            there = int(head[a])
            if there not in seen and spent + cost[a] <= low[there] + slack:
                waiting.append((there, spent + cost[a], (*links, int(a)), seen | {there}))
    return found


def most_likely(
    road: RoadNetwork, centroid: Array, costs: Array, demand: Array, link_flow: Array, slack: float
) -> Ways:
    """Return the ways of most entropy that give a link flow.

    Parameters
    ----------
    costs : array [class, link], s
    demand : array [class, zone, zone], pce/h
    link_flow : array [link], pce/h
        Of all classes.
    """
    total = demand.sum()
    usable = link_flow > 1e-12 * total
    links: list[tuple[int, ...]] = []
    pair: list[tuple[int, int, int]] = []
    trips: list[float] = []
    group: list[int] = []
    for c, cost in enumerate(costs):
        for o, origin in enumerate(centroid):
            ways = least_ways(road, cost, int(origin), usable, slack)
            for d, destination in enumerate(centroid):
                if o == d or demand[c, o, d] <= 0.0 or int(destination) not in ways:
                    continue
                for way in ways[int(destination)]:
                    links.append(way)
                    pair.append((c, o, d))
                    group.append(len(trips))
                trips.append(demand[c, o, d])
    uses = np.zeros((len(links), road.n_links))
    for i, way in enumerate(links):
        uses[i, list(way)] = 1.0
    of, amount = np.array(group), np.array(trips) / total
    first = np.flatnonzero(np.diff(of, prepend=-1))

    def flows(price: Array) -> tuple[Array, float]:
        weight = -uses @ price
        most = np.maximum.reduceat(weight, first)
        size = np.exp(weight - most[of])
        whole = np.add.reduceat(size, first)
        return size / whole[of], float(amount @ (most + np.log(whole)))

    wanted = link_flow / total

    def value(price: Array) -> tuple[float, Array]:
        share, weight = flows(price)
        return weight + float(price @ wanted), wanted - uses.T @ (share * amount[of])

    def bend(price: Array) -> Array:
        flow = flows(price)[0]
        mean = np.add.reduceat(uses * flow[:, None], first, axis=0)
        spread = (uses.T * (flow * amount[of])) @ uses - (mean.T * amount) @ mean
        return np.asarray(spread)

    found = scipy.optimize.minimize(
        value, np.zeros(road.n_links), jac=True, hess=bend, method="trust-exact",
        options={"gtol": 1e-12, "maxiter": 2000},
    )  # fmt: skip
    return Ways(links, pair, flows(found.x)[0] * np.array(trips)[of])
