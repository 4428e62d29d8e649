"""Sums over pairs of zones."""

from __future__ import annotations

from typing import Any

from cczsim.kernels._jit import kernel


@kernel
def sum_spent(trips: Any, cost: Any, spent: Any) -> None:
    """Sum what trips cost by origin; cells without trips may cost anything.

    Parameters
    ----------
    trips, cost : float64 array [origin, zone]
    spent : float64 array [origin], written
    """
    for origin in range(len(trips)):
        total = 0.0
        for zone in range(trips.shape[1]):
            if trips[origin, zone] > 0.0:
                total += trips[origin, zone] * cost[origin, zone]
        spent[origin] = total
