"""Flow shifted on all bushes together: one quadratic programme over the pairs of ways they share.

Sources: H. Bar-Gera (2010), Traffic assignment by paired alternative segments, *Transportation
Research B* 44(8-9), sections 3 and 4: what many origins choose between are few pairs of segments,
and what is shifted on a pair comes from its origins in proportion to what each has on it. C.
Cryer (1971), The solution of a quadratic programming problem using systematic overrelaxation,
*SIAM Journal on Control* 9(3), for the programme. Deviation: pairs are not kept, but are those at
the merges of bushes by the labels of the moment; shifts on all pairs are planned together at
costs that rise by their slopes, and cut back along the line by the costs themselves.

A merge at which labels found two ways is a *member* of the pair of its ways.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from cczsim.kernels._jit import inner_kernel, kernel, parallel_kernel, sub_kernel
from cczsim.kernels.bush_label import last_place
from cczsim.kernels.hierarchy import NONE
from cczsim.kernels.types import Array
from cczsim.kernels.vdf import delay_and_slope

N_PARTS = 8
"""Bushes are shifted in this many fixed blocks, so that threads never change a bit."""
_LITTLE = 1e-3
"""A plan is good once what it leaves is this share of what there was to gain."""
_SWEEPS = 200
_REACH = 1.5


class Merges(NamedTuple):
    """The merges at which labels found two ways.

    Parameters
    ----------
    first : int32 array [bush + 1]
        Offset of a bush's first merge.
    sign : uint64 array [merge]
        Tells one pair of ways from another.
    n_cheap, n_dear : int32 array [merge]
        Arcs of either way.
    on_cheap, on_dear : float64 array [merge], pce/h
        What the bush has on all of either way.
    pair : int32 array [merge]
    """

    first: Array
    sign: Array
    n_cheap: Array
    n_dear: Array
    on_cheap: Array
    on_dear: Array
    pair: Array


class Pairs(NamedTuple):
    """Pairs of ways.

    Parameters
    ----------
    first_arc : int32 array [pair + 1]
        Offset of the first arc of the cheap way, those of the dear way follow ...
    split : int32 array [pair]
        ... from here on.
    arc : int32 array [...]
    on_cheap, on_dear : float64 array [pair], pce/h
        What all members have on either way.
    shift : float64 array [pair], pce/h
        What is to change from the dear way to the cheap one.
    """

    first_arc: Array
    split: Array
    arc: Array
    on_cheap: Array
    on_dear: Array
    shift: Array


@inner_kernel
def _scatter(arc: int) -> Any:
    """Return 64 bits that look random (G. Steele, D. Lea and C. Flood, 2014, SplitMix64)."""
    z = np.uint64(arc + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@sub_kernel
def _sign_mine(rows: Any, worker: int, n_workers: int, labels: Any, merges: Any) -> None:
    for bush in range(worker, len(rows.size), n_workers):
        first, arc, tail, flow = rows.first[bush], rows.arc[bush], rows.tail[bush], rows.flow[bush]
        short, main = labels.short[bush], labels.main[bush]
        merge, dear = labels.merge[bush], labels.dear[bush]
        at = merges.first[bush]
        for m in range(labels.n_merges[bush]):
            k, other = short[merge[m]], dear[m]
            on_one, on_other = _scatter(arc[k]), _scatter(arc[other])
            on_cheap, on_dear = flow[k], flow[other]
            n_cheap = n_dear = 1
            i, j = tail[k], tail[other]
            while i != j:
                if i > j:
                    k = last_place(first, short, i)
                    on_one += _scatter(arc[k])
                    on_cheap = min(on_cheap, flow[k])
                    n_cheap += 1
                    i = tail[k]
                else:
                    k = last_place(first, main, j)
                    on_other += _scatter(arc[k])
                    on_dear = min(on_dear, flow[k])
                    n_dear += 1
                    j = tail[k]
            merges.sign[at + m] = on_one * np.uint64(3) + on_other
            merges.n_cheap[at + m] = n_cheap
            merges.n_dear[at + m] = n_dear
            merges.on_cheap[at + m] = on_cheap
            merges.on_dear[at + m] = on_dear


@parallel_kernel
def sign_merges(rows: Any, n_workers: int, labels: Any, merges: Any) -> None:
    """Measure and sign the two ways of every merge, in parallel."""
    for worker in numba.prange(n_workers):
        _sign_mine(rows, worker, n_workers, labels, merges)


@kernel
def pair_up(rows: Any, labels: Any, merges: Any, pairs: Any) -> int:
    """Gather the merges of each pair, pairs by their first merge; return how many there are."""
    n_merges = merges.first[-1]
    width = 16
    while width < 2 * n_merges:
        width *= 2
    seen = np.full(width, NONE, dtype=np.int32)
    sign, n_cheap, n_dear, pair = merges.sign, merges.n_cheap, merges.n_dear, merges.pair
    pairs.first_arc[0] = 0
    n_pairs = 0
    for bush in range(len(rows.size)):
        for m in range(merges.first[bush], merges.first[bush + 1]):
            slot = sign[m] & np.uint64(width - 1)
            while True:
                other = seen[slot]
                if other == NONE:
                    seen[slot] = m
                    pair[m] = n_pairs
                    pairs.split[n_pairs] = pairs.first_arc[n_pairs] + n_cheap[m]
                    pairs.first_arc[n_pairs + 1] = pairs.split[n_pairs] + n_dear[m]
                    pairs.on_cheap[n_pairs] = 0.0
                    pairs.on_dear[n_pairs] = 0.0
                    _write_arcs(rows, bush, labels, m - merges.first[bush], n_pairs, pairs)
                    n_pairs += 1
                    break
                # Should two pairs ever have one sign, only a step goes astray: flow is what the
                # bushes hold.
                if sign[other] == sign[m]:
                    pair[m] = pair[other]
                    break
                slot = (slot + np.uint64(1)) & np.uint64(width - 1)
            pairs.on_cheap[pair[m]] += merges.on_cheap[m]
            pairs.on_dear[pair[m]] += merges.on_dear[m]
    return n_pairs


@sub_kernel
def _write_arcs(rows: Any, bush: int, labels: Any, m: int, q: int, pairs: Any) -> None:
    first, arc, tail = rows.first[bush], rows.arc[bush], rows.tail[bush]
    short, main = labels.short[bush], labels.main[bush]
    merge, dear = labels.merge[bush], labels.dear[bush]
    a, b = pairs.first_arc[q], pairs.split[q]
    k, other = short[merge[m]], dear[m]
    pairs.arc[a] = arc[k]
    pairs.arc[b] = arc[other]
    i, j = tail[k], tail[other]
    while i != j:
        if i > j:
            a += 1
            k = last_place(first, short, i)
            pairs.arc[a] = arc[k]
            i = tail[k]
        else:
            b += 1
            k = last_place(first, main, j)
            pairs.arc[b] = arc[k]
            j = tail[k]


@kernel
def plan(pairs: Any, n_pairs: int, vdf: Any, state: Any, change: Any) -> float:
    """Plan the shifts on all pairs together, at costs that rise by their slopes.

    Parameters
    ----------
    pairs : Pairs
        Its shifts are written.
    n_pairs : int
    vdf : Vdf
    state : LinkState
    change : float64 array [link], pce/h, written
        What the shifts change on links.

    Returns
    -------
    float
        What the shifts gain at present costs, pce s/h; 0 where nothing is left to gain.
    """
    first_arc, split, arcs, on_cheap, on_dear, shift = pairs
    cost, rise, physical = state.cost, state.slope, vdf.physical
    change[:] = 0.0
    gain = np.zeros(n_pairs)
    stiff = np.zeros(n_pairs)
    link = np.empty(first_arc[n_pairs], dtype=np.int32)
    slope = np.empty(first_arc[n_pairs])
    for q in range(n_pairs):
        shift[q] = 0.0
        for a in range(first_arc[q], first_arc[q + 1]):
            arc = arcs[a]
            link[a] = arc if len(physical) == 0 else physical[arc]
            slope[a] = rise[arc]
            gain[q] += cost[arc] if a >= split[q] else -cost[arc]
            stiff[q] += rise[arc]
    begun = 0.0
    for sweep in range(_SWEEPS):
        moved = 0.0
        for q in range(n_pairs):
            start, middle, stop = first_arc[q], split[q], first_arc[q + 1]
            left = gain[q]
            for a in range(start, middle):
                left -= slope[a] * change[link[a]]
            for a in range(middle, stop):
                left += slope[a] * change[link[a]]
            if left == 0.0:
                continue
            if stiff[q] > 0.0:
                to = shift[q] + _REACH * left / stiff[q]
            else:
                to = on_dear[q] if left > 0.0 else -on_cheap[q]
            to = min(max(to, -on_cheap[q]), on_dear[q])
            step = to - shift[q]
            if step == 0.0:
                continue
            shift[q] = to
            moved += step * left
            for a in range(start, middle):
                change[link[a]] += step
            for a in range(middle, stop):
                change[link[a]] -= step
        if sweep == 0:
            begun = moved
        if moved <= _LITTLE * begun:
            break
    gained = 0.0
    for q in range(n_pairs):
        gained += gain[q] * shift[q]
    return gained


@sub_kernel
def _derivative(vdf: Any, state: Any, change: Any, length: float) -> float:
    """Return how total delay rises along a change of link flows beyond its rise at the start."""
    kind, factor, alpha, beta, free, capacity, background, _, _, _, _ = vdf
    total = 0.0
    for p in range(len(change)):
        if change[p] != 0.0:
            then = max(state.flow[p] + length * change[p], 0.0)
            now, _ = delay_and_slope(
                kind, factor, alpha, beta, free, capacity, background, p, state.flow[p]
            )
            later, _ = delay_and_slope(
                kind, factor, alpha, beta, free, capacity, background, p, then
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
    n_arcs = part_change.shape[1]
    apart = len(physical) > 0
    for arc in range(n_arcs):
        total = 0.0
        for part in range(N_PARTS):
            total += part_change[part, arc]
        part_change[0, arc] = total
        p = physical[arc] if apart else arc
        state.flow[p] += total
    for arc in range(n_arcs):
        p = physical[arc] if apart else arc
        if not apart and part_change[0, arc] == 0.0:
            continue
        state.flow[p] = max(state.flow[p], 0.0)
        delay, slope = delay_and_slope(
            kind, factor, alpha, beta, free, capacity, background, p, state.flow[p]
        )
        state.cost[arc] = fixed[arc] + delay
        state.slope[arc] = slope
