"""People to and from the car, on the ways of the bushes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cczsim.kernels._jit import inner_kernel, kernel, sub_kernel
from cczsim.kernels.types import Array
from cczsim.kernels.vdf import refresh

_AT_ONCE = 32
"""So many bushes go on at costs that rise by their slopes, before flows tell the costs again."""


class Choice(NamedTuple):
    """What cars compete with: see :class:`~cczsim.assignment.car_demand.CarDemand`.

    ``total`` (pce/h) is 0 where there is no choice; both matrices are empty where demand is fixed.
    """

    total: Array
    log_other: Array
    scale: float
    fixed: float


@inner_kernel
def _wanted(total: float, log_other: float, scale: float, cost: float) -> float:
    """Return the cars that a pair of zones has at a cost of the drive, pce/h."""
    return float(total / (1.0 + np.exp(min(cost / scale + log_other, 500.0))))


@sub_kernel
def _go(
    arc: Any, flow: Any, physical: Any, twin_first: Any, twin: Any, link_flow: Any, cost: Any,
    slope: Any, share: Any, step: float,
) -> None:  # fmt: skip
    """Go a step along a direction of a bush, at costs that rise by their slopes."""
    for k in range(len(share)):
        if share[k] == 0.0:
            continue
        change = step * share[k]
        flow[k] = max(flow[k] + change, 0.0)
        a = arc[k]
        if len(physical) == 0:
            link_flow[a] += change
            cost[a] += slope[a] * change
            continue
        p = physical[a]
        link_flow[p] += change
        for t in range(twin_first[p], twin_first[p + 1]):
            cost[twin[t]] += slope[twin[t]] * change


@sub_kernel
def _trade(
    rows: Any, bush: int, vdf: Any, state: Any, choice: Any, demand: Any, labels: Any
) -> float:
    """Move demand of a bush between the drive and the other modes, all destinations at once.

    "The other modes" are one more way from origin to destination, whose cost is the inverse of the
    demand function (N. Gartner, 1980, Optimal traffic assignment with elastic demands,
    *Transportation Science* 14, excess-demand formulation). Cars come and leave by the ways that
    the bush uses, in the shares that it uses them in, so that no flow turns negative. Each pair
    asks for a Newton step on ``cars = logit(mean cost of its ways)``; pairs share links, so that
    all of them together go as far as Newton's step along that direction.

    Returns
    -------
    float
        What all pairs together were off the logit at the labels, pce/h.
    """
    size = rows.size[bush]
    first, arc, tail = rows.first[bush], rows.arc[bush], rows.tail[bush]
    flow, short, at = rows.flow[bush], labels.short[bush], rows.at[bush]
    link_flow, cost, slope = state
    trips, log_other, cars_of = choice.total[bush], choice.log_other[bush], demand[bush]
    to_zone, scale, extra = labels.to_zone[bush], choice.scale, choice.fixed
    n_zones, n_arcs = demand.shape[1], first[size]
    mean, rise, into = np.zeros(size), np.zeros(size), np.zeros(size)
    share, asked = np.zeros(n_arcs), np.zeros(n_zones)
    for p in range(1, size):
        start, stop = first[p], first[p + 1]
        if stop - start == 1:
            share[start] = 1.0
            mean[p] = mean[tail[start]] + cost[arc[start]]
            rise[p] = rise[tail[start]] + slope[arc[start]]
            continue
        total = 0.0
        for k in range(start, stop):
            total += flow[k]
        for k in range(start, stop):
            if total > 0.0:
                share[k] = flow[k] / total
            elif k == short[p]:
                share[k] = 1.0
            mean[p] += share[k] * (mean[tail[k]] + cost[arc[k]])
            rise[p] += share[k] * (rise[tail[k]] + slope[arc[k]])
    off, gain, bend = 0.0, 0.0, 0.0
    for zone in range(n_zones):
        total = trips[zone]
        end = at[zone]
        if total <= 0.0 or end <= 0:
            continue
        cars = cars_of[zone]
        off += abs(_wanted(total, log_other[zone], scale, to_zone[zone] + extra) - cars)
        wanted = _wanted(total, log_other[zone], scale, mean[end] + extra)
        steep = max(wanted * (total - wanted), cars * (total - cars), 1e-9 * total * total)
        pull = steep / (total * scale)
        change = (wanted - cars) / (1.0 + rise[end] * pull)
        gain += change * (wanted - cars) / pull
        bend += change * change / pull
        asked[zone] = change
        into[end] += change
    if gain <= 0.0:
        return off
    more = 0.0
    for p in range(size - 1, 0, -1):
        for k in range(first[p], first[p + 1]):
            share[k] *= into[p]
            into[tail[k]] += share[k]
            more += slope[arc[k]] * share[k] * share[k]
    step = min(1.0, gain / (bend + more))
    _go(
        arc, flow, vdf.physical, vdf.twin_first, vdf.twin, link_flow, cost, slope, share, step
    )  # fmt: skip
    for zone in range(n_zones):
        cars_of[zone] += step * asked[zone]
    return off


@kernel
def trade_all(rows: Any, vdf: Any, state: Any, choice: Any, demand: Any, labels: Any) -> float:
    """Move demand between the drive and the other modes, one bush after another.

    Parameters
    ----------
    rows : Rows
        Its flow is written.
    vdf : Vdf
    state : LinkState, written
    choice : Choice
    demand : float64 array [bush, zone], pce/h, written
    labels : Labels

    Returns
    -------
    float
        What all pairs together were off the logit at the labels, pce/h.
    """
    off = 0.0
    n_bushes = len(rows.size)
    for begin in range(0, n_bushes, _AT_ONCE):
        for bush in range(begin, min(begin + _AT_ONCE, n_bushes)):
            if rows.size[bush] > 0:
                off += _trade(rows, bush, vdf, state, choice, demand, labels)
        refresh(vdf, state)
    return off
