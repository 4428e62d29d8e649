"""The slow twins of the road algorithms: plain Python, one trip table cell at a time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cczsim.columns import Array
from cczsim.network.road import RoadNetwork


class Tree(NamedTuple):
    """``cost [node]`` and the link that enters each node, -1 at the root and where none leads."""

    cost: list[float]
    entering: list[int]


def tree(road: RoadNetwork, cost: Sequence[float], origin: int) -> Tree:
    """Return the least-cost tree of a node; a node without passage ends every path but its own."""
    leaving: list[list[int]] = [[] for _ in range(road.n_nodes)]
    for link, tail in enumerate(road.tail.tolist()):
        leaving[tail].append(link)
    head, through = road.head.tolist(), road.node_through.tolist()
    label, entering = [math.inf] * road.n_nodes, [-1] * road.n_nodes
    label[origin] = 0.0
    heap, done = [(0.0, origin)], set()
    while heap:
        at, node = heapq.heappop(heap)
        if node in done:
            continue
        done.add(node)
        if node != origin and not through[node]:
            continue
        for link in leaving[node]:
            if at + cost[link] < label[head[link]]:
                label[head[link]] = at + cost[link]
                entering[head[link]] = link
                heapq.heappush(heap, (label[head[link]], head[link]))
    return Tree(label, entering)


def load(
    road: RoadNetwork, cost: Sequence[float], centroid: Array, demand: Array
) -> tuple[list[float], list[list[float]]]:
    """Return all-or-nothing flow ``[link]`` and least costs ``[zone, zone]``."""
    flow = [0.0] * road.n_links
    costs = []
    for o, origin in enumerate(centroid.tolist()):
        grown = tree(road, cost, origin)
        costs.append([grown.cost[node] for node in centroid.tolist()])
        for d, node in enumerate(centroid.tolist()):
            trips = float(demand[o, d])
            if o == d or trips == 0.0 or math.isinf(grown.cost[node]):
                continue
            while grown.entering[node] >= 0:
                flow[grown.entering[node]] += trips
                node = int(road.tail[grown.entering[node]])
    return flow, costs


def link_cost(road: RoadNetwork, flow: Sequence[float], fixed: Sequence[float]) -> list[float]:
    """Return BPR time plus the fixed part, link by link."""
    rows = zip(road.free_flow_time.tolist(), road.alpha.tolist(), flow, road.capacity.tolist(),
               road.beta.tolist(), fixed, strict=True)  # fmt: skip
    return [t * (1.0 + a * (f / c) ** b) + x for t, a, f, c, b, x in rows]


def bisect(slope: Callable[[float], float]) -> float:
    """Return where a rising function crosses zero in [0, 1], or the end it points to."""
    if slope(0.0) >= 0.0:
        return 0.0
    if slope(1.0) <= 0.0:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if slope(middle) < 0.0 else (low, middle)
    return 0.5 * (low + high)


def frank_wolfe(
    road: RoadNetwork, centroid: Array, demand: Array, fixed: Sequence[float], iterations: int
) -> tuple[list[float], list[float]]:
    """Return the flow that plain Frank-Wolfe measures last, and its relative gaps."""
    flow, costs = load(road, link_cost(road, [0.0] * road.n_links, fixed), centroid, demand)
    gaps = []
    for k in range(iterations):
        cost = link_cost(road, flow, fixed)
        target, costs = load(road, cost, centroid, demand)
        tstt = math.fsum(f * c for f, c in zip(flow, cost, strict=True))
        sptt = math.fsum(
            float(demand[o, d]) * c
            for o, row in enumerate(costs)
            for d, c in enumerate(row)
            if o != d and demand[o, d] > 0.0 and math.isfinite(c)
        )
        gaps.append((tstt - sptt) / tstt if tstt > 0.0 else 0.0)
        if k == iterations - 1:
            break
        step = [t - f for t, f in zip(target, flow, strict=True)]

        def slope(share: float, at: list[float] = flow, along: list[float] = step) -> float:
            there = [max(f + share * s, 0.0) for f, s in zip(at, along, strict=True)]
            return math.fsum(
                c * s for c, s in zip(link_cost(road, there, fixed), along, strict=True)
            )

        share = bisect(slope)
        if share <= 0.0:
            break
        flow = [max(f + share * s, 0.0) for f, s in zip(flow, step, strict=True)]
    return flow, gaps
