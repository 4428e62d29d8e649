"""Demand before it meets the road: what is assigned, what stays inside zones, what has no path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.assignment.result import Unreachable
from cczsim.columns import Array
from cczsim.errors import AssignmentError, FaultCollector

_SHOWN = 5


def check_demand(demand: Array, n_zones: int, where: str = "demand") -> Array:
    """Return the demand as a float64 matrix.

    Raises
    ------
    AssignmentError
        Wrong shape, or cells that are negative or not finite.
    """
    matrix = np.ascontiguousarray(demand, dtype=np.float64)
    if matrix.shape != (n_zones, n_zones):
        raise AssignmentError.of(
            where, f"a matrix of shape {matrix.shape}", f"({n_zones}, {n_zones}), as the zones"
        )
    if np.isfinite(matrix.sum()) and matrix.min(initial=0.0) >= 0.0:
        return matrix
    faults = FaultCollector(AssignmentError)
    for bad, expected in (
        (~np.isfinite(matrix), "finite trips"),
        (np.less(matrix, 0.0, where=np.isfinite(matrix), out=np.zeros_like(matrix, bool)),
         "trips of at least 0"),
    ):  # fmt: skip
        cells = np.argwhere(bad)
        if len(cells):
            shown = ", ".join(f"({o + 1}, {d + 1}): {matrix[o, d]}" for o, d in cells[:_SHOWN])
            more = f" and {len(cells) - _SHOWN} more" if len(cells) > _SHOWN else ""
            faults.add(where, f"cells {shown}{more}", expected)
    faults.raise_if_any()
    return matrix


@dataclass(frozen=True)
class SplitDemand:
    """A demand divided by what can be done with it; the parts add up to the whole.

    Parameters
    ----------
    assigned : array [zone, zone], pce/h
        0 on the diagonal and where no path leads.
    """

    assigned: Array
    total: float
    intrazonal: float
    lost: float
    unreachable: Unreachable


def split_demand(demand: Array, od_cost: Array) -> SplitDemand:
    """Divide a demand by the least costs: no path leads where they are inf."""
    between = demand.copy()
    np.fill_diagonal(between, 0.0)
    no_path = (between > 0.0) & ~np.isfinite(od_cost)
    origins, destinations = np.nonzero(no_path)
    trips = between[no_path]
    between[no_path] = 0.0
    return SplitDemand(
        assigned=between,
        total=float(demand.sum()),
        intrazonal=float(np.trace(demand)),
        lost=float(trips.sum()),
        unreachable=Unreachable(origin=origins, destination=destinations, trips=trips),
    )
