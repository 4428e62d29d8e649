"""Streets that a scenario adds: their capacity, and how they join what is there."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cczsim.columns import Array
from cczsim.network.edit import add_streets, set_attributes
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.street_line import StreetLine
from cczsim.network.turns import turns_after_split
from cczsim.osm.class_table import CN_CJJ37
from cczsim.scenario.change_spec import NewStreet


def lane_capacity(road: RoadNetwork, road_class: str) -> float:
    """Return the capacity of a lane of a class, pce/h.

    It is the median over the network's own links of that class, so that new streets are like
    those that are there; without any, the value of the Chinese table.
    """
    code = CLASS_CODE[road_class]
    rows = (road.road_class == code) & (road.lanes > 0)
    if rows.any():
        return float(np.median(road.capacity[rows] / road.lanes[rows]))
    table = CN_CJJ37.in_class_order()
    return float(table.lane_capacity[code] * table.green_ratio[code])


def street_line(street: NewStreet, road: RoadNetwork) -> StreetLine:
    """Return a street of a scenario as the editor takes it."""
    return StreetLine(
        lon=np.array([point[0] for point in street.line]),
        lat=np.array([point[1] for point in street.line]),
        road_class=street.class_,
        lanes=street.lanes,
        speed=street.speed,
        capacity=street.capacity or street.lanes * lane_capacity(road, street.class_),
        name=street.name,
        oneway=street.oneway,
        structure=street.structure,
        toll=street.toll,
        source=Source.USER,
    )


def add_to(
    network: Network, lines: list[StreetLine], cross: Literal["join", "over"], stated: bool
) -> tuple[Network, Array, dict[str, float]]:
    """Return the network with streets added, the rows of their links, and counts.

    Parameters
    ----------
    stated : bool
        Whether the capacities stay marked as the streets are; else they are marked as guesses.
    """
    if not lines:
        return network, np.zeros(0, dtype=np.int64), {}
    report = add_streets(network.road, lines, cross=cross)
    counts = {
        "links added": float(len(report.new_links)),
        "links split": float(len(report.split_links)),
        "km added": report.km,
    }
    road = report.road
    if not stated:
        guessed = np.full(len(report.new_links), int(Source.DEFAULT))
        road = set_attributes(road, report.new_links, capacity_source=guessed)
    turns = network.turns
    if turns is not None:
        turns = turns_after_split(turns, report.whole, report.piece)
    return network.replace(road=road, turns=turns), report.new_links, counts
