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


@inner_kernel
def _bpr(vdf: Any, p: int, flow: float) -> tuple[float, float]:
    beta = vdf.beta[p]
    if beta == 4.0:
        cube = vdf.factor[p] * flow * flow * flow
        return cube * flow, 4.0 * cube
    if beta == 0.0 or vdf.factor[p] == 0.0:
        return vdf.factor[p], 0.0
    delay = vdf.factor[p] * flow**beta
    if beta < 1.0:
        flow = max(flow, 1e-6 * vdf.capacity[p])
    return delay, beta * vdf.factor[p] * flow ** (beta - 1.0)


@inner_kernel
def _conical(vdf: Any, p: int, ratio: float) -> tuple[float, float]:
    alpha = vdf.alpha[p]
    beta = (2.0 * alpha - 1.0) / (2.0 * alpha - 2.0)
    lack = alpha * (1.0 - ratio)
    root = np.sqrt(lack * lack + beta * beta)
    delay = vdf.free[p] * (1.0 + root - lack - beta)
    return delay, vdf.free[p] * alpha * (1.0 - lack / root) / vdf.capacity[p]


@inner_kernel
def _akcelik(vdf: Any, p: int, ratio: float) -> tuple[float, float]:
    period = 3600.0 * vdf.beta[p]
    over = ratio - 1.0
    per_ratio = 8.0 * vdf.alpha[p] / (vdf.capacity[p] * vdf.beta[p])
    root = np.sqrt(over * over + per_ratio * ratio)
    delay = 0.25 * period * (over + root)
    bend = 1.0 + (over + 0.5 * per_ratio) / root if root > 0.0 else 2.0
    return delay, 0.25 * period * bend / vdf.capacity[p]


@inner_kernel
def _davidson(vdf: Any, p: int, ratio: float) -> tuple[float, float]:
    scale = vdf.free[p] * vdf.alpha[p]
    most = vdf.beta[p]
    if ratio < most:
        room = 1.0 - ratio
        return scale * ratio / room, scale / (room * room * vdf.capacity[p])
    room = 1.0 - most
    slope = scale / (room * room)
    return scale * most / room + slope * (ratio - most), slope / vdf.capacity[p]


@inner_kernel
def delay_and_slope(vdf: Any, p: int, flow: float) -> Any:
    """Return what flow adds to the cost of a link, s, and its derivative, s h/pce."""
    flow = flow + vdf.background[p]
    kind = vdf.kind[p]
    if kind == BPR:
        return _bpr(vdf, p, flow)
    ratio = flow / vdf.capacity[p]
    if kind == CONICAL:
        return _conical(vdf, p, ratio)
    if kind == AKCELIK:
        return _akcelik(vdf, p, ratio)
    return _davidson(vdf, p, ratio)


@inner_kernel
def physical_of(vdf: Any, arc: int) -> int:
    """Return the link whose flow delays an arc."""
    if len(vdf.physical) == 0:
        return arc
    link: int = vdf.physical[arc]
    return link


@inner_kernel
def cost_with(vdf: Any, state: Any, arc: int, more: float) -> float:
    """Return the cost of an arc with so much more flow on it, s."""
    p = physical_of(vdf, arc)
    delay, _ = delay_and_slope(vdf, p, max(state.flow[p] + more, 0.0))
    return float(vdf.fixed[arc] + delay)


@inner_kernel
def move(vdf: Any, state: Any, arc: int, change: float) -> None:
    """Change the flow on an arc, and the cost and slope of all arcs of its link with it."""
    p = physical_of(vdf, arc)
    flow = max(state.flow[p] + change, 0.0)
    state.flow[p] = flow
    delay, slope = delay_and_slope(vdf, p, flow)
    if len(vdf.physical) == 0:
        state.cost[p] = vdf.fixed[p] + delay
        state.slope[p] = slope
        return
    for t in range(vdf.twin_first[p], vdf.twin_first[p + 1]):
        state.cost[vdf.twin[t]] = vdf.fixed[vdf.twin[t]] + delay
        state.slope[vdf.twin[t]] = slope
