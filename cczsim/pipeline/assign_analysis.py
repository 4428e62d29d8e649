"""What ``cczsim assign`` writes beside flows: skims, selected links and zones, used ways."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cczsim.assignment.bush_analysis import (
    Selection,
    select_links,
    select_zone,
    skim_used,
    used_ways,
)
from cczsim.assignment.bush_solution import BushSolution
from cczsim.assignment.result import RoadAssignment
from cczsim.columns import Array
from cczsim.errors import FaultCollector, InputError, OutputError
from cczsim.io.class_file import links_between
from cczsim.io.matrices import write_matrices
from cczsim.io.tables import read_rows
from cczsim.network.network import Network


@dataclass(frozen=True)
class Questions:
    """What is asked of a solution, as rows of the network.

    Parameters
    ----------
    skims : Path, optional
        OMX file for skims over used ways.
    selection : Path, optional
        Folder for the flows and trips of what is selected.
    links : dict of str to array of link rows
    zones : dict of str to zone row
    pairs : list of (zone row, zone row)
    paths : Path, optional
        CSV for the used ways of the pairs.
    """

    skims: Path | None
    selection: Path | None
    links: dict[str, Array]
    zones: dict[str, int]
    pairs: tuple[tuple[int, int], ...]
    paths: Path | None

    @property
    def any(self) -> bool:
        """Whether anything is asked."""
        return bool(self.skims or self.selection or self.paths)


def read_questions(
    net: Network, skims: Path | None, selection: Path | None, select_link: Sequence[str],
    select_zone: Sequence[str], pairs: Path | None, paths: Path | None,
) -> Questions:  # fmt: skip
    """Find the links and zones that options name.

    Raises
    ------
    InputError
        With every fault: a link or zone that is not there, an option that needs another.
    """
    assert net.zones is not None
    faults = FaultCollector(InputError)
    row_of = {str(int(zone)): row for row, zone in enumerate(net.zones.zone_id)}
    links: dict[str, Array] = {}
    for text in select_link:
        ends = text.split("-")
        rows = links_between(net.road, *ends) if len(ends) == 2 else np.zeros(0)
        if not len(rows):
            faults.add("--select-link", repr(text), "FROM-TO, ids of nodes that a link joins")
        links[text] = rows
    zones: dict[str, int] = {}
    for text in select_zone:
        if text not in row_of:
            faults.add("--select-zone", repr(text), "the id of a zone")
        zones[text] = row_of.get(text, 0)
    if bool(links or zones) != bool(selection):
        faults.add(
            "--selection", str(selection or "nothing"),
            "a folder, and --select-link or --select-zone",
        )  # fmt: skip
    if (pairs is None) != (paths is None):
        faults.add("--paths", str(paths or "nothing"), "a file, and --pairs")
    wanted: list[tuple[int, int]] = []
    for number, row in enumerate(read_rows(pairs, ("origin", "destination")) if pairs else [], 2):
        for key in ("origin", "destination"):
            if row[key] not in row_of:
                faults.add(f"{pairs}:{number}: {key}", repr(row[key]), "the id of a zone")
        wanted.append((row_of.get(row["origin"], 0), row_of.get(row["destination"], 0)))
    faults.raise_if_any()
    return Questions(skims, selection, links, zones, tuple(wanted), paths)


def answer(
    questions: Questions, net: Network, result: RoadAssignment, names: Sequence[str],
    class_cost: Array, time_unit: float, length_unit: float,
) -> None:  # fmt: skip
    """Write what is asked.

    Parameters
    ----------
    names : sequence of str
        Of the user classes; one empty name where there are none.
    class_cost : array [class, link], s

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    solution = result.bushes
    assert solution is not None
    assert net.zones is not None
    try:
        if questions.skims:
            write_matrices(
                _skims(solution, net, result, names, class_cost, time_unit, length_unit),
                net.zones.zone_id, questions.skims,
            )  # fmt: skip
        if questions.selection:
            questions.selection.mkdir(parents=True, exist_ok=True)
            for text, rows in questions.links.items():
                stem = questions.selection / f"link-{text}"
                _write_selection(select_links(solution, rows), net, names, stem)
            for text, zone in questions.zones.items():
                stem = questions.selection / f"zone-{text}"
                _write_selection(select_zone(solution, zone), net, names, stem)
        if questions.paths:
            _write_ways(questions, solution, net, names, class_cost / time_unit)
    except OSError as error:
        where = error.filename or questions.selection or questions.paths or questions.skims
        raise OutputError.of(
            str(where), error.strerror or str(error), "a place that can be written to"
        ) from None


def _skims(
    solution: BushSolution, net: Network, result: RoadAssignment, names: Sequence[str],
    class_cost: Array, time_unit: float, length_unit: float,
) -> dict[str, Array]:  # fmt: skip
    found: dict[str, Array] = {}
    values = {
        "time": result.link_time / time_unit,
        "distance": net.road.length / length_unit,
        "toll": net.road.toll,
    }
    for what, value in values.items():
        for c, name in enumerate(names):
            found[_named(what, name)] = skim_used(solution, value)[c]
    for c, name in enumerate(names):
        # Links that are closed to a class carry none of it.
        cost = np.where(np.isfinite(class_cost[c]), class_cost[c], 0.0) / time_unit
        found[_named("cost", name)] = skim_used(solution, cost)[c]
    return found


def _named(what: str, name: str) -> str:
    return f"{what}_{name}" if name else what


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _write_selection(chosen: Selection, net: Network, names: Sequence[str], stem: Path) -> None:
    """Write ``..._flows.csv`` and ``..._trips.csv``, pce/h, leaving out what is 0."""
    road, zones = net.road, net.zones
    assert zones is not None
    shown = [_named("flow", name) for name in names]
    used = np.flatnonzero(chosen.link_flow.sum(axis=0))
    _write(
        stem.with_name(stem.name + "_flows.csv"), ["from_node", "to_node", *shown],
        (
            (road.node_id[road.tail[a]], road.node_id[road.head[a]],
             *(repr(float(f)) for f in chosen.link_flow[:, a]))
            for a in used
        ),
    )  # fmt: skip
    shown = [_named("trips", name) for name in names]
    _write(
        stem.with_name(stem.name + "_trips.csv"), ["origin", "destination", *shown],
        (
            (zones.zone_id[o], zones.zone_id[d], *(repr(float(t)) for t in chosen.trips[:, o, d]))
            for o, d in np.argwhere(chosen.trips.sum(axis=0) > 0.0)
        ),
    )  # fmt: skip


def _write_ways(
    questions: Questions, solution: BushSolution, net: Network, names: Sequence[str],
    class_cost: Array,
) -> None:  # fmt: skip
    assert net.zones is not None
    assert questions.paths is not None
    road, zone_id = net.road, net.zones.zone_id
    rows = []
    for o, d in questions.pairs:
        for c, name in enumerate(names):
            for rank, way in enumerate(used_ways(solution, o, d, c), 1):
                links = list(way.links)
                nodes = [*road.node_id[road.tail[links]], road.node_id[road.head[links[-1]]]]
                rows.append(
                    (zone_id[o], zone_id[d], name, rank, repr(way.flow),
                     repr(float(class_cost[c, links].sum())), " ".join(str(n) for n in nodes))
                )  # fmt: skip
    header = ["origin", "destination", "class", "way", "flow", "cost", "nodes"]
    _write(questions.paths, header, rows)
