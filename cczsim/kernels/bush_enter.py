"""What a bush asks for, and which least-cost ways may enter it.

Source: R. B. Dial (2006), section 5, for the *strict* rule: an arc may enter where its head lies
farther from the origin than its tail by the greatest cost of used ways. That closes no circle, but
dear ways that are still used turn away much that would close none either. Without it all ways
enter, and of those that close a circle the one that gains least stays out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.kernels._jit import inner_kernel, sub_kernel
from cczsim.kernels.bush_ways import anchor_of, least_way
from cczsim.kernels.hierarchy import NONE

WAITING = -2
"""The new position of what waits for others to come before it."""


@sub_kernel
def measure(
    head: Any, cost: Any, near: Any, first: Any, arc: Any, tail: Any, flow: Any, size: int,
    base: int, origin: int, least: float, slack: float, node: Any, old: Any, low: Any, high: Any,
    moved: Any, enter: Any, asked: Any,
) -> tuple[int, int]:  # fmt: skip
    """Label what a bush uses with the least and the greatest costs of used ways, by position.

    ``flow`` that nothing leads to, or that may not be where it is, is taken away. ``asked`` lists
    the used positions that cost more than they need to.

    Returns
    -------
    clean : int
        Up to this position all of the bush is used.
    n_asked : int
    """
    low[0] = 0.0
    high[0] = 0.0
    node[0] = origin
    old[origin] = 0
    moved[0] = 0
    clean, n_asked = size, 0
    for p in range(1, size):
        best, worst = np.inf, 0.0
        here = origin
        n_used = 0
        for k in range(first[p], first[p + 1]):
            if flow[k] <= least:
                continue
            along = low[tail[k]] + cost[arc[k]]
            if along == np.inf:
                flow[k] = 0.0
                continue
            best = min(best, along)
            worst = max(worst, high[tail[k]] + cost[arc[k]])
            # Links without flow may be none of this network; see carried_over.
            here = head[arc[k] - base]
            n_used += 1
        low[p] = best
        high[p] = worst
        node[p] = here
        moved[p] = NONE
        enter[p] = NONE
        if n_used < first[p + 1] - first[p]:
            clean = min(clean, p)
        if n_used > 0:
            old[here] = p
            # Zones that paths may not pass have no label of their own.
            if near[here] == np.inf or best > near[here] * (1.0 + slack):
                asked[n_asked] = p
                n_asked += 1
    return clean, n_asked


@inner_kernel
def choose(
    into_first: Any, into_arc: Any, into_tail: Any, into_cost: Any, near: Any, first: Any, arc: Any,
    flow: Any, base: int, least: float, slack: float, strict: bool, n_asked: int, asked: Any,
    node: Any, low: Any, high: Any, enter: Any, end: Any, old: Any, way: Any, anchor: Any, met: Any,
) -> int:  # fmt: skip
    """Write what is to enter at positions that ask for a way, and in place of ``low`` its gain.

    Returns
    -------
    int
        First position where something enters.
    """
    begins = len(node)
    for i in range(n_asked):
        p = asked[i]
        last, reached = least_way(into_first, into_tail, into_cost, near, node[p])
        if last == NONE or low[p] <= reached * (1.0 + slack):
            continue
        begin = anchor_of(
            into_first, into_tail, into_cost, near, into_tail[last], old, way, anchor, met
        )
        used = begin == NONE
        for k in range(first[p], first[p + 1]):
            used = used or (flow[k] > least and arc[k] == into_arc[last] + base)
        # Where the link is used, the way is less costly farther up, and enters there.
        if used or (strict and high[begin] + max(reached - near[node[begin]], 0.0) >= high[p]):
            continue
        enter[p] = last
        end[p] = begin
        low[p] -= reached
        begins = min(begins, p)
    return begins


@inner_kernel
def break_circle(
    first: Any, tail: Any, flow: Any, least: float, before: int, depth: int, stack: Any,
    moved: Any, enter: Any, end: Any, gain: Any,
) -> int:  # fmt: skip
    """Let the way that gains least stay out, of those that close a circle on top of a stack.

    Parameters
    ----------
    before : int
        The position that the stack's last asks for, itself on the stack.
    depth : int

    Returns
    -------
    int
        The depth of the stack up to where the way would have entered.
    """
    drop = NONE
    asked = before
    for i in range(depth - 1, -1, -1):
        p = stack[i]
        if enter[p] != NONE and end[p] == asked:
            used = False
            for k in range(first[p], first[p + 1]):
                used = used or (tail[k] == asked and flow[k] > least)
            if not used and (drop == NONE or gain[p] < gain[stack[drop]]):
                drop = i
        if p == before:
            break
        asked = p
    if drop == NONE:
        raise ValueError("a bush closed a circle")
    enter[stack[drop]] = NONE
    for i in range(drop + 1, depth):
        moved[stack[i]] = NONE
    return drop + 1
