"""A street to be added, as whoever draws it hands it over, and what adding it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork

STRUCTURES: Final = {"ground": 0, "bridge": 1, "elevated": 1, "tunnel": 2}


@dataclass(frozen=True, eq=False)
class StreetLine:
    """A street to be added.

    Parameters
    ----------
    lon, lat : array [point], deg
        At least two points.
    road_class : str
        Name in ``ROAD_CLASSES``.
    lanes, speed, capacity : float
        Of each direction: lanes, m/s, pce/h.
    name : str
    oneway : bool
        Open along its points only.
    structure : str
        ground, bridge, elevated or tunnel.
    toll : float
        CNY/m.
    source : Source
        Provenance of the link and of all its attributes.
    """

    lon: Array
    lat: Array
    road_class: str
    lanes: float
    speed: float
    capacity: float
    name: str = ""
    oneway: bool = False
    structure: str = "ground"
    toll: float = 0.0
    source: Source = Source.USER


@dataclass(frozen=True, eq=False)
class EditReport:
    """A network with streets added.

    Parameters
    ----------
    road : RoadNetwork
    new_links : array
        Rows of the links of the new streets.
    split_links : array
        Rows of the links that were split, in the network before and after.
    km : float
        Length of the new streets, each counted once.
    line_of_link : array [new link]
        Which of the lines each new link belongs to.
    whole, piece : array [piece]
        Rows of the links that were split, and the rows of their pieces in the order of travel, as
        :func:`cczsim.network.turns.turns_after_split` takes them.
    """

    road: RoadNetwork
    new_links: Array
    split_links: Array
    km: float
    line_of_link: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    whole: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    piece: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
