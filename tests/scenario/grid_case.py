"""The grid of the tests as a network that scenarios can change."""

from __future__ import annotations

import numpy as np

from cczsim.network.network import Network
from tests.report.synthetic_run import make_run


def grid() -> Network:
    """A grid of 12 by 12 nodes with nine zones in three tiers and a metro line."""
    return make_run().network


def ridden_grid() -> Network:
    """The grid with a way from each zone to a stop of its metro line."""
    found = grid()
    assert found.transit is not None
    return found.replace(
        transit=found.transit.replace(
            access_zone=np.arange(9), access_stop=np.array([0, 1, 2, 4, 5, 6, 8, 9, 11]),
            access_time=np.full(9, 120.0),
        )
    )  # fmt: skip
