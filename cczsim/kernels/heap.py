"""A 4-ary heap of nodes by key, with decrease-key.

``position[node]`` is the node's place in the heap, ``-1`` if it was never in it. Four children a
parent keep a sift-down's comparisons in one or two cache lines.
"""

from __future__ import annotations

from typing import Any

from cczsim.kernels._jit import sub_kernel


@sub_kernel
def sift_up(nodes: Any, keys: Any, position: Any, start: int) -> None:
    """Move the entry at ``start`` towards the root until its parent's key is not larger."""
    place = start
    node = nodes[place]
    key = keys[place]
    while place > 0:
        parent = (place - 1) >> 2
        if keys[parent] <= key:
            break
        nodes[place] = nodes[parent]
        keys[place] = keys[parent]
        position[nodes[place]] = place
        place = parent
    nodes[place] = node
    keys[place] = key
    position[node] = place


@sub_kernel
def remove_least(nodes: Any, keys: Any, position: Any, size: int) -> int:
    """Take the root away and return the new size; its node and key are read before."""
    last = size - 1
    node = nodes[last]
    key = keys[last]
    place = 0
    while True:
        child = 4 * place + 1
        if child >= last:
            break
        best = child
        stop = min(child + 4, last)
        for other in range(child + 1, stop):
            if keys[other] < keys[best]:
                best = other
        if keys[best] >= key:
            break
        nodes[place] = nodes[best]
        keys[place] = keys[best]
        position[nodes[place]] = place
        place = best
    nodes[place] = node
    keys[place] = key
    position[node] = place
    return last
