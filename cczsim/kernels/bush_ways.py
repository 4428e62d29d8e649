"""The least-cost ways by which bushes grow, followed back from the nodes that ask for one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cczsim.kernels._jit import inner_kernel, sub_kernel
from cczsim.kernels.hierarchy import NONE
from cczsim.kernels.types import Array

UNKNOWN = -2
"""What nobody has asked for yet."""


class Approach(NamedTuple):
    """The links into each node of a star, and where a hierarchy labels the node.

    Parameters
    ----------
    first : int32 array [node + 1]
    arc, tail : int32 array [link]
        By head.
    place : int32 array [node]
        Place of a node that paths may pass, or NONE.
    zone_node : int32 array [zone]
    """

    first: Array
    arc: Array
    tail: Array
    place: Array
    zone_node: Array


class GrowWork(NamedTuple):
    """Scratch space of one worker.

    ``label`` and ``above`` are the hierarchy's, ``near`` the labels by lane and node. By node:
    ``old`` the position in the bush, ``way`` the place in the approach of the least-cost way,
    ``seat`` the new position of what the bush did not use, ``anchor`` the old position of the last
    used node on the way there; ``met`` lists the nodes whose way was asked for, their number last,
    so that only what was written is cleared. By old position: ``node``, ``low`` and ``high`` the
    least and the greatest cost of used ways, ``low`` the gain where a way enters, ``moved`` the new
    position, ``enter`` what enters there, ``end`` the anchor of that. ``stack`` is of searches;
    ``first`` to ``flow`` hold the new bush.
    """

    label: Array
    above: Array
    near: Array
    old: Array
    way: Array
    seat: Array
    anchor: Array
    met: Array
    node: Array
    low: Array
    high: Array
    moved: Array
    enter: Array
    end: Array
    stack: Array
    first: Array
    arc: Array
    tail: Array
    flow: Array


@sub_kernel
def spread(place_of: Any, label: Any, near: Any) -> None:
    """Write the labels of places by lane and node; inf at nodes that paths may not pass."""
    n_nodes = len(place_of)
    for begin in range(0, n_nodes, 16):
        end = min(begin + 16, n_nodes)
        for lane in range(len(near)):
            for node in range(begin, end):
                place = place_of[node]
                near[lane, node] = np.inf if place == NONE else label[place, lane]


# Below, arrays are handed over one by one: to hand over a tuple counts references to all its
# arrays, which takes longer than what is asked.


@inner_kernel
def least_way(first: Any, tail: Any, into_cost: Any, near: Any, node: int) -> tuple[int, float]:
    """Return where an approach holds the last link of a node's least-cost way, and its cost."""
    best, best_at = np.inf, NONE
    for k in range(first[node], first[node + 1]):
        here = near[tail[k]] + into_cost[k]
        if here < best:
            best, best_at = here, k
    return best_at, best


@inner_kernel
def anchor_of(
    first: Any, tail: Any, into_cost: Any, near: Any, node: int, old: Any, way: Any,
    anchor: Any, met: Any,
) -> int:  # fmt: skip
    """Return the old position of the last used node on the least-cost way to a node and beyond.

    NONE where no way leads, or rounding hides what links cost beyond what any trip does.
    """
    begin, found = node, NONE
    for _ in range(len(way)):
        if old[node] >= 0:
            found = old[node]
        elif anchor[node] != NONE:
            found = anchor[node]
        if found != NONE:
            break
        if way[node] == UNKNOWN:
            way[node], _ = least_way(first, tail, into_cost, near, node)
            met[met[-1]] = node
            met[-1] += 1
        if way[node] == NONE:
            break
        node = tail[way[node]]
    if found != NONE:
        while old[begin] < 0 and anchor[begin] == NONE:
            anchor[begin] = found
            begin = tail[way[begin]]
    return int(found)


@inner_kernel
def lay(
    into_arc: Any, into_tail: Any, base: int, node: int, n_new: int, old: Any, way: Any, seat: Any,
    moved: Any, stack: Any, first: Any, arc: Any, tail: Any, flow: Any,
) -> int:  # fmt: skip
    """Append the unused nodes of the least-cost way to a node; return the number of positions."""
    # The search for an order uses the stack from its other end.
    top = len(stack) - 1
    depth = 0
    while old[node] < 0 and seat[node] == NONE:
        stack[top - depth] = node
        depth += 1
        node = into_tail[way[node]]
    before = moved[old[node]] if old[node] >= 0 else seat[node]
    for i in range(depth - 1, -1, -1):
        node = stack[top - i]
        k = first[n_new]
        arc[k] = into_arc[way[node]] + base
        tail[k] = before
        flow[k] = 0.0
        seat[node] = n_new
        before = n_new
        n_new += 1
        first[n_new] = k + 1
    return n_new
