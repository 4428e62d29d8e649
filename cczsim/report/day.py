"""The periods of a day side by side, and the day."""

from __future__ import annotations

from typing import Final

from cczsim.report.tables import Figures, Row, Table, indicator_label, unit_of
from cczsim.report.text import same, text
from cczsim.scenario.period_keys import DAY

_KEYS: Final = (
    "trips", "mode_share", "mean_trip_minutes", "vehicle_km", "vehicle_hours", "mean_speed",
    "street_speed", "delay_hours", "links_over_capacity", "boardings", "passenger_km", "lot_cars",
    "fare_revenue", "toll_revenue", "parking_revenue", "energy", "co2", "pm25", "surplus",
)  # fmt: skip
_WHOLE: Final = frozenset({"energy", "co2", "pm25"})
"""Told of all vehicles together."""


def by_period(figures: Figures) -> Table | None:
    """Return the figures of each period, a column each, and those of the day; None without any."""
    names = [run.name for run in figures.result.periods]
    if not names:
        return None
    columns = [*names, DAY]
    found: dict[str, dict[str, dict[tuple[tuple[str, str], ...], int]]] = {}
    cells = {}
    for number, item in enumerate(figures.result.indicators):
        period = item.by.get("period")
        if period is None or {"tier", "district", "line", "lot"} & item.by.keys():
            continue
        if item.key in _WHOLE and item.by.keys() - {"area", "period"}:
            continue
        rest = tuple(sorted((k, v) for k, v in item.by.items() if k not in ("area", "period")))
        found.setdefault(item.key, {}).setdefault(period, {})[rest] = number
        cells[item.key, rest, period] = item
    rows = []
    for key in _KEYS:
        kinds = dict.fromkeys(rest for by in found.get(key, {}).values() for rest in by)
        for rest in kinds:
            first = next(cells[key, rest, c] for c in columns if (key, rest, c) in cells)
            rows.append(
                Row(
                    indicator_label(key, dict(rest)),
                    unit_of(first.unit),
                    tuple(figures.cell(cells.get((key, rest, c))) for c in columns),
                )
            )
    heads = tuple(same(f"{run.name} · {run.hours:g} h") for run in figures.result.periods)
    return Table((*heads, text("words.day")), tuple(rows))
