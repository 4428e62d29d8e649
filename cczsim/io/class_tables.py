"""Class tables as CSV: a built-in one written out, edited, read back.

Columns: ``class, lanes, speed_kmh, lane_capacity_pce_h, green_ratio, alpha, beta``; one row a
road class. Lines that begin with ``#`` are notes; the first ones name the source.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Final

import numpy as np

from cczsim.errors import ColumnError, Fault, FaultCollector, InputError, OsmError
from cczsim.network.road_class import ROAD_CLASSES
from cczsim.osm.class_table import TABLES, ClassTable

HEADER: Final = (
    "class", "lanes", "speed_kmh", "lane_capacity_pce_h", "green_ratio", "alpha", "beta",
)  # fmt: skip


def write_class_table(table: ClassTable, path: str | Path) -> None:
    """Write a table as CSV."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {table.source}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for row in range(len(table.class_name)):
            numbers = (
                float(table.lanes[row]), float(table.speed[row]) * 3.6,
                float(table.lane_capacity[row]), float(table.green_ratio[row]),
                float(table.alpha[row]), float(table.beta[row]),
            )  # fmt: skip
            writer.writerow([str(table.class_name[row]), *(f"{n:.10g}" for n in numbers)])


def find_class_table(name: str | Path) -> ClassTable:
    """Return a built-in table by its name, or the one in a file.

    Raises
    ------
    InputError
        No table has the name, or the file is wrong.
    """
    if isinstance(name, Path):
        return read_class_table(name)
    if name not in TABLES:
        raise InputError.of(
            "class_table", repr(name), f"one of {', '.join(TABLES)}, or a file ending in .csv"
        )
    return TABLES[name]


def read_class_table(path: str | Path) -> ClassTable:
    """Read a table; its name is the file's, without ending.

    Raises
    ------
    InputError
        The file cannot be read, a class is missing, unknown or twice, or a value is no number in
        its range; all faults at once, with line numbers.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.of(str(path), str(error), "a class table as UTF-8 CSV") from error
    notes = [line.lstrip("# ") for line in lines if line.startswith("#")]
    numbered = [
        (number, next(csv.reader([line])))
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not numbered or tuple(cell.strip() for cell in numbered[0][1]) != HEADER:
        found = ",".join(numbered[0][1]) if numbered else "no line"
        raise InputError.of(f"{path}: header", found, ",".join(HEADER))
    faults = FaultCollector(InputError)
    names: list[str] = []
    rows: list[list[float]] = []
    for number, cells in numbered[1:]:
        where = f"{path}:{number}"
        if len(cells) != len(HEADER):
            faults.add(where, f"{len(cells)} cells", f"{len(HEADER)}: {', '.join(HEADER)}")
            continue
        if cells[0].strip() not in ROAD_CLASSES:
            faults.add(where, f"class {cells[0]!r}", f"one of {', '.join(ROAD_CLASSES)}")
            continue
        values = [_number(cell) for cell in cells[1:]]
        for name, cell, value in zip(HEADER[1:], cells[1:], values, strict=True):
            low_fails = value < 0 or (value == 0 and name not in ("alpha", "beta"))
            if not math.isfinite(value) or low_fails or (name == "green_ratio" and value > 1):
                at_most = " and at most 1" if name == "green_ratio" else ""
                faults.add(f"{where}: {name}", repr(cell), f"a number above 0{at_most}")
        names.append(cells[0].strip())
        rows.append(values)
    faults.raise_if_any()
    table = np.array(rows, dtype=np.float64).reshape(-1, len(HEADER) - 1)
    try:
        return ClassTable(
            class_name=np.array(names, dtype=str),
            lanes=table[:, 0],
            speed=table[:, 1] / 3.6,
            lane_capacity=table[:, 2],
            green_ratio=table[:, 3],
            alpha=table[:, 4],
            beta=table[:, 5],
            name=path.stem,
            source=" ".join(notes) or f"the file {path.name}",
        )
    except (ColumnError, OsmError) as error:
        raise InputError(
            [Fault(f"{path}: {f.where}", f.found, f.expected, f.hint) for f in error.faults]
        ) from error


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
