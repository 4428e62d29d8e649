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
