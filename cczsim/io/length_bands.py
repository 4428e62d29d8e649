"""Bands of trip length: ``from_km,to_km`` and a share of trips or a factor of pull, as CSV."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from cczsim.columns import Array
from cczsim.demand.calibration import LengthBands
from cczsim.errors import FaultCollector, InputError
from cczsim.io.tables import number, read_rows


def read_bands(path: Path, column: str) -> LengthBands:
    """Read bands with one figure each, ``share`` or ``factor``.

    The first begins at 0 or above, each next one where the last ends; ``to_km`` of the last may be
    left empty, for all that is longer. Shares are divided by their sum.

    Raises
    ------
    InputError
        With every fault: bands that do not join, figures that are none or below 0, none above 0.
    """
    faults = FaultCollector(InputError)
    edges: list[float] = []
    values: list[float] = []
    rows = read_rows(path, ("from_km", "to_km", column))
    for line, row in enumerate(rows, start=2):
        try:
            begin = number(path, row, "from_km", line)
            end = number(path, row, "to_km", line, math.inf)
            value = number(path, row, column, line)
        except InputError as error:
            faults.extend(error.faults)
            continue
        if not edges:
            edges.append(begin * 1e3)
        if not abs(begin * 1e3 - edges[-1]) <= 1e-6 or not begin >= 0.0:
            expected = f"{edges[-1] / 1e3:g}, where the band before ends" if values else "0 or more"
            faults.add(f"{path}:{line}: from_km", row["from_km"] or "nothing", expected)
        if not end > begin:
            faults.add(f"{path}:{line}: to_km", row["to_km"], f"more than {begin:g}")
        if not value >= 0.0:
            faults.add(f"{path}:{line}: {column}", row[column] or "nothing", "a number from 0 up")
        edges.append(end * 1e3)
        values.append(value)
    if not faults.faults and not sum(values) > 0.0:
        faults.add(str(path), "no band above 0", f"at least one {column} above 0")
    faults.raise_if_any()
    found = np.array(values)
    return LengthBands(np.array(edges), found / found.sum() if column == "share" else found)


def write_bands(bands: LengthBands, columns: dict[str, Array], path: Path) -> None:
    """Write bands with columns of figures.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["from_km", "to_km", *columns])
        for k in range(len(bands.value)):
            ends = [bands.edge[k] / 1e3, bands.edge[k + 1] / 1e3]
            shown = [f"{end:.10g}" if math.isfinite(end) else "" for end in ends]
            writer.writerow([*shown, *(repr(float(values[k])) for values in columns.values())])
