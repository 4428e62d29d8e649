"""What bushes say of used ways: means over them, and the flow that passes chosen links.

Flow that meets at a node of a bush goes on mixed: whatever way it came by, and whatever zone it is
bound for, it divides alike. That is proportionality within an origin (H. Bar-Gera, 2010, Traffic
assignment by paired alternative segments, *Transportation Research B* 44(8-9), section 2).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.kernels._jit import kernel


@kernel
def means(rows: Any, value: Any, out: Any) -> None:
    """Find the mean of a sum over the links of used ways.

    Parameters
    ----------
    rows : Rows
    value : float64 array [arc]
    out : float64 array [bush, zone], written where a destination is asked for
    """
    mean = np.empty(rows.first.shape[1])
    for bush in range(len(rows.size)):
        mean[0] = 0.0
        for p in range(1, rows.size[bush]):
            total, spent = 0.0, 0.0
            for k in range(rows.first[bush, p], rows.first[bush, p + 1]):
                here = mean[rows.tail[bush, k]] + value[rows.arc[bush, k]]
                total += rows.flow[bush, k]
                spent += rows.flow[bush, k] * here
                mean[p] = here
            if total > 0.0:
                mean[p] = spent / total
        for zone in range(rows.at.shape[1]):
            if rows.at[bush, zone] >= 0:
                out[bush, zone] = mean[rows.at[bush, zone]]


@kernel
def select(rows: Any, chosen: Any, demand: Any, trips: Any, flow: Any) -> None:
    """Find the trips whose way takes a chosen link, and their flow on all links.

    Parameters
    ----------
    rows : Rows
    chosen : bool array [arc]
    demand : float64 array [bush, zone], pce/h
    trips : float64 array [bush, zone], written
    flow : float64 array [arc], written
    """
    n = rows.first.shape[1]
    before, after, through = np.empty(n), np.empty(n), np.empty(n)
    trips[:] = 0.0
    flow[:] = 0.0
    for bush in range(len(rows.size)):
        size = rows.size[bush]
        before[0] = 0.0
        for p in range(1, size):
            total, hit = 0.0, 0.0
            for k in range(rows.first[bush, p], rows.first[bush, p + 1]):
                here = rows.flow[bush, k]
                total += here
                hit += here if chosen[rows.arc[bush, k]] else here * before[rows.tail[bush, k]]
            before[p] = hit / total if total > 0.0 else 0.0
            through[p] = total
            after[p] = 0.0
        after[0] = 0.0
        through[0] = 0.0
        for k in range(rows.first[bush, size] if size > 0 else 0):
            if rows.tail[bush, k] == 0:
                through[0] += rows.flow[bush, k]
        for p in range(size - 1, 0, -1):
            for k in range(rows.first[bush, p], rows.first[bush, p + 1]):
                here, tail = rows.flow[bush, k], rows.tail[bush, k]
                if here <= 0.0:
                    continue
                onward = 1.0 if chosen[rows.arc[bush, k]] else after[p]
                flow[rows.arc[bush, k]] += here * (onward + (1.0 - onward) * before[tail])
                after[tail] += here / through[tail] * onward
        for zone in range(demand.shape[1]):
            if rows.at[bush, zone] >= 0:
                trips[bush, zone] = demand[bush, zone] * before[rows.at[bush, zone]]


@kernel
def bound_for(rows: Any, wanted: Any, flow: Any) -> None:
    """Find the flow of some of the trips.

    Parameters
    ----------
    rows : Rows
    wanted : float64 array [bush, zone], pce/h
        Part of the demand.
    flow : float64 array [arc], written
    """
    flow[:] = 0.0
    through = np.empty(rows.first.shape[1])
    for bush in range(len(rows.size)):
        size = rows.size[bush]
        through[:size] = 0.0
        for zone in range(wanted.shape[1]):
            if rows.at[bush, zone] >= 0:
                through[rows.at[bush, zone]] += wanted[bush, zone]
        for p in range(size - 1, 0, -1):
            if through[p] <= 0.0:
                continue
            total = 0.0
            for k in range(rows.first[bush, p], rows.first[bush, p + 1]):
                total += rows.flow[bush, k]
            for k in range(rows.first[bush, p], rows.first[bush, p + 1]):
                if total > 0.0:
                    here = through[p] * rows.flow[bush, k] / total
                    flow[rows.arc[bush, k]] += here
                    through[rows.tail[bush, k]] += here
