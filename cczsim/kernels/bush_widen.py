"""Bushes lose what they do not use, and gain what shortens their ways (Dial, 2006, section 5)."""

from __future__ import annotations

from typing import Any

from cczsim.kernels._jit import kernel
from cczsim.kernels.bush import label, least_total
from cczsim.kernels.shortest_path import grow_tree

_MISSED = 30.0
"""A fresh tree costs as much as all rounds over a bush: it must miss more than a few shortcuts."""


@kernel
def _drop_unused(star: Any, link: Any, flow: Any, n: int, work: Any, least: float) -> int:
    """Drop links without flow, but for the cheapest into each node; return how many stay."""
    kept = 0
    for k in range(n):
        head = star.head[link[k]]
        if flow[k] <= least:
            if work.short[head] != k:
                continue
            flow[k] = 0.0
        link[kept] = link[k]
        flow[kept] = flow[k]
        kept += 1
    return kept


@kernel
def _replant(
    star: Any, state: Any, origin: int, link: Any, flow: Any, n: int, work: Any, least: float
) -> int:
    """Hang what a bush does not use on the least-cost tree of the present; return its new size.

    Where no flow passes, a bush is a tree that nothing keeps up to date: ways through it would be
    found one link an iteration.
    """
    reached = grow_tree(
        star, state.cost, origin, work.pred, work.order, work.least, work.heap, work.keys
    )
    for node in range(len(work.place)):
        work.waiting[node] = 0
    for k in range(n):
        if flow[k] > least:
            work.waiting[star.head[link[k]]] = 1
    kept = 0
    for k in range(n):
        a = link[k]
        tail, head = star.tail[a], star.head[a]
        used = flow[k] > least
        if not used:
            cheapest = work.short[head] == k and work.waiting[head] == 1
            if not cheapest or (work.waiting[tail] == 0 and tail != origin):
                continue
        link[kept] = a
        flow[kept] = flow[k] if used else 0.0
        kept += 1
    for place in range(1, reached):
        node = work.order[place]
        if work.waiting[node] == 0:
            link[kept] = work.pred[node]
            flow[kept] = 0.0
            kept += 1
    _regroup(star, origin, link, flow, kept, work)
    return kept


@kernel
def _greatest(star: Any, state: Any, origin: int, link: Any, n: int, work: Any) -> None:
    """Label nodes with the greatest cost of any way of the bush, and stamp the bush's links."""
    work.stamp[-1] += 1
    for node in range(len(work.place)):
        work.place[node] = -1
    work.high[origin] = 0.0
    for k in range(n):
        a = link[k]
        head = star.head[a]
        work.stamp[a] = work.stamp[-1]
        cost = work.high[star.tail[a]] + state.cost[a]
        if work.place[head] < 0:
            work.place[head] = k
            work.high[head] = cost
        elif cost > work.high[head]:
            work.high[head] = cost


@kernel
def _add(
    star: Any, state: Any, origin: int, link: Any, flow: Any, n: int, work: Any, strict: bool
) -> int:
    """Append links that shorten ways and close no circle; return the new number of links.

    A link may enter the bush where its head lies farther from the origin than its tail by the
    greatest cost of any way (Dial, section 5). ``strict`` asks that it also be a shortcut.
    """
    size = n
    for k in range(-1, n):
        if k >= 0 and k + 1 < n and star.head[link[k + 1]] == star.head[link[k]]:
            continue
        tail = origin if k < 0 else star.head[link[k]]
        if tail != origin and not star.through[tail]:
            continue
        for a in range(star.first_out[tail], star.first_out[tail + 1]):
            head = star.head[a]
            if head == origin or work.place[head] < 0 or work.stamp[a] == work.stamp[-1]:
                continue
            cost = state.cost[a]
            if work.high[tail] + cost < work.high[head] and (
                not strict or work.low[tail] + cost < work.low[head]
            ):
                if size == len(link):
                    return size
                link[size] = a
                flow[size] = 0.0
                size += 1
    return size


@kernel
def _regroup(star: Any, origin: int, link: Any, flow: Any, n: int, work: Any) -> bool:
    """Bring the links of a bush into topological order of their heads (Kahn, 1962).

    Returns
    -------
    bool
        False where the links hold a circle; then nothing is changed.
    """
    n_nodes = len(work.place)
    first, waiting, rank = work.first, work.waiting, work.rank
    for node in range(n_nodes + 1):
        first[node] = 0
    for node in range(n_nodes):
        waiting[node] = 0
        rank[node] = -1
    for k in range(n):
        first[star.tail[link[k]] + 1] += 1
        waiting[star.head[link[k]]] += 1
    for node in range(n_nodes):
        first[node + 1] += first[node]
    for k in range(n):
        tail = star.tail[link[k]]
        work.out[first[tail]] = k
        first[tail] += 1
    # ``first`` has moved on by one node: the links out of a node begin where the last one ended.
    queue = work.queue
    queue[0] = origin
    size, taken, edges = 1, 0, 0
    while taken < size:
        node = queue[taken]
        rank[node] = taken
        taken += 1
        start = 0 if node == 0 else first[node - 1]
        for place in range(start, first[node]):
            head = star.head[link[work.out[place]]]
            edges += 1
            waiting[head] -= 1
            if waiting[head] == 0:
                queue[size] = head
                size += 1
    if edges < n:
        return False
    for place in range(size + 1):
        first[place] = 0
    for k in range(n):
        first[rank[star.head[link[k]]] + 1] += 1
    for place in range(size):
        first[place + 1] += first[place]
    for k in range(n):
        place = rank[star.head[link[k]]]
        work.new_link[first[place]] = link[k]
        work.new_flow[first[place]] = flow[k]
        first[place] += 1
    for k in range(n):
        link[k] = work.new_link[k]
        flow[k] = work.new_flow[k]
    return True


@kernel
def widen(
    star: Any, state: Any, origin: int, link: Any, flow: Any, n: int, work: Any, least: float,
    replant: bool,
) -> int:  # fmt: skip
    """Drop what a bush does not use, and add what would shorten its ways; return its new size.

    The labels of :func:`label` must be those of the present costs.
    """
    if replant:
        kept: int = _replant(star, state, origin, link, flow, n, work, least)
    else:
        kept = _drop_unused(star, link, flow, n, work, least)
    _greatest(star, state, origin, link, kept, work)
    size: int = _add(star, state, origin, link, flow, kept, work, True)
    if size == kept:
        size = _add(star, state, origin, link, flow, kept, work, False)
    if size > kept and _regroup(star, origin, link, flow, size, work):
        return size
    return kept


@kernel
def improve(
    star: Any, state: Any, origins: Any, demand: Any, size: Any, link: Any, flow: Any,
    od_cost: Any, work: Any, share: float,
) -> None:  # fmt: skip
    """Drop from every bush what it does not use, and add what would shorten its ways.

    Parameters
    ----------
    star : ForwardStar
    state : LinkState
        Flow, cost and slope of each link.
    origins : int32 array [zone]
    demand : float64 array [zone, zone], pce/h
    size : int32 array [zone], written
    link, flow : int32 and float64 arrays [zone, place], written
    od_cost : float64 array [zone, zone], s
        Least costs on the whole network; bushes that miss them are hung anew.
    work : BushWork
    share : float
        Times 30, how much of its cost a bush may miss them by.
    """
    for zone in range(len(origins)):
        total = demand[zone].sum() - demand[zone, zone]
        if total <= 0.0:
            continue
        origin = origins[zone]
        cost = label(star, state, origin, link[zone], flow[zone], size[zone], work)
        least = least_total(zone, origins, demand, work.low)
        missed = least
        for other in range(len(origins)):
            if other != zone and demand[zone, other] > 0.0:
                missed -= demand[zone, other] * od_cost[zone, other]
        size[zone] = widen(
            star, state, origin, link[zone], flow[zone], size[zone], work, 1e-14 * total,
            missed > _MISSED * share * cost,
        )  # fmt: skip
