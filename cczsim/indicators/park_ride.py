"""What comes to car parks, how full they are, and what they take in."""

from __future__ import annotations

from typing import Final

import numpy as np

from cczsim.demand.park_ride import LotLoads
from cczsim.indicators.indicator import Indicator

_FULL: Final = "of the places that cars of the modelled hour may fill"
_PRICE: Final = "what keeps as many away as find no place; 0 where there is room"


def lot_indicators(loads: LotLoads) -> list[Indicator]:
    """Return cars, fullness and the price of a place by car park, and fees and cars of all."""
    cars = loads.cars
    out = [
        Indicator("lot_cars", float(cars.sum()), "cars/h", {"area": "all"}),
        Indicator("parking_revenue", float((cars * loads.paid).sum()), "CNY/h", {"area": "all"}),
    ]
    for lot, name in enumerate(loads.lots.lot_name):
        by = {"lot": str(name)}
        out.append(Indicator("lot_cars", float(cars[lot]), "cars/h", by))
        if np.isfinite(loads.room[lot]):
            full = 100.0 * float(cars[lot] / loads.room[lot])
            out.append(Indicator("lot_full", full, "%", by, _FULL))
            out.append(Indicator("lot_price", float(loads.price[lot]) / 60.0, "min", by, _PRICE))
    return out
