"""By what people go: multinomial logit over car, transit, and foot or cycle.

Source: D. McFadden (1974), Conditional logit analysis of qualitative choice behavior.
"""

from __future__ import annotations

import numpy as np

from cczsim.columns import Array
from cczsim.demand.params import DemandParams

MODES = ("car", "transit", "active")


def choose(costs: dict[str, Array], scale: float) -> dict[str, Array]:
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


def composite(costs: dict[str, Array], scale: float) -> Array:
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


def transit_cost(weighted: Array, boardings: Array, params: DemandParams) -> Array:
    """Return the generalised cost of transit, s; inf where there is none."""
    fare = params.transit_fare * params.seconds_per_cny
    known = np.isfinite(weighted)
    cost = np.where(known, weighted, 0.0) + fare * np.where(known, boardings, 0.0)
    return np.where(known, cost + params.transit_constant, np.inf)


def active_cost(distance: Array, params: DemandParams) -> Array:
    """Return the generalised cost of going on foot or by cycle, s; inf beyond its reach.

    Parameters
    ----------
    distance : array [zone, zone], m
        Along the streets; inf where there is no way.
    """
    near = distance <= params.active_reach
    time = np.where(near, distance, 0.0) / params.active_speed
    return np.where(near, params.active_weight * time, np.inf)


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
