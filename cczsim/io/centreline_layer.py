"""Centrelines of a network as a GeoPackage, a row a street."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cczsim.errors import OutputError
from cczsim.network.edit import carriageway_rows, lines_of
from cczsim.network.geometry import take_ragged
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import ROAD_CLASSES


def save_centrelines(road: RoadNetwork, path: Path) -> None:
    """Write the streets of a network whose carriageways were drawn as one.

    Columns: ``class, name, length_m, way_id``; ``way_id_back``, the way of the other direction, 0
    for one-way streets; ``lanes, lanes_back``; ``drawn``, whether the line is cczsim's.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    import geopandas
    import pyogrio

    rows = carriageway_rows(road)
    back = road.reverse_link[rows]
    two_way = back != NO_LINK
    first, lon, lat = road.shapes()
    first, points = take_ragged(first, rows)
    table = geopandas.GeoDataFrame(
        {
            "class": np.array(ROAD_CLASSES, dtype=object)[road.road_class[rows]],
            "name": road.name[rows].astype(object),
            "length_m": road.length[rows],
            "way_id": road.way_id[rows],
            "way_id_back": np.where(two_way, road.way_id[back], 0),
            "lanes": road.lanes[rows],
            "lanes_back": np.where(two_way, road.lanes[back], 0.0),
            "drawn": road.geometry_source[rows] == Source.DERIVED,
        },
        geometry=lines_of(first, lon[points], lat[points]),
        crs="EPSG:4326",
    )
    part = path.with_suffix(".part.gpkg")
    try:
        part.unlink(missing_ok=True)
        pyogrio.write_dataframe(table, part, layer="centrelines", driver="GPKG")
        part.replace(path)
    except (OSError, pyogrio.errors.DataSourceError) as error:
        raise OutputError.of(str(path), str(error), "a file to write") from error
