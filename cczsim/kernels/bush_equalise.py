"""Bushes brought to equal costs, and people to and from the car, round after round."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from cczsim.kernels._jit import kernel, parallel_kernel
from cczsim.kernels.bush import OVERSHOT, label, last_place, shift
from cczsim.kernels.types import Array
from cczsim.kernels.vdf import move


class Choice(NamedTuple):
    """What cars compete with: see :class:`~cczsim.assignment.car_demand.CarDemand`.

    ``total`` (pce/h) is 0 where there is no choice; both matrices are empty where demand is fixed.
    """

    total: Array
    log_other: Array
    scale: float
    fixed: float


@kernel
def _wanted(choice: Any, bush: int, zone: int, cost: float) -> float:
    """Return the cars that a pair of zones has at a cost of the drive, pce/h."""
    odds = (cost + choice.fixed) / choice.scale + choice.log_other[bush, zone]
    return float(choice.total[bush, zone] / (1.0 + np.exp(min(odds, 500.0))))


@kernel
def _move(vdf: Any, state: Any, arc: int, change: float) -> None:
    """Move flow where speed is of less account than the time that compiling takes."""
    kind, factor, alpha, beta, free, capacity, background, fixed, physical, twin_first, twin = vdf
    move(
        kind, factor, alpha, beta, free, capacity, background, fixed, physical, twin_first, twin,
        state.flow, state.cost, state.slope, arc, change,
    )  # fmt: skip


@kernel
def _go(
    rows: Any, bush: int, vdf: Any, state: Any, demand: Any, share: Any, asked: Any, step: float
) -> float:
    """Go a step along a direction of a bush; return what that adds to the cost along it."""
    arc, flow = rows.arc[bush], rows.flow[bush]
    grown = 0.0
    for k in range(len(share)):
        if share[k] != 0.0:
            before = state.cost[arc[k]]
            flow[k] = max(flow[k] + step * share[k], 0.0)
            _move(vdf, state, arc[k], step * share[k])
            grown += share[k] * (state.cost[arc[k]] - before)
    for zone in range(len(asked)):
        demand[bush, zone] += step * asked[zone]
    return grown


@kernel
def trade(
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
    if past > OVERSHOT * gain:
        _go(rows, bush, vdf, state, demand, share, asked, -step * past / (gain + past))
    return off


@kernel
def _label_mine(
    rows: Any, cost: Any, spent: Any, little: float, left: Any, elastic: bool, worker: int,
    n_workers: int, labels: Any,
) -> None:  # fmt: skip
    low, high = labels.low[worker], labels.high[worker]
    for bush in range(worker, len(rows.size), n_workers):
        if not left[bush]:
            continue
        label(rows, bush, cost, little * spent[bush], low, high, labels)
        if elastic:
            for zone in range(rows.at.shape[1]):
                if rows.at[bush, zone] >= 0:
                    labels.to_zone[bush, zone] = low[rows.at[bush, zone]]


@parallel_kernel
def label_all(
    rows: Any, cost: Any, spent: Any, little: float, left: Any, elastic: bool, n_workers: int,
    labels: Any,
) -> None:  # fmt: skip
    """Label all bushes that are left, in parallel.

    Parameters
    ----------
    rows : Rows
    cost : float64 array [arc], s
    spent : float64 array [bush], pce s/h
        What the trips of each bush cost.
    little : float
        Merges at which less than this share of it is to be gained are passed over.
    left : bool array [bush]
    elastic : bool
        Whether ``labels.to_zone`` is asked for.
    n_workers : int
        Threads; changes no bit.
    labels : Labels, written
    """
    for worker in numba.prange(n_workers):
        _label_mine(rows, cost, spent, little, left, elastic, worker, n_workers, labels)


@kernel
def shift_all(
    rows: Any, vdf: Any, state: Any, choice: Any, demand: Any, spent: Any, share: float,
    labels: Any, left: Any,
) -> float:  # fmt: skip
    """Shift flow on all bushes that are left, one after another.

    Parameters
    ----------
    rows : Rows
        Its flow is written.
    vdf : Vdf
    state : LinkState, written
    choice : Choice
        What cars compete with; no pairs where demand is fixed. Demand is written where there are.
    demand : float64 array [bush, zone], pce/h
    spent : float64 array [bush], pce s/h
        What the trips of each bush cost.
    share : float
        A bush is left once its excess is below this share of what it costs.
    labels : Labels
    left : bool array [bush], written

    Returns
    -------
    float
        Excess of all bushes at the labels, and what pairs were off the logit at its scale, pce s/h.
    """
    elastic = len(choice.total) > 0
    excess = 0.0
    for bush in range(len(rows.size)):
        if not left[bush]:
            continue
        off = 0.0
        if elastic:
            off = trade(rows, bush, vdf, state, choice, demand, labels)
        excess += labels.excess[bush] + off * choice.scale
        if labels.excess[bush] > share * spent[bush] or off > share * demand[bush].sum():
            shift(rows, bush, vdf, state, labels)
        else:
            left[bush] = False
    return excess
