"""How many drive, by what the drive costs: a logit against fixed costs of the other modes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array


@dataclass(frozen=True)
class CarDemand:
    """The demand function of car trips and its inverse, over the pairs of zones that have a choice.

    Parameters
    ----------
    elastic : bool array [zone, zone]
        Pairs where people may drive or not; all arrays ``[pair]`` follow its order.
    persons : array [pair], trips/h
        By all modes.
    log_other : array [pair]
        Logarithm of the sum of exp(-cost / scale) over the other modes.
    captive : array [zone, zone], pce/h
        Those who can only drive.
    scale : float
        Seconds that move the odds by e.
    car_fixed : float
        Cost of a car trip beside the drive, s.
    occupancy : float
        Persons in a car.
    """

    elastic: Array
    persons: Array
    log_other: Array
    captive: Array
    scale: float
    car_fixed: float
    occupancy: float

    @classmethod
    def of(
        cls, persons: Array, od_cost: Array, other_odds: Array, scale: float, car_fixed: float,
        occupancy: float,
    ) -> CarDemand:  # fmt: skip
        """Return the demand of a matrix of person trips; none drives where ``od_cost`` is inf."""
        drivable = (persons > 0.0) & np.isfinite(od_cost) & ~np.eye(len(persons), dtype=bool)
        elastic = drivable & (other_odds > 0.0)
        return cls(
            elastic=elastic,
            persons=persons[elastic],
            log_other=np.log(other_odds[elastic]),
            captive=np.where(drivable & ~elastic, persons, 0.0) / occupancy,
            scale=scale,
            car_fixed=car_fixed,
            occupancy=occupancy,
        )

    def wanted(self, od_cost: Array) -> Array:
        """Return the cars that the logit gives at costs ``[zone, zone], s``: ``[pair], pce/h``."""
        odds = (od_cost[self.elastic] + self.car_fixed) / self.scale + self.log_other
        return np.asarray(
            self.persons / self.occupancy / (1.0 + np.exp(np.clip(odds, -500.0, 500.0)))
        )

    def worth(self, cars: Array) -> Array:
        """Return the cost of the drive at which the logit gives these cars, ``[pair], s``."""
        share = np.clip(cars * self.occupancy / self.persons, 1e-300, 1.0 - 1e-16)
        odds = np.log1p(-share) - np.log(share)
        return np.asarray(self.scale * (odds - self.log_other) - self.car_fixed)

    def bend(self, cars: Array) -> Array:
        """Return minus the derivative of :meth:`worth` by cars, ``[pair], s h/pce``."""
        room = np.maximum(self.persons - cars * self.occupancy, 1e-12 * self.persons)
        held = np.maximum(cars * self.occupancy, 1e-12 * self.persons)
        return np.asarray(self.scale * self.occupancy * (1.0 / held + 1.0 / room))

    def matrix(self, cars: Array) -> Array:
        """Return cars as a matrix, captives included, ``[zone, zone], pce/h``."""
        full = self.captive.copy()
        full[self.elastic] = cars
        return full

    def residual(self, cars: Array, od_cost: Array, all_trips: float) -> float:
        """Return the share of all trips that the logit would still move."""
        moved = float(np.abs(self.wanted(od_cost) - cars).sum()) * self.occupancy
        return moved / max(all_trips, 1e-300)
