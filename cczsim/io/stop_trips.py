"""Trips between stops: a CSV ``origin,destination,trips`` with ids of a timetable."""

from __future__ import annotations

from collections.abc import Set
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import FaultCollector, InputError
from cczsim.io.tables import read_rows

_MAX_FAULTS: Final = 50
_MAX_STOPS: Final = 5000


def read_stop_trips(path: Path, known: Set[str]) -> tuple[tuple[str, ...], Array]:
    """Read trips between stops or stations; rows of one pair add up.

    Parameters
    ----------
    path : Path
    known : set of str
        Ids of the feed's stops.

    Returns
    -------
    ids : tuple of str
        The stops that are named, in order.
    trips : array [stop, stop], trips/h

    Raises
    ------
    InputError
        No CSV, a column missing, an id that is no stop, trips that are no finite number from 0 up,
        no trips at all, or more than 5,000 stops.
    """
    if path.suffix.lower() != ".csv" or not path.is_file():
        raise InputError.of(
            str(path), "no CSV file", "a CSV of origin,destination,trips",
            "a feed has no zones: name its stops by their stop_id",
        )  # fmt: skip
    rows = read_rows(path, ("origin", "destination", "trips"))
    faults = FaultCollector(InputError)
    cells: list[tuple[str, str, float]] = []
    for line, row in enumerate(rows, 2):
        for end in ("origin", "destination"):
            if row[end] not in known:
                near = get_close_matches(row[end], known, 1)
                faults.add(
                    f"{path}:{line}: {end}", repr(row[end]), "a stop_id of the feed",
                    f"did you mean {near[0]!r}?" if near else "",
                )  # fmt: skip
        try:
            value = float(row["trips"])
        except ValueError:
            value = np.nan
        if not 0.0 <= value < np.inf:
            faults.add(f"{path}:{line}: trips", repr(row["trips"]), "a finite number from 0 up")
        cells.append((row["origin"], row["destination"], value))
        if len(faults.faults) >= _MAX_FAULTS:
            faults.add(str(path), "more faults than are listed", "a table of trips")
            break
    faults.raise_if_any()
    ids = tuple(sorted({end for o, d, _ in cells for end in (o, d)}))
    if not sum(value for _, _, value in cells) > 0.0:
        raise InputError.of(str(path), "no trips", "at least one above 0")
    if len(ids) > _MAX_STOPS:
        raise InputError.of(str(path), f"{len(ids)} stops", f"at most {_MAX_STOPS}")
    place = {stop: k for k, stop in enumerate(ids)}
    trips = np.zeros((len(ids), len(ids)))
    for origin, destination, value in cells:
        trips[place[origin], place[destination]] += value
    return ids, trips
