"""Volume-delay functions of single links, as kernels that shift flow need them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from cczsim.kernels._jit import inner_kernel
from cczsim.kernels.types import Array

BPR: Final = 0
CONICAL: Final = 1
AKCELIK: Final = 2
DAVIDSON: Final = 3


class Vdf(NamedTuple):
    """What delays the links of a star; formulas stand in :mod:`cczsim.assignment.cost`.

    Parameters
    ----------
    kind : int8 array [link]
    factor : float64 array [link]
        BPR: ``free x alpha / capacity ** beta``.
    alpha, beta : float64 array [link]
    free : float64 array [link], s
    capacity : float64 array [link], pce/h
    background : float64 array [link], pce/h
        Flow beside what is assigned.
    fixed : float64 array [arc], s
        What an arc costs beside its delay.
    physical : int32 array [arc]
        Link whose flow delays the arc; empty where arcs are links.
    twin_first, twin : int32 array [link + 1], [arc]
        The arcs of each link; empty where arcs are links.
    """

    kind: Array
    factor: Array
    alpha: Array
    beta: Array
    free: Array
    capacity: Array
    background: Array
    fixed: Array
    physical: Array
    twin_first: Array
    twin: Array


class LinkState(NamedTuple):
    """Flow of each link (pce/h); cost (s) and slope of cost (s h/pce) of each arc."""

    flow: Array
    cost: Array
    slope: Array


# Kernels below take arrays one by one: to hand over a tuple counts references to all its arrays,
# which takes longer than what is asked.


@inner_kernel
def _bpr(factor: Any, beta: Any, capacity: Any, p: int, flow: float) -> tuple[float, float]:
    power = beta[p]
    if power == 4.0:
        cube = factor[p] * flow * flow * flow
        return cube * flow, 4.0 * cube
    if power == 0.0 or factor[p] == 0.0:
        return factor[p], 0.0
    delay = factor[p] * flow**power
    if power < 1.0:
        flow = max(flow, 1e-6 * capacity[p])
    return delay, power * factor[p] * flow ** (power - 1.0)


@inner_kernel
def _conical(alpha: float, free: float, capacity: float, ratio: float) -> tuple[float, float]:
    beta = (2.0 * alpha - 1.0) / (2.0 * alpha - 2.0)
    lack = alpha * (1.0 - ratio)
    root = np.sqrt(lack * lack + beta * beta)
    return free * (1.0 + root - lack - beta), free * alpha * (1.0 - lack / root) / capacity


@inner_kernel
def _akcelik(alpha: float, beta: float, capacity: float, ratio: float) -> tuple[float, float]:
    quarter = 900.0 * beta
    over = ratio - 1.0
    bend = 8.0 * alpha / (capacity * beta)
    root = np.sqrt(over * over + bend * ratio)
    rise = (over + 0.5 * bend) / root if root > 0.0 else 1.0
    return quarter * (over + root), quarter * (1.0 + rise) / capacity


@inner_kernel
def _davidson(
    alpha: float, beta: float, free: float, capacity: float, ratio: float
) -> tuple[float, float]:
    scale = free * alpha
    inside = min(ratio, beta)
    room = 1.0 - inside
    slope = scale / (room * room)
    return scale * inside / room + slope * (ratio - inside), slope / capacity


@inner_kernel
def delay_and_slope(
    kind: Any, factor: Any, alpha: Any, beta: Any, free: Any, capacity: Any, background: Any,
    p: int, flow: float,
) -> Any:  # fmt: skip
    """Return what flow adds to the cost of a link, s, and its derivative, s h/pce."""
    flow = flow + background[p]
    if kind[p] == BPR:
        return _bpr(factor, beta, capacity, p, flow)
    ratio = flow / capacity[p]
    if kind[p] == CONICAL:
        return _conical(alpha[p], free[p], capacity[p], ratio)
    if kind[p] == AKCELIK:
        return _akcelik(alpha[p], beta[p], capacity[p], ratio)
    return _davidson(alpha[p], beta[p], free[p], capacity[p], ratio)


@inner_kernel
def move(
    kind: Any, factor: Any, alpha: Any, beta: Any, free: Any, capacity: Any, background: Any,
    fixed: Any, physical: Any, twin_first: Any, twin: Any, link_flow: Any, cost: Any, slope: Any,
    arc: int, change: float,
) -> None:  # fmt: skip
    """Change the flow on an arc, and the cost and slope of all arcs of its link with it."""
    p = arc if len(physical) == 0 else physical[arc]
    flow = max(link_flow[p] + change, 0.0)
    link_flow[p] = flow
    delay, rise = delay_and_slope(kind, factor, alpha, beta, free, capacity, background, p, flow)
    if len(physical) == 0:
        cost[p] = fixed[p] + delay
        slope[p] = rise
        return
    for t in range(twin_first[p], twin_first[p + 1]):
        cost[twin[t]] = fixed[twin[t]] + delay
        slope[twin[t]] = rise
