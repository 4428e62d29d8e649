"""The rows of the page's tables, as data: no markup here, and no number that is not in a result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from cczsim.indicators.indicator import BETTER, Indicator
from cczsim.network.zones import TIERS
from cczsim.report.figures import DASH, NOTHING, difference, number, unit_name
from cczsim.report.text import Both, known, remark, same, term, text
from cczsim.scenario.result import RunResult

Verdict = Literal["better", "worse", "", "noise"]

AREAS: Final = ("all", "central", "circle", "cluster")
_BY_TABLE: Final = frozenset({"convention", "district", "class", "line", "zone", "period"})
_HEAD: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("road_density", {"tier": "central"}),
    ("mean_trip_minutes", {"area": "all", "mode": "car"}),
    ("delay_per_trip", {"area": "all"}),
    ("mode_share", {"area": "all", "mode": "transit"}),
    ("mean_speed", {"tier": "central"}),
    ("mean_speed", {"area": "all"}),
    ("jobs_reached", {"tier": "central", "mode": "transit", "minutes": "45"}),
    ("jobs_reached", {"area": "all", "mode": "transit", "minutes": "45"}),
    ("delay_hours", {"area": "all"}),
    ("vehicle_km", {"area": "all"}),
    ("co2", {"area": "all"}),
)
_N_HEAD: Final = 4
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "people": ("population", "trips", "mode_share", "mean_trip_minutes"),
    "roads": (
        "vehicle_km", "vehicle_hours", "mean_speed", "street_speed", "delay_hours",
        "delay_per_trip", "links_over_capacity", "km_over_capacity",
    ),
    "lines": ("passenger_km", "boardings", "line_speed", "crowded_minute", "no_room", "lot_cars",
              "lot_full", "lot_price"),
    "access": (
        "jobs_reached", "airport_minutes", "airport_reach", "schools_reached", "schools_minutes",
        "schools_reach", "hospitals_reached", "hospitals_minutes", "hospitals_reach",
    ),
    "environment": ("energy", "co2", "pm25"),
    "appraisal": (
        "surplus", "surplus_hours", "time_saved", "winners", "losers", "fare_revenue",
        "toll_revenue", "parking_revenue",
    ),
    "other": (),
}  # fmt: skip
_GROUPED: Final = frozenset(key for keys in _GROUPS.values() for key in keys)


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
    """A label and its cells; ``marked`` rows stand out.

    Parameters
    ----------
    group : Both
        Heading that the row stands under.
    notes : tuple of int
        Numbers of the table's notes, from 1.
    """

    label: Both
    unit: Both
    cells: tuple[Cell, ...]
    marked: bool = False
    note: Both = same("")
    group: Both = same("")
    notes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table with its head and the notes below it."""

    columns: tuple[Both, ...]
    rows: tuple[Row, ...]
    notes: tuple[Both, ...] = ()


def unit_of(unit: str) -> Both:
    """Return a unit as it is printed: a word in both languages (``jobs``), or a symbol."""
    return text(f"unit.{unit}") if known(f"unit.{unit}") else same(unit_name(unit))


def _norm(by: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in by.items() if (k, v) != ("area", "all")))


_GAINS: Final = frozenset({"surplus", "surplus_hours", "time_saved", "winners", "losers"})
"""Figures that are differences from the base themselves: nothing is taken from them again."""


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
            {(item.key, _norm(item.by)): item.value
             for item in (() if base is None else base.indicators) if item.key not in _GAINS},
        )  # fmt: skip

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
        words = difference(old, item.value, change)
        return Cell(shown.value, shown.unit, words, "" if words == NOTHING else verdict)

    @property
    def areas(self) -> tuple[str, ...]:
        """The whole region and the tiers that figures are given for, in order."""
        present = {item.by.get("tier", item.by.get("area", "")) for item in self.result.indicators}
        return tuple(a for a in (*AREAS, *TIERS[len(AREAS) - 1 :]) if a in present)

    def area_name(self, area: str, group: str = "area") -> Both:
        """Return an area in words; a tier whose zones are all gates is said to be that."""
        name = term(group, area)
        return name.join(text("words.gates"), by=" ") if area in gate_tiers(self.result) else name


def gate_tiers(result: RunResult) -> frozenset[str]:
    """Return the tiers of gates only: cities outside the cordon."""
    zones = result.network.zones
    if zones is None:
        return frozenset()
    names = [TIERS[code] for code in zones.tier]
    return frozenset(names) - {n for n, inside in zip(names, zones.inside, strict=True) if inside}


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
    parts = [term("mode", by[name]) for name in ("mode", "transit_mode", "by") if name in by]
    if "minutes" in by:
        parts.append(text("words.within_minutes", minutes=by["minutes"]))
    parts += [same(by["lot"])] if "lot" in by else []
    said = {"mode", "transit_mode", "by", "minutes", "area", "tier", "lot"}
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


def figure_label(item: Indicator, whole: bool = True) -> Both:
    """Return a figure in words with area and convention; the whole region may go without saying."""
    by = {k: v for k, v in item.by.items() if k not in ("convention", "line")}
    area = by.get("tier", by.get("area", "all"))
    label = indicator_label(item.key, by)
    if "line" in item.by:
        label = label.join(item.by["line"])
    elif whole or area != "all":
        label = label.join(term("area", area))
    if "convention" in item.by:
        label = label.join(term("convention", item.by["convention"]))
    return label


def by_tier(figures: Figures) -> Table:
    """Return every indicator that is given by area and tier: a row each, a column an area."""
    keys: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, Indicator]] = {}
    for item in figures.result.indicators:
        if _BY_TABLE & item.by.keys():
            continue
        area = item.by.get("tier", item.by.get("area", "all"))
        rest = tuple(sorted((k, v) for k, v in item.by.items() if k not in ("area", "tier")))
        keys.setdefault((item.key, rest), {})[area] = item
    areas = [area for area in figures.areas if any(area in items for items in keys.values())]
    numbers: dict[str, int] = {}
    rows = []
    for group, wanted in _GROUPS.items():
        for (key, rest), items in keys.items():
            if key not in wanted and not (group == "other" and key not in _GROUPED):
                continue
            note = next((item.note for item in items.values() if item.note), "")
            rows.append(
                Row(
                    indicator_label(key, dict(rest)),
                    unit_of(next(iter(items.values())).unit),
                    tuple(figures.cell(items.get(area)) for area in areas),
                    group=text(f"group.{group}"),
                    notes=(numbers.setdefault(note, len(numbers) + 1),) if note else (),
                )
            )
    return Table(
        tuple(figures.area_name(area) for area in areas), tuple(rows),
        tuple(remark(note) for note in numbers),
    )  # fmt: skip
