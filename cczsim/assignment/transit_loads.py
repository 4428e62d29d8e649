"""Loads that vehicles have when everybody has moved by the waits and rides that they make.

Passengers who move by the loads of before all move at once, and too far; those who move by the
loads that will be there afterwards do not. Such loads are a root of *load = load that passengers
make at it*, found by Newton's method, its steps by GMRES where it is near: D. A. Knoll and D. E.
Keyes (2004), Jacobian-free Newton-Krylov methods, *Journal of Computational Physics* 193(2).

Near capacity a wait grows without bound while the load hardly does. So the unknown of an entry is

    x = load + (its wait - that of empty vehicles) / 1000 s,

in which neither is steep.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from cczsim.assignment.transit_conditions import Vehicles
from cczsim.columns import Array

WAIT_UNIT: Final = 1000.0
"""Seconds of wait that count as much as a full load."""
MOST_STEPS: Final = 25
_NEAR: Final = 0.3
_KRYLOV: Final = 15
_PROBE: Final = 1e-6
_HALVINGS: Final = 60


class Response(NamedTuple):
    """What passengers do at some unknowns.

    Parameters
    ----------
    miss : array [entry]
        Load that is expected less the load that they make.
    steep : array [entry]
        Its derivative by the entry's own unknown, about.
    off : float
        Cost of the disagreement over that of everybody's trip.
    """

    miss: Array
    steep: Array
    off: float


def loads_of(x: Array, vehicles: Vehicles, empty_wait: Array) -> tuple[Array, Array]:
    """Return the loads of unknowns and their derivative, ``[entry]``.

    Parameters
    ----------
    x : array [entry]
    vehicles : Vehicles
    empty_wait : array [entry], s
        Weighted wait for a line with room.
    """
    if vehicles.power is None:
        return x, np.ones(len(x))
    power, wait = vehicles.power, empty_wait / WAIT_UNIT
    # With u the logarithm of the wait over that of empty vehicles, x rises in u.
    low, high = np.zeros(len(x)), np.log1p(x / wait)
    for _ in range(_HALVINGS):
        mid = 0.5 * (low + high)
        below = (-np.expm1(-mid)) ** (1.0 / power) + wait * np.expm1(mid) < x
        low, high = np.where(below, mid, low), np.where(below, high, mid)
    u = 0.5 * (low + high)
    load = (-np.expm1(-u)) ** (1.0 / power)
    risen = np.maximum(np.expm1(u), np.finfo(float).tiny)
    slope = 1.0 / (1.0 + power * wait * np.exp(u) * risen / np.maximum(load, 1e-300))
    return load, slope


def agree(
    respond: Callable[[Array, bool], Response], x: Array, reach: float, tolerance: float
) -> tuple[Array, Response, int]:
    """Find unknowns at which passengers make the loads that are expected, in one step at least.

    Parameters
    ----------
    respond : callable
        Of unknowns, and whether more than ``miss`` is wanted.
    x : array [entry]
        To begin with.
    reach : float
        Longest change of an unknown in the first step. An entry's reach shrinks where it has gone
        too far, and grows where it has not.
    tolerance : float
        Of ``off``.

    Returns
    -------
    x, Response, int
        Steps taken; ``MOST_STEPS`` where they were not enough. What ``respond`` did last was at
        ``x``.
    """
    found = respond(x, True)
    bound = np.full(len(x), reach)
    for step in range(MOST_STEPS):
        if found.off == 0.0 or (found.off <= tolerance and step > 0):
            return x, found, step
        move = -found.miss / found.steep
        if found.off < _NEAR:
            move = _newton(respond, x, found)
        y = np.maximum(x + np.clip(move, -bound, bound), 0.0)
        before, found = found.miss, respond(y, True)
        same_side = found.miss * before > 0.0
        passed = (found.miss * before < 0.0) & (np.abs(found.miss) > 0.3 * np.abs(before))
        bound = np.where(same_side, np.minimum(1.6 * bound, 1.0 + x), bound)
        bound = np.where(passed, 0.4 * np.minimum(np.abs(y - x), bound), bound)
        bound = np.maximum(bound, 1e-9)
        x = y
    return x, found, MOST_STEPS


def _newton(respond: Callable[[Array, bool], Response], x: Array, at: Response) -> Array:
    """Return the Newton step, found roughly."""

    def product(move: Array) -> Array:
        move = move.ravel()
        largest = float(np.abs(move).max())
        if largest == 0.0:
            return move
        length = _PROBE / largest
        there = respond(np.maximum(x + length * move, 0.0), False)
        return np.asarray((there.miss - at.miss) / length / at.steep)

    operator = LinearOperator((len(x), len(x)), matvec=product, dtype=float)
    step, _ = gmres(operator, -at.miss / at.steep, rtol=0.1, restart=_KRYLOV, maxiter=1)
    return np.asarray(step)
