"""Bushes brought to equal costs, and people to and from the car, round after round."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from cczsim.kernels._jit import kernel, parallel_kernel
from cczsim.kernels.bush import label, last_place, shift
from cczsim.kernels.types import Array
from cczsim.kernels.vdf import delay_and_slope, move


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
def _way_cost(first: Any, arc: Any, tail: Any, vdf: Any, state: Any, chosen: Any, p: int,
              more: float) -> float:  # fmt: skip
    """Return the cost of the way that ``chosen`` leads back, with so much more flow on it, s."""
    kind, factor, alpha, beta, free, capacity, background, fixed, physical, _, _ = vdf
    cost = 0.0
    while p > 0:
        k = last_place(first, chosen, p)
        link = arc[k] if len(physical) == 0 else physical[arc[k]]
        flow = max(state.flow[link] + more, 0.0)
        delay, _ = delay_and_slope(
            kind, factor, alpha, beta, free, capacity, background, link, flow
        )
        cost += fixed[arc[k]] + delay
        p = tail[k]
    return cost


@kernel
def _move(vdf: Any, state: Any, arc: int, change: float) -> None:
    """Move flow where speed is of less account than the time that compiling takes."""
    kind, factor, alpha, beta, free, capacity, background, fixed, physical, twin_first, twin = vdf
    move(
        kind, factor, alpha, beta, free, capacity, background, fixed, physical, twin_first, twin,
        state.flow, state.cost, state.slope, arc, change,
    )  # fmt: skip


@kernel
def trade(
    rows: Any, bush: int, vdf: Any, state: Any, choice: Any, demand: Any, labels: Any
) -> float:
    """Move demand between the drive and the other modes, one destination after another.

    "The other modes" are one more way from origin to destination, whose cost is the inverse of the
    demand function (N. Gartner, 1980, Optimal traffic assignment with elastic demands,
    *Transportation Science* 14, excess-demand formulation). Cars come on the cheapest way, and
    leave the costliest one; in both cases it is the cheapest that tells how many there should be.
    One Newton step each on ``cars = logit(cost of the drive)``, cut back by a secant where costs
    rise faster than their slope says.

    Returns
    -------
    float
        What all pairs together were off the logit at the labels, pce/h.
    """
    first, arc, tail = rows.first[bush], rows.arc[bush], rows.tail[bush]
    flow = rows.flow[bush]
    rise = state.slope
    off = 0.0
    for zone in range(demand.shape[1]):
        total = choice.total[bush, zone]
        end = rows.at[bush, zone]
        if total <= 0.0 or end <= 0:
            continue
        cars = demand[bush, zone]
        wanted = _wanted(choice, bush, zone, labels.to_zone[bush, zone])
        off += abs(wanted - cars)
        more = wanted > cars
        chosen = labels.short[bush] if more else labels.long[bush]
        if more:
            now = _way_cost(first, arc, tail, vdf, state, chosen, end, 0.0)
            wanted = _wanted(choice, bush, zone, now)
            if wanted <= cars:
                continue
        slope, most = 0.0, np.inf
        p = end
        while p > 0:
            k = last_place(first, chosen, p)
            slope += rise[arc[k]]
            most = min(most, flow[k])
            p = tail[k]
        pull = wanted * (total - wanted) / (total * choice.scale)
        change = (wanted - cars) / (1.0 + slope * pull)
        if more:
            then = _way_cost(first, arc, tail, vdf, state, chosen, end, change)
            short_by = _wanted(choice, bush, zone, then) - cars - change
            if short_by < 0.0:
                change *= (wanted - cars) / (wanted - cars - short_by)
        else:
            change = max(change, -min(most, cars))
        if change == 0.0:
            continue
        demand[bush, zone] = cars + change
        p = end
        while p > 0:
            k = last_place(first, chosen, p)
            flow[k] = max(flow[k] + change, 0.0)
            _move(vdf, state, arc[k], change)
            p = tail[k]
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
        Excess of all bushes at the labels, pce s/h.
    """
    elastic = len(choice.total) > 0
    excess = 0.0
    for bush in range(len(rows.size)):
        if not left[bush]:
            continue
        off = 0.0
        if elastic:
            off = trade(rows, bush, vdf, state, choice, demand, labels)
        excess += labels.excess[bush]
        if labels.excess[bush] > share * spent[bush] or off > share * demand[bush].sum():
            shift(rows, bush, vdf, state, labels)
        else:
            left[bush] = False
    return excess
