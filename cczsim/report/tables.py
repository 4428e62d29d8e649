"""The rows of the page's tables, as data: no markup here, and no number that is not in a result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from cczsim.indicators.indicator import Indicator
from cczsim.indicators.plan_targets import find_target
from cczsim.network.zones import TIERS
from cczsim.report.figures import DASH, difference, number, signed, unit_name
from cczsim.report.text import Both, known, same, term, text
from cczsim.scenario.result import RunResult, TargetRow

Verdict = Literal["better", "worse", "", "noise"]

AREAS: Final = ("all", "central", "circle", "cluster")
# Which way is better for the plan; keys that are not named here are not judged.
BETTER: Final[Mapping[str, int]] = {
    "road_density": 1, "mean_speed": 1, "delay_hours": -1, "links_over_capacity": -1,
    "km_over_capacity": -1, "jobs_reached": 1, "airport_minutes": -1, "co2": -1, "energy": -1,
    "pm25": -1, "mean_trip_minutes": -1, "airport_reach": 1,
}  # fmt: skip
_BY_TABLE: Final = frozenset({"convention", "district", "class", "line", "zone"})
_HEAD: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("road_density", {"tier": "central"}),
    ("mean_speed", {"tier": "central"}),
    ("mean_speed", {"area": "all"}),
    ("mode_share", {"area": "all", "mode": "transit"}),
    ("jobs_reached", {"tier": "central", "mode": "transit", "minutes": "45"}),
    ("jobs_reached", {"area": "all", "mode": "transit", "minutes": "45"}),
    ("delay_hours", {"area": "all"}),
    ("vehicle_km", {"area": "all"}),
    ("co2", {"area": "all"}),
)
_N_HEAD: Final = 4


class CompareRow(Protocol):
    """What the page needs of one row of a comparison."""

    @property
    def key(self) -> str:
        """Key of the indicator."""

    @property
    def by(self) -> Mapping[str, str]:
        """What the figure is restricted to."""

    @property
    def explained_by_gap(self) -> bool:
        """Whether the solver's gap is large enough to explain the difference."""


@dataclass(frozen=True)
class Cell:
    """A figure beside that of the base.

    Parameters
    ----------
    value : str
    unit : Both
    change : str
        Difference to the base, with its sign; ``""`` without a base.
    verdict : str
        ``better`` or ``worse`` where the sign can be judged, ``noise`` where the solver's gap
        can explain the difference.
    """

    value: str
    unit: Both = same("")
    change: str = ""
    verdict: Verdict = ""


@dataclass(frozen=True)
class Figure:
    """One of the figures at the head of the page."""

    label: Both
    cell: Cell
    base: str
    note: Both


@dataclass(frozen=True)
class Row:
    """A label and its cells; ``marked`` rows stand out."""

    label: Both
    unit: Both
    cells: tuple[Cell, ...]
    marked: bool = False
    note: Both = same("")


@dataclass(frozen=True)
class Table:
    """A table with its head."""

    columns: tuple[Both, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class ScoreRow:
    """A row of the plan's scoreboard, ready to print."""

    label: Both
    rule: str
    unit: Both
    base: str
    value: str
    state: Literal["met", "missed", "unknown"]
    margin: str
    assumed: tuple[str, ...]


def unit_of(unit: str) -> Both:
    """Return a unit as it is printed: a word in both languages (``jobs``), or a symbol."""
    return text(f"unit.{unit}") if known(f"unit.{unit}") else same(unit_name(unit))


def _norm(by: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in by.items() if (k, v) != ("area", "all")))


@dataclass(frozen=True)
class Figures:
    """The indicators of a result beside those of its base.

    Parameters
    ----------
    result, base : RunResult
    noise : frozenset
        Key and restriction of every figure whose difference the solver's gap can explain.
    """

    result: RunResult
    base: RunResult | None
    noise: frozenset[tuple[str, tuple[tuple[str, str], ...]]] = frozenset()
    _old: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)

    @classmethod
    def of(cls, result: RunResult, base: RunResult | None, comparison: Any | None) -> Figures:
        """Join a result to its base and to what ``scenario.compare`` says of the gap."""
        rows: tuple[CompareRow, ...] = tuple(comparison.rows) if comparison is not None else ()
        return cls(
            result,
            base,
            frozenset((row.key, _norm(row.by)) for row in rows if row.explained_by_gap),
            {} if base is None else {(i.key, _norm(i.by)): i.value for i in base.indicators},
        )

    def find(self, key: str, by: Mapping[str, str]) -> Indicator | None:
        """Return the result's indicator with exactly this restriction, or None."""
        wanted = _norm(by)
        for item in self.result.indicators:
            if item.key == key and _norm(item.by) == wanted:
                return item
        return None

    def before(self, item: Indicator) -> float:
        """Return the base's value of an indicator, NaN if it has none."""
        return self._old.get((item.key, _norm(item.by)), math.nan)

    def cell(self, item: Indicator | None) -> Cell:
        """Return an indicator as a cell."""
        if item is None:
            return Cell(DASH)
        shown = Cell(number(item.value), unit_of(item.unit))
        old = self.before(item)
        if not math.isfinite(old) or not math.isfinite(item.value):
            return shown
        change = item.value - old
        verdict: Verdict = ""
        if (item.key, _norm(item.by)) in self.noise:
            verdict = "noise"
        elif change and item.key in BETTER:
            verdict = "better" if change * BETTER[item.key] > 0 else "worse"
        return Cell(shown.value, shown.unit, difference(old, item.value, change), verdict)


def target_convention(result: RunResult) -> str:
    """Return the density convention that the scenario's target uses.

    That of its first ``road_density`` change, else ``density.convention``, else ``cn-urban``.
    """
    settings = result.spec.get("density")
    named = settings.get("convention") if isinstance(settings, Mapping) else None
    for change in result.spec.get("changes") or ():
        if isinstance(change, Mapping) and change.get("kind") == "road_density":
            named = change.get("convention") or named
            break
    return str(named or "cn-urban")


def run_title(run: RunResult) -> Both:
    """Return the title of a run; in Chinese where its scenario has one (``title_zh``)."""
    chinese = run.spec.get("title_zh")
    return Both(run.title, chinese if isinstance(chinese, str) and chinese else run.title)


def indicator_label(key: str, by: Mapping[str, str]) -> Both:
    """Return the name of an indicator with its restriction, areas left out."""
    label = term("indicator", key)
    parts = [term("mode", by[name]) for name in ("mode", "transit_mode") if name in by]
    if "minutes" in by:
        parts.append(text("words.within_minutes", minutes=by["minutes"]))
    said = {"mode", "transit_mode", "minutes", "area", "tier"}
    parts += [same(f"{k} {v}") for k, v in sorted(by.items()) if k not in said]
    return label.join(*parts)


def headline(figures: Figures) -> tuple[Figure, ...]:
    """Return the three or four figures that answer the question of the page."""
    out: list[Figure] = []
    seen: set[str] = set()
    convention = target_convention(figures.result)
    for key, by in _HEAD:
        full = {**by, "convention": convention} if key == "road_density" else by
        item = figures.find(key, full)
        if item is None or key in seen or not math.isfinite(item.value):
            continue
        seen.add(key)
        area = term("area", by.get("tier", by.get("area", "all")))
        note = area.join(term("convention", convention)) if key == "road_density" else area
        out.append(
            Figure(
                indicator_label(key, by), figures.cell(item), number(figures.before(item)), note
            )
        )  # fmt: skip
    return tuple(out[:_N_HEAD])


def _target_label(result: RunResult, row: TargetRow) -> Both:
    """Return a target in words: its own label, or those of the figure that its key names."""
    if row.label and row.label != row.key:
        return same(row.label)
    convention = target_convention(result)
    item = find_target(row.key, result.indicators, convention)
    if item is None:
        return same(row.key)
    by = {k: v for k, v in item.by.items() if k != "convention"}
    area = term("area", by.get("tier", by.get("area", "all")))
    shown = indicator_label(item.key, by).join(area)
    return shown.join(term("convention", convention)) if "convention" in item.by else shown


def scoreboard(result: RunResult) -> tuple[ScoreRow, ...]:
    """Return the plan's targets, met or not, and those that cannot be judged."""
    out = []
    for row in result.targets:
        label = _target_label(result, row)
        state: Literal["met", "missed", "unknown"] = (
            "unknown" if row.met is None else "met" if row.met else "missed"
        )
        margin = DASH if row.met is None else signed(row.margin, 2)
        out.append(
            ScoreRow(
                label, row.rule, unit_of(row.unit), number(row.base), number(row.value),
                state, margin, row.assumed,
            )
        )  # fmt: skip
    return tuple(out)


def target_counts(scores: tuple[ScoreRow, ...]) -> Both:
    """Return in a sentence how many targets are met, missed or beyond the model; or nothing."""
    if not scores:
        return same("")
    states = [row.state for row in scores]
    counts = {state: states.count(state) for state in ("met", "missed", "unknown")}
    return text("page.targets", **counts)


def by_tier(figures: Figures) -> Table:
    """Return every indicator that is given by area and tier: a row each, a column an area."""
    keys: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, Indicator]] = {}
    for item in figures.result.indicators:
        if _BY_TABLE & item.by.keys():
            continue
        area = item.by.get("tier", item.by.get("area", "all"))
        rest = tuple(sorted((k, v) for k, v in item.by.items() if k not in ("area", "tier")))
        keys.setdefault((item.key, rest), {})[area] = item
    present = {area for items in keys.values() for area in items}
    areas = [area for area in (*AREAS, *TIERS[len(AREAS) - 1 :]) if area in present]
    rows = [
        Row(
            indicator_label(key, dict(rest)),
            unit_of(next(iter(items.values())).unit),
            tuple(figures.cell(items.get(area)) for area in areas),
            note=same(next((i.note for i in items.values() if i.note), "")),
        )
        for (key, rest), items in keys.items()
    ]
    return Table(tuple(term("area", area) for area in areas), tuple(rows))
