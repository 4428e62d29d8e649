"""Volume-delay functions of single links, as kernels that shift flow need them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from cczsim.kernels._jit import inner_kernel, sub_kernel
from cczsim.kernels.types import Array

BPR: Final = 0
CONICAL: Final = 1
AKCELIK: Final = 2
DAVIDSON: Final = 3
MARGINAL: Final = 4
"""Added to a kind where a link costs what one more vehicle costs all of them."""


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


# Kernels below take numbers: to hand over arrays counts references, which takes longer than what
# is asked.


@inner_kernel
def _bpr(factor: float, beta: float, capacity: float, flow: float) -> tuple[float, float]:
    if beta == 4.0:
        cube = factor * flow * flow * flow
        return cube * flow, 4.0 * cube
    if beta == 0.0 or factor == 0.0:
        return factor, 0.0
    if beta == 1.0:
        return factor * flow, factor
    delay = factor * flow**beta
    if beta < 1.0:
        flow = max(flow, 1e-6 * capacity)
    return delay, beta * factor * flow ** (beta - 1.0)


# The next return delay (s) and its first and second derivative by flow.


@inner_kernel
def _conical(
    alpha: float, free: float, capacity: float, ratio: float
) -> tuple[float, float, float]:
    beta = (2.0 * alpha - 1.0) / (2.0 * alpha - 2.0)
    lack = alpha * (1.0 - ratio)
    root = np.sqrt(lack * lack + beta * beta)
    steep = alpha / capacity
    bend = free * steep * steep * beta * beta / (root * root * root)
    return free * (1.0 + root - lack - beta), free * steep * (1.0 - lack / root), bend


@inner_kernel
def _akcelik(
    alpha: float, beta: float, capacity: float, ratio: float
) -> tuple[float, float, float]:
    quarter = 900.0 * beta
    over = ratio - 1.0
    bend = 8.0 * alpha / (capacity * beta)
    root = np.sqrt(over * over + bend * ratio)
    rise, curve = 1.0, 0.0
    if root > 0.0:
        rise = (over + 0.5 * bend) / root
        curve = (1.0 - rise * rise) / root
    steep = quarter / capacity
    return quarter * (over + root), steep * (1.0 + rise), steep * curve / capacity


@inner_kernel
def _davidson(
    alpha: float, beta: float, free: float, capacity: float, ratio: float
) -> tuple[float, float, float]:
    scale = free * alpha
    inside = min(ratio, beta)
    room = 1.0 - inside
    slope = scale / (room * room)
    bend = 2.0 * slope / (room * capacity * capacity) if ratio < beta else 0.0
    return scale * inside / room + slope * (ratio - inside), slope / capacity, bend


@inner_kernel
def delay_and_slope(
    kind: int, factor: float, alpha: float, beta: float, free: float, capacity: float,
    background: float, flow: float,
) -> Any:  # fmt: skip
    """Return what flow adds to the cost of a link, s, and its derivative, s h/pce."""
    flow = flow + background
    if kind == BPR:
        return _bpr(factor, beta, capacity, flow)
    ratio = flow / capacity
    of_each = kind % MARGINAL
    if of_each == CONICAL:
        delay, slope, bend = _conical(alpha, free, capacity, ratio)
    elif of_each == AKCELIK:
        delay, slope, bend = _akcelik(alpha, beta, capacity, ratio)
    else:
        delay, slope, bend = _davidson(alpha, beta, free, capacity, ratio)
    if kind > MARGINAL:
        return delay + flow * slope, 2.0 * slope + flow * bend
    return delay, slope


@sub_kernel
def refresh(vdf: Any, state: Any) -> None:
    """Bring costs and slopes of all arcs to what the flows make them; no flow is below 0 then."""
    kind, factor, alpha, beta, free, capacity, background, fixed, physical, twin_first, twin = vdf
    flow, cost, slope = state
    for p in range(len(flow)):
        flow[p] = max(flow[p], 0.0)
        delay, rise = delay_and_slope(
            kind[p], factor[p], alpha[p], beta[p], free[p], capacity[p], background[p], flow[p]
        )
        if len(physical) == 0:
            cost[p] = fixed[p] + delay
            slope[p] = rise
            continue
        for t in range(twin_first[p], twin_first[p + 1]):
            cost[twin[t]] = fixed[twin[t]] + delay
            slope[twin[t]] = rise
