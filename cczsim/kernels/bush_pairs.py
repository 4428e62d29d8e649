"""Pairs of ways that bushes share.

Source: H. Bar-Gera (2010), Traffic assignment by paired alternative segments, *Transportation
Research B* 44(8-9), sections 3 and 4: what many origins choose between are few pairs of segments,
and what is shifted on a pair comes from its origins in proportion to what each has on it.
Deviation: pairs are not kept, but are those at the merges of bushes by the labels of the moment.

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
    lead : int32 array [pair]
        The first member, rising.
    first_arc : int32 array [pair + 1]
        Offset of the first arc of the cheap way, those of the dear way follow ...
    split : int32 array [pair]
        ... from here on.
    link : int32 array [...]
        What an arc's delay hangs on: where its flow stands in a link state.
    slope : float64 array [...], s per pce/h
    gain : float64 array [pair], s
        What the dear way costs above the cheap one.
    stiff : float64 array [pair], s per pce/h
        What a shift takes from that.
    on_cheap, on_dear : float64 array [pair], pce/h
        What all members have on either way.
    shift : float64 array [pair], pce/h
        What is to change from the dear way to the cheap one.
    """

    lead: Array
    first_arc: Array
    split: Array
    link: Array
    slope: Array
    gain: Array
    stiff: Array
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
def pair_up(merges: Any, pairs: Any) -> int:
    """Gather the merges of each pair, pairs by their first merge; return how many there are."""
    n_merges = merges.first[-1]
    width = 16
    while width < 2 * n_merges:
        width *= 2
    seen = np.full(width, NONE, dtype=np.int32)
    sign, n_cheap, n_dear, pair = merges.sign, merges.n_cheap, merges.n_dear, merges.pair
    first_arc, split = pairs.first_arc, pairs.split
    first_arc[0] = 0
    n_pairs = 0
    for m in range(n_merges):
        slot = sign[m] & np.uint64(width - 1)
        # Should two pairs ever have one sign, only a step goes astray: bushes hold the flow.
        while seen[slot] != NONE and sign[seen[slot]] != sign[m]:
            slot = (slot + np.uint64(1)) & np.uint64(width - 1)
        if seen[slot] == NONE:
            seen[slot] = m
            pair[m] = n_pairs
            pairs.lead[n_pairs] = m
            split[n_pairs] = first_arc[n_pairs] + n_cheap[m]
            first_arc[n_pairs + 1] = split[n_pairs] + n_dear[m]
            pairs.on_cheap[n_pairs] = 0.0
            pairs.on_dear[n_pairs] = 0.0
            n_pairs += 1
        else:
            pair[m] = pair[seen[slot]]
        pairs.on_cheap[pair[m]] += merges.on_cheap[m]
        pairs.on_dear[pair[m]] += merges.on_dear[m]
    return n_pairs


@inner_kernel
def _lay_arc(
    arc: int, a: int, q: int, sense: float, physical: Any, cost: Any, rise: Any, link: Any,
    slope: Any, gain: Any, stiff: Any,
) -> None:  # fmt: skip
    link[a] = arc if len(physical) == 0 else physical[arc]
    slope[a] = rise[arc]
    gain[q] += sense * cost[arc]
    stiff[q] += rise[arc]


@sub_kernel
def _lay_out_mine(
    rows: Any, labels: Any, merges: Any, pairs: Any, begin: int, end: int, physical: Any,
    state: Any,
) -> None:  # fmt: skip
    link, slope, gain, stiff = pairs.link, pairs.slope, pairs.gain, pairs.stiff
    cost, rise = state.cost, state.slope
    bush = 0
    for q in range(begin, end):
        lead = pairs.lead[q]
        while merges.first[bush + 1] <= lead:
            bush += 1
        first, arc, tail = rows.first[bush], rows.arc[bush], rows.tail[bush]
        short, main = labels.short[bush], labels.main[bush]
        m = lead - merges.first[bush]
        a, b = pairs.first_arc[q], pairs.split[q]
        k, other = short[labels.merge[bush, m]], labels.dear[bush, m]
        gain[q] = 0.0
        stiff[q] = 0.0
        _lay_arc(arc[k], a, q, -1.0, physical, cost, rise, link, slope, gain, stiff)
        _lay_arc(arc[other], b, q, 1.0, physical, cost, rise, link, slope, gain, stiff)
        i, j = tail[k], tail[other]
        while i != j:
            if i > j:
                a += 1
                k = last_place(first, short, i)
                _lay_arc(arc[k], a, q, -1.0, physical, cost, rise, link, slope, gain, stiff)
                i = tail[k]
            else:
                b += 1
                k = last_place(first, main, j)
                _lay_arc(arc[k], b, q, 1.0, physical, cost, rise, link, slope, gain, stiff)
                j = tail[k]


@parallel_kernel
def lay_out(
    rows: Any, n_workers: int, labels: Any, merges: Any, pairs: Any, n_pairs: int, physical: Any,
    state: Any,
) -> None:  # fmt: skip
    """Write down the ways of all pairs and what shifts on them change, in parallel.

    Parameters
    ----------
    rows : Rows
    n_workers : int
        Threads; changes no bit.
    labels : Labels
    merges : Merges
    pairs : Pairs, written
    n_pairs : int
    physical : int32 array [arc]
        See :class:`~cczsim.kernels.vdf.Vdf`.
    state : LinkState
    """
    for worker in numba.prange(n_workers):
        begin, end = worker * n_pairs // n_workers, (worker + 1) * n_pairs // n_workers
        _lay_out_mine(rows, labels, merges, pairs, begin, end, physical, state)
