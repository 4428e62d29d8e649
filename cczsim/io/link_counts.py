"""Counts of vehicles on links: ``from_node,to_node,count`` and, if known, ``sd``, as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from cczsim.columns import Array
from cczsim.errors import FaultCollector, InputError
from cczsim.io.class_file import links_between
from cczsim.io.tables import number, read_rows
from cczsim.network.road import RoadNetwork

HEADER: Final = ("from_node", "to_node", "count")


class LinkCounts(NamedTuple):
    """Counted links.

    Parameters
    ----------
    links : int array [count]
        Rows of the network.
    counts : array [count], pce/h
    variance : array [count]
        Square of ``sd``; the count itself, at least 1, where none is given.
    """

    links: Array
    counts: Array
    variance: Array


def read_counts(path: Path, road: RoadNetwork) -> LinkCounts:
    """Read counts of links by the ids of their nodes.

    Raises
    ------
    InputError
        With every fault: no such link or several, a link that stands twice, a number that is
        none or below 0.
    """
    faults = FaultCollector(InputError)
    links, counts, variance = [], [], []
    seen: dict[int, int] = {}
    rows = read_rows(path, HEADER)
    for line, row in enumerate(rows, start=2):
        where = f"{path}:{line}"
        try:
            count = number(path, row, "count", line)
            spread = number(path, row, "sd", line)
        except InputError as error:
            faults.extend(error.faults)
            continue
        found = links_between(road, row["from_node"], row["to_node"])
        name = f"{row['from_node']} → {row['to_node']}"
        if len(found) != 1:
            what = f"{len(found)} links" if len(found) else "no link"
            faults.add(where, f"{what} {name}", "nodes that one link joins")
            continue
        link = int(found[0])
        if link in seen:
            faults.add(where, f"link {name} again, as in line {seen[link]}", "each link once")
        if not count >= 0.0:
            faults.add(f"{where}: count", row["count"] or "nothing", "a number from 0 up")
        if spread <= 0.0:
            faults.add(f"{where}: sd", row["sd"], "a number above 0")
        seen.setdefault(link, line)
        links.append(link)
        counts.append(count)
        variance.append(spread**2 if spread > 0.0 else max(count, 1.0))
    if not rows:
        faults.add(str(path), "no counts", "at least one counted link")
    faults.raise_if_any()
    return LinkCounts(np.array(links), np.array(counts), np.array(variance))
