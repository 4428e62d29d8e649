"""Passengers of a pair of zones divided anew over their strategies."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cczsim.kernels._jit import sub_kernel
from cczsim.kernels.strategy_pool import N_SLOTS

_RARE: Final = 1e-9
RARE_LOG: Final = 690.0
FORGOTTEN: Final = 1e-12


@sub_kernel
def divide(
    base: Any, cost: Any, boards: Any, scale: float, spread: float, fare: float, share: Any
) -> None:
    """Find the shares that passengers take at some costs, not far from those they had.

    They are least in ``cost x share + scale x (relative entropy to base)``, and the entropy of
    whether to come where a choice is made: a logit in closed form. Fares move nobody from one
    strategy to another, but who comes pays the mean of them.

    Parameters
    ----------
    base : float64 array [slot + 1]
        Shares before; the last of them stays away.
    cost : float64 array [slot + 1], s
    boards : float64 array [slot]
        Boardings.
    scale : float
        How freely they move, s: the smaller the further.
    spread : float
        Scale of the logit between coming and staying away, s; 0 where there is none.
    fare : float
        Of a boarding, s.
    share : float64 array [slot + 1], written
    """
    least = np.inf
    for slot in range(N_SLOTS):
        if base[slot] > 0.0:
            least = min(least, cost[slot])
    coming, boardings = 0.0, 0.0
    for slot in range(N_SLOTS):
        share[slot] = 0.0
        if base[slot] > 0.0 and cost[slot] < np.inf:
            share[slot] = base[slot] * np.exp((least - cost[slot]) / scale)
            coming += share[slot]
            boardings += share[slot] * boards[slot]
    share[N_SLOTS] = 1.0
    if coming == 0.0:
        return
    away = 0.0
    if base[N_SLOTS] > 0.0 and cost[N_SLOTS] < np.inf:
        riding = least + fare * boardings / coming
        odds = scale * np.log(base[N_SLOTS] / coming) + riding - cost[N_SLOTS]
        away = 1.0 / (1.0 + np.exp(min(-odds / (scale + spread), RARE_LOG)))
    if spread > 0.0 and cost[N_SLOTS] < np.inf:
        away = inside(away)
    elif away < _RARE:
        away = 0.0
    share[N_SLOTS] = away
    for slot in range(N_SLOTS):
        share[slot] *= (1.0 - away) / coming


@sub_kernel
def inside(share: float) -> float:
    """Return a share kept off 0 and 1, where a logit has no cost."""
    return min(max(share, _RARE), 1.0 - _RARE)
