"""People to and from the car, on the ways of the bushes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cczsim.kernels._jit import kernel, sub_kernel
from cczsim.kernels.bush_label import last_place
from cczsim.kernels.types import Array
from cczsim.kernels.vdf import move

_OVERSHOT = 0.1
"""A step is cut back once it loses more than this share of what it was to gain."""


class Choice(NamedTuple):
    """What cars compete with: see :class:`~cczsim.assignment.car_demand.CarDemand`.

    ``total`` (pce/h) is 0 where there is no choice; both matrices are empty where demand is fixed.
    """

    total: Array
    log_other: Array
    scale: float
    fixed: float


@sub_kernel
def _wanted(choice: Any, bush: int, zone: int, cost: float) -> float:
    """Return the cars that a pair of zones has at a cost of the drive, pce/h."""
    odds = (cost + choice.fixed) / choice.scale + choice.log_other[bush, zone]
    return float(choice.total[bush, zone] / (1.0 + np.exp(min(odds, 500.0))))


@sub_kernel
def _go(
    rows: Any, bush: int, vdf: Any, state: Any, demand: Any, share: Any, asked: Any, step: float
) -> float:
    """Go a step along a direction of a bush; return what that adds to the cost along it."""
    arc, flow = rows.arc[bush], rows.flow[bush]
    kind, factor, alpha, beta, free, capacity, background, fixed, physical, twin_first, twin = vdf
    link_flow, cost, slope = state
    grown = 0.0
    for k in range(len(share)):
        if share[k] != 0.0:
            before = cost[arc[k]]
            flow[k] = max(flow[k] + step * share[k], 0.0)
            move(
                kind, factor, alpha, beta, free, capacity, background, fixed, physical,
                twin_first, twin, link_flow, cost, slope, arc[k], step * share[k],
            )  # fmt: skip
            grown += share[k] * (cost[arc[k]] - before)
    for zone in range(len(asked)):
        demand[bush, zone] += step * asked[zone]
    return grown


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
    all of them together go as far as Newton's step along that direction, and back by a secant
    where costs rose faster than their slope said.

    Returns
    -------
    float
        What all pairs together were off the logit at the labels, pce/h.
    """
    size = rows.size[bush]
    first, arc, tail = rows.first[bush], rows.arc[bush], rows.tail[bush]
    flow, short = rows.flow[bush], labels.short[bush]
    n_zones, n_arcs = demand.shape[1], first[size]
    mean, rise, into = np.zeros(size), np.zeros(size), np.zeros(size)
    share, asked = np.zeros(n_arcs), np.zeros(n_zones)
    for p in range(1, size):
        total = 0.0
        for k in range(first[p], first[p + 1]):
            total += flow[k]
        for k in range(first[p], first[p + 1]):
            if total > 0.0:
                share[k] = flow[k] / total
            elif k == last_place(first, short, p):
                share[k] = 1.0
            mean[p] += share[k] * (mean[tail[k]] + state.cost[arc[k]])
            rise[p] += share[k] * (rise[tail[k]] + state.slope[arc[k]])
    off, gain, bend = 0.0, 0.0, 0.0
    for zone in range(n_zones):
        total = choice.total[bush, zone]
        end = rows.at[bush, zone]
        if total <= 0.0 or end <= 0:
            continue
        cars = demand[bush, zone]
        off += abs(_wanted(choice, bush, zone, labels.to_zone[bush, zone]) - cars)
        wanted = _wanted(choice, bush, zone, mean[end])
        steep = max(wanted * (total - wanted), cars * (total - cars), 1e-9 * total * total)
        pull = steep / (total * choice.scale)
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
            more += state.slope[arc[k]] * share[k] * share[k]
    step = min(1.0, gain / (bend + more))
    grown = _go(rows, bush, vdf, state, demand, share, asked, step)
    past = step * bend + grown - gain
    if past > _OVERSHOT * gain:
        _go(rows, bush, vdf, state, demand, share, asked, -step * past / (gain + past))
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
    for bush in range(len(rows.size)):
        if rows.size[bush] > 0:
            off += _trade(rows, bush, vdf, state, choice, demand, labels)
    return off
