"""Places: a CSV ``id,lon,lat``, WGS-84."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import FaultCollector, InputError
from cczsim.io.tables import read_rows

_MAX_FAULTS: Final = 50


def read_places(path: Path) -> tuple[tuple[str, ...], Array, Array]:
    """Return ids, longitudes and latitudes of places, in the order of the file.

    Raises
    ------
    InputError
        No CSV, a column missing, an id twice, coordinates that are none, or no row.
    """
    if path.suffix.lower() != ".csv" or not path.is_file():
        raise InputError.of(str(path), "no CSV file", "a CSV of id,lon,lat")
    faults = FaultCollector(InputError)
    ids: dict[str, None] = {}
    places = []
    for line, row in enumerate(read_rows(path, ("id", "lon", "lat")), 2):
        if not row["id"] or row["id"] in ids:
            faults.add(f"{path}:{line}: id", repr(row["id"]), "an id of its own")
        ids[row["id"]] = None
        place = []
        for name, most in (("lon", 180.0), ("lat", 90.0)):
            try:
                value = float(row[name])
            except ValueError:
                value = np.nan
            if not abs(value) <= most:
                faults.add(f"{path}:{line}: {name}", repr(row[name]), "degrees, WGS-84")
            place.append(value)
        places.append(place)
        if len(faults.faults) >= _MAX_FAULTS:
            faults.add(str(path), "more faults than are listed", "a table of places")
            break
    faults.raise_if_any()
    if not places:
        raise InputError.of(str(path), "no row", "at least one place")
    lon, lat = np.array(places).T
    return tuple(ids), lon, lat
