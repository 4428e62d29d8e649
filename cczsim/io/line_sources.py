"""Lines of a recipe: a CSV of stops in order, its columns named by ``[[transit.lines]]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim.columns import texts
from cczsim.errors import FaultCollector, InputError
from cczsim.io.tables import read_rows, to_wgs84
from cczsim.io.zone_tables import Record, labels, numbers
from cczsim.network.line_build import LineTable
from cczsim.network.transit import MODES

_COLUMNS: Final = ("line", "seq", "stop_id", "stop_name", "lon", "lat")


def read_line_table(given: Mapping[str, Any], crs: str = "wgs84") -> LineTable:
    """Read the lines that one ``[[transit.lines]]`` names.

    Parameters
    ----------
    given : mapping
        ``file``; names of columns under ``line``, ``seq``, ``stop_id``, ``stop_name``, ``lon``,
        ``lat`` and ``color`` where they are called otherwise; ``mode``; ``only``, the lines to
        take; ``headway_min``, ``speed_kmh`` and ``capacity`` for all of them. What is not given
        is the mode's default, and marked so.
    crs : str
        System of the coordinates unless ``given`` names its own.

    Raises
    ------
    InputError
        A column is missing, a value is none, or a line has one stop; names file and line.
    """
    path: Path = given["file"]
    name = {key: str(given.get(key, key)) for key in _COLUMNS}
    rows = read_rows(path, tuple(name.values()))
    if "color" in given and rows and given["color"] not in rows[0]:
        raise InputError.of(f"{path}:1", f"no column {given['color']}", "the column of colours")
    faults = FaultCollector(InputError)
    records = [Record(f"{path}:{k}", row) for k, row in enumerate(rows, 2)]
    known = {row[name["line"]] for row in rows}
    only = given.get("only")
    for line in only or ():
        if line not in known:
            faults.add(str(path), f"no line {line!r}", f"one of {', '.join(sorted(known))}")
    if only is not None:
        records = [r for r in records if r.values[name["line"]] in only]
    mode = given.get("mode", "metro")
    if mode not in MODES:
        faults.add(f"{path}: transit.lines.mode", repr(mode), f"one of {', '.join(MODES)}")
    seq = numbers(records, name["seq"], faults)
    lon = numbers(records, name["lon"], faults, -180.0, 180.0)
    lat = numbers(records, name["lat"], faults, -90.0, 90.0)
    line = labels(records, name["line"])
    for number in sorted(set(line)):
        if line.count(number) < 2:
            faults.add(f"{path}: line {number}", "one stop", "two or more")
    for record, text, order in zip(records, line, seq.tolist(), strict=True):
        if not text:
            faults.add(f"{record.where}: {name['line']}", "nothing", "the id of a line")
        if order != int(order):
            faults.add(f"{record.where}: {name['seq']}", f"{order:g}", "a whole number")
    if not records and not faults.faults:
        faults.add(str(path), "no rows", "the stops of at least one line")
    faults.raise_if_any()
    lon, lat = to_wgs84(lon, lat, str(given.get("crs", crs)))
    n = len(records)
    return LineTable(
        line=texts(line),
        mode=texts([mode] * n),
        seq=seq.astype(np.int64),
        stop_id=texts(labels(records, name["stop_id"])),
        stop_name=texts(labels(records, name["stop_name"])),
        lon=lon,
        lat=lat,
        headway=np.full(n, 60.0 * float(given.get("headway_min", np.nan))),
        speed=np.full(n, float(given.get("speed_kmh", np.nan)) / 3.6),
        capacity=np.full(n, float(given.get("capacity", np.nan))),
        color=texts(labels(records, str(given.get("color", "color")))),
    )
