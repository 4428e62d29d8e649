"""The one function that turns link flows into generalised cost."""

from __future__ import annotations

import numpy as np

from cczsim.columns import Array
from cczsim.network.road import RoadNetwork


class LinkCost:
    """Generalised link cost in seconds: BPR time + fixed terms for toll and distance.

    ``time = free_flow_time (1 + alpha (flow / capacity) ** beta)``, Bureau of Public Roads,
    *Traffic Assignment Manual* (1964).

    Parameters
    ----------
    road : RoadNetwork
    toll_factor : float
        Seconds for a unit of toll.
    distance_factor : float
        Seconds for a metre.
    """

    def __init__(
        self, road: RoadNetwork, toll_factor: float = 0.0, distance_factor: float = 0.0
    ) -> None:
        self._free = road.free_flow_time
        self._alpha = road.alpha
        self._beta = road.beta
        self._capacity = road.capacity
        # Where nothing delays, the power is of no account.
        self._quartic = bool(((road.beta == 4.0) | (road.alpha == 0.0)).all())
        self.fixed: Array = toll_factor * road.toll + distance_factor * road.length

    def _power(self, ratio: Array, less: float = 0.0) -> Array:
        if self._quartic and less == 0.0:
            square = ratio * ratio
            return np.asarray(square * square)
        if self._quartic and less == 1.0:
            return np.asarray(ratio * ratio * ratio)
        return np.asarray(np.power(ratio, self._beta - less))

    def time(self, flow: Array) -> Array:
        """Return the time of each link at a flow, ``[link], s``."""
        return np.asarray(self._free * (1.0 + self._alpha * self._power(flow / self._capacity)))

    def cost(self, flow: Array) -> Array:
        """Return the generalised cost of each link at a flow, ``[link], s``."""
        return self.time(flow) + self.fixed

    def objective(self, flow: Array) -> float:
        """Return Beckmann's objective: the sum of the integrals of cost over flow, pce s/h."""
        delay = self._alpha * self._power(flow / self._capacity) / (self._beta + 1.0)
        return float((flow * (self._free * (1.0 + delay) + self.fixed)).sum())

    def derivative(self, flow: Array) -> Array:
        """Return the derivative of cost by flow, ``[link], s h/pce``.

        It is infinite at zero flow where 0 < beta < 1; such links get the derivative at a flow
        of a millionth of their capacity.
        """
        ratio = flow / self._capacity
        if not self._quartic:
            ratio = np.where(self._beta < 1.0, np.maximum(ratio, 1e-6), ratio)
        return np.asarray(
            np.where(
                self._beta == 0.0,
                0.0,
                self._free * self._alpha * self._beta * self._power(ratio, 1.0) / self._capacity,
            )
        )
