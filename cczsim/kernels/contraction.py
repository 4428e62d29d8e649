"""Which arcs the contraction of a network's nodes adds, and which places lie above an origin.

Sources: J. Dibbelt, B. Strasser and D. Wagner (2016), Customizable contraction hierarchies, *ACM
Journal of Experimental Algorithmics* 21, 1.5, section 4; T. Davis (2006), *Direct Methods for
Sparse Linear Systems*, sections 4.1 to 4.3, for elimination trees, their postorder, and fill by
merging what children leave.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.kernels._jit import kernel, sub_kernel
from cczsim.kernels.hierarchy import NONE


@sub_kernel
def _wider(array: Any, room: int) -> Any:
    new = np.empty(room, dtype=np.int32)
    for i in range(len(array)):
        new[i] = array[i]
    return new


@sub_kernel
def _by_end(n: int, low: Any, high: Any) -> Any:
    """Return the pairs of two ends by their lower end, the order within it kept.

    Returns
    -------
    first : int32 array [n + 1]
    upper : int32 array [pair]
    """
    first = np.zeros(n + 1, dtype=np.int32)
    for end in low:
        first[end + 1] += 1
    for i in range(n):
        first[i + 1] += first[i]
    at = first[:-1].copy()
    upper = np.empty(len(low), dtype=np.int32)
    for i in range(len(low)):
        upper[at[low[i]]] = high[i]
        at[low[i]] += 1
    return first, upper


@kernel
def peel(n: int, low: Any, high: Any, touched: Any, free_degree: int, any_degree: int) -> Any:
    """Eliminate nodes of few neighbours, fewest first, while there are any.

    Parameters
    ----------
    n : int
        Nodes.
    low, high : int32 array [pair]
        The pairs of nodes that a link joins, either way round.
    touched : bool array [node]
        These may not go before all others of few neighbours have.
    free_degree, any_degree : int
        Most neighbours of what goes: of the others at first, of all nodes then.

    Returns
    -------
    order : int32 array [eliminated node]
    first : int32 array [node + 1]
        Offset of the neighbours that nodes are left with ...
    near : int32 array
        ... rising.
    """
    begin, near = _by_end(n, low, high)
    count = np.zeros(n, dtype=np.int32)
    room = np.empty(n, dtype=np.int32)
    seen = np.full(n, NONE, dtype=np.int32)
    for i in range(n):
        room[i] = begin[i + 1] - begin[i]
        for k in range(begin[i], begin[i + 1]):
            j = near[k]
            if seen[j] != i and j != i:
                seen[j] = i
                near[begin[i] + count[i]] = j
                count[i] += 1
    seen[:] = NONE
    used = len(near)
    order = np.empty(n, dtype=np.int32)
    gone = np.zeros(n, dtype=np.bool_)
    n_gone, mark = 0, n
    # Nodes wait by their number of neighbours; one whose number has changed waits once more.
    most = max(free_degree, any_degree)
    waiting = np.empty((most + 1, (most + 1) * n), dtype=np.int32)
    n_waiting = np.zeros(most + 1, dtype=np.int64)
    for phase in range(2):
        limit = free_degree if phase == 0 else any_degree
        n_waiting[:] = 0
        for i in range(n - 1, -1, -1):
            if not gone[i] and count[i] <= limit and (phase == 1 or not touched[i]):
                waiting[count[i], n_waiting[count[i]]] = i
                n_waiting[count[i]] += 1
        degree = 0
        while degree <= limit:
            if n_waiting[degree] == 0:
                degree += 1
                continue
            n_waiting[degree] -= 1
            node = waiting[degree, n_waiting[degree]]
            if gone[node] or count[node] != degree:
                continue
            gone[node] = True
            order[n_gone] = node
            n_gone += 1
            stop = begin[node] + count[node]
            for k in range(begin[node], stop):
                other = near[k]
                mark += 1
                kept = begin[other]
                for q in range(begin[other], begin[other] + count[other]):
                    if near[q] != node:
                        near[kept] = near[q]
                        seen[near[q]] = mark
                        kept += 1
                count[other] -= 1
                if count[other] + count[node] > room[other]:
                    room[other] = 2 * (count[other] + count[node])
                    if used + room[other] > len(near):
                        near = _wider(near, 2 * (used + room[other]))
                    for q in range(count[other]):
                        near[used + q] = near[begin[other] + q]
                    begin[other] = used
                    used += room[other]
                for q in range(begin[node], stop):
                    if near[q] != other and seen[near[q]] != mark:
                        near[begin[other] + count[other]] = near[q]
                        count[other] += 1
                now = count[other]
                if now <= limit and (phase == 1 or not touched[other]):
                    waiting[now, n_waiting[now]] = other
                    n_waiting[now] += 1
                    degree = min(degree, now)
    n_left = 0
    for i in range(n):
        if not gone[i]:
            n_left += count[i]
    one, other_end = np.empty(n_left, dtype=np.int32), np.empty(n_left, dtype=np.int32)
    at = 0
    for i in range(n):
        if not gone[i]:
            for k in range(begin[i], begin[i] + count[i]):
                # Each pair stands once from either end: the lists turned round are in order.
                one[at], other_end[at] = near[k], i
                at += 1
    first, near = _by_end(n, one, other_end)
    return order[:n_gone], first, near


@kernel
def fill(n: int, low: Any, high: Any, asked: Any) -> Any:
    """Find the arcs that eliminations add, and put the nodes in a postorder of their tree.

    A postorder of the elimination tree adds no arc, and puts what sweeps read together.

    Parameters
    ----------
    n : int
        Nodes, by the order of their elimination.
    low, high : int32 array [pair]
        The pairs of nodes that a link joins, the lower first.
    asked : bool array [node]

    Returns
    -------
    rank : int32 array [node]
        The order from now on; the others hold by it.
    needed : bool array [rank]
        Whether a node is asked for or lies above one that is.
    parent : int32 array [rank]
        In the elimination tree: the lowest of higher rank, or NONE.
    size : int32 array [rank]
        Nodes of the subtree under each, itself among them: they come right before it.
    first_up : int32 array [rank + 1]
        Offset of the neighbours of higher rank ...
    head : int32 array [arc]
        ... rising.
    pair_arc : int32 array [pair]
        The arc between the two nodes.
    triangle_first : int32 array [rank + 1]
    triangle : int32 array [triangle]
        See :class:`~cczsim.kernels.hierarchy.Hierarchy`.
    """
    own, near = _by_end(n, low, high)
    first = np.zeros(n + 1, dtype=np.int32)
    upper = np.empty(2 * len(low) + n, dtype=np.int32)
    parent = np.full(n, NONE, dtype=np.int32)
    child = np.full(n, NONE, dtype=np.int32)
    sibling = np.full(n, NONE, dtype=np.int32)
    size = np.ones(n, dtype=np.int32)
    seen = np.full(n, NONE, dtype=np.int32)
    for node in range(n):
        at = first[node]
        if at + n > len(upper):
            upper = _wider(upper, 2 * (at + n))
        seen[node] = node
        for k in range(own[node], own[node + 1]):
            if seen[near[k]] != node:
                seen[near[k]] = node
                upper[at] = near[k]
                at += 1
        below = child[node]
        while below != NONE:
            for k in range(first[below], first[below + 1]):
                if seen[upper[k]] != node:
                    seen[upper[k]] = node
                    upper[at] = upper[k]
                    at += 1
            below = sibling[below]
        first[node + 1] = at
        if at > first[node]:
            least = upper[first[node]]
            for k in range(first[node] + 1, at):
                least = min(least, upper[k])
            parent[node] = least
            sibling[node] = child[least]
            child[least] = node
            size[least] += size[node]
    # Subtrees fill the room before their root from the right, the last child first.
    rank = np.empty(n, dtype=np.int32)
    end = np.empty(n, dtype=np.int32)
    free = n
    for node in range(n - 1, -1, -1):
        if parent[node] == NONE:
            rank[node] = free - 1
            free -= size[node]
        else:
            rank[node] = end[parent[node]] - 1
            end[parent[node]] -= size[node]
        end[node] = rank[node]
    n_arcs = first[n]
    arc_low, arc_high = np.empty(n_arcs, dtype=np.int32), np.empty(n_arcs, dtype=np.int32)
    for node in range(n):
        for k in range(first[node], first[node + 1]):
            arc_low[k], arc_high[k] = rank[node], rank[upper[k]]
    # Turned round twice, lists are in order.
    down_first, down = _by_end(n, arc_high, arc_low)
    for node in range(n):
        for k in range(down_first[node], down_first[node + 1]):
            arc_high[k] = node
    first_up, head = _by_end(n, down, arc_high)
    above = np.full(n, NONE, dtype=np.int32)
    needed = np.zeros(n, dtype=np.bool_)
    nodes = np.empty(n, dtype=np.int32)
    for node in range(n):
        needed[rank[node]] = asked[node]
        nodes[rank[node]] = size[node]
    triangle_first = np.zeros(n + 1, dtype=np.int32)
    for node in range(n):
        if first_up[node] < first_up[node + 1]:
            above[node] = head[first_up[node]]
            needed[above[node]] |= needed[node]
        degree = first_up[node + 1] - first_up[node]
        triangle_first[node + 1] = triangle_first[node] + degree * (degree - 1) // 2
    triangle = np.empty(triangle_first[n], dtype=np.int32)
    t = 0
    for node in range(n):
        for i in range(first_up[node], first_up[node + 1]):
            arc = first_up[head[i]]
            for j in range(i + 1, first_up[node + 1]):
                while head[arc] != head[j]:
                    arc += 1
                triangle[t] = arc
                t += 1
    pair_arc = np.empty(len(low), dtype=np.int32)
    for i in range(len(low)):
        arc = first_up[rank[low[i]]]
        while head[arc] != rank[high[i]]:
            arc += 1
        pair_arc[i] = arc
    return rank, needed, above, nodes, first_up, head, pair_arc, triangle_first, triangle


@kernel
def places_above(
    batch_zone: Any, seed_first: Any, seed_place: Any, place_above: Any
) -> tuple[Any, Any]:
    """List the places that lead up from the origins of each batch.

    Parameters
    ----------
    batch_zone : int32 array [batch, N_LANES]
    seed_first : int32 array [zone + 1]
    seed_place : int32 array [seed]
    place_above : int32 array [place]
        The place of a node's parent in the elimination tree, or NONE.

    Returns
    -------
    batch_first : int32 array [batch + 1]
    batch_place : int32 array
        Rising within a batch.
    """
    n_batches, n_places = len(batch_zone), len(place_above)
    met = np.full(n_places, NONE, dtype=np.int32)
    batch_first = np.zeros(n_batches + 1, dtype=np.int32)
    batch_place = np.empty(n_places, dtype=np.int32)
    used = 0
    for batch in range(n_batches):
        lowest = 0
        for zone in batch_zone[batch]:
            if zone == NONE:
                continue
            for seed in range(seed_first[zone], seed_first[zone + 1]):
                place = seed_place[seed]
                lowest = max(lowest, place + 1)
                while place != NONE and met[place] != batch:
                    met[place] = batch
                    place = place_above[place]
        if used + lowest > len(batch_place):
            batch_place = _wider(batch_place, 2 * (used + lowest))
        for place in range(lowest):
            if met[place] == batch:
                batch_place[used] = place
                used += 1
        batch_first[batch + 1] = used
    return batch_first, batch_place[:used].copy()
