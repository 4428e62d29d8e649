"""The one function that turns link flows into generalised cost."""

from __future__ import annotations

import numpy as np

from cczsim.assignment.delay import FUNCTIONS, Terms
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.kernels.vdf import AKCELIK, CONICAL, DAVIDSON, MARGINAL
from cczsim.network.road import RoadNetwork


class LinkCost:
    """Generalised link cost in seconds: free-flow time, delay, and fixed terms.

    The delay is ``free_flow_time alpha (flow / capacity) ** beta`` (Bureau of Public Roads,
    *Traffic Assignment Manual*, 1964) or one of :mod:`cczsim.assignment.delay`, at the flow that is
    assigned and the link's background flow together.

    Parameters
    ----------
    road : RoadNetwork
    toll_factor : float
        Seconds for a unit of toll.
    distance_factor : float
        Seconds for a metre.
    owner : int array [link], optional
        Link whose capacity each link shares: rows of one owner are delayed by their flow together.

    Raises
    ------
    AssignmentError
        Parameters that a delay function does not allow.
    """

    def __init__(
        self,
        road: RoadNetwork,
        toll_factor: float = 0.0,
        distance_factor: float = 0.0,
        owner: Array | None = None,
    ) -> None:
        self.road = road
        self.owner = owner
        self.fixed: Array = toll_factor * road.toll + distance_factor * road.length
        self._free = road.free_flow_time
        self._alpha = road.alpha
        self._beta = road.beta
        self._capacity = road.capacity
        self._background = road.background if road.background.any() else None
        # Where nothing delays, the power is of no account.
        self._quartic = bool(((road.beta == 4.0) | (road.alpha == 0.0)).all())
        self._others: list[tuple[int, Array, Terms]] = []
        for kind in FUNCTIONS:
            rows = np.flatnonzero(road.delay_function == kind)
            if len(rows):
                terms = Terms(
                    self._free[rows], self._capacity[rows], self._alpha[rows], self._beta[rows]
                )
                _check(kind, terms)
                self._others.append((kind, rows, terms))

    def _power(self, ratio: Array, less: float = 0.0) -> Array:
        if self._quartic and less == 0.0:
            square = ratio * ratio
            return np.asarray(square * square)
        if self._quartic and less == 1.0:
            return np.asarray(ratio * ratio * ratio)
        return np.asarray(np.power(ratio, self._beta - less))

    def shared(self, flow: Array) -> Array:
        """Return the flow that delays each link, ``[link], pce/h``, from what is assigned to it."""
        if self.owner is not None:
            flow = np.bincount(self.owner, flow, minlength=len(flow))[self.owner]
        return flow if self._background is None else flow + self._background

    def _of_others(self, which: int, ratio: Array, into: Array) -> Array:
        for kind, rows, terms in self._others:
            into[rows] = FUNCTIONS[kind][which](terms, ratio[rows])
        return into

    def time(self, flow: Array) -> Array:
        """Return the time of each link at a flow, ``[link], s``."""
        ratio = self.shared(flow) / self._capacity
        delay = np.asarray(self._free * (self._alpha * self._power(ratio)))
        return np.asarray(self._free + self._of_others(0, ratio, delay))

    def cost(self, flow: Array) -> Array:
        """Return the generalised cost of each link at a flow, ``[link], s``."""
        return self.time(flow) + self.fixed

    def objective(self, flow: Array) -> float:
        """Return Beckmann's objective: the sum of the integrals of cost over flow, pce s/h.

        Integrals of delay begin where the background flow ends.
        """
        shared = self.shared(flow)
        integral = self._integral(shared)
        if self._background is not None:
            integral -= self._integral(self._background)
        if self.owner is not None:
            integral = integral[np.unique(self.owner)]
        return float((flow * (self._free + self.fixed)).sum() + integral.sum())

    def _integral(self, flow: Array) -> Array:
        ratio = flow / self._capacity
        area = self._free * (self._alpha * self._power(ratio)) * flow / (self._beta + 1.0)
        return self._of_others(2, ratio, np.asarray(area))

    def derivative(self, flow: Array) -> Array:
        """Return the derivative of cost by flow, ``[link], s h/pce``.

        It is infinite at zero flow where 0 < beta < 1; such links get the derivative at a flow
        of a millionth of their capacity.
        """
        ratio = self.shared(flow) / self._capacity
        bpr = ratio
        if not self._quartic:
            bpr = np.where(self._beta < 1.0, np.maximum(ratio, 1e-6), ratio)
        slope = np.where(
            self._beta == 0.0,
            0.0,
            self._free * self._alpha * self._beta * self._power(bpr, 1.0) / self._capacity,
        )
        return self._of_others(1, ratio, slope)


def _check(kind: int, terms: Terms) -> None:
    low, high, what = {
        CONICAL: (terms.alpha > 1.0, True, "conical alpha above 1"),
        AKCELIK: (terms.beta > 0.0, True, "a period (beta) above 0 h"),
        DAVIDSON: (terms.beta > 0.0, terms.beta < 1.0, "beta between 0 and 1"),
    }[kind % MARGINAL]
    wrong = np.flatnonzero(~(low & np.asarray(high)))
    if len(wrong):
        found = f"alpha {terms.alpha[wrong[0]]:g}, beta {terms.beta[wrong[0]]:g}"
        raise AssignmentError.of("RoadNetwork.delay_function", found, what)
