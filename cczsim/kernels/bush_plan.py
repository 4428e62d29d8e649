"""Shifts on all pairs of ways planned together, at costs that rise by their slopes.

Sources: C. Cryer (1971), The solution of a quadratic programming problem using systematic
overrelaxation, *SIAM Journal on Control* 9(3); what few sweeps do not solve is carried on by
conjugate gradients, which a symmetric sweep preconditions (O. Axelsson, 1972, A generalized SSOR
method, *BIT* 12(4)). Deviation: where these pass a bound they stop there, and no direction is begun
anew but that of the sweep. For pairs and members see :mod:`cczsim.kernels.bush_pairs`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cczsim.kernels._jit import kernel, sub_kernel
from cczsim.kernels.types import Array

_LITTLE = 1e-2
"""A plan is good once a sweep gains no more than this share of what the first gained."""
_PLAIN_SWEEPS, _SWEEPS = 6, 200
"""At most, of those alone and of those that are carried on from."""
_REACH = 1.5
"""Overrelaxation of the sweeps alone."""


class Reach(NamedTuple):
    """Room in which a plan is carried on along its last steps.

    Parameters
    ----------
    before, step, last : float64 array [pair], pce/h
        Shifts before a sweep, what it changed, and what the steps before it changed.
    link_before, link_step, link_last : float64 array [link], pce/h
        The same on links.
    rise : float64 array [link], s per pce/h
    """

    before: Array
    step: Array
    last: Array
    link_before: Array
    link_step: Array
    link_last: Array
    rise: Array


@sub_kernel
def _sweep(pairs: Any, begin: int, end: int, by: int, reach: float, change: Any) -> float:
    """Shift on pair after pair what takes its gain away; return what that gained, pce s/h."""
    _, first_arc, split, link, slope, gain, stiff, on_cheap, on_dear, shift = pairs
    moved = 0.0
    for q in range(begin, end, by):
        start, middle, stop = first_arc[q], split[q], first_arc[q + 1]
        left = gain[q]
        for a in range(start, middle):
            left -= slope[a] * change[link[a]]
        for a in range(middle, stop):
            left += slope[a] * change[link[a]]
        if left == 0.0:
            continue
        if stiff[q] > 0.0:
            to = shift[q] + reach * left / stiff[q]
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
    return moved


@sub_kernel
def _carry_on(pairs: Any, n_pairs: int, change: Any, reach: Any) -> None:
    """Go on from a sweep to the best along what it changed and what was changed before it.

    Shifts that pass a bound stop there. Where that costs what was gained, the sweep is kept.
    """
    _, first_arc, split, link, _, gain, _, on_cheap, on_dear, shift = pairs
    before, step, last, link_before, link_step, link_last, rise = reach
    along = bent = along_last = bent_last = crossed = 0.0
    for q in range(n_pairs):
        step[q] = shift[q] - before[q]
        along += gain[q] * step[q]
        along_last += gain[q] * last[q]
    for p in range(len(change)):
        link_step[p] = change[p] - link_before[p]
        along -= rise[p] * link_before[p] * link_step[p]
        along_last -= rise[p] * link_before[p] * link_last[p]
        bent += rise[p] * link_step[p] * link_step[p]
        bent_last += rise[p] * link_last[p] * link_last[p]
        crossed += rise[p] * link_step[p] * link_last[p]
    apart = bent * bent_last - crossed * crossed
    if apart > 1e-12 * bent * bent_last:
        much = (along * bent_last - along_last * crossed) / apart
        more = (along_last * bent - along * crossed) / apart
    elif bent > 0.0:
        much, more = along / bent, 0.0
    else:
        much, more = 1.0, 0.0
    for p in range(len(change)):
        change[p] = link_before[p] + much * link_step[p] + more * link_last[p]
    gained = 0.0
    for q in range(n_pairs):
        to = before[q] + much * step[q] + more * last[q]
        shift[q] = min(max(to, -on_cheap[q]), on_dear[q])
        gained += gain[q] * (shift[q] - before[q])
        back = shift[q] - to
        if back != 0.0:
            for a in range(first_arc[q], split[q]):
                change[link[a]] += back
            for a in range(split[q], first_arc[q + 1]):
                change[link[a]] -= back
    for p in range(len(change)):
        moved = change[p] - link_before[p]
        gained -= rise[p] * moved * (link_before[p] + 0.5 * moved)
    kept = gained > along - 0.5 * bent
    for q in range(n_pairs):
        if not kept:
            shift[q] = before[q] + step[q]
        last[q] = shift[q] - before[q]
        before[q] = shift[q]
    for p in range(len(change)):
        if not kept:
            change[p] = link_before[p] + link_step[p]
        link_last[p] = change[p] - link_before[p]
        link_before[p] = change[p]


@kernel
def plan(pairs: Any, n_pairs: int, change: Any) -> float:
    """Plan the shifts on all pairs together, at costs that rise by their slopes.

    Parameters
    ----------
    pairs : Pairs
        Its shifts are written.
    n_pairs : int
    change : float64 array [link], pce/h, written
        What the shifts change on links.

    Returns
    -------
    float
        What the shifts gain at present costs, pce s/h; 0 where nothing is left to gain.
    """
    gain, shift = pairs.gain, pairs.shift
    change[:] = 0.0
    shift[:n_pairs] = 0.0
    begun = 0.0
    for sweep in range(_PLAIN_SWEEPS):
        moved = _sweep(pairs, 0, n_pairs, 1, _REACH, change)
        if sweep == 0:
            begun = moved
        if moved <= _LITTLE * begun:
            break
    if moved > _LITTLE * begun:
        reach = Reach(
            shift[:n_pairs].copy(), np.empty(n_pairs), np.zeros(n_pairs), change.copy(),
            np.empty(len(change)), np.zeros(len(change)), np.zeros(len(change)),
        )  # fmt: skip
        for a in range(pairs.first_arc[n_pairs]):
            reach.rise[pairs.link[a]] = pairs.slope[a]
        for _ in range(_SWEEPS):
            moved = _sweep(pairs, 0, n_pairs, 1, 1.0, change)
            _sweep(pairs, n_pairs - 1, -1, -1, 1.0, change)
            if moved <= _LITTLE * begun:
                break
            _carry_on(pairs, n_pairs, change, reach)
    gained = 0.0
    for q in range(n_pairs):
        gained += gain[q] * shift[q]
    return gained
