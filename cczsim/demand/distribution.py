"""Where trips go: gravity, constrained by productions and attractions or productions alone.

Source: A. G. Wilson (1967), A statistical theory of spatial distribution models, *Transportation
Research* 1; balanced by K. P. Furness (1965), Time function iteration, *Traffic Engineering and
Control* 7. Where zones form groups that hardly trade, Furness needs thousands of iterations; after
:data:`FURNESS` of them Newton steps on the logarithms of the column factors take over (the dual of
the entropy program is convex; A. W. Evans, 1970, *Transportation Research* 4, on its uniqueness).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array
from cczsim.errors import DemandError

FURNESS = 40
_RIDGE = 1e-9
_LONGEST_STEP = 3.0
_SOLVED = 1e-12
_MOST_STEPS = 4


@dataclass(frozen=True)
class Distribution:
    """A balanced trip matrix.

    Parameters
    ----------
    trips : array [zone, zone], trips/h
    iterations : int
    residual : float
        Largest miss of a row or column total, as a share of all trips.
    converged : bool
    stranded : array [zone], trips/h
        Production of zones from which no attraction can be reached; not in ``trips``.
    """

    trips: Array
    iterations: int
    residual: float
    converged: bool
    stranded: Array


def deterrence(cost: Array, decay: float, power: float) -> Array:
    """Return ``cost^-power exp(-cost / decay)`` (Tanner's function); 0 where cost is inf.

    ``cost`` and ``decay`` are in the same unit; costs below a thirtieth of the decay count as that.
    """
    reach = np.isfinite(cost)
    safe = np.maximum(np.where(reach, cost, decay), decay / 30.0)
    return np.where(reach, safe**-power * np.exp(-safe / decay), 0.0)


def by_origins(production: Array, attraction: Array, pull: Array) -> Distribution:
    """Return trips that meet productions alone: each goes where pull x attraction is.

    Parameters and faults as for :func:`gravity`; ``residual`` is that of the rows.
    """
    _check(production, attraction, pull)
    drawn = pull * attraction
    total = drawn.sum(axis=1)
    stranded = np.where(total > 0.0, 0.0, production)
    rows = np.where(total > 0.0, production, 0.0)
    if not rows.sum() > 0.0:
        raise DemandError.of("demand", "no trips that can go anywhere", "reachable zones")
    share = np.divide(rows, total, out=np.zeros_like(total), where=total > 0.0)
    trips = share[:, None] * drawn
    residual = float(np.abs(trips.sum(axis=1) - rows).max()) / float(rows.sum())
    return Distribution(trips, 1, residual, True, stranded)


def _check(production: Array, attraction: Array, pull: Array) -> None:
    for name, values in (("production", production), ("attraction", attraction), ("pull", pull)):
        if not np.isfinite(values).all() or (np.asarray(values) < 0.0).any():
            raise DemandError.of(name, "negative or non-finite values", "finite values from 0 up")


def gravity(
    production: Array,
    attraction: Array,
    pull: Array,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 2000,
) -> Distribution:
    """Return trips proportional to ``pull`` with the given row and column totals.

    Attractions are scaled to the productions that can reach anything.

    Parameters
    ----------
    production, attraction : array [zone], trips/h
    pull : array [zone, zone]
        At least 0; 0 where no trip can go.
    tolerance : float
        Residual at which balancing stops.

    Raises
    ------
    DemandError
        Negative or non-finite input, or nothing that could be attracted. Not converging is a
        status of the result.
    """
    _check(production, attraction, pull)
    reaches = (pull * attraction).sum(axis=1) > 0.0
    stranded = np.where(reaches, 0.0, production)
    rows = np.where(reaches, production, 0.0)
    reached = (pull * rows[:, None]).sum(axis=0) > 0.0
    columns = np.where(reached, attraction, 0.0)
    total = float(rows.sum())
    if not total > 0.0 or not columns.sum() > 0.0:
        raise DemandError.of("demand", "no trips that can go anywhere", "reachable zones")
    columns = columns * (total / columns.sum())
    b = np.ones(len(columns))
    residual, iterations = np.inf, 0
    while residual > tolerance and iterations < max_iterations:
        iterations += 1
        out = (pull * b).sum(axis=1)
        a = np.divide(rows, out, out=np.zeros_like(rows), where=out > 0.0)
        into = (pull * a[:, None]).sum(axis=0)
        residual = float(np.abs(into * b - columns).max()) / total
        if iterations > FURNESS and residual > tolerance:
            b = b * np.exp(_newton_step(a[:, None] * pull * b, rows, columns))
        else:
            b = np.divide(columns, into, out=np.zeros_like(columns), where=into > 0.0)
    trips = a[:, None] * pull * b
    misses = (trips.sum(axis=1) - rows, trips.sum(axis=0) - columns)
    residual = max(float(np.abs(miss).max()) for miss in misses) / total
    return Distribution(trips, iterations, residual, residual <= max(tolerance, 1e-15), stranded)


def _newton_step(trips: Array, rows: Array, columns: Array) -> Array:
    """Return the change of the logarithms of the column factors, ``[zone]``.

    ``trips`` meet their rows; the ridge holds what groups without trips between them leave open.
    The matrix of the step is a Laplacian, so that conjugate gradients find it, scaled to a unit
    diagonal (M. Hestenes and E. Stiefel, 1952). A dense solver would be BLAS, whose sums hang on
    the number of its threads.
    """
    into = trips.sum(axis=0)
    share = np.divide(trips, rows[:, None], out=np.zeros_like(trips), where=rows[:, None] > 0.0)
    full = into * (1.0 + _RIDGE) + np.where(into > 0.0, 1e-300, 1.0)
    unit = 1.0 / np.sqrt(np.maximum(full - (trips * share).sum(axis=0), _RIDGE * full))
    left = unit * (columns - into)
    step, towards = np.zeros_like(left), left.copy()
    now = float((left * left).sum())
    enough = _SOLVED**2 * now
    for _ in range(_MOST_STEPS * len(left)):
        if now <= enough:
            break
        scaled = unit * towards
        across = np.einsum("ij,j->i", share, scaled)
        bent = unit * (full * scaled - np.einsum("ij,i->j", trips, across))
        along = float((towards * bent).sum())
        if along <= 0.0:  # rounding is all that is left
            break
        step += now / along * towards
        left -= now / along * bent
        before, now = now, float((left * left).sum())
        towards = left + now / before * towards
    step *= unit
    return np.asarray(step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-300)))
