"""Passengers of a pair of zones moved from dearer strategies to the best."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cczsim.kernels._jit import sub_kernel
from cczsim.kernels.strategy_pool import N_SLOTS, held

SAME: Final = 1e-11
_RARE: Final = 1e-9
_LEAST_PACE: Final = 1.0 / 64.0
_MOST_PACE: Final = 32.0


@sub_kernel
def move(
    pool: Any, zone: int, origin: int, cost: Any, bend: Any, caution: float, spread: float
) -> None:
    """Move passengers of a pair of zones towards the best of its alternatives."""
    best = N_SLOTS
    for slot in range(N_SLOTS + 1):
        if cost[slot] < cost[best]:
            best = slot
    if held(pool, zone, origin) < 0.5:
        for slot in range(N_SLOTS + 1):
            pool.share[zone, slot, origin] = 1.0 if slot == best else 0.0
        if spread > 0.0:
            best = 0
            for slot in range(N_SLOTS):
                if cost[slot] < cost[best]:
                    best = slot
            away = 0.0
            if cost[N_SLOTS] < np.inf:
                away = inside(1.0 / (1.0 + np.exp((cost[N_SLOTS] - cost[best]) / spread)))
            pool.share[zone, :, origin] = 0.0
            pool.share[zone, best, origin] = 1.0 - away
            pool.share[zone, N_SLOTS, origin] = away
        return
    away = inside(pool.share[zone, N_SLOTS, origin])
    lead = pool.lead[zone, origin]
    moved = 0.0
    for slot in range(N_SLOTS + 1):
        share = pool.share[zone, slot, origin]
        before = pool.excess[zone, slot, origin]
        pool.excess[zone, slot, origin] = 0.0
        pace = pool.pace[zone, slot, origin]
        if before > 0.0 and lead >= 0:
            left = cost[slot] - cost[lead]
            if left < -SAME * cost[lead]:
                pace = max(0.5 * pace, _LEAST_PACE)
            elif left > 0.4 * before:
                # Between riding and staying away the step is Newton's; between strategies that
                # share lines it is too short.
                longest = 1.0 if slot == N_SLOTS or lead == N_SLOTS else _MOST_PACE
                pace = max(min(1.5 * pace, longest), min(pace, longest))
            pool.pace[zone, slot, origin] = pace
        excess = cost[slot] - cost[best]
        if slot == best or share == 0.0 or excess <= SAME * cost[best]:
            continue
        pace *= caution
        part = min(pace, 1.0)
        steep = bend[slot] + bend[best]
        if spread > 0.0 and slot == N_SLOTS:
            steep += spread / (1.0 - away)
        elif spread > 0.0 and best == N_SLOTS:
            steep += spread * share / (away * (1.0 - away))
        if excess * pace < part * steep:
            part = excess * pace / steep
        if spread > 0.0 and best == N_SLOTS:
            part = min(part, 0.999)  # somebody always rides: a logit has no cost at 0
        elif share * (1.0 - part) < 1e-12:
            part = 1.0
        moved += share * part
        pool.excess[zone, slot, origin] = excess
        pool.share[zone, slot, origin] = share * (1.0 - part)
    if moved > 0.0:
        pool.lead[zone, origin] = best
        pool.share[zone, best, origin] += moved
        if spread > 0.0 and cost[N_SLOTS] < np.inf:
            _keep_inside(pool, zone, origin)


@sub_kernel
def inside(share: float) -> float:
    """Return a share kept off 0 and 1, where a logit has no cost."""
    return min(max(share, _RARE), 1.0 - _RARE)


@sub_kernel
def _keep_inside(pool: Any, zone: int, origin: int) -> None:
    """Keep the share that stays away off 0 and 1."""
    riding = 0.0
    for slot in range(N_SLOTS):
        riding += pool.share[zone, slot, origin]
    kept = inside(riding)
    if riding > 0.0:
        for slot in range(N_SLOTS):
            pool.share[zone, slot, origin] *= kept / riding
    pool.share[zone, N_SLOTS, origin] = 1.0 - kept
