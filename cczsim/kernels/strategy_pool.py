"""Several strategies for each destination, and who follows them: kept, loaded, replaced."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from cczsim.kernels._jit import block_kernel, sub_kernel
from cczsim.kernels.hyperpath import load_strategy

N_SLOTS: Final = 12
NOBODY: Final = -1


class StrategyPool(NamedTuple):
    """Strategies by destination and slot, and who follows them.

    Parameters
    ----------
    via, order : int32 array [zone, slot, stop + entry]
        From :func:`~cczsim.kernels.hyperpath.label_nodes`.
    reached : int32 array [zone, slot]
        Nodes of ``order`` that count; 0 where the slot is free.
    access : int32 array [zone, slot, origin]
        Access that the origin leaves by, -1 if the strategy does not serve it.
    share : float64 array [zone, slot + 1, origin]
        The last of them gives up.
    pace, excess : float64 array [zone, slot + 1, origin]
        Factor of the step away from a slot, or from giving up, and the excess cost there at the
        last move, s.
    lead : int32 array [zone, origin]
        Slot that the last move went to, ``N_SLOTS`` for giving up.
    """

    via: Any
    order: Any
    reached: Any
    access: Any
    share: Any
    pace: Any
    excess: Any
    lead: Any


@block_kernel
def load_block(block: int, net: Any, pool: Any, trips: Any, block_entry_flow: Any,
               block_walk_flow: Any, block_access_flow: Any, pair_first: Any,
               block_pairs: Any) -> None:  # fmt: skip
    """Load all strategies to the destinations of a block.

    Flows as in :func:`~.hyperpath.assign_block`, ``pair_first`` and ``block_pairs``, by block, as
    in :func:`~.hyperpath.load_strategy`.
    """
    n_blocks = len(block_entry_flow)
    entry_flow = block_entry_flow[block]
    walk_flow = block_walk_flow[block]
    access_flow = block_access_flow[block]
    pairs = block_pairs[block]
    n_zones = len(net.zone_first) - 1
    entry_flow[:] = 0.0
    walk_flow[:] = 0.0
    access_flow[:] = 0.0
    pairs[:] = 0.0
    flow = np.zeros(len(net.stop_first) - 1 + len(net.entry_stop))
    for zone in range(block * n_zones // n_blocks, (block + 1) * n_zones // n_blocks):
        load_zone(net, pool, trips, zone, flow, entry_flow, walk_flow, access_flow, pair_first,
                  pairs)  # fmt: skip


@sub_kernel
def load_zone(net: Any, pool: Any, trips: Any, zone: int, flow: Any, entry_flow: Any,
              walk_flow: Any, access_flow: Any, pair_first: Any, pairs: Any) -> None:  # fmt: skip
    """Add the flow to one destination by all of its strategies."""
    for slot in range(N_SLOTS):
        if pool.reached[zone, slot] == 0:
            continue
        for origin in range(len(trips)):
            riders = trips[origin, zone] * pool.share[zone, slot, origin]
            if riders > 0.0:
                access = pool.access[zone, slot, origin]
                flow[net.access_stop[access]] += riders
                access_flow[0, access] += riders
        load_strategy(net, zone, pool.via[zone, slot], pool.order[zone, slot],
                      np.int64(pool.reached[zone, slot]), flow, entry_flow, walk_flow,
                      access_flow[1], pair_first, pairs)  # fmt: skip


@sub_kernel
def _followers(pool: Any, trips: Any, zone: int, slot: int) -> float:
    """Return the trips that follow a strategy."""
    riders = 0.0
    for origin in range(len(trips)):
        riders += trips[origin, zone] * pool.share[zone, slot, origin]
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
        pool.pace[zone, chosen, origin] = 1.0
        pool.excess[zone, chosen, origin] = 0.0
        if pool.lead[zone, origin] == chosen:
            pool.lead[zone, origin] = NOBODY
        left = 1.0 - pool.share[zone, chosen, origin]
        pool.share[zone, chosen, origin] = 0.0
        if 1e-9 < left < 1.0:
            for slot in range(N_SLOTS + 1):
                pool.share[zone, slot, origin] /= left
    return chosen


@sub_kernel
def keep(pool: Any, zone: int, slot: int, via: Any, order: Any, reached: int, access: Any) -> None:
    """Write a strategy into a slot.

    Slices of the pool that are assigned in the parallel loop itself are lost (numba 0.68).
    """
    pool.reached[zone, slot] = reached
    for node in range(len(via)):
        pool.via[zone, slot, node] = via[node]
        pool.order[zone, slot, node] = order[node]
    for origin in range(len(access)):
        pool.access[zone, slot, origin] = access[origin]


@sub_kernel
def free_slots(pool: Any, trips: Any, zone: int) -> None:
    """Empty the slots that nobody follows."""
    for slot in range(N_SLOTS):
        if pool.reached[zone, slot] == 0:
            continue
        if _followers(pool, trips, zone, slot) == 0.0:
            pool.reached[zone, slot] = 0
            for origin in range(len(trips)):
                pool.share[zone, slot, origin] = 0.0
                if pool.lead[zone, origin] == slot:
                    pool.lead[zone, origin] = NOBODY


@sub_kernel
def held(pool: Any, zone: int, origin: int) -> float:
    """Return the shares of a pair of zones together: 0 before its first move, then 1."""
    total = 0.0
    for slot in range(N_SLOTS + 1):
        total += pool.share[zone, slot, origin]
    return total
