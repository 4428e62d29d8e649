"""What is observed, what is guessed and what was made up: tables and counts for the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.network.provenance import GUESSED, Source
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.report.figures import number, percent
from cczsim.report.tables import Cell, Row, Table, run_title
from cczsim.report.text import Both, same, term, text
from cczsim.scenario.result import RunResult

_ATTRIBUTES: Final = ("class", "oneway", "lanes", "speed", "capacity", "geometry")


@dataclass(frozen=True)
class Fact:
    """A name and a value of the short lists of the page."""

    label: Both
    value: Both


def street_metres(road: RoadNetwork) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return each link's part of the length of streets, ``[link], m``.

    Both directions of one carriageway share its length; connectors count 0.
    """
    half = np.where(road.reverse_link != NO_LINK, 0.5, 1.0)
    metres: np.ndarray[tuple[int], np.dtype[np.float64]] = road.length * half * road.is_street
    return metres


def guessed_shares(road: RoadNetwork) -> Table:
    """Return by attribute the share of street length by provenance, and the guessed share."""
    metres = street_metres(road)
    total = float(metres.sum())
    rows = []
    for name in _ATTRIBUTES:
        source = getattr(road, f"{name}_source")
        shares = np.bincount(source, weights=metres, minlength=len(Source)) / (total or np.nan)
        guessed = float(sum(shares[s] for s in GUESSED))
        cells = [Cell(percent(float(shares[s]))) for s in Source]
        rows.append(Row(term("attribute", name), same(""), (*cells, Cell(percent(guessed)))))
    head = tuple(term("source", s.name.lower()) for s in Source)
    return Table((*head, text("words.guessed")), tuple(rows))


def generated_km(road: RoadNetwork) -> tuple[int, float]:
    """Return the number of generated directed links and the kilometres of their streets."""
    generated = (road.class_source == Source.GENERATED) & road.is_street
    return int(generated.sum()), float(street_metres(road)[generated].sum() / 1e3)


def size_facts(result: RunResult) -> tuple[Fact, ...]:
    """Return how large the network is and how much of it was generated."""
    road, zones, transit = result.network.road, result.network.zones, result.network.transit
    links, km = generated_km(road)
    total_km = float(street_metres(road).sum() / 1e3)
    facts = [
        Fact(text("fact.nodes"), same(f"{road.n_nodes:,}")),
        Fact(text("fact.links"), same(f"{int(road.is_street.sum()):,}")),
        Fact(text("fact.connectors"), same(f"{int((~road.is_street).sum()):,}")),
        Fact(text("fact.km"), same(f"{number(total_km)} km")),
        Fact(
            text("fact.generated"),
            same(f"{links:,} · {number(km)} km · {percent(km / total_km if total_km else np.nan)}"),
        ),
    ]
    if zones is not None:
        facts.append(Fact(text("fact.zones"), same(f"{zones.n_zones:,}")))
        facts.append(Fact(text("fact.population"), same(f"{zones.population.sum():,.0f}")))
    if transit is not None:
        guessed = int(np.isin(transit.headway_source, GUESSED).sum())
        facts.append(Fact(text("fact.lines"), same(f"{transit.n_lines:,} / {transit.n_stops:,}")))
        facts.append(
            Fact(text("fact.headways"), same(f"{guessed:,} / {transit.n_lines:,}"))
        )  # fmt: skip
    return tuple(facts)


@dataclass(frozen=True)
class SolverRow:
    """How one run's solver ended."""

    name: Both
    status: Both
    algorithm: str
    gap: float
    target: float
    iterations: int
    demand_residual: float
    unreachable: str


def solver_rows(result: RunResult, base: RunResult | None) -> tuple[SolverRow, ...]:
    """Return how the solver ended in the scenario and in its base."""
    rows = []
    for run in (result, base):
        if run is None:
            continue
        road = run.equilibrium.road
        share = road.unreachable_demand / road.total_demand if road.total_demand else np.nan
        rows.append(
            SolverRow(
                run_title(run), term("status", str(road.status.value)), road.algorithm,
                road.relative_gap, target_gap(run), road.iterations,
                run.equilibrium.demand_residual,
                f"{number(road.unreachable_demand)} ({percent(share, 3)})" if share else "0",
            )
        )  # fmt: skip
    return tuple(rows)


def target_gap(run: RunResult) -> float:
    """Return the relative gap that a run was asked for, NaN where its spec does not say."""
    settings = run.spec.get("assignment")
    value = settings.get("relative_gap") if isinstance(settings, dict) else None
    return float(value) if isinstance(value, int | float) else float("nan")
