"""Changes of transit lines: add, take out, run more often."""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import take_ragged
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.transit import TransitNetwork
from cczsim.scenario.change_spec import LineExpectation, LineValues, TransitLine
from cczsim.scenario.expect import check, check_all
from cczsim.scenario.new_lines import add_lines
from cczsim.scenario.select import select_lines
from cczsim.units import show

Effect = tuple[Network, str, dict[str, float], float]


def transit_line(network: Network, change: TransitLine, where: str) -> Effect:
    """Add lines, take lines out, or change lines."""
    if change.add is not None:
        return add_lines(network, change.add, f"{where}.add")
    patterns = change.remove if change.remove is not None else change.line
    assert patterns is not None
    rows = select_lines(
        network.transit, patterns, f"{where}.{'remove' if change.remove else 'line'}"
    )
    transit = network.transit
    assert transit is not None
    routes = list(dict.fromkeys(transit.route[rows].tolist()))
    counts = {"lines matched": float(len(rows))}
    if change.expect is not None:
        _check_lines(transit, rows, change.expect, f"{where}.expect")
    if change.remove is not None:
        changed = drop_lines(transit, rows)
        counts["lines removed"] = float(len(rows))
        summary = f"{len(rows)} directed lines taken out: {', '.join(routes[:8])}"
    else:
        assert change.set_ is not None
        changed, words = _set_lines(transit, rows, change.set_)
        summary = f"{words} on {len(rows)} directed lines: {', '.join(routes[:8])}"
    if len(routes) > 8:
        summary += f" and {len(routes) - 8} more"
    return network.replace(transit=changed), summary, counts, float("nan")


def _check_lines(transit: TransitNetwork, rows: Array, expect: LineExpectation, where: str) -> None:
    check(expect.lines, float(len(rows)), f"{where}.lines", f"{len(rows)} directed lines")
    check_all(expect.headway, transit.headway[rows], f"{where}.headway", "min")
    check_all(expect.stops, np.diff(transit.line_first)[rows], f"{where}.stops", "")


def drop_lines(transit: TransitNetwork, rows: Array) -> TransitNetwork:
    """Return a network without some directed lines; stops and walks stay.

    Parameters
    ----------
    rows : array of int
        Lines to take out.
    """
    keep = np.setdiff1d(np.arange(transit.n_lines), rows)
    first, entries = take_ragged(transit.line_first, keep)
    columns: dict[str, Any] = transit.take("line", keep) | transit.take("line_stop", entries)
    if transit.shape_first is not None and transit.shape_lon is not None:
        assert transit.shape_lat is not None
        shape_first, points = take_ragged(transit.shape_first, entries)
        columns |= {
            "shape_first": shape_first,
            "shape_lon": transit.shape_lon[points],
            "shape_lat": transit.shape_lat[points],
        }
    return transit.replace(line_first=first, **columns)


def _set_lines(
    transit: TransitNetwork, rows: Array, values: LineValues
) -> tuple[TransitNetwork, str]:
    columns: dict[str, Array] = {}
    words: list[str] = []

    def put(name: str, value: float) -> None:
        columns[name] = getattr(transit, name).copy()
        columns[name][rows] = value

    if values.headway is not None:
        put("headway", values.headway)
        put("headway_source", int(Source.USER))
        words.append(f"headway {show(values.headway, 'min')}")
    if values.capacity is not None:
        put("seats_and_standing", values.capacity)
        words.append(f"capacity {values.capacity:g}")
    if values.run_time_factor is not None:
        line = np.repeat(np.arange(transit.n_lines), np.diff(transit.line_first))
        factor = np.where(np.isin(line, rows), values.run_time_factor, 1.0)
        columns["run_time"] = transit.run_time * factor
        put("run_time_source", int(Source.USER))
        words.append(f"run times × {values.run_time_factor:g}")
    return transit.replace(**columns), ", ".join(words)
