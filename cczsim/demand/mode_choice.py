"""By what people go: nested logit over car, transit (rail, bus), and foot or cycle.

Sources: D. McFadden (1974), Conditional logit analysis of qualitative choice behavior; (1978),
Modelling the choice of residential location, on nests, whose logsums stand for them above.

At the top stand car, transit, and active; each is one alternative or a nest of several. Costs of
the top are all that the equilibrium of roads needs: whatever lies within a nest, the car is chosen
against fixed costs of the rest, and the program stays convex.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cczsim.columns import Array
from cczsim.demand.params import DemandParams

MODES = ("car", "transit", "active")
PARK_RIDE = "park_ride"
"""The mode of those who drive to a car park and ride on, where there are any."""
WITHIN = {"transit": ("rail", "bus"), "active": ("walk", "cycle")}
"""What each nest may hold, where its alternatives are told apart."""


def nest_scale(mode: str, params: DemandParams) -> float:
    """Return the generalised seconds that move the odds by e between alternatives of a nest."""
    share = {"transit": params.transit_nest, "active": params.active_nest}[mode]
    return share * params.choice_scale


def gather(costs: Mapping[str, Array], params: DemandParams) -> dict[str, Array]:
    """Return the costs of :data:`MODES`: those of nests are the logsums of their alternatives.

    Parameters
    ----------
    costs : mapping of str to array [zone, zone], s
        By mode, or by the alternatives of :data:`WITHIN`; infinite where there is none.
    """
    top = {mode: cost for mode, cost in costs.items() if mode in MODES}
    for mode, members in WITHIN.items():
        known = {name: costs[name] for name in members if name in costs}
        if known:
            top[mode] = composite(known, nest_scale(mode, params))
    return top


def within(mode: str, costs: Mapping[str, Array], params: DemandParams) -> dict[str, Array]:
    """Return the shares of the alternatives of a nest among those who choose it.

    Empty where the mode is one alternative.
    """
    known = {name: costs[name] for name in WITHIN[mode] if name in costs}
    return choose(known, nest_scale(mode, params)) if known else {}


def choose(costs: Mapping[str, Array], scale: float) -> dict[str, Array]:
    """Return the share of each mode; a mode of infinite cost is not available.

    Parameters
    ----------
    costs : dict of str to array [zone, zone], s
    scale : float
        Generalised seconds that move the odds by e.

    Returns
    -------
    dict of str to array [zone, zone]
        Shares that add up to 1, or all 0 where no mode is available.
    """
    least = np.minimum.reduce(list(costs.values()))
    base = np.where(np.isfinite(least), least, 0.0)
    odds = {mode: np.exp(-(cost - base) / scale) for mode, cost in costs.items()}
    total = np.add.reduce(list(odds.values()))
    return {
        mode: np.divide(odd, total, out=np.zeros_like(total), where=total > 0.0)
        for mode, odd in odds.items()
    }


def composite(costs: Mapping[str, Array], scale: float) -> Array:
    """Return the expected least cost over modes (logsum), s; inf where none is available."""
    least = np.minimum.reduce(list(costs.values()))
    base = np.where(np.isfinite(least), least, 0.0)
    total = np.add.reduce([np.exp(-(cost - base) / scale) for cost in costs.values()])
    with np.errstate(divide="ignore"):
        return np.asarray(base - scale * np.log(total))


def car_fixed(params: DemandParams) -> float:
    """Return the cost of a car trip beside the drive, s."""
    money = params.car_fixed_cost / params.car_occupancy
    return params.car_terminal_time + params.car_constant + money * params.seconds_per_cny


def transit_cost(weighted: Array, fare: Array, params: DemandParams) -> Array:
    """Return the generalised cost of transit, s; inf where there is none.

    Parameters
    ----------
    weighted : array [zone, zone], s
    fare : array [zone, zone], money
        Beside what ``weighted`` holds.
    """
    known = np.isfinite(weighted)
    cost = np.where(known, weighted, 0.0) + params.seconds_per_cny * fare
    return np.where(known, cost + params.transit_constant, np.inf)


def active_cost(distance: Array, params: DemandParams) -> Array:
    """Return the generalised cost of going on foot or by cycle, s; inf beyond its reach.

    Parameters
    ----------
    distance : array [zone, zone], m
        Along the streets; inf where there is no way.
    """
    return _under_own_power(
        distance, params.active_speed, params.active_weight, params.active_reach
    )


def walk_cost(distance: Array, params: DemandParams) -> Array:
    """Return the generalised cost of walking, s; inf beyond its reach."""
    cost = _under_own_power(distance, params.walk_speed, params.walk_weight, params.walk_reach)
    return cost + params.walk_constant


def cycle_cost(distance: Array, params: DemandParams) -> Array:
    """Return the generalised cost of cycling, s; inf beyond its reach."""
    cost = _under_own_power(distance, params.cycle_speed, params.cycle_weight, params.cycle_reach)
    return cost + params.cycle_constant


def _under_own_power(distance: Array, speed: float, weight: float, reach: float) -> Array:
    near = distance <= reach
    time = np.where(near, distance, 0.0) / speed
    return np.where(near, weight * time, np.inf)


def intrazonal(cost: Array, share: Array | float = 0.5) -> Array:
    """Return a cost matrix whose diagonal is a share of the least cost to another zone.

    Parameters
    ----------
    cost : array [zone, zone]
    share : float or array [zone]
    """
    filled = np.array(cost)
    off = filled.copy()
    np.fill_diagonal(off, np.inf)
    nearest = off.min(axis=1) if len(off) > 1 else np.zeros(1)
    np.fill_diagonal(filled, np.where(np.isfinite(nearest), share * nearest, 0.0))
    return filled
