"""Stops of lines as CSV: one row a stop of a line, in order."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from cczsim.errors import FaultCollector, InputError, UnitError
from cczsim.io.toml_file import read_text
from cczsim.network.transit import MODES
from cczsim.scenario.line_rows import LineRow
from cczsim.units import parse

NEEDED: Final = ("line", "seq", "stop_name", "lon", "lat")
OPTIONAL: Final = ("name", "mode", "stop_id", "headway", "headway_min", "speed", "speed_kmh",
                   "capacity", "color", "status", "source", "confidence", "note")  # fmt: skip


@dataclass
class _Table:
    path: Path
    faults: FaultCollector

    def number(self, line: int, row: dict[str, str], name: str, low: float, high: float) -> float:
        text = (row.get(name) or "").strip()
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            self.faults.add(
                f"{self.path}:{line}: {name}", repr(text) if text else "nothing",
                f"a number from {low:g} to {high:g}",
            )  # fmt: skip
        return value

    def quantity(self, line: int, row: dict[str, str], name: str, bare: str) -> float | None:
        """Read ``headway`` with its unit, or ``headway_min``, a bare number in that unit."""
        dimension, column, factor = {
            "headway": ("time", "headway_min", 60.0),
            "speed": ("speed", "speed_kmh", 1 / 3.6),
        }[bare]
        text = (row.get(name) or "").strip()
        if text:
            try:
                return parse(text, dimension, f"{self.path}:{line}: {name}")
            except UnitError as error:
                self.faults.extend(error.faults)
                return None
        if (row.get(column) or "").strip():
            return factor * self.number(line, row, column, 1e-3, 1e4)
        return None


def read_line_stops(path: Path) -> tuple[LineRow, ...]:
    """Read a CSV of ``line, seq, stop_name, lon, lat`` and, where known, more.

    Returns
    -------
    tuple of LineRow
        By line in the order of first appearance, then by ``seq``.

    Raises
    ------
    InputError
        With every fault, each with its line of the file.
    """
    text = read_text(path, "a CSV of the stops of lines")
    faults = FaultCollector(InputError)
    table = _Table(path, faults)
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    header = [name.strip() for name in reader.fieldnames or []]
    _check_header(path, header, faults)
    faults.raise_if_any()
    reader.fieldnames = header
    rows = []
    for row in reader:
        line = reader.line_num
        if None in row or None in row.values():
            faults.add(f"{path}:{line}", "another number of fields than in the first line",
                       f"{len(header)} fields")  # fmt: skip
            continue
        rows.append(_row(table, line, row))
    if not rows and not faults.faults:
        faults.add(str(path), "no rows", "the stops of at least one line")
    _check_lines(path, rows, faults)
    faults.raise_if_any()
    order = {name: place for place, name in enumerate(dict.fromkeys(r.line for r in rows))}
    return tuple(sorted(rows, key=lambda r: (order[r.line], r.seq)))


def _check_header(path: Path, header: list[str], faults: FaultCollector) -> None:
    known = (*NEEDED, *OPTIONAL)
    for name in NEEDED:
        if name not in header:
            strange = [h for h in header if h not in known]
            near = get_close_matches(name, strange, 1, 0.3) or strange[:1]
            faults.add(
                f"{path}:1", f"no column {name!r}", f"the columns {', '.join(NEEDED)}",
                f"is it the column {near[0]!r}?" if near else "",
            )  # fmt: skip


def _row(table: _Table, line: int, row: dict[str, str]) -> LineRow:
    name = row["line"].strip()
    if not name:
        table.faults.add(f"{table.path}:{line}: line", "nothing", "the id of a line")
    mode = (row.get("mode") or "").strip() or None
    if mode is not None and mode not in MODES:
        near = get_close_matches(mode, MODES, 1, 0.5)
        table.faults.add(
            f"{table.path}:{line}: mode", repr(mode), "one of " + ", ".join(MODES),
            f"did you mean {near[0]!r}?" if near else "",
        )  # fmt: skip
    capacity = None
    if (row.get("capacity") or "").strip():
        capacity = table.number(line, row, "capacity", 1.0, 1e5)
    return LineRow(
        line=name,
        seq=table.number(line, row, "seq", 0.0, 1e6),
        stop_id=(row.get("stop_id") or "").strip(),
        stop_name=row["stop_name"].strip(),
        lon=table.number(line, row, "lon", -180.0, 180.0),
        lat=table.number(line, row, "lat", -90.0, 90.0),
        mode=mode,
        headway=table.quantity(line, row, "headway", "headway"),
        speed=table.quantity(line, row, "speed", "speed"),
        capacity=capacity,
        color=(row.get("color") or "").strip() or None,
        name=(row.get("name") or "").strip(),
    )


def _check_lines(path: Path, rows: list[LineRow], faults: FaultCollector) -> None:
    by_line: dict[str, list[LineRow]] = {}
    for row in rows:
        by_line.setdefault(row.line, []).append(row)
    for name, members in by_line.items():
        if len(members) < 2:
            faults.add(f"{path}: line {name}", "1 stop", "two stops or more")
        if len({row.seq for row in members}) != len(members):
            faults.add(f"{path}: line {name}", "a seq twice", "a seq of its own for each stop")
