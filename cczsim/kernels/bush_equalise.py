"""Bushes brought to equal costs, and people to and from the car, round after round."""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.kernels._jit import kernel
from cczsim.kernels.bush import label, least_total, link_time, move, shift


@kernel
def _wanted(choice: Any, zone: int, other: int, cost: float) -> float:
    """Return the cars that a pair of zones has at a cost of the drive, pce/h."""
    odds = (cost + choice.fixed) / choice.scale + choice.log_other[zone, other]
    return float(choice.total[zone, other] / (1.0 + np.exp(min(odds, 500.0))))


@kernel
def _path_cost(star: Any, vdf: Any, state: Any, link: Any, last: Any, node: int, origin: int,
               more: float) -> float:  # fmt: skip
    """Return the cost of the way that ``last`` leads back, with so much more flow on it, s."""
    cost = 0.0
    at = node
    while at != origin:
        a = link[last[at]]
        cost += link_time(vdf, a, state.flow[a] + more)
        at = star.tail[a]
    return cost


@kernel
def trade(
    star: Any, vdf: Any, state: Any, choice: Any, zone: int, origins: Any, demand: Any, link: Any,
    flow: Any, work: Any,
) -> float:  # fmt: skip
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
    origin = origins[zone]
    off = 0.0
    for other in range(len(origins)):
        total = choice.total[zone, other]
        node = origins[other]
        if total <= 0.0 or node == origin:
            continue
        cars = demand[zone, other]
        wanted = _wanted(choice, zone, other, work.low[node])
        off += abs(wanted - cars)
        more = wanted > cars
        last = work.short if more else work.long
        if more:
            wanted = _wanted(
                choice, zone, other,
                _path_cost(star, vdf, state, link, last, node, origin, 0.0),
            )  # fmt: skip
            if wanted <= cars:
                continue
        slope, most = 0.0, np.inf
        at = node
        while at != origin:
            k = last[at]
            slope += state.slope[link[k]]
            most = min(most, flow[k])
            at = star.tail[link[k]]
        pull = wanted * (total - wanted) / (total * choice.scale)
        change = (wanted - cars) / (1.0 + slope * pull)
        if more:
            then = _path_cost(star, vdf, state, link, last, node, origin, change)
            short_by = _wanted(choice, zone, other, then) - cars - change
            if short_by < 0.0:
                change *= (wanted - cars) / (wanted - cars - short_by)
        else:
            change = max(change, -min(most, cars))
        if change == 0.0:
            continue
        demand[zone, other] = cars + change
        at = node
        while at != origin:
            k = last[at]
            flow[k] = max(flow[k] + change, 0.0)
            move(vdf, state, link[k], change)
            at = star.tail[link[k]]
    return off


@kernel
def equalise(
    star: Any, vdf: Any, state: Any, choice: Any, origins: Any, demand: Any, size: Any, link: Any,
    flow: Any, work: Any, rounds: int, share: float,
) -> int:  # fmt: skip
    """Shift flow on all bushes, one after another, round after round.

    Parameters
    ----------
    vdf : Vdf
    state : LinkState
        Written.
    choice : Choice
        What cars compete with; no pairs where demand is fixed. Demand is written where there are.
    rounds : int
        Rounds at most.
    share : float
        A bush is left once its excess is below this share of its total cost.

    Returns
    -------
    int
        Rounds done.
    """
    left = size > 0
    elastic = len(choice.total) > 0
    for done in range(rounds):
        if not left.any():
            return done
        for zone in range(len(origins)):
            if not left[zone]:
                continue
            n = size[zone]
            cost = label(star, state, origins[zone], link[zone], flow[zone], n, work)
            excess = cost - least_total(zone, origins, demand, work.low)
            off = 0.0
            if elastic:
                off = trade(
                    star, vdf, state, choice, zone, origins, demand, link[zone], flow[zone], work
                )
            if excess > share * cost or off > share * demand[zone].sum():
                shift(star, vdf, state, link[zone], flow[zone], n, work)
            else:
                left[zone] = False
    return rounds
