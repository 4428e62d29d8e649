"""Observed trips by mode, of persons an hour.

An OMX file of matrices ``car``, ``transit`` and ``active``, or a CSV with columns
``origin,destination,car,transit,active``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cczsim.columns import Array
from cczsim.demand.mode_choice import MODES
from cczsim.errors import FaultCollector, InputError
from cczsim.io.matrices import read_matrix
from cczsim.io.tables import number, read_rows


def read_observed(path: Path, zone_ids: Array) -> dict[str, Array]:
    """Return observed trips by mode in the order of the zones, ``[zone, zone], trips/h``.

    Raises
    ------
    InputError
        With every fault: zones that are not there, pairs that stand twice, numbers below 0, no
        trips at all, another kind of file.
    """
    kind = path.suffix.lower()
    if kind == ".omx":
        return {mode: read_matrix(path, zone_ids, mode) for mode in MODES}
    if kind != ".csv":
        raise InputError.of(str(path), f"the ending {kind!r}", ".omx or .csv")
    place = {str(int(zone)): row for row, zone in enumerate(zone_ids)}
    out = {mode: np.zeros((len(zone_ids),) * 2) for mode in MODES}
    seen: dict[tuple[int, int], int] = {}
    faults = FaultCollector(InputError)
    for line, row in enumerate(read_rows(path, ("origin", "destination", *MODES)), start=2):
        ends = [place.get(row[name]) for name in ("origin", "destination")]
        for name, end in zip(("origin", "destination"), ends, strict=True):
            if end is None:
                faults.add(f"{path}:{line}: {name}", repr(row[name]), "a zone of the network")
        if None in ends:
            continue
        o, d = int(ends[0] or 0), int(ends[1] or 0)
        if (o, d) in seen:
            faults.add(f"{path}:{line}", f"the pair of line {seen[o, d]} again", "each pair once")
        seen.setdefault((o, d), line)
        for mode in MODES:
            try:
                value = number(path, row, mode, line, 0.0)
            except InputError as error:
                faults.extend(error.faults)
                continue
            if value < 0.0:
                faults.add(f"{path}:{line}: {mode}", row[mode], "at least 0")
            out[mode][o, d] = value
    if not faults.faults and not any(matrix.any() for matrix in out.values()):
        faults.add(str(path), "no trips", "at least one cell above 0")
    faults.raise_if_any()
    return out
