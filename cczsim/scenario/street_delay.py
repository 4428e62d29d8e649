"""How much urban streets delay when they are full, where a scenario says so for all of them.

Class tables hold one relative delay at capacity for every class of road. Streets with signals lose
more: at capacity, the border between the levels of service E and F, the Highway Capacity Manual
2010 (ch. 16) finds them at 30 to 40 % of their base free-flow speed, expressways at far more.
"""

from __future__ import annotations

import numpy as np

from cczsim.network.network import Network
from cczsim.network.road_class import CLASS_CODE, URBAN_STREETS

_BPR = 0


def with_street_delay(network: Network, alpha: float | None) -> Network:
    """Return the network with a relative delay at capacity on its urban streets.

    Links whose delay is no BPR function keep it; None leaves everything.
    """
    road = network.road
    if alpha is None:
        return network
    urban = np.isin(road.road_class, [CLASS_CODE[name] for name in URBAN_STREETS])
    rows = urban & (road.delay_function == _BPR)
    return network.replace(road=road.replace(alpha=np.where(rows, alpha, road.alpha)))
