"""Several strategies for each destination, and who follows them: kept, loaded, replaced."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from cczsim.kernels._jit import sub_kernel
from cczsim.kernels.hyperpath import load_strategy

N_SLOTS: Final = 12


class StrategyPool(NamedTuple):
    """Strategies by destination and slot, and who follows them.

    Parameters
    ----------
    via, order : int32 array [zone, slot, stop + entry]
        From :func:`~cczsim.kernels.hyperpath.label_nodes`.
    reached : int32 array [zone, slot]
        Nodes of ``order`` that count, those that origins come to; 0 where the slot is free.
    access : int32 array [zone, slot, origin]
        Access that the origin leaves by, -1 if the strategy does not serve it.
    base, share : float64 array [zone, origin, slot + 1]
        Shares that passengers move from, and those they have; the last of them stays away.
    """

    via: Any
    order: Any
    reached: Any
    access: Any
    base: Any
    share: Any


@sub_kernel
def load_zone(
    net: Any, pool: Any, trips: Any, zone: int, flow: Any, entry_flow: Any, walk_flow: Any,
    access_flow: Any,
) -> None:  # fmt: skip
    """Add the flow to one destination by all of its strategies."""
    for slot in range(N_SLOTS):
        if pool.reached[zone, slot] == 0:
            continue
        for origin in range(len(trips)):
            riders = trips[origin, zone] * pool.share[zone, origin, slot]
            if riders > 0.0:
                access = pool.access[zone, slot, origin]
                flow[net.access_stop[access]] += riders
                access_flow[0, access] += riders
        load_strategy(net, zone, pool.via[zone, slot], pool.order[zone, slot],
                      np.int64(pool.reached[zone, slot]), flow, entry_flow, walk_flow,
                      access_flow[1])  # fmt: skip


@sub_kernel
def _followers(pool: Any, trips: Any, zone: int, slot: int) -> float:
    """Return the trips that follow a strategy."""
    riders = 0.0
    for origin in range(len(trips)):
        riders += trips[origin, zone] * pool.base[zone, origin, slot]
    return riders


@sub_kernel
def slot_for_new(pool: Any, trips: Any, zone: int) -> int:
    """Return a free slot; where there is none, the least used, whose followers join the others."""
    least, chosen = np.inf, -1
    for slot in range(N_SLOTS):
        riders = -1.0
        if pool.reached[zone, slot] > 0:
            riders = _followers(pool, trips, zone, slot)
        if riders < least:
            least, chosen = riders, slot
    for origin in range(len(trips)):
        left = 1.0 - pool.base[zone, origin, chosen]
        pool.base[zone, origin, chosen] = 0.0
        if 1e-9 < left < 1.0:
            for slot in range(N_SLOTS + 1):
                pool.base[zone, origin, slot] /= left
    return chosen


@sub_kernel
def keep(
    net: Any, pool: Any, zone: int, slot: int, via: Any, order: Any, reached: int, access: Any,
    used: Any,
) -> None:  # fmt: skip
    """Write into a slot what a strategy makes of its origins; nodes they never come to are left.

    Slices of the pool that are assigned in the parallel loop itself are lost (numba 0.68).
    """
    n_stops = len(net.stop_first) - 1
    used[:] = False
    for origin in range(len(access)):
        pool.access[zone, slot, origin] = access[origin]
        if access[origin] >= 0:
            used[net.access_stop[access[origin]]] = True
    for place in range(reached - 1, -1, -1):
        node = order[place]
        if not used[node]:
            continue
        if node >= n_stops:
            used[node + 1 if via[node] & 1 else net.entry_stop[node - n_stops]] = True
        elif via[node] >= 0:
            used[net.walk_to[via[node]]] = True
        elif via[node] == -1:
            for e in range(net.stop_first[node], net.stop_first[node + 1]):
                if via[n_stops + net.stop_entry[e]] == 3:
                    used[n_stops + net.stop_entry[e]] = True
    kept = 0
    for place in range(reached):
        if used[order[place]]:
            pool.order[zone, slot, kept] = order[place]
            kept += 1
    pool.reached[zone, slot] = kept
    for node in range(len(via)):
        pool.via[zone, slot, node] = via[node]


@sub_kernel
def free_slots(pool: Any, trips: Any, zone: int) -> None:
    """Empty the slots that nobody follows."""
    for slot in range(N_SLOTS):
        if pool.reached[zone, slot] > 0 and _followers(pool, trips, zone, slot) == 0.0:
            pool.reached[zone, slot] = 0
            for origin in range(len(trips)):
                pool.base[zone, origin, slot] = 0.0
