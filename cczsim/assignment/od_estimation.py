"""Trips from link counts: the prior matrix that is changed least so that its flows fit.

Generalised least squares (E. Cascetta, 1984, *Transportation Research B* 18(4-5)): with flows v of
trips T at user equilibrium, counts c and prior trips P, the least of

    sum over counted links (v - c)² / variance  +  prior_weight × sum over pairs (T - P)² / P

Variances of counts are c unless given (as of Poisson's law), those of the prior P / prior_weight.
Flows hang on trips by the equilibrium: proportions of used ways are those of its bushes, the
problem of fixed proportions, a quadratic program with trips of at least 0, is solved by conjugate
gradients, and steps towards its solution are shortened until the objective at the new equilibrium
falls (H. Yang, 1995, *Transportation Research B* 29(4); with weight 0 the gradient is that of
H. Spiess, 1990, publication 693 of the CRT, Montréal). What is found is a local optimum: the
problem is not convex, and many matrices give the same flows; the prior decides between them. Pairs
of no trips in the prior keep none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.bush_analysis import load_used, skim_used
from cczsim.assignment.bush_solution import BushSolution
from cczsim.assignment.result import RoadAssignment, Status
from cczsim.assignment.road_demand import check_demand
from cczsim.columns import Array
from cczsim.errors import AssignmentError, FaultCollector
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem

_INNER = 200
_SOLVED = 1e-7
_SHORTEST = 2.0**-6
_FITS = 1e-6


@dataclass(frozen=True)
class EstimationParams:
    """How far trips may leave the prior, and when to stop.

    Parameters
    ----------
    prior_weight : float
        0 leaves the prior as a start only.
    tolerance : float
        Share by which an iteration must still lower the objective.
    max_iterations : int
    relative_gap : float
        Of each equilibrium.

    Raises
    ------
    AssignmentError
        A number out of range.
    """

    prior_weight: float = 0.1
    tolerance: float = 1e-3
    max_iterations: int = 20
    relative_gap: float = 1e-6

    def __post_init__(self) -> None:
        faults = FaultCollector(AssignmentError)
        for name, low in (("prior_weight", 0.0), ("tolerance", 0.0), ("max_iterations", 1.0)):
            value = getattr(self, name)
            if not low <= value < math.inf:
                faults.add(name, f"{value}", f"at least {low:g}")
        faults.raise_if_any()


@dataclass(frozen=True)
class EstimationRecord:
    """One line of the record: the objective at an equilibrium and its two parts."""

    iteration: int
    objective: float
    counts: float
    prior: float
    step: float


@dataclass(frozen=True)
class Estimation:
    """Trips that fit counts.

    Parameters
    ----------
    trips : array [zone, zone], trips/h
    road : RoadAssignment
        Equilibrium of ``trips``.
    prior_flow : array [link], pce/h
        Equilibrium flow of the prior.
    status : Status
        Converged where no step lowers the objective by more than the tolerance any more, or next
        to nothing of it is left.
    history : tuple of EstimationRecord
        The first line is that of the prior.
    """

    trips: Array
    road: RoadAssignment
    prior_flow: Array
    status: Status
    history: tuple[EstimationRecord, ...]


def estimate_trips(
    road: RoadNetwork,
    zones: ZoneSystem,
    prior: Array,
    links: Array,
    counts: Array,
    *,
    variance: Array | None = None,
    params: EstimationParams | None = None,
    toll_factor: float = 0.0,
    distance_factor: float = 0.0,
    turns: Turns | None = None,
    on_iteration: Callable[[EstimationRecord], None] | None = None,
) -> Estimation:
    """Return the trips near a prior whose equilibrium flows fit counts.

    Parameters
    ----------
    road : RoadNetwork
    zones : ZoneSystem
    prior : array [zone, zone], pce/h
    links : int array [count]
        Rows of the counted links, each once.
    counts : array [count], pce/h
    variance : array [count], optional
        Of each count; the count itself, at least 1, where None.
    params : EstimationParams, optional
    toll_factor, distance_factor : float
        Seconds for a unit of toll, and for a metre.
    turns : Turns, optional
    on_iteration : callable, optional

    Raises
    ------
    AssignmentError
        Counts or prior that do not fit the network, negative or non-finite values, no counts.
    """
    params = params or EstimationParams()
    prior = check_demand(prior, zones.n_zones, "prior")
    counts, weight = _checked(road, links, counts, variance)
    problem = _Problem(prior, np.asarray(links), counts, weight, params.prior_weight)

    def solve(trips: Array, before: RoadAssignment | None) -> RoadAssignment:
        start = before.bushes.start() if before is not None and before.bushes is not None else None
        return assign_bushes(
            road, zones, trips, params=BushParams(params.relative_gap), start=start,
            toll_factor=toll_factor, distance_factor=distance_factor, turns=turns,
            keep_bushes=True,
        )  # fmt: skip

    factor = np.ones_like(prior)
    here = solve(prior, None)
    prior_flow = here.link_flow
    history = [problem.record(0, factor, here.link_flow, 0.0)]
    status = Status.ITERATION_LIMIT
    if on_iteration is not None:
        on_iteration(history[-1])
    while len(history) <= params.max_iterations:
        assert here.bushes is not None
        wanted = problem.at_fixed_ways(here.bushes, factor)
        step = 1.0
        while step >= _SHORTEST:
            tried = factor + step * (wanted - factor)
            there = solve(prior * tried, here)
            record = problem.record(len(history), tried, there.link_flow, step)
            if record.objective < history[-1].objective:
                break
            step *= 0.5
        else:
            status = Status.CONVERGED
            break
        gained = history[-1].objective - record.objective
        factor, here = tried, there
        history.append(record)
        if on_iteration is not None:
            on_iteration(record)
        fits = record.objective <= _FITS * history[0].objective
        if fits or gained <= params.tolerance * history[-2].objective:
            status = Status.CONVERGED
            break
    return Estimation(prior * factor, here, prior_flow, status, tuple(history))


class _Problem:
    """The objective, by the factors that trips of the prior are multiplied with."""

    def __init__(
        self, prior: Array, links: Array, counts: Array, weight: Array, prior_weight: float
    ) -> None:
        self._prior, self._links = prior, links
        self._counts, self._weight, self._prior_weight = counts, weight, prior_weight
        # Trips within zones load no link, and nothing is known of them.
        self._free = (prior > 0.0) & ~np.eye(len(prior), dtype=bool)

    def parts(self, factor: Array, flow: Array) -> tuple[float, float]:
        """Return the misfit of counts, and the distance from the prior with its weight."""
        off = flow[self._links] - self._counts
        moved = (factor - 1.0) ** 2 * self._prior
        return float((self._weight * off**2).sum()), self._prior_weight * float(moved.sum())

    def record(self, iteration: int, factor: Array, flow: Array, step: float) -> EstimationRecord:
        counts, prior = self.parts(factor, flow)
        return EstimationRecord(iteration, counts + prior, counts, prior, step)

    def at_fixed_ways(self, ways: BushSolution, start: Array) -> Array:
        """Return the best factors where trips keep dividing over used ways as they do.

        Conjugate gradients (Polak and Ribière, 1969) in the space of (T - P) / sqrt(P), where the
        distance from the prior is round, with exact steps; trips that would fall below 0 are held
        there, and the directions begin anew.
        """
        free = self._free
        root = np.sqrt(self._prior[free])
        low = -root
        matrix = self._prior.copy()
        value = np.zeros(ways.graph.n_links)

        def load(trips: Array) -> Array:
            matrix[free] = trips
            return load_used(ways, matrix)[self._links]

        def measure(y: Array) -> tuple[float, Array]:
            off = load(self._prior[free] + root * y) - self._counts
            worth = float((self._weight * off**2).sum() + self._prior_weight * _dot(y, y))
            return worth, off

        def slope_at(y: Array, off: Array) -> Array:
            value[self._links] = self._weight * off
            back = np.nan_to_num(skim_used(ways, value)[0])[free]
            return np.asarray(2.0 * (root * back + self._prior_weight * y))

        matrix[~free] = 0.0
        y = (start[free] - 1.0) * root
        worth, off = measure(y)
        direction = last = None
        for _ in range(_INNER):
            slope = slope_at(y, off)
            down = np.where((y > low) | (slope < 0.0), -slope, 0.0)
            if direction is not None and last is not None:
                turn = max(0.0, _dot(down, down - last) / _dot(last, last))
                direction = np.where(down != 0.0, down + turn * direction, 0.0)
            if direction is None or _dot(direction, down) <= 0.0:
                direction = down
            ahead = load(np.maximum(root * direction, 0.0)) - load(
                np.maximum(-root * direction, 0.0)
            )
            bend = _dot(self._weight, ahead**2)
            bend += self._prior_weight * _dot(direction, direction)
            if not bend > 0.0:
                break
            step = 0.5 * _dot(direction, down) / bend
            before, last = worth, down
            tried = y + step * direction
            if (tried >= low).all():
                y, off = tried, off + step * ahead
                worth -= step**2 * bend
            else:
                clipped, (worth, off) = np.maximum(tried, low), measure(np.maximum(tried, low))
                while worth > before and step > 0.0:
                    step *= 0.5
                    clipped = np.maximum(y + step * direction, low)
                    worth, off = measure(clipped)
                y, direction = clipped, None
            if before - worth <= _SOLVED * before:
                break
        factor = start.copy()
        factor[free] = np.maximum(1.0 + y / root, 0.0)
        return factor


def _dot(a: Array, b: Array) -> float:
    """Return the sum of products, in an order that no library of linear algebra changes."""
    return float((a * b).sum())


def _checked(
    road: RoadNetwork, links: Array, counts: Array, variance: Array | None
) -> tuple[Array, Array]:
    """Return counts and the inverse of their variances."""
    faults = FaultCollector(AssignmentError)
    counts = np.asarray(counts, dtype=float)
    spread = np.maximum(counts, 1.0) if variance is None else np.asarray(variance, dtype=float)
    if not len(counts):
        faults.add("counts", "none", "at least one counted link")
    if len(np.unique(links)) != len(counts) or len(spread) != len(counts):
        faults.add("counts", "links that stand twice or lists of unlike length", "one for a link")
    elif len(counts) and not (np.min(links) >= 0 and np.max(links) < road.n_links):
        faults.add("counts", "rows beyond the links", "rows of the network")
    if not np.isfinite(counts).all() or (counts < 0.0).any():
        faults.add("counts", "negative or non-finite counts", "finite counts from 0 up")
    if not np.isfinite(spread).all() or (spread <= 0.0).any():
        faults.add("variance", "variances not above 0", "finite variances above 0")
    faults.raise_if_any()
    return counts, 1.0 / spread
