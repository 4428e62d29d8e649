"""The slow twin of the turn graph: path search that remembers the links it came by."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns


def penalty_of(turns: Turns, driven: Sequence[int]) -> float:
    """Return the sum of the penalties of the rules whose sequence ends with the last link."""
    total = 0.0
    for rule in range(turns.n_turns):
        links = turns.links_of(rule)
        if list(driven[-len(links) :]) == links:
            total += float(turns.penalty[rule])
    return total


def walk_cost(road: RoadNetwork, turns: Turns, walk: Sequence[int]) -> float:
    """Return the cost of driving some links, inf where a rule or a node forbids it."""
    total = 0.0
    for k, link in enumerate(walk):
        total += float(road.free_flow_time[link]) + penalty_of(turns, walk[: k + 1])
        if k and not road.node_through[road.tail[link]]:
            return math.inf
    return total


def least_costs(road: RoadNetwork, turns: Turns, origin: int) -> list[float]:
    """Return the least cost from a node to each node that keeps the rules, 0 at the origin."""
    memory = max((len(turns.links_of(k)) for k in range(turns.n_turns)), default=2) - 1
    out = [math.inf] * road.n_nodes
    out[origin] = 0.0
    heap: list[tuple[float, int, tuple[int, ...]]] = [(0.0, origin, ())]
    done: set[tuple[int, tuple[int, ...]]] = set()
    while heap:
        cost, node, driven = heapq.heappop(heap)
        if (node, driven) in done:
            continue
        done.add((node, driven))
        out[node] = min(out[node], cost)
        if driven and not road.node_through[node]:
            continue
        for link in range(road.n_links):
            if road.tail[link] == node:
                further = (*driven, link)
                more = cost + float(road.free_flow_time[link]) + penalty_of(turns, further)
                if math.isfinite(more):
                    heapq.heappush(heap, (more, int(road.head[link]), further[-memory:]))
    return out
