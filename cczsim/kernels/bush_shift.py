"""Planned shifts carried out on all bushes: how far, and what that changes.

Costs themselves cut a plan back along its line. For pairs and members see
:mod:`cczsim.kernels.bush_pairs`.
"""

from __future__ import annotations

from typing import Any

import numba

from cczsim.kernels._jit import kernel, parallel_kernel, sub_kernel
from cczsim.kernels.bush_label import last_place
from cczsim.kernels.vdf import delay_and_slope, refresh

N_PARTS = 8
"""Bushes are shifted in this many fixed blocks, so that threads never change a bit."""


@sub_kernel
def _derivative(vdf: Any, state: Any, change: Any, length: float) -> float:
    """Return how total delay rises along a change of link flows beyond its rise at the start."""
    kind, factor, alpha, beta, free, capacity, background, _, _, _, _ = vdf
    flow = state.flow
    total = 0.0
    for p in range(len(change)):
        if change[p] != 0.0:
            then = max(flow[p] + length * change[p], 0.0)
            now, _ = delay_and_slope(
                kind[p], factor[p], alpha[p], beta[p], free[p], capacity[p], background[p], flow[p]
            )
            later, _ = delay_and_slope(
                kind[p], factor[p], alpha[p], beta[p], free[p], capacity[p], background[p], then
            )
            total += (later - now) * change[p]
    return total


@kernel
def step_length(gained: float, vdf: Any, state: Any, change: Any) -> float:
    """Return the share of a plan after which costs no longer fall along it.

    A whole plan is taken where it goes too far by a tenth; else secants find the end.
    """
    low, high = 0.0, 1.0
    left_low, left = -gained, _derivative(vdf, state, change, 1.0) - gained
    if left <= 0.1 * gained:
        return 1.0
    length = 1.0
    for _ in range(6):
        length = low - left_low * (high - low) / (left - left_low)
        # Costs are convex, so a secant ends short; at least a tenth of the way is gone.
        length = max(length, low + 0.1 * (high - low))
        here = _derivative(vdf, state, change, length) - gained
        if abs(here) <= 0.1 * gained:
            break
        if here > 0.0:
            high, left = length, here
        else:
            low, left_low = length, here
    return length


@sub_kernel
def _carry_out_part(
    rows: Any, begin: int, end: int, labels: Any, merges: Any, pairs: Any, length: float,
    change: Any,
) -> None:  # fmt: skip
    change[:] = 0.0
    for bush in range(begin, end):
        first, arc, tail, flow = rows.first[bush], rows.arc[bush], rows.tail[bush], rows.flow[bush]
        short, main = labels.short[bush], labels.main[bush]
        merge, dear = labels.merge[bush], labels.dear[bush]
        for m in range(labels.n_merges[bush] - 1, -1, -1):
            at = merges.first[bush] + m
            q = merges.pair[at]
            shift = length * pairs.shift[q]
            if shift > 0.0:
                shift *= merges.on_dear[at] / pairs.on_dear[q]
            elif shift < 0.0:
                shift *= merges.on_cheap[at] / pairs.on_cheap[q]
            if shift == 0.0:
                continue
            k, other = short[merge[m]], dear[m]
            least_cheap, least_dear = flow[k], flow[other]
            i, j = tail[k], tail[other]
            while i != j:
                if i > j:
                    k = last_place(first, short, i)
                    least_cheap = min(least_cheap, flow[k])
                    i = tail[k]
                else:
                    k = last_place(first, main, j)
                    least_dear = min(least_dear, flow[k])
                    j = tail[k]
            # Another merge may have taken from the same arcs.
            shift = max(min(shift, least_dear), -least_cheap)
            meet = i
            k = short[merge[m]]
            while True:
                flow[k] = max(flow[k] + shift, 0.0)
                change[arc[k]] += shift
                if tail[k] == meet:
                    break
                k = last_place(first, short, tail[k])
            k = dear[m]
            while True:
                flow[k] = max(flow[k] - shift, 0.0)
                change[arc[k]] -= shift
                if tail[k] == meet:
                    break
                k = last_place(first, main, tail[k])


@parallel_kernel
def carry_out(
    rows: Any, labels: Any, merges: Any, pairs: Any, length: float, part_change: Any
) -> None:
    """Shift flow on all bushes as planned, in parallel over fixed blocks.

    Parameters
    ----------
    rows : Rows
        Its flow is written.
    labels : Labels
    merges : Merges
    pairs : Pairs
    length : float
        Share of the plan.
    part_change : float64 array [N_PARTS, arc], pce/h, written
    """
    n_bushes = len(rows.size)
    for part in numba.prange(N_PARTS):
        begin, end = part * n_bushes // N_PARTS, (part + 1) * n_bushes // N_PARTS
        _carry_out_part(rows, begin, end, labels, merges, pairs, length, part_change[part])


@kernel
def take_change(part_change: Any, vdf: Any, state: Any) -> None:
    """Change the flow on links, and their costs and slopes with it.

    Parameters
    ----------
    part_change : float64 array [N_PARTS, arc], pce/h
    vdf : Vdf
    state : LinkState, written
    """
    kind, factor, alpha, beta, free, capacity, background, fixed, physical, _, _ = vdf
    flow, cost, rise = state
    n_arcs = part_change.shape[1]
    apart = len(physical) > 0
    for arc in range(n_arcs):
        total = 0.0
        for part in range(N_PARTS):
            total += part_change[part, arc]
        part_change[0, arc] = total
        p = physical[arc] if apart else arc
        flow[p] += total
    if apart:
        refresh(vdf, state)
        return
    for p in range(n_arcs):
        if part_change[0, p] == 0.0:
            continue
        flow[p] = max(flow[p], 0.0)
        delay, slope = delay_and_slope(
            kind[p], factor[p], alpha[p], beta[p], free[p], capacity[p], background[p], flow[p]
        )
        cost[p] = fixed[p] + delay
        rise[p] = slope
